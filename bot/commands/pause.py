"""/pause and /resume: money commands of members rest, and go on (product.md, Commands).

What gives back goes on meanwhile: a member may cancel a withdrawal. So does whatever ends by itself, and every act of admins.
"""

from bot.context import Context
from bot.recipients import read_reason, split_words
from bot.registry import Command
from bot.results import Answer, Effect, Result
from ledger.journal import Lane
from ledger.pauses import pause_unit, resume_unit
from ledger.roles import Role


async def pause(context: Context) -> Result:
    """Let money commands rest; members read the reason."""
    reason = read_reason(split_words(context.args))
    journal = context.bank.service.journal
    return Effect(
        lambda beside: journal.submit(pause_unit(context.actor, reason, beside), Lane.SYSTEM),
        lambda _: Answer("pause.begun", {"reason": reason}),
    )


async def resume(context: Context) -> Result:
    """Let them go on."""
    reason = read_reason(split_words(context.args))
    journal = context.bank.service.journal
    return Effect(
        lambda beside: journal.submit(resume_unit(context.actor, reason, beside), Lane.SYSTEM),
        lambda _: Answer("pause.ended"),
    )


COMMANDS = (
    Command(
        "pause",
        "stop the money commands of members; they read the reason",
        pause,
        "<reason>",
        role=Role.ADMIN,
        examples=("/pause we look at something",),
    ),
    Command(
        "resume",
        "let money commands go on",
        resume,
        "<reason>",
        role=Role.ADMIN,
        asks_when_old=True,
        examples=("/resume all is well",),
    ),
)
