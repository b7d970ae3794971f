"""The journal: the only way value moves. Callers wait in two lanes, one task commits them in batches.

No timer makes batches: while one is being written to disk the next one gathers, so a lone caller pays for one fsync
and a crowd shares it (ledger.md, Write path).
"""

import asyncio
from collections import deque
from enum import Enum
from functools import partial
from typing import Any, Final, TypeVar

from ledger.errors import Busy, OutcomeUnknown, Unavailable
from ledger.ports import BlockingRunner
from ledger.units import Unit
from ledger.writer import Answer, DatabaseLocked, Writer

T = TypeVar("T")

MAX_BATCH: Final = 1_000
"""Units in one transaction: few enough that nobody waits long behind one (some 20 ms), and enough that a crowd is served
in one go: while the writer's thread and the loop work at two halves of it, they mostly wait for each other."""

LOCKED_LIMIT_SECONDS: Final = 5.0
"""How long another process may hold the database before callers hear Unavailable."""

_FIRST_PAUSE_SECONDS: Final = 0.001
_LONGEST_PAUSE_SECONDS: Final = 0.1


class Lane(Enum):
    """Who waits where: SYSTEM (scanner, sender, reconciliation, admin) never stands behind MEMBERS."""

    MEMBERS = "members"
    SYSTEM = "system"


_Waiting = tuple[Unit[Any], "asyncio.Future[Any]"]


class Journal:
    """Units in, answers out. Start it with ``start`` and stop it with ``close``, on one event loop.

    ``members_limit`` and ``system_limit`` bound the lanes; beyond them `Busy` is raised before any work.
    """

    def __init__(
        self, writer: Writer, blocking: BlockingRunner, *, members_limit: int = 5_000, system_limit: int = 500
    ) -> None:
        self._writer = writer
        self._blocking = blocking
        self._members, self._members_limit = deque[_Waiting](), members_limit
        self._system, self._system_limit = deque[_Waiting](), system_limit
        self._idle: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._cancelled = False

    def start(self) -> None:
        """Begin to commit."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="journal")

    async def close(self) -> None:
        """Commit what waits, take nothing new, and close the database. Raises what ended the journal before, if so."""
        self._closing = True
        self._wake()
        cancelled = self._task is not None and await _to_the_end(self._task)
        closing = asyncio.ensure_future(self._blocking(self._writer.close))
        cancelled |= await _to_the_end(closing)
        closing.result()
        if cancelled:
            raise asyncio.CancelledError
        if self._task is not None and not self._task.cancelled():
            self._task.result()

    async def submit(self, unit: Unit[T], lane: Lane = Lane.MEMBERS) -> T:
        """Have ``unit`` decided and committed, and return its outcome once that is on disk.

        A cancelled caller does not cancel the unit.

        Raises:
            Refused: the unit's own refusal; what stands ``beside`` it is committed.
            Conflict: its key was used before with other inputs.
            Busy: the lane is full; nothing was begun.
            Unavailable: the disk or another process is in the way; nothing was committed.
            OutcomeUnknown: the disk failed while committing; ask again with the same key.
            BrokenInvariant: the books contradict themselves; the process must stop.
        """
        if self._writer.broken is not None:
            raise self._writer.broken
        members = lane is Lane.MEMBERS
        waiting = self._members if members else self._system
        if len(waiting) >= (self._members_limit if members else self._system_limit):
            raise Busy(f"{len(waiting)} acts wait in the lane of {lane.value}")
        if self._closing:
            raise Unavailable("the journal is closed")
        answer: asyncio.Future[T] = self._loop.create_future()
        waiting.append((unit, answer))
        if self._idle is not None:
            self._wake()
        return await answer

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    async def _run(self) -> None:
        try:
            while not self._cancelled:
                if batch := self._drain():
                    await self._commit_and_answer(batch)
                elif self._closing:
                    return
                else:
                    await self._wait()
            raise asyncio.CancelledError
        finally:
            # However it ended, nobody may wait for an answer that will not come.
            self._closing = True
            for waiting in (self._system, self._members):
                _give(list(waiting), [(None, Unavailable("the journal was stopped"))] * len(waiting))
                waiting.clear()

    async def _commit_and_answer(self, batch: list[_Waiting]) -> None:
        answers: list[Answer] = [(None, OutcomeUnknown("the journal failed while committing"))] * len(batch)
        try:
            answers = await self._commit([unit for unit, _ in batch])
        finally:
            _give(batch, answers)

    async def _wait(self) -> None:
        self._idle = self._loop.create_future()
        try:
            await self._idle
        except asyncio.CancelledError:
            self._cancelled = True
        finally:
            self._idle = None

    def _drain(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        for waiting in (self._system, self._members):
            while waiting and len(batch) < MAX_BATCH:
                batch.append(waiting.popleft())
        return batch

    async def _commit(self, units: list[Unit[Any]]) -> list[Answer]:
        """Commit ``units``, waiting while another process writes."""
        waited, pause = 0.0, _FIRST_PAUSE_SECONDS
        while waited < LOCKED_LIMIT_SECONDS and not self._cancelled:
            writing = asyncio.ensure_future(self._blocking(partial(self._writer.commit, units)))
            self._cancelled |= await _to_the_end(writing)
            try:
                return writing.result()
            except DatabaseLocked:
                self._cancelled |= await _to_the_end(asyncio.ensure_future(asyncio.sleep(pause)))
            except asyncio.CancelledError:
                self._cancelled = True
                return [(None, OutcomeUnknown("stopped while committing"))] * len(units)
            waited += pause
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        return [(None, Unavailable("another process holds the database"))] * len(units)


def _give(batch: list[_Waiting], answers: list[Answer]) -> None:
    for (_, waiting), (outcome, error) in zip(batch, answers, strict=True):
        if waiting.done():
            continue  # its caller was cancelled; the act stands all the same
        if error is None:
            waiting.set_result(outcome)
        else:
            waiting.set_exception(error)


async def _to_the_end(future: asyncio.Future[Any]) -> bool:
    """Wait for ``future`` however often the waiting task is cancelled; tell whether it was.

    A commit must not be abandoned half way: what it did would be unknown to everybody.
    """
    cancelled = False
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
