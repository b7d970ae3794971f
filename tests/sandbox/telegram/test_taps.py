"""Buttons: every press is a query of its own, answered once and soon."""

import pytest
import telegram as ptb
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from sandbox.telegram import Chat, Message, SandboxRefused, Telegram, User
from tests.sandbox.telegram.conftest import ManualClock


@pytest.fixture
async def asked(bot: ptb.Bot, telegram: Telegram, plaza: Chat) -> Message:
    """A message of the bot with a button."""
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Claim", callback_data="c:1")]])
    await bot.send_message(plaza.id, "Giveaway", reply_markup=markup)
    return telegram.replies(plaza)[0]


async def test_a_tap_tells_who_pressed_what(
    bot: ptb.Bot, telegram: Telegram, asked: Message, ben: User
) -> None:
    telegram.tap(ben, asked)
    (update,) = await bot.get_updates()
    query = update.callback_query
    assert query is not None
    assert query.message is not None
    assert (query.from_user.id, query.data, query.message.message_id) == (ben.id, "c:1", asked.id)


async def test_every_tap_is_a_new_query(bot: ptb.Bot, telegram: Telegram, asked: Message, ben: User) -> None:
    taps = {telegram.tap(ben, asked, label="claim").id for _ in range(3)}
    assert len(taps) == len(await bot.get_updates()) == 3


async def test_an_answer_reaches_the_person_once(
    bot: ptb.Bot, telegram: Telegram, asked: Message, ben: User
) -> None:
    query = telegram.tap(ben, asked)
    await bot.answer_callback_query(query.id, "Yours!", show_alert=True)
    assert query.answer == {"text": "Yours!", "show_alert": True}
    with pytest.raises(ptb.error.BadRequest, match="Query is too old"):
        await bot.answer_callback_query(query.id)


async def test_a_late_answer_is_refused(
    bot: ptb.Bot, telegram: Telegram, asked: Message, ben: User, clock: ManualClock
) -> None:
    query = telegram.tap(ben, asked)
    clock.pass_seconds(16)
    with pytest.raises(ptb.error.BadRequest, match="response timeout expired"):
        await bot.answer_callback_query(query.id)


async def test_an_answer_has_200_characters_at_most(
    bot: ptb.Bot, telegram: Telegram, asked: Message, ben: User
) -> None:
    query = telegram.tap(ben, asked)
    with pytest.raises(ptb.error.BadRequest, match="Message_too_long"):
        await bot.answer_callback_query(query.id, "x" * 201)


async def test_a_changed_app_can_forge_a_button(
    bot: ptb.Bot, telegram: Telegram, asked: Message, ben: User
) -> None:
    telegram.tap(ben, asked, forged="c:999")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "c:999"


async def test_a_stranger_cannot_press(telegram: Telegram, asked: Message) -> None:
    with pytest.raises(SandboxRefused):
        telegram.tap(telegram.person("Eve"), asked)
