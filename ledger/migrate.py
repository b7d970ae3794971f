"""Brings a database to this program's schema: numbered SQL, forward only, each file with its record in one transaction."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from ledger.connect import open_migrator, open_reader
from ledger.errors import WrongDatabase
from ledger.ports import Millis

_RECORDS: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL
) STRICT
"""


class Migration(NamedTuple):
    """One numbered file: what it is called and what it does."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return what a released migration is known by for ever."""
        return sha256(self.sql.encode()).hexdigest()


def released() -> list[Migration]:
    """Return this program's migrations in order. Raises ValueError when their numbers have a gap."""
    found = sorted(item.name for item in files("migrations").iterdir() if item.name.endswith(".sql"))
    migrations = [_read(name) for name in found]
    if [migration.number for migration in migrations] != list(range(1, len(migrations) + 1)):
        raise ValueError(f"migrations are numbered from 1 without gaps: {found}")
    return migrations


def _read(name: str) -> Migration:
    number = int(name.partition("_")[0])
    return Migration(number, name, files("migrations").joinpath(name).read_text(encoding="utf-8"))


def migrate(path: Path, now: Millis, migrations: list[Migration] | None = None) -> int:
    """Apply what is missing in the database at ``path`` (made when absent); return how many were applied.

    Raises:
        WrongDatabase: the file is from a newer program, one of its migrations is not the one we know, or it has tables
            of another kind.
        sqlite3.OperationalError: BUSY, when another process is at it; nothing of a migration stays half done.
    """
    wanted = released() if migrations is None else migrations
    connection = open_migrator(path)
    try:
        applied = 0
        while _apply_next(connection, wanted, now):
            applied += 1
        return applied
    finally:
        connection.close()


def missing(path: Path) -> int:
    """Return how many migrations the books at ``path`` lack.

    Raises WrongDatabase for a file that holds no books, and as `migrate` does.
    """
    with closing(open_reader(path)) as connection:
        if "schema_migrations" not in _tables(connection):
            raise WrongDatabase(f"{path} holds no books")
        wanted = released()
        return len(wanted) - _check_records(connection, wanted)


def _refuse_strangers(connection: sqlite3.Connection) -> None:
    if (found := _tables(connection)) and "schema_migrations" not in found:
        raise WrongDatabase("it holds no books, but something else")


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def _apply_next(connection: sqlite3.Connection, wanted: list[Migration], now: Millis) -> bool:
    """Apply one missing migration in a transaction of its own; tell whether there was one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        _refuse_strangers(connection)
        connection.execute(_RECORDS)
        done = _check_records(connection, wanted)
        if done < len(wanted):
            _apply(connection, wanted[done], now)
        connection.execute("COMMIT")
    except BaseException:
        # Also when the process is being stopped: an interrupted migration leaves nothing.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return done < len(wanted)


def _check_records(connection: sqlite3.Connection, wanted: list[Migration]) -> int:
    records = connection.execute(
        "SELECT number, name, checksum FROM schema_migrations ORDER BY number"
    ).fetchall()
    if len(records) > len(wanted):
        raise WrongDatabase(f"the database has migration {records[-1][1]}, newer than this program")
    for (_, name, checksum), migration in zip(records, wanted, strict=False):
        if checksum != migration.checksum:
            raise WrongDatabase(
                f"the database was made with another {name} than this program's {migration.name}"
            )
    return len(records)


def _apply(connection: sqlite3.Connection, migration: Migration, now: Millis) -> None:
    for statement in statements(migration.sql):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
        (migration.number, migration.name, migration.checksum, now),
    )


def statements(sql: str) -> list[str]:
    """Split a script into statements; ``executescript`` would commit the transaction that must hold them all."""
    found: list[str] = []
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    if any(line.strip() and not line.strip().startswith("--") for line in pending.splitlines()):
        raise ValueError(f"a migration ends inside a statement: {pending[:80]!r}")
    return found
