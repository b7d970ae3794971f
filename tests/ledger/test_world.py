"""The thread for blocking calls: results, errors, order, cancelled callers, the end."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from ledger.world import ThreadRunner


@pytest.fixture
def runner() -> Iterator[ThreadRunner]:
    runner = ThreadRunner("test")
    yield runner
    runner.close()


async def test_a_call_gives_what_it_returns(runner: ThreadRunner) -> None:
    assert await runner(lambda: 7) == 7


async def test_a_call_raises_what_it_raises(runner: ThreadRunner) -> None:
    with pytest.raises(ZeroDivisionError):
        await runner(lambda: 1 // 0)


async def test_an_end_of_the_thread_in_a_call_is_its_callers(runner: ThreadRunner) -> None:
    ending = runner(partial(sys.exit, 3))
    await asyncio.wait((ending,))
    assert isinstance(ending.exception(), SystemExit)
    assert await runner(lambda: 7) == 7


async def test_calls_run_on_a_thread_of_their_own_in_the_order_given(runner: ThreadRunner) -> None:
    ran: list[tuple[int, str]] = []

    def note(number: int) -> None:
        ran.append((number, threading.current_thread().name))

    await asyncio.gather(*(runner(partial(note, number)) for number in range(20)))
    assert ran == [(number, "test") for number in range(20)]


async def test_a_cancelled_caller_does_not_stop_the_thread(runner: ThreadRunner) -> None:
    free = threading.Event()
    call = runner(lambda: free.wait(5))
    call.cancel()
    free.set()
    assert await runner(lambda: 7) == 7
    assert call.cancelled()


def test_a_loop_that_ends_meanwhile_does_not_stop_the_thread(runner: ThreadRunner) -> None:
    free = threading.Event()

    async def leave() -> None:
        runner(lambda: free.wait(5))

    async def ask() -> int:
        return await runner(lambda: 7)

    asyncio.run(leave())
    free.set()
    assert asyncio.run(ask()) == 7


async def test_closing_waits_for_what_was_asked() -> None:
    runner, done = ThreadRunner(), list[int]()
    calls = [runner(partial(done.append, number)) for number in range(5)]
    runner.close()
    assert done == [0, 1, 2, 3, 4]
    await asyncio.gather(*calls)


async def test_a_closed_runner_refuses_by_its_answer() -> None:
    runner = ThreadRunner()
    runner.close()
    refused = runner(lambda: 7)
    with pytest.raises(RuntimeError, match="ended"):
        await refused


def test_closing_twice_is_closing_once() -> None:
    runner = ThreadRunner()
    runner.close()
    runner.close()
