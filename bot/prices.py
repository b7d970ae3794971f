"""What the main asset is worth in US dollars, asked of one configured address, and amounts that are typed in dollars.

A price is a decimal text and never a float. Without a price that is young enough an amount in dollars is refused: it is
never guessed, and never zero. Nothing here is called from the writer: the amount is frozen before a unit begins.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final, NamedTuple

import httpx

from ledger.errors import Refused
from ledger.fines import Price
from ledger.money import MAX_AMOUNT, Amount, Asset
from ledger.ports import Clock

TIMEOUT_SECONDS: Final = 5.0
"""For the whole answer: a source that sends a byte now and then holds up the order that waits for it no longer."""
LONGEST_ANSWER: Final = 64 * 1024
_DIGITS: Final = 30
"""A price within this many digits of the dot is a price."""
_LONGEST_PRICE: Final = 40
_USD: Final = re.compile(
    r"(?:\$([0-9]{1,9})(?:\.([0-9]{1,2}))?|([0-9]{1,9})(?:\.([0-9]{1,2}))?USD)", re.ASCII
)


class PriceSource(NamedTuple):
    """Where a price is found: the address, the way to it in the JSON there, and how old it may be."""

    url: str
    path: tuple[str, ...]
    max_age_seconds: int


class Prices:
    """Asks for the price of ``asset``, and remembers it for as long as it may be used. Close it when done."""

    def __init__(
        self, source: PriceSource, asset: Asset, clock: Clock, http: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._source = source
        self._asset = asset
        self._clock = clock
        self._client = httpx.AsyncClient(transport=http, timeout=TIMEOUT_SECONDS)
        self._known: tuple[Fraction, int] | None = None

    def __repr__(self) -> str:
        return f"Prices({self._asset.symbol})"

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def priced(self, usd_cents: int) -> Price:
        """Return ``usd_cents`` in the main asset, rounded down to its smallest unit.

        Raises Refused ``price_unavailable``, ``amount_zero`` for less than the smallest unit, ``amount_too_large``.
        """
        price = await self._price()
        amount = Fraction(usd_cents, 100) / price * 10**self._asset.decimals
        whole = amount.numerator // amount.denominator
        if whole < 1:
            raise Refused("amount_zero")
        if whole > MAX_AMOUNT:
            raise Refused("amount_too_large")
        return Price(Amount(whole), self._asset.denom, usd_cents)

    async def _price(self) -> Fraction:
        """Return dollars for one coin."""
        asked_at = self._clock.now()
        # A price of a clock that was ahead is as old as nobody knows.
        if self._known is not None and 0 <= asked_at - self._known[1] < self._source.max_age_seconds * 1000:
            return self._known[0]
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await self._asked()
            price = _price_of(answer, self._source.path)
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
            raise Refused("price_unavailable") from error
        self._known = price, asked_at
        return price

    async def _asked(self) -> bytes:
        async with self._client.stream("GET", self._source.url) as response:
            response.raise_for_status()
            parts: list[bytes] = []
            async for part in response.aiter_bytes():
                parts.append(part)
                if sum(map(len, parts)) > LONGEST_ANSWER:
                    raise ValueError("the answer is too long to be a price")
        return b"".join(parts)


def _price_of(answer: bytes, path: Sequence[str]) -> Fraction:
    """Return the price at ``path`` in a JSON text. Raises ValueError when there is none."""
    found: Any = json.loads(answer, parse_float=str, parse_int=str, parse_constant=str)
    for step in path:
        found = _step(found, step)
    text = found if isinstance(found, str) else ""
    try:
        price = Decimal(text[:_LONGEST_PRICE])
    except InvalidOperation as error:
        raise ValueError("the price is no number") from error
    if not price.is_finite() or price <= 0 or abs(price.adjusted()) > _DIGITS:
        raise ValueError("the price is none that anybody pays")
    return Fraction(price)


def _step(found: Any, step: str) -> Any:
    if isinstance(found, dict):
        if step not in found:
            raise ValueError("the price is not where it should be")
        return found[step]
    if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
        return found[int(step)]
    raise ValueError("the price is not where it should be")


def take_usd(words: Sequence[str]) -> tuple[int, list[str]] | None:
    """Return the cents that ``words`` begin with (``$5``, ``5 USD``, ``5.50USD``), and the words after; None for no dollars.

    Raises Refused ``price_unreadable`` for dollars that are spelled otherwise, and ``amount_zero``.
    """
    if not words:
        return None
    first, rest = words[0], list(words[1:])
    if rest and rest[0].upper() == "USD":
        first, rest = f"{first}USD", rest[1:]
    if not first.startswith("$") and not first.upper().endswith("USD"):
        return None
    match = _USD.fullmatch(first.upper())
    if match is None:
        raise Refused("price_unreadable", typed=first[:32])
    whole, fraction = (match[1], match[2]) if match[1] else (match[3], match[4])
    cents = int(whole) * 100 + int((fraction or "0").ljust(2, "0"))
    if cents == 0:
        raise Refused("amount_zero")
    return cents, rest
