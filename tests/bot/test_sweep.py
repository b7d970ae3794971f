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
    assert bot.rows("SELECT count(*) FROM outbox") == [(1,)]
    assert bot.rows("SELECT count(*) FROM buttons") == [(0,)]


async def test_numbers_of_the_inbox_are_never_given_again(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    for times in (1, 2):
        bot.telegram.say(ana, chat, "/hello")
        await bot.heard(ana, chat, "hello", times=times)
    await bot.settled()
    newest = bot.rows("SELECT max(id) FROM inbox")[0][0]
    bot.clock.pass_seconds(KEPT_MS / 1000 + 3600)
    await Sweep(bot.service).step()
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello", times=3)
    assert bot.rows("SELECT id FROM inbox ORDER BY id") == [(newest,), (newest + 1,)]


async def test_a_question_that_nobody_answered_expires(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/ask 22 1")
    await bot.heard(ana, chat, "asked")
    bot.clock.pass_seconds(601)
    await Sweep(bot.service).step()
    assert bot.rows("SELECT DISTINCT state FROM buttons") == [("expired",)]
