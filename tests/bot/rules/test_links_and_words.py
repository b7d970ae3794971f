"""Links and words: what breaks a rule is deleted or warned about, once; what breaks none is nobody's business."""

import pytest

from sandbox.telegram import Chat, User
from tests.bot.rules.acting import gone, order, quiet, stands, violations
from tests.bot.stage import Stage


async def test_everything_is_off_by_default(bot: Stage, ben: User, plaza: Chat) -> None:
    message = bot.telegram.say(ben, plaza, "look at https://evil.example/x")
    await quiet(bot)
    assert stands(plaza, message)
    assert bot.rows("SELECT 1 FROM inbox") == []


async def test_a_link_is_deleted_and_the_group_hears_why(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    told = await order(bot, cleo, plaza, "/rules links on delete")
    assert "no links: the message goes" in told.text
    message = bot.telegram.say(ben, plaza, "look at https://evil.example/x")
    await gone(bot, plaza, message)
    notice = await bot.heard(ben, plaza, "Ben: links are not wanted here (rule 1).")
    assert notice.text.endswith("I removed the message.")
    assert violations(bot) == [(ben.id, message.id, "none")]


async def test_talk_that_breaks_nothing_is_not_stored(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    rows = bot.rows("SELECT count(*) FROM inbox")
    message = bot.telegram.say(ben, plaza, "good morning, everybody")
    await quiet(bot)
    assert (stands(plaza, message), bot.rows("SELECT count(*) FROM inbox")) == (True, rows)


async def test_an_allowed_domain_and_its_parts_pass(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    await order(bot, cleo, plaza, "/rules allow example.org")
    fine = bot.telegram.say(ben, plaza, "https://docs.EXAMPLE.org:8443/a?b=c")
    wrong = bot.telegram.say(ben, plaza, "https://example.org@evil.example/")
    await gone(bot, plaza, wrong)
    await quiet(bot)
    assert stands(plaza, fine)


async def test_a_word_is_warned_about(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules words add scam")
    await order(bot, cleo, plaza, "/rules words warn")
    fine = bot.telegram.say(ben, plaza, "scampi for dinner")
    wrong = bot.telegram.say(ben, plaza, "what a S\u200bCAM!")
    await bot.heard(ben, plaza, "Ben: that word is not wanted here (rule 1). This is a warning.")
    await quiet(bot)
    assert (stands(plaza, fine), stands(plaza, wrong)) == (True, True)
    assert bot.rows("SELECT person, kind, rule, message FROM violations") == [
        (ben.id, "warn", "1.2", wrong.id)
    ]


async def test_a_message_is_punished_once_however_often_it_comes(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules words add scam")
    await order(bot, cleo, plaza, "/rules words warn")
    message = bot.telegram.say(ben, plaza, "scam")
    bot.telegram.repeat(message)
    bot.telegram.edit(ben, message, "scam, I say")
    bot.telegram.edit(ben, message, "SCAM")
    await bot.until(
        lambda: bot.rows("SELECT 1 FROM inbox WHERE key LIKE 'j:u:%' AND state = 'done' LIMIT 1 OFFSET 1")
    )
    await quiet(bot)
    assert violations(bot) == [(ben.id, message.id, "warn")]
    assert bot.rows("SELECT count(*) FROM violations") == [(1,)]


async def test_an_edit_is_judged_too(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    message = bot.telegram.say(ben, plaza, "hello")
    bot.telegram.edit(ben, message, "hello https://evil.example")
    await gone(bot, plaza, message)


async def test_who_leads_the_group_or_the_bank_is_free(
    *, bot: Stage, ana: User, cleo: User, owner: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete warn")
    bot.telegram.join(owner, plaza)
    bot.telegram.promote(ana, plaza, anonymous=True)
    messages = [bot.telegram.say(who, plaza, "https://evil.example") for who in (ana, cleo, owner)]
    bot.telegram.promote(ana, plaza, anonymous=False)
    messages.append(bot.telegram.say(ana, plaza, "https://evil.example"))
    await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE code = 'rules_exempt'"))
    await quiet(bot)
    assert all(stands(plaza, message) for message in messages)
    assert violations(bot) == []


async def test_a_command_is_carried_out_though_its_message_breaks_a_rule(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await bot.fund(ben, 10_000_000)
    await order(bot, cleo, plaza, "/rules links delete")
    message = bot.telegram.say(ben, plaza, "/send 5 @cleo see https://evil.example")
    await gone(bot, plaza, message)
    await bot.until(lambda: bot.balance(cleo) == 5_000_000)


async def test_a_rule_that_is_turned_off_judges_nobody(
    bot: Stage, ben: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    await order(bot, cleo, plaza, "/rules links off")
    message = bot.telegram.say(ben, plaza, "https://evil.example")
    await quiet(bot)
    assert stands(plaza, message)


@pytest.mark.parametrize("text", ["/rules links delete", "/rules 1 off"])
async def test_members_change_no_rules(bot: Stage, ben: User, cleo: User, plaza: Chat, text: str) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    told = await order(bot, ben, plaza, text)
    assert "admin" in told.text
    assert bot.rows("SELECT count(*) FROM chat_rules") == [(1,)]


async def test_each_change_is_in_the_admins_log(bot: Stage, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules links delete because of spam")
    await order(bot, cleo, plaza, "/rules 1 remove")
    assert bot.rows(
        "SELECT actor, action, chat, reason FROM admin_audit WHERE action LIKE 'rule.%' ORDER BY id"
    ) == [
        (cleo.id, "rule.set", plaza.id, "of spam"),
        (cleo.id, "rule.removed", plaza.id, "/rules 1 remove"),
    ]


async def test_an_admin_hears_that_the_bot_sees_nothing(
    bot: Stage, ana: User, cleo: User, plaza: Chat
) -> None:
    bot.telegram.demote(bot.account, plaza, by=ana)
    told = await order(bot, cleo, plaza, "/rules links delete")
    assert "/setprivacy" in told.text
    assert "right to delete" in told.text
