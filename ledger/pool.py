"""Long reads, off the event loop: exports and filtered lists, through read-only connections with threads of their own.

A simulation has no threads and gives another `LongReads`.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import aiosqlite

from ledger.connect import open_reader
from ledger.errors import Unavailable


class LongReads(Protocol):
    """Where reads go that take longer than a turn of the event loop may."""

    async def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run a SELECT; rows allow access by column name."""
        ...


class ReaderPool:
    """``size`` read-only connections to the database at ``path``, opened by ``open`` and closed by ``close``.

    A read that finds none free within ``patience_seconds`` is refused with Unavailable.
    """

    def __init__(self, path: Path, *, size: int = 2, patience_seconds: float = 10.0) -> None:
        self._path = path
        self._connections = [
            aiosqlite.Connection(partial(open_reader, path), iter_chunk_size=256) for _ in range(size)
        ]
        self._free: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue(size)
        self._patience_seconds = patience_seconds

    async def open(self) -> None:
        """Open the connections. Raises sqlite3.OperationalError when there is no such file."""
        open_reader(self._path).close()  # fails here, before any thread has begun
        for connection in self._connections:
            await connection
            connection.row_factory = sqlite3.Row
            self._free.put_nowait(connection)

    async def close(self) -> None:
        """Close the connections when what runs on them has ended."""
        for _ in range(self._free.maxsize):
            await (await self._free.get()).close()

    async def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run a SELECT; rows allow access by column name. A cancelled caller gives its connection back."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                connection = await self._free.get()
        except TimeoutError as error:
            raise Unavailable("every reader is at work") from error
        try:
            return list(await connection.execute_fetchall(sql, parameters))
        finally:
            self._free.put_nowait(connection)
