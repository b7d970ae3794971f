"""Groups: what a bot hears, who appears as whom, and rights."""

import datetime as dt

import pytest
import telegram as ptb
from telegram import ChatPermissions

from sandbox.telegram import BotAccount, Chat, SandboxRefused, Telegram, User
from tests.sandbox.telegram.conftest import ManualClock

MUTED = ChatPermissions.no_permissions()


@pytest.fixture
def private_mode(telegram: Telegram, account: BotAccount, plaza: Chat) -> Chat:
    """The group with the bot as an ordinary member in privacy mode."""
    telegram.demote(account, plaza)
    telegram.queues[account.user.id].clear()
    return plaza


async def heard(bot: ptb.Bot) -> list[str | None]:
    return [u.effective_message.text for u in await bot.get_updates() if u.effective_message]


async def test_privacy_mode_hides_talk_but_not_commands(
    bot: ptb.Bot, telegram: Telegram, private_mode: Chat, ana: User
) -> None:
    for text in ("hello", "/balance", "/balance@other_bot", "/send@moneta_test_bot 5", "a /balance"):
        telegram.say(ana, private_mode, text)
    assert await heard(bot) == ["/balance", "/send@moneta_test_bot 5"]


async def test_privacy_mode_lets_answers_to_the_bot_through(
    bot: ptb.Bot, telegram: Telegram, private_mode: Chat, ana: User
) -> None:
    await bot.send_message(private_mode.id, "How much?")
    telegram.say(ana, private_mode, "five", reply_to=telegram.replies(private_mode)[0])
    assert await heard(bot) == ["five"]


async def test_an_administrator_bot_hears_everything(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User
) -> None:
    telegram.say(ana, plaza, "hello")
    assert await heard(bot) == ["hello"]


async def test_an_edit_comes_as_an_edit(bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User) -> None:
    telegram.edit(ana, telegram.say(ana, plaza, "/send 5"), "/send 50")
    _, edited = await bot.get_updates()
    assert edited.message is None
    assert edited.edited_message is not None
    assert (edited.edited_message.text, edited.edited_message.edit_date is None) == ("/send 50", False)


async def test_a_forward_names_its_origin(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User, ben: User
) -> None:
    telegram.forward(ben, telegram.say(ana, plaza, "/send 5"), plaza)
    *_, update = await bot.get_updates()
    assert update.message is not None
    assert update.message.from_user == ptb.User(ben.id, "Ben", is_bot=False)
    assert isinstance(update.message.forward_origin, ptb.MessageOriginUser)


async def test_a_message_by_way_of_a_bot_says_so(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User, account: BotAccount
) -> None:
    telegram.say(ana, plaza, "/send 5", via_bot=account)
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.via_bot is not None


async def test_an_anonymous_admin_appears_as_the_group(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User
) -> None:
    telegram.promote(ana, plaza, anonymous=True)
    telegram.say(ana, plaza, "/jail")
    (update,) = await bot.get_updates()
    message = update.message
    assert message is not None
    assert message.from_user is not None
    assert message.sender_chat is not None
    assert (message.from_user.id, message.sender_chat.id) == (1087968824, plaza.id)


async def test_a_channel_writes_as_channel_bot(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User
) -> None:
    channel = telegram.group("News", ana, kind="channel")
    telegram.say_as_channel(channel, plaza, "/claim")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.from_user.id == 136817688


async def test_a_plain_message_in_a_topic_answers_its_opening(
    bot: ptb.Bot, telegram: Telegram, ana: User, account: BotAccount
) -> None:
    forum = telegram.group("Forum", ana, [account], is_forum=True)
    telegram.promote(account, forum)
    topic = telegram.topic(ana, forum, "Tips")
    telegram.say(ana, forum, "/send 5", thread=topic.id)
    *_, update = await bot.get_updates()
    message = update.message
    assert message is not None
    assert message.reply_to_message is not None
    assert message.reply_to_message.forum_topic_created is not None
    assert message.message_thread_id == topic.id


async def test_a_restricted_member_cannot_write(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ben: User
) -> None:
    await bot.restrict_chat_member(plaza.id, ben.id, MUTED)
    assert (await bot.get_chat_member(plaza.id, ben.id)).status == "restricted"
    with pytest.raises(SandboxRefused):
        telegram.say(ben, plaza, "hello")


async def test_a_restriction_ends_on_time(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ben: User, clock: ManualClock
) -> None:
    until = dt.datetime.fromtimestamp(clock.now() / 1000 + 60, dt.UTC)
    await bot.restrict_chat_member(plaza.id, ben.id, MUTED, until_date=until)
    clock.pass_seconds(61)
    assert (await bot.get_chat_member(plaza.id, ben.id)).status == "member"
    assert telegram.say(ben, plaza, "free")


async def test_all_permissions_lift_a_restriction(bot: ptb.Bot, plaza: Chat, ben: User) -> None:
    await bot.restrict_chat_member(plaza.id, ben.id, MUTED)
    await bot.restrict_chat_member(plaza.id, ben.id, ChatPermissions.all_permissions())
    assert (await bot.get_chat_member(plaza.id, ben.id)).status == "member"


async def test_an_administrator_cannot_be_restricted(bot: ptb.Bot, plaza: Chat, ana: User) -> None:
    with pytest.raises(ptb.error.BadRequest, match="User is an administrator of the chat"):
        await bot.restrict_chat_member(plaza.id, ana.id, MUTED)


async def test_an_ordinary_bot_cannot_restrict(bot: ptb.Bot, private_mode: Chat, ben: User) -> None:
    with pytest.raises(ptb.error.BadRequest, match="Not enough rights to restrict"):
        await bot.restrict_chat_member(private_mode.id, ben.id, MUTED)


async def test_the_banned_stay_out_until_unbanned(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ben: User
) -> None:
    await bot.ban_chat_member(plaza.id, ben.id)
    with pytest.raises(SandboxRefused):
        telegram.join(ben, plaza)
    await bot.unban_chat_member(plaza.id, ben.id, only_if_banned=True)
    telegram.join(ben, plaza)
    assert plaza.has(ben.id)


async def test_administrators_are_listed(bot: ptb.Bot, plaza: Chat, ana: User, account: BotAccount) -> None:
    found = {member.user.id: member.status for member in await bot.get_chat_administrators(plaza.id)}
    assert found == {ana.id: "creator", account.user.id: "administrator"}


async def test_the_bot_can_leave(bot: ptb.Bot, plaza: Chat, account: BotAccount) -> None:
    await bot.leave_chat(plaza.id)
    assert not plaza.has(account.user.id)


async def test_a_group_describes_itself(bot: ptb.Bot, plaza: Chat) -> None:
    chat = await bot.get_chat(plaza.id)
    assert (chat.title, chat.type, chat.id < -1_000_000_000_000) == ("Plaza", "supergroup", True)


async def test_a_menu_is_kept_by_scope(bot: ptb.Bot, plaza: Chat) -> None:
    await bot.set_my_commands([("balance", "What you have")], scope=ptb.BotCommandScopeAllPrivateChats())
    menu = await bot.get_my_commands(scope=ptb.BotCommandScopeAllPrivateChats())
    assert [command.command for command in menu] == ["balance"]
    assert await bot.get_my_commands() == ()


async def test_an_ephemeral_answer_is_seen_by_its_receiver_alone(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User, ben: User
) -> None:
    sent = await bot.send_message(plaza.id, "5 JUNO", api_kwargs={"receiver_user_id": ben.id})
    assert sent.message_id == 0
    assert sent.api_kwargs["receiver_user"]["id"] == ben.id
    assert [m.text for m in telegram.replies(plaza, ben)] == ["5 JUNO"]
    assert telegram.replies(plaza, ana) == []


async def test_an_ordinary_bot_answers_a_tap_ephemerally(
    bot: ptb.Bot, telegram: Telegram, private_mode: Chat, ben: User
) -> None:
    with pytest.raises(ptb.error.BadRequest, match="Not enough rights to send ephemeral"):
        await bot.send_message(private_mode.id, "x", api_kwargs={"receiver_user_id": ben.id})
    markup = ptb.InlineKeyboardMarkup([[ptb.InlineKeyboardButton("x", callback_data="x")]])
    await bot.send_message(private_mode.id, "?", reply_markup=markup)
    query = telegram.tap(ben, telegram.replies(private_mode)[0])
    asked = {"receiver_user_id": ben.id, "callback_query_id": query.id}
    assert await bot.send_message(private_mode.id, "x", api_kwargs={"ephemeral_message_parameters": asked})


async def test_an_ephemeral_command_has_no_message_id(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ben: User
) -> None:
    telegram.say(ben, plaza, "/balance", ephemeral=True)
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.message_id == 0
    assert "ephemeral_message_id" in update.message.api_kwargs
