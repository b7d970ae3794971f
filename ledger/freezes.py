"""Why no withdrawal is signed: what the program found on the chain, or what a person ordered (product.md)."""

from enum import StrEnum
from typing import Final, NamedTuple

from ledger.accounts import SYSTEM_RESERVE, AccountId
from ledger.adminaudit import Order, checked_reason, logged
from ledger.alerts import alert
from ledger.drafts import Draft
from ledger.errors import Refused
from ledger.money import Denom
from ledger.ports import Selects
from ledger.queries import queries
from ledger.roles import Actor, Role, require_role
from ledger.units import Beside, Decision, Row, Unit, View

_SQL: Final = queries("freezes")
_STANDING: Final = _SQL["standing"]
_IS_WRITTEN: Final = _SQL["is_written"]
_OWED: Final = _SQL["owed"]
_INSERT: Final = _SQL["insert"]
_LIFT: Final = _SQL["lift"]


class FreezeReason(StrEnum):
    """What froze withdrawals; all but ``ORDERED`` and ``RESTORED`` come from the chain."""

    SHORTFALL = "shortfall"
    STRANGER = "stranger"
    CONTRADICTION = "contradiction"
    ORDERED = "ordered"
    RESTORED = "restored"
    """Books from a backup are still being replayed (replay.py): not a row of ``freezes``, it ends by itself."""


class Freeze(NamedTuple):
    """A standing freeze; ``account`` None freezes everyone's withdrawals."""

    reason: FreezeReason
    account: AccountId | None


def standing(books: Selects) -> list[Freeze]:
    """Return the freezes that are not lifted, oldest first.

    While SYSTEM_RESERVE owes anything, in any denom, a shortfall stands, written or not (chain.md, Reconciliation).
    """
    return [Freeze(FreezeReason(row["reason"]), row["account"]) for row in books.select(_STANDING)]


def freeze_of(books: Selects, account: AccountId) -> Freeze | None:
    """Return what keeps withdrawals of ``account`` from being signed, or None."""
    return next((freeze for freeze in standing(books) if freeze.account in (None, account)), None)


def is_replaying(books: Selects) -> bool:
    """Tell whether books from a backup are still being replayed: what waits may turn out to be paid."""
    return Freeze(FreezeReason.RESTORED, None) in standing(books)


def freeze_everyone(draft: Draft, reason: FreezeReason, note: str) -> None:
    """Write a freeze that the program found necessary, unless one with this ``reason`` stands already."""
    drafted = any(row.sql == _INSERT and next(iter(row.parameters)) == reason.value for row in draft.rows)
    if not drafted and not draft.view.select(_IS_WRITTEN, (reason.value,)):
        draft.write(Row(_INSERT, (reason.value, None, 0, note, draft.view.now), changes=1))


def decide_freeze(view: View, by: Actor, account: AccountId | None, note: str) -> Decision[None]:
    """Freeze the withdrawals of ``account``, or of everyone, on an admin's order.

    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``unknown_account``, ``already_frozen``.
    """
    role = require_role(view, by, Role.ADMIN)
    note = checked_reason(note)
    if account is not None and not view.exists(account):
        raise Refused("unknown_account", account=account)
    if Freeze(FreezeReason.ORDERED, account) in standing(view):
        raise Refused("already_frozen", account=account)
    facts = {"account": account, "actor": by.account, "reason": note}
    rows = (
        Row(_INSERT, (FreezeReason.ORDERED.value, account, by.account, note, view.now), changes=1),
        logged(by, role, Order("withdrawals.frozen", note, account, after=_of(account)), view.now),
        alert("withdrawals.frozen", facts, view.now),
    )
    return Decision(None, rows=rows)


def _of(account: AccountId | None) -> dict[str, str]:
    return {"whose": "everyone's" if account is None else "one account's"}


def decide_lift(view: View, by: Actor, freeze: Freeze, note: str) -> Decision[None]:
    """Lift a standing freeze: what was ordered an admin, what the chain caused only an owner (style.md, Words).

    A shortfall stays frozen while SYSTEM_RESERVE owes anything, also in a denom that is not listed any more.
    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``replay_unfinished`` (it ends by itself),
    ``not_frozen``, ``reserve_negative``.
    """
    role = require_role(view, by, Role.ADMIN if freeze.reason is FreezeReason.ORDERED else Role.OWNER)
    note = checked_reason(note)
    if freeze.reason is FreezeReason.RESTORED:
        raise Refused("replay_unfinished")
    if freeze not in standing(view):
        raise Refused("not_frozen", account=freeze.account)
    owed = {Denom(row["denom"]): row["owed"] for row in view.select(_OWED, (SYSTEM_RESERVE,))}
    if freeze.reason is FreezeReason.SHORTFALL and owed:
        raise Refused("reserve_negative", owed=owed)
    facts = {"account": freeze.account, "actor": by.account, "reason": note}
    before = {"frozen for": freeze.reason.value, **_of(freeze.account)}
    rows = (
        Row(_LIFT, (view.now, by.account, note, freeze.reason.value, freeze.account), changes=1),
        logged(by, role, Order("withdrawals.unfrozen", note, freeze.account, before=before), view.now),
        alert("withdrawals.unfrozen", facts, view.now),
    )
    return Decision(None, rows=rows)


def freeze_unit(by: Actor, account: AccountId | None, note: str, beside: Beside | None = None) -> Unit[None]:
    """Return the unit of `decide_freeze`; it guards itself, a second one is refused."""
    return Unit(lambda view: decide_freeze(view, by, account, note), beside=beside)


def lift_unit(by: Actor, freeze: Freeze, note: str, beside: Beside | None = None) -> Unit[None]:
    """Return the unit of `decide_lift`."""
    return Unit(lambda view: decide_lift(view, by, freeze, note), beside=beside)
