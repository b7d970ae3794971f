"""The one place that opens SQLite: pragmas first, then an authorizer that says what a connection may do.

The authorizer runs when a statement is prepared, so it costs nothing afterwards (ledger.md, Model). What it forbids
no code of ours can do by mistake, and no text that reached SQL by mistake can do on purpose.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

CHECKPOINT_PAGES: Final = 16_000
"""The log is written back into the file when it is this long (64 MB): rarely, so that few commits pay for it."""

PAGE_BYTES: Final = 4096

WRITER_CACHE: Final = -65_536
"""64 MB, spelled as SQLite wants it: negative KiB."""

COPY_ATTEMPTS: Final = 40
COPY_PAUSE_SECONDS: Final = 0.25
"""Ten seconds for a process that keeps the database to itself."""

BALANCE_TRIGGERS: Final = frozenset({"transactions_apply", "transactions_open_balances"})
TOTAL_TRIGGERS: Final = frozenset({"transactions_total"})

APPEND_ONLY: Final = frozenset(
    {"transactions", "entries", "links", "identity", "chat_rules", "rule_violations"}
)
FIXED: Final = frozenset({"kinds", "schema_migrations"})
KEPT: Final = frozenset({"users", "assets", "user_balances"})

_READS: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
_FORBIDDEN_FUNCTIONS: Final = frozenset({"load_extension", "writefile", "edit", "fts3_tokenizer"})
_READABLE_PRAGMAS: Final = frozenset({"data_version"})

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


def open_writer(
    path: Path, *, checkpoint_pages: int = CHECKPOINT_PAGES, reserved_pages: int = 0
) -> sqlite3.Connection:
    """Open the journal's connection. BUSY is raised at once: waiting is the event loop's business.

    ``checkpoint_pages`` 0 leaves checkpoints to the caller (a simulation makes them a step of their own).
    ``reserved_pages`` are written into the log now, so that commits overwrite what is there: an fsync that also has
    to record a longer file costs half as much again.
    """
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw")
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"wal_autocheckpoint = {checkpoint_pages}",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        "trusted_schema = OFF",
        f"cache_size = {WRITER_CACHE}",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    if reserved_pages:
        _reserve_log(connection, reserved_pages)
    connection.set_authorizer(authorize_writer)
    return connection


def _reserve_log(connection: sqlite3.Connection, pages: int) -> None:
    """Make the log ``pages`` long by a transaction that spills into it and is rolled back."""
    # Pages reach the log before a COMMIT only when the cache cannot hold them.
    connection.execute("PRAGMA cache_size = 100")
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TABLE reserved (pages BLOB)")
        connection.execute("INSERT INTO reserved VALUES (zeroblob(?))", (pages * PAGE_BYTES,))
    finally:
        # SQLITE_FULL has rolled back already, and its error is the one to see.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA cache_size = {WRITER_CACHE}")


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write: the file mode says so, and the authorizer says it again."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=ro")
    for pragma in ("query_only = ON", "trusted_schema = OFF", "cache_size = -16384", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.set_authorizer(authorize_reader)
    return connection


def open_migrator(path: Path) -> sqlite3.Connection:
    """Open, or make, the database for migrations: without an authorizer, and closed before anybody else opens it.

    A new one can be read by its owner only, and so can the log that SQLite keeps beside it.
    """
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = _connect(f"{path.absolute().as_uri()}?mode=rwc")
    for pragma in (
        f"page_size = {PAGE_BYTES}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def copy_database(source: Path, target: Path) -> None:
    """Copy the database at ``source`` into the empty file ``target`` as it is at one moment, whoever writes meanwhile.

    The copy has no log beside it, so that it is one file. Raises sqlite3.OperationalError (BUSY) when another process
    keeps the source to itself.
    """
    waits = 0

    def wait(status: int, _remaining: int, _pages: int) -> None:
        # Without a limit of our own, the copy would be tried again for ever.
        nonlocal waits
        waits += status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if waits > COPY_ATTEMPTS:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = status
            raise error

    with (
        closing(open_reader(source)) as reading,
        closing(_connect(f"{target.absolute().as_uri()}?mode=rw")) as copy,
    ):
        reading.backup(copy, progress=wait, sleep=COPY_PAUSE_SECONDS)
        copy.execute("PRAGMA journal_mode = DELETE")


def fold_log(path: Path) -> None:
    """Write the log of the database at ``path`` back into the file, so that the file is all of it.

    Raises sqlite3.OperationalError (BUSY) while another process uses it, and other errors of a damaged database.
    """
    with closing(_connect(f"{path.absolute().as_uri()}?mode=rw")) as connection:
        (blocked, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if blocked:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error


def _connect(uri: str) -> sqlite3.Connection:
    # Transactions are begun and ended by us alone (isolation_level None); the runner of blocking calls may
    # use another thread than the one that opened, never two at once (check_same_thread False).
    return sqlite3.connect(
        uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=512
    )


def authorize_reader(
    action: int, _first: str | None, second: str | None, _db: str | None, _by: str | None
) -> int:
    """Allow reading alone."""
    if action in _READS or (action == sqlite3.SQLITE_FUNCTION and second not in _FORBIDDEN_FUNCTIONS):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_TRANSACTION:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def authorize_writer(
    action: int, first: str | None, second: str | None, _db: str | None, by: str | None
) -> int:
    """Allow reading, and writing where ``_may_write`` does; no schema, no pragma, no other file.

    ``by`` is the innermost trigger that acts. Triggers are known by name: "inside any trigger" let a TEMP trigger
    write balances.
    """
    if authorize_reader(action, first, second, _db, by) == sqlite3.SQLITE_OK:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        allowed = first in _READABLE_PRAGMAS and second is None
    else:
        allowed = first is not None and _may_write(action, first, second, by)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _may_write(action: int, table: str, column: str | None, trigger: str | None) -> bool:
    if action == sqlite3.SQLITE_INSERT:
        return _may_insert(table, trigger)
    if action == sqlite3.SQLITE_UPDATE:
        return _may_update(table, column, trigger)
    return (
        action == sqlite3.SQLITE_DELETE and table not in APPEND_ONLY | FIXED | KEPT and not _is_schema(table)
    )


def _may_insert(table: str, trigger: str | None) -> bool:
    if table == "user_balances":
        return trigger in BALANCE_TRIGGERS
    # json_each asks to write the schema table of its own; without writable_schema nobody else gets there.
    return table not in FIXED


def _may_update(table: str, column: str | None, trigger: str | None) -> bool:
    if table == "user_balances":
        return trigger in BALANCE_TRIGGERS
    if table == "assets" and column == "total":
        return trigger in TOTAL_TRIGGERS
    if table == "users":
        return column in {"role", "name"}
    return table not in APPEND_ONLY | FIXED


def _is_schema(table: str) -> bool:
    return table.startswith("sqlite_")
