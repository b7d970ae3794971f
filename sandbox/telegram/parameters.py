"""Parameters of a Bot API call, which arrive as JSON, as a form or as multipart with the same meaning."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sandbox.telegram.refusals import bad_request


class Upload(NamedTuple):
    """A file that came with a call."""

    name: str
    mime: str
    content: bytes


class Parameters:
    """The parameters of one call; readers raise ApiError 400 in Telegram's words."""

    def __init__(self, fields: Mapping[str, Any], files: Mapping[str, Upload] | None = None) -> None:
        self._fields = {name: value for name, value in fields.items() if value is not None}
        self._files = files or {}

    def has(self, name: str) -> bool:
        """Tell whether ``name`` was given."""
        return name in self._fields or name in self._files

    def text(self, name: str, default: str = "") -> str:
        """Return a string."""
        value = self._fields.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """Return an integer, given as a number or as its digits."""
        value = self._fields.get(name, default)
        if value is None:
            raise bad_request(f"parameter {name} is required")
        try:
            return int(str(value))
        except ValueError:
            raise bad_request(f"{name} must be an integer") from None

    def number(self, name: str, default: float) -> float:
        """Return a number of seconds."""
        try:
            return float(str(self._fields.get(name, default)))
        except ValueError:
            raise bad_request(f"{name} must be a number") from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a Boolean: true, "true", "True", "yes" and "1" are true as on the real server."""
        value = self._fields.get(name, default)
        return value is True or str(value).lower() in {"true", "yes", "1"}

    def json(self, name: str) -> Any:
        """Return an object or array, given as such or as JSON text; None when absent."""
        value = self._fields.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def upload(self, name: str) -> Upload | str | None:
        """Return the file of parameter ``name``: the upload itself, or the id or URL that was given instead."""
        if name in self._files:
            return self._files[name]
        value = self._fields.get(name)
        if isinstance(value, str) and value.startswith("attach://"):
            return self._files.get(value.removeprefix("attach://"))
        return value if isinstance(value, str) else None
