"""Power fails at any write: the books are whole, and hold everything that was answered for."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from ledger.audit import audit
from ledger.migrate import migrate
from ledger.money import Amount
from ledger.ports import Millis
from ledger.units import Decision, Posting, Row, Unit
from ledger.writer import Writer
from tests.ledger.desk import ANN, BEN, UJUNO, StoppedClock, funding, posting

pytest.importorskip("apsw", reason="a VFS of our own takes apsw, which has no wheel everywhere")

from tests.ledger.powerloss import Statement, TapedStore, cuts, play

PEOPLE = """
INSERT INTO assets (denom, symbol, decimals) VALUES ('ujuno', 'JUNO', 6);
INSERT INTO users VALUES (11, 'member', 'Ann', 0), (22, 'member', 'Ben', 0);
"""


def books(path: Path) -> Path:
    migrate(path, Millis(0))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(PEOPLE)
    return path


def taped(path: Path, commits: int) -> list[Statement]:
    """Return the statements of the real writer: postings in batches of several sizes, and rows beside them."""
    store = TapedStore(books(path))
    writer = Writer(store, StoppedClock())
    writer.commit([funding(ANN, 1_000_000)])
    for number in range(commits):
        sends = [
            posting(f"k{number}.{each}", Posting(ANN, BEN, Amount(1), UJUNO))
            for each in range(1 + number % 5)
        ]
        news = Row(
            "INSERT INTO outbox (event, recipient, facts, created_at, due_at) VALUES ('x', 0, '{}', 0, 0)", ()
        )
        writer.commit([*sends, Unit(lambda _, news=news: Decision(None, rows=(news,)))])  # type: ignore[misc]
    writer.close()
    return store.tape


def violations(place: Path, commits: int, *, synchronous: str, seed: int = 1) -> list[str]:
    """Cut the power at every write of a run, look at what is left, and return what is wrong with it."""
    tape = taped(place / "taped.db", commits)
    played = books(place / "played.db")
    before = played.read_bytes()
    events = play(played, tape, synchronous=synchronous, checkpoint_pages=12)
    assert any(event.what == "write" and not event.file for event in events), "no checkpoint was met"
    found: list[str] = []
    seen: set[int] = set()
    for position, main, log, answered in cuts(before, events, Random(seed)):
        state = hash((main, log, answered))
        if state not in seen:
            seen.add(state)
            found += [f"cut {position}: {wrong}" for wrong in _wrongs(place, main, log, answered)]
    return found


def _wrongs(place: Path, main: bytes, log: bytes, answered: int) -> list[str]:
    path = place / "remains.db"
    for suffix in ("-shm", "-wal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(main)
    path.with_name(f"{path.name}-wal").write_bytes(log)
    report = audit(path)
    lost = [f"{answered} commits were answered, {report.links} stand"] if report.links < answered else []
    return [*report.problems, *lost]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_power_may_fail_at_any_write(tmp_path: Path, seed: int) -> None:
    assert violations(tmp_path, 80, synchronous="FULL", seed=seed) == []


def test_the_same_cuts_find_a_store_that_does_not_sync(tmp_path: Path) -> None:
    """A check that cannot fail is worth nothing."""
    found = violations(tmp_path, 4, synchronous="NORMAL")
    assert any("were answered" in wrong for wrong in found)


def test_power_may_fail_in_a_short_run(tmp_path: Path) -> None:
    assert violations(tmp_path, 4, synchronous="FULL") == []
