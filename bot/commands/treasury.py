"""/treasury: what the accounts that are nobody's hold; owners pay from BOT_TREASURY and refill the reserve.

An order asks first. What it moves stands in the button's row, and the role is looked up at the press and at the commit.
Coins leave for the chain the way of every member's: an owner sends them to an account and withdraws, under the same limits
and with the same second admin.
"""

from bot.amounts import looks_like_amount, take_amount
from bot.commands.freeze import frozen
from bot.context import Context
from bot.recipients import Word, read_payment, read_reason, read_target, split_words
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from ledger.accounts import BOT_TREASURY, AccountId
from ledger.adminaudit import checked_reason
from ledger.errors import Refused
from ledger.money import Amount, Asset, Denom
from ledger.pauses import standing_pause
from ledger.reserve import Refill
from ledger.roles import Role
from ledger.treasury import Grant, holdings


async def treasury(context: Context) -> Result:
    """Show what there is, or ask whether an order is meant.

    Raises Refused ``role_too_low`` for whoever is no owner, and the codes of bot.amounts, bot.recipients and the books.
    """
    words = split_words(context.args, context.entities)
    if not words:
        return _shown(context)
    act = {"send": _send, "topup": _topup}.get(words[0].text.lower())
    if act is None:
        raise Refused("command_incomplete", usage=COMMAND.usage, example=COMMAND.examples[1])
    return act(context, words[1:])


async def send(context: Context) -> Result:
    """Pay what was asked about."""
    asked = context.arguments
    grant = Grant(
        context.actor,
        AccountId(asked["recipient"]),
        Amount(asked["amount"]),
        Denom(asked["denom"]),
        asked["reason"],
    )
    book = context.bank.service.treasury
    return Effect(
        lambda beside: book.grant(context.key, grant, beside),
        lambda receipt: Answer(
            "treasury.granted", {**asked, "receipt": receipt.entry_id}, private=True, toast="treasury.done"
        ),
    )


async def refill(context: Context) -> Result:
    """Refill the reserve as it was asked about."""
    asked = context.arguments
    order = Refill(context.actor, Denom(asked["denom"]), Amount(asked["amount"]), asked["reason"])
    book = context.bank.service.reserve
    return Effect(
        lambda beside: book.refill(context.key, order, beside),
        lambda amount: Answer(
            "treasury.refilled", {**asked, "amount": amount}, private=True, toast="treasury.done"
        ),
    )


async def drop(_context: Context) -> Result:
    """Leave it."""
    return Answer("treasury.dropped", private=True)


def _shown(context: Context) -> Answer:
    bank = context.bank
    reader = bank.service.reader
    pause = standing_pause(reader)
    facts = {
        "holdings": [each._asdict() for each in holdings(reader)],
        "address": bank.wallet.address,
        "frozen": frozen(bank),
        "paused": pause.reason if pause else "",
        "waiting": bank.service.approvals.waiting_count(),
    }
    return Answer("treasury.shown", facts, private=True)


def _require_owner(context: Context) -> None:
    """Owners alone move the treasury; the books look again."""
    if context.role < Role.OWNER:
        raise Refused("role_too_low", needed=Role.OWNER.word)


def _send(context: Context, words: list[Word]) -> Answer:
    _require_owner(context)
    if not words:
        raise Refused("command_incomplete", usage=COMMAND.usage, example=COMMAND.examples[1])
    payment = read_payment(words, context.reply, context.bank.assets)
    who = [payment.who] if payment.who else []
    found, _ = read_target(who, context.reply, context.bank.names, context.now)
    reason = checked_reason(payment.note)
    denom = payment.wanted.asset.denom
    amount = _amount(payment.wanted.amount, payment.wanted.asset)
    balance = context.bank.service.reader.balance(BOT_TREASURY, denom)
    if balance < amount:
        raise Refused("treasury_too_low", balance=balance, needed=amount, denom=denom)
    asked = {"recipient": found.id, "to": found.name, "amount": amount, "denom": denom, "reason": reason}
    facts = {**asked, "balance": balance, "left": balance - amount}
    return Answer(
        "treasury.asks",
        facts,
        choices=(Choice("treasury.send", asked), Choice("treasury.drop")),
        private=True,
    )


def _amount(amount: Amount | None, asset: Asset) -> Amount:
    """Return a number: all of the treasury is never meant, it pays the network's fees."""
    if amount is None:
        raise Refused("amount_all", typed="all", symbol=asset.symbol, instead=[])
    return amount


def _topup(context: Context, words: list[Word]) -> Answer:
    """Show what is owed and how to top up, or ask whether the reserve is to be refilled."""
    bank = context.bank
    wanted = None
    if words and looks_like_amount(words[0].text):
        wanted, rest = take_amount([word.text for word in words], bank.assets)
        words = words[len(words) - len(rest) :]
    asset = wanted.asset if wanted else bank.assets[0]
    owed = bank.service.reserve.owed(asset.denom)
    reason = read_reason(words)
    if owed == 0 or not reason:
        facts = {"owed": owed, "denom": asset.denom, "address": bank.wallet.address}
        return Answer("treasury.topup", facts, private=True)
    _require_owner(context)
    amount = wanted.amount if wanted and wanted.amount is not None else owed
    asked = {"amount": amount, "denom": asset.denom, "reason": checked_reason(reason)}
    facts = {**asked, "owed": owed, "balance": bank.service.reader.balance(BOT_TREASURY, asset.denom)}
    return Answer(
        "treasury.refill_asks",
        facts,
        choices=(Choice("treasury.refill", asked), Choice("treasury.drop")),
        private=True,
    )


COMMAND = Command(
    "treasury",
    "what the treasury holds; owners pay from it",
    treasury,
    "[send <amount> <who> <reason> | topup [amount] <reason>]",
    role=Role.ADMIN,
    examples=(
        "/treasury",
        "/treasury send 5 @name for the new stickers",
        "/treasury topup all we found the mistake",
    ),
    actions={"treasury.send": send, "treasury.refill": refill, "treasury.drop": drop},
    action_roles={"treasury.send": Role.OWNER, "treasury.refill": Role.OWNER},
)
