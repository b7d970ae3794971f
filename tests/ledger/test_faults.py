"""The disk and other processes get in the way: BUSY, FULL, a COMMIT that fails before or after it happened."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ledger.audit import audit
from ledger.errors import OutcomeUnknown, Unavailable
from ledger.money import Amount
from ledger.service import LedgerService
from ledger.store import Store
from tests.ledger.desk import (
    ANN,
    BEN,
    UJUNO,
    FaultyStore,
    Once,
    StoppedClock,
    error_of,
    ledger_at,
    outcomes,
    rows_of,
    settle_people,
)

FAILING_DISK = error_of(sqlite3.SQLITE_IOERR, "disk I/O error")
FULL_DISK = error_of(sqlite3.SQLITE_FULL, "database or disk is full")


class Stage:
    """A ledger whose commits fail when a test arms ``before`` or ``after``."""

    def __init__(self, error: Exception) -> None:
        self.before, self.after = Once(error), Once(error)

    def store(self, path: Path) -> Store:
        return FaultyStore(path, before=self.before, after=self.after)


@pytest.fixture(params=[FAILING_DISK, FULL_DISK], ids=["failing", "full"])
def stage(request: pytest.FixtureRequest) -> Stage:
    return Stage(request.param)


@pytest.fixture
async def staged(path: Path, stage: Stage) -> AsyncIterator[LedgerService]:
    async with ledger_at(path, store=stage.store) as service:
        await settle_people(service)
        yield service


def send(service: LedgerService, key: str) -> Any:
    return service.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key=key)


async def test_a_commit_that_did_not_happen_is_unavailable(staged: LedgerService, stage: Stage) -> None:
    stage.before.arm()
    results = await outcomes([send(staged, "a"), send(staged, "b")])
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert staged.reader.balance(BEN, UJUNO) == 0


async def test_a_commit_that_did_happen_is_answered_as_it_stands(staged: LedgerService, stage: Stage) -> None:
    staged.reader.close()  # so that the log can be written back, which alone makes it certain
    stage.after.arm()
    results = await outcomes([send(staged, "a"), send(staged, "b")])
    assert [result.destination_after for result in results] == [1, 2]


async def test_the_same_key_after_a_failed_commit_moves_once(staged: LedgerService, stage: Stage) -> None:
    for fault in (stage.before, stage.after):
        fault.arm()
        await outcomes([send(staged, "a")])
    await send(staged, "a")
    assert staged.reader.balance(BEN, UJUNO) == 1


async def test_the_books_are_clean_after_failed_commits(
    staged: LedgerService, stage: Stage, path: Path
) -> None:
    for number, fault in enumerate([stage.before, stage.after] * 3):
        fault.arm()
        await outcomes([send(staged, f"a{number}"), send(staged, f"b{number}")])
        await send(staged, f"c{number}")
    assert audit(path).clean


async def test_in_doubt_the_outcome_is_unknown(path: Path) -> None:
    """While somebody else still reads the old state, the log cannot be made certain."""
    stage = Stage(FAILING_DISK)
    async with ledger_at(path, store=stage.store) as service:
        await settle_people(service)
        reading = sqlite3.connect(path, isolation_level=None)
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM users").fetchall()
        stage.after.arm()
        (result,) = await outcomes([send(service, "a")])
        reading.close()
        assert type(result) is OutcomeUnknown
        assert (await send(service, "a")).replayed


async def test_a_batch_of_rows_alone_in_doubt_is_unknown(staged: LedgerService, stage: Stage) -> None:
    stage.after.arm()
    (result,) = await outcomes([staged.users.register(BEN, "Benjamin")])
    assert type(result) is OutcomeUnknown


async def test_a_full_disk_takes_the_whole_batch_and_nothing_half(path: Path) -> None:
    """SQLite has rolled back by itself: what followed in autocommit would stand alone."""
    async with ledger_at(path, store=Store) as service:
        await settle_people(service)
        connection = service.journal._writer._store.connection
        connection.set_authorizer(None)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        sends = [
            service.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key=f"k{number}", note="n" * 200)
            for number in range(400)
        ]
        results = await outcomes(sends)
        assert {type(result) for result in results} == {Unavailable}
        assert service.reader.balance(BEN, UJUNO) == 0
        await send(service, "after")
    assert rows_of(path, "SELECT count(*) FROM transactions WHERE kind = 'transfer'") == [(1,)]
    assert audit(path).clean


async def test_waits_while_another_process_writes(ledger: LedgerService, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(send(ledger, "a"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    assert (await waiting).destination_after == 1


async def test_gives_up_when_another_process_does_not_stop(
    ledger: LedgerService, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.journal.LOCKED_LIMIT_SECONDS", 0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    (result,) = await outcomes([send(ledger, "a")])
    other.close()
    assert type(result) is Unavailable


async def test_a_second_writer_is_noticed(ledger: LedgerService, path: Path, clock: StoppedClock) -> None:
    """What the first remembers of Ann is stale then; it must neither refuse nor post by it."""
    await send(ledger, "a")
    async with ledger_at(path, clock=clock) as second:
        await second.transfer_between_users(ANN, BEN, Amount(900), UJUNO, key="b")
    back = await ledger.transfer_between_users(BEN, ANN, Amount(901), UJUNO, key="c")
    assert back.destination_after == 1_000


async def test_a_damaged_file_stops_the_journal(path: Path) -> None:
    stage = Stage(error_of(sqlite3.SQLITE_CORRUPT, "database disk image is malformed"))
    async with ledger_at(path, store=stage.store) as service:
        await settle_people(service)
        stage.before.arm()
        (first,) = await outcomes([send(service, "a")])
        (second,) = await outcomes([send(service, "b")])
    assert type(first).__name__ == type(second).__name__ == "BrokenInvariant"
