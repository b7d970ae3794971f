import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import presence
from ledger.errors import LeaseLost
from ledger.money import Asset, Denom
from ledger.presence import Presence
from ledger.service import LedgerService
from ledger.world import SystemClock, ThreadRunner

_OTHER = """
import sys, time
from pathlib import Path
from ledger.presence import Presence
presence = Presence(Path(sys.argv[1]), "other")
print("ready", flush=True)
time.sleep(60)
"""


def _other(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _OTHER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)


def test_who_runs_is_alive_and_who_was_killed_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite3"
    mine = Presence(path, "mine")
    other = _other(path)
    assert not mine.is_dead("other")
    _kill(other)
    assert mine.is_dead("other")
    mine.close()
    assert list(tmp_path.glob("*.alive")) == []


def test_an_unknown_name_and_the_own_are_not_dead(tmp_path: Path) -> None:
    mine = Presence(tmp_path / "books.sqlite3", "mine")
    assert not mine.is_dead("stranger")
    assert not mine.is_dead("mine")
    assert not mine.is_dead("../mine")
    mine.close()


def test_others_are_seen_whatever_the_database_is_called(tmp_path: Path) -> None:
    """A restore asks who runs on the database: a name that reads as a pattern must not hide them."""
    path = tmp_path / "books[1].sqlite3"
    other = Presence(path, "other")
    mine = Presence(path, "mine")
    assert mine.others() == ["other"]
    other.close()
    mine.close()
    assert list(tmp_path.glob("*.alive")) == []


def test_who_is_asked_about_while_they_start_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a process is alive is asked of its file's lock, which is held for that instant."""
    asking = os.open(tmp_path / "books.sqlite3-mine.alive", os.O_RDWR | os.O_CREAT)
    fcntl.flock(asking, fcntl.LOCK_EX)
    monkeypatch.setattr(presence, "sleep", lambda _: os.close(asking))
    Presence(tmp_path / "books.sqlite3", "mine").close()


def test_who_starts_while_another_ends_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that ends takes the files of the dead along: one that is not locked yet looks like theirs."""
    path = tmp_path / "books.sqlite3"
    ending = Presence(path, "ending")
    lock = fcntl.flock

    def late(file: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        ending.close()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    starting = Presence(path, "starting")
    asking = Presence(path, "asking")
    assert asking.others() == ["starting"]
    asking.close()
    starting.close()


async def test_a_restart_takes_the_role_of_the_killed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite3"
    other = _other(path)
    mine = Presence(path, "mine")
    blocking = ThreadRunner()
    service = await LedgerService.open(
        path,
        clock=SystemClock(),
        blocking=blocking,
        assets=[Asset(Denom("ujuno"), "JUNO", 6)],
        is_dead=mine.is_dead,
    )
    held = await service.leases.acquire("scanner", "other", 600_000)
    with pytest.raises(LeaseLost):
        await service.leases.acquire("scanner", mine.name, 1_000)
    _kill(other)
    taken = await service.leases.acquire("scanner", mine.name, 1_000)
    assert taken.token == held.token + 1
    await service.close()
    blocking.close()
    mine.close()
