"""``moneta sandbox`` says what is wrong before anything starts."""

import fcntl
import socket
from pathlib import Path

import pytest

from sandbox.cli import Files, command, parse


def test_a_taken_port_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert command(["--port", str(port), "--directory", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"Port {port} cannot be used")


def test_a_second_sandbox_in_one_directory_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert command(["--port", "0", "--directory", str(tmp_path)]) == 2
    assert "runs in" in capsys.readouterr().err


def test_another_file_in_its_place_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "telegram.json").write_text('{"state": 1}')
    assert command(["--port", "0", "--directory", str(tmp_path)]) == 2
    assert "--fresh" in capsys.readouterr().err


def test_beginning_anew_removes_its_own_files_only(tmp_path: Path) -> None:
    files = Files.under(tmp_path)
    for path in (*files, tmp_path / "chain.sqlite3-wal", tmp_path / "holiday.jpg"):
        path.touch()
    files.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_the_bot_and_the_limits_are_on_unless_refused() -> None:
    assert (parse([]).with_bot, parse([]).with_limits, parse(["--no-bot"]).with_bot) == (True, True, False)
