"""Processes that kill themselves (SIGKILL), at a commit of the ledger or anywhere else, and what they leave behind."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, NamedTuple

from ledger.service import LedgerService
from ledger.store import Store
from ledger.world import ThreadRunner
from tests.ledger.desk import ASSETS, StoppedClock, ledger_at, rows_of, settle_people
from tests.warm import ended

AT_COMMIT: Final = ("before-commit", "after-commit")
LISTING: Final = 1
"""Opening the books commits the listing of assets, before anything that a life does."""


class Deadly:
    """Counts down to a kill."""

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._left = count

    def at(self, point: str) -> None:
        """Die here, when it is time."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class DeadlyStore(Store):
    """A store that dies on cue."""

    def __init__(self, path: Path, deadly: Deadly) -> None:
        super().__init__(path)
        self._deadly = deadly

    def begin(self) -> None:
        self._deadly.at("before-begin")
        super().begin()

    def commit(self) -> None:
        self._deadly.at("before-commit")
        super().commit()
        self._deadly.at("after-commit")


class Stage(NamedTuple):
    """What a life acts on. ``tell`` writes down what was acknowledged: told is told, also when it dies next."""

    service: LedgerService
    clock: StoppedClock
    tell: Callable[[str], None]
    deadly: Deadly


Life = Callable[[Stage], Coroutine[Any, Any, None]]


def killed(path: Path, life: Life, point: str, count: int) -> set[str]:
    """Live on the books at ``path`` until killed at ``point`` for the ``count``-th time; return what was acknowledged."""
    assert ended(_live, path, life, point, count) == -signal.SIGKILL, f"{point} was not met {count} times"
    told = _told(path)
    return set(told.read_text().split("\n")[:-1]) if told.exists() else set()


def lived(path: Path, life: Life) -> None:
    """Live on the books at ``path`` to the end."""
    assert ended(_live, path, life, "never", 1) == 0


def _live(path: Path, life: Life, point: str, count: int) -> None:
    asyncio.run(_opened(path, life, Deadly(point, count)))


async def _opened(path: Path, life: Life, deadly: Deadly) -> None:
    told = os.open(_told(path), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    clock = StoppedClock()
    service = await LedgerService.open(
        path,
        clock=clock,
        blocking=ThreadRunner(),
        assets=ASSETS,
        store=lambda where: DeadlyStore(where, deadly),
    )
    await life(Stage(service, clock, lambda word: _write(told, word), deadly))
    await service.close()


def _write(told: int, word: str) -> None:
    os.write(told, f"{word}\n".encode())


def _told(path: Path) -> Path:
    return path.with_suffix(".told")


async def settled(path: Path) -> Path:
    """Return books at ``path`` with Ann, Ben and Cat, of whom Ann has a thousand."""
    async with ledger_at(path) as service:
        await settle_people(service, 1_000)
    return path


def standing(path: Path) -> set[str]:
    """Return the keys that lives gave to what stands."""
    return {key for (key,) in rows_of(path, "SELECT key FROM entries WHERE key LIKE 'k:%'")}
