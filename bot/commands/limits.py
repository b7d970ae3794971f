"""/limits: what a withdrawal costs and how much may leave; owners change it at once, with a reason (ledger.terms)."""

from typing import Final

from bot.amounts import find_asset, take_amount
from bot.context import Context
from bot.recipients import Word, read_reason, split_words
from bot.registry import Command
from bot.results import Answer, Effect, Result
from ledger.errors import Refused
from ledger.journal import Lane
from ledger.money import Amount, Denom
from ledger.roles import Role
from ledger.terms import Change, Term, change_unit, value_of

NAMES: Final = {
    "minimum": Term.MINIMUM,
    "fee": Term.FEE,
    "person": Term.USER_PER_DAY,
    "everyone": Term.INSTANCE_PER_DAY,
    "approval": Term.APPROVAL_ABOVE,
}
NONE: Final = "none"
SETTINGS: Final = "settings"
ZERO: Final = "0"


async def limits(context: Context) -> Result:
    """Show the terms, or change one. Raises Refused ``limit_unknown``, ``command_incomplete`` and the codes of amounts."""
    words = split_words(context.args, context.entities)
    if not words:
        return _shown(context)
    name = words[0].text.lower()
    if name not in NAMES:
        raise Refused("limit_unknown", typed=name[:32], listed=", ".join(NAMES))
    if len(words) == 1:
        raise Refused("command_incomplete", usage=COMMAND.usage, example=COMMAND.examples[1])
    change = _read(context, NAMES[name], words[1:])
    books = context.bank.service
    settings = books.withdrawals.settings_terms(change.denom)
    return Effect(
        lambda beside: books.journal.submit(change_unit(change, settings, beside), Lane.SYSTEM),
        lambda terms: Answer(
            "limits.changed",
            {"name": name, "denom": change.denom, "amount": value_of(terms, change.term)},
            private=True,
        ),
    )


def _read(context: Context, term: Term, words: list[Word]) -> Change:
    """Read ``<amount|none|settings> [symbol] <reason>``; a minimum or a fee of 0 is a number too."""
    assets = context.bank.assets
    typed = words[0].text.lower()
    if typed in (NONE, SETTINGS, ZERO):
        named = find_asset(words[1].text, assets) if len(words) > 1 else None
        reason = read_reason(words[2 if named else 1 :])
        amount = Amount(0) if typed == ZERO else None
        return Change(context.actor, (named or assets[0]).denom, term, amount, reason, back=typed == SETTINGS)
    wanted, rest = take_amount([word.text for word in words], assets, all_allowed=False)
    reason = read_reason(words[len(words) - len(rest) :])
    return Change(context.actor, Denom(wanted.asset.denom), term, wanted.amount, reason)


def _shown(context: Context) -> Answer:
    book = context.bank.service.withdrawals
    terms = [
        (each.denom, book.terms(each.denom), book.settings_terms(each.denom)) for each in context.bank.assets
    ]
    lines = [
        {
            "denom": denom,
            "name": name,
            "amount": value_of(now, term),
            "changed": value_of(now, term) != value_of(set_, term),
        }
        for denom, now, set_ in terms
        if now is not None and set_ is not None
        for name, term in NAMES.items()
    ]
    return Answer("limits.shown", {"lines": lines}, private=True)


COMMAND = Command(
    "limits",
    "what may leave, and what it costs",
    limits,
    "[minimum|fee|person|everyone|approval] [amount|none|settings] [reason]",
    role=Role.OWNER,
    asks_when_old=True,
    examples=(
        "/limits",
        "/limits person 500 until we know each other",
        "/limits approval settings back to normal",
    ),
)
