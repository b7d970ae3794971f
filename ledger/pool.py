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
    """Where reads go that take longer than a turn of the event loop may. Open first, close last."""

    async def open(self) -> None:
        """Begin. Raises sqlite3.OperationalError when there is no such file."""
        ...

    async def close(self) -> None:
        """End, after what is being read."""
        ...

    async def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run a SELECT; rows allow access by column name. Raises Unavailable when it cannot be done in time."""
        ...


class InlineReads:
    """Long reads on the loop's own thread: for a simulation, and wherever a thread is not worth it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the connection. Raises sqlite3.OperationalError when there is no such file."""
        self._connection = open_reader(self._path)
        self._connection.row_factory = sqlite3.Row

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run a SELECT; rows allow access by column name."""
        if self._connection is None:
            raise Unavailable("the reader is closed")
        found = self._connection.execute(sql, parameters).fetchall()
        await asyncio.sleep(0)
        return found


class ReaderPool:
    """``size`` read-only connections to the database at ``path``, opened by ``open`` and closed by ``close``.

    A read that finds none free within ``patience_seconds``, or is not done within ``limit_seconds``, is refused with
    Unavailable; it does not go on behind the back of who asked.
    """

    def __init__(
        self, path: Path, *, size: int = 2, patience_seconds: float = 10.0, limit_seconds: float = 5.0
    ) -> None:
        self._path = path
        self._connections = [
            aiosqlite.Connection(partial(open_reader, path), iter_chunk_size=256) for _ in range(size)
        ]
        self._free: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue(size)
        self._patience_seconds = patience_seconds
        self._limit_seconds = limit_seconds

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
            async with asyncio.timeout(self._limit_seconds):
                return list(await connection.execute_fetchall(sql, parameters))
        except TimeoutError as error:
            await connection.interrupt()
            raise Unavailable("a read took too long") from error
        except asyncio.CancelledError:
            await connection.interrupt()
            raise
        finally:
            self._free.put_nowait(connection)
