"""/freeze and /unfreeze: withdrawals of everybody, or of one person, are not signed (style.md, Words).

What an admin ordered an admin lifts; what the chain caused (a shortfall, a stranger with the key) only an owner does.
"""

from typing import Any, Final, NamedTuple

from bot.context import Bank, Context
from bot.recipients import Word, answers_someone, read_reason, read_target, split_words
from bot.registry import Command
from bot.results import Answer, Effect, Result
from ledger.accounts import AccountId
from ledger.freezes import Freeze, FreezeReason, freeze_unit, lift_unit, standing
from ledger.journal import Lane
from ledger.roles import Role

EVERYONE: Final = "all"


class Wanted(NamedTuple):
    """Whose withdrawals, and why; ``account`` None: everybody's."""

    account: AccountId | None
    reason: str


async def freeze(context: Context) -> Result:
    """Freeze, or list what is frozen. Raises Refused with the codes of `read_target`."""
    words = split_words(context.args, context.entities)
    if not words and not answers_someone(context.reply):
        return _listed(context)
    wanted = _read(context, words)
    journal, actor = context.bank.service.journal, context.actor
    return Effect(
        lambda beside: journal.submit(freeze_unit(actor, *wanted, beside), Lane.SYSTEM),
        lambda _: Answer("freeze.begun", {"whose": _whose(context.bank, wanted.account)}, private=True),
    )


async def unfreeze(context: Context) -> Result:
    """Lift a freeze, or list what is frozen. Raises Refused with the codes of `read_target`."""
    words = split_words(context.args, context.entities)
    if not words and not answers_someone(context.reply):
        return _listed(context)
    reason = FreezeReason.ORDERED
    if _keyword(words) in set(FreezeReason):
        reason = FreezeReason(_keyword(words))
        wanted = Wanted(None, read_reason(words[1:]))
    else:
        wanted = _read(context, words)
    journal = context.bank.service.journal
    lifted = Freeze(reason, wanted.account)
    return Effect(
        lambda beside: journal.submit(lift_unit(context.actor, lifted, wanted.reason, beside), Lane.SYSTEM),
        lambda _: Answer("freeze.lifted", {"whose": _whose(context.bank, wanted.account)}, private=True),
        needs=Role.ADMIN if reason is FreezeReason.ORDERED else Role.OWNER,
    )


def frozen(bank: Bank) -> list[dict[str, Any]]:
    """Return what keeps withdrawals from being signed, as facts."""
    return [
        {"why": each.reason.value, "whose": _whose(bank, each.account)}
        for each in standing(bank.service.reader)
    ]


def _whose(bank: Bank, account: AccountId | None) -> str:
    return "everybody" if account is None else bank.account_name(account)


def _listed(context: Context) -> Answer:
    return Answer("freeze.listed", {"frozen": frozen(context.bank)}, private=True)


def _read(context: Context, words: list[Word]) -> Wanted:
    """Read ``[who] <reason>``: nobody is named and no message is answered where everybody is meant."""
    if _keyword(words) == EVERYONE:
        return Wanted(None, read_reason(words[1:]))
    names_one = bool(words) and (words[0].names_someone or words[0].text.isdecimal())
    if not names_one and not answers_someone(context.reply):
        return Wanted(None, read_reason(words))
    found, rest = read_target(words, context.reply, context.bank.names, context.now)
    return Wanted(found.id, read_reason(rest))


def _keyword(words: list[Word]) -> str:
    """Return the first word in lower case, nothing where it marks a person: people choose what they are called."""
    return words[0].text.lower() if words and not words[0].names_someone else ""


COMMANDS = (
    Command(
        "freeze",
        "stop withdrawals, of everybody or of one",
        freeze,
        "[who|all] <reason>",
        role=Role.ADMIN,
        examples=("/freeze the nodes disagree", "/freeze @name we ask them something first"),
    ),
    Command(
        "unfreeze",
        "let withdrawals go on",
        unfreeze,
        "[who|all|shortfall|stranger|contradiction] <reason>",
        role=Role.ADMIN,
        asks_when_old=True,
        examples=("/unfreeze all is well", "/unfreeze shortfall it was topped up"),
    ),
)
