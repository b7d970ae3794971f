"""What a bot and people say to each other, through the library as it is."""

import telegram as ptb

from sandbox.telegram import BotAccount, Chat, Telegram, User


async def test_a_bot_learns_who_it_is(bot: ptb.Bot, account: BotAccount) -> None:
    me = await bot.get_me()
    assert (me.id, me.username, me.can_read_all_group_messages) == (account.user.id, "moneta_test_bot", False)


async def test_a_message_arrives_with_its_command_marked(bot: ptb.Bot, telegram: Telegram, ana: User) -> None:
    telegram.say(ana, telegram.private(ana), "  /start now ")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.text == "/start now"
    assert update.message.parse_entities(["bot_command"]) == {update.message.entities[0]: "/start"}


async def test_an_answer_is_seen_by_the_person(bot: ptb.Bot, telegram: Telegram, ana: User) -> None:
    chat = telegram.private(ana)
    telegram.say(ana, chat, "/start")
    sent = await bot.send_message(ana.id, "<b>Hi</b> &amp; welcome", parse_mode="HTML")
    (reply,) = telegram.replies(chat, ana)
    assert (reply.text, sent.entities[0].type) == ("Hi & welcome", "bold")


async def test_a_reply_names_the_message_it_answers(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User, ben: User
) -> None:
    first = telegram.say(ana, plaza, "hello")
    telegram.say(ben, plaza, "/send 5", reply_to=first)
    *_, update = await bot.get_updates()
    assert update.message is not None
    assert update.message.reply_to_message is not None
    assert update.message.reply_to_message.from_user is not None
    assert update.message.reply_to_message.from_user.id == ana.id


async def test_a_text_mention_carries_the_person(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User, ben: User
) -> None:
    telegram.say(ana, plaza, "🦊 /send 5 Ben", mentions={"Ben": ben})
    (update,) = await bot.get_updates()
    assert update.message is not None
    mentioned = update.message.parse_entities(["text_mention"])
    ((entity, text),) = mentioned.items()
    assert (text, entity.user.id if entity.user else None) == ("Ben", ben.id)
