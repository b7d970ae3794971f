"""Statements that would break the books, on the journal's own connection: each refused, each without effect."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ledger.connect import open_reader, open_writer
from ledger.store import Store
from ledger.writer import Writer
from tests.blank import lay_blank
from tests.ledger.bank import ALICE, JUNO, Bank, arrival
from tests.ledger.desk import ANN, BEN, StoppedClock, funding

NEXT = "(SELECT max(id) + 1 FROM transactions)"
POSTING = "INSERT INTO transactions VALUES"

DENIED = [
    # Balances, directly.
    "UPDATE user_balances SET balance = balance + 1 WHERE user_id = 11",
    "UPDATE user_balances SET last_tx = 0",
    "INSERT INTO user_balances VALUES (22, 'ujuno', 5, 0)",
    "INSERT INTO user_balances (user_id, denom) VALUES (22, 'ujuno')",
    "INSERT OR REPLACE INTO user_balances VALUES (11, 'ujuno', 5000, 2)",
    "REPLACE INTO user_balances VALUES (11, 'ujuno', 5000, 2)",
    "DELETE FROM user_balances WHERE user_id = 11",
    "INSERT INTO user_balances VALUES (11, 'ujuno', 1, 1) ON CONFLICT DO UPDATE SET balance = 5000",
    "WITH gift(n) AS (SELECT 5) UPDATE user_balances SET balance = (SELECT n FROM gift)",
    "UPDATE user_balances SET balance = 5 FROM users WHERE users.id = user_id",
    "UPDATE OR IGNORE user_balances SET balance = -1",
    "DELETE FROM user_balances RETURNING balance",
    "EXPLAIN UPDATE user_balances SET balance = 5",
    "UPDATE assets SET total = 0",
    "DELETE FROM assets",
    # The log.
    "UPDATE transactions SET amount = 1",
    "UPDATE OR REPLACE transactions SET id = 1 WHERE id = 2",
    "DELETE FROM transactions WHERE id = 2",
    "DELETE FROM entries",
    "UPDATE entries SET digest = x'00'",
    "DELETE FROM links",
    "UPDATE links SET hash = zeroblob(32)",
    # What the checks lean on.
    "INSERT INTO kinds VALUES ('gift', 'chain', 'user', 0)",
    "UPDATE kinds SET from_class = 'chain'",
    "DELETE FROM kinds",
    "UPDATE users SET id = 12 WHERE id = 11",
    "DELETE FROM users WHERE id = 11",
    "UPDATE schema_migrations SET checksum = ''",
    "DELETE FROM schema_migrations",
    # The schema and the connection.
    "DROP TRIGGER transactions_apply",
    "DROP TABLE transactions",
    "DROP INDEX transactions_resolved",
    "ALTER TABLE transactions RENAME TO old",
    "ALTER TABLE user_balances ADD COLUMN extra TEXT",
    "CREATE TABLE another (id INTEGER)",
    "CREATE TRIGGER gift AFTER INSERT ON outbox BEGIN UPDATE user_balances SET balance = 5000; END",
    "CREATE TEMP TRIGGER transactions_apply AFTER INSERT ON outbox BEGIN UPDATE user_balances SET balance = 9; END",
    "CREATE TEMP TABLE user_balances (user_id INTEGER)",
    "CREATE TEMP VIEW user_balances AS SELECT 1",
    "CREATE VIRTUAL TABLE words USING fts5(word)",
    "ATTACH DATABASE ':memory:' AS other",
    "VACUUM",
    "VACUUM INTO '/tmp/never-written.db'",
    "REINDEX",
    "ANALYZE",
    "PRAGMA writable_schema = ON",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA recursive_triggers = OFF",
    "PRAGMA ignore_check_constraints = ON",
    "PRAGMA synchronous = OFF",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA user_version = 7",
    "PRAGMA data_version = 7",
    "SELECT load_extension('x')",
    "PRAGMA schema_version = 7",
    "PRAGMA trusted_schema = ON",
    "PRAGMA defer_foreign_keys = ON",
    "PRAGMA legacy_alter_table = ON",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA max_page_count = 1",
    "SELECT * FROM pragma_table_info('users')",
    "CREATE TEMP TABLE mine AS SELECT * FROM users",
    "CREATE INDEX mine ON users (name)",
    "CREATE VIEW mine AS SELECT 1",
    "DROP TRIGGER transactions_no_delete",
    "DROP VIEW IF EXISTS sqlite_schema",
    "DETACH DATABASE main",
    "DELETE FROM sqlite_schema",
    "INSERT INTO sqlite_master VALUES ('trigger', 'x', 'users', 0, '')",
    "DELETE FROM sqlite_master WHERE type = 'trigger'",
    "UPDATE sqlite_master SET sql = ''",
]

REFUSED = {
    # Rows that lie about what was there before, or about what is left.
    "stale source": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 1, 11, 22, 1, 999, 0, 1, NULL, 0, '', 0)",
    "false source": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 1, 11, 22, 2, 1000, 0, 1, NULL, 0, '', 0)",
    "false destination": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 1, 11, 22, 2, 999, 0, 2, NULL, 0, '', 0)",
    "overdraft": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 1001, 11, 22, 2, -1, 0, 1001, NULL, 0, '', 0)",
    "overdraft of the reserve": (
        f"{POSTING} ({NEXT}, 1, 'adjustment', 'ujuno', 1, -2, 22, 2, -1, 0, 1, NULL, 0, '', 0)"
    ),
    "amount below one": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 0, 11, 22, 2, 1000, 0, 0, NULL, 0, '', 0)",
    "negative amount": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', -5, 22, 11, 0, 5, 2, 995, NULL, 0, '', 0)",
    "fraction": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 0.5, 11, 22, 2, 999.5, 0, 0.5, NULL, 0, '', 0)",
    "text": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 'all', 11, 22, 2, 0, 0, 1000, NULL, 0, '', 0)",
    "to oneself": f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 1, 11, 11, 2, 999, 2, 1001, NULL, 0, '', 0)",
    "chain to chain": (
        f"{POSTING} ({NEXT}, 1, 'deposit', 'ujuno', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, '', 0)"
    ),
    "without links": (
        f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 1, 11, 22, NULL, NULL, NULL, NULL, NULL, 0, '', 0)"
    ),
    "kind between other accounts": (
        f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 1, NULL, 22, NULL, NULL, 0, 1, NULL, 0, '', 0)"
    ),
    "unknown kind": f"{POSTING} ({NEXT}, 1, 'gift', 'ujuno', 1, 11, 22, 2, 999, 0, 1, NULL, 0, '', 0)",
    "unlisted denom": (
        f"{POSTING} ({NEXT}, 1, 'adjustment', 'uosmo', 1, NULL, -2, NULL, NULL, 0, 1, NULL, 0, '', 0)"
    ),
    "illegal account": (
        f"{POSTING} ({NEXT}, 1, 'transfer', 'ujuno', 1, 11, -1000, 2, 999, 0, 1, NULL, 0, '', 0)"
    ),
    "without entry": f"{POSTING} ({NEXT}, 404, 'transfer', 'ujuno', 1, 11, 22, 2, 999, 0, 1, NULL, 0, '', 0)",
    "replacing a row": (
        "REPLACE INTO transactions VALUES (2, 1, 'transfer', 'ujuno', 1, 11, 22, 2, 999, 0, 1, NULL, 0, '', 0)"
    ),
    "leaving a gap": f"{POSTING} (99, 1, 'transfer', 'ujuno', 1, 11, 22, 2, 999, 0, 1, NULL, 0, '', 0)",
    "reused key": "INSERT INTO entries VALUES (99, 'fund:1', x'00', 1)",
    "replaced key": "REPLACE INTO entries VALUES (99, 'fund:1', x'00', 1)",
    "broken chain": "INSERT INTO links VALUES (9, 1, 2, zeroblob(32))",
    "second link over the same rows": "INSERT INTO links VALUES (2, 1, 2, zeroblob(32))",
    "account beyond the scheme": "INSERT INTO users VALUES (-1000, 'escrow', 'x', 0)",
    "another account of the system": "INSERT INTO users VALUES (-6, 'system', 'x', 0)",
    "a person as system": "INSERT INTO users VALUES (5, 'system', 'x', 0)",
    "account replaced": "REPLACE INTO users VALUES (11, 'owner', 'x', 0)",
    "fencing token set back": "UPDATE transaction_locks SET fence = 1",
    "fencing token forgotten": "DELETE FROM transaction_locks",
    "asset with coins": "INSERT INTO assets VALUES ('uosmo', 'OSMO', 6, 5)",
    "asset replaced": "REPLACE INTO assets VALUES ('ujuno', 'JUNO', 6, 0)",
    "binding replaced": "REPLACE INTO identity VALUES ('chain_id', 'other')",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Books in which Ann (11) has 1,000 by row 2, and Ben (22) nothing."""
    path = tmp_path / "moneta.db"
    lay_blank(path)
    connection = sqlite3.connect(path)
    connection.executescript("""
        INSERT INTO assets (denom, symbol, decimals) VALUES ('ujuno', 'JUNO', 6);
        INSERT INTO users VALUES (11, 'member', 'Ann', 0), (22, 'member', 'Ben', 0);
        INSERT INTO transaction_locks VALUES ('poller', 'me', 2, 0);
        INSERT INTO identity VALUES ('chain_id', 'juno-1');
    """)
    connection.close()
    writer = Writer(Store(path), StoppedClock())
    assert writer.commit([funding(ANN, 1_000)]) == [(None, None)]
    writer.close()
    assert BEN == 22
    return path


CHAIN_BOOKS = {
    "a block read again": "UPDATE cursor SET height = height - 1",
    "a cursor forgotten": "DELETE FROM cursor",
    "a comparison forgotten": "DELETE FROM settled",
    "a deposit to somebody else": "UPDATE processed_deposits SET account = 22",
    "a deposit that may come again": "DELETE FROM processed_deposits",
    "an unclaimed coin forgotten": "DELETE FROM unclaimed",
    "an unclaimed coin grown": "UPDATE unclaimed SET amount = 5000, remaining = 5000",
    "evidence removed": "DELETE FROM evidence",
    "evidence forged": "UPDATE evidence SET facts = '{}'",
    "a withdrawal to another address": "UPDATE withdrawals SET address = 'juno1thief'",
    "a larger withdrawal": "UPDATE withdrawals SET amount = amount + 1",
    "a withdrawal that waits again": "UPDATE withdrawals SET state = 'queued' WHERE state = 'confirmed'",
    "a withdrawal confirmed without bytes": "UPDATE withdrawals SET state = 'confirmed' WHERE state = 'queued'",
    "a withdrawal forgotten": "DELETE FROM withdrawals",
    "other bytes": "UPDATE signed_transactions SET bytes = x'00'",
    "another sequence": "UPDATE signed_transactions SET sequence = sequence + 1",
    "bytes forgotten": "DELETE FROM signed_transactions",
    "bytes revived": "UPDATE signed_transactions SET state = 'signed' WHERE state = 'confirmed'",
    "bytes that pay nobody": "DELETE FROM payouts",
    "bytes that pay another": "UPDATE payouts SET withdrawal = (SELECT max(id) FROM withdrawals)",
    "an inclusion forgotten": "DELETE FROM inclusions",
    "an inclusion with another code": "UPDATE inclusions SET code = 5",
    "a freeze forgotten": "DELETE FROM freezes",
    "a freeze of another": "UPDATE freezes SET account = 11",
    "a freeze with another reason": "UPDATE freezes SET reason = 'ordered'",
    "a lock on money taken away": "DELETE FROM transaction_locks WHERE role = 'scanner'",
}
"""On books with one of everything: what the chain's books say does not change afterwards."""


@pytest.fixture(scope="module")
def chain_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "books.db"
    bank = Bank(path)
    bank.open(held=1_000)
    bank.deposit(ALICE, 50_000)
    bank.block(arrival("7", "nobody"), arrived=9)
    paid = bank.ask("k1", 4_000)
    bank.sign(paid)
    bank.block(ours=[bank.executed(paid)])
    bank.ask("k2", 4_000)
    bank.chain[JUNO] -= 1
    bank.block()
    bank.writer.close()
    with closing(sqlite3.connect(path)) as connection:
        empty = [
            table
            for table in ("settled", "unclaimed", "evidence", "payouts", "inclusions", "freezes")
            if not connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        ]
    assert empty == []
    return path


@pytest.mark.parametrize("statement", CHAIN_BOOKS.values(), ids=CHAIN_BOOKS.keys())
@pytest.mark.parametrize("opened", [open_writer, partial(sqlite3.connect, isolation_level=None)])
def test_the_books_of_the_chain_refuse(
    chain_books: Path, opened: Callable[[Path], sqlite3.Connection], statement: str
) -> None:
    before = dump(chain_books)
    with closing(opened(chain_books)) as connection, pytest.raises(sqlite3.DatabaseError):
        connection.execute(statement)
    assert dump(chain_books) == before


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_writer(path)
    yield opened
    opened.close()


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


@pytest.mark.parametrize("statement", DENIED)
def test_is_denied_before_it_runs(path: Path, connection: sqlite3.Connection, statement: str) -> None:
    before = dump(path)
    with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited|denied|not be modified"):
        connection.execute(statement).fetchall()
    assert dump(path) == before


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED.keys())
def test_is_refused_by_the_database_itself(
    path: Path, connection: sqlite3.Connection, statement: str
) -> None:
    before = dump(path)
    with pytest.raises(sqlite3.DatabaseError):
        connection.execute(statement)
    assert dump(path) == before


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED.keys())
def test_is_refused_without_an_authorizer_too(path: Path, statement: str) -> None:
    """A person with the sqlite3 shell and its default pragmas cannot either."""
    before = dump(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    with pytest.raises(sqlite3.DatabaseError):
        connection.execute(statement)
    connection.close()
    assert dump(path) == before


def test_a_row_of_the_log_cannot_be_replaced_whatever_the_pragmas(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA recursive_triggers = OFF")
    with pytest.raises(sqlite3.IntegrityError, match="without gaps"):
        connection.execute(REFUSED["replacing a row"])
    connection.close()


def test_an_honest_posting_on_the_same_connection_passes(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO entries VALUES (3, 'k', x'00', 1)")
    connection.execute(f"{POSTING} (3, 3, 'transfer', 'ujuno', 1, 11, 22, 2, 999, 0, 1, NULL, 0, '', 0)")
    balances = connection.execute(
        "SELECT balance FROM user_balances WHERE user_id > 0 ORDER BY user_id"
    ).fetchall()
    assert balances == [(999,), (1,)]


@pytest.mark.parametrize(
    "statement", ["INSERT INTO outbox (event) VALUES ('x')", "DELETE FROM outbox", "PRAGMA query_only = OFF"]
)
def test_a_reader_cannot_write(path: Path, statement: str) -> None:
    reader = open_reader(path)
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        reader.execute(statement)
    reader.close()


def test_at_least_27_attacks_are_tried() -> None:
    assert len(DENIED) + len(REFUSED) >= 27
