"""How the chain spells amounts, and which spellings may be believed.

The chain parses amounts in base 0: "010" moves 8 and "0x7" moves 7, where ``int()`` would read something else. So
a body is credited only when its amount has one possible reading (chain.md, Deposits 3).
"""

import re
from typing import Final, NamedTuple

from ledger.money import Denom

_STRICT: Final = re.compile(r"[1-9][0-9]{0,77}\Z")
_STORED: Final = re.compile(rb"(?:0|[1-9][0-9]{0,77})\Z")
_COIN: Final = re.compile(r"([1-9][0-9]{0,77})([a-zA-Z][a-zA-Z0-9/:._-]{2,127})\Z")


class ChainCoin(NamedTuple):
    """An amount of a denom on chain; up to 256 bits, so more than a posting may hold."""

    denom: Denom
    amount: int


def strict_amount(spelling: str) -> int | None:
    """Return the amount of a message's coin, or None for a spelling that the chain may read differently."""
    return int(spelling) if _STRICT.match(spelling) else None


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


def format_coins(coins: tuple[ChainCoin, ...]) -> str:
    """Return coins as the chain spells them in events and settings."""
    return ",".join(f"{coin.amount}{coin.denom}" for coin in coins)
