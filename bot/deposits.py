"""Which unclaimed deposit is meant: by the number that /unclaimed shows, or by the hash of its transaction."""

import re
from typing import Final

from bot.html import clean_name
from ledger.errors import Refused
from ledger.unclaimed import Unclaimed, UnclaimedDeposits

_NUMBER: Final = re.compile(r"#?([1-9][0-9]{0,18})", re.ASCII)
_HASH: Final = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{64})", re.ASCII)

_SHOWN_NUMBERS: Final = 5
_SHORT_HASH: Final = 8


def named_deposits(typed: str, book: UnclaimedDeposits) -> list[Unclaimed]:
    """Return the rows that ``typed`` names, at least one; a number names one, a hash all of its transaction.

    Raises Refused ``deposit_unreadable``, ``unknown_deposit``, ``unknown_transaction``.
    """
    if number := _NUMBER.fullmatch(typed):
        return [book.find(int(number[1]))]
    shown = _HASH.fullmatch(typed)
    if shown is None:
        raise Refused("deposit_unreadable", typed=clean_name(typed))
    found = book.of_transaction(shown[1])
    if not found:
        raise Refused("unknown_transaction", tx=short_hash(shown[1].upper()))
    return found


def names_deposit(word: str) -> bool:
    """Tell whether ``word`` has the form of a number or a hash, whatever it names."""
    return bool(_NUMBER.fullmatch(word) or _HASH.fullmatch(word))


def one_deposit(typed: str, book: UnclaimedDeposits) -> Unclaimed:
    """Return the one row that ``typed`` names, of several the one that still waits.

    Raises Refused as `named_deposits` does, and ``deposit_ambiguous`` when several wait.
    """
    found = named_deposits(typed, book)
    waiting = [each for each in found if each.remaining]
    if len(waiting) > 1:
        raise ambiguous(waiting)
    return waiting[0] if waiting else found[0]


def ambiguous(found: list[Unclaimed]) -> Refused:
    """Return the refusal that asks which of ``found`` is meant."""
    numbers = ", ".join(str(each.id) for each in found[:_SHOWN_NUMBERS])
    return Refused("deposit_ambiguous", numbers=numbers, count=len(found))


def short_hash(tx_hash: str) -> str:
    """Return the beginning of a transaction's hash: enough to recognise it."""
    return f"{tx_hash[:_SHORT_HASH]}…" if len(tx_hash) > _SHORT_HASH else tx_hash


def short_address(address: str) -> str:
    """Return an address as people compare it: its beginning and its end. Of several the first is shown."""
    first, *others = address.split(",")
    shown = f"{first[:9]}…{first[-4:]}" if len(first) > 14 else first
    return f"{shown} and others" if others else shown
