"""/rules as people read it and as admins press it."""

import pytest

from sandbox.telegram import Chat, Fault, Message, User
from tests.bot.rules.acting import gone, order, quiet, stands
from tests.bot.stage import Stage


def labels(message: Message) -> list[str]:
    return [button["text"] for row in message.buttons for button in row]


async def press(bot: Stage, who: User, message: Message, label: str) -> str:
    bot.clock.pass_seconds(5)
    told = await bot.answered(bot.telegram.tap(who, message, label=label))
    await quiet(bot)
    return told


async def test_everyone_reads_what_holds(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    await order(bot, cleo, plaza, "/rules links delete warn then fine 1.5 after 3 in 1d")
    await order(bot, cleo, plaza, "/rules allow example.org")
    await order(bot, cleo, plaza, "/rules stickers off because it is quiet")
    await order(bot, cleo, plaza, "/rules flood 5 in 10s jail 90m bail 2")
    await order(bot, cleo, plaza, "/rules words add scam spam")
    await order(bot, cleo, plaza, "/rules 3 off")
    told = await order(bot, ben, plaza, "/rules")
    assert told.text.splitlines()[1:] == [
        "1. no links: the message goes, a warning, a fine of 1.5 JUNO after 3 in 1d",
        "4. none of 2 words: the message goes",
        "Links may lead to example.org.",
    ]
    assert labels(told) == []


async def test_nothing_is_forbidden_at_first(bot: Stage, ben: User, plaza: Chat) -> None:
    told = await order(bot, ben, plaza, "/rules")
    assert told.text == "The rules of this group\nThere are none."


async def test_an_admin_adds_changes_and_removes_with_buttons(bot: Stage, cleo: User, plaza: Chat) -> None:
    menu = await order(bot, cleo, plaza, "/rules")
    assert labels(menu) == ["Add: links", "Add: stickers", "Add: forwards", "Add: media", "Add: flood"]
    assert await press(bot, cleo, menu, "Add: stickers") == "Done."
    assert "no stickers: the message goes" in menu.text
    assert labels(menu) == ["Turn off", "Remove", "Don't delete", "Warn", "All rules"]
    await press(bot, cleo, menu, "Warn")
    assert "no stickers: the message goes, a warning" in menu.text
    await press(bot, cleo, menu, "Don't delete")
    assert "no stickers: a warning" in menu.text
    await press(bot, cleo, menu, "No penalty")
    assert "no stickers: nothing follows" in menu.text
    await press(bot, cleo, menu, "Turn off")
    assert "Rule 1 · off" in menu.text
    await press(bot, cleo, menu, "All rules")
    assert labels(menu)[:2] == ["1: stickers", "Add: links"]
    await press(bot, cleo, menu, "1: stickers")
    await press(bot, cleo, menu, "Remove")
    assert menu.text == "Rule 1 is removed."
    states = bot.rows("SELECT version, state FROM chat_rules ORDER BY version")
    assert states == [(1, "on"), (2, "on"), (3, "on"), (4, "on"), (5, "off"), (6, "removed")]
    assert len(bot.rows("SELECT 1 FROM admin_audit WHERE action LIKE 'rule.%'")) == 6


async def test_what_a_button_adds_works(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    menu = await order(bot, cleo, plaza, "/rules")
    await press(bot, cleo, menu, "Add: media")
    fine = bot.telegram.send_media(ben, plaza, "sticker")
    await gone(bot, plaza, bot.telegram.send_media(ben, plaza, "poll"))
    assert stands(plaza, fine)


async def test_another_ones_button_changes_nothing(bot: Stage, ben: User, cleo: User, plaza: Chat) -> None:
    menu = await order(bot, cleo, plaza, "/rules")
    assert await press(bot, ben, menu, "Add: links") == "That button is somebody else's."
    assert bot.rows("SELECT 1 FROM chat_rules") == []


async def test_a_rule_of_another_group_is_out_of_reach(
    bot: Stage, ana: User, cleo: User, plaza: Chat
) -> None:
    await order(bot, cleo, plaza, "/rules links delete")
    other = bot.telegram.group("Other", ana, [cleo, bot.account])
    told = await order(bot, cleo, other, "/rules 1 off")
    assert told.text.startswith("There is no rule 1 here.")
    assert bot.rows("SELECT state FROM chat_rules") == [("on",)]


@pytest.mark.parametrize(
    ("rights", "privacy", "blind", "unable"),
    [(None, True, True, True), (None, False, False, True), ({"can_manage_chat": True}, True, False, True)],
)
async def test_an_admin_reads_what_keeps_rules_from_working(
    *,
    bot: Stage,
    ana: User,
    cleo: User,
    plaza: Chat,
    rights: dict[str, bool] | None,
    privacy: bool,
    blind: bool,
    unable: bool,
) -> None:
    bot.account.privacy = privacy
    bot.telegram.demote(bot.account, plaza, by=ana)
    if rights is not None:
        bot.telegram.promote(bot.account, plaza, by=ana, rights=rights)
    for typed in ("/rules", "/rules links delete"):
        told = await order(bot, cleo, plaza, typed)
        assert ("/setprivacy" in told.text, "right to delete" in told.text) == (blind, unable)


async def test_with_all_rights_there_is_nothing_to_say(bot: Stage, cleo: User, plaza: Chat) -> None:
    told = await order(bot, cleo, plaza, "/rules")
    assert "⚠️" not in told.text


async def test_when_telegram_does_not_say_the_rule_is_set_all_the_same(
    bot: Stage, cleo: User, plaza: Chat
) -> None:
    bot.telegram.faults.add(Fault("refuse", "getChatMember", times=1, code=500))
    told = await order(bot, cleo, plaza, "/rules links delete")
    assert "Telegram does not say right now" in told.text
    assert bot.rows("SELECT state FROM chat_rules") == [("on",)]


async def test_rules_belong_to_a_group(bot: Stage, cleo: User, plaza: Chat) -> None:
    private = bot.telegram.private(cleo)
    bot.telegram.say(cleo, private, "/rules")
    await bot.heard(cleo, private, "/rules works in groups.")
