"""``.env.example``: every setting with what it means."""

import textwrap
from typing import Final

from pydantic.fields import FieldInfo

from bot.settings.model import Settings
from bot.settings.names import variable
from bot.settings.values import extra

_SECTIONS: Final = ("Telegram", "Chain", "Treasury", "Program")


def example() -> str:
    """Return ``.env.example``: every setting with what it means, in sections."""
    lines = [
        "# Moneta's settings. Copy this file to .env and fill in what has no default.",
        "# The environment wins over .env. A secret may be in a file of its own instead, named by",
        "# the same variable with _FILE behind it: MONETA_TELEGRAM_TOKEN_FILE, MONETA_MNEMONIC_FILE.",
    ]
    for section in _SECTIONS:
        lines += ["", f"# --- {section} ---"]
        for name, field in Settings.model_fields.items():
            if extra(field)["section"] == section:
                lines += ["", *_example_lines(name, field)]
    return "\n".join(lines) + "\n"


def _example_lines(name: str, field: FieldInfo) -> list[str]:
    comment = textwrap.wrap(f"{field.description}", 108, initial_indent="# ", subsequent_indent="# ")
    if field.is_required():
        return [*comment, f"{variable(name)}="]
    return [*comment, f"# {variable(name)}={extra(field)['example'] or field.default}"]
