"""Reading for display, beside the writer: what it shows was true a moment ago, so nothing is decided by it."""

import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from ledger.accounts import AccountId
from ledger.connect import open_reader
from ledger.money import Amount, Asset, Denom
from ledger.ports import Millis

MAX_PAGE: Final = 100

_HISTORY: Final = files("ledger").joinpath("sql/history.sql").read_text(encoding="utf-8")
_BALANCE: Final = "SELECT balance FROM user_balances WHERE user_id = ? AND denom = ?"


class HistoryLine(NamedTuple):
    """One posting as its account sees it: ``change`` is signed, ``counterparty`` None is the chain."""

    id: int
    entry_id: int
    kind: str
    change: Amount
    counterparty: AccountId | None
    balance_after: Amount
    actor: int
    note: str
    at: Millis


class Reader:
    """A read-only connection for the event loop's own thread: its statements take microseconds."""

    def __init__(self, path: Path) -> None:
        self._connection = open_reader(path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def balance(self, account: AccountId, denom: Denom) -> Amount:
        """Return what ``account`` owns; 0 for an account without a row."""
        found = self._connection.execute(_BALANCE, (account, denom)).fetchone()
        return Amount(0 if found is None else found[0])

    def balances(self, account: AccountId) -> dict[Denom, Amount]:
        """Return what ``account`` owns in every denom that it ever had."""
        sql = "SELECT denom, balance FROM user_balances WHERE user_id = ? ORDER BY denom"
        return {Denom(denom): Amount(balance) for denom, balance in self._connection.execute(sql, (account,))}

    def total(self, denom: Denom) -> Amount:
        """Return the sum of all balances: what the treasury address must hold."""
        found = self._connection.execute("SELECT total FROM assets WHERE denom = ?", (denom,)).fetchone()
        return Amount(0 if found is None else found[0])

    def assets(self) -> list[Asset]:
        """Return the listed denoms."""
        rows = self._connection.execute("SELECT denom, symbol, decimals FROM assets ORDER BY denom")
        return [Asset(*row) for row in rows]

    def name(self, account: AccountId) -> str | None:
        """Return the name that ``account`` is registered under, or None."""
        found = self._connection.execute("SELECT name FROM users WHERE id = ?", (account,)).fetchone()
        return None if found is None else str(found[0])

    def role(self, account: AccountId) -> str | None:
        """Return the role that ``account`` is registered with, or None."""
        found = self._connection.execute("SELECT role FROM users WHERE id = ?", (account,)).fetchone()
        return None if found is None else str(found[0])

    def history(
        self, account: AccountId, denom: Denom, before: int | None = None, limit: int = 20
    ) -> list[HistoryLine]:
        """Return up to ``limit`` (1 to 100) postings of ``account``, newest first: a walk of its links.

        ``before`` is the id of the last line of the page before; one that is not of this account and denom
        gives an empty page.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"a page has 1 to {MAX_PAGE} lines, not {limit}")
        facts = {"account": account, "denom": denom, "before": before, "limit": limit}
        return [HistoryLine(*row) for row in self._connection.execute(_HISTORY, facts)]

    def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run a short SELECT; rows allow access by column name."""
        cursor = self._connection.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(sql, parameters).fetchall()
