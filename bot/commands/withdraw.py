"""/withdraw: coins leave for an address on the chain, after the member saw what it costs and said yes.

What is checked here is checked for the sentence's sake; the books decide again when it is confirmed (ledger.md).
"""

import re
from collections.abc import Awaitable
from typing import Final, NamedTuple

from bot.amounts import Wanted, take_amount
from bot.commands import approvals
from bot.context import Context
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from chain.address import checked_memo, decode, destination
from ledger.errors import Refused
from ledger.limits import Wish, needs_approval, require_within
from ledger.money import Amount
from ledger.terms import Terms
from ledger.units import Beside
from ledger.withdrawals import MAX_MEMO_BYTES, Request, Withdrawal, WithdrawalState, facts_of

EXAMPLE_AMOUNT: Final = "5"


class Typed(NamedTuple):
    """The words of a /withdraw."""

    wanted: Wanted
    address: str
    memo: str


async def withdraw(context: Context) -> Result:
    """Ask whether the withdrawal is meant. Raises Refused for what could not be paid anyway."""
    typed = _read(context)
    bank = context.bank
    own = decode(bank.wallet.address, bank.wallet.prefix)
    address = destination(typed.address, bank.wallet.prefix, own, bank.wallet.modules).text
    memo = checked_memo(typed.memo, MAX_MEMO_BYTES)
    denom = typed.wanted.asset.denom
    terms = bank.service.withdrawals.terms(denom)
    if terms is None:
        raise Refused("unlisted_denom", denom=denom)
    balance = bank.service.reader.balance(context.account, denom)
    amount = _affordable(typed.wanted, terms, balance)
    require_within(bank.service.reader, context.now, Wish(context.account, denom, amount), terms.limits)
    asked = Request(context.account, denom, amount, terms.fee, address, memo)
    facts = {**_arguments(asked), "total": amount + terms.fee, "left": balance - amount - terms.fee}
    if needs_approval(amount, terms.limits):
        facts["threshold"] = terms.limits.approval_above or 0
    choices = (Choice("withdraw.confirm", _arguments(asked)), Choice("withdraw.drop"))
    return Answer("withdraw.asks", facts, choices=choices, private=True)


async def confirm(context: Context) -> Result:
    """Hold the money and queue the withdrawal that was shown, at the fee that was shown.

    Above the threshold the operators' chat is asked in the same unit.
    """
    shown = context.arguments
    request = Request(
        context.account,
        shown["denom"],
        Amount(shown["amount"]),
        Amount(shown["fee"]),
        shown["address"],
        shown["memo"],
    )
    books = context.bank.service.withdrawals
    who = context.bank.names.shown(context.account)

    def perform(beside: Beside) -> Awaitable[Withdrawal]:
        return books.request(context.key, request, approvals.asking(beside, who))

    return Effect(perform, _queued)


async def drop(_context: Context) -> Result:
    """Leave it."""
    return Answer("withdraw.dropped", private=True)


async def cancel(context: Context) -> Result:
    """Give back a withdrawal that is not signed yet."""
    withdrawal = int(context.arguments["withdrawal"])
    books = context.bank.service.withdrawals
    return Effect(
        lambda beside: books.cancel(context.account, withdrawal, beside),
        lambda cancelled: Answer(
            "withdrawal.cancelled",
            {**facts_of(cancelled), "returned": cancelled.held},
            private=True,
            toast="withdraw.cancelled",
        ),
    )


def _queued(queued: Withdrawal) -> Answer:
    waits = queued.state is WithdrawalState.AWAITING_APPROVAL
    return Answer(
        "withdraw.waits" if waits else "withdrawal.requested",
        {**facts_of(queued), "total": queued.held},
        choices=approvals.cancel_choices(queued.id),
        private=True,
        track=f"withdrawal:{queued.id}",
        toast="withdraw.waits" if waits else "withdraw.queued",
    )


def _read(context: Context) -> Typed:
    """Read ``<amount> <address> [memo]``; the memo is kept as it was typed, blanks between its words included."""
    words = context.args.split()
    prefix = context.bank.wallet.prefix
    if not words:
        example = f"/withdraw {EXAMPLE_AMOUNT} {prefix}1…"
        raise Refused("command_incomplete", usage=COMMAND.usage, example=example)
    wanted, rest = take_amount(words, context.bank.assets)
    if not rest:
        raise Refused("address_missing", prefix=prefix)
    typed_amount = len(words) - len(rest)
    behind_address = re.split(r"\s+", context.args, maxsplit=typed_amount + 1)[typed_amount + 1 :]
    return Typed(wanted, rest[0], behind_address[0] if behind_address else "")


def _affordable(wanted: Wanted, terms: Terms, balance: int) -> Amount:
    """Return the amount that is meant, all being what the balance covers beside the fee.

    Raises Refused ``withdrawal_below_minimum`` and ``insufficient_balance``.
    """
    amount = wanted.amount if wanted.amount is not None else Amount(max(0, balance - terms.fee))
    least = max(1, terms.minimum)
    if wanted.amount is None and amount < least:
        raise _insufficient(least + terms.fee, balance, terms)
    if amount < least:
        raise Refused("withdrawal_below_minimum", minimum=least, denom=terms.denom)
    if balance < amount + terms.fee:
        raise _insufficient(amount + terms.fee, balance, terms)
    return amount


def _insufficient(needed: int, balance: int, terms: Terms) -> Refused:
    return Refused("insufficient_balance", needed=needed, balance=balance, denom=terms.denom)


def _arguments(asked: Request) -> dict[str, str | int]:
    return {
        "denom": asked.denom,
        "amount": asked.amount,
        "fee": asked.fee,
        "address": asked.address,
        "memo": asked.memo,
    }


COMMAND = Command(
    "withdraw",
    "take coins out to an address",
    withdraw,
    "<amount|all> <address> [memo]",
    moves_money=True,
    examples=("/withdraw 5 juno1…", "/withdraw all juno1… 104729"),
    actions={"withdraw.confirm": confirm, "withdraw.drop": drop, "withdraw.cancel": cancel},
    lasting=frozenset({"withdraw.cancel"}),
    goes_on=frozenset({"withdraw.cancel"}),
)
