"""The world as production has it: the machine's clock, and one thread for blocking calls."""

import asyncio
import gc
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from ledger.ports import Millis

T = TypeVar("T")

_Call = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> Millis:
        """Return the current time."""
        return Millis(time.time_ns() // 1_000_000)


class ThreadRunner:
    """Runs blocking calls on one thread of its own, one after another. Close it when nothing will call any more.

    Leaner than an executor of the standard library: each call crosses to the thread and back with one queue and one
    future, at half the cost, which is a tenth of all the time that a lone transfer takes.
    """

    def __init__(self, name: str = "blocking") -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._closed = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __call__(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """Run ``call`` and return its result or raise its exception."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(RuntimeError("the thread for blocking calls has ended"))
        else:
            self._calls.put((call, future))
        return future

    def close(self) -> None:
        """Wait for what runs and end the thread."""
        self._closed = True
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (asked := self._calls.get()) is not None:
            call, future = asked
            result, error = None, None
            try:
                result = call()
            except BaseException as raised:  # noqa: BLE001 - it is for whoever asked
                error = raised
            with suppress(RuntimeError):  # the loop has ended, nobody waits any more
                future.get_loop().call_soon_threadsafe(_answer, future, result, error)


def _answer(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return  # whoever asked was cancelled
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def calm_collector() -> None:
    """Let Python's cycle collector come seldom: what the program has made at its start is left alone from now on.

    Call it once, when everything is wired. A busy ledger makes and drops thousands of small tuples, none of them in a
    cycle; by default the collector looks through them at every 700, a tenth of all the time that a transfer takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
