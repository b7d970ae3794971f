"""Patterns that admins write: RE2 alone reads them, in time linear in the text, whatever the pattern."""

from functools import lru_cache
from typing import Any, Final

import re2

from bot.intents import Said

LONGEST: Final = 200
"""Characters of a pattern."""
LONGEST_TEXT: Final = 4096
"""Characters of a message that are looked at; Telegram lets no message be longer."""
_MEMORY_BYTES: Final = 1 << 20
"""What one compiled pattern may take: repetitions of repetitions are refused by it."""
_COMPILED: Final = 256


def breaks(said: Said, pattern: str) -> bool:
    """Tell whether ``pattern`` is found in ``said``, in capitals or not.

    One that was set under another version of the engine and cannot be read any more finds nothing.
    """
    try:
        return _compiled(pattern).search(said.text[:LONGEST_TEXT]) is not None
    except re2.error:
        return False


def problem(pattern: str) -> str | None:
    """Return why ``pattern`` cannot be a rule, in the engine's words; None when it can.

    One that is found in an empty text is found in every text: such a rule would be about everything.
    """
    try:
        found = _compiled(pattern).search("")
    except (re2.error, UnicodeEncodeError) as error:
        return str(error) or "it cannot be read"
    return "it is found in every text" if found else None


@lru_cache(maxsize=_COMPILED)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(pattern, options)
