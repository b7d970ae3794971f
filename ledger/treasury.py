"""What the accounts that are nobody's hold, and what an owner pays out of BOT_TREASURY (product.md, Who may do what)."""

from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.adminaudit import Order, checked_reason, logged
from ledger.alerts import alert
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.journal import Journal, Lane
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.outbox import news
from ledger.payments import require_spendable
from ledger.ports import Selects
from ledger.queries import queries
from ledger.roles import Actor, Role, require_role
from ledger.units import AS_POSTED, Beside, Decision, Entry, Posting, Receipt, Unit, View

_SQL: Final = queries("treasury")


class Holdings(NamedTuple):
    """Balances of one denom in base units; all of them together are what the treasury address holds."""

    denom: Denom
    treasury: Amount
    reserve: Amount
    """Negative: what the chain lacks."""
    unclaimed: Amount
    withdrawals: Amount
    rewards: Amount
    escrows: Amount
    shared: Amount
    members: Amount


def holdings(books: Selects) -> list[Holdings]:
    """Return what there is of each denom that one of these accounts ever had."""
    return [Holdings(*row) for row in books.select(_SQL["holdings"])]


class Grant(NamedTuple):
    """What an owner orders: ``amount`` base units from BOT_TREASURY to person ``account``, who reads the reason."""

    by: Actor
    account: AccountId
    amount: Amount
    denom: Denom
    reason: str

    def digest(self) -> bytes:
        """Return what tells this order from another under the same key."""
        return digest_of({**self._asdict(), "by": self.by.account})


def decide_grant(view: View, key: str, grant: Grant) -> Decision[Any]:
    """Pay a person from BOT_TREASURY; the outcome is the receipt.

    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``not_positive``, ``amount_too_large``,
    ``not_a_user``, ``unknown_account``, ``treasury_too_low``.
    """
    by, account, amount, denom, reason = grant
    role = require_role(view, by, Role.OWNER)
    reason = checked_reason(reason)
    if amount <= 0:
        raise Refused("not_positive")
    if amount > MAX_AMOUNT:
        raise Refused("amount_too_large", denom=denom)
    if account <= 0:
        raise Refused("not_a_user", account=account)
    if not view.exists(account):
        raise Refused("unknown_account", account=account)
    require_spendable(view, amount, denom)
    draft = Draft(view)
    posting = Posting(BOT_TREASURY, account, amount, denom)
    receipt = draft.post(Entry(key, grant.digest(), "grant", (posting,), actor=by.account, note=reason))
    paid = {"amount": amount, "denom": denom}
    facts = {"account": account, **paid, "actor": by.account, "reason": reason}
    draft.write(
        logged(by, role, Order("treasury.sent", reason, account, after=paid), view.now),
        news("treasury.sent", account, {**paid, "reason": reason, "receipt": receipt}, view.now),
        alert("treasury.sent", facts, view.now),
    )
    return Decision(AS_POSTED, tuple(draft.entries), tuple(draft.rows))


class Treasury:
    """The book of what owners pay out."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def grant(self, key: str, grant: Grant, beside: Beside | None = None) -> Receipt:
        """Pay a person under ``key``; raises what `decide_grant` raises."""
        unit: Unit[Receipt] = Unit(
            lambda view: decide_grant(view, key, grant), key=key, digest=grant.digest(), beside=beside
        )
        return await self._journal.submit(unit, Lane.SYSTEM)
