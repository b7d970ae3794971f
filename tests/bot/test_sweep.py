"""Old rows go, what is needed stays."""

from bot.sweep import KEPT_MS, Sweep
from sandbox.telegram import User
from tests.bot.stage import Stage


async def test_old_messages_are_swept_and_new_ones_stay(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/ask 22 1")
    await bot.heard(ana, chat, "asked")
    await bot.settled()
    bot.clock.pass_seconds(KEPT_MS / 1000 + 3600)
    for _ in range(2):
        await Sweep(bot.service).step()
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")
    await bot.settled()
    for table in ("inbox", "outbox"):
        assert bot.rows(f"SELECT count(*) FROM {table}") == [(1,)]
    assert bot.rows("SELECT count(*) FROM buttons") == [(0,)]


async def test_a_question_that_nobody_answered_expires(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/ask 22 1")
    await bot.heard(ana, chat, "asked")
    bot.clock.pass_seconds(601)
    await Sweep(bot.service).step()
    assert bot.rows("SELECT DISTINCT state FROM buttons") == [("expired",)]
