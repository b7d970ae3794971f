"""The narrow door to SQLite: load tails, look up keys, append postings, write rows, commit.

Blocking, and for one caller at a time: the `Writer`. What SQLite raises passes through; `fault_of` says what it
means. Another database would be another file like this one.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cache
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from ledger.connect import CHECKPOINT_PAGES, open_writer
from ledger.money import Amount
from ledger.units import Row

EntryRow = tuple[int, str, bytes, int]
"""id, key, digest, number of postings: the columns of ``entries``."""

TransactionRow = tuple[
    int, int, str, str, int, int | None, int | None,
    int | None, int | None, int | None, int | None, int | None, int, str, int,
]  # fmt: skip
"""The columns of ``transactions``, in their order."""

Tail = tuple[Amount, int]
"""Balance, and id of the newest posting: where the chain of one (account, denom) ends."""

NO_LINK: Final = bytes(32)
"""What the first link continues."""

_STANDING: Final = """
SELECT e.key, e.id, e.digest, t.amount, t.from_after, t.to_after, t.at
FROM json_each(?) AS wanted JOIN entries AS e ON e.key = wanted.value JOIN transactions AS t ON t.id = e.id
"""
_ENTRY: Final = "(?, ?, ?, ?)"
_TRANSACTION: Final = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CHUNKS: Final = (250, 25)
"""Rows of one multi-row INSERT: three quarters of executemany's time, and one release of the GIL for all of them."""

_HEAD: Final = """
SELECT ifnull((SELECT max(id) FROM transactions), 0), ifnull((SELECT max(id) FROM links), 0),
    (SELECT hash FROM links ORDER BY id DESC LIMIT 1),
    ifnull((SELECT at FROM transactions ORDER BY id DESC LIMIT 1), 0)
"""


Standing = tuple[int, bytes, int, int | None, int | None, int]
"""An entry that a key stands for: id, digest, and of its first posting the amount, both balances after it, the time."""


class Link(NamedTuple):
    """One commit in the hash chain: which postings it covers, and the hash over them and the link before."""

    id: int
    first_tx: int
    last_tx: int
    hash: bytes


class Head(NamedTuple):
    """Where the log ends."""

    last_tx: int
    link_id: int
    link_hash: bytes
    at: int


class Fault(Enum):
    """What an error of SQLite means for the transaction that met it."""

    LOCKED = "another process writes"
    CONSTRAINT = "the database refused what the writer believed"
    DISK = "the disk is full, failing or read-only"
    CORRUPT = "the file is damaged"
    MISUSE = "a statement is wrong"


_FAULTS: Final = {
    sqlite3.SQLITE_BUSY: Fault.LOCKED,
    sqlite3.SQLITE_LOCKED: Fault.LOCKED,
    sqlite3.SQLITE_CONSTRAINT: Fault.CONSTRAINT,
    sqlite3.SQLITE_FULL: Fault.DISK,
    sqlite3.SQLITE_IOERR: Fault.DISK,
    sqlite3.SQLITE_READONLY: Fault.DISK,
    sqlite3.SQLITE_CANTOPEN: Fault.DISK,
    sqlite3.SQLITE_NOMEM: Fault.DISK,
    sqlite3.SQLITE_PROTOCOL: Fault.LOCKED,
    sqlite3.SQLITE_CORRUPT: Fault.CORRUPT,
    sqlite3.SQLITE_NOTADB: Fault.CORRUPT,
}


class RowsDiffer(sqlite3.IntegrityError):
    """A row of a book changed another number of rows than it must."""


def fault_of(error: sqlite3.Error) -> Fault:
    """Return what ``error`` means; an unknown one is a wrong statement, a bug of who wrote it."""
    if isinstance(error, RowsDiffer):
        return Fault.CONSTRAINT
    code: int | None = getattr(error, "sqlite_errorcode", None)
    # Extended codes keep the primary one in their low byte.
    return Fault.MISUSE if code is None else _FAULTS.get(code & 0xFF, Fault.MISUSE)


class Store:
    """The journal's connection. ``path`` must be migrated; nothing is opened before the first ``begin``.

    ``checkpoint_pages`` and ``reserved_pages`` are explained at `open_writer`; production reserves as many pages as
    it lets the log grow.
    """

    def __init__(
        self, path: Path, *, checkpoint_pages: int = CHECKPOINT_PAGES, reserved_pages: int = 0
    ) -> None:
        self.path = path
        self._checkpoint_pages = checkpoint_pages
        self._reserved_pages = reserved_pages
        self._open: sqlite3.Connection | None = None
        self._data_version = -1

    @property
    def connection(self) -> sqlite3.Connection:
        """Return the open connection, opened now if there is none."""
        if self._open is None:
            self._open = open_writer(
                self.path, checkpoint_pages=self._checkpoint_pages, reserved_pages=self._reserved_pages
            )
            self._data_version = -1
        return self._open

    @property
    def in_transaction(self) -> bool:
        """Tell whether a transaction is open: some errors end it without being asked (SQLITE_FULL)."""
        return self._open is not None and self._open.in_transaction

    def close(self) -> None:
        """Close the connection; an open transaction is lost."""
        if self._open is not None:
            opened, self._open = self._open, None
            opened.close()

    def begin(self) -> None:
        """Take the write lock; raises at once when another process has it."""
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the transaction durable (synchronous=FULL). Faults are planted by overriding this."""
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """End the transaction, if one is still open, with nothing of it left."""
        if self.in_transaction:
            self.connection.execute("ROLLBACK")

    def changed_elsewhere(self) -> bool:
        """Tell whether another connection committed since the last call: what was remembered may be stale."""
        (version,) = self.connection.execute("PRAGMA data_version").fetchone()
        before, self._data_version = self._data_version, version
        return bool(before != version)

    def head(self) -> Head:
        """Return where the log ends."""
        last_tx, link_id, link_hash, at = self.connection.execute(_HEAD).fetchone()
        return Head(last_tx, link_id, link_hash or NO_LINK, at)

    def tail(self, account: int, denom: str) -> Tail | None:
        """Return where the chain of (account, denom) ends, or None when it never began."""
        found: Tail | None = self.connection.execute(
            "SELECT balance, last_tx FROM user_balances WHERE user_id = ? AND denom = ?", (account, denom)
        ).fetchone()
        return found

    def has_account(self, account: int) -> bool:
        """Tell whether ``account`` is registered."""
        return self.connection.execute("SELECT 1 FROM users WHERE id = ?", (account,)).fetchone() is not None

    def total(self, denom: str) -> int:
        """Return the sum of all balances; 0 for a denom that is not listed."""
        found = self.connection.execute("SELECT total FROM assets WHERE denom = ?", (denom,)).fetchone()
        return 0 if found is None else int(found[0])

    def standing(self, keys_json: str) -> dict[str, Standing]:
        """Return which of ``keys_json`` (a JSON list of texts) stand, in one statement."""
        rows = self.connection.execute(_STANDING, (keys_json,)).fetchall()
        return {row[0]: row[1:] for row in rows}

    def append(self, entries: Sequence[EntryRow], transactions: Sequence[TransactionRow]) -> None:
        """Insert postings with their entries; the triggers move the balances."""
        self._insert("INSERT INTO entries VALUES ", _ENTRY, entries)
        self._insert("INSERT INTO transactions VALUES ", _TRANSACTION, transactions)

    def _insert(self, insert: str, row: str, rows: Sequence[tuple[Any, ...]]) -> None:
        start = 0
        for size in _CHUNKS:
            while start + size <= len(rows):
                many = _many_rows(insert, row, size)
                self.connection.execute(many, list(chain.from_iterable(rows[start : start + size])))
                start += size
        self.connection.executemany(insert + row, rows[start:])

    def add_link(self, link: Link) -> None:
        """Append ``link`` to the hash chain."""
        self.connection.execute("INSERT INTO links VALUES (?, ?, ?, ?)", link)

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows of books in their order. Raises RowsDiffer when one changes another number than it must."""
        for (sql, changes), alike in groupby(rows, lambda row: (row.sql, row.changes)):
            if changes is None:
                self.connection.executemany(sql, [row.parameters for row in alike])
            else:
                for row in alike:
                    self._write_checked(row)

    def _write_checked(self, row: Row) -> None:
        changed = self.connection.execute(row.sql, row.parameters).rowcount
        if changed != row.changes:
            raise RowsDiffer(f"{changed} rows changed instead of {row.changes} by {row.sql.strip()!r}")

    def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any]) -> list[Any]:
        """Run a SELECT; rows allow access by column name."""
        cursor = self.connection.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(sql, parameters).fetchall()

    def settle_doubt(self, link: Link) -> bool | None:
        """After a failed COMMIT, open again and tell whether ``link`` stands; None when that is not certain.

        Certain is only what a full checkpoint wrote anew: after a failed fsync the log may be in memory alone, and a
        commit that was given up may still lie in it and come back after a crash.
        """
        self.close()
        found = self.connection.execute("SELECT hash FROM links WHERE id = ?", (link.id,)).fetchone()
        opened, self._open = self._open, None
        assert opened is not None
        # A checkpoint is a pragma, which the writer is not allowed; this connection writes nothing any more.
        opened.set_authorizer(None)
        (blocked, _, _) = opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        opened.close()
        return None if blocked else found == (link.hash,)


@cache
def _many_rows(insert: str, row: str, size: int) -> str:
    return insert + ",".join([row] * size)
