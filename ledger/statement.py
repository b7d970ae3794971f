"""The whole history of one account in one denom, read in parts: what a member takes along."""

from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Final, NamedTuple

from ledger.accounts import AccountId
from ledger.money import Amount, Denom
from ledger.pool import LongReads
from ledger.ports import Millis

PART: Final = 500
"""Lines of one read: between two of them others get their turn."""

_STATEMENT: Final = files("ledger").joinpath("sql/statement.sql").read_text(encoding="utf-8")


class StatementLine(NamedTuple):
    """One posting as its account sees it: ``change`` is signed, ``counterparty`` None is the chain."""

    receipt: int
    kind: str
    change: Amount
    counterparty: AccountId | None
    balance_after: Amount
    note: str
    at: Millis


async def walk(
    reads: LongReads, account: AccountId, denom: Denom, newest: int, limit: int
) -> AsyncIterator[list[StatementLine]]:
    """Yield up to ``limit`` postings of ``account``, newest first and in parts, from posting ``newest`` on.

    Postings never change, so the parts are of one piece whatever is written meanwhile, and the same ``newest`` gives
    the same lines for ever. One that is not of this account and denom gives none. Raises Unavailable.
    """
    while newest and limit > 0:
        facts = {"account": account, "denom": denom, "newest": newest, "limit": min(PART, limit)}
        rows = await reads.select(_STATEMENT, facts)
        yield [StatementLine(*tuple(row)[:-1]) for row in rows]
        limit -= len(rows)
        newest = rows[-1]["previous"] if rows else 0
