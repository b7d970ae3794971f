"""What a machine does to a database file, met by the command as an operator runs it: a sentence, an exit code, no loss."""

import ctypes
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from bot.exits import Exit
from ledger.audit import audit
from ledger.migrate import migrate, released, statements
from ledger.ports import Millis
from tests.bot import forking
from tests.bot.forking import Ended
from tests.ledger.bank import ALICE, BOB, Bank, arrival

ROOT = Path(__file__).parents[2]
LIVE = {
    "TELEGRAM_TOKEN": "1234567890:abcdefghijklmnopqrstuvwxyzABCDEFGHI",
    "TELEGRAM_URL": "http://127.0.0.1:9",
    "OWNERS": "77",
    "NODES": "http://127.0.0.1:9",
    "MNEMONIC": "test test test test test test test test test test test junk",
}
LITTLE = 16_384
"""How large files may grow on a disk that is nearly full."""


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Closed books of a few hundred postings, 60,000 in all."""
    path = tmp_path_factory.mktemp("filled") / "books.db"
    fill(path).writer.close()
    return path


@pytest.fixture
def database(filled: Path, place: Path) -> Path:
    """The same, to be harmed."""
    path = place / "books.db"
    shutil.copy(filled, path)
    return path


def fill(path: Path) -> Bank:
    bank = Bank(path)
    bank.open(held=10_000)
    for number in range(50):
        memo = str((ALICE, BOB)[number % 2])
        gifts = [arrival("250", memo=memo, tx=f"t{number}", output=output) for output in range(4)]
        bank.block(*gifts)
    return bank


def environment_of(database: Path) -> dict[str, str]:
    return {f"MONETA_{name}": value for name, value in {**LIVE, "DATABASE": str(database)}.items()}


class Moneta(Protocol):
    def __call__(self, database: Path, *arguments: str, largest_file: int | None = None) -> Ended: ...


@pytest.fixture
def moneta(tmp_path: Path) -> Moneta:
    """The command as its own process, forked."""

    def run(database: Path, *arguments: str, largest_file: int | None = None) -> Ended:
        return forking.run(tmp_path, arguments, environment_of(database), largest_file=largest_file)

    return run


def started(database: Path, *arguments: str) -> Ended:
    """Start the command as an operator does, but let file modes count for it."""
    process = subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment_of(database)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=bound_by_modes,
    )
    return Ended(process.returncode, process.stdout, process.stderr)


def bound_by_modes() -> None:
    """Let file modes count for root too: drop CAP_DAC_OVERRIDE from what an exec may have (PR_CAPBSET_DROP)."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


def assert_told(result: Ended, code: Exit, words: str) -> None:
    assert (result.returncode, "Traceback" in result.stderr) == (code, False), result.stderr
    assert words in result.stdout + result.stderr


def tear_page(database: Path) -> None:
    """Overwrite a page in the middle, as a failing disk does."""
    with database.open("r+b") as file:
        file.seek(database.stat().st_size // 8192 * 4096)
        file.write(b"\xa5" * 4096)


def test_a_torn_page_is_found_by_the_audit(moneta: Moneta, database: Path) -> None:
    tear_page(database)
    assert_told(moneta(database, "audit"), Exit.BROKEN_BOOKS, "PROBLEM: ")


def test_a_torn_page_never_becomes_a_backup(moneta: Moneta, database: Path, place: Path) -> None:
    tear_page(database)
    result = moneta(database, "backup", str(place / "copy.db"))
    assert result.returncode == Exit.BROKEN_BOOKS
    assert not (place / "copy.db").exists()


@pytest.mark.parametrize("command", ["migrate", "run", "check"])
def test_a_torn_first_page_is_told(moneta: Moneta, database: Path, command: str) -> None:
    with database.open("r+b") as file:
        file.write(b"\xa5" * 4096)
    assert_told(moneta(database, command), Exit.BROKEN_BOOKS, "damaged")


def test_a_file_that_is_no_database_is_left_as_it_is(moneta: Moneta, place: Path) -> None:
    letter = place / "books.db"
    letter.write_text("Dear Ann, " * 1_000)
    assert_told(moneta(letter, "migrate"), Exit.BROKEN_BOOKS, "damaged")
    assert letter.read_text() == "Dear Ann, " * 1_000


@pytest.mark.parametrize("part", [0.05, 0.33, 0.5, 0.77, 0.99])
def test_a_log_that_was_cut_leaves_books_that_are_whole_up_to_a_commit(
    moneta: Moneta, place: Path, part: float
) -> None:
    bank = fill(place / "live.db")
    for suffix in ("", "-wal"):
        shutil.copy(place / f"live.db{suffix}", place / f"books.db{suffix}")
    bank.writer.close()
    log = place / "books.db-wal"
    os.truncate(log, int(log.stat().st_size * part))
    assert_told(moneta(place / "books.db", "migrate"), Exit.DONE, "")
    assert audit(place / "books.db").clean


def test_a_log_of_noise_is_not_believed(moneta: Moneta, database: Path, place: Path) -> None:
    (place / "books.db-wal").write_bytes(os.urandom(20_000))
    assert_told(moneta(database, "audit"), Exit.DONE, "The books explain every balance.")


@pytest.fixture
def sealed(database: Path, place: Path) -> Iterator[Path]:
    """The same books on a disk that nobody may write."""
    database.chmod(0o444)
    place.chmod(0o555)
    yield database
    place.chmod(0o755)


@pytest.mark.parametrize("arguments", [["migrate"], ["run"], ["backup", "copy.db"]])
def test_a_disk_that_may_not_be_written_is_told(sealed: Path, arguments: list[str]) -> None:
    before = sealed.read_bytes()
    command, *names = arguments
    result = started(sealed, command, *(str(sealed.parent / name) for name in names))
    assert_told(result, Exit.DISK, "read-only")
    assert sealed.read_bytes() == before


def test_a_backup_onto_a_full_disk_leaves_nothing(moneta: Moneta, database: Path, place: Path) -> None:
    result = moneta(database, "backup", str(place / "copy.db"), largest_file=LITTLE)
    assert_told(result, Exit.DISK, "full")
    assert not [each for each in place.iterdir() if "copy" in each.name]


def test_a_migration_on_a_full_disk_leaves_the_books(moneta: Moneta, place: Path) -> None:
    path = place / "books.db"
    migrate(path, Millis(0), released()[:1])
    assert_told(moneta(path, "migrate", largest_file=LITTLE), Exit.DISK, "full")
    assert_told(moneta(path, "migrate"), Exit.DONE, "migrations applied")


def test_a_newer_database_is_refused(moneta: Moneta, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (999, '0999_later.sql', '', 0)")
    for command in ("migrate", "run", "check"):
        assert_told(moneta(database, command), Exit.WRONG_DATABASE, "not for this program")


def test_a_migration_that_was_killed_leaves_nothing_and_is_done_again(moneta: Moneta, place: Path) -> None:
    path = place / "books.db"
    migrate(path, Millis(0), released()[:2])
    halfway = statements(released()[2].sql)[0]
    killed = f"""
import os, signal, sqlite3
connection = sqlite3.connect({str(path)!r}, isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute({halfway!r})
connection.execute("CREATE TABLE large AS SELECT zeroblob(1000000)")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", killed], check=False, timeout=60)
    assert_told(moneta(path, "migrate"), Exit.DONE, f"{len(released()) - 2} migrations applied")
    assert_told(moneta(path, "audit"), Exit.DONE, "The books explain every balance.")


def test_a_clock_behind_the_books_is_told(moneta: Moneta, place: Path) -> None:
    """The newest posting is of the year 2100: the clock was wrong then, or is now."""
    bank = Bank(place / "books.db")
    bank.clock.time = 4_102_444_800_000
    bank.open(held=1_000)
    bank.writer.close()
    assert_told(moneta(place / "books.db", "check"), Exit.CLOCK, "behind the newest posting")
    assert_told(moneta(place / "books.db", "audit"), Exit.DONE, "The books explain every balance.")


def test_a_database_that_another_writes_is_told(moneta: Moneta, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_told(moneta(database, "migrate"), Exit.BUSY, "Another process")


def test_a_backup_is_taken_while_another_writes(moneta: Moneta, database: Path, place: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_told(moneta(database, "backup", str(place / "copy.db")), Exit.DONE, "audited")


def test_a_backup_does_not_go_over_another(moneta: Moneta, database: Path, place: Path) -> None:
    (place / "copy.db").touch()
    assert_told(moneta(database, "backup", str(place / "copy.db")), Exit.USAGE, "never written over")


def test_a_backup_comes_back(moneta: Moneta, database: Path, place: Path) -> None:
    copy = str(place / "copy.db")
    assert_told(moneta(database, "backup", copy), Exit.DONE, "audited")
    assert_told(moneta(database, "restore", copy), Exit.DONE, "restored")
    assert audit(database).totals == {"ujuno": 60_000}


def test_what_is_not_explained_can_be_listed(moneta: Moneta, database: Path) -> None:
    assert_told(moneta(database, "attribute"), Exit.DONE, "No payment is unexplained.")
    assert_told(
        moneta(database, "attribute", "5", "--accept", "--reason", "x"),
        Exit.USAGE,
        "There is no unknown payment 5.",
    )
