"""The loop whose time jumps: it jumps over waiting, and over nothing that comes from outside."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import pytest

from tests.jumping import SHORTEST_CALL_SECONDS, HoldingRunner, JumpingLoop

T = TypeVar("T")

HOUR = 3600.0


def run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_an_hour_of_waiting_takes_no_time() -> None:
    began = time.monotonic()
    run(asyncio.sleep(HOUR))
    assert time.monotonic() - began < HOUR / 60


def test_timers_come_in_their_order_and_at_their_time() -> None:
    woke = list[float]()

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woke.append(now())

    async def main() -> None:
        await asyncio.gather(*map(sleeper, (5, 0.5, HOUR, 0.25)))

    run(main())
    assert woke == pytest.approx([0.25, 0.5, 5, HOUR])


def test_time_stands_still_while_something_runs() -> None:
    async def main() -> float:
        async with asyncio.timeout(0.01):
            time.sleep(0.05)  # noqa: ASYNC251 - a machine that is slow
            await asyncio.sleep(0)
        return now()

    assert run(main()) == 0


async def _own_thread(call: Callable[[], T]) -> T:
    runner = HoldingRunner()
    try:
        return await runner(call)
    finally:
        runner.close()


async def _executor(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)


@pytest.mark.parametrize("blocking", [_own_thread, _executor])
def test_a_blocking_call_holds_the_time(blocking: Callable[[Callable[[], bool]], Awaitable[bool]]) -> None:
    """No jump makes it late, however long its caller could wait."""

    async def main() -> bool:
        async with asyncio.timeout(HOUR):
            ended = await blocking(partial(threading.Event().wait, 0.05))
        assert now() < HOUR / 60
        return ended

    assert run(main()) is False


def test_what_comes_after_a_call_is_later_than_what_it_saw() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        return await _own_thread(loop.time), now()

    saw, after = run(main())
    assert after >= saw + SHORTEST_CALL_SECONDS


def test_timers_go_on_at_the_pace_of_the_machine_meanwhile() -> None:
    """A call that waits for what the loop does is not waited for in vain."""

    async def main() -> float:
        free = threading.Event()
        asyncio.get_running_loop().call_later(0.02, free.set)
        began = time.monotonic()
        assert await _own_thread(lambda: free.wait(60))
        assert time.monotonic() - began >= 0.02
        return now()

    assert 0.02 <= run(main()) < 60


def test_a_call_whose_caller_was_cancelled_holds_it_to_its_end() -> None:
    async def main() -> float:
        free, runner = threading.Event(), HoldingRunner()
        call = runner(lambda: free.wait(60))
        call.cancel()
        timer = threading.Timer(0.05, free.set)
        timer.start()
        while asyncio.get_running_loop().held():  # type: ignore[attr-defined]  # noqa: ASYNC110 - it is what is asked
            await asyncio.sleep(0.001)
        assert free.is_set()
        runner.close()
        timer.join()
        return now()

    assert run(main()) < 60


def test_a_call_that_was_refused_holds_nothing() -> None:
    async def main() -> None:
        runner = HoldingRunner()
        runner.close()
        with pytest.raises(RuntimeError, match="has ended"):
            await runner(lambda: None)
        await asyncio.sleep(HOUR)

    run(main())


def test_what_a_call_raises_is_its_callers_and_holds_nothing_more() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await _own_thread(lambda: 1 // 0)
        await asyncio.sleep(HOUR)

    run(main())


def test_what_comes_from_outside_wins_over_a_jump() -> None:
    async def main() -> bytes:
        near, far = socket.socketpair()
        near.setblocking(False)
        writer = threading.Timer(0.05, far.send, (b"news",))
        writer.start()
        with near, far:
            async with asyncio.timeout(HOUR):
                heard = await asyncio.get_running_loop().sock_recv(near, 10)
            writer.join()
        assert now() < HOUR / 60
        return heard

    assert run(main()) == b"news"
