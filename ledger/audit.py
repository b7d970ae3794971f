"""The books against themselves: every posting, balance, link and hold is worked out again from the log alone.

It reads one snapshot through a read-only connection and believes nothing that a trigger or a cache once said. What it
finds are sentences for a person; an empty list means that the log explains every balance.
"""

import sqlite3
from collections import defaultdict
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

from ledger.accounts import SYSTEM_RESERVE, WITHDRAWALS, account_class
from ledger.bookaudit import book_problems
from ledger.connect import open_reader
from ledger.store import NO_LINK
from ledger.view import link_hash

MAX_PROBLEMS: Final = 100
"""Findings that are written down; a damaged file has either few or all of them."""

_ENTRIES: Final = "SELECT id, key, digest, postings FROM entries WHERE id BETWEEN ? AND ? ORDER BY id"
_TRANSACTIONS: Final = "SELECT * FROM transactions WHERE id BETWEEN ? AND ? ORDER BY id"

Place = tuple[int, str]


class AuditReport(NamedTuple):
    """What an audit read and what it found. ``head`` is the newest link: who keeps it elsewhere can prove a cut."""

    transactions: int
    entries: int
    links: int
    accounts: int
    totals: dict[str, int]
    held: dict[str, int]
    """Per denom, what waits in WITHDRAWALS unresolved."""
    head: bytes
    problems: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Tell whether the books agree with themselves."""
        return not self.problems


class _Books:
    """The books as the log alone tells them."""

    def __init__(self, kinds: set[tuple[str, str, str, int]]) -> None:
        self.problems: list[str] = []
        self.tails: dict[Place, tuple[int, int]] = {}
        self.totals: dict[str, int] = defaultdict(int)
        self.holds: dict[int, tuple[str, int]] = {}
        self.resolutions: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.last_tx = 0
        self.entries = 0
        self._allowed = {(kind, source, destination) for kind, source, destination, _ in kinds}
        self._may_overdraw = {(kind, source, destination) for kind, source, destination, may in kinds if may}

    def find(self, problem: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def post(self, row: sqlite3.Row) -> None:
        """Replay one posting."""
        number, denom, amount = row["id"], row["denom"], row["amount"]
        if number != self.last_tx + 1:
            self.find(f"transaction {self.last_tx + 1} is missing")
        self.last_tx = number
        if amount <= 0:
            self.find(f"transaction {number} moves {amount}")
        self._check_kind(row)
        self._move((row["from_id"], denom), number, -amount, row["from_prev"], row["from_after"])
        self._move((row["to_id"], denom), number, amount, row["to_prev"], row["to_after"])
        if row["to_id"] == WITHDRAWALS:
            self.holds[number] = (denom, amount)
        if row["from_id"] == WITHDRAWALS:
            self.resolutions[row["reference"]].append((row["entry_id"], amount))

    def _check_kind(self, row: sqlite3.Row) -> None:
        kind = (row["kind"], str(account_class(row["from_id"])), str(account_class(row["to_id"])))
        if kind not in self._allowed:
            self.find(f"transaction {row['id']}: no {kind[0]} goes from {kind[1]} to {kind[2]}")
        if row["from_after"] is not None and row["from_after"] < 0 and kind not in self._may_overdraw:
            self.find(f"transaction {row['id']} leaves account {row['from_id']} with {row['from_after']}")

    def _move(self, place: tuple[int | None, str], number: int, change: int, before: Any, after: Any) -> None:
        account, denom = place
        if account is None:
            self.totals[denom] -= change
            if before is not None or after is not None:
                self.find(f"transaction {number} gives the chain a balance")
            return
        balance, last = self.tails.get((account, denom), (0, 0))
        if (before, after) != (last, balance + change):
            self.find(
                f"transaction {number} says that account {account} had row {before} before and {after} {denom} after; "
                f"it had {last} and has {balance + change}"
            )
        self.tails[account, denom] = (balance + change, number)

    def check_holds(self) -> dict[str, int]:
        """Check that each hold was resolved once and whole, or waits; return what waits per denom."""
        waiting: dict[str, int] = defaultdict(int)
        for number, (denom, amount) in self.holds.items():
            resolved = self.resolutions.pop(number, None)
            if resolved is None:
                waiting[denom] += amount
                continue
            if len({entry for entry, _ in resolved}) > 1:
                self.find(f"hold {number} was resolved by more than one entry")
            if sum(part for _, part in resolved) != amount:
                self.find(f"hold {number} of {amount} was resolved with {sum(part for _, part in resolved)}")
        for number in self.resolutions:
            self.find(f"money left WITHDRAWALS for {number}, which is no hold")
        return dict(waiting)


def audit(path: Path) -> AuditReport:
    """Work the books at ``path`` out again and report; blocking, seconds for a million postings.

    A file that SQLite cannot read to its end is reported like any other damage. Raises sqlite3.OperationalError when
    there is no file to open.
    """
    try:
        with closing(open_reader(path)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            return _audit(connection)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return AuditReport(0, 0, 0, 0, {}, {}, NO_LINK, (f"file: {error}",))


def _audit(connection: sqlite3.Connection) -> AuditReport:
    books = _Books({tuple(row) for row in connection.execute("SELECT * FROM kinds")})
    _check_file(connection, books)
    links, head = _replay(connection, books)
    _check_balances(connection, books)
    _check_totals(connection, books)
    held = books.check_holds()
    for denom in {denom for account, denom in books.tails if account == WITHDRAWALS}:
        waiting, balance = held.get(denom, 0), books.tails[WITHDRAWALS, denom][0]
        if waiting != balance:
            books.find(f"WITHDRAWALS owns {balance} {denom}, its unresolved holds are {waiting}")
    for problem in book_problems(connection):
        books.find(problem)
    return AuditReport(
        books.last_tx,
        books.entries,
        links,
        len(books.tails),
        dict(books.totals),
        held,
        head,
        tuple(books.problems),
    )


def _check_file(connection: sqlite3.Connection, books: _Books) -> None:
    # An authorizer that allows no pragma would hide these from the audit; the connection cannot write all the same.
    connection.set_authorizer(None)
    for (answer,) in connection.execute(f"PRAGMA integrity_check({MAX_PROBLEMS})"):
        if answer != "ok":
            books.find(f"file: {answer}")
    for row in connection.execute("PRAGMA foreign_key_check"):
        books.find(f"file: a row of {row[0]} refers to no row of {row[2]}")


def _replay(connection: sqlite3.Connection, books: _Books) -> tuple[int, bytes]:
    """Replay the log commit by commit, recomputing the hash chain; return its length and its newest hash."""
    number, head = 0, NO_LINK
    for link in connection.execute("SELECT id, first_tx, last_tx, hash FROM links ORDER BY id"):
        number += 1
        span = (link["first_tx"], link["last_tx"])
        if link["id"] != number or span[0] != books.last_tx + 1:
            books.find(f"link {link['id']} covers {span[0]} to {span[1]} and does not follow {books.last_tx}")
        transactions = connection.execute(_TRANSACTIONS, span).fetchall()
        entries = connection.execute(_ENTRIES, span).fetchall()
        head = link_hash(head, [tuple(row) for row in entries], [tuple(row) for row in transactions])
        if head != link["hash"]:
            books.find(
                f"link {link['id']}: the rows {span[0]} to {span[1]} are not those that were committed"
            )
            head = link["hash"]
        _replay_commit(books, entries, transactions)
    _check_beyond(connection, books)
    return number, head


def _replay_commit(books: _Books, entries: list[Any], transactions: list[Any]) -> None:
    books.entries += len(entries)
    promised = {row["id"]: row["postings"] for row in entries}
    for entry, rows in groupby(transactions, itemgetter("entry_id")):
        postings = list(rows)
        if promised.pop(entry, None) != len(postings) or postings[0]["id"] != entry:
            books.find(f"entry {entry} does not hold the postings it promises")
        for row in postings:
            books.post(row)
    for entry in promised:
        books.find(f"entry {entry} has no postings")


def _check_beyond(connection: sqlite3.Connection, books: _Books) -> None:
    for table in ("transactions", "entries"):
        (last,) = connection.execute(f"SELECT ifnull(max(id), 0) FROM {table}").fetchone()  # noqa: S608 - two constants
        if last > books.last_tx:
            books.find(f"{table} goes on to {last}, the links end at {books.last_tx}")


def _check_balances(connection: sqlite3.Connection, books: _Books) -> None:
    stored = {
        (row["user_id"], row["denom"]): row for row in connection.execute("SELECT * FROM user_balances")
    }
    for (account, denom), row in stored.items():
        balance, last = books.tails.get((account, denom), (0, 0))
        if (row["balance"], row["last_tx"]) != (balance, last):
            books.find(
                f"account {account} is booked with {row['balance']} {denom} by row {row['last_tx']}, "
                f"the log says {balance} by row {last}"
            )
        if row["balance"] < 0 and account != SYSTEM_RESERVE:
            books.find(f"account {account} owes {-row['balance']} {denom}")
    for account, denom in books.tails.keys() - stored.keys():
        books.find(f"account {account} has no balance in {denom}, the log gives it one")


def _check_totals(connection: sqlite3.Connection, books: _Books) -> None:
    for row in connection.execute("SELECT denom, total FROM assets"):
        if row["total"] != books.totals.get(row["denom"], 0):
            books.find(
                f"the total is {row['total']} {row['denom']}, the log says {books.totals[row['denom']]}"
            )
    owned: dict[str, int] = defaultdict(int)
    for (_, denom), (balance, _) in books.tails.items():
        owned[denom] += balance
    for denom, balance in owned.items():
        if balance != books.totals[denom]:
            books.find(f"balances are {balance} {denom} together, {books.totals[denom]} came in and stayed")
