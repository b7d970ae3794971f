"""Pictures and files travel as multipart, come back by id, and can be fetched."""

import struct

import pytest
import telegram as ptb

from sandbox.telegram import Chat, SandboxRefused, Telegram, User
from sandbox.telegram.media import KINDS, WITH_CAPTION, MediaKind

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 330, 331) + b"\r\n--odd\r\n\r\n"


@pytest.fixture
def chat(telegram: Telegram, ana: User, bot: ptb.Bot) -> Chat:
    chat = telegram.private(ana)
    telegram.say(ana, chat, "/start")
    return chat


async def test_a_picture_keeps_size_caption_and_bytes(bot: ptb.Bot, chat: Chat, ana: User) -> None:
    sent = await bot.send_photo(ana.id, PNG, caption="<b>scan</b>", parse_mode="HTML")
    assert (sent.photo[0].width, sent.photo[0].height, sent.caption) == (330, 331, "scan")
    file = await bot.get_file(sent.photo[0].file_id)
    assert bytes(await file.download_as_bytearray()) == PNG


async def test_a_known_picture_is_sent_by_its_id(bot: ptb.Bot, chat: Chat, ana: User) -> None:
    first = await bot.send_photo(ana.id, PNG)
    again = await bot.send_photo(ana.id, first.photo[0].file_id)
    assert again.photo == first.photo


async def test_what_is_no_picture_is_refused(bot: ptb.Bot, chat: Chat, ana: User) -> None:
    with pytest.raises(ptb.error.BadRequest, match="Image_process_failed"):
        await bot.send_photo(ana.id, b"<svg/>")


async def test_a_caption_has_1024_characters_at_most(bot: ptb.Bot, chat: Chat, ana: User) -> None:
    with pytest.raises(ptb.error.BadRequest, match="Message caption is too long"):
        await bot.send_photo(ana.id, PNG, caption="x" * 1025)


async def test_a_caption_is_edited_as_caption(bot: ptb.Bot, chat: Chat, ana: User) -> None:
    sent = await bot.send_photo(ana.id, PNG, caption="seen")
    with pytest.raises(ptb.error.BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("credited", ana.id, sent.message_id)
    edited = await bot.edit_message_caption(ana.id, sent.message_id, caption="credited")
    assert isinstance(edited, ptb.Message)
    assert (edited.caption, edited.photo) == ("credited", sent.photo)


async def test_a_picture_can_be_replaced(bot: ptb.Bot, chat: Chat, ana: User, telegram: Telegram) -> None:
    sent = await bot.send_photo(ana.id, PNG, caption="one")
    await bot.edit_message_media(ptb.InputMediaPhoto(PNG + b"2", caption="two"), ana.id, sent.message_id)
    (message,) = telegram.replies(chat)
    assert telegram.state.files[message.content["photo"][0]["file_id"]].content == PNG + b"2"
    assert message.text == "two"


async def test_a_document_keeps_its_name(bot: ptb.Bot, chat: Chat, ana: User) -> None:
    sent = await bot.send_document(ana.id, b"a,b\n1,2\n", filename="statement.csv")
    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size) == ("statement.csv", 8)


@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_people_send_is_read_by_the_library(
    bot: ptb.Bot, telegram: Telegram, ana: User, chat: Chat, kind: MediaKind
) -> None:
    sent = telegram.send_media(ana, chat, kind, caption="look", album="a1")
    update = [each for each in await bot.get_updates() if each.message][-1]
    assert update.message is not None
    assert getattr(update.message, kind)
    assert update.message.caption == ("look" if kind in WITH_CAPTION else None)
    assert update.message.media_group_id == "a1"
    assert not sent.is_service


async def test_people_edit_a_caption(bot: ptb.Bot, telegram: Telegram, ana: User, chat: Chat) -> None:
    sent = telegram.send_media(ana, chat, "photo", caption="one")
    telegram.edit(ana, sent, "two https://example.org")
    update = [each for each in await bot.get_updates() if each.edited_message][-1]
    assert update.edited_message is not None
    assert update.edited_message.caption == "two https://example.org"
    assert [entity.type for entity in update.edited_message.caption_entities] == ["url"]


async def test_a_sticker_has_nothing_to_edit(telegram: Telegram, ana: User, chat: Chat, bot: ptb.Bot) -> None:
    sent = telegram.send_media(ana, chat, "sticker")
    with pytest.raises(SandboxRefused):
        telegram.edit(ana, sent, "words")
