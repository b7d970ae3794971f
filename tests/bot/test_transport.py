"""What Telegram sends is read without trust, and what it refuses is told apart."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.intents import Ignored, Intent, Media, Migrated, Said, Tapped, Unreadable, called
from bot.outgoing import Address, Message
from bot.transport import (
    BadToken,
    MessageGone,
    Moved,
    Offline,
    Rejected,
    SecondPoller,
    Sent,
    Telegram,
    Throttled,
    TransportError,
    Unreachable,
    read_update,
)

ANA = {"id": 11, "is_bot": False, "first_name": "Ana", "username": "ana"}
PLAZA = {"id": -1001234567890, "type": "supergroup", "title": "Plaza"}


def message(**more: Any) -> dict[str, Any]:
    return {"message_id": 5, "date": 1_700_000_000, "chat": PLAZA, "from": ANA, "text": "/hello", **more}


def read(**update: Any) -> Intent:
    return read_update({"update_id": 1, **update})


def test_a_message_is_read() -> None:
    said = read(message=message()).deed
    assert isinstance(said, Said)
    assert (said.chat.id, said.message, said.sender and said.sender.id, said.text) == (
        PLAZA["id"],
        5,
        11,
        "/hello",
    )


def test_time_is_milliseconds() -> None:
    said = read(message=message()).deed
    assert isinstance(said, Said)
    assert said.at == 1_700_000_000_000


@pytest.mark.parametrize(
    ("more", "mark"),
    [
        ({"forward_origin": {"type": "hidden_user", "sender_user_name": "x", "date": 1}}, "forwarded"),
        ({"via_bot": {"id": 5, "is_bot": True, "first_name": "x"}}, "via_bot"),
    ],
)
def test_what_must_not_act_is_marked(more: dict[str, Any], mark: str) -> None:
    said = read(message=message(**more)).deed
    assert getattr(said, mark)


def test_an_edited_message_is_marked() -> None:
    said = read(edited_message=message(edit_date=1_700_000_060)).deed
    assert isinstance(said, Said)
    assert said.edited


def test_a_channel_behind_a_message_is_nobody() -> None:
    said = read(message=message(sender_chat=PLAZA)).deed
    assert isinstance(said, Said)
    assert said.sender is None


def test_the_message_that_opened_a_topic_names_nobody() -> None:
    topic = message(message_id=3, forum_topic_created={"name": "t", "icon_color": 1})
    topic.pop("text")
    said = read(message=message(is_topic_message=True, message_thread_id=3, reply_to_message=topic)).deed
    assert isinstance(said, Said)
    assert said.reply is not None
    assert said.reply.opens_topic
    assert said.thread == 3


def test_an_ephemeral_command_keeps_its_number() -> None:
    said = read(message=message(message_id=0, ephemeral_message_id=8)).deed
    assert isinstance(said, Said)
    assert (said.message, said.ephemeral) == (0, 8)


def test_a_tap_is_read_even_when_its_message_is_too_old() -> None:
    query = {
        "id": "9",
        "from": ANA,
        "chat_instance": "1",
        "data": "abc",
        "message": {"message_id": 5, "date": 0, "chat": PLAZA},
    }
    tapped = read(callback_query=query).deed
    assert isinstance(tapped, Tapped)
    assert (tapped.token, tapped.message, tapped.sender.id) == ("abc", 5, 11)


@pytest.mark.parametrize(
    ("keyboard", "stands"),
    [([[{"text": "Yes", "callback_data": "abc"}]], True), ([[{"text": "Yes", "callback_data": "x"}]], False)],
)
def test_a_tap_stands_where_telegram_shows_its_button(keyboard: list[Any], stands: bool) -> None:
    shown = message(reply_markup={"inline_keyboard": keyboard})
    query = {"id": "9", "from": ANA, "chat_instance": "1", "data": "abc", "message": shown}
    tapped = read(callback_query=query).deed
    assert isinstance(tapped, Tapped)
    assert tapped.stands == stands


def test_a_tap_does_not_stand_below_a_message_that_is_not_shown() -> None:
    gone = {"message_id": 5, "date": 0, "chat": PLAZA}
    query = {"id": "9", "from": ANA, "chat_instance": "1", "data": "abc", "message": gone}
    tapped = read(callback_query=query).deed
    assert isinstance(tapped, Tapped)
    assert not tapped.stands


def test_a_migration_is_read() -> None:
    raw = message(migrate_to_chat_id=-1009)
    raw.pop("text")
    assert read(message=raw).deed == Migrated(-1001234567890, -1009)


def test_everyone_seen_is_named_once() -> None:
    ben = {"id": 22, "is_bot": False, "first_name": "Ben"}
    mention = {"type": "text_mention", "offset": 0, "length": 3, "user": ben}
    intent = read(message=message(entities=[mention], reply_to_message=message(**{"from": ben})))
    assert [person.id for person in intent.people] == [11, 22]


@pytest.mark.parametrize("kind", ["channel_post", "poll", "something_new", "guest_message"])
def test_what_asks_for_nothing_is_ignored(kind: str) -> None:
    assert isinstance(read(**{kind: {}} if kind == "something_new" else {}).deed, Ignored)


@pytest.mark.parametrize(
    "update",
    [
        {"message": {"message_id": "seven", "chat": 5}},
        {"message": message(date="yesterday")},
        {"message": message(message_id=2**70)},
        {"message": message(**{"from": {**ANA, "id": 2**70}})},
        {"message": message(date=10**30)},
        {"callback_query": {}},
        {"message": []},
    ],
)
def test_what_cannot_be_understood_is_poison(update: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read(**update)


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(-1001234567890)
shapes = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "message_id",
                    "chat",
                    "from",
                    "id",
                    "type",
                    "text",
                    "entities",
                    "offset",
                    "length",
                    "date",
                    "reply_to_message",
                    "user",
                    "is_bot",
                    "first_name",
                    "data",
                    "message",
                    "title",
                    "sender_chat",
                    "via_bot",
                    "forward_origin",
                ]
            ),
            inner,
            max_size=8,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(
    st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member", "chat_member"]), shapes
)
def test_no_update_does_more_than_be_poison(kind: str, content: Any) -> None:
    try:
        intent = read(**{kind: content})
    except Unreadable:
        return
    assert json.dumps([person._asdict() for person in intent.people])


Answering = Callable[..., Telegram]


@pytest.fixture
async def answering() -> AsyncIterator[Answering]:
    """Make a Telegram whose server answers all but getMe the same."""
    made: list[Telegram] = []

    def make(code: int, **body: Any) -> Telegram:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/getMe"):
                me = {"id": 1, "is_bot": True, "first_name": "Moneta", "username": "moneta_bot"}
                return httpx.Response(200, json={"ok": True, "result": me})
            return httpx.Response(code, json={"ok": False, "error_code": code, **body})

        made.append(Telegram("1:secret", "http://telegram.test/bot", httpx.MockTransport(answer)))
        return made[-1]

    yield make
    for telegram in made:
        await telegram.close()


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (403, "Forbidden: bot was blocked by the user", Unreachable),
        (400, "Bad Request: chat not found", Unreachable),
        (400, "Bad Request: message text is empty", Rejected),
        (400, "Bad Request: message to edit not found", MessageGone),
        (401, "Unauthorized", BadToken),
        (409, "Conflict: terminated by other getUpdates request", SecondPoller),
        (500, "Internal Server Error", Offline),
        (502, "Bad Gateway", Offline),
    ],
)
async def test_refusals_are_told_apart(
    answering: Answering, code: int, words: str, kind: type[TransportError]
) -> None:
    with pytest.raises(TransportError) as caught:
        await answering(code, description=words).send(Address(11), Message("x"))
    assert type(caught.value) is kind


async def test_how_long_to_wait_is_told(answering: Answering) -> None:
    telegram = answering(429, description="Too Many Requests", parameters={"retry_after": 7})
    with pytest.raises(Throttled) as caught:
        await telegram.send(Address(11), Message("x"))
    assert caught.value.seconds == 7


async def test_where_a_group_went_is_told(answering: Answering) -> None:
    telegram = answering(
        400, description="Bad Request: group chat was upgraded", parameters={"migrate_to_chat_id": -1009}
    )
    with pytest.raises(Moved) as caught:
        await telegram.send(Address(-9), Message("x"))
    assert caught.value.chat == -1009


async def test_an_unchanged_message_counts_as_edited(answering: Answering) -> None:
    telegram = answering(
        400, description="Bad Request: message is not modified: specified new message content ..."
    )
    await telegram.edit(Sent(11, 5), Message("x"))


async def test_a_server_without_ephemeral_messages_is_known(answering: Answering) -> None:
    old, new = (
        answering(404, description="Not Found"),
        answering(400, description="Bad Request: chat not found"),
    )
    for telegram, knows in ((old, False), (new, True)):
        await telegram.open()
        assert await telegram.knows_ephemeral() is knows


def test_the_token_is_in_no_repr() -> None:
    assert "secret" not in repr(Telegram("1:secret"))


# What rules look at


def shown(**more: Any) -> Said:
    sent = message(**more)
    sent.pop("text")
    said = read(message=sent).deed
    assert isinstance(said, Said)
    return said


FILE = {"file_id": "a", "file_unique_id": "b", "duration": 1, "width": 1, "height": 1}


@pytest.mark.parametrize(
    ("content", "media"),
    [
        ({"photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]}, Media.PHOTO),
        ({"voice": FILE}, Media.VOICE),
        ({"animation": FILE, "document": {"file_id": "a", "file_unique_id": "b"}}, Media.ANIMATION),
        ({"dice": {"emoji": "x", "value": 1}}, Media.DICE),
        (
            {
                "venue": {"location": {"latitude": 1, "longitude": 1}, "title": "x", "address": "y"},
                "location": {"latitude": 1, "longitude": 1},
            },
            Media.LOCATION,
        ),
    ],
)
def test_what_a_message_shows_is_told(content: dict[str, Any], media: Media) -> None:
    assert shown(**content).media is media


def test_a_caption_is_the_text_of_a_picture_and_never_a_command() -> None:
    entities = [{"type": "bot_command", "offset": 0, "length": 5}]
    said = shown(voice=FILE, caption="/send 5", caption_entities=entities, media_group_id="7")
    assert (said.text, said.album, said.entities[0].kind) == ("/send 5", "7", "bot_command")
    assert called(said) is None


def test_addresses_behind_words_and_buttons_are_read() -> None:
    said = read(
        message=message(
            entities=[{"type": "text_link", "offset": 0, "length": 6, "url": "https://x.example"}],
            reply_markup={"inline_keyboard": [[{"text": "go", "url": "https://y.example"}]]},
        )
    ).deed
    assert isinstance(said, Said)
    assert said.links == ("https://x.example", "https://y.example")


@pytest.mark.parametrize(
    ("more", "channel"),
    [
        ({}, False),
        ({"sender_chat": PLAZA}, False),
        ({"sender_chat": {"id": -100999, "type": "channel", "title": "N"}}, True),
        (
            {
                "sender_chat": {"id": -100999, "type": "channel", "title": "N"},
                "is_automatic_forward": True,
            },
            False,
        ),
    ],
)
def test_a_foreign_channel_is_told_from_the_groups_own(more: dict[str, Any], *, channel: bool) -> None:
    said = read(message=message(**more)).deed
    assert isinstance(said, Said)
    assert said.channel is channel
