"""What a bot may send and change, and Telegram's words when it may not."""

import pytest
import telegram as ptb
from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters

from sandbox.telegram import BotAccount, Chat, Telegram, User


@pytest.fixture
def chat(telegram: Telegram, account: BotAccount, ana: User) -> Chat:
    """Ana's private chat, begun."""
    chat = telegram.private(ana, account)
    telegram.say(ana, chat, "/start")
    telegram.queues[account.user.id].clear()
    return chat


def keyboard(*buttons: InlineKeyboardButton) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([list(buttons)])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 4097, "Message is too long"),
        (" \n ", "Message text is empty"),
        ("<b> </b>", "Message text is empty"),
        ("<b>x", "Can't parse entities: can't find end tag"),
    ],
)
async def test_texts_that_are_refused(bot: ptb.Bot, ana: User, chat: Chat, text: str, why: str) -> None:
    with pytest.raises(ptb.error.BadRequest, match=why):
        await bot.send_message(ana.id, text, parse_mode="HTML")


async def test_a_text_may_have_4096_characters_after_parsing(bot: ptb.Bot, ana: User, chat: Chat) -> None:
    assert await bot.send_message(ana.id, f"<b>{'&amp;' * 4096}</b>", parse_mode="HTML")


async def test_buttons_of_every_kind_stay_with_the_message(
    bot: ptb.Bot, ana: User, chat: Chat, telegram: Telegram
) -> None:
    buttons = keyboard(
        InlineKeyboardButton("Yes", callback_data="é" * 32),
        InlineKeyboardButton("Copy", copy_text=CopyTextButton("juno1abc")),
        InlineKeyboardButton("Open", url="https://explorer.example/tx"),
    )
    sent = await bot.send_message(ana.id, "Sure?", reply_markup=buttons)
    assert sent.reply_markup == buttons
    assert [button["text"] for button in telegram.replies(chat)[0].buttons[0]] == ["Yes", "Copy", "Open"]


@pytest.mark.parametrize(
    ("button", "why"),
    [
        ({"text": "x", "callback_data": "é" * 33}, "Button_data_invalid"),
        ({"text": "x", "callback_data": ""}, "Button_data_invalid"),
        ({"text": "x", "copy_text": {"text": "y" * 257}}, "Button_copy_text_invalid"),
        ({"text": "x", "url": "nowhere"}, "Wrong HTTP URL"),
        ({"text": "x"}, "Text buttons are unallowed"),
        ({"callback_data": "y"}, 'Field "text" must be'),
    ],
)
async def test_buttons_that_are_refused(
    bot: ptb.Bot, ana: User, chat: Chat, button: dict[str, str], why: str
) -> None:
    markup = {"inline_keyboard": [[button]]}
    with pytest.raises(ptb.error.BadRequest, match=f"(?i){why}"):
        await bot.send_message(ana.id, "x", api_kwargs={"reply_markup": markup})


async def test_a_reply_needs_its_message(bot: ptb.Bot, ana: User, chat: Chat) -> None:
    with pytest.raises(ptb.error.BadRequest, match="Message to be replied not found"):
        await bot.send_message(ana.id, "x", reply_parameters=ReplyParameters(99))


async def test_a_reply_may_do_without_its_message(bot: ptb.Bot, ana: User, chat: Chat) -> None:
    lenient = ReplyParameters(99, allow_sending_without_reply=True)
    assert (await bot.send_message(ana.id, "x", reply_parameters=lenient)).reply_to_message is None


async def test_an_edit_replaces_text_and_buttons(
    bot: ptb.Bot, ana: User, chat: Chat, telegram: Telegram
) -> None:
    sent = await bot.send_message(
        ana.id, "seen", reply_markup=keyboard(InlineKeyboardButton("x", callback_data="x"))
    )
    await bot.edit_message_text("<i>credited</i>", ana.id, sent.message_id, parse_mode="HTML")
    (message,) = telegram.replies(chat)
    assert (message.text, message.buttons) == ("credited", [])


async def test_an_edit_that_changes_nothing_is_refused(bot: ptb.Bot, ana: User, chat: Chat) -> None:
    sent = await bot.send_message(ana.id, "same")
    with pytest.raises(ptb.error.BadRequest, match="Message is not modified"):
        await bot.edit_message_text("same", ana.id, sent.message_id)


async def test_only_what_is_there_can_be_edited(bot: ptb.Bot, ana: User, chat: Chat) -> None:
    with pytest.raises(ptb.error.BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", ana.id, 99)


async def test_only_own_messages_can_be_edited(bot: ptb.Bot, ana: User, chat: Chat) -> None:
    with pytest.raises(ptb.error.BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", ana.id, 1)


async def test_a_deleted_message_is_gone(bot: ptb.Bot, ana: User, chat: Chat, telegram: Telegram) -> None:
    sent = await bot.send_message(ana.id, "oops")
    await bot.delete_message(ana.id, sent.message_id)
    assert telegram.replies(chat) == []
    with pytest.raises(ptb.error.BadRequest, match="Message to delete not found"):
        await bot.delete_message(ana.id, sent.message_id)


async def test_a_reaction_is_one_emoji_of_the_list(
    bot: ptb.Bot, ana: User, chat: Chat, telegram: Telegram
) -> None:
    await bot.set_message_reaction(ana.id, 1, "👌")
    assert telegram.messages(chat)[0].reactions
    with pytest.raises(ptb.error.BadRequest, match="Reaction_invalid"):
        await bot.set_message_reaction(ana.id, 1, "🪙")


async def test_a_pinned_message_is_shown_by_the_chat(bot: ptb.Bot, ana: User, chat: Chat) -> None:
    sent = await bot.send_message(ana.id, "rules")
    await bot.pin_chat_message(ana.id, sent.message_id)
    pinned = (await bot.get_chat(ana.id)).pinned_message
    assert pinned is not None
    assert pinned.message_id == sent.message_id


async def test_typing_is_shown_until_the_message_comes(bot: ptb.Bot, ana: User, chat: Chat) -> None:
    await bot.send_chat_action(ana.id, "typing")
    assert list(chat.actions.values()) == ["typing"]
    await bot.send_message(ana.id, "done")
    assert chat.actions == {}
