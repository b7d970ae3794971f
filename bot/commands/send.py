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
from ledger.outbox import news
from ledger.units import Beside, Receipt, Row, View


class Order(NamedTuple):
    """A payment that is understood: nothing about it is left to guess."""

    recipient: AccountId
    name: str
    amount: Amount
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
    amount = payment.wanted.amount
    if amount is None:
        amount = context.bank.service.reader.balance(context.account, denom)
    if amount <= 0:
        raise Refused("nothing_to_send", symbol=payment.wanted.asset.symbol)
    order = Order(found.id, found.name, amount, denom, payment.note)
    return _ask(order, found) if found.doubt else _pay(context, order)


async def confirm(context: Context) -> Result:
    """Pay what was asked about."""
    return _pay(context, Order(**context.arguments))


async def drop(_context: Context) -> Result:
    """Leave it."""
    return Answer("send.dropped")


def _ask(order: Order, found: Recipient) -> Answer:
    facts = {
        "typed": found.typed,
        "to": order.name,
        "recipient": order.recipient,
        "amount": order.amount,
        "denom": order.denom,
    }
    choices = (Choice("send.confirm", order._asdict()), Choice("send.drop"))
    return Answer(f"send.asks.{found.doubt}", facts, choices=choices)


def _pay(context: Context, order: Order) -> Effect[Receipt]:
    """Return the transfer. Where the recipient reads the receipt it names them, else they get news of it."""
    told_here = not context.chat.private and not context.ephemeral
    facts = _facts(context, order)

    def perform(beside: Beside) -> Awaitable[Receipt]:
        return context.bank.service.transfer_between_users(
            context.account,
            order.recipient,
            order.amount,
            order.denom,
            key=context.key,
            note=order.note,
            beside=beside if told_here else _with_news(beside, order.recipient, facts),
        )

    def answer(receipt: Receipt) -> Answer:
        if told_here:
            return Answer("send.group", {**facts, "receipt": receipt.entry_id}, toast="send.sent")
        more = {"receipt": receipt.entry_id, "left": receipt.source_after}
        return Answer("send.private", {**facts, **more}, private=True, toast="send.sent")

    return Effect(perform, answer)


def _facts(context: Context, order: Order) -> dict[str, Any]:
    """Return what both sides may read of a payment: no balance is among it."""
    return {
        "sender": context.who.id,
        "who": clean_name(context.who.name),
        "recipient": order.recipient,
        "to": order.name,
        "amount": order.amount,
        "denom": order.denom,
        "note": order.note,
    }


def _with_news(beside: Beside, recipient: AccountId, facts: dict[str, Any]) -> Beside:
    """Return ``beside`` with the recipient's news, written only with a payment that was made now."""

    def rows(view: View, outcome: Any) -> Sequence[Row]:
        written = beside(view, outcome)
        if not written or not isinstance(outcome, Receipt) or outcome.replayed:
            return written
        told = {**facts, "receipt": outcome.entry_id}
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
