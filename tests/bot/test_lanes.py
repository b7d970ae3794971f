"""Lanes are fair, bounded, and survive what an answer may raise."""

import asyncio
import random

import pytest

from bot.inbox import Item
from bot.intents import Intent, Person, Tapped
from bot.lanes import Lanes
from ledger.errors import BrokenInvariant, Busy, Conflict

ANA, BEN = 11, 22


def row(number: int, sender: int) -> Item:
    deed = Tapped("query", Person(sender, "somebody"), "token")
    return Item(number, f"u:1:{number}", Intent(number, deed))


class Recorder:
    """Answers items by writing down their ids; raises what is planted for an id, once each."""

    def __init__(self) -> None:
        self.answered: list[int] = []
        self.ended: list[int] = []
        self.planted: dict[int, list[Exception]] = {}

    async def __call__(self, item: Item) -> None:
        if self.planted.get(item.id):
            raise self.planted[item.id].pop(0)
        self.answered.append(item.id)

    async def broken(self, item: Item) -> None:
        self.ended.append(item.id)


class Alarms(list[tuple[str, int]]):
    async def __call__(self, code: str, inbox: int) -> None:
        self.append((code, inbox))


@pytest.fixture
def answers() -> Recorder:
    return Recorder()


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def lanes(answers: Recorder, alarms: Alarms) -> Lanes:
    return Lanes(answers, random.Random(1), alarms)


async def work(lanes: Lanes, times: int) -> None:
    for _ in range(times):
        await asyncio.wait_for(lanes.step(), 5)


async def test_one_persons_items_are_answered_in_their_order(lanes: Lanes, answers: Recorder) -> None:
    for number in range(5):
        lanes.add(row(number, ANA))
    await work(lanes, 5)
    assert answers.answered == [0, 1, 2, 3, 4]


async def test_lanes_take_turns(lanes: Lanes, answers: Recorder) -> None:
    for number in range(5):
        lanes.add(row(number, ANA))
    lanes.add(row(99, BEN))
    await work(lanes, 2)
    assert answers.answered == [0, 99]


async def test_busy_books_only_delay_an_answer(lanes: Lanes, answers: Recorder, alarms: Alarms) -> None:
    answers.planted[1] = [Busy("full"), Busy("full")]
    lanes.add(row(1, ANA))
    await work(lanes, 1)
    assert (answers.answered, alarms) == ([1], [])


async def test_a_conflict_is_ended_and_told(lanes: Lanes, answers: Recorder, alarms: Alarms) -> None:
    answers.planted[1] = [Conflict("key")]
    lanes.add(row(1, ANA))
    await work(lanes, 1)
    assert (answers.ended, alarms) == ([1], [("key.conflicted", 1)])


async def test_a_mistake_in_a_command_is_ended_and_told(
    lanes: Lanes, answers: Recorder, alarms: Alarms
) -> None:
    answers.planted[1] = [ZeroDivisionError()]
    lanes.add(row(1, ANA))
    await work(lanes, 1)
    assert (answers.ended, alarms) == ([1], [("command.broke", 1)])


async def test_broken_books_are_not_answered_for(lanes: Lanes, answers: Recorder) -> None:
    answers.planted[1] = [BrokenInvariant("sum")]
    lanes.add(row(1, ANA))
    with pytest.raises(BrokenInvariant):
        await work(lanes, 1)


async def test_no_more_is_taken_in_than_there_is_room_for(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.lanes.MOST_WAITING", 2)
    lanes.add(row(1, ANA))
    lanes.add(row(2, BEN))
    waiting = asyncio.create_task(lanes.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await work(lanes, 1)
    await asyncio.wait_for(waiting, 5)


async def test_who_is_too_fast_hears_it_once_until_their_lane_is_empty(lanes: Lanes) -> None:
    lanes.add(row(1, ANA))
    lanes.told(ANA)
    assert [lanes.was_told(ANA), lanes.was_told(BEN)] == [True, False]
    await work(lanes, 1)
    assert not lanes.was_told(ANA)


async def test_who_was_told_while_their_lane_ran_empty_hears_it_again(lanes: Lanes) -> None:
    lanes.told(ANA)
    assert not lanes.was_told(ANA)
