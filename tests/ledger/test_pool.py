"""Long reads beside the loop."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.errors import Unavailable
from ledger.money import Amount
from ledger.pool import ReaderPool
from ledger.service import LedgerService
from ledger.statement import walk
from ledger.units import Decision, Unit
from tests.ledger.desk import ANN, BEN, UJUNO, ledger_at, settle_people

SLOW = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n"
)
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
async def pool(ledger: LedgerService, path: Path) -> AsyncIterator[ReaderPool]:
    opened = ReaderPool(path, size=1, patience_seconds=0.01)
    await opened.open()
    yield opened
    await opened.close()


async def test_rows_have_names(pool: ReaderPool) -> None:
    (row,) = await pool.select("SELECT name FROM users WHERE id = ?", (ANN,))
    assert row["name"] == "Ann"


async def test_it_cannot_write(pool: ReaderPool) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        await pool.select("DELETE FROM outbox")


async def test_whoever_finds_no_reader_free_hears_so(pool: ReaderPool) -> None:
    long = asyncio.ensure_future(pool.select(SLOW))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await pool.select("SELECT 1")
    assert (await long)[0][0] == 3_000_000


async def test_a_cancelled_read_gives_its_reader_back(pool: ReaderPool) -> None:
    long = asyncio.ensure_future(pool.select(SLOW))
    await asyncio.sleep(0)
    long.cancel()
    await asyncio.gather(long, return_exceptions=True)
    while True:
        try:
            assert (await pool.select("SELECT 1"))[0][0] == 1
        except Unavailable:
            continue
        break


async def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await ReaderPool(tmp_path / "nowhere.db").open()


async def test_a_read_that_takes_too_long_is_stopped(ledger: LedgerService, path: Path) -> None:
    opened = ReaderPool(path, size=1, limit_seconds=0.01)
    await opened.open()
    with pytest.raises(Unavailable):
        await opened.select(ENDLESS)
    await opened.close()


async def test_without_threads_rows_have_names_too(ledger: LedgerService) -> None:
    (row,) = await ledger.long_reads.select("SELECT name FROM users WHERE id = ?", (ANN,))
    assert row["name"] == "Ann"


async def test_without_threads_it_cannot_write_either(ledger: LedgerService) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        await ledger.long_reads.select("DELETE FROM outbox")


async def test_a_closed_reader_says_so(ledger: LedgerService) -> None:
    await ledger.long_reads.close()
    with pytest.raises(Unavailable):
        await ledger.long_reads.select("SELECT 1")


@pytest.mark.parametrize("part", [0, 1, 2, 3])
async def test_a_walk_stops_at_its_limit(ledger: LedgerService, part: int) -> None:
    for number in (1, 2):
        await ledger.transfer_between_users(ANN, BEN, Amount(number), UJUNO, key=f"{number}")
    newest = ledger.reader.history(ANN, UJUNO)[0].id
    found = [line async for lines in walk(ledger.long_reads, ANN, UJUNO, newest, part) for line in lines]
    assert [line.balance_after for line in found] == [997, 999, 1_000][:part]


async def test_what_is_closed_in_order_is_one_file(path: Path) -> None:
    """Whoever stops the program and copies the file has all of the books: no log is left beside it."""
    async with ledger_at(path) as service:
        await settle_people(service)
    assert [beside.name for beside in path.parent.iterdir()] == [path.name]


async def test_what_waits_when_the_books_are_closed_still_reads_in_them(path: Path) -> None:
    """An answer looks names up while it is written; a stop must not close what it reads from before."""
    async with ledger_at(path) as service:
        await settle_people(service)
        unit = Unit(lambda _: Decision(service.reader.name(ANN)))
        waiting = asyncio.create_task(service.journal.submit(unit))
        await asyncio.sleep(0)
    assert await waiting == "Ann"
