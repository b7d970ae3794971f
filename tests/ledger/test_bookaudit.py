"""A row of a book that the log does not bear out is found."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.bookaudit import book_problems
from ledger.fines import payment_unit
from ledger.jails import bail_unit
from tests.ledger.bank import ALICE, CAROL, Bank, arrival, canonical
from tests.ledger.court import fine, jail


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Books with one of everything."""
    bank = Bank(tmp_path / "books.db")
    bank.open(held=1_000)
    bank.deposit(ALICE, 50_000)
    bank.block(arrival("7", "nobody"), arrived=9)
    paid, cancelled = bank.ask("k1", 4_000), bank.ask("k2", 4_000)
    assert paid.id < cancelled.id
    bank.sign(paid)
    bank.block(ours=[bank.executed(paid)])
    bank.sign(cancelled, name="B")
    bank.ask("k3", 4_000)
    bank.write("UPDATE users SET role = 'admin' WHERE id = ?", CAROL)
    bank.do(payment_unit("k4", ALICE, fine(bank).id))
    bank.do(bail_unit("k5", ALICE, jail(bank).id, {}))
    return bank


@pytest.fixture
def file(bank: Bank, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The same file, open to somebody who goes around the program: no triggers, no authorizer."""
    bank.writer.close()
    with closing(sqlite3.connect(tmp_path / "books.db", isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection


def test_books_that_were_kept_by_the_program_are_clean(file: sqlite3.Connection) -> None:
    assert book_problems(file) == []


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            "UPDATE withdrawals SET amount = amount + 1 WHERE state = 'queued'",
            "not what was posted into WITHDRAWALS",
        ),
        ("DELETE FROM withdrawals WHERE state = 'queued'", "waits in WITHDRAWALS for no withdrawal"),
        (
            "UPDATE withdrawals SET state = 'queued', resolution = NULL WHERE state = 'confirmed'",
            "did not end as the log says",
        ),
        (
            "UPDATE signed_transactions SET state = 'expired', ended_height = 1",
            "bytes or its lock are missing",
        ),
        ("DELETE FROM transaction_locks WHERE expires_at IS NULL", "bytes or its lock are missing"),
        ("INSERT INTO transaction_locks VALUES ('withdrawal:1', 'x', 1, NULL)", "outlived its reason"),
        ("UPDATE processed_deposits SET amount = '51000' WHERE account = 11", "not what was posted for it"),
        ("UPDATE processed_deposits SET account = 22 WHERE account = 11", "not what was posted for it"),
        ("DELETE FROM processed_deposits", "deposit of no transaction on chain"),
        ("UPDATE fines SET amount = amount + 1", "fine 1 is not what was posted"),
        ("UPDATE fines SET person = 22", "fine 1 is not what was posted"),
        ("UPDATE fines SET state = 'forgiven', posting = NULL", "pays no fine"),
        ("UPDATE jails SET bail = bail + 1", "jail 2 is not what was posted"),
        ("UPDATE jails SET ended_by = 22", "jail 2 is not what was posted"),
        ("UPDATE jails SET state = 'released', posting = NULL", "is bail for nobody"),
        ("DELETE FROM jails", "is neither"),
        ("UPDATE unclaimed SET remaining = 0", "UNCLAIMED owns another sum of ujuno"),
        ("UPDATE settled SET balance = balance + 1", "than was proved at the cursor"),
    ],
)
def test_what_the_log_does_not_bear_out_is_found(file: sqlite3.Connection, sql: str, problem: str) -> None:
    file.execute(sql)
    assert any(problem in found for found in book_problems(file)), book_problems(file)


def test_a_signed_transaction_that_ended_needs_no_lock(bank: Bank) -> None:
    assert bank.transaction_state() == "confirmed"
    locks = bank.read("SELECT holder FROM transaction_locks WHERE expires_at IS NULL")
    assert locks == [{"holder": canonical("B")}]
