"""/assign: an admin says whose an unclaimed deposit is, whole or in parts, and why.

What leaves nothing to guess is done at once. A doubtful name, a typed id and a part are asked about first: the question
shows who gets how much, and its button gives exactly that.
"""

from collections.abc import Awaitable, Sequence
from typing import Any, Final, NamedTuple

from bot.amounts import looks_like_amount, take_amount
from bot.context import Context
from bot.deposits import one_deposit
from bot.html import clean_line, clean_name
from bot.names import NameBook
from bot.recipients import Recipient, Word, answers_someone, find_person, split_words
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from ledger.accounts import AccountId
from ledger.adminaudit import checked_reason
from ledger.errors import Refused
from ledger.money import Amount, Asset
from ledger.roles import Role
from ledger.unclaimed import Assigned, Assignment, Unclaimed, part_of, require_recipient
from ledger.units import Beside

BY_ID: Final = "id"
IN_PART: Final = "part"
_LONGEST_ID: Final = 16


class Typed(NamedTuple):
    """An /assign that is understood; ``doubt`` says why to ask first, empty: there is nothing to ask."""

    row: Unclaimed
    who: Recipient
    amount: Amount | None
    reason: str
    doubt: str


async def assign(context: Context) -> Result:
    """Assign, or ask first.

    Raises Refused ``command_incomplete``, the codes of `bot.deposits.one_deposit`, `bot.recipients.find_person`,
    `bot.amounts.take_amount` and `ledger.unclaimed.decide_assignment`, and ``assignment_other_asset``.
    """
    typed = _read(context)
    reader = context.bank.service.reader
    amount = part_of(typed.row, typed.amount)
    require_recipient(reader, context.actor, context.role, typed.who.id)
    order = Assignment(
        typed.row.id, typed.who.id, typed.amount, checked_reason(typed.reason), _place(context)
    )
    if typed.doubt:
        return _ask(typed, order._replace(amount=amount))
    return _assign(context, order)


async def confirm(context: Context) -> Result:
    """Assign what was asked about."""
    return _assign(context, Assignment(**context.arguments))


async def drop(_context: Context) -> Result:
    """Leave it."""
    return Answer("assign.dropped", private=True)


def _read(context: Context) -> Typed:
    words = split_words(context.args, context.entities)
    if not words:
        raise _incomplete()
    row = one_deposit(words[0].text, context.bank.service.unclaimed)
    who, doubt, rest = _who(context, words[1:])
    amount = None
    if rest and looks_like_amount(rest[0].text):
        texts = [word.text for word in rest]
        wanted, left = take_amount(texts, _of_row(context.bank.assets, row))
        if wanted.asset.denom != row.denom:
            raise Refused("assignment_other_asset", deposit=row.id, symbol=wanted.asset.symbol)
        amount, doubt = wanted.amount, doubt or IN_PART
        rest = rest[len(texts) - len(left) :]
    return Typed(row, who, amount, clean_line(" ".join(word.text for word in rest)), doubt)


def _who(context: Context, words: Sequence[Word]) -> tuple[Recipient, str, Sequence[Word]]:
    """Return who gets it, why to ask, and the words behind: a name, the answered person, or an id."""
    names = context.bank.names
    if words and words[0].names_someone:
        found = find_person(words[0], context.reply, names, context.now)
        return found, found.doubt or "", words[1:]
    if answers_someone(context.reply):
        return find_person(None, context.reply, names, context.now), "", words
    if words and _is_id(words[0].text):
        return _by_id(words[0].text, names), BY_ID, words[1:]
    if words:
        raise Refused("recipient_without_at", typed=clean_name(words[0].text))
    raise _incomplete()


def _is_id(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _LONGEST_ID and not word.startswith("0")


def _by_id(word: str, names: NameBook) -> Recipient:
    account = AccountId(int(word))
    return Recipient(account, names.shown(account), typed=word)


def _of_row(assets: Sequence[Asset], row: Unclaimed) -> list[Asset]:
    """Return ``assets`` with the row's own first: it is meant when no symbol is typed."""
    return sorted(assets, key=lambda asset: asset.denom != row.denom)


def _place(context: Context) -> int | None:
    return None if context.chat.private else context.chat.id


def _ask(typed: Typed, order: Assignment) -> Answer:
    facts = {
        **order._asdict(),
        "to": typed.who.name,
        "typed": typed.who.typed,
        "doubt": typed.doubt,
        "denom": typed.row.denom,
        "remaining": typed.row.remaining - (order.amount or 0),
    }
    choices = (Choice("assign.confirm", order._asdict()), Choice("assign.drop"))
    return Answer("assign.asks", facts, choices=choices, private=True)


def _assign(context: Context, order: Assignment) -> Effect[Assigned]:
    names = context.bank.names
    told = {"who": names.shown(order.account), "by": names.shown(context.account)}

    def perform(beside: Beside) -> Awaitable[Assigned]:
        book = context.bank.service.unclaimed
        return book.assign(context.key, context.actor, order, beside, told)

    def answer(assigned: Assigned) -> Answer:
        facts: dict[str, Any] = {**assigned._asdict(), **told}
        return Answer("assign.done", facts, private=True, toast="assign.done")

    return Effect(perform, answer)


def _incomplete() -> Refused:
    return Refused("command_incomplete", usage=COMMAND.usage, example=COMMAND.examples[0])


COMMAND = Command(
    "assign",
    "say whose an unclaimed deposit is",
    assign,
    "<deposit> <who> [amount] <reason>",
    role=Role.ADMIN,
    moves_money=True,
    examples=(
        "/assign 123 @name forgot the memo, showed me the transfer",
        "/assign 123 @name 5 sent for two",
    ),
    actions={"assign.confirm": confirm, "assign.drop": drop},
)
