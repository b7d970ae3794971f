"""Who is told that they are too fast has really asked too much, and what they are told is true."""

from pathlib import Path

from bot.fetch import POLL_SECONDS
from bot.lanes import PER_PERSON
from bot.transport.client import POLL_MARGIN_SECONDS
from chain.tenure import TTL_MS
from sandbox.telegram import User
from tests.bot.stage import Stage, stage

TOO_MANY = "SELECT count(*) FROM outbox WHERE facts LIKE '%refused.too_many%'"


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


def test_a_role_outlasts_a_poll_that_hears_nothing() -> None:
    """It is renewed at half of its time, between two polls: a second instance must not take it from a living one."""
    assert (POLL_SECONDS + POLL_MARGIN_SECONDS) * 1000 < TTL_MS // 2


def _kept(bot: Stage, who: User) -> int:
    return int(bot.rows("SELECT count(*) FROM inbox WHERE sender = ?", who.id)[0][0])
