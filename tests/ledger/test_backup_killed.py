"""Kill -9 at every step that touches a file: the books are the old ones or the restored ones, whole, and no half copy."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ledger.audit import audit
from ledger.backup import back_up, restore
from tests.ledger.bank import ALICE, Bank
from tests.ledger.desk import StoppedClock, rows_of
from tests.ledger.killing import Deadly
from tests.warm import ended

WATCHED = {"open", "os.link", "os.rename", "os.remove", "os.truncate", "sqlite3.connect"}
STEPS = 60
"""More than either act has; the last ones run through."""


def act(step: int, what: str, place: Path) -> bool:
    """Do ``what`` and be killed at ``step``; tell whether it came to its end."""
    return ended(_act, step, what, place) == 0


def _act(step: int, what: str, place: Path) -> None:
    deadly = Deadly("step", step)
    sys.addaudithook(lambda event, _: deadly.at("step") if event in WATCHED else None)
    if what == "backup":
        back_up(place / "books.db", place / "new.db")
    else:
        restore(place / "copy.db", place / "books.db", clock=StoppedClock(), identity={}, quiet_blocks=9)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Books with 51,007 in them, whose last commits are in the log alone, and a backup with 51,000."""
    bank = Bank(tmp_path / "live.db")
    bank.open(held=1_000)
    bank.deposit(ALICE, 50_000)
    back_up(tmp_path / "live.db", tmp_path / "copy.db")
    bank.deposit(ALICE, 7)
    for suffix in ("", "-wal"):
        (tmp_path / f"books.db{suffix}").write_bytes((tmp_path / f"live.db{suffix}").read_bytes())
    bank.writer.close()
    return tmp_path


@pytest.mark.slow
def test_a_killed_restore_leaves_old_books_or_restored_ones(place: Path) -> None:
    before = {name: (place / name).read_bytes() for name in ("books.db", "books.db-wal", "copy.db")}
    seen: set[tuple[int, int]] = set()
    for step in range(1, STEPS):
        for each in place.iterdir():
            each.unlink()
        for name, content in before.items():
            (place / name).write_bytes(content)
        done = act(step, "restore", place)
        report = audit(place / "books.db")
        assert report.clean, (step, report.problems)
        restored = rows_of(place / "books.db", "SELECT count(*) FROM restores")[0][0]
        # What was replaced is never lost, and restored books always say that they are.
        assert (report.totals["ujuno"], restored) in {(51_007, 0), (51_000, 1)}, step
        assert (place / "copy.db").read_bytes() == before["copy.db"]
        if restored:
            (aside,) = (each for each in place.glob("books.db.replaced-*") if each.suffix[-4:] != "-wal")
            assert audit(aside).totals == {"ujuno": 51_007}
        seen.add((report.totals["ujuno"], restored))
        if done:
            break
    else:
        pytest.fail("the restore never came to its end")
    assert len(seen) == 2


@pytest.mark.slow
def test_a_killed_backup_leaves_nothing_under_its_name_or_all_of_it(place: Path) -> None:
    for step in range(1, STEPS):
        done = act(step, "backup", place)
        if (place / "new.db").exists():
            assert audit(place / "new.db").totals == {"ujuno": 51_007}, step
            (place / "new.db").unlink()
        if done:
            return
    pytest.fail("the backup never came to its end")


def test_a_backup_under_load_is_of_one_moment(tmp_path: Path) -> None:
    """Another process copies while this one commits."""
    bank = Bank(tmp_path / "books.db")
    bank.open(held=1_000)
    command = "import sys; from pathlib import Path; from ledger.backup import back_up; back_up(*map(Path, sys.argv[1:]))"
    copying = subprocess.Popen(
        [sys.executable, "-c", command, str(tmp_path / "books.db"), str(tmp_path / "new.db")]
    )
    commits = 0
    while copying.poll() is None:
        bank.deposit(ALICE, 1)
        commits += 1
    assert copying.returncode == os.EX_OK
    assert commits > 0
    report = audit(tmp_path / "new.db")
    assert report.clean
    with closing(sqlite3.connect(tmp_path / "new.db")) as copy:
        (owned,) = copy.execute(
            "SELECT ifnull(sum(balance), 0) FROM user_balances WHERE user_id = 11"
        ).fetchone()
    assert 0 <= owned <= commits
