"""The command ``moneta``: what it prints, and the exit code that tells a script what went wrong."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot import cli
from bot.cli import main
from bot.exits import Exit
from ledger.errors import BrokenInvariant
from ledger.migrate import migrate, released
from ledger.ports import Millis
from ledger.presence import Presence

ROOT = Path(__file__).parents[2]
RUNNABLE = {
    "TELEGRAM_TOKEN": "1234567890:abcdefghijklmnopqrstuvwxyzABCDEFGHI",
    "OWNERS": "77",
    "NODES": "http://localhost:26657",
    "MNEMONIC": "test test test test test test test test test test test junk",
    "LOG_LEVEL": "ERROR",
}


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database that the settings name; no other setting of the machine counts."""
    path = tmp_path / "moneta.sqlite3"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONETA_DATABASE", str(path))
    return path


def test_migrate_makes_a_database_and_then_has_nothing_to_do(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (main(["migrate"]), main(["migrate"])) == (Exit.DONE, Exit.DONE)
    first, second = capsys.readouterr().out.splitlines()
    assert "migrations applied" in first
    assert "current" in second


def test_an_audit_of_clean_books_says_so(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    migrate(database, Millis(0))
    assert main(["audit"]) == Exit.DONE
    assert "The books explain every balance." in capsys.readouterr().out


def test_an_audit_of_books_that_were_tampered_with_names_the_problem(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database, Millis(0))
    connection = sqlite3.connect(database)
    connection.execute("INSERT INTO assets (denom, symbol, decimals) VALUES ('ujuno', 'JUNO', 6)")
    connection.execute("UPDATE assets SET total = 5")
    connection.commit()
    connection.close()
    assert main(["audit"]) == Exit.BROKEN_BOOKS
    assert "PROBLEM: " in capsys.readouterr().out


def test_an_audit_without_a_database_is_wrong_use(database: Path) -> None:
    assert main(["audit"]) == Exit.USAGE
    assert not database.exists()


def test_a_run_without_settings_names_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == Exit.USAGE
    told = capsys.readouterr().err
    assert "MONETA_TELEGRAM_TOKEN" in told
    assert "MONETA_MNEMONIC" in told


def test_a_database_of_a_newer_program_is_not_opened(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database, Millis(0))
    connection = sqlite3.connect(database)
    connection.execute(
        "INSERT INTO schema_migrations SELECT 999, '0999_later.sql', checksum, 0 FROM schema_migrations LIMIT 1"
    )
    connection.commit()
    connection.close()
    assert main(["migrate"]) == Exit.WRONG_DATABASE
    assert "not for this program" in capsys.readouterr().err


def test_a_restore_by_a_link_sees_who_runs(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Books that were reached by two names would be two for everybody beside them."""
    for name, value in RUNNABLE.items():
        monkeypatch.setenv(f"MONETA_{name}", value)
    main(["migrate"])
    main(["backup", "copy.sqlite3"])
    running = Presence(database, "running")
    (database.parent / "link.sqlite3").symlink_to(database)
    monkeypatch.setenv("MONETA_DATABASE", "link.sqlite3")
    assert main(["restore", "copy.sqlite3"]) == Exit.BUSY
    running.close()


def test_a_backup_says_where_it_is(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """scripts/moneta runs where the program is, whoever calls it from where: a bare name is no place."""
    migrate(database, Millis(0))
    assert main(["backup", "copy.sqlite3"]) == Exit.DONE
    assert capsys.readouterr().out.startswith(f"{database.with_name('copy.sqlite3')}: ")


READING = ["audit", "export", "reconcile", "attribute", "unfreeze", "refill", "resolve"]


@pytest.mark.parametrize("command", [*READING, "migrate"])
def test_a_database_of_another_program_is_left_alone(
    database: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE users (nickname TEXT)")
    assert main([command]) == Exit.WRONG_DATABASE
    assert "holds no books" in capsys.readouterr().err


@pytest.mark.parametrize("command", [*READING, "backup copy.sqlite3"])
def test_an_empty_file_is_no_database_to_read(
    database: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database.touch()
    assert main(command.split()) == Exit.WRONG_DATABASE
    assert "holds no books" in capsys.readouterr().err


@pytest.mark.parametrize("command", READING)
def test_books_of_an_earlier_program_are_brought_up_first(
    database: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database, Millis(0), released()[:2])
    assert main([command]) == Exit.USAGE
    assert "moneta migrate" in capsys.readouterr().err


def test_books_of_an_earlier_program_can_be_kept_before_that(database: Path) -> None:
    migrate(database, Millis(0), released()[:2])
    assert main(["backup", "copy.sqlite3"]) == Exit.DONE
    assert main(["migrate"]) == Exit.DONE
    with closing(sqlite3.connect(database.with_name("copy.sqlite3"))) as copy:
        assert copy.execute("SELECT count(*) FROM schema_migrations").fetchone() == (2,)


def test_broken_books_end_with_a_sentence_and_their_own_code(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> int:
        raise BrokenInvariant("the sum is off by 1")

    monkeypatch.setattr(cli, "migrate", broken)
    assert main(["migrate"]) == Exit.BROKEN_BOOKS
    assert "the sum is off by 1" in capsys.readouterr().err


def test_a_run_that_broken_books_end_has_the_code_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(*_: Any) -> None:
        followed = OSError("the loop beside it")
        raise ExceptionGroup(
            "loops", [followed, ExceptionGroup("more", [BrokenInvariant("the sum is off by 1")])]
        )

    monkeypatch.setattr("bot.main.run", run)
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    for name, value in RUNNABLE.items():
        monkeypatch.setenv(f"MONETA_{name}", value)
    assert main(["run"]) == Exit.BROKEN_BOOKS
    assert "the sum is off by 1" in capsys.readouterr().err


def output_into(descriptor: int) -> tuple[int, str]:
    """Audit in a process of its own that writes to ``descriptor``; return how it ended and what it said beside."""
    audit = [sys.executable, "-m", "bot.cli", "audit"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    ended = subprocess.run(
        audit, env=environment, stdout=descriptor, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(descriptor)
    return ended.returncode, ended.stderr


def test_output_that_is_not_read_to_its_end_is_no_mistake(database: Path) -> None:
    """As by ``| head``: whether the books are clean was not told, so it is no success either."""
    migrate(database, Millis(0))
    reading, writing = os.pipe()
    os.close(reading)
    assert output_into(writing) == (Exit.UNREAD, "The output was not read to its end.\n")


def test_output_on_a_full_disk_has_the_code_for_it(database: Path) -> None:
    migrate(database, Millis(0))
    code, told = output_into(os.open("/dev/full", os.O_WRONLY))
    assert (code, told.count("\n")) == (Exit.DISK, 1)


def test_a_terminal_without_a_letter_shows_its_code(database: Path) -> None:
    """A member's memo may be in any alphabet, and so may a file's name."""
    migrate(database, Millis(0))
    ended = subprocess.run(
        [sys.executable, "-m", "bot.cli", "backup", "книги.sqlite3"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (Exit.DONE, b"")
    assert rb"\u043a\u043d\u0438\u0433\u0438.sqlite3: 0 postings" in ended.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["attribute", "9223372036854775808", "--accept"],
        ["resolve", "9223372036854775808", "paid"],
    ],
)
def test_a_number_beyond_the_books_is_wrong_use(
    database: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database, Millis(0))
    with pytest.raises(SystemExit) as caught:
        main([*command, "--reason", "her receipt"])
    assert caught.value.code == Exit.USAGE
    assert "invalid number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (["attribute", "5", "--accept", "--reason", "ours"], "There is no unknown payment 5."),
        (["refill", "ujuno", "--reason", "found"], "SYSTEM_RESERVE owes nothing in ujuno."),
        (["unfreeze", "stranger"], 'Please say why: --reason "…".'),
        (["unfreeze", "stranger", "--reason", "by hand"], "No such freeze stands."),
        (["resolve", "7", "paid", "--reason", "seen"], "There is no withdrawal 7."),
    ],
)
def test_an_order_that_is_refused_says_why(
    database: Path, capsys: pytest.CaptureFixture[str], order: list[str], sentence: str
) -> None:
    main(["migrate"])
    capsys.readouterr()
    assert main(order) == Exit.USAGE
    told = capsys.readouterr().err
    assert told.startswith(sentence)
    assert told.endswith("Nothing was changed.\n")


def test_an_unknown_command_is_wrong_use() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["mint"])
    assert caught.value.code == Exit.USAGE


def test_a_command_from_above_gets_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "play"

        def load(self) -> Any:
            return lambda arguments: len(arguments) + 40

    monkeypatch.setattr(cli, "entry_points", lambda **_: [Point()])
    assert main(["play", "--port", "0"]) == 42
