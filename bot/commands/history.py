"""/history: what moved the asker's balance, newest first, a page at a time. Never shown to a group.

Its statement, the whole history as a document, goes to the private chat wherever it was asked for.
"""

from dataclasses import replace
from typing import Any, Final

from bot.amounts import find_asset
from bot.context import Context
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from bot.statement import ask
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.money import Denom
from ledger.reader import HistoryLine

PAGE: Final = 8
LONGEST_TRAIL: Final = 100
"""Pages that can be walked back one by one; further in, the oldest are forgotten."""
BUTTON_SECONDS: Final = 24 * 3600


async def history(context: Context) -> Result:
    """Return the newest page. Raises Refused ``amount_symbol`` for an asset that is not listed."""
    assets = context.bank.assets
    asset = find_asset(context.args, assets) if context.args else assets[0]
    if asset is None:
        listed = ", ".join(each.symbol for each in assets)
        raise Refused(
            "amount_symbol", typed=context.args[:32], listed=listed, symbol=assets[0].symbol, instead=[]
        )
    return _page(context, asset.denom, None, [])


async def older(context: Context) -> Result:
    """Turn to the page before ``before``."""
    return _page(context, context.arguments["denom"], context.arguments["before"], context.arguments["trail"])


async def statement(context: Context) -> Result:
    """Have the whole history sent as a document; the page stays, with new buttons."""
    denom = context.arguments["denom"]
    page = _page(context, denom, context.arguments["before"], context.arguments["trail"])
    service = context.bank.service
    newest = service.reader.history(context.account, denom, limit=1)
    if not newest:
        return page
    return Effect(
        lambda beside: ask(service.journal, context.account, denom, newest[0].id, beside=beside),
        lambda _asked: replace(page, toast="history.statement"),
    )


def _page(context: Context, denom: Denom, before: int | None, trail: list[int | None]) -> Answer:
    """Return the page of what came before row ``before``; ``trail`` are the pages that lead to it."""
    reader = context.bank.service.reader
    lines = reader.history(context.account, denom, before, PAGE + 1)
    shown = lines[:PAGE]
    choices: list[Choice] = []
    if len(lines) > PAGE:
        further = [*trail, before][-LONGEST_TRAIL:]
        choices.append(_turn("history.older", denom, shown[-1].id, further))
    if trail:
        choices.append(_turn("history.newer", denom, trail[-1], trail[:-1]))
    if lines:
        choices.append(_turn("history.statement", denom, before, trail, row=1))
    facts = {"denom": denom, "lines": [_line(context, line) for line in shown], "paged": before is not None}
    return Answer("history.page", facts, choices=tuple(choices), private=True)


def _turn(action: str, denom: Denom, before: int | None, trail: list[int | None], row: int = 0) -> Choice:
    return Choice(action, {"denom": denom, "before": before, "trail": trail}, seconds=BUTTON_SECONDS, row=row)


def _line(context: Context, line: HistoryLine) -> dict[str, Any]:
    return {
        "change": line.change,
        "kind": line.kind,
        "name": _counterparty(context, line.counterparty),
        "after": line.balance_after,
        "note": line.note if line.kind == "transfer" else "",
        "at": line.at,
    }


def _counterparty(context: Context, account: AccountId | None) -> str:
    """Return a member's name; the system's accounts are told by the kind of the move."""
    return context.bank.names.shown(account) if account is not None and account > 0 else ""


COMMAND = Command(
    "history",
    "what moved your balance",
    history,
    "[symbol]",
    actions={"history.older": older, "history.newer": older, "history.statement": statement},
)
