"""/approvals: withdrawals above the threshold wait until a second admin says yes or no (product.md, Withdraw).

The question goes to the operators' chat in the unit of the withdrawal itself, with buttons that anybody there can
press and only an admin's press counts: the role is looked up at the press and again when the verdict commits.
"""

from collections.abc import Awaitable, Sequence
from typing import Any, Final

from bot import buttons
from bot.context import Context
from bot.registry import Command
from bot.replies import shown_choices
from bot.results import Answer, Choice, Effect, Result
from ledger.approvals import Verdict
from ledger.outbox import OPERATORS, news
from ledger.ports import Millis
from ledger.roles import Role
from ledger.units import Beside, Row, View
from ledger.withdrawals import Withdrawal, WithdrawalState, facts_of

CANCEL_SECONDS: Final = 365 * 24 * 3600
"""Nothing else calls a withdrawal back while it waits for people; whether it still can be the books decide."""
DECIDE_SECONDS: Final = 30 * 24 * 3600
LISTED: Final = 20


async def approvals(context: Context) -> Result:
    """List what waits, oldest first, with buttons for the oldest."""
    waiting = context.bank.service.approvals.waiting(LISTED)
    facts = [{**facts_of(each), "who": context.bank.names.shown(each.account)} for each in waiting]
    choices = tuple(choice for each in waiting[:1] for choice in _choices(each.id))
    return Answer("approvals.listed", {"waiting": facts}, choices=choices, private=True)


async def approve(context: Context) -> Result:
    """Let a withdrawal leave."""
    return _verdict(context, Verdict.APPROVED)


async def reject(context: Context) -> Result:
    """Give a withdrawal back."""
    return _verdict(context, Verdict.REJECTED)


def asking(beside: Beside, who: str) -> Beside:
    """Return ``beside`` with the rows that ask the operators, when the withdrawal of ``who`` waits for them."""

    def both(view: View, outcome: Any) -> Sequence[Row]:
        rows = list(beside(view, outcome))
        if isinstance(outcome, Withdrawal) and outcome.state is WithdrawalState.AWAITING_APPROVAL:
            rows += _question(view, outcome, who)
        return rows

    return both


def cancel_choices(withdrawal: int) -> tuple[Choice, ...]:
    """Return the button that calls a withdrawal back until it is signed."""
    return (Choice("withdraw.cancel", {"withdrawal": withdrawal}, seconds=CANCEL_SECONDS),)


def _question(view: View, asked: Withdrawal, who: str) -> list[Row]:
    """Return the buttons and the news for the operators; nothing for a replay of what was asked before."""
    # With its time: books that were restored may give the number to another withdrawal, and old requests still stand.
    question = f"approval:{asked.id}:{asked.requested_at}"
    if view.select(buttons.FIND, (buttons.token(question, 0),)):
        return []
    choices = _choices(asked.id)
    facts = {**facts_of(asked), "who": who, "choices": shown_choices(choices, question)}
    rows = buttons.open_rows(choices, OPERATORS, question, view.now)
    return [*rows, news("withdrawal.awaiting_approval", OPERATORS, facts, view.now)]


def _choices(withdrawal: int) -> tuple[Choice, ...]:
    arguments = {"withdrawal": withdrawal}
    return (
        Choice("approvals.approve", arguments, seconds=DECIDE_SECONDS, anyone=True),
        Choice("approvals.reject", arguments, seconds=DECIDE_SECONDS, anyone=True),
    )


def _verdict(context: Context, verdict: Verdict) -> Result:
    withdrawal = int(context.arguments["withdrawal"])
    question = f"cancel:{withdrawal}:{context.now}"
    told = {"choices": shown_choices(cancel_choices(withdrawal), question)}

    def perform(beside: Beside) -> Awaitable[Withdrawal]:
        def both(view: View, outcome: Any) -> Sequence[Row]:
            return [*beside(view, outcome), *_cancel_rows(outcome, question, view.now)]

        return context.bank.service.approvals.decide(context.actor, withdrawal, verdict, both, told)

    return Effect(perform, lambda decided: _decided(context, verdict, decided))


def _cancel_rows(outcome: Any, question: str, at: Millis) -> list[Row]:
    """Return the asker's button under the news of the approval."""
    if not isinstance(outcome, Withdrawal) or outcome.state is not WithdrawalState.QUEUED:
        return []
    return buttons.open_rows(cancel_choices(outcome.id), outcome.account, question, at)


def _decided(context: Context, verdict: Verdict, decided: Withdrawal) -> Answer:
    names = context.bank.names
    facts = {**facts_of(decided), "who": names.shown(decided.account), "by": names.shown(context.account)}
    say = "approvals.approved" if verdict is Verdict.APPROVED else "approvals.rejected"
    return Answer(say, facts, toast=say)


COMMAND = Command(
    "approvals",
    "withdrawals that wait for a second admin",
    approvals,
    role=Role.ADMIN,
    actions={"approvals.approve": approve, "approvals.reject": reject},
)
