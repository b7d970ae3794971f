"""An event loop whose time jumps when nothing is going on: an hour of waiting takes no time.

Its time stands still while anything runs, however slow the machine is. It moves by a jump to the next timer when nothing
else could happen before, and by the machine's clock while the loop really waits, for a blocking call on a thread or for a
socket.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from ledger.world import ThreadRunner

T = TypeVar("T")

SHORTEST_CALL_SECONDS: Final = 0.001
"""What comes after a blocking call has a later time than what the call saw, in milliseconds, however fast the disk is."""

_OWN_PIPE: Final = 1
"""What every loop watches, so that threads can wake it."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop of the standard library, on a clock of its own."""

    def __init__(self) -> None:
        self._now = 0.0
        self._in_flight = 0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the seconds since the loop was made; any thread may ask."""
        return self._now

    def hold(self, future: "asyncio.Future[Any]") -> None:
        """Let time go as the machine's does until ``future`` is done: something outside the loop works on it."""
        self._in_flight += 1
        future.add_done_callback(self._let_go)

    def _let_go(self, _future: "asyncio.Future[Any]") -> None:
        self._in_flight -= 1
        self.passed(SHORTEST_CALL_SECONDS)

    def run_in_executor(self, *asked: Any) -> "asyncio.Future[Any]":  # type: ignore[override]
        """Do as the base class does, and hold the time."""
        future: asyncio.Future[Any] = super().run_in_executor(*asked)
        self.hold(future)
        return future

    def held(self) -> bool:
        """Whether a blocking call is in flight."""
        return bool(self._in_flight)

    def passed(self, seconds: float) -> None:
        """Let ``seconds`` have passed."""
        self._now += seconds


class HoldingRunner(ThreadRunner):
    """Holds the time of a jumping loop for every blocking call, until it has ended and its caller knows."""

    def __call__(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """Run ``call`` and return its result or raise its exception."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        ended: asyncio.Future[None] = loop.create_future()
        answer = super().__call__(partial(_call, call, loop, ended))
        if not answer.done():  # it was not refused
            loop.hold(answer)
            loop.hold(ended)  # a cancelled caller knows at once, and the call goes on
        return answer


def _call(call: Callable[[], T], loop: JumpingLoop, ended: "asyncio.Future[None]") -> T:
    try:
        return call()
    finally:
        loop.call_soon_threadsafe(ended.set_result, None)


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        watched = len(self.get_map()) > _OWN_PIPE
        if timeout is not None and not watched and not self._loop.held():
            self._loop.passed(timeout)
            return []
        began = time.monotonic()
        found = super().select(timeout)
        self._loop.passed(time.monotonic() - began)
        return found
