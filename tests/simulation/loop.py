"""An event loop on a virtual clock: the whole program in one thread, the same run for the same seed.

What it promises (simulation.md):

* Time is the next timer's exact time, never added up; nothing left to run is a deadlock and raises.
* Only the steps of tasks may be permuted by the seed; other callbacks keep their order.
* A blocking call runs inline at a random instant within a virtual latency, so "done on disk, not yet known" lasts.
* A kill parks every callback of an incarnation for ever, without running a single ``finally``.
"""

import asyncio
import asyncio.base_events
import contextvars
import heapq
import itertools
import random
import threading
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn, TypeVar

from ledger.ports import Millis

T = TypeVar("T")

EPOCH: Final = 1_760_000_000
"""Where virtual wall-clock time starts, in Unix seconds."""

_GRAVES: Final[list[Any]] = []
"""Everything of the dead: dropping the last reference to a coroutine would run its ``finally``."""

incarnation: contextvars.ContextVar[int] = contextvars.ContextVar("incarnation", default=0)
"""Which start of the program a callback belongs to; 0 is the world (Telegram, chain, people)."""


class Deadlock(Exception):  # noqa: N818 - the field's word
    """Nothing can ever run again, although somebody waits."""


class BlockingLatency:
    """How long a blocking call takes, drawn from the seed; seconds."""

    def __init__(self, rng: random.Random, longest: float = 0.004) -> None:
        self._rng = rng
        self.longest = longest

    def draw(self) -> tuple[float, float]:
        """Return when the call happens and when its caller knows, both from now."""
        happens = self._rng.random() * self.longest
        return happens, happens + self._rng.random() * self.longest


class SerialTask(asyncio.Task[Any]):
    """A task whose hash is its serial number, so that sets of tasks have one order in every process."""

    serials = itertools.count(1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.serial = next(SerialTask.serials)
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self.serial

    def __eq__(self, other: object) -> bool:
        return self is other


class SerialFuture(asyncio.Future[Any]):
    """A future whose hash is its serial number."""

    serials = itertools.count(1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.serial = next(SerialFuture.serials)
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self.serial

    def __eq__(self, other: object) -> bool:
        return self is other


class SimulatedLoop(asyncio.base_events.BaseEventLoop):
    """A loop without a selector: a real socket, subprocess or thread cannot happen on it."""

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self, seed: int | str) -> None:
        super().__init__()
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        """A heap by time, then by age: tuples compare without a call of Python."""
        self._ages = itertools.count()
        self._order = random.Random(f"{seed}:order")
        self.latency = BlockingLatency(random.Random(f"{seed}:latency"))
        self._dead: set[int] = set()
        self._stalled: dict[int, list[asyncio.Handle]] = {}
        self.steps = 0
        self.trace: Callable[[float, str], None] | None = None
        self.set_task_factory(_serial_task)  # type: ignore[arg-type]

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Do as the base class does, without its checks for debugging."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call ``callback`` at ``when``, in virtual seconds."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._ages), timer))
        return timer

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call ``callback`` after ``delay`` virtual seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future with a stable hash."""
        return SerialFuture(loop=self)

    def kill(self, which: int) -> None:
        """Stop everything of incarnation ``which`` where it stands: nothing of it runs again, no ``finally`` either."""
        self._dead.add(which)

    def stall(self, which: int, seconds: float) -> None:
        """Let incarnation ``which`` stand still, as a suspended machine does: time goes on, and it knows nothing of it."""
        if which not in self._stalled:
            self._stalled[which] = []
            # In a context of nobody's: it must not stand still with those whom it wakes.
            self.call_later(seconds, self._go_on, which, context=contextvars.Context())

    def _go_on(self, which: int) -> None:
        self._ready.extend(self._stalled.pop(which))

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Run ``func`` inline at an instant drawn from the seed; its caller knows a little later."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        happens, known = self.latency.draw()
        self.call_later(happens, self._call_inline, future, func, args, self._now + known)
        return future

    def _call_inline(
        self, future: asyncio.Future[T], func: Callable[..., T], args: tuple[Any, ...], known: float
    ) -> None:
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001 - a blocking call's error belongs to its caller
            self.call_at(known, _settle, future, None, error)
        else:
            self.call_at(known, _settle, future, result, None)

    def _run_once(self) -> None:
        self._drop_cancelled_timers()
        if not self._ready and not self._stopping:
            self._advance()
        for handle in self._permuted():
            if handle._cancelled or self._put_aside(handle):
                continue
            self.steps += 1
            if self.trace is not None:
                self.trace(self._now, _name(handle))
            handle._run()

    def _drop_cancelled_timers(self) -> None:
        while self._timers and self._timers[0][2]._cancelled:
            heapq.heappop(self._timers)

    def _advance(self) -> None:
        if not self._timers:
            raise Deadlock(f"nothing left to run at {self._now:.3f} s")
        self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])

    def _permuted(self) -> list[asyncio.Handle]:
        batch = list(self._ready)
        self._ready.clear()
        if len(batch) == 1:
            return batch
        places = [at for at, handle in enumerate(batch) if _is_task_step(handle)]
        if len(places) > 1:
            steps = [batch[at] for at in places]
            self._order.shuffle(steps)
            for at, handle in zip(places, steps, strict=True):
                batch[at] = handle
        return batch

    def _put_aside(self, handle: asyncio.Handle) -> bool:
        """Put aside what the dead would do, for ever, and what the stalled would do, until they go on."""
        if not self._dead and not self._stalled:
            return False
        which = handle._context.get(incarnation, 0)  # type: ignore[attr-defined]
        if which in self._dead:
            _GRAVES.append(handle)
            return True
        if which in self._stalled:
            self._stalled[which].append(handle)
            return True
        return False

    def close(self) -> None:
        """Close the loop; what still waits on it is kept, because the dead among it must stay where they stand."""
        _GRAVES.extend([*self._ready, *self._timers])
        super().close()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to count: cancelled timers are dropped when they come to the head."""

    def _process_events(self, event_list: Any) -> NoReturn:
        raise NotImplementedError("a simulated loop has no sockets")

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector, so nobody must be woken."""


class VirtualClock:
    """The program's wall clock on a simulated loop; ``offset_ms`` moves it as an operator's hand would."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop
        self.offset_ms = 0

    def now(self) -> Millis:
        """Return the virtual Unix time in milliseconds."""
        return Millis(round((EPOCH + self._loop.time()) * 1000) + self.offset_ms)


def run(loop: SimulatedLoop, main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end on ``loop``; a thread that anything tries to start raises."""
    start = threading.Thread.start
    threading.Thread.start = _no_threads  # type: ignore[method-assign,assignment]
    events.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        events.set_event_loop(None)
        loop.close()
        threading.Thread.start = start  # type: ignore[method-assign]


def _no_threads(thread: threading.Thread) -> NoReturn:
    raise RuntimeError(f"a simulated program may not start threads: {thread.name}")


def _serial_task(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, Any],
    context: contextvars.Context | None = None,
) -> asyncio.Task[Any]:
    return SerialTask(coro, loop=loop, context=context)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


def _is_task_step(handle: asyncio.Handle) -> bool:
    callback = handle._callback  # type: ignore[attr-defined]
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)


def _name(handle: asyncio.Handle) -> str:
    callback = handle._callback  # type: ignore[attr-defined]
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return owner.get_name()
    return str(getattr(callback, "__qualname__", type(callback).__name__))
