"""A flood keeps nobody else waiting; only who really asked too much is told so, and in truth."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.lanes import PER_PERSON
from bot.outbox import MOST_LOADED, MOST_OF_A_CHAT, Desk
from bot.pacing import Pacer
from ledger.connect import open_migrator
from ledger.errors import Busy
from ledger.journal import Journal, Lane
from ledger.reader import Reader
from ledger.units import Unit
from sandbox.telegram import User
from tests.blank import lay_blank
from tests.bot.stage import Stage, stage
from tests.bot.test_outbox import START, StoppedClock

TOO_MANY = "SELECT count(*) FROM outbox WHERE facts LIKE '%refused.too_many%'"
INSERT = "INSERT INTO outbox (event, recipient, facts, created_at, due_at) VALUES (?, ?, ?, ?, ?)"
FLOODED, QUIET = -100, 7


async def test_talk_of_a_group_does_not_count_as_commands(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        ana = bot.telegram.person("Ana")
        plaza = bot.telegram.group("Plaza", ana, [bot.account])
        bot.telegram.promote(bot.account, plaza)
        for _ in range(PER_PERSON + 5):
            bot.telegram.say(ana, plaza, "good morning")
        bot.telegram.say(ana, plaza, "/hello")
        await bot.start()
        await bot.heard(ana, plaza, "hello")
        assert bot.rows(TOO_MANY) == [(0,)]


async def test_what_waits_is_not_called_refused_when_it_comes_again(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start(only="fetch")
        ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
        hammer, quiet = bot.telegram.private(ana), bot.telegram.private(ben)
        for _ in range(PER_PERSON):
            bot.telegram.say(ana, hammer, "/hello")
        await bot.until(lambda: _kept(bot, ana) == PER_PERSON)
        bot.telegram.queues[bot.account.user.id].redeliver(PER_PERSON)
        bot.telegram.say(ben, quiet, "/hello")
        await bot.until(lambda: _kept(bot, ben) == 1)
        assert bot.rows(TOO_MANY) == [(0,)]


async def test_who_is_too_fast_is_told_with_a_reference(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await hammered(bot)
        (refused,) = bot.rows("SELECT min(id) FROM inbox WHERE code = 'too_many'")
        (facts,) = bot.rows("SELECT json_extract(facts, '$.reference') FROM outbox")
        assert facts == refused


async def test_a_tap_too_many_is_told_over_the_chat(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await tapped(bot, PER_PERSON + 2)
        await bot.until(lambda: bot.front.taps._waiting.qsize() == 2)
        assert bot.front.taps._waiting.get_nowait()[1] == "refused.too_many"


async def test_the_marks_of_a_flood_of_taps_end_by_themselves(tmp_path: Path) -> None:
    """Each answer is a request: a thousand of them would come before what others asked for."""
    flood = 40
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await tapped(bot, PER_PERSON + flood)
        await bot.until(lambda: bot.rows("SELECT count(*) FROM inbox WHERE code = 'too_many'") == [(flood,)])
        marks = bot.front.taps._waiting
        await bot.until(lambda: not marks.empty())
        # A long poll that waits comes back with the first tap alone.
        assert marks.qsize() <= 6


async def tapped(bot: Stage, times: int) -> None:
    """Let Ana press one button that often while nothing is answered."""
    await bot.start()
    ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, f"/ask {ben.id} 10")
    question = await bot.heard(ana, chat, "asked")
    await bot.stop()
    await bot.start(only="fetch")
    for _ in range(times):
        bot.telegram.tap(ana, question, row=0)


async def hammered(bot: Stage) -> None:
    """Let Ana send one more than may wait while nothing is answered."""
    await bot.start(only="fetch")
    ana = bot.telegram.person("Ana")
    hammer = bot.telegram.private(ana)
    for _ in range(PER_PERSON + 1):
        bot.telegram.say(ana, hammer, "/hello")
    await bot.until(lambda: _kept(bot, ana) == PER_PERSON + 1)


async def test_who_is_too_fast_hears_it_although_a_commit_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        submit = Journal.submit
        failed: list[str] = []

        async def failing(self: Journal, unit: Unit[Any], lane: Lane = Lane.MEMBERS) -> Any:
            if lane is Lane.MEMBERS and not failed:
                failed.append("once")
                raise Busy("full")
            return await submit(self, unit, lane)

        monkeypatch.setattr(Journal, "submit", failing)
        await hammered(bot)
        assert (failed, bot.rows(TOO_MANY)) == (["once"], [(1,)])


def test_a_flooded_group_keeps_no_other_chat_waiting(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite3"
    lay_blank(path)
    asked = json.dumps({"chat": FLOODED, "say": "hello", "group": True})
    flood = [("reply", 5, asked, START, START)] * (MOST_LOADED + 1)
    writer = open_migrator(path)
    writer.executemany(INSERT, [*flood, ("transfer.received", QUIET, "{}", START, START)])
    writer.close()
    desk = Desk(Reader(path), StoppedClock(), Pacer())
    desk.load()
    taken = [desk.take(), desk.take()]
    assert {pending.chat for pending in taken if pending} == {FLOODED, QUIET}


def test_many_throttled_groups_keep_no_other_chat_waiting(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite3"
    lay_blank(path)
    groups = [FLOODED - number for number in range(MOST_LOADED // MOST_OF_A_CHAT + 1)]
    flood = [
        ("reply", 5, json.dumps({"chat": group, "say": "hello", "group": True}), START, START)
        for group in groups
        for _ in range(MOST_OF_A_CHAT)
    ]
    writer = open_migrator(path)
    writer.executemany(INSERT, [*flood, ("transfer.received", QUIET, "{}", START, START)])
    writer.close()
    clock, pacer = StoppedClock(), Pacer()
    for group in groups:
        pacer.pause(group, clock.now(), 60_000)
    desk = Desk(Reader(path), clock, pacer)
    desk.load()
    taken = desk.take()
    assert taken is not None
    assert taken.chat == QUIET


def _kept(bot: Stage, who: User) -> int:
    return int(bot.rows("SELECT count(*) FROM inbox WHERE sender = ?", who.id)[0][0])
