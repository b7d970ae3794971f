"""/status: how somebody stands here: in jail or free, and what is open. The own one stays between bot and asker."""

from typing import Final

from bot.context import Context
from bot.recipients import answers_someone, read_person, split_words
from bot.registry import Command
from bot.results import Answer, Result
from ledger.accounts import AccountId
from ledger.fines import owed_count
from ledger.jails import facts_of, jail_of, serving_anywhere
from ledger.roles import Role
from ledger.violations import violations_of

NEWEST: Final = 5


async def status(context: Context) -> Result:
    """Tell the own standing, or whether somebody is in jail; admins read the whole record of anybody."""
    words = split_words(context.args, context.entities)
    if not words and not answers_someone(context.reply):
        return _whole(context, context.account, "status.own")
    found, _ = read_person(words, context.reply, context.bank.names, context.now)
    if found.id == context.account:
        return _whole(context, found.id, "status.own")
    if context.role >= Role.ADMIN:
        return _whole(context, found.id, "status.theirs")
    here = None if context.chat.private else jail_of(context.bank.service.reader, context.chat.id, found.id)
    facts = {"who": found.name}
    return Answer("status.jailed", {**facts, **facts_of(here)}) if here else Answer("status.free", facts)


def _whole(context: Context, person: AccountId, say: str) -> Answer:
    reader = context.bank.service.reader
    violations = violations_of(reader, person, NEWEST)
    facts = {
        "who": context.bank.names.shown(person),
        "jails": [facts_of(each) for each in serving_anywhere(reader, person)],
        "fines": owed_count(reader, person),
        "violations": [
            {"kind": each.kind.value, "reason": each.reason, "at": each.at} for each in violations
        ],
    }
    return Answer(say, facts, private=True)


COMMAND = Command(
    "status",
    "how you stand: jail, fines, warnings",
    status,
    "[who]",
    examples=("/status", "/status @name"),
)
