"""What ``/shared`` moves: a member puts coins in, and who may spend pays somebody, also themselves."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bot.amounts import take_amount
from bot.context import Context
from bot.html import clean_name
from bot.recipients import Recipient, Word, find_person, read_payment
from bot.results import Answer, Choice, Effect, Result
from bot.sharing import memo_of
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.money import Amount, Denom
from ledger.shared import Share, SharedAccount, facts_of, require_share
from ledger.sharedmoney import Fill, Spend
from ledger.units import Receipt

OFFERED: Final = (1, 5, 10)
"""Whole coins of the main asset that buttons put in."""
BUTTON_SECONDS: Final = 24 * 3600


class Payment(NamedTuple):
    """A payment out of a shared account, as its question keeps it."""

    account: AccountId
    recipient: AccountId
    to: str
    amount: Amount | None
    """None: all that is in it when it is paid."""
    denom: Denom
    note: str


def deposit(context: Context, share: Share, words: Sequence[Word]) -> Result:
    """Put coins in: ``<amount>``; ask how many when none is typed.

    Raises Refused: codes of bot.amounts, ``shared_words_left``.
    """
    if not words:
        return _asks(context, share)
    wanted, rest = take_amount([word.text for word in words], context.bank.assets)
    refuse_rest(rest)
    return _fill(context, share.account, wanted.amount, wanted.asset.denom)


async def ask_to_fill(context: Context) -> Result:
    """Ask how much of the own balance goes in."""
    return _asks(context, _pressed(context))


async def fill(context: Context) -> Result:
    """Put in what the button says."""
    pressed = context.arguments
    account = _pressed(context).account
    return _fill(context, account, Amount(pressed["amount"]), Denom(pressed["denom"]))


def send(context: Context, share: Share, words: Sequence[Word]) -> Result:
    """Pay somebody: ``<amount> <who> [note]``, or ask first when the name is doubtful.

    Raises Refused with the codes of bot.amounts and bot.recipients, ``shared_send_incomplete``.
    """
    if not words:
        raise Refused("shared_send_incomplete", number=share.account.number)
    payment = read_payment(words, context.reply, context.bank.assets)
    found = find_person(payment.who, context.reply, context.bank.names, context.now)
    wanted = payment.wanted
    order = Payment(share.account.id, found.id, found.name, wanted.amount, wanted.asset.denom, payment.note)
    return _doubted(context, order, found) if found.doubt else _pay(context, share.account, order)


def withdraw(_context: Context, share: Share, _words: Sequence[Word]) -> Result:
    """Say how coins get out to the chain: by way of a member's own balance, whose limits and address count.

    Raises Refused ``shared_withdraw``, always.
    """
    raise Refused("shared_withdraw", number=share.account.number)


async def confirm(context: Context) -> Result:
    """Pay what was asked about."""
    return _pay(context, _pressed(context).account, Payment(**context.arguments))


def refuse_rest(words: Sequence[Word | str]) -> None:
    """Refuse words where none may follow. Raises Refused ``shared_words_left``."""
    if words:
        first = words[0]
        raise Refused("shared_words_left", typed=clean_name(first if isinstance(first, str) else first.text))


def _pressed(context: Context) -> Share:
    return require_share(
        context.bank.service.reader, AccountId(context.arguments["account"]), context.account
    )


def _asks(context: Context, share: Share) -> Answer:
    asset = context.bank.assets[0]
    arguments = {"account": share.account.id, "denom": asset.denom}
    choices = [
        Choice("shared.filling", {**arguments, "amount": coins * 10**asset.decimals}) for coins in OFFERED
    ]
    choices.append(Choice("shared.show", {**arguments, "name": share.account.name}, row=1))
    facts = {
        **facts_of(share.account),
        "address": context.bank.wallet.address,
        "memo": memo_of(share.account.id),
    }
    return Answer("shared.fill.asks", facts, choices=tuple(choices), private=True)


def _fill(context: Context, account: SharedAccount, amount: Amount | None, denom: Denom) -> Effect[Receipt]:
    asked = Fill(account.id, context.account, amount, denom)
    facts = {**facts_of(account), "denom": denom}
    return Effect(
        lambda beside: context.bank.service.shared.fill(context.key, asked, beside),
        lambda receipt: Answer(
            "shared.filled",
            {
                **facts,
                "amount": receipt.amount,
                "receipt": receipt.entry_id,
                "left": receipt.source_after,
                "after": receipt.destination_after,
            },
            private=True,
            toast="shared.filled",
        ),
    )


def _doubted(context: Context, order: Payment, found: Recipient) -> Answer:
    """Return the question, with the amount that is paid on a yes, whatever comes in meanwhile."""
    if order.amount is None:
        balance = context.bank.service.reader.balance(order.account, order.denom)
        if balance <= 0:
            raise Refused("shared_nothing", denom=order.denom)
        order = order._replace(amount=balance)
    facts: dict[str, Any] = {**order._asdict(), "typed": found.typed}
    choices = (Choice("shared.pay", order._asdict()), Choice("shared.drop"))
    return Answer(f"send.asks.{found.doubt}", facts, choices=choices, private=True)


def _pay(context: Context, account: SharedAccount, order: Payment) -> Effect[Receipt]:
    spend = Spend(account.id, context.account, order.recipient, order.amount, order.denom, order.note)
    told = {
        "sender": context.who.id,
        "who": clean_name(context.who.name),
        "recipient": order.recipient,
        "to": order.to,
    }
    facts = {
        **told,
        **facts_of(account),
        "denom": order.denom,
        "note": order.note,
    }
    return Effect(
        lambda beside: context.bank.service.shared.spend(context.key, spend, beside, told),
        lambda receipt: Answer(
            "shared.sent",
            {
                **facts,
                "amount": receipt.amount,
                "receipt": receipt.entry_id,
                "left": receipt.source_after,
            },
            private=True,
            toast="send.sent",
        ),
    )
