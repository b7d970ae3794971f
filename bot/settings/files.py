"""Secrets in files of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot.settings.names import FILE_SUFFIX, PREFIX, SECRETS, SettingsError, variable

_SECRET_LIMIT_BYTES: Final = 4096


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets from files, named by ``MONETA_..._FILE``."""

    def __init__(self, settings: type[BaseSettings], variables: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the base class asks for it
        """Return the text of the file that is named for ``field_name``, None without one."""
        path = self._variables.get(f"{field_name}{FILE_SUFFIX.lower()}") if field_name in SECRETS else None
        return (_read_secret(field_name, Path(path)) if path else None, field_name, False)

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that files hold, by setting."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def _read_secret(name: str, path: Path) -> str:
    named = f"{variable(name)}{FILE_SUFFIX}"
    try:
        with path.open(encoding="utf-8") as file:
            secret = file.read(_SECRET_LIMIT_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{named}: {path} cannot be read: {reason_of(error)}."]) from None
    if not secret:
        raise SettingsError([f"{named}: {path} is empty."])
    return secret


def reason_of(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file could not be read, and nothing of what stands in it."""
    return str(error.strerror) if isinstance(error, OSError) else "it is no text in UTF-8"


def variables_of(source: PydanticBaseSettingsSource) -> dict[str, str]:
    """Return the variables that ``source`` read, by their lower-case name without the prefix."""
    read: Mapping[str, str | None] = getattr(source, "env_vars", {})
    return {name.removeprefix(PREFIX.lower()): value for name, value in read.items() if value}
