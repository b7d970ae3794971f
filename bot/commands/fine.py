"""/fine and /forgive: an admin says what somebody owes, and may take it back before it is paid."""

from typing import Final

from bot.context import Context
from bot.penal import case_of, noticed, taken_price, told_of, whom
from bot.recipients import read_reason, split_words
from bot.registry import Command
from bot.results import Answer, Effect, Result
from ledger.errors import Refused
from ledger.fines import facts_of
from ledger.roles import Role

LONGEST_NUMBER: Final = 12


async def fine(context: Context) -> Result:
    """Fine somebody. Raises Refused with the codes of `bot.penal`."""
    found, words = whom(context, FINE)
    price, words = await taken_price(context, words)
    case = case_of(context, found.id, read_reason(words))
    bank = context.bank
    return Effect(
        lambda beside: bank.service.penalties.fine(
            case, price, bank.owners, noticed(context, beside, found.name)
        ),
        lambda fined: Answer("fine.noticed", {**facts_of(fined), "who": found.name}),
    )


async def forgive(context: Context) -> Result:
    """Take a fine back. Raises Refused ``command_incomplete``, ``fine_unknown`` and what the books refuse."""
    words = split_words(context.args, context.entities)
    if not words:
        raise Refused("command_incomplete", usage=FORGIVE.usage, example=FORGIVE.examples[0])
    number = read_number(words[0].text)
    reason = read_reason(words[1:])
    penalties = context.bank.service.penalties
    return Effect(
        lambda beside: penalties.forgive(context.actor, number, reason, told_of(context), beside),
        lambda forgiven: Answer(
            "fine.taken_back",
            {**facts_of(forgiven), "who": context.bank.names.shown(forgiven.person)},
        ),
    )


def read_number(word: str) -> int:
    """Return the number of a fine. Raises Refused ``fine_number``."""
    if not (word.isascii() and word.isdecimal() and len(word) <= LONGEST_NUMBER):
        raise Refused("fine_number", typed=word[:32])
    return int(word)


FINE = Command(
    "fine",
    "say what somebody owes for what they did",
    fine,
    "<who> <amount> <reason>",
    role=Role.ADMIN,
    in_private=False,
    moves_money=True,
    examples=("/fine @name 5 advertising", "/fine 5 advertising"),
)
FORGIVE = Command(
    "forgive",
    "take a fine back that is not paid",
    forgive,
    "<fine> <reason>",
    role=Role.ADMIN,
    asks_when_old=True,
    examples=("/forgive 12 a mistake",),
)
COMMANDS = (FINE, FORGIVE)
