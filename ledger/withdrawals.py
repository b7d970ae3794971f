"""Coins out, as the member sees it: asked for, held, cancelled, or ended by an owner's word (chain.md, Withdrawals).

Asking moves amount and fee into WITHDRAWALS; one entry ends the wait, and its key ``res:<id>`` makes a second one
impossible. What becomes of a signed withdrawal only the scanner's blocks decide (inclusions.py).
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, WITHDRAWALS, AccountId
from ledger.adminaudit import Order, checked_reason, logged
from ledger.drafts import Draft, digest_of
from ledger.errors import BrokenInvariant, Refused
from ledger.freezes import FreezeReason, freeze_of, is_replaying
from ledger.journal import Journal, Lane
from ledger.leases import is_locked, unlock_withdrawal
from ledger.limits import Wish, needs_approval, require_within
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.outbox import OPERATORS, news
from ledger.queries import queries
from ledger.reader import Reader
from ledger.roles import Actor, Role, require_role
from ledger.terms import Terms, standing_terms
from ledger.units import Beside, Decision, Entry, Posting, Receipt, Row, Unit, View

MAX_MEMO_BYTES: Final = 256
"""The chain counts bytes, not characters (chain.md, Withdrawals)."""

_SQL: Final = queries("withdrawals")
_INSERT: Final = _SQL["insert"]
_SELECT: Final = "SELECT * FROM withdrawals WHERE id = ?"
_SELECT_UNPAID: Final = "SELECT * FROM withdrawals WHERE state IN ('queued', 'signed') ORDER BY id LIMIT ?"
_SELECT_OF_ACCOUNT: Final = "SELECT * FROM withdrawals WHERE account = ? ORDER BY id DESC LIMIT ?"
_END: Final = _SQL["end"]
_STILL_EXECUTABLE: Final = _SQL["still_executable"]
_END_ABANDONED: Final = _SQL["end_abandoned"]


class WithdrawalState(StrEnum):
    """Where a withdrawal stands; `requested` becomes `queued` in the same unit where nobody has to approve."""

    REQUESTED = "requested"
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    SIGNED = "signed"
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    MANUAL = "manual"


CANCELLABLE: Final = frozenset(
    {WithdrawalState.REQUESTED, WithdrawalState.AWAITING_APPROVAL, WithdrawalState.QUEUED}
)


class Request(NamedTuple):
    """What a member confirmed: ``amount`` arrives at ``address``, ``fee`` as it was shown comes on top.

    ``address`` was checked by chain.address; ``memo`` is at most 256 bytes.
    """

    account: AccountId
    denom: Denom
    amount: Amount
    fee: Amount
    address: str
    memo: str = ""


class Withdrawal(NamedTuple):
    """A withdrawal as it stands; ``id`` is its posting into WITHDRAWALS."""

    id: int
    account: AccountId
    denom: Denom
    amount: Amount
    fee: Amount
    address: str
    memo: str
    state: WithdrawalState
    alone: bool
    requested_at: int

    @property
    def held(self) -> Amount:
        """What waits in WITHDRAWALS for it."""
        return Amount(self.amount + self.fee)


class ManualOutcome(StrEnum):
    """How an owner ends a withdrawal: the member has the coins on chain, or gets the held money back."""

    PAID = "paid"
    RETURNED = "returned"


def withdrawal_of(row: Any) -> Withdrawal:
    """Return a row of ``withdrawals`` as a `Withdrawal`."""
    return Withdrawal(
        id=row["id"],
        account=row["account"],
        denom=row["denom"],
        amount=row["amount"],
        fee=row["fee"],
        address=row["address"],
        memo=row["memo"],
        state=WithdrawalState(row["state"]),
        alone=bool(row["alone"]),
        requested_at=row["requested_at"],
    )


def find(view: View, withdrawal: int) -> Withdrawal:
    """Return a withdrawal; raises Refused ``unknown_withdrawal``."""
    rows = view.select(_SELECT, (withdrawal,))
    if not rows:
        raise Refused("unknown_withdrawal", withdrawal=withdrawal)
    return withdrawal_of(rows[0])


def facts_of(withdrawal: Withdrawal) -> dict[str, Any]:
    """Return what a sentence about ``withdrawal`` needs."""
    return {
        "account": withdrawal.account,
        "address": withdrawal.address,
        "amount": withdrawal.amount,
        "denom": withdrawal.denom,
        "fee": withdrawal.fee,
        "memo": withdrawal.memo,
        "withdrawal": withdrawal.id,
    }


def tell(draft: Draft, event: str, withdrawal: Withdrawal, **facts: Any) -> None:
    """Write news about ``withdrawal`` to its owner, or to the operators where no person owns it."""
    recipient = withdrawal.account if withdrawal.account > 0 else OPERATORS
    draft.write(news(event, recipient, {**facts_of(withdrawal), **facts}, draft.view.now))


def end(
    draft: Draft,
    withdrawal: Withdrawal,
    state: WithdrawalState,
    postings: tuple[Posting, ...],
    *,
    actor: int = 0,
    note: str = "",
    evidence: dict[str, Any] | None = None,
) -> int:
    """Resolve the hold of ``withdrawal`` with ``postings``, all of it, and return the entry's id."""
    resolved = sum(posting.amount for posting in postings)
    if resolved != withdrawal.held:
        raise BrokenInvariant(f"withdrawal {withdrawal.id} holds {withdrawal.held}, its end moves {resolved}")
    key = f"res:{withdrawal.id}"
    inputs = {"state": state.value, "postings": [list(posting) for posting in postings], "actor": actor}
    kind = _KINDS[state]
    first = draft.post(Entry(key, digest_of(inputs), kind, postings, actor=actor, note=note))
    parameters = {
        "state": state.value,
        "resolution": first,
        "evidence": json.dumps(evidence or {}, sort_keys=True),
        "at": draft.view.now,
        "id": withdrawal.id,
        "before": withdrawal.state.value,
    }
    draft.write(Row(_END, parameters, changes=1))
    if withdrawal.state is WithdrawalState.SIGNED:
        draft.write(unlock_withdrawal(withdrawal.id))
    return first


_KINDS: Final = {
    WithdrawalState.CONFIRMED: "withdrawal_settled",
    WithdrawalState.RETURNED: "withdrawal_returned",
    WithdrawalState.CANCELLED: "withdrawal_cancelled",
    WithdrawalState.MANUAL: "withdrawal_manual",
}


def hold_posting(withdrawal: Withdrawal, destination: AccountId | None, amount: int) -> tuple[Posting, ...]:
    """Return the posting of a part of the hold, nothing for an amount of zero."""
    if amount == 0:
        return ()
    return (Posting(WITHDRAWALS, destination, Amount(amount), withdrawal.denom, reference=withdrawal.id),)


def decide_request(view: View, key: str, request: Request, terms: Terms | None) -> Decision[Withdrawal]:
    """Hold what ``request`` asks for, and queue it or let it wait for a second admin.

    ``terms`` are those of the settings; what an owner changed of them counts (terms.py).

    Raises Refused, in this order: ``unlisted_denom``, ``withdrawal_fee_changed`` (shown and current differ),
    ``withdrawal_below_minimum``, ``amount_too_large``, ``memo_too_long``, ``withdrawals_frozen`` (the money stays
    spendable instead of waiting), ``insufficient_balance``, and those of `limits.require_within`.
    """
    terms = _checked_terms(request, terms and standing_terms(view, terms))
    freeze = freeze_of(view, request.account)
    if freeze is not None:
        raise Refused("withdrawals_frozen", reason=freeze.reason.value)
    needed = Amount(request.amount + request.fee)
    balance = view.balance(request.account, request.denom)
    if balance < needed:
        raise Refused("insufficient_balance", balance=balance, needed=needed, denom=request.denom)
    require_within(view, view.now, Wish(request.account, request.denom, request.amount), terms.limits)
    waits = needs_approval(request.amount, terms.limits)
    state = WithdrawalState.AWAITING_APPROVAL if waits else WithdrawalState.QUEUED
    draft = Draft(view)
    posting = Posting(request.account, WITHDRAWALS, needed, request.denom)
    entry = Entry(key, digest_of(request._asdict()), "withdrawal", (posting,), actor=request.account)
    first = draft.post(entry)
    values = {**request._asdict(), "id": first, "state": state.value, "at": view.now}
    draft.write(Row(_INSERT, values, changes=1))
    asked = Withdrawal(first, *request, state=state, alone=False, requested_at=view.now)
    tell(draft, "withdrawal.requested", asked)
    return Decision(asked, tuple(draft.entries), tuple(draft.rows))


def _checked_terms(request: Request, terms: Terms | None) -> Terms:
    if terms is None:
        raise Refused("unlisted_denom", denom=request.denom)
    if request.fee != terms.fee:
        raise Refused("withdrawal_fee_changed", fee=terms.fee, shown=request.fee, denom=request.denom)
    if request.amount < max(1, terms.minimum):
        raise Refused("withdrawal_below_minimum", minimum=terms.minimum, denom=request.denom)
    if request.amount + request.fee > MAX_AMOUNT:
        raise Refused("amount_too_large", denom=request.denom)
    if len(request.memo.encode()) > MAX_MEMO_BYTES:
        raise Refused("memo_too_long", limit=MAX_MEMO_BYTES)
    return terms


def decide_cancel(view: View, account: AccountId, withdrawal: int) -> Decision[Withdrawal]:
    """Give everything back for a withdrawal that is not signed yet; asking again changes nothing.

    Raises Refused: ``unknown_withdrawal`` (also for another's), ``withdrawal_not_cancellable``, ``withdrawals_frozen``
    while restored books are replayed: it may turn out to be paid.
    """
    asked = find(view, withdrawal)
    if asked.account != account:
        raise Refused("unknown_withdrawal", withdrawal=withdrawal)
    if asked.state is WithdrawalState.CANCELLED:
        return Decision(asked)
    if asked.state not in CANCELLABLE or is_locked(view, withdrawal):
        raise Refused("withdrawal_not_cancellable", withdrawal=withdrawal, state=asked.state.value)
    _refuse_while_replaying(view)
    draft = Draft(view)
    end(draft, asked, WithdrawalState.CANCELLED, hold_posting(asked, account, asked.held), actor=account)
    tell(draft, "withdrawal.cancelled", asked, returned=asked.held)
    outcome = asked._replace(state=WithdrawalState.CANCELLED)
    return Decision(outcome, tuple(draft.entries), tuple(draft.rows))


def decide_manual(
    view: View, by: Actor, withdrawal: int, outcome: ManualOutcome, evidence: str
) -> Decision[Withdrawal]:
    """End a withdrawal by an owner's word.

    ``PAID``: the coins left in a transaction that is not ours; the shortfall was booked to SYSTEM_RESERVE and is
    made good by the hold. Never while a signed transaction of it may still execute (product.md, Must hold 4).
    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``unknown_withdrawal``,
    ``withdrawal_ended``, ``transaction_unresolved``, ``withdrawals_frozen`` while restored books are replayed.
    """
    role = require_role(view, by, Role.OWNER)
    evidence = checked_reason(evidence)
    asked = find(view, withdrawal)
    if asked.state not in (WithdrawalState.QUEUED, WithdrawalState.SIGNED):
        raise Refused("withdrawal_ended", withdrawal=withdrawal, state=asked.state.value)
    if view.select(_STILL_EXECUTABLE, (withdrawal,)):
        raise Refused("transaction_unresolved", withdrawal=withdrawal)
    _refuse_while_replaying(view)
    draft = Draft(view)
    facts = {"actor": by.account, "evidence": evidence, "outcome": outcome.value}
    postings = _manual_postings(asked, outcome)
    end(draft, asked, WithdrawalState.MANUAL, postings, actor=by.account, note=evidence, evidence=facts)
    ended = {"withdrawal": withdrawal, "outcome": outcome.value, "amount": asked.amount, "denom": asked.denom}
    order = Order(
        "withdrawal.ended", evidence, asked.account, before={"state": asked.state.value}, after=ended
    )
    draft.write(logged(by, role, order, view.now))
    draft.write(Row(_END_ABANDONED, {"id": withdrawal}))
    event = "withdrawal.confirmed" if outcome is ManualOutcome.PAID else "withdrawal.returned"
    tell(draft, event, asked, manual=True, returned=0 if outcome is ManualOutcome.PAID else asked.held)
    return Decision(asked._replace(state=WithdrawalState.MANUAL), tuple(draft.entries), tuple(draft.rows))


def _refuse_while_replaying(view: View) -> None:
    """Refuse to give back what the lost books may have paid (chain.md, Withdrawals)."""
    if is_replaying(view):
        raise Refused("withdrawals_frozen", reason=FreezeReason.RESTORED.value)


def _manual_postings(asked: Withdrawal, outcome: ManualOutcome) -> tuple[Posting, ...]:
    if outcome is ManualOutcome.RETURNED:
        return hold_posting(asked, asked.account, asked.held)
    return hold_posting(asked, SYSTEM_RESERVE, asked.amount) + hold_posting(asked, BOT_TREASURY, asked.fee)


class Withdrawals:
    """The book of withdrawals. ``terms`` hold one row for each denom that may leave."""

    def __init__(self, journal: Journal, reader: Reader, terms: Sequence[Terms]) -> None:
        self._journal = journal
        self._reader = reader
        self._terms = {each.denom: each for each in terms}

    def terms(self, denom: Denom) -> Terms | None:
        """Return the terms that count now for ``denom``, None when it cannot be withdrawn."""
        terms = self._terms.get(denom)
        return terms and standing_terms(self._reader, terms)

    def settings_terms(self, denom: Denom) -> Terms | None:
        """Return the terms of the settings for ``denom``."""
        return self._terms.get(denom)

    def request_unit(self, key: str, request: Request, beside: Beside | None = None) -> Unit[Withdrawal]:
        """Return the unit that asks for a withdrawal under ``key`` (a button, a message)."""
        terms = self._terms.get(request.denom)
        return Unit(
            lambda view: decide_request(view, key, request, terms),
            key=key,
            digest=digest_of(request._asdict()),
            recall=_recall,
            beside=beside,
        )

    async def request(self, key: str, request: Request, beside: Beside | None = None) -> Withdrawal:
        """Ask for a withdrawal; the refusals are those of `decide_request`."""
        return await self._journal.submit(self.request_unit(key, request, beside))

    async def cancel(self, account: AccountId, withdrawal: int, beside: Beside | None = None) -> Withdrawal:
        """Cancel a withdrawal that is not signed; the refusals are those of `decide_cancel`."""
        unit = Unit(lambda view: decide_cancel(view, account, withdrawal), beside=beside)
        return await self._journal.submit(unit)

    async def resolve_manually(
        self,
        by: Actor,
        withdrawal: int,
        outcome: ManualOutcome,
        evidence: str,
        beside: Beside | None = None,
    ) -> Withdrawal:
        """End a withdrawal by an owner's word; the refusals are those of `decide_manual`."""
        unit = Unit(lambda view: decide_manual(view, by, withdrawal, outcome, evidence), beside=beside)
        return await self._journal.submit(unit, Lane.SYSTEM)

    def queued(self, limit: int = 100) -> list[Withdrawal]:
        """Return what waits to be signed, accounts in turns, without those that are frozen alone."""
        return [withdrawal_of(row) for row in self._reader.select(_SQL["queued"], (limit,))]

    def unpaid(self, limit: int = 100) -> list[Withdrawal]:
        """Return the oldest withdrawals that wait to be signed, or for what the chain says of signed ones."""
        return [withdrawal_of(row) for row in self._reader.select(_SELECT_UNPAID, (limit,))]

    def get(self, withdrawal: int) -> Withdrawal | None:
        """Return a withdrawal as committed, or None."""
        rows = self._reader.select(_SELECT, (withdrawal,))
        return withdrawal_of(rows[0]) if rows else None

    def of_account(self, account: AccountId, limit: int = 20) -> list[Withdrawal]:
        """Return the newest withdrawals of ``account``."""
        return [withdrawal_of(row) for row in self._reader.select(_SELECT_OF_ACCOUNT, (account, limit))]


def _recall(view: View, receipt: Receipt) -> Withdrawal:
    return find(view, receipt.entry_id)
