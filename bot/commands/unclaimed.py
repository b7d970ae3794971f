"""/unclaimed: what arrived and is nobody's yet, newest first, a page at a time.

It is nobody's balance, so a group may read it. Who sent it and which memo it bore is on the chain for whoever looks; the
bot spells it out for admins alone, in private, where they decide whose it is.
"""

from typing import Any, Final

from bot.context import Context
from bot.deposits import short_address, short_hash
from bot.registry import Command
from bot.results import Answer, Choice, Result
from ledger.roles import Role
from ledger.unclaimed import Unclaimed

PAGE: Final = 6
LONGEST_TRAIL: Final = 100
"""Pages that can be walked back one by one; further in, the oldest are forgotten."""
BUTTON_SECONDS: Final = 24 * 3600
SHOWN_MEMO: Final = 60
SHOWN_EVIDENCE: Final = 160


async def unclaimed(context: Context) -> Result:
    """Return the newest page."""
    return _page(context, None, [])


async def turn(context: Context) -> Result:
    """Turn to the page before ``before``."""
    return _page(context, context.arguments["before"], context.arguments["trail"])


def _page(context: Context, before: int | None, trail: list[int | None]) -> Answer:
    """Return the page of what waits before row ``before``; ``trail`` are the pages that lead to it."""
    book = context.bank.service.unclaimed
    found = book.page(before, PAGE + 1)
    shown = found[:PAGE]
    choices: list[Choice] = []
    if len(found) > PAGE:
        choices.append(_turn("unclaimed.older", shown[-1].id, [*trail, before][-LONGEST_TRAIL:]))
    if trail:
        choices.append(_turn("unclaimed.newer", trail[-1], trail[:-1]))
    in_full = context.role >= Role.ADMIN and context.chat.private
    facts = {
        "waiting": [each._asdict() for each in book.waiting()],
        "lines": [_line(each, in_full=in_full) for each in shown],
        "paged": before is not None,
        "admin": context.role >= Role.ADMIN,
    }
    return Answer("unclaimed.listed", facts, choices=tuple(choices))


def _turn(action: str, before: int | None, trail: list[int | None]) -> Choice:
    return Choice(action, {"before": before, "trail": trail}, seconds=BUTTON_SECONDS)


def _line(row: Unclaimed, *, in_full: bool) -> dict[str, Any]:
    line = {
        "deposit": row.id,
        "amount": row.amount,
        "remaining": row.remaining,
        "denom": row.denom,
        "reason": row.reason.value,
        "height": row.height,
        "tx": short_hash(row.tx_hash or ""),
        "sender": short_address(row.sender),
        "at": row.created_at,
    }
    if in_full:
        line |= {"tx": row.tx_hash or "", "sender": row.sender, "memo": row.memo[:SHOWN_MEMO]}
        line["evidence"] = row.evidence[:SHOWN_EVIDENCE] if row.tx_hash is None else ""
    return line


COMMAND = Command(
    "unclaimed",
    "what arrived and is nobody's yet",
    unclaimed,
    actions={"unclaimed.older": turn, "unclaimed.newer": turn},
)
