"""From an update to its one effect, over the library's real client and real books."""

import asyncio
from pathlib import Path

from bot import inbox
from bot.transport import read_update
from ledger.roles import Role
from sandbox.telegram import Chat, User
from tests.bot.stage import Stage, stage


async def test_a_command_is_answered_where_it_was_asked(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")


async def test_a_message_delivered_twice_pays_once(bot: Stage, ana: User, ben: User, plaza: Chat) -> None:
    await bot.fund(ana, 100)
    bot.telegram.say(ben, plaza, "/hello")
    message = bot.telegram.say(ana, plaza, f"/give {ben.id} 10")
    await bot.heard(ana, plaza, "paid")
    bot.telegram.repeat(message)
    bot.telegram.say(ana, plaza, "/hello")
    await bot.settled()
    assert (bot.balance(ben), len(bot.said(ana, plaza, "paid"))) == (10, 1)


async def test_an_edited_command_pays_nothing_and_says_so(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    message = bot.telegram.say(ana, plaza, f"/give {ben.id} 10")
    await bot.heard(ana, plaza, "paid")
    bot.telegram.edit(ana, message, f"/give {ben.id} 20")
    await bot.heard(ana, plaza, "refused.command_edited")
    assert bot.balance(ben) == 11


async def test_a_forwarded_command_does_nothing(bot: Stage, ana: User, ben: User, plaza: Chat) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 100)
    other = bot.telegram.private(ben)
    original = bot.telegram.say(ben, other, f"/give {ana.id} 10")
    await bot.heard(ben, other, "paid")
    bot.telegram.forward(ana, original, plaza)
    bot.telegram.forward(ana, original, bot.telegram.private(ana))
    await bot.settled()
    assert bot.balance(ana) == 110


async def test_a_command_by_way_of_another_bot_does_nothing(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 0 + 1)
    inline = bot.telegram.bot("Inline", "inline_bot")
    bot.telegram.say(ana, plaza, f"/give {ben.id} 10", via_bot=inline)
    await bot.settled()
    assert bot.balance(ana) == 100


async def test_a_button_tapped_three_times_pays_once(bot: Stage, ana: User, ben: User) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, f"/ask {ben.id} 10")
    question = await bot.heard(ana, chat, "asked")
    taps = [bot.telegram.tap(ana, question, row=0) for _ in range(3)]
    told = [await bot.answered(tap) for tap in taps]
    assert bot.balance(ben) == 11
    assert [words.split()[0] for words in told] == ["paid", "refused.button_used", "refused.button_used"]


async def test_the_answer_takes_the_place_of_the_question(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/ask 22 10")
    question = await bot.heard(ana, chat, "asked")
    bot.telegram.tap(ana, question, row=1)
    assert (await bot.heard(ana, chat, "kept")).id == question.id


async def test_one_answer_closes_every_button_of_the_question(bot: Stage, ana: User, ben: User) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, f"/ask {ben.id} 10")
    question = await bot.heard(ana, chat, "asked")
    first, second = bot.telegram.tap(ana, question, row=1), bot.telegram.tap(ana, question, row=0)
    await bot.answered(first)
    assert (await bot.answered(second)).startswith("refused.button_used")
    assert bot.balance(ana) == 100


async def test_somebody_elses_button_does_nothing(bot: Stage, ana: User, ben: User, plaza: Chat) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    bot.telegram.say(ana, plaza, f"/ask {ben.id} 10")
    question = await bot.heard(ana, plaza, "asked")
    assert (await bot.answered(bot.telegram.tap(ben, question))).startswith("refused.button_not_yours")
    assert (await bot.answered(bot.telegram.tap(ana, question))).startswith("paid")


async def test_a_forged_button_is_unknown(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/ask 22 10")
    question = await bot.heard(ana, chat, "asked")
    for forged in ("ask.yes", "0", "x" * 64, "'; DROP TABLE buttons"):
        told = await bot.answered(bot.telegram.tap(ana, question, forged=forged))
        assert told.startswith("refused.button_unknown")


async def test_a_button_sent_with_another_message_acts_and_leaves_that_message_alone(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    """A changed app names any message; Telegram itself shows which buttons stand below it."""
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    bot.telegram.say(ben, plaza, "/tally")
    card = await bot.heard(ben, plaza, "tally")
    bot.telegram.say(ana, plaza, f"/ask {ben.id} 10")
    question = await bot.heard(ana, plaza, "asked")
    bot.telegram.tap(ana, card, forged=question.buttons[0][0]["callback_data"])
    paid = await bot.heard(ana, plaza, "paid")
    assert paid.id > question.id
    assert (card.text[:5], bot.balance(ben)) == ("tally", 11)


async def test_an_expired_button_does_nothing(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/ask 22 10")
    question = await bot.heard(ana, chat, "asked")
    bot.clock.pass_seconds(601)
    assert (await bot.answered(bot.telegram.tap(ana, question))).startswith("refused.button_expired")


async def test_a_button_for_everyone_pays_each_once(bot: Stage, ana: User, ben: User, plaza: Chat) -> None:
    await bot.fund(ana, 100)
    bot.telegram.say(ana, plaza, "/gift")
    offer = await bot.heard(ben, plaza, "gift")
    for _ in range(3):
        await bot.answered(bot.telegram.tap(ben, offer))
    await bot.settled()
    assert bot.balance(ben) == 1


async def test_an_old_command_asks_before_it_pays(bot: Stage, ana: User, ben: User) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    chat = bot.telegram.private(ana)
    await bot.stop()
    bot.telegram.say(ana, chat, f"/give {ben.id} 10")
    bot.clock.pass_seconds(600)
    await bot.start()
    question = await bot.heard(ana, chat, "command.old")
    assert bot.balance(ben) == 1
    taps = [bot.telegram.tap(ana, question, label="again") for _ in range(2)]
    assert (await bot.answered(taps[0])).startswith("paid")
    await bot.answered(taps[1])
    assert bot.balance(ben) == 11


async def test_an_old_command_can_be_let_go(bot: Stage, ana: User, ben: User) -> None:
    await bot.fund(ana, 100)
    chat = bot.telegram.private(ana)
    await bot.stop()
    bot.telegram.say(ana, chat, f"/give {ben.id} 10")
    bot.clock.pass_seconds(600)
    await bot.start()
    question = await bot.heard(ana, chat, "command.old")
    bot.telegram.tap(ana, question, label="dismiss")
    await bot.heard(ana, chat, "command.dismissed")
    assert bot.balance(ana) == 100


async def test_a_role_that_is_too_low_is_refused(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/boast")
    await bot.heard(ana, chat, "refused.role_too_low")


async def test_a_role_counts_at_the_moment_of_the_act(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")
    await bot.appoint(ana, Role.ADMIN)
    bot.telegram.say(ana, chat, "/boast")
    await bot.heard(ana, chat, "boast")


async def test_a_role_that_is_lost_before_the_commit_moves_nothing(bot: Stage, ana: User, ben: User) -> None:
    """The act was allowed when it was looked at; what counts is the role when it commits."""
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    await bot.appoint(ana, Role.ADMIN)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, f"/demote {ben.id} 40")
    await bot.heard(ana, chat, "refused.role_too_low")
    assert (bot.balance(ana), bot.balance(ben)) == (100, 1)
    assert bot.rows("SELECT state, code FROM inbox") == [("refused", "role_too_low")]


async def test_a_pause_that_comes_before_the_commit_moves_nothing(bot: Stage, ana: User, ben: User) -> None:
    """Nothing was paused when it was looked at; what counts is what stands when it commits."""
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, f"/hush {ben.id} 40")
    await bot.heard(ana, chat, "refused.command_paused")
    assert (bot.balance(ana), bot.balance(ben)) == (100, 1)
    assert bot.rows("SELECT state, code FROM inbox") == [("refused", "command_paused")]


async def test_an_admins_command_goes_on_while_a_pause_stands(bot: Stage, ana: User, ben: User) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    await bot.appoint(ana, Role.ADMIN)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, f"/bless {ben.id} 40")
    await bot.heard(ana, chat, "paid")
    assert (bot.balance(ana), bot.balance(ben)) == (60, 41)


async def test_a_button_may_take_more_than_its_command(bot: Stage, ana: User, plaza: Chat) -> None:
    bot.telegram.say(ana, plaza, "/vault")
    shown = await bot.heard(ana, plaza, "vault")
    query = bot.telegram.tap(ana, shown)
    assert (await bot.answered(query)).startswith("refused.role_too_low")
    await bot.appoint(ana, Role.ADMIN)
    query = bot.telegram.tap(ana, shown)
    assert (await bot.answered(query)).startswith("opened")


async def test_a_card_shows_what_is_so_when_it_is_sent(bot: Stage, ana: User, plaza: Chat) -> None:
    """Changes that come fast are shown together, by edits of the one message, and none is lost."""
    bot.telegram.say(ana, plaza, "/tally")
    shown = await bot.heard(ana, plaza, "tally")
    for _ in range(5):
        bot.telegram.tap(ana, shown)
    await bot.until(lambda: bot.rows("SELECT count(*) FROM inbox WHERE state <> 'new'") == [(6,)])
    bot.clock.pass_seconds(10)
    await bot.until(lambda: not bot.rows("SELECT 1 FROM outbox WHERE state = 'pending'"))
    card = bot.said(ana, plaza, "tally")
    assert [each.text for each in card] == ['tally {"taps": 5}']
    assert [key["callback_data"] for row in card[0].buttons for key in row] == ["tally:1.0"]
    assert bot.rows("SELECT count(*) < 5 FROM outbox WHERE event = 'tally.changed'") == [(1,)]


async def test_an_owner_of_the_settings_may_do_what_admins_may(bot: Stage, owner: User) -> None:
    chat = bot.telegram.private(owner)
    bot.telegram.say(owner, chat, "/boast")
    await bot.heard(owner, chat, "boast")


async def test_a_command_for_private_chats_is_refused_in_a_group(bot: Stage, ana: User, plaza: Chat) -> None:
    bot.telegram.say(ana, plaza, "/whisper")
    await bot.heard(ana, plaza, "refused.command_elsewhere")


async def test_an_unknown_command_gets_a_hint_in_private(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/sned 5")
    await bot.heard(ana, chat, "refused.command_unknown")


async def test_an_unknown_command_of_a_group_is_another_bots(bot: Stage, ana: User, plaza: Chat) -> None:
    bot.telegram.say(ana, plaza, "/sned 5")
    bot.telegram.say(ana, plaza, "/hello@other_bot")
    bot.telegram.say(ana, plaza, "/sned@moneta_test_bot 5")
    await bot.heard(ana, plaza, "refused.command_unknown")
    assert len(bot.said(ana, plaza)) == 1


async def test_talk_in_private_gets_a_hint(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "good morning")
    await bot.heard(ana, chat, "refused.command_missing")


async def test_an_anonymous_admin_is_nobody(bot: Stage, ana: User, ben: User, plaza: Chat) -> None:
    bot.telegram.promote(ana, plaza, anonymous=True)
    bot.telegram.say(ana, plaza, f"/give {ben.id} 1")
    bot.telegram.say(ben, plaza, "/hello")
    await bot.heard(ben, plaza, "hello")
    await bot.settled()
    assert len(bot.said(None, plaza)) == 1
    assert bot.rows("SELECT 1 FROM users WHERE id = 1087968824") == []


async def test_a_mistake_of_ours_is_told_and_moves_nothing(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/fail")
    await bot.heard(ana, chat, "refused.internal_error")
    raised = "SELECT json_extract(facts, '$.alert') FROM outbox WHERE event = 'alert.raised'"
    # The person is told first, the operators after that.
    assert await bot.until(lambda: bot.rows(raised)) == [("command.broke",)]


async def test_a_refusal_stays_refused_when_its_update_comes_again(bot: Stage, ana: User, ben: User) -> None:
    await bot.fund(ben, 1)
    chat = bot.telegram.private(ana)
    message = bot.telegram.say(ana, chat, f"/give {ben.id} 10")
    await bot.heard(ana, chat, "refused.insufficient_balance")
    await bot.fund(ana, 100)
    bot.telegram.repeat(message)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")
    await bot.settled()
    assert bot.balance(ana) == 100


async def test_a_migrated_group_keeps_its_settings(bot: Stage, ana: User, ben: User) -> None:
    group = bot.telegram.group("Small", ana, [ben, bot.account], kind="group")
    bot.telegram.say(ana, group, "/hello")
    await bot.heard(ana, group, "hello")
    new = bot.telegram.migrate(group)
    bot.telegram.say(ana, new, "/hello")
    await bot.heard(ana, new, "hello")
    moved = bot.rows("SELECT migrated_to FROM chats WHERE id = ?", group.id)
    assert moved == [(new.id,)]


async def test_two_processes_that_answer_one_item_act_once(tmp_path: Path) -> None:
    """A process that lost its lease may still hold items that its successor takes up."""
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start(only="fetch")
        ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
        await bot.fund(ana, 100)
        await bot.fund(ben, 1)
        bot.telegram.say(ana, bot.telegram.private(ana), f"/give {ben.id} 10")
        await bot.until(lambda: bot.rows("SELECT 1 FROM inbox"))
        (item,) = inbox.waiting(bot.service.reader, read_update, 0, 10)
        answer = bot.front.lanes._answer
        await asyncio.gather(answer(item), answer(item))
        assert bot.balance(ben) == 11
        assert bot.rows("SELECT count(*) FROM outbox WHERE event = 'reply'") == [(1,)]


async def test_a_refusal_here_is_no_act_there(tmp_path: Path) -> None:
    """What one process refused, another that looked before must not do."""
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start(only="fetch")
        ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
        await bot.fund(ben, 1)
        bot.telegram.say(ana, bot.telegram.private(ana), f"/give {ben.id} 10")
        await bot.until(lambda: bot.rows("SELECT 1 FROM inbox"))
        (item,) = inbox.waiting(bot.service.reader, read_update, 0, 10)
        answer = bot.front.lanes._answer
        await asyncio.gather(answer(item), bot.fund(ana, 100), answer(item))
        assert bot.balance(ben) == 1
        assert bot.rows("SELECT state, code FROM inbox") == [("refused", "insufficient_balance")]


async def test_a_mistake_in_what_another_process_answered_is_ended_already(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start(only="fetch")
        ana = bot.telegram.person("Ana")
        bot.telegram.say(ana, bot.telegram.private(ana), "/hello")
        await bot.until(lambda: bot.rows("SELECT 1 FROM inbox"))
        (item,) = inbox.waiting(bot.service.reader, read_update, 0, 10)
        answer = bot.front.lanes._answer
        await answer(item)
        await answer.broken(item)
        assert bot.rows("SELECT state FROM inbox") == [("done",)]


async def test_a_tap_that_another_process_answered_is_left_without_a_mark(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start()
        ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
        await bot.fund(ana, 100)
        await bot.fund(ben, 1)
        chat = bot.telegram.private(ana)
        bot.telegram.say(ana, chat, f"/ask {ben.id} 10")
        question = await bot.heard(ana, chat, "asked")
        await bot.stop()
        await bot.start(only="fetch")
        bot.telegram.tap(ana, question, row=0)
        await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE state = 'new'"))
        (item,) = inbox.waiting(bot.service.reader, read_update, 0, 10)
        answer = bot.front.lanes._answer
        await asyncio.gather(answer(item), answer(item))
        assert (bot.balance(ben), bot.front.taps._waiting.qsize()) == (11, 2)


async def test_yes_and_no_at_the_same_instant_are_one_answer(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start()
        ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
        await bot.fund(ana, 100)
        await bot.fund(ben, 1)
        chat = bot.telegram.private(ana)
        bot.telegram.say(ana, chat, f"/ask {ben.id} 10")
        question = await bot.heard(ana, chat, "asked")
        await bot.stop()
        await bot.start(only="fetch")
        for row in (1, 0):
            bot.telegram.tap(ana, question, row=row)
        await bot.until(lambda: len(bot.rows("SELECT 1 FROM inbox WHERE state = 'new'")) == 2)
        answer = bot.front.lanes._answer
        await asyncio.gather(
            *[answer(item) for item in inbox.waiting(bot.service.reader, read_update, 0, 10)]
        )
        assert bot.balance(ben) == 1
        assert bot.rows("SELECT state, code FROM inbox ORDER BY id DESC LIMIT 1") == [
            ("refused", "button_used")
        ]
