"""/send, also /tip: a member pays another, instantly and free; by name, by mention, or by answering their message."""

from collections.abc import Awaitable, Sequence
from typing import Any, NamedTuple

from bot.context import Context
from bot.html import clean_name
from bot.recipients import Recipient, find_recipient, read_payment, split_words
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.money import Amount, Denom
from ledger.outbox import READ_IN, news
from ledger.units import Beside, Receipt, Row, View


class Order(NamedTuple):
    """A payment that is understood: nothing about it is left to guess."""

    recipient: AccountId
    name: str
    amount: Amount | None
    """None: all that there is when it is paid."""
    denom: Denom
    note: str


async def send(context: Context) -> Result:
    """Pay, or ask first when the name is doubtful.

    Raises Refused with the codes of bot.amounts and bot.recipients, ``command_incomplete``, ``nothing_to_send``.
    """
    words = split_words(context.args, context.entities)
    if not words:
        raise Refused("command_incomplete", usage=COMMAND.usage, example=COMMAND.examples[0])
    payment = read_payment(words, context.reply, context.bank.assets)
    found = find_recipient(payment.who, context.reply, context.who, context.bank.names, context.now)
    denom = payment.wanted.asset.denom
    order = Order(found.id, found.name, payment.wanted.amount, denom, payment.note)
    if found.doubt:
        return _ask(context, order, found)
    return _pay(context, order, answers=payment.who is None)


async def confirm(context: Context) -> Result:
    """Pay what was asked about."""
    return _pay(context, Order(**context.arguments))


async def drop(_context: Context) -> Result:
    """Leave it."""
    return Answer("send.dropped")


def _ask(context: Context, order: Order, found: Recipient) -> Answer:
    """Return the question, with the amount that is paid on a yes, whatever comes in meanwhile."""
    if order.amount is None:
        balance = context.bank.service.reader.balance(context.account, order.denom)
        if balance <= 0:
            raise Refused("nothing_to_send", denom=order.denom)
        order = order._replace(amount=balance)
    facts = {
        "typed": found.typed,
        "to": order.name,
        "recipient": order.recipient,
        "amount": order.amount,
        "denom": order.denom,
    }
    choices = (Choice("send.confirm", order._asdict()), Choice("send.drop"))
    return Answer(f"send.asks.{found.doubt}", facts, choices=choices)


def _pay(context: Context, order: Order, *, answers: bool = False) -> Effect[Receipt]:
    """Return the transfer. Where the recipient reads the receipt it names them, else they get news of it.

    Whose message it ``answers`` is in the group; somebody who was named may not be, so whoever delivers the news looks.
    """
    told_here = not context.chat.private and not context.ephemeral
    facts = _facts(context, order)
    told_there = {READ_IN: context.chat.id} if told_here else {}

    def perform(beside: Beside) -> Awaitable[Receipt]:
        return context.bank.service.transfer_between_users(
            context.account,
            order.recipient,
            order.amount,
            order.denom,
            key=context.key,
            note=order.note,
            beside=beside
            if told_here and answers
            else _with_news(beside, order.recipient, facts | told_there),
        )

    def answer(receipt: Receipt) -> Answer:
        told = {**facts, "amount": receipt.amount, "receipt": receipt.entry_id}
        if told_here:
            return Answer("send.group", told, toast="send.sent")
        told["left"] = receipt.source_after
        return Answer("send.private", told, private=True, toast="send.sent")

    return Effect(perform, answer)


def _facts(context: Context, order: Order) -> dict[str, Any]:
    """Return what both sides may read of a payment beside its amount: no balance is among it."""
    return {
        "sender": context.who.id,
        "who": clean_name(context.who.name),
        "recipient": order.recipient,
        "to": order.name,
        "denom": order.denom,
        "note": order.note,
    }


def _with_news(beside: Beside, recipient: AccountId, facts: dict[str, Any]) -> Beside:
    """Return ``beside`` with the recipient's news, written only with a payment that was made now."""

    def rows(view: View, outcome: Any) -> Sequence[Row]:
        written = beside(view, outcome)
        if not written or not isinstance(outcome, Receipt) or outcome.replayed:
            return written
        told = {**facts, "amount": outcome.amount, "receipt": outcome.entry_id}
        return [*written, news("transfer.received", recipient, told, view.now)]

    return rows


COMMAND = Command(
    "send",
    "pay somebody, at once and for free",
    send,
    "<amount> <who> [note]",
    aliases=("tip",),
    moves_money=True,
    examples=("/send 5 @name", "/send 0.5 @name for lunch", "/tip 1"),
    actions={"send.confirm": confirm, "send.drop": drop},
)
