"""SYSTEM_RESERVE below zero is what the chain lacks: an owner makes it good (chain.md, Reconciliation).

Coins for it come as a deposit with the memo ``topup`` or stand on BOT_TREASURY already; `Reserve.refill` moves them over.
Withdrawals stay frozen until the reserve owes nothing and an owner lifts the freeze (freezes.py).
"""

from typing import NamedTuple

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE
from ledger.adminaudit import Order, checked_reason, logged
from ledger.alerts import alert
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.journal import Journal, Lane
from ledger.money import Amount, Denom
from ledger.payments import require_spendable
from ledger.reader import Reader
from ledger.roles import Actor, Role, require_role
from ledger.units import Beside, Decision, Entry, Posting, Receipt, Unit, View


class Refill(NamedTuple):
    """What an owner orders: ``amount`` in base units, None for all that is owed; ``note`` is the reason."""

    by: Actor
    denom: Denom
    amount: Amount | None
    note: str

    def digest(self) -> bytes:
        """Return what tells this order from another under the same key."""
        return digest_of({"actor": self.by.account, **self._asdict(), "by": None})


def decide_refill(view: View, key: str, refill: Refill) -> Decision[Amount]:
    """Move coins from BOT_TREASURY to SYSTEM_RESERVE, and return how many.

    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``not_positive``, ``reserve_owes_nothing``,
    ``refill_too_much``, ``treasury_too_low``.
    """
    by, denom, amount, note = refill
    role = require_role(view, by, Role.OWNER)
    note = checked_reason(note)
    owed = max(0, -view.balance(SYSTEM_RESERVE, denom))
    wanted = owed if amount is None else amount
    if owed == 0:
        raise Refused("reserve_owes_nothing", denom=denom)
    if wanted <= 0:
        raise Refused("not_positive")
    if wanted > owed:
        raise Refused("refill_too_much", owed=owed, denom=denom)
    require_spendable(view, wanted, denom)
    draft = Draft(view)
    posting = Posting(BOT_TREASURY, SYSTEM_RESERVE, Amount(wanted), denom)
    draft.post(Entry(key, refill.digest(), "refill", (posting,), actor=by.account, note=note))
    owing = {"owed": owed, "denom": denom}
    order = Order(
        "reserve.refilled", note, SYSTEM_RESERVE, before=owing, after={**owing, "owed": owed - wanted}
    )
    facts = {"amount": wanted, "denom": denom, "actor": by.account, "reason": note}
    draft.write(logged(by, role, order, view.now), alert("reserve.refilled", facts, view.now))
    return Decision(Amount(wanted), tuple(draft.entries), tuple(draft.rows))


class Reserve:
    """The book of the reserve."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    def owed(self, denom: Denom) -> Amount:
        """Return what SYSTEM_RESERVE owes, as committed."""
        return Amount(max(0, -self._reader.balance(SYSTEM_RESERVE, denom)))

    async def refill(self, key: str, refill: Refill, beside: Beside | None = None) -> Amount:
        """Refill the reserve under ``key``; raises what `decide_refill` raises."""
        unit = Unit(
            lambda view: decide_refill(view, key, refill),
            key=key,
            digest=refill.digest(),
            recall=_recall,
            beside=beside,
        )
        return await self._journal.submit(unit, Lane.SYSTEM)


def _recall(view: View, receipt: Receipt) -> Amount:
    rows = view.select("SELECT amount FROM transactions WHERE id = ?", (receipt.entry_id,))
    return Amount(rows[0]["amount"])
