"""/warn: a word of an admin that stays on record; nothing else follows of it."""

from bot.context import Context
from bot.penal import case_of, noticed, whom
from bot.recipients import read_reason
from bot.registry import Command
from bot.results import Answer, Effect, Result
from ledger.roles import Role


async def warn(context: Context) -> Result:
    """Warn somebody. Raises Refused with the codes of `bot.penal`."""
    found, words = whom(context, COMMAND)
    case = case_of(context, found.id, read_reason(words))
    bank = context.bank
    return Effect(
        lambda beside: bank.service.penalties.warn(case, bank.owners, noticed(context, beside, found.name)),
        lambda warned: Answer(
            "warning.noticed", {"person": found.id, "who": found.name, "reason": warned.reason}
        ),
    )


COMMAND = Command(
    "warn",
    "warn somebody, on record",
    warn,
    "<who> <reason>",
    role=Role.ADMIN,
    in_private=False,
    examples=("/warn @name off topic again", "/warn off topic again"),
)
