"""/role: who has which rank, and, for owners, another rank for somebody. It never touches a balance."""

from typing import Final

from bot.context import Context
from bot.recipients import answers_someone, read_reason, read_target, split_words
from bot.registry import Command
from bot.results import Answer, Effect, Result
from ledger.errors import Refused
from ledger.roles import Role

APPOINTABLE: Final = {role.word: role for role in (Role.MEMBER, Role.ELEVATED, Role.ADMIN)}
"""Owners are named in the settings alone."""


async def role(context: Context) -> Result:
    """List who has a rank, or appoint. Raises Refused with the codes of `read_target`, and ``role_unknown``."""
    words = split_words(context.args, context.entities)
    if not words and not answers_someone(context.reply):
        return _listed(context)
    found, rest = read_target(words, context.reply, context.bank.names, context.now)
    if not rest:
        raise Refused("command_incomplete", usage=COMMAND.usage, example=COMMAND.examples[1])
    wanted = rest[0].text.lower()
    if wanted == Role.OWNER.word or found.id in context.bank.owners:
        raise Refused("role_by_settings")
    if wanted not in APPOINTABLE:
        raise Refused("role_unknown", typed=wanted[:32], listed=", ".join(APPOINTABLE))
    reason = read_reason(rest[1:])
    users = context.bank.service.users
    facts = {"recipient": found.id, "to": found.name, "role": wanted}
    return Effect(
        lambda beside: users.appoint(context.actor, found.id, APPOINTABLE[wanted], reason, beside),
        lambda made: Answer("role.appointed", {**facts, "before": made.before.word}),
        needs=Role.OWNER,
    )


def _listed(context: Context) -> Answer:
    names = context.bank.names
    ranks = [(account, Role.OWNER) for account in sorted(context.bank.owners)]
    ranks += [each for each in context.bank.service.users.appointed() if each[0] not in context.bank.owners]
    # A role of owner that stands in a row is an admin's: owners are named in the settings alone.
    people = [
        {
            "who": names.shown(account),
            "account": account,
            "role": rank.word if account in context.bank.owners else min(rank, Role.ADMIN).word,
        }
        for account, rank in ranks
    ]
    return Answer("role.listed", {"people": people}, private=True)


COMMAND = Command(
    "role",
    "who may do what; owners appoint",
    role,
    "[who] [admin|elevated|member] [reason]",
    role=Role.ADMIN,
    asks_when_old=True,
    examples=("/role", "/role @name admin keeps order at night"),
)
