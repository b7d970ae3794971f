"""Migrations: forward only, each whole or not at all, and never another program's database."""

import sqlite3
import stat
from pathlib import Path

import pytest

from ledger.audit import audit
from ledger.errors import WrongDatabase
from ledger.migrate import Migration, migrate, released, statements
from ledger.ports import Millis
from tests.ledger.desk import ledger_at, rows_of

NOW = Millis(7)
FIRST = Migration(1, "0001_first.sql", "CREATE TABLE a (x);\nCREATE TABLE b (x);\n")
SECOND = Migration(2, "0002_second.sql", "CREATE TABLE c (x);\nINSERT INTO nowhere VALUES (1);\n")

RELEASED: dict[str, str] = {}
"""Checksums of migrations that left the house: a released file is never edited, the next number corrects it."""


def tables(path: Path) -> set[str]:
    return {name for (name,) in rows_of(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_new_database_gets_them_all(path: Path) -> None:
    assert migrate(path, NOW) == len(released())
    assert {"users", "user_balances", "transactions", "transaction_locks"} <= tables(path)


def test_a_new_database_is_its_owners_alone(path: Path) -> None:
    """Names, balances and what members wrote in private are no other user's of the machine."""
    migrate(path, NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_is_recorded_with_its_checksum_and_time(path: Path) -> None:
    migrate(path, NOW)
    records = rows_of(path, "SELECT number, name, checksum, applied_at FROM schema_migrations")
    assert records == [(each.number, each.name, each.checksum, NOW) for each in released()]


def test_a_second_time_changes_nothing(path: Path) -> None:
    migrate(path, NOW)
    assert migrate(path, Millis(8)) == 0


def test_accounts_of_the_system_exist_from_the_first_on(path: Path) -> None:
    migrate(path, NOW)
    assert rows_of(path, "SELECT id FROM users ORDER BY id DESC") == [(-1,), (-2,), (-3,), (-4,), (-5,)]


def test_a_new_database_audits_clean(path: Path) -> None:
    migrate(path, NOW)
    assert audit(path).problems == ()


def test_every_prefix_upgrades_to_the_same_schema(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.db"
    migrate(fresh, NOW)
    schema = "SELECT name, sql FROM sqlite_master ORDER BY name"
    for done in range(1, len(released())):
        older = tmp_path / f"from-{done}.db"
        migrate(older, NOW, released()[:done])
        migrate(older, NOW)
        assert rows_of(older, schema) == rows_of(fresh, schema)


def test_one_that_fails_leaves_nothing_of_itself(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(path, NOW, [FIRST, SECOND])
    assert tables(path) == {"schema_migrations", "a", "b"}


def test_after_a_failure_the_corrected_one_goes_on(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(path, NOW, [FIRST, SECOND])
    assert migrate(path, NOW, [FIRST, SECOND._replace(sql="CREATE TABLE c (x);\n")]) == 1


def test_a_newer_database_is_refused(path: Path) -> None:
    migrate(path, NOW, [FIRST, SECOND._replace(sql="CREATE TABLE c (x);\n")])
    with pytest.raises(WrongDatabase, match="0002_second"):
        migrate(path, NOW, [FIRST])


def test_a_database_made_by_another_text_is_refused(path: Path) -> None:
    migrate(path, NOW, [FIRST])
    with pytest.raises(WrongDatabase, match="0001_first"):
        migrate(path, NOW, [FIRST._replace(sql="CREATE TABLE a (y);\n")])


async def test_the_service_does_not_open_a_newer_database(path: Path) -> None:
    migrate(
        path, NOW, [*released(), Migration(len(released()) + 1, "9999_future.sql", "CREATE TABLE f (x);\n")]
    )
    with pytest.raises(WrongDatabase, match="9999_future"):
        async with ledger_at(path):
            pass


def test_a_script_is_split_outside_of_triggers() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a\nBEGIN\n    DELETE FROM b;\n    DELETE FROM c;\nEND;\n"
    assert statements(f"CREATE TABLE a (x);\n{trigger}-- the end\n") == ["CREATE TABLE a (x);\n", trigger]


def test_a_script_that_ends_inside_a_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="inside a statement"):
        statements("CREATE TABLE a (x)\n")


def test_released_migrations_are_never_edited() -> None:
    known = {each.name: each.checksum for each in released()}
    assert RELEASED.items() <= known.items()
