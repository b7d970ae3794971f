"""A row of a book that the log does not bear out is found."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.bookaudit import book_problems
from ledger.claims import Eligibility, Press, decide_claim, decide_end
from ledger.fines import payment_unit
from ledger.giveaways import decide_create
from ledger.jails import bail_unit
from ledger.money import Amount
from ledger.offers import DEFAULT_SECONDS, Mode, Offer
from ledger.reserve import Refill, decide_refill
from ledger.roles import CONSOLE, Actor
from tests.ledger.bank import ALICE, BOB, CAROL, JUNO, Bank, arrival, canonical
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
    for number, mode in enumerate(Mode, 1):
        give(bank, number, mode)
    give(bank, 4, Mode.EQUAL)
    give(bank, 5, Mode.FIRST)
    bank.clock.time += 1000 * DEFAULT_SECONDS
    bank.decide(lambda view: decide_end(view, 4))
    bank.decide(lambda view: decide_end(view, 5))
    bank.block(arrived=-50)
    order = Refill(CONSOLE, JUNO, Amount(20), "my own coins")
    bank.decide(lambda view: decide_refill(view, "r", order))
    return bank


def give(bank: Bank, number: int, mode: Mode) -> None:
    """Begin giveaway ``number``, of 103 base units over 4 slots, and let Bob claim one."""
    offer = Offer(ALICE, ALICE, -500, JUNO, Amount(103), 4, mode)
    bank.decide(lambda view: decide_create(view, f"g{number}", offer, Actor(ALICE), "ab" * 32))
    press = Press(number, BOB, -500)
    bank.decide(lambda view: decide_claim(view, f"c{number}", press, lambda _: Eligibility()))


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
        (
            "UPDATE withdrawals SET state = 'returned' WHERE state = 'confirmed'",
            "did not end as the log says",
        ),
        ("DELETE FROM evidence WHERE about = 'shortfall'", "is a shortfall that no block is on record for"),
        ("UPDATE evidence SET height = height - 1", "is a shortfall that no block is on record for"),
        (
            "DELETE FROM admin_audit WHERE action = 'reserve.refilled'",
            "refilled SYSTEM_RESERVE without an order",
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
        (
            "INSERT INTO rule_violations VALUES (7, 1, 1, -100, 5, 22, 1, 1, 'warn', 1)",
            "the broken rule 7 brought a penalty that is not on record",
        ),
        (
            "INSERT INTO violations VALUES (9, 22, -100, 'warn', 'a link', 0, '1.1', 5, 1)",
            "violation 9 was found by a rule that knows nothing of it",
        ),
        ("UPDATE unclaimed SET remaining = 0", "UNCLAIMED owns another sum of ujuno"),
        (
            "UPDATE giveaways SET total = 104 WHERE id = 1",
            "giveaway 1 is not what was posted into its escrow",
        ),
        (
            "UPDATE giveaways SET funder = -1 WHERE id = 1",
            "giveaway 1 is not what was posted into its escrow",
        ),
        ("DELETE FROM giveaways WHERE id = 3", "account -1003 is the escrow of no giveaway"),
        ("INSERT INTO users VALUES (-1009, 'escrow', '', 0)", "account -1009 is the escrow of no giveaway"),
        (
            "UPDATE user_balances SET balance = 1 WHERE user_id = -1004",
            "escrow of giveaway 4 holds another sum",
        ),
        (
            "UPDATE user_balances SET balance = 0 WHERE user_id = -1002",
            "escrow of giveaway 2 holds another sum",
        ),
        (
            "UPDATE giveaways SET state = 'ended', ended_at = 1 WHERE id = 1",
            "escrow of giveaway 1 holds another sum",
        ),
        ("UPDATE giveaway_claims SET claimant = 33 WHERE giveaway = 1", "claim 1.1 is not what was posted"),
        ("UPDATE giveaway_claims SET posting = NULL WHERE giveaway = 3", "claim 3.1 is not what was posted"),
        ("UPDATE giveaways SET slots = 5 WHERE id = 1", "claim 1.1 was paid another share"),
        (
            "UPDATE giveaways SET seed = '{}' WHERE mode = 'random'".format("f" * 64),
            ".1 was paid another packet than its seed says",
        ),
        ("DELETE FROM giveaway_claims WHERE giveaway = 3", "to somebody who did not claim"),
        ("UPDATE giveaway_claims SET claimant = 33 WHERE giveaway = 4", "to somebody who did not claim"),
        ("INSERT INTO giveaway_claims VALUES (4, 2, 33, NULL, 1)", "giveaway 4 was not shared out equally"),
        (
            "UPDATE giveaways SET state = 'active', ended_at = NULL WHERE id = 5",
            "gives a giveaway back that is not over",
        ),
        (
            "UPDATE giveaways SET funder = 33, creator = 33 WHERE id = 5",
            "gives a giveaway back that is not over",
        ),
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
