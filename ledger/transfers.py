"""Transfers: a member's coins become another member's. Instant and free, nothing on the chain moves."""

from collections.abc import Coroutine
from hashlib import sha256
from typing import Any, Final

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.journal import Journal
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.units import AS_POSTED, Beside, Decision, Entry, Posting, Receipt, Unit, View

MAX_NOTE: Final = 256
"""Characters of a note: a sentence, not a letter."""


def transfer_unit(
    source: AccountId,
    destination: AccountId,
    amount: Amount | None,
    denom: Denom,
    *,
    key: str,
    note: str = "",
    beside: Beside | None = None,
) -> Unit[Receipt]:
    """Return the unit that moves ``amount`` base units from person ``source`` to person ``destination``.

    ``amount`` None is all that ``source`` owns when it is decided, be it more or less than when they asked. The
    decision refuses with ``nothing_to_send`` (all of nothing), ``not_positive``, ``amount_too_large``, ``same_account``, ``not_a_user`` (an account of the
    system), ``unknown_account``, ``note_too_long`` or ``insufficient_balance``.
    """
    # Numbers, "all" and a denom hold no line break, and the note is last: no two inputs spell the same.
    wanted = "all" if amount is None else amount
    digest = sha256(f"transfer\n{source}\n{destination}\n{wanted}\n{denom}\n{note}".encode()).digest()

    def decide(view: View) -> Decision[Receipt]:
        moved = view.balance(source, denom) if amount is None else amount
        if not 0 < moved <= MAX_AMOUNT or source <= 0 or destination <= 0 or source == destination:
            raise _refusal(source, destination, amount, denom)
        if len(note) > MAX_NOTE:
            raise Refused("note_too_long", length=len(note), limit=MAX_NOTE)
        if not view.exists(destination):
            raise Refused("unknown_account", account=destination)
        posting = Posting(source, destination, moved, denom)
        return Decision(AS_POSTED, (Entry(key, digest, "transfer", (posting,), source, note),))

    return Unit(decide, key, digest, None, beside)


def _refusal(source: AccountId, destination: AccountId, amount: Amount | None, denom: Denom) -> Refused:
    if amount is not None and amount <= 0:
        return Refused("not_positive", amount=amount)
    if amount is not None and amount > MAX_AMOUNT:
        return Refused("amount_too_large", amount=amount)
    if source == destination:
        return Refused("same_account", account=source)
    if source <= 0 or destination <= 0:
        return Refused("not_a_user", account=min(source, destination))
    return Refused("nothing_to_send", denom=denom)


class Transfers:
    """The book of transfers between people."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def between_users(
        self,
        source: AccountId,
        destination: AccountId,
        amount: Amount | None,
        denom: Denom,
        *,
        key: str,
        note: str = "",
        beside: Beside | None = None,
    ) -> Coroutine[Any, Any, Receipt]:
        """Move ``amount`` base units, None being all; see `transfer_unit` for what is refused and `Journal.submit` for the rest."""
        unit = transfer_unit(source, destination, amount, denom, key=key, note=note, beside=beside)
        return self._journal.submit(unit)
