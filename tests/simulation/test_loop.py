import asyncio
import threading

import pytest

from tests.simulation.loop import Deadlock, SimulatedLoop, incarnation, run


async def _race(names: list[str]) -> list[str]:
    order: list[str] = []

    async def say(name: str) -> None:
        await asyncio.sleep(0)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(say(name), name=name)
    return order


def test_same_seed_same_order() -> None:
    names = [str(n) for n in range(20)]
    first = run(SimulatedLoop(7), _race(names))
    assert run(SimulatedLoop(7), _race(names)) == first
    assert any(run(SimulatedLoop(seed), _race(names)) != first for seed in range(8, 12))


def test_time_is_the_timer_s_exact_time() -> None:
    loop = SimulatedLoop(1)
    times: list[float] = []

    async def wait() -> None:
        for _ in range(3):
            await asyncio.sleep(0.1)
            times.append(loop.time())

    run(loop, wait())
    assert times == [0.1, 0.2, 0.1 + 0.1 + 0.1]


def test_nothing_left_to_run_is_a_deadlock() -> None:
    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock):
        run(SimulatedLoop(1), wait_for_ever())


def test_a_blocking_call_is_done_before_its_caller_knows() -> None:
    loop = SimulatedLoop(3)
    seen: list[float] = []

    async def call() -> float:
        await loop.run_in_executor(None, lambda: seen.append(loop.time()))
        return loop.time()

    known = run(loop, call())
    assert seen[0] < known


def test_a_blocking_call_s_error_reaches_its_caller() -> None:
    loop = SimulatedLoop(3)

    async def call() -> None:
        await loop.run_in_executor(None, lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        run(loop, call())


def test_a_kill_runs_no_finally() -> None:
    loop = SimulatedLoop(1)
    ran: list[str] = []

    async def program() -> None:
        incarnation.set(1)
        try:
            await asyncio.sleep(10)
            ran.append("went on")
        finally:
            ran.append("finally")

    async def world() -> None:
        task = asyncio.create_task(program())
        await asyncio.sleep(5)
        loop.kill(1)
        await asyncio.sleep(20)
        assert not task.done()

    run(loop, world())
    assert ran == []


def test_threads_cannot_start() -> None:
    async def start() -> None:
        threading.Thread(target=print).start()

    with pytest.raises(RuntimeError, match="may not start threads"):
        run(SimulatedLoop(1), start())
    threading.Thread(target=lambda: None).start()
