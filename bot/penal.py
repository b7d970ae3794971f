"""What the commands that set penalties share: whom and what a command says, and telling the group."""

from collections.abc import Sequence
from typing import Any, Final

from bot.amounts import ALL, looks_like_amount, take_amount
from bot.context import Context
from bot.html import clean_name
from bot.notices import notice_rows
from bot.prices import take_usd
from bot.recipients import Recipient, Word, read_person, split_words
from bot.registry import Command
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.fines import Price
from ledger.units import Beside, Row, View
from ledger.violations import Case

NO_REASON: Final = "no reason given"
"""What is written where the admin gave none, and none is demanded."""


def whom(context: Context, command: Command) -> tuple[Recipient, list[Word]]:
    """Return whom ``command`` is about, and the words after; raises Refused ``command_incomplete`` and of `read_person`."""
    words = split_words(context.args, context.entities)
    if not words:
        raise Refused("command_incomplete", usage=command.usage, example=command.examples[0])
    return read_person(words, context.reply, context.bank.names, context.now)


def looks_like_price(word: str) -> bool:
    """Tell whether ``word`` was meant as an amount; "all" and its like begin a reason."""
    return word.lower() != ALL and not word.isalpha() and looks_like_amount(word)


async def taken_price(context: Context, words: Sequence[Word]) -> tuple[Price, list[Word]]:
    """Read the amount that ``words`` begin with, in an asset or in dollars; return it and the words after.

    Dollars become an amount now, at the price of now. Raises Refused with the codes of bot.amounts and bot.prices, and
    ``price_no_source``.
    """
    texts = [word.text for word in words]
    dollars = take_usd(texts)
    if dollars is not None:
        cents, rest = dollars
        if context.bank.prices is None:
            raise Refused("price_no_source", symbol=context.bank.assets[0].symbol)
        price = await context.bank.prices.priced(cents)
    else:
        wanted, rest = take_amount(texts, context.bank.assets, all_allowed=False)
        assert wanted.amount is not None, "all was not allowed"
        price = Price(wanted.amount, wanted.asset.denom)
    return price, list(words[len(words) - len(rest) :])


def case_of(context: Context, person: AccountId, reason: str) -> Case:
    """Return the case of ``person`` in the asker's chat; the message that was answered is what it is about."""
    message = context.reply.message if context.reply and not context.reply.opens_topic else None
    return Case(person, context.chat.id, reason, context.actor, message=message, told=told_of(context))


def told_of(context: Context) -> dict[str, Any]:
    """Return what news say of the place where something was ordered."""
    return {} if context.chat.private else {"where": clean_name(context.chat.title, "a group")}


def noticed(context: Context, beside: Beside, who: str) -> Beside:
    """Return ``beside`` with the group's notice, where the answer is seen by the asker alone."""
    if not context.ephemeral:
        return beside

    def both(view: View, outcome: Any) -> Sequence[Row]:
        rows = list(beside(view, outcome))
        if not isinstance(outcome, Refused):
            rows += notice_rows(outcome, who, view.now)
        return rows

    return both
