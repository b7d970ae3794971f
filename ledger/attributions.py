"""What an owner says of a payment that restored books do not know: whose it was, or that it is accepted.

Attributing takes the coins from the account that had them paid out, and refills SYSTEM_RESERVE, which bore them
(chain.md, Withdrawals). Accepting moves nothing: the reserve stays short until it is refilled.
"""

from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, AccountClass, AccountId, account_class
from ledger.adminaudit import Order, checked_reason, logged
from ledger.alerts import alert
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.money import Amount, Denom
from ledger.payments import spendable
from ledger.ports import Selects
from ledger.queries import queries
from ledger.roles import Actor, Role, require_role
from ledger.units import Decision, Entry, Posting, Receipt, Row, Unit, View

_SQL: Final = queries("replay")
_HAD_IT_PAID: Final = (AccountClass.USER, AccountClass.SHARED, AccountClass.TREASURY)
"""Classes of accounts that coins may have left from; what others hold is owed to somebody else."""


class UnknownPayment(NamedTuple):
    """What the treasury paid and nobody has explained: ``remaining`` of ``amount``; ``shown`` is the hash to look up."""

    id: int
    height: int
    shown: str
    address: str
    memo: str
    denom: Denom
    amount: Amount
    remaining: Amount
    accepted: bool


def unknown_payments(books: Selects, limit: int = 100) -> list[UnknownPayment]:
    """Return the oldest payments that nobody has explained yet."""
    return [_payment_of(row) for row in books.select(_SQL["open"], (limit,))]


def _payment_of(row: Any) -> UnknownPayment:
    return UnknownPayment(*row)._replace(accepted=bool(row["accepted"]))


def find_open(books: Selects, payment: int) -> UnknownPayment:
    """Return a payment of which something is unexplained. Raises Refused ``unknown_payment``, ``payment_explained``."""
    rows = books.select(_SQL["find"], (payment,))
    if not rows:
        raise Refused("unknown_payment", payment=payment)
    found = _payment_of(rows[0])
    if not found.remaining or found.accepted:
        raise Refused("payment_explained", payment=payment)
    return found


def decide_attribution(
    view: View,
    key: str,
    by: Actor,
    payment: int,
    *,
    account: AccountId,
    amount: Amount | None,
    reason: str,
) -> Decision[int]:
    """Take ``amount`` (None: all that remains) of an unknown payment from ``account``; the outcome is its posting.

    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``unknown_payment``, ``payment_explained``,
    ``amount_too_large`` (above what remains), ``unknown_account``, ``insufficient_balance``.
    """
    role = require_role(view, by, Role.OWNER)
    reason = checked_reason(reason)
    found = find_open(view, payment)
    part = found.remaining if amount is None else amount
    if not 0 < part <= found.remaining:
        raise Refused("amount_too_large", remaining=found.remaining, denom=found.denom)
    if account_class(account) not in _HAD_IT_PAID or not view.exists(account):
        raise Refused("unknown_account", account=account)
    own = spendable(view, found.denom) if account == BOT_TREASURY else view.balance(account, found.denom)
    if own < part:
        raise Refused("insufficient_balance", balance=own, needed=part, denom=found.denom)
    draft = Draft(view)
    posting = Posting(account, SYSTEM_RESERVE, part, found.denom)
    inputs = _inputs(payment, account, amount, reason)
    first = draft.post(
        Entry(key, digest_of(inputs), "attribution", (posting,), actor=by.account, note=reason)
    )
    draft.write(
        Row(_SQL["attribute"], (part, payment, found.remaining), changes=1),
        Row(_SQL["said"], (payment, first, by.account, reason, view.now), changes=1),
        logged(
            by, role, _order("payment.attributed", found, reason, account, found.remaining - part), view.now
        ),
        _announcement(view, found, by, reason, account=account, amount=part),
    )
    return Decision(first, tuple(draft.entries), tuple(draft.rows))


def decide_acceptance(view: View, by: Actor, payment: int, reason: str) -> Decision[None]:
    """Close an unknown payment without naming anybody: the reserve keeps bearing what remains.

    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``unknown_payment``, ``payment_explained``.
    """
    role = require_role(view, by, Role.OWNER)
    reason = checked_reason(reason)
    found = find_open(view, payment)
    rows = (
        Row(_SQL["accept"], (payment,), changes=1),
        Row(_SQL["said"], (payment, None, by.account, reason, view.now), changes=1),
        logged(by, role, _order("payment.accepted", found, reason, None, found.remaining), view.now),
        _announcement(view, found, by, reason, account=None, amount=found.remaining),
    )
    return Decision(None, rows=rows)


def _order(action: str, found: UnknownPayment, reason: str, account: AccountId | None, left: int) -> Order:
    """Return the line of the log: how much of the payment was unexplained before, and is after."""
    before = {"payment": found.id, "left": found.remaining, "denom": found.denom}
    return Order(action, reason, account, before=before, after={**before, "left": left})


def _announcement(
    view: View,
    found: UnknownPayment,
    by: Actor,
    reason: str,
    *,
    account: AccountId | None,
    amount: Amount,
) -> Row:
    facts = {
        "payment": found.id,
        "account": account,
        "amount": amount,
        "denom": found.denom,
        "actor": by.account,
        "reason": reason,
    }
    return alert("restore.payment_explained", facts, view.now)


def _inputs(payment: int, account: AccountId, amount: Amount | None, reason: str) -> dict[str, Any]:
    return {"payment": payment, "account": account, "amount": amount, "reason": reason}


def attribution_unit(
    key: str, by: Actor, payment: int, *, account: AccountId, amount: Amount | None, reason: str
) -> Unit[int]:
    """Return the unit of `decide_attribution`."""

    def recall(_view: View, receipt: Receipt) -> int:
        return receipt.entry_id

    return Unit(
        lambda view: decide_attribution(
            view, key, by, payment, account=account, amount=amount, reason=reason
        ),
        key=key,
        digest=digest_of(_inputs(payment, account, amount, reason)),
        recall=recall,
    )


def acceptance_unit(by: Actor, payment: int, reason: str) -> Unit[None]:
    """Return the unit of `decide_acceptance`; it guards itself, a second one is refused."""
    return Unit(lambda view: decide_acceptance(view, by, payment, reason))
