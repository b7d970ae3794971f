"""Long reads beside the loop."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.errors import Unavailable
from ledger.pool import ReaderPool
from ledger.service import LedgerService
from tests.ledger.desk import ANN

SLOW = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n"
)


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
