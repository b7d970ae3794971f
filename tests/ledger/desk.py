"""What tests of the ledger's core share: a stopped clock, runners, people with coins, and a store that fails on cue."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from ledger.accounts import SYSTEM_RESERVE, AccountId
from ledger.journal import Lane
from ledger.money import Amount, Asset, Denom
from ledger.ports import BlockingRunner, Millis
from ledger.service import LedgerService
from ledger.store import Store
from ledger.units import Decision, Entry, Posting, Unit, View
from tests.blank import lay_blank

T = TypeVar("T")

UJUNO: Final = Denom("ujuno")
UATOM: Final = Denom("uatom")
ASSETS: Final = (Asset(UJUNO, "JUNO", 6), Asset(UATOM, "ATOM", 6))
ANN, BEN, CAT = AccountId(11), AccountId(22), AccountId(33)


class StoppedClock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.time = 1_700_000_000_000

    def now(self) -> Millis:
        return Millis(self.time)


async def inline(call: Callable[[], T]) -> T:
    """Run blocking calls on the loop itself, one turn later."""
    await asyncio.sleep(0)
    return call()


class HeldRunner:
    """Runs a blocking call when the test lets it, so that what waits meanwhile can be looked at."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()
        self.begun = asyncio.Event()

    async def __call__(self, call: Callable[[], T]) -> T:
        self.begun.set()
        await self.free.wait()
        return call()


def error_of(code: int, text: str) -> sqlite3.OperationalError:
    """Return the error that SQLite would raise with ``code``."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code  # SQLite sets it; a planted error has to as well
    return error


class FaultyStore(Store):
    """A store that calls ``before`` and ``after`` around each COMMIT; either may raise."""

    def __init__(
        self,
        path: Path,
        *,
        before: Callable[[], object] = lambda: None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(path)
        self.before = before
        self.after = after

    def commit(self) -> None:
        self.before()
        super().commit()
        self.after()


class Once:
    """Raises an error the first time it is called after ``arm``."""

    def __init__(self, error: Exception) -> None:
        self._error: Exception | None = None
        self._planted = error

    def arm(self) -> None:
        self._error = self._planted

    def __call__(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


def funding(account: AccountId, amount: int, denom: Denom = UJUNO) -> Unit[None]:
    """Return the unit that brings coins from the chain to ``account``."""

    def decide(view: View) -> Decision[None]:
        postings = (
            Posting(None, SYSTEM_RESERVE, Amount(amount), denom),
            Posting(SYSTEM_RESERVE, account, Amount(amount), denom),
        )
        return Decision(
            None, (Entry(f"fund:{view.next_transaction_id}", b"", "adjustment", postings, note="test"),)
        )

    return Unit(decide)


def posting(key: str | None, *postings: Posting, kind: str = "transfer") -> Unit[int]:
    """Return a unit that posts exactly what it is told, and answers with the id of the first posting."""

    def decide(view: View) -> Decision[int]:
        name = key or f"free:{view.next_transaction_id}"
        return Decision(view.next_transaction_id, (Entry(name, b"", kind, tuple(postings)),))

    return Unit(decide, key, b"", lambda _, receipt: receipt.entry_id)


@asynccontextmanager
async def ledger_at(
    path: Path,
    *,
    clock: StoppedClock | None = None,
    blocking: BlockingRunner = inline,
    store: Callable[[Path], Store] = Store,
) -> AsyncIterator[LedgerService]:
    """Open the ledger at ``path`` and close it afterwards."""
    lay_blank(path)
    service = await LedgerService.open(
        path, clock=clock or StoppedClock(), blocking=blocking, assets=ASSETS, store=store
    )
    try:
        yield service
    finally:
        await service.close()


async def settle_people(service: LedgerService, coins: int = 1_000) -> None:
    """Register Ann, Ben and Cat; Ann has ``coins``."""
    for account, name in ((ANN, "Ann"), (BEN, "Ben"), (CAT, "Cat")):
        await service.users.register(account, name)
    await service.journal.submit(funding(ANN, coins), Lane.SYSTEM)


async def outcomes(acts: Sequence[Awaitable[Any]]) -> list[Any]:
    """Run ``acts`` at once; return what each gave or raised."""
    return await asyncio.gather(*acts, return_exceptions=True)


def rows_of(path: Path, sql: str, *parameters: Any) -> list[Any]:
    """Read the file with a plain connection, as a stranger would."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()
