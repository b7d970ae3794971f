"""How long something lasts, as people type and read it: ``30m``, ``2h``, ``3d``."""

import re
from typing import Final

_UNITS: Final = {"m": 60, "h": 3600, "d": 24 * 3600}
_TYPED: Final = re.compile(r"([0-9]{1,6})([mhd])", re.ASCII)
_LOOKS: Final = re.compile(r"[0-9]+[a-z]+", re.ASCII)


def read_duration(word: str) -> int | None:
    """Return the seconds that ``word`` means; None when it is no number with one of the units m, h, d."""
    found = _TYPED.fullmatch(word.lower())
    return int(found[1]) * _UNITS[found[2]] if found else None


def looks_like_duration(word: str) -> bool:
    """Tell whether ``word`` was probably meant as a duration, well-formed or not: digits with letters behind."""
    return _LOOKS.fullmatch(word.lower()) is not None


def spelled(seconds: int) -> str:
    """Return ``seconds`` as one would type them, in the largest unit that leaves no rest; whole minutes at least."""
    unit = next((each for each in ("d", "h") if seconds % _UNITS[each] == 0), "m")
    return f"{seconds // _UNITS[unit]}{unit}"
