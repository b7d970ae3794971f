"""/paybail and /bail: bail is paid, by whoever is in jail or by a friend, and in the same act they are free."""

from collections.abc import Awaitable, Sequence

from bot.context import Context
from bot.html import clean_name
from bot.notices import PAY_BAIL
from bot.penal import told_of, whom
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result, toasted
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.jails import Jail, facts_of, find_jail, jail_of, serving_anywhere
from ledger.units import Beside


async def paybail(context: Context) -> Result:
    """Pay the own bail. Raises Refused ``jail_none_own``."""
    found = _serving(context, context.account)
    if not found:
        raise Refused("jail_none_own")
    return _pay_or_ask(context, found)


async def bail(context: Context) -> Result:
    """Pay a friend's bail. Raises Refused with the codes of `bot.penal` and ``jail_none``."""
    friend, _ = whom(context, BAIL)
    found = _serving(context, friend.id)
    if not found:
        raise Refused("jail_none")
    return _pay_or_ask(context, found)


async def press(context: Context) -> Result:
    """Pay the bail that a button names.

    The button of a notice is everybody's, and works below the notice alone. Raises Refused ``button_unknown`` elsewhere.
    It can be pressed again: whoever paid is told so, and the group not once more.
    """
    number = int(context.arguments["jail"])
    if context.arguments.get("notice"):
        found = find_jail(context.bank.service.reader, number)
        if found is None or found.chat != context.chat.id:
            raise Refused("button_unknown")
        if found.state == "bailed" and found.ended_by == context.account:
            return toasted("bail.paid", facts_of(found))
    return _pay(context, number)


def _serving(context: Context, person: AccountId) -> list[Jail]:
    """Return the jails that are meant: in a group the one there, in private all."""
    reader = context.bank.service.reader
    if context.chat.private:
        return serving_anywhere(reader, person)
    here = jail_of(reader, context.chat.id, person)
    return [here] if here else []


def _pay_or_ask(context: Context, found: Sequence[Jail]) -> Result:
    if len(found) == 1:
        return _pay(context, found[0].id)
    choices = tuple(
        Choice(PAY_BAIL, {"jail": each.id, "bail": each.bail, "denom": each.denom}, row=row)
        for row, each in enumerate(found[:10])
    )
    who = context.bank.names.shown(found[0].person)
    return Answer("bail.which", {"who": who, "jails": [facts_of(each) for each in found[:10]]}, choices)


def _pay(context: Context, number: int) -> Effect[Jail]:
    """Return the payment; the group thanks whoever paid, and nobody reads what they have left."""
    by = clean_name(context.who.name, f"member {context.who.id}")
    told = {**told_of(context), "by": by}

    def perform(beside: Beside) -> Awaitable[Jail]:
        penalties = context.bank.service.penalties
        return penalties.pay_bail(context.key, context.account, number, told, beside)

    def answer(freed: Jail) -> Answer:
        own = freed.person == context.account
        facts = {**facts_of(freed), "by": by, "who": context.bank.names.shown(freed.person)}
        replace = not context.arguments.get("notice")
        return Answer("bail.paid_own" if own else "bail.paid", facts, replace=replace, toast="bail.paid")

    return Effect(perform, answer)


PAYBAIL = Command(
    "paybail",
    "pay your bail and be free at once",
    paybail,
    moves_money=True,
    actions={PAY_BAIL: press},
)
BAIL = Command(
    "bail",
    "pay a friend's bail",
    bail,
    "<who>",
    moves_money=True,
    examples=("/bail @name",),
)
COMMANDS = (PAYBAIL, BAIL)
