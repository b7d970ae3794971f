"""/fines and /payfine: what somebody owes, and paying it. What an admin may look up of others stays between the two."""

from bot.commands.fine import read_number
from bot.context import Context
from bot.recipients import answers_someone, read_person, split_words
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.fines import Fine, facts_of, owed_by
from ledger.roles import Role

BUTTONS = 5
"""Fines that get a button of their own; /payfine takes any."""


async def fines(context: Context) -> Result:
    """List what the asker owes; to admins also what somebody else does. Raises Refused ``role_too_low``."""
    words = split_words(context.args, context.entities)
    if not words and not (answers_someone(context.reply) and context.role >= Role.ADMIN):
        return _listed(context)
    if context.role < Role.ADMIN:
        raise Refused("role_too_low", needed=Role.ADMIN.word)
    found, _ = read_person(words, context.reply, context.bank.names, context.now)
    owed = owed_by(context.bank.service.reader, found.id)
    facts = {"who": found.name, "fines": [facts_of(each) for each in owed]}
    return Answer("fines.theirs", facts, private=True)


async def payfine(context: Context) -> Result:
    """Pay one fine, or all. Raises Refused ``fines_none``, ``fine_number`` and what the books refuse."""
    word = context.args.strip().lower()
    if word == "all":
        return _pay(context, None)
    if word:
        return _pay(context, read_number(word))
    owed = owed_by(context.bank.service.reader, context.account, 2)
    if not owed:
        raise Refused("fines_none")
    return _pay(context, owed[0].id) if len(owed) == 1 else _listed(context)


async def press(context: Context) -> Result:
    """Pay the fine of a button, or all that were owed when it was shown, if no more has come since."""
    wanted = context.arguments.get("fine")
    return _pay(context, None if wanted is None else int(wanted))


def _listed(context: Context) -> Answer:
    owed = owed_by(context.bank.service.reader, AccountId(context.who.id))
    choices = tuple(
        Choice("fine.pay", {"fine": each.id, "amount": each.amount, "denom": each.denom}, row=row)
        for row, each in enumerate(owed[:BUTTONS])
    )
    return Answer("fines.own", {"fines": [facts_of(each) for each in owed]}, choices, private=True)


def _pay(context: Context, fine: int | None) -> Effect[tuple[Fine, ...]]:
    penalties = context.bank.service.penalties
    return Effect(
        lambda beside: penalties.pay_fines(context.key, context.account, fine, beside),
        lambda paid: Answer(
            "fines.paid", {"fines": [facts_of(each) for each in paid]}, private=True, toast="fines.paid"
        ),
    )


FINES = Command(
    "fines",
    "the fines you owe",
    fines,
)
PAYFINE = Command(
    "payfine",
    "pay a fine, or all of them",
    payfine,
    "[id|all]",
    moves_money=True,
    actions={"fine.pay": press},
    examples=("/payfine 12", "/payfine all"),
)
COMMANDS = (FINES, PAYFINE)
