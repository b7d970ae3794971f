"""The journal: the only way value moves. Callers wait in two lanes; what waits is committed in batches.

No timer makes batches: while one is being written to disk the next one gathers, so a lone caller pays for one fsync
and a crowd shares it (ledger.md, Write path).
"""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable
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
    """Units in, answers out, on one event loop. Stop it with ``close``.

    It has no task of its own that could be cancelled: callbacks of the loop hand one batch after the other to the writer.
    ``members_limit`` and ``system_limit`` bound the lanes; beyond them `Busy` is raised before any work.
    """

    def __init__(
        self, writer: Writer, blocking: BlockingRunner, *, members_limit: int = 5_000, system_limit: int = 500
    ) -> None:
        self._writer = writer
        self._blocking = blocking
        self._members, self._members_limit = deque[_Waiting](), members_limit
        self._system, self._system_limit = deque[_Waiting](), system_limit
        self._resting = asyncio.Event()
        self._resting.set()
        self._closing = False
        self._failure: BaseException | None = None

    async def rest(self) -> None:
        """Commit what waits, and take nothing new."""
        if await self._rest():
            raise asyncio.CancelledError

    async def _rest(self) -> bool:
        """Come to rest however often the waiting task is cancelled; tell whether it was."""
        self._closing = True
        return await _to_the_end(asyncio.ensure_future(self._resting.wait()))

    async def close(self) -> None:
        """Commit what waits, take nothing new, and close the database. Raises what ended the journal before, if so."""
        cancelled = await self._rest()
        closing = asyncio.ensure_future(self._blocking(self._writer.close))
        cancelled |= await _to_the_end(closing)
        closing.result()
        if cancelled:
            raise asyncio.CancelledError
        if self._failure is not None:
            raise self._failure

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
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        waiting.append((unit, answer))
        # Otherwise a batch is being written, and whoever ends it takes this one up: waiting is what gathers batches.
        if self._resting.is_set():
            self._resting.clear()
            loop.call_soon(self._commit_next)
        return await answer

    def _commit_next(self) -> None:
        if batch := self._drain():
            self._commit(batch)
        else:
            self._resting.set()

    def _drain(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        # All of SYSTEM first: a crowd of members must not hold up the block that credits them.
        for waiting in (self._system, self._members):
            while waiting and len(batch) < MAX_BATCH:
                batch.append(waiting.popleft())
        return batch

    def _commit(
        self, batch: list[_Waiting], waited: float = 0.0, pause: float = _FIRST_PAUSE_SECONDS
    ) -> None:
        """Hand ``batch`` to the writer, after ``waited`` seconds of waiting for another process."""
        units = [unit for unit, _ in batch]
        writing = asyncio.ensure_future(self._blocking(partial(self._writer.commit, units)))
        writing.add_done_callback(partial(self._committed, batch, waited, pause))

    def _committed(
        self, batch: list[_Waiting], waited: float, pause: float, writing: "asyncio.Future[list[Answer]]"
    ) -> None:
        loop = writing.get_loop()
        error = OutcomeUnknown("stopped while committing") if writing.cancelled() else writing.exception()
        if isinstance(error, DatabaseLocked):
            if waited < LOCKED_LIMIT_SECONDS:
                longer = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                loop.call_later(pause, self._commit, batch, waited + pause, longer)
                return
            _fail(batch, Unavailable("another process holds the database"))
        elif error is not None:
            self._end(batch, error)
        else:
            _give(batch, writing.result())
        # A turn later those who were just answered stand in line again, and the next batch is theirs too.
        loop.call_soon(self._commit_next)

    def _end(self, batch: list[_Waiting], error: BaseException) -> None:
        """Take nothing new after ``error``. However it ended, nobody may wait for an answer that will not come."""
        self._closing, self._failure = True, error
        _fail(batch, OutcomeUnknown("the journal failed while committing"))
        for waiting in (self._system, self._members):
            _fail(waiting, Unavailable("the journal was stopped"))
            waiting.clear()


def _fail(batch: Collection[_Waiting], error: Exception) -> None:
    _give(batch, [(None, error)] * len(batch))


def _give(batch: Iterable[_Waiting], answers: list[Answer]) -> None:
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
