"""/audit: what admins and owners ordered, newest first, a page at a time; all of it, or what is about somebody."""

from typing import Any, Final

from bot.context import Context
from bot.recipients import read_target, split_words
from bot.registry import Command
from bot.results import Answer, Choice, Result
from ledger import adminaudit
from ledger.accounts import AccountId
from ledger.adminaudit import Logged
from ledger.roles import CONSOLE, Role

PAGE: Final = 6
LONGEST_TRAIL: Final = 100
"""Pages that can be walked back one by one; further in, the oldest are forgotten."""
BUTTON_SECONDS: Final = 24 * 3600


async def audit(context: Context) -> Result:
    """Return the newest page. Raises Refused with the codes of `read_target`."""
    words = split_words(context.args, context.entities)
    about = None
    if words:
        found, _ = read_target(words, context.reply, context.bank.names, context.now)
        about = found.id
    return _page(context, about, None, [])


async def turn(context: Context) -> Result:
    """Turn to the page before ``before``."""
    shown = context.arguments
    return _page(context, shown["about"], shown["before"], shown["trail"])


def _page(context: Context, about: AccountId | None, before: int | None, trail: list[int | None]) -> Answer:
    lines = adminaudit.page(context.bank.service.reader, before=before, about=about, limit=PAGE + 1)
    shown = lines[:PAGE]
    choices: list[Choice] = []
    if len(lines) > PAGE:
        further = [*trail, before][-LONGEST_TRAIL:]
        choices.append(_turn("audit.older", about, shown[-1].id, further))
    if trail:
        choices.append(_turn("audit.newer", about, trail[-1], trail[:-1]))
    facts: dict[str, Any] = {"lines": [_line(context, line) for line in shown], "paged": before is not None}
    if about is not None:
        facts["who"] = context.bank.names.shown(about)
    return Answer("audit.page", facts, choices=tuple(choices), private=True)


def _turn(action: str, about: AccountId | None, before: int | None, trail: list[int | None]) -> Choice:
    return Choice(action, {"about": about, "before": before, "trail": trail}, seconds=BUTTON_SECONDS)


def _line(context: Context, line: Logged) -> dict[str, Any]:
    return {
        "number": line.id,
        "by": "" if line.actor == CONSOLE.account else context.bank.account_name(line.actor),
        "role": line.role,
        "action": line.action.replace(".", " ").replace("_", " "),
        "target": "" if line.target is None else context.bank.account_name(line.target),
        "before": line.before,
        "after": line.after,
        "reason": line.reason,
        "at": line.at,
    }


COMMAND = Command(
    "audit",
    "what admins and owners ordered, and why",
    audit,
    "[who]",
    role=Role.ADMIN,
    examples=("/audit", "/audit @name"),
    actions={"audit.older": turn, "audit.newer": turn},
)
