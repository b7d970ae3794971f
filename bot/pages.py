"""The history of an account, newest first, a page at a time: a member's own, or that of a shared account.

Its statement, the whole history as a document, goes to the private chat wherever it was asked for.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from bot.amounts import find_asset
from bot.context import Context
from bot.results import Answer, Choice, Effect, Result
from bot.statement import NOTED, ask
from ledger.accounts import AccountClass, AccountId, account_class
from ledger.errors import Refused
from ledger.money import Denom
from ledger.reader import HistoryLine

PAGE: Final = 8
LONGEST_TRAIL: Final = 100
"""Pages that can be walked back one by one; further in, the oldest are forgotten."""
BUTTON_SECONDS: Final = 24 * 3600


class Pages(NamedTuple):
    """Whose history is turned over: ``topic`` names its sentence (``history.page``) and its buttons (``history.older``).

    ``facts`` are for the sentence, ``arguments`` come back with each button. Whoever may see it is the caller's question.
    """

    account: AccountId
    topic: str
    facts: Mapping[str, Any] = {}
    arguments: Mapping[str, Any] = {}


def first_page(context: Context, pages: Pages, typed: str) -> Answer:
    """Return the newest page in the asset that is ``typed``, in the main one without.

    Raises Refused ``amount_symbol`` for an asset that is not listed.
    """
    assets = context.bank.assets
    asset = find_asset(typed, assets) if typed else assets[0]
    if asset is None:
        listed = ", ".join(each.symbol for each in assets)
        raise Refused("amount_symbol", typed=typed[:32], listed=listed, symbol=assets[0].symbol, instead=[])
    return _page(context, pages, asset.denom, None, [])


def turned(context: Context, pages: Pages) -> Answer:
    """Return the page that the pressed button names: what came before row ``before``."""
    pressed = context.arguments
    return _page(context, pages, pressed["denom"], pressed["before"], pressed["trail"])


def statement(context: Context, pages: Pages) -> Result:
    """Have the whole history sent as a document; the page stays, with new buttons."""
    denom = context.arguments["denom"]
    page = turned(context, pages)
    service = context.bank.service
    newest = service.reader.history(pages.account, denom, limit=1)
    if not newest:
        return page
    return Effect(
        lambda beside: ask(
            service.journal, context.account, pages.account, denom, newest[0].id, beside=beside
        ),
        lambda _asked: replace(page, toast="history.statement"),
    )


def _page(
    context: Context, pages: Pages, denom: Denom, before: int | None, trail: list[int | None]
) -> Answer:
    """Return the page of what came before row ``before``; ``trail`` are the pages that lead to it."""
    lines = context.bank.service.reader.history(pages.account, denom, before, PAGE + 1)
    shown = lines[:PAGE]

    def turn(way: str, to: int | None, by: list[int | None], row: int = 0) -> Choice:
        arguments = {**pages.arguments, "denom": denom, "before": to, "trail": by}
        return Choice(f"{pages.topic}.{way}", arguments, seconds=BUTTON_SECONDS, row=row)

    choices: list[Choice] = []
    if len(lines) > PAGE:
        choices.append(turn("older", shown[-1].id, [*trail, before][-LONGEST_TRAIL:]))
    if trail:
        choices.append(turn("newer", trail[-1], trail[:-1]))
    if lines:
        choices.append(turn("statement", before, trail, row=1))
    facts = {
        **pages.facts,
        "denom": denom,
        "lines": [_line(context, pages.account, line) for line in shown],
        "paged": before is not None,
    }
    return Answer(f"{pages.topic}.page", facts, choices=tuple(choices), private=True)


def _line(context: Context, account: AccountId, line: HistoryLine) -> dict[str, Any]:
    return {
        "change": line.change,
        "kind": line.kind,
        "name": context.bank.names.counterparty(line.counterparty),
        "by": _by(context, account, line),
        "after": line.balance_after,
        "note": line.note if line.kind in NOTED else "",
        "at": line.at,
    }


def _by(context: Context, account: AccountId, line: HistoryLine) -> str:
    """Return who moved what belongs to several, unless it is plain from the line."""
    shared = AccountClass.SHARED in (account_class(account), account_class(line.counterparty))
    plain = line.actor <= 0 or line.actor in (account, line.counterparty)
    return context.bank.names.shown(line.actor) if shared and not plain else ""
