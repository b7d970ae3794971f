"""How the chain stores amounts, and how settings and fees spell coins."""

import re
from typing import Final, NamedTuple

from ledger.money import Denom

_STORED: Final = re.compile(rb"(?:0|[1-9][0-9]{0,77})\Z")
_COIN: Final = re.compile(r"([1-9][0-9]{0,77})([a-zA-Z][a-zA-Z0-9/:._-]{2,127})\Z")


class ChainCoin(NamedTuple):
    """An amount of a denom on chain; up to 256 bits, so more than a posting may hold."""

    denom: Denom
    amount: int


def stored_amount(value: bytes) -> int:
    """Return the amount that the bank's store holds as ASCII digits; no value is 0. Raises ValueError."""
    if not value:
        return 0
    if not _STORED.match(value):
        raise ValueError(f"no amount: {value[:80]!r}")
    return int(value)


def parse_coins(spelling: str) -> tuple[ChainCoin, ...]:
    """Read coins as settings and fees spell them: ``75ujuno`` or ``1uatom,75ujuno``; "" is none. Raises ValueError."""
    parts = spelling.split(",") if spelling else []
    matches = [_COIN.match(part) for part in parts]
    if None in matches or len({match[2] for match in matches if match}) != len(parts):
        raise ValueError(f"no list of coins: {spelling[:80]!r}")
    return tuple(ChainCoin(Denom(match[2]), int(match[1])) for match in matches if match)
