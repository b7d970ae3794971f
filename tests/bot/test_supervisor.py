"""Loops go on, say so when they cannot, and never stop silently."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest

from bot import supervisor
from bot.supervisor import ALERT_AFTER, Supervisor, finish, run_all
from chain.errors import Halted, NodeUnavailable
from ledger.errors import BrokenInvariant


class Scripted:
    """A loop whose rounds end as written; after the last it waits for ever."""

    def __init__(self, *ends: Exception | float) -> None:
        self.ends = list(ends)
        self.done = asyncio.Event()

    async def step(self) -> float:
        if not self.ends:
            self.done.set()
            await asyncio.Event().wait()
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


class Alerts(list[tuple[str, Mapping[str, Any]]]):
    async def __call__(self, code: str, facts: Mapping[str, Any]) -> None:
        self.append((code, facts))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.0001)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(supervisor, "HALTED_PAUSE_SECONDS", 0.001)


async def play(loop: Scripted) -> Alerts:
    alerts = Alerts()
    stop = asyncio.Event()
    running = asyncio.create_task(run_all([Supervisor("loop", loop, random.Random(1), alerts)], stop))
    async with asyncio.timeout(5):
        await loop.done.wait()
    stop.set()
    await running
    return alerts


async def test_a_failing_loop_goes_on_without_an_alert_when_it_recovers() -> None:
    assert await play(Scripted(NodeUnavailable(), 0.0, NodeUnavailable())) == []


async def test_a_loop_that_keeps_failing_is_told_once() -> None:
    alerts = await play(Scripted(*[OSError("disk")] * (ALERT_AFTER + 7)))
    assert alerts == [("loop.failing", {"loop": "loop", "why": "OSError: disk"})]


async def test_a_halted_loop_is_told_at_once() -> None:
    alerts = await play(Scripted(Halted("another chain"), Halted("another chain")))
    assert alerts == [("loop.halted", {"loop": "loop", "why": "another chain"})]


async def test_broken_books_end_every_loop() -> None:
    stop = asyncio.Event()
    healthy, broken = Scripted(), Scripted(BrokenInvariant("sum"))
    loops = [
        Supervisor(name, loop, random.Random(1), Alerts()) for name, loop in (("a", healthy), ("b", broken))
    ]
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(run_all(loops, stop), 5)
    assert caught.group_contains(BrokenInvariant)


async def test_work_in_hand_ends_before_its_task_does() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    task = asyncio.create_task(finish(work()))
    await begun.wait()
    task.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
