"""What an owner says of a payment that restored books do not know: whose it was, or that it is accepted.

Attributing takes the coins from the account that had them paid out, and refills SYSTEM_RESERVE, which bore them
(chain.md, Withdrawals). Accepting moves nothing: the reserve stays short until it is refilled.
"""

from typing import Any, Final, NamedTuple

from ledger.accounts import SYSTEM_RESERVE, AccountId
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.money import Amount, Denom
from ledger.outbox import OPERATORS, news
from ledger.ports import Selects
from ledger.queries import queries
from ledger.units import Decision, Entry, Posting, Receipt, Row, Unit, View

_SQL: Final = queries("replay")


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


def _find(view: View, payment: int) -> UnknownPayment:
    rows = view.select(_SQL["find"], (payment,))
    if not rows:
        raise Refused("unknown_payment", payment=payment)
    found = _payment_of(rows[0])
    if not found.remaining or found.accepted:
        raise Refused("payment_explained", payment=payment)
    return found


def decide_attribution(
    view: View,
    key: str,
    actor: AccountId,
    payment: int,
    *,
    account: AccountId,
    amount: Amount | None,
    reason: str,
) -> Decision[int]:
    """Take ``amount`` (None: all that remains) of an unknown payment from ``account``; the outcome is its posting.

    Whoever may do so is the caller's question. Raises Refused: ``reason_missing``, ``unknown_payment``,
    ``payment_explained``, ``amount_too_large`` (above what remains), ``unknown_account``, ``insufficient_balance``.
    """
    if not reason.strip():
        raise Refused("reason_missing")
    found = _find(view, payment)
    part = found.remaining if amount is None else amount
    if not 0 < part <= found.remaining:
        raise Refused("amount_too_large", remaining=found.remaining, denom=found.denom)
    if account == SYSTEM_RESERVE or not view.exists(account):
        raise Refused("unknown_account", account=account)
    balance = view.balance(account, found.denom)
    if balance < part:
        raise Refused("insufficient_balance", balance=balance, needed=part, denom=found.denom)
    draft = Draft(view)
    posting = Posting(account, SYSTEM_RESERVE, part, found.denom)
    inputs = _inputs(payment, account, amount, reason)
    first = draft.post(Entry(key, digest_of(inputs), "attribution", (posting,), actor=actor, note=reason))
    draft.write(
        Row(_SQL["attribute"], (part, payment, found.remaining), changes=1),
        Row(_SQL["said"], (payment, first, actor, reason, view.now), changes=1),
        _announcement(view, found, actor, reason, account=account, amount=part),
    )
    return Decision(first, tuple(draft.entries), tuple(draft.rows))


def decide_acceptance(view: View, actor: AccountId, payment: int, reason: str) -> Decision[None]:
    """Close an unknown payment without naming anybody: the reserve keeps bearing what remains.

    Raises Refused: ``reason_missing``, ``unknown_payment``, ``payment_explained``.
    """
    if not reason.strip():
        raise Refused("reason_missing")
    found = _find(view, payment)
    rows = (
        Row(_SQL["accept"], (payment,), changes=1),
        Row(_SQL["said"], (payment, None, actor, reason, view.now), changes=1),
        _announcement(view, found, actor, reason, account=None, amount=found.remaining),
    )
    return Decision(None, rows=rows)


def _announcement(
    view: View,
    found: UnknownPayment,
    actor: AccountId,
    reason: str,
    *,
    account: AccountId | None,
    amount: Amount,
) -> Row:
    facts = {
        "alert": "restore.payment_explained",
        "payment": found.id,
        "account": account,
        "amount": amount,
        "denom": found.denom,
        "actor": actor,
        "reason": reason,
    }
    return news("alert.raised", OPERATORS, facts, view.now)


def _inputs(payment: int, account: AccountId, amount: Amount | None, reason: str) -> dict[str, Any]:
    return {"payment": payment, "account": account, "amount": amount, "reason": reason}


def attribution_unit(
    key: str, actor: AccountId, payment: int, *, account: AccountId, amount: Amount | None, reason: str
) -> Unit[int]:
    """Return the unit of `decide_attribution`."""

    def recall(_view: View, receipt: Receipt) -> int:
        return receipt.entry_id

    return Unit(
        lambda view: decide_attribution(
            view, key, actor, payment, account=account, amount=amount, reason=reason
        ),
        key=key,
        digest=digest_of(_inputs(payment, account, amount, reason)),
        recall=recall,
    )


def acceptance_unit(actor: AccountId, payment: int, reason: str) -> Unit[None]:
    """Return the unit of `decide_acceptance`; it guards itself, a second one is refused."""
    return Unit(lambda view: decide_acceptance(view, actor, payment, reason))
