"""What settings are called, in the environment and in files, and what an operator is told when they are wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

PREFIX: Final = "MONETA_"
FILE_SUFFIX: Final = "_FILE"
DOTENV: Final = Path(".env")
SECRETS: Final = ("telegram_token", "mnemonic")
"""What may be in a file of its own, and is shown nowhere."""


class SettingsError(Exception):
    """The settings do not allow a start; ``problems`` are sentences for the operator, without secrets."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(("The settings need attention; nothing was started.", *problems)))
        self.problems = tuple(problems)


def variable(name: str) -> str:
    """Return the variable of the setting ``name``."""
    return f"{PREFIX}{name.upper()}"
