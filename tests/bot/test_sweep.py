"""Old rows go, what is needed stays."""

import pytest

from bot.sweep import AT_ONCE, INBOX_KEPT_MS, KEPT_MS, MORE_SECONDS, SWEEP_SECONDS, Sweep
from ledger.units import Decision, Row, Unit
from sandbox.telegram import User
from tests.bot.stage import Stage

OUTBOX = """
INSERT INTO outbox (event, recipient, facts, created_at, due_at, state)
SELECT 'transfer.received', 7, '{}', 1, 1, 'sent' FROM json_each(:numbers)
"""
BUTTONS = """
INSERT INTO buttons (id, owner, action, arguments, question, created_at, expires_at)
SELECT 'b' || value, 7, 'send.confirm', '{}', 'b', 1, 2 FROM json_each(:numbers)
"""


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


async def test_what_members_wrote_is_not_kept_longer_than_its_update(bot: Stage, ana: User) -> None:
    """Many long messages would fill the disk; what they were answered is there for longer."""
    chat = bot.telegram.private(ana)
    for times in (1, 2):
        bot.telegram.say(ana, chat, "/hello")
        await bot.heard(ana, chat, "hello", times=times)
    await bot.settled()
    bot.clock.pass_seconds(INBOX_KEPT_MS / 1000 + 3600)
    await Sweep(bot.service).step()
    assert bot.rows("SELECT count(*) FROM inbox") == [(1,)]
    assert bot.rows("SELECT count(*) FROM outbox") == [(2,)]


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


async def many(bot: Stage, insert: str, count: int) -> None:
    """Have ``count`` old rows stand in a table."""
    row = Row(insert, {"numbers": str(list(range(count)))})
    await bot.service.journal.submit(Unit(lambda _: Decision(None, rows=(row,))))


@pytest.mark.parametrize("insert", [OUTBOX, BUTTONS], ids=["outbox", "buttons"])
async def test_where_more_may_be_left_the_next_round_is_soon(bot: Stage, insert: str) -> None:
    """Else whoever writes faster than an hour's round sweeps has the books grow for ever."""
    await many(bot, insert, AT_ONCE)
    assert await Sweep(bot.service).step() == MORE_SECONDS


async def test_where_nothing_is_left_the_next_round_is_in_an_hour(bot: Stage) -> None:
    await many(bot, OUTBOX, AT_ONCE - 1)
    assert await Sweep(bot.service).step() == SWEEP_SECONDS


async def test_what_is_swept_in_a_round_is_bounded(bot: Stage) -> None:
    await many(bot, BUTTONS, AT_ONCE + 10)
    await Sweep(bot.service).step()
    assert bot.rows("SELECT count(*) FROM buttons WHERE state = 'open'") == [(10,)]
