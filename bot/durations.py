"""How long something lasts, as people type and read it: ``30s``, ``30m``, ``2h``, ``3d``."""

import re
from typing import Final

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_TYPED: Final = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_LOOKS: Final = re.compile(r"[0-9]+[a-z]+", re.ASCII)


def read_duration(word: str, units: str = "mhd") -> int | None:
    """Return the seconds that ``word`` means; None when it is no number with one of the ``units``."""
    found = _TYPED.fullmatch(word.lower())
    return int(found[1]) * _UNITS[found[2]] if found and found[2] in units else None


def looks_like_duration(word: str) -> bool:
    """Tell whether ``word`` was probably meant as a duration, well-formed or not: digits with letters behind."""
    return _LOOKS.fullmatch(word.lower()) is not None


def spelled(seconds: int) -> str:
    """Return ``seconds`` as one would type them, in the largest unit that leaves no rest."""
    unit = next((each for each in ("d", "h", "m") if seconds % _UNITS[each] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"
