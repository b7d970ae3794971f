"""A backup is whole and audited or not there; a restore keeps what it replaces and says that it happened."""

import errno
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ledger import backup as backups
from ledger.audit import audit
from ledger.backup import RESTORING, CannotCopy, ClockBehind, Restored, back_up, in_use, restore
from ledger.claims import decide_cancel
from ledger.clocks import DRIFT_MS
from ledger.errors import BrokenInvariant, Unavailable, WrongDatabase
from ledger.giveaways import decide_create
from ledger.money import Amount
from ledger.offers import Offer
from ledger.presence import Presence
from ledger.roles import Actor
from tests.ledger.bank import ALICE, JUNO, Bank
from tests.ledger.desk import StoppedClock, rows_of

IDENTITY = {"chain_id": "testing-1", "address": "juno1treasury", "bot_id": "7"}


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Books in use: open, with commits that are in the log alone."""
    bank = Bank(tmp_path / "books.db")
    bank.open(held=1_000)
    bank.write("INSERT INTO identity VALUES ('chain_id', 'testing-1')")
    bank.deposit(ALICE, 50_000)
    return bank


@pytest.fixture
def database(bank: Bank, tmp_path: Path) -> Path:
    """The same books, closed."""
    bank.writer.close()
    return tmp_path / "books.db"


@pytest.fixture
def copy(database: Path, tmp_path: Path) -> Path:
    """A backup of them."""
    back_up(database, tmp_path / "copy.db")
    return tmp_path / "copy.db"


def put_back(copy: Path, database: Path, identity: dict[str, str] | None = None) -> Restored:
    return restore(copy, database, clock=StoppedClock(), identity=identity or IDENTITY, quiet_blocks=100)


def tamper(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(sql)


def names(path: Path) -> set[str]:
    return {each.name for each in path.iterdir()}


def test_a_backup_of_books_in_use_holds_every_commit(bank: Bank, tmp_path: Path) -> None:
    report = back_up(tmp_path / "books.db", tmp_path / "copy.db")
    assert report.totals == {"ujuno": 51_000}
    assert audit(tmp_path / "copy.db") == report
    bank.deposit(ALICE, 1)  # and they go on


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_restored_by_root_they_belong_to_whose_they_were(copy: Path, database: Path) -> None:
    """The bot of another user could not open them otherwise."""
    os.chown(database, 12_345, 23_456)
    put_back(copy, database)
    assert (database.stat().st_uid, database.stat().st_gid) == (12_345, 23_456)


def test_a_backup_is_one_file_of_its_owner(copy: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert names(tmp_path) - {"books.db-wal", "books.db-shm"} == {"books.db", "copy.db"}


def test_a_backup_is_never_written_over(database: Path, copy: Path) -> None:
    before = copy.read_bytes()
    with pytest.raises(CannotCopy, match="exists"):
        back_up(database, copy)
    assert copy.read_bytes() == before


@pytest.mark.parametrize("why", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_links_takes_a_backup_all_the_same(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    """As a stick with FAT, or a share of another machine."""

    def refuse(*_: object) -> None:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(os, "link", refuse)
    report = back_up(database, tmp_path / "copy.db")
    assert audit(tmp_path / "copy.db") == report
    assert names(tmp_path) - {"books.db-wal", "books.db-shm"} == {"books.db", "copy.db"}
    with pytest.raises(CannotCopy, match="exists"):
        back_up(database, tmp_path / "copy.db")


def test_a_target_that_appears_meanwhile_is_not_replaced(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "late.db"

    def audit_slowly(path: Path) -> object:
        target.write_text("somebody else's")
        return audit(path)

    monkeypatch.setattr(backups, "audit", audit_slowly)
    with pytest.raises(CannotCopy):
        back_up(database, target)
    assert target.read_text() == "somebody else's"


@pytest.mark.parametrize("target", ["no/such/directory.db", "books.db"])
def test_a_target_that_cannot_be_is_refused(database: Path, tmp_path: Path, target: str) -> None:
    with pytest.raises(CannotCopy):
        back_up(database, tmp_path / target)


def test_there_is_no_backup_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(CannotCopy):
        back_up(tmp_path / "books.db", tmp_path / "copy.db")
    assert names(tmp_path) == set()


def test_a_copy_that_does_not_pass_its_audit_is_not_kept(database: Path, tmp_path: Path) -> None:
    tamper(database, "UPDATE user_balances SET balance = balance + 1 WHERE user_id = 11")
    with pytest.raises(BrokenInvariant, match="account 11"):
        back_up(database, tmp_path / "copy.db")
    assert "copy.db" not in names(tmp_path)
    assert not [name for name in names(tmp_path) if "draft" in name]


def test_what_a_killed_backup_left_does_not_stop_the_next(database: Path, tmp_path: Path) -> None:
    (tmp_path / ".copy.db.draft").write_text("half a file")
    (tmp_path / "copy.db-copy.alive").touch()
    back_up(database, tmp_path / "copy.db")
    assert audit(tmp_path / "copy.db").clean
    assert not [name for name in names(tmp_path) if "draft" in name or "alive" in name]


def test_a_database_that_another_keeps_to_itself_is_given_up(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.connect.COPY_ATTEMPTS", 2)
    monkeypatch.setattr("ledger.connect.COPY_PAUSE_SECONDS", 0.001)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            back_up(database, tmp_path / "copy.db")
    assert "copy.db" not in names(tmp_path)


def test_a_restore_brings_the_books_back(bank: Bank, copy: Path, tmp_path: Path) -> None:
    database = tmp_path / "books.db"
    bank.deposit(ALICE, 7)
    bank.writer.close()
    restored = put_back(copy, database)
    assert restored.report.totals == {"ujuno": 51_000}
    assert rows_of(database, "SELECT balance FROM user_balances WHERE user_id = 11") == [(50_000,)]


def test_a_restore_keeps_what_it_replaces_with_its_log(bank: Bank, copy: Path, tmp_path: Path) -> None:
    bank.deposit(ALICE, 7)
    restored = put_back(copy, tmp_path / "books.db")
    assert restored.replaced is not None
    assert audit(restored.replaced).totals == {"ujuno": 51_007}


def test_a_restore_of_damaged_books_keeps_file_and_log_apart(
    database: Path, copy: Path, tmp_path: Path
) -> None:
    database.write_bytes(b"nothing like a database")
    (tmp_path / "books.db-wal").write_bytes(b"a log")
    restored = put_back(copy, database)
    assert restored.replaced is not None
    assert restored.replaced.read_bytes() == b"nothing like a database"
    assert (tmp_path / f"{restored.replaced.name}-wal").read_bytes() == b"a log"
    assert audit(database).clean


def test_a_restore_needs_no_database_before(copy: Path, tmp_path: Path) -> None:
    restored = put_back(copy, tmp_path / "new.db")
    assert restored.replaced is None
    assert audit(tmp_path / "new.db").clean


def test_restored_books_say_so_and_how_far_the_lost_ones_had_come(
    bank: Bank, copy: Path, tmp_path: Path
) -> None:
    for _ in range(3):
        bank.block()
    bank.writer.close()
    put_back(copy, tmp_path / "books.db")
    (row,) = rows_of(
        tmp_path / "books.db", "SELECT reach_height, quiet_blocks, tip_height, replayed_height FROM restores"
    )
    assert row == (bank.height, 100, None, None)


@pytest.mark.parametrize("signed", ["before the backup", "after it"])
def test_a_replay_outlasts_whatever_was_signed(bank: Bank, tmp_path: Path, signed: str) -> None:
    """However long signed bytes live by today's settings: those of the lost books live as long as they say."""
    asked = bank.ask("k", 4_000)
    if signed == "before the backup":
        bank.sign(asked, timeout=700)
    back_up(tmp_path / "books.db", tmp_path / "copy.db")
    if signed == "after it":
        bank.sign(asked, timeout=700)
    bank.writer.close()
    put_back(tmp_path / "copy.db", tmp_path / "books.db")
    assert rows_of(tmp_path / "books.db", "SELECT quiet_blocks FROM restores") == [(700,)]


def test_cards_of_what_runs_again_are_shown_anew(bank: Bank, tmp_path: Path) -> None:
    """The lost books may have ended it: its card says so, and has no button any more."""
    begin = Offer(ALICE, ALICE, -500, JUNO, Amount(100), 4)
    bank.decide(lambda view: decide_create(view, "g1", begin, Actor(ALICE), "ab" * 32))
    back_up(tmp_path / "books.db", tmp_path / "copy.db")
    bank.decide(lambda view: decide_cancel(view, 1, Actor(ALICE)))
    bank.writer.close()
    put_back(tmp_path / "copy.db", tmp_path / "books.db")
    shown = rows_of(
        tmp_path / "books.db",
        "SELECT event, recipient, subject, facts, state FROM outbox WHERE subject NOT NULL",
    )
    assert shown == [("giveaway.changed", -500, "giveaway:1", '{"giveaway":1}', "pending")]


def test_a_clock_that_may_be_behind_is_named_and_nothing_is_restored(database: Path, copy: Path) -> None:
    before = database.read_bytes()
    clock = StoppedClock()
    clock.time -= DRIFT_MS + 1_000
    with pytest.raises(ClockBehind, match="61 seconds"):
        restore(copy, database, clock=clock, identity=IDENTITY, quiet_blocks=100)
    assert database.read_bytes() == before


def test_a_posting_of_a_clock_that_was_ahead_does_not_stretch_the_replay(tmp_path: Path, copy: Path) -> None:
    clock = StoppedClock()
    clock.time -= 365 * 24 * 3_600_000
    target = tmp_path / "elsewhere.db"
    restore(copy, target, clock=clock, identity=IDENTITY, quiet_blocks=100, clock_is_right=True)
    ((at,),) = rows_of(target, "SELECT restored_at FROM restores")
    assert at == clock.now() + DRIFT_MS


def test_blocks_that_either_books_knew_are_before_the_restore(database: Path, copy: Path) -> None:
    clock = StoppedClock()
    clock.time = 5
    restore(copy, database, clock=clock, identity=IDENTITY, quiet_blocks=100, clock_is_right=True)
    ((at, block_time),) = rows_of(database, "SELECT restored_at, block_time FROM restores, cursor")
    assert at >= block_time > 5


def test_a_clock_behind_an_unfinished_restore_is_named(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO restores (restored_at, reach_height, quiet_blocks, last_tx) VALUES (?, 0, 1, 0)",
            (StoppedClock().time + DRIFT_MS + 3_600_000,),
        )
    with pytest.raises(ClockBehind, match="3600 seconds"):
        put_back(copy, database)


def test_a_second_restore_knows_what_the_first_had_to_wait_for(database: Path, copy: Path) -> None:
    """The wrong backup first: how far the books before both had come, and how long their bytes live."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO restores (restored_at, reach_height, quiet_blocks, last_tx) VALUES (0, 4711, 815, 0)"
        )
    put_back(copy, database)
    assert rows_of(database, "SELECT reach_height, quiet_blocks FROM restores") == [(4711, 815)]


def test_nothing_is_restored_under_a_process_that_runs(database: Path, copy: Path) -> None:
    before = database.read_bytes()
    running = Presence(database, "running")
    with pytest.raises(Unavailable, match="stop them first"):
        put_back(copy, database)
    running.close()
    assert database.read_bytes() == before
    put_back(copy, database)


def test_nothing_is_written_into_books_that_are_replaced_meanwhile(database: Path) -> None:
    restoring = Presence(database, RESTORING)
    with pytest.raises(Unavailable, match="a restore is under way"), in_use(database, "console"):
        pytest.fail("what is written now is lost")
    restoring.close()
    with in_use(database, "console"):
        pass


def test_a_restore_can_be_seen_by_who_wants_to_start(database: Path) -> None:
    restoring = Presence(database, RESTORING)
    starting = Presence(database, "starting")
    assert starting.others() == [RESTORING]
    restoring.close()
    assert starting.others() == []
    starting.close()


def test_a_backup_of_another_chain_is_refused(database: Path, copy: Path) -> None:
    before = database.read_bytes()
    with pytest.raises(WrongDatabase, match="testing-1"):
        put_back(copy, database, {**IDENTITY, "chain_id": "juno-1"})
    assert database.read_bytes() == before


def test_a_backup_of_a_newer_program_is_refused(database: Path, copy: Path) -> None:
    tamper(copy, "INSERT INTO schema_migrations VALUES (999, '0999_later.sql', '', 0)")
    with pytest.raises(WrongDatabase, match="newer"):
        put_back(copy, database)


def test_a_backup_that_was_tampered_with_is_refused(database: Path, copy: Path) -> None:
    before = database.read_bytes()
    tamper(copy, "UPDATE transactions SET amount = amount + 1 WHERE id = 1")
    with pytest.raises((BrokenInvariant, WrongDatabase)):
        put_back(copy, database)
    assert database.read_bytes() == before


def test_the_database_is_not_its_own_backup(database: Path) -> None:
    with pytest.raises(CannotCopy):
        put_back(database, database)


@pytest.mark.parametrize("step", ["fold_log", "_link", "_flush"])
def test_a_restore_that_fails_at_any_step_leaves_the_books(
    database: Path, copy: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, step, fail)
    with pytest.raises(OSError, match="No space"):
        put_back(copy, database)
    assert audit(database).totals == {"ujuno": 51_000}
    assert rows_of(database, "SELECT count(*) FROM restores") == [(0,)]
    assert not [name for name in names(database.parent) if "draft" in name]


def test_a_file_that_is_no_database_is_not_put_in_place(database: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Ann, " * 500)
    with pytest.raises(sqlite3.DatabaseError):
        put_back(tmp_path / "letter.db", database)
    assert audit(database).clean
