"""A higher fee for the same sequence, when no block takes what was signed (chain.md, Withdrawals).

A replacement and what it replaces exclude each other on chain: whichever is included uses the sequence up. So both may
be offered for ever, and money is in doubt no more than with one of them. How far the fee may go has two bounds, since
nobody proves that a higher one is needed.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

from chain.coins import ChainCoin
from chain.endpoints import Broadcast
from chain.fees import Quote
from chain.parameters import ChainParameters
from ledger.money import Denom
from ledger.payments import OpenTransaction

FEE_TOO_LOW: Final = 13
"""Code of the ante (codespace sdk): below the node's floor, which says in words what it wants."""

_REQUIRED: Final = re.compile(r"required: ?(\[[^\]]{1,500}|[0-9a-zA-Z/,.:_-]{1,500})", re.ASCII)
_AROUND: Final = '[]" \n'
_COIN: Final = re.compile(r"([1-9][0-9]{0,30})(?:\.0+)?([a-zA-Z][a-zA-Z0-9/:._-]{2,127})", re.ASCII)


class BumpRules(NamedTuple):
    """When a signed transaction is priced anew, and how far."""

    after_blocks: int = 20
    """So long no block holds the newest attempt."""
    most: int = 3
    """Replacements of one transaction; 0 makes none."""
    factor: Fraction = Fraction(3, 2)
    """Of the last fee, unless a node names its floor."""
    highest_gas_price: Fraction | None = None
    """Base units of the fee denom per unit of gas; None: four times the usual price."""


def newest(attempts: Sequence[OpenTransaction]) -> OpenTransaction:
    """Return the attempt with the highest fee of ``attempts`` (at least one): each was signed above the one before."""
    return max(attempts, key=lambda each: each.signed.fee)


def higher_price(
    attempts: Sequence[OpenTransaction], floor: int | None, parameters: ChainParameters, rules: BumpRules
) -> Quote | None:
    """Return the price of the next replacement, None when none is left or no allowed fee would reach ``floor``.

    ``floor`` is what nodes ask for in all, in base units, None when they did not say.
    """
    last = newest(attempts).signed
    if len(attempts) > rules.most:
        return None
    gas_price = rules.highest_gas_price or 4 * parameters.gas_price
    highest = int(last.gas_limit * gas_price)
    wanted = max(ceil(last.fee * rules.factor), last.fee + 1, floor or 0)
    fee = min(wanted, highest)
    if fee <= last.fee or fee < (floor or 0):
        return None
    return Quote(last.gas_limit, ChainCoin(last.fee_denom, fee))


def floor_of(broadcast: Broadcast, denom: Denom) -> int | None:
    """Return the lowest fee that some node asked for in words, None when no node said it in ``denom``."""
    floors = [_required(answer.log, denom) for answer in broadcast.rejections if answer.code == FEE_TOO_LOW]
    return min((floor for floor in floors if floor is not None), default=None)


def _required(log: str, denom: Denom) -> int | None:
    """Read "insufficient fees; got: 1ujuno required: 11250ujuno,7uother: insufficient fee".

    Juno's global fee lists them in JSON, on several lines: "one is required: ["11250ujuno", "7uother"]".
    """
    for listed in _REQUIRED.findall(log):
        coins = (_COIN.match(coin.strip(_AROUND)) for coin in listed.split(","))
        for amount, spelled in (match.groups() for match in coins if match):
            if spelled.rstrip(":.") == denom:
                return int(amount)
    return None
