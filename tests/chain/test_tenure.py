"""Roles are held while a loop runs; alerts are told once while they last."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain.alarms import Alarms
from chain.tenure import TTL_MS, Tenure
from ledger.errors import LeaseLost
from tests.chain.outside import Outside, Program, program


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Program]:
    async with program(tmp_path / "books.db", Outside()) as started:
        yield started


def tenure(running: Program, holder: str) -> Tenure:
    return Tenure(running.service.leases, "scanner", holder, clock=running.clock)


async def test_a_role_is_acquired_once(running: Program) -> None:
    one = tenure(running, "one")
    assert await one.fence() == await one.fence()


async def test_a_role_is_renewed_before_it_runs_out(running: Program) -> None:
    one = tenure(running, "one")
    first = await one.fence()
    running.clock.later += TTL_MS * 2 // 3
    second = await one.fence()
    assert (second.token, second.expires_at) == (first.token, first.expires_at + TTL_MS * 2 // 3)


async def test_a_role_is_renewed_when_the_clock_was_set_back(running: Program) -> None:
    one = tenure(running, "one")
    first = await one.fence()
    running.clock.later -= 100 * TTL_MS
    assert (await one.fence()).expires_at == first.expires_at - 100 * TTL_MS


async def test_a_role_that_another_holds_is_not_had(running: Program) -> None:
    await tenure(running, "one").fence()
    with pytest.raises(LeaseLost):
        await tenure(running, "two").fence()


async def test_a_released_role_is_free_at_once(running: Program) -> None:
    one = tenure(running, "one")
    await one.fence()
    await one.release()
    assert (await tenure(running, "two").fence()).holder == "two"


async def test_a_lost_role_is_acquired_anew(running: Program) -> None:
    one, two = tenure(running, "one"), tenure(running, "two")
    first = await one.fence()
    running.clock.later += TTL_MS + 1
    await two.fence()
    with pytest.raises(LeaseLost):
        await one.fence()
    await two.release()
    one.forget()
    assert (await one.fence()).token > first.token


async def test_an_alert_is_told_once_while_it_lasts(running: Program) -> None:
    alarms = Alarms(running.service.alerts, running.clock)
    await alarms.tell("treasury.short", {})
    await alarms.tell("treasury.short", {})
    assert running.alerts() == ["treasury.short"]


async def test_an_alert_that_lasts_is_told_again_after_a_while(running: Program) -> None:
    alarms = Alarms(running.service.alerts, running.clock, again_ms=1_000)
    await alarms.tell("treasury.short", {})
    running.clock.later += 1_000
    await alarms.tell("treasury.short", {})
    assert running.alerts() == ["treasury.short", "treasury.short"]


async def test_an_alert_is_told_again_once_its_trouble_was_over(running: Program) -> None:
    alarms = Alarms(running.service.alerts, running.clock)
    await alarms.tell("chain.halted", {})
    alarms.cleared("chain.halted")
    await alarms.tell("chain.halted", {})
    assert running.alerts() == ["chain.halted", "chain.halted"]


async def test_a_clock_that_was_ahead_silences_no_alert(running: Program) -> None:
    alarms = Alarms(running.service.alerts, running.clock)
    running.clock.later += 86_400_000
    await alarms.tell("treasury.short", {})
    running.clock.later -= 86_400_000
    await alarms.tell("treasury.short", {})
    assert running.alerts() == ["treasury.short", "treasury.short"]


async def test_topics_of_one_alert_are_told_apart(running: Program) -> None:
    alarms = Alarms(running.service.alerts, running.clock)
    await alarms.tell("node.lied", {"endpoint": "one"}, topic="one")
    await alarms.tell("node.lied", {"endpoint": "two"}, topic="two")
    assert len(running.alerts()) == 2
