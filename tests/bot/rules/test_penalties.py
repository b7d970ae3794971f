"""What follows of a broken rule: fines, jails, floods, steps, and deletions that take their time."""

import pytest

from bot.rules.model import Consequence, Penalty, Step
from bot.rules.verdict import step_of
from ledger.roles import Role
from sandbox.telegram import Chat, Fault, User
from sandbox.telegram.media import MediaKind
from tests.bot.rules.acting import gone, later, order, quiet, stands, violations
from tests.bot.stage import Stage

DAY = 86_400
STEPS = Consequence(steps=(Step(Penalty.WARN), Step(Penalty.FINE, 3, DAY), Step(Penalty.JAIL, 5, 7 * DAY)))


@pytest.mark.parametrize(
    ("before", "penalty", "number"),
    [
        ([], Penalty.WARN, 1),
        ([1], Penalty.WARN, 2),
        ([1, 2], Penalty.FINE, 3),
        ([DAY + 1, 2], Penalty.WARN, 2),
        ([DAY, 2], Penalty.WARN, 2),
        ([DAY - 1, 2], Penalty.FINE, 3),
        ([1, 2, 3], Penalty.FINE, 4),
        ([6 * DAY, 5 * DAY, 2, 1], Penalty.JAIL, 5),
        ([8 * DAY, 5 * DAY, 2, 1], Penalty.FINE, 3),
    ],
)
def test_steps_count_within_their_own_time(before: list[int], penalty: Penalty, number: int) -> None:
    """``before`` are seconds ago."""
    now = 100 * DAY * 1000
    step, reached = step_of(STEPS, [now - 1000 * ago for ago in before], now)
    assert (step.penalty, reached if penalty is not Penalty.WARN else number) == (penalty, number)


async def test_a_fine_is_what_was_set(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules stickers fine 1.5")
    message = bot.telegram.send_media(ben, plaza, "sticker")
    await bot.until(lambda: violations(bot))
    await quiet(bot)
    assert bot.rows("SELECT person, amount, denom, state FROM fines") == [
        (ben.id, 1_500_000, "ujuno", "owed")
    ]
    assert stands(plaza, message)


async def test_a_jail_has_its_time_and_bail(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules forwards delete jail 10m bail 2")
    wrong = bot.telegram.forward(ben, bot.telegram.say(cleo, plaza, "news"), plaza)
    await gone(bot, plaza, wrong)
    assert bot.rows("SELECT person, until_at - from_at, bail, state FROM jails") == [
        (ben.id, 600_000, 2_000_000, "serving")
    ]


async def test_friends_free_whoever_a_rule_jailed(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    """The notice of a rule's jail has the same button as an admin's."""
    await bot.fund(cleo, 10_000_000)
    await order(bot, cleo, plaza, "/rules forwards delete jail 10m bail 2")
    bot.telegram.forward(ben, bot.telegram.say(cleo, plaza, "news"), plaza)
    notice = await bot.heard(cleo, plaza, "🔒 Ben is in jail")
    await quiet(bot)
    bot.clock.pass_seconds(70)
    tap = bot.telegram.tap(cleo, notice, label="Pay bail: 2 JUNO")
    assert await bot.answered(tap) == "You paid 2 JUNO of bail."
    assert bot.balance(cleo) == 8_000_000
    await bot.until(lambda: bot.telegram.may(plaza, ben.id, "can_send_messages"))


@pytest.mark.parametrize("kind", ["photo", "voice", "animation", "video_note", "poll"])
async def test_media_are_told_apart(
    *, bot: Stage, ben: User, cleo: User, plaza: Chat, kind: MediaKind
) -> None:
    await order(bot, cleo, plaza, "/rules media photo voice gif round poll delete")
    fine = [bot.telegram.send_media(ben, plaza, each) for each in ("sticker", "document", "video")]
    wrong = bot.telegram.send_media(ben, plaza, kind)
    await gone(bot, plaza, wrong)
    assert all(stands(plaza, message) for message in fine)


async def test_a_caption_is_judged_like_a_text(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    message = bot.telegram.send_media(ben, plaza, "photo", caption="sea")
    bot.telegram.edit(ben, message, "sea https://evil.example")
    await gone(bot, plaza, message)


async def test_the_words_of_a_poll_are_judged(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules words add tea")
    await gone(bot, plaza, bot.telegram.send_media(ben, plaza, "poll"))


async def test_a_caption_is_no_command(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await bot.fund(ben, 10_000_000)
    bot.telegram.send_media(ben, plaza, "photo", caption="/send 5 @cleo")
    bot.telegram.send_media(ben, bot.telegram.private(ben), "photo", caption="/send 5 @cleo")
    await quiet(bot)
    assert (bot.balance(ben), bot.rows("SELECT 1 FROM inbox")) == (10_000_000, [])


async def test_a_flood_is_one_violation_and_all_of_it_goes(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules flood 3 in 10s delete warn")
    messages = [bot.telegram.say(ben, plaza, f"hey {number}") for number in range(7)]
    await bot.until(lambda: len(violations(bot)) == 5)
    for message in messages[2:]:
        await gone(bot, plaza, message)
    assert [stands(plaza, message) for message in messages] == [True] * 2 + [False] * 5
    assert [penalty for _, _, penalty in violations(bot)] == ["warn", "none", "none", "none", "none"]


async def test_slow_talk_is_no_flood(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules flood 3 in 10s delete")
    for number in range(6):
        bot.telegram.say(ben, plaza, f"hey {number}")
        bot.clock.pass_seconds(6)
    await quiet(bot)
    assert violations(bot) == []


async def test_steps_follow_one_another(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules stickers warn then fine 1 after 3 in 1d")
    for number in range(1, 5):
        bot.telegram.send_media(ben, plaza, "sticker")
        await bot.until(lambda number=number: len(violations(bot)) == number)  # type: ignore[misc]
        bot.clock.pass_seconds(9 * 3600)
    assert [penalty for _, _, penalty in violations(bot)] == ["warn", "warn", "fine", "fine"]


async def test_what_is_too_long_ago_does_not_count(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules stickers warn then fine 1 after 2 in 1h")
    for number in (1, 2):
        bot.telegram.send_media(ben, plaza, "sticker")
        await bot.until(lambda number=number: len(violations(bot)) == number)  # type: ignore[misc]
        bot.clock.pass_seconds(3601)
    assert [penalty for _, _, penalty in violations(bot)] == ["warn", "warn"]


async def test_of_several_penalties_the_severest_is_given(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links warn")
    await order(bot, cleo, plaza, "/rules words add scam")
    await order(bot, cleo, plaza, "/rules words fine 1")
    message = bot.telegram.say(ben, plaza, "scam at evil.com")
    await bot.until(lambda: violations(bot))
    assert violations(bot) == [(ben.id, message.id, "none"), (ben.id, message.id, "fine")]
    assert bot.rows("SELECT kind FROM violations") == [("fine",)]


async def test_a_rule_for_one_person_leaves_others_alone(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    dora = bot.telegram.person("Dora", "dora", user_id=44)
    bot.telegram.join(dora, plaza)
    bot.telegram.say(dora, plaza, f"/help@{bot.account.user.username}")
    await order(bot, cleo, plaza, "/rules stickers @dora delete")
    fine = bot.telegram.send_media(ben, plaza, "sticker")
    await gone(bot, plaza, bot.telegram.send_media(dora, plaza, "sticker"))
    assert stands(plaza, fine)


async def test_who_speaks_as_a_channel_is_not_punished_but_the_message_goes(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete fine 1")
    channel = bot.telegram.group("News", ben, kind="channel")
    await gone(bot, plaza, bot.telegram.say_as_channel(channel, plaza, "https://evil.example"))
    assert violations(bot)[0][2] == "none"
    assert bot.rows("SELECT 1 FROM violations") == []


# Deletions that take their time


async def test_a_deletion_is_tried_until_telegram_answers(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    bot.telegram.faults.add(Fault("refuse", "deleteMessage", times=3, code=500))
    message = bot.telegram.say(ben, plaza, "https://evil.example")
    await bot.until(lambda: bot.rows("SELECT 1 FROM outbox WHERE event = 'message.struck' AND attempts >= 1"))
    assert stands(plaza, message)
    await bot.until(lambda: later(bot) and not stands(plaza, message))
    await bot.until(lambda: bot.rows("SELECT state FROM struck_messages") == [("gone",)])


async def test_without_the_right_a_message_waits_for_it(
    *, bot: Stage, ana: User, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    bot.telegram.promote(bot.account, plaza, by=ana, rights={"can_manage_chat": True})
    messages = [bot.telegram.say(ben, plaza, f"https://evil.example/{number}") for number in range(3)]
    await bot.until(
        lambda: bot.rows(
            "SELECT 1 FROM outbox WHERE event = 'message.struck' AND revision >= 0 AND due_at > created_at"
        )
    )
    bot.telegram.promote(bot.account, plaza, by=ana)
    await bot.until(lambda: later(bot) and not any(stands(plaza, each) for each in messages))
    await bot.until(lambda: bot.rows("SELECT DISTINCT state FROM struck_messages") == [("gone",)])


async def test_what_is_too_old_stays_and_is_given_up(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    old = bot.telegram.say(ben, plaza, "hello")
    bot.clock.pass_seconds(3 * DAY)
    young = bot.telegram.say(ben, plaza, "https://evil.example/1")
    bot.telegram.edit(ben, old, "https://evil.example/2")
    await gone(bot, plaza, young)
    await bot.until(lambda: len(bot.rows("SELECT 1 FROM struck_messages WHERE state <> 'wanted'")) == 2)
    assert bot.rows("SELECT message, state FROM struck_messages ORDER BY message") == [
        (old.id, "kept"),
        (young.id, "gone"),
    ]


async def test_a_message_that_is_gone_already_is_success(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    bot.telegram.faults.add(Fault("refuse", "deleteMessage", times=1, code=500))
    message = bot.telegram.say(ben, plaza, "https://evil.example")
    await bot.until(lambda: bot.rows("SELECT 1 FROM outbox WHERE event = 'message.struck' AND attempts = 1"))
    del plaza.messages[message.id]
    await bot.until(lambda: later(bot) and bot.rows("SELECT state FROM struck_messages") == [("gone",)])


# Restarts and doubt


async def test_what_was_found_before_a_restart_is_decided_after_it(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete warn")
    await bot.stop()
    await bot.start(only="fetch")
    message = bot.telegram.say(ben, plaza, "https://evil.example")
    await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE judged IS NOT NULL AND state = 'new'"))
    assert violations(bot) == []
    await bot.stop()
    await bot.start()
    await gone(bot, plaza, message)
    assert violations(bot) == [(ben.id, message.id, "warn")]


async def test_a_rule_that_changed_before_the_verdict_punishes_nobody(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete warn")
    bot.telegram.faults.add(Fault("refuse", "getChatMember", times=1000, code=500))
    message = bot.telegram.say(ben, plaza, "https://evil.example")
    await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE judged IS NOT NULL"))
    bot.telegram.say(cleo, plaza, "/rules links off")
    await bot.until(lambda: bot.rows("SELECT 1 FROM chat_rules WHERE state = 'off'"))
    bot.telegram.faults.clear()
    await bot.until(lambda: not bot.rows("SELECT 1 FROM inbox WHERE state = 'new'"))
    assert (violations(bot), stands(plaza, message)) == ([], True)


async def test_nobody_is_punished_while_telegram_does_not_say_who_leads(
    bot: Stage, ana: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete warn")
    bot.telegram.faults.add(Fault("refuse", "getChatMember", times=3, code=500))
    message = bot.telegram.say(ana, plaza, "https://evil.example")
    await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE code = 'rules_exempt'"))
    assert (violations(bot), stands(plaza, message)) == ([], True)


async def test_who_left_at_once_is_judged_all_the_same(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    told = "Bad Request: PARTICIPANT_ID_INVALID"
    bot.telegram.faults.add(Fault("refuse", "getChatMember", times=1, code=400, description=told))
    await gone(bot, plaza, bot.telegram.say(ben, plaza, "https://evil.example"))


async def test_nobody_is_punished_where_telegram_will_not_say_who_leads(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    told = "Bad Request: member list is inaccessible"
    bot.telegram.faults.add(Fault("refuse", "getChatMember", times=1, code=400, description=told))
    message = bot.telegram.say(ben, plaza, "https://evil.example")
    await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE code = 'rules_exempt'"))
    assert (violations(bot), stands(plaza, message)) == ([], True)


async def test_rules_go_with_a_group_that_migrates(bot: Stage, ben: User, cleo: User) -> None:
    await bot.appoint(cleo, Role.ADMIN)
    basic = bot.telegram.group("Basic", ben, [cleo, bot.account], kind="group")
    bot.telegram.promote(bot.account, basic)
    await order(bot, cleo, basic, "/rules stickers delete")
    new = bot.telegram.migrate(basic)
    await bot.until(lambda: bot.rows("SELECT 1 FROM chats WHERE migrated_to = ?", new.id))
    told = await order(bot, cleo, new, "/rules")
    assert "no stickers" in told.text
