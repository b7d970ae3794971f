"""Strict reading of a node's JSON: what is not of the protocol's form raises ``Malformed``, never anything else."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from chain.light.errors import Malformed

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}\Z")
_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?Z\Z"
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_INT64_MAX: Final = 2**63 - 1
_INT64_MIN: Final = -(2**63)


class Timestamp(NamedTuple):
    """A protobuf timestamp; nanoseconds are kept because they are signed."""

    seconds: int
    nanos: int

    def millis(self) -> int:
        """Return Unix milliseconds, rounded down."""
        return self.seconds * 1000 + self.nanos // 1_000_000


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a JSON object."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} is no object")
    return value


def sequence(value: Any, what: str) -> Sequence[Any]:
    """Return ``value`` if it is a JSON array; null is an empty one, as Go writes it."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Malformed(f"{what} is no array")
    return value


def member(parent: Any, key: str) -> Mapping[str, Any]:
    """Return the object ``parent[key]``."""
    return mapping(mapping(parent, key).get(key), key)


def text(parent: Mapping[str, Any], key: str) -> str:
    """Return the string ``parent[key]``; an absent one is empty. JSON can spell strings that no UTF-8 has."""
    value = parent.get(key, "")
    if not isinstance(value, str) or (not value.isascii() and _SURROGATE.search(value)):
        raise Malformed(f"{key} is no string")
    return value


def integer(parent: Mapping[str, Any], key: str) -> int:
    """Return the int64 ``parent[key]``, a JSON string or number; an absent one is zero, as Go omits it."""
    value = parent.get(key, 0)
    if isinstance(value, str) and _INTEGER.match(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not _INT64_MIN <= value <= _INT64_MAX:
        raise Malformed(f"{key} is no 64-bit integer")
    return value


def natural(parent: Mapping[str, Any], key: str) -> int:
    """Return an integer that may not be negative."""
    value = integer(parent, key)
    if value < 0:
        raise Malformed(f"{key} is negative")
    return value


def hexadecimal(parent: Mapping[str, Any], key: str) -> bytes:
    """Return the bytes of a hexadecimal string; an absent one is empty."""
    value = text(parent, key)
    if not value:
        return b""
    try:
        # fromhex skips white space, which is not alphanumeric.
        return bytes.fromhex(value if value.isalnum() else "?")
    except ValueError as error:
        raise Malformed(f"{key} is not hexadecimal") from error


def base64_octets(value: Any, what: str) -> bytes:
    """Return the bytes of a base64 string; null is empty, as Go writes it."""
    if value is None:
        return b""
    if not isinstance(value, str):
        raise Malformed(f"{what} is no string")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"{what} is not base64") from error


def timestamp(parent: Mapping[str, Any], key: str) -> Timestamp:
    """Return the time ``parent[key]``: RFC 3339 in UTC with up to nine decimals."""
    match = _RFC3339.match(text(parent, key))
    if match is None:
        raise Malformed(f"{key} is no RFC 3339 time in UTC")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError as error:
        raise Malformed(f"{key} is no date") from error
    if hour > 23 or minute > 59 or second > 59:
        raise Malformed(f"{key} is no time of day")
    return Timestamp(days * 86400 + hour * 3600 + minute * 60 + second, int((match[7] or "").ljust(9, "0")))
