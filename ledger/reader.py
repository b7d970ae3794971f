"""Reading for display, beside the writer: what it shows was true a moment ago, so nothing is decided by it."""

import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from threading import Lock
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
    """A read-only connection for the event loop's own thread: its statements take microseconds.

    Answers are made inside the writer, on its thread, and may look up a name here, so one statement runs at a time. Two at
    once would stop the process: preparing one keeps SQLite's lock and asks the authorizer, for which it needs the
    interpreter's; resetting another keeps that one and waits for SQLite's.
    """

    def __init__(self, path: Path) -> None:
        self._connection = open_reader(path)
        self._alone = Lock()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def balance(self, account: AccountId, denom: Denom) -> Amount:
        """Return what ``account`` owns; 0 for an account without a row."""
        found = self._rows(_BALANCE, (account, denom))
        return Amount(found[0][0] if found else 0)

    def balances(self, account: AccountId) -> dict[Denom, Amount]:
        """Return what ``account`` owns in every denom that it ever had."""
        sql = "SELECT denom, balance FROM user_balances WHERE user_id = ? ORDER BY denom"
        return {Denom(denom): Amount(balance) for denom, balance in self._rows(sql, (account,))}

    def total(self, denom: Denom) -> Amount:
        """Return the sum of all balances: what the treasury address must hold."""
        found = self._rows("SELECT total FROM assets WHERE denom = ?", (denom,))
        return Amount(found[0][0] if found else 0)

    def assets(self) -> list[Asset]:
        """Return the listed denoms."""
        rows = self._rows("SELECT denom, symbol, decimals FROM assets ORDER BY denom")
        return [Asset(*row) for row in rows]

    def name(self, account: AccountId) -> str | None:
        """Return the name that ``account`` is registered under, or None."""
        found = self._rows("SELECT name FROM users WHERE id = ?", (account,))
        return str(found[0][0]) if found else None

    def role(self, account: AccountId) -> str | None:
        """Return the role that ``account`` is registered with, or None."""
        found = self._rows("SELECT role FROM users WHERE id = ?", (account,))
        return str(found[0][0]) if found else None

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
        return [HistoryLine(*row) for row in self._rows(_HISTORY, facts)]

    def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run a short SELECT; rows allow access by column name."""
        with self._alone:
            cursor = self._connection.cursor()
            cursor.row_factory = sqlite3.Row
            return cursor.execute(sql, parameters).fetchall()

    def _rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        with self._alone:
            return self._connection.execute(sql, parameters).fetchall()
