"""The chain on disk: one row a block, written whole or not at all, so that a restart goes on where it stopped."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ledger.ports import BlockingRunner

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS genesis (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS blocks (
    height INTEGER PRIMARY KEY, block BLOB NOT NULL, txs TEXT NOT NULL, changes TEXT NOT NULL, councils TEXT NOT NULL
) STRICT;
"""
_APPEND: Final = "INSERT INTO blocks (height, block, txs, changes, councils) VALUES (?, ?, ?, ?, ?)"
_LOAD: Final = "SELECT height, block, txs, changes, councils FROM blocks ORDER BY height"
_BEGIN: Final = "INSERT INTO genesis (id, document) VALUES (1, ?) ON CONFLICT DO NOTHING"


class Row(NamedTuple):
    """One block as it is kept.

    ``block`` is packed; ``txs`` (their hashes), ``changes`` (what it wrote in the state) and ``councils`` (who signs
    the next two) are JSON, so that a restart need not unpack every block.
    """

    height: int
    block: bytes
    txs: str
    changes: str
    councils: str


class Store:
    """Keeps the chain in one SQLite file; every call runs in ``blocking``."""

    def __init__(self, path: Path, blocking: BlockingRunner) -> None:
        self._path = path
        self._blocking = blocking
        self._connection: sqlite3.Connection | None = None

    async def begin(self, genesis: str) -> str:
        """Open the file, keep ``genesis`` in a new one, and return the one that is kept."""
        return await self._blocking(lambda: self._begin(genesis))

    def _begin(self, genesis: str) -> str:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._connection = connection
        connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA}")
        connection.execute(_BEGIN, (genesis,))
        (document,) = connection.execute("SELECT document FROM genesis").fetchone()
        return str(document)

    async def load(self) -> Sequence[Row]:
        """Return all blocks in order."""
        return await self._blocking(lambda: [Row(*row) for row in self._open().execute(_LOAD)])

    async def append(self, row: Row) -> None:
        """Keep one block more; a single statement is its own transaction."""
        await self._blocking(lambda: self._open().execute(_APPEND, row))

    async def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._blocking(connection.close)

    def _open(self) -> sqlite3.Connection:
        assert self._connection is not None, "begin() comes first"
        return self._connection
