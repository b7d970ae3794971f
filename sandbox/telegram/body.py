"""Bodies of Bot API calls: JSON, form and multipart."""

import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from sandbox.telegram.parameters import Parameters, Upload
from sandbox.telegram.refusals import bad_request

LARGEST_BYTES: Final = 20 * 1024 * 1024
_PARAMETER: Final = re.compile(r';\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))')


def read_parameters(content_type: str, query: str, body: bytes) -> Parameters:
    """Return the parameters of a call, those of the query string included. Raises ApiError 400."""
    fields: dict[str, object] = dict(parse_qsl(query, keep_blank_values=True))
    files: dict[str, Upload] = {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        fields |= _json(body)
    elif kind == "application/x-www-form-urlencoded":
        fields |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    elif kind == "multipart/form-data":
        texts, files = _multipart(content_type, body)
        fields |= texts
    return Parameters(fields, files)


def _json(body: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(value, dict):
        raise bad_request("object expected")
    return value


def _multipart(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, Upload]]:
    """Split RFC 7578 form data into text fields and files."""
    boundary = _header_parameters(content_type).get("boundary")
    if not boundary:
        raise bad_request("multipart without boundary")
    texts: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        if part.startswith(b"--"):
            break
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            raise bad_request("multipart part without content")
        headers = _headers(head.decode("utf-8", "replace"))
        named = _header_parameters(headers.get("content-disposition", ""))
        name = named.get("name", "")
        if "filename" in named:
            mime = headers.get("content-type", "application/octet-stream")
            files[name] = Upload(named["filename"], mime, content)
        else:
            texts[name] = content.decode("utf-8", "replace")
    return texts, files


def _headers(head: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _header_parameters(value: str) -> dict[str, str]:
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PARAMETER.findall(value)
    }
