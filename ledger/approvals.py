"""A second admin's word on a withdrawal above the threshold (product.md, Withdraw; chain.md, Withdrawals).

Whoever asked never approves, whatever their role. The table `approvals` says who, as what, when; the database itself lets
nothing out of ``awaiting_approval`` without it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from ledger.adminaudit import Order, logged
from ledger.drafts import Draft
from ledger.errors import Refused
from ledger.freezes import FreezeReason, is_replaying
from ledger.journal import Journal, Lane
from ledger.queries import queries
from ledger.reader import Reader
from ledger.roles import Actor, Role, require_role
from ledger.units import Beside, Decision, Row, Unit, View
from ledger.withdrawals import (
    Withdrawal,
    WithdrawalState,
    end,
    find,
    hold_posting,
    tell,
    withdrawal_of,
)

_SQL: Final = queries("approvals")
_WAITING: Final = _SQL["waiting"]
_WAITING_COUNT: Final = _SQL["waiting_count"]
_ASKER: Final = _SQL["asker"]
_INSERT: Final = _SQL["insert"]
_QUEUE: Final = _SQL["queue"]


class Verdict(StrEnum):
    """What a second admin says of a withdrawal."""

    APPROVED = "approved"
    REJECTED = "rejected"


def decide_approval(
    view: View, by: Actor, withdrawal: int, verdict: Verdict, told: Mapping[str, Any]
) -> Decision[Withdrawal]:
    """Queue the withdrawal, or give everything back. ``told`` are facts for the news to whoever asked.

    Raises Refused: ``unknown_withdrawal``, ``role_too_low`` (the role is looked up now), ``approval_own``,
    ``approval_settled``, ``withdrawals_frozen`` for a rejection while restored books are replayed.
    """
    asked = find(view, withdrawal)
    role = require_role(view, by, Role.ADMIN)
    if by.account in (asked.account, *(row["actor"] for row in view.select(_ASKER, (withdrawal,)))):
        raise Refused("approval_own", withdrawal=withdrawal)
    if asked.state is not WithdrawalState.AWAITING_APPROVAL:
        raise Refused("approval_settled", withdrawal=withdrawal, state=asked.state.value)
    draft = Draft(view)
    facts = {"withdrawal": withdrawal, "verdict": verdict.value, "actor": by.account, "role": role.word}
    draft.write(Row(_INSERT, {**facts, "at": view.now}, changes=1))
    moved = {"amount": asked.amount, "denom": asked.denom}
    order = Order(
        f"withdrawal.{verdict.value}", f"asked about withdrawal {asked.id}", asked.account, after=moved
    )
    draft.write(logged(by, role, order, view.now))
    outcome = _approve(draft, asked, told) if verdict is Verdict.APPROVED else _reject(draft, asked, by)
    return Decision(outcome, tuple(draft.entries), tuple(draft.rows))


def _approve(draft: Draft, asked: Withdrawal, told: Mapping[str, Any]) -> Withdrawal:
    draft.write(Row(_QUEUE, (draft.view.now, asked.id), changes=1))
    tell(draft, "withdrawal.approved", asked, **told)
    return asked._replace(state=WithdrawalState.QUEUED)


def _reject(draft: Draft, asked: Withdrawal, by: Actor) -> Withdrawal:
    if is_replaying(draft.view):
        raise Refused("withdrawals_frozen", reason=FreezeReason.RESTORED.value)
    postings = hold_posting(asked, asked.account, asked.held)
    end(
        draft, asked, WithdrawalState.CANCELLED, postings, actor=by.account, note="rejected by a second admin"
    )
    tell(draft, "withdrawal.rejected", asked, returned=asked.held)
    return asked._replace(state=WithdrawalState.CANCELLED)


class Approvals:
    """The book of second opinions."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    async def decide(
        self,
        by: Actor,
        withdrawal: int,
        verdict: Verdict,
        beside: Beside | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> Withdrawal:
        """Give a verdict; raises what `decide_approval` raises. The first one stands."""
        unit = Unit(lambda view: decide_approval(view, by, withdrawal, verdict, told or {}), beside=beside)
        return await self._journal.submit(unit, Lane.SYSTEM)

    def waiting(self, limit: int = 20) -> list[Withdrawal]:
        """Return the oldest withdrawals that wait for a second admin."""
        return [withdrawal_of(row) for row in self._reader.select(_WAITING, (limit,))]

    def waiting_count(self) -> int:
        """Return how many withdrawals wait for a second admin."""
        count: int = self._reader.select(_WAITING_COUNT)[0]["waiting"]
        return count
