"""The world as production has it: the machine's clock, and one thread for blocking calls."""

import asyncio
import gc
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ledger.ports import Millis

T = TypeVar("T")


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> Millis:
        """Return the current time."""
        return Millis(time.time_ns() // 1_000_000)


class ThreadRunner:
    """Runs blocking calls on one thread of its own, one after another. Close it when nothing will call any more."""

    def __init__(self, name: str = "blocking") -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def __call__(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Run ``call`` and return its result or raise its exception."""
        return asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Wait for what runs and end the thread."""
        self._thread.shutdown()


def calm_collector() -> None:
    """Let Python's cycle collector come seldom: what the program has made at its start is left alone from now on.

    Call it once, when everything is wired. A busy ledger makes and drops thousands of small tuples, none of them in a
    cycle; by default the collector looks through them at every 700, a tenth of all the time that a transfer takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
