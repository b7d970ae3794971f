"""What makes a deed unique, and which deeds the bot has to do something about."""

import pytest

from bot.inbox import asks, key_of, sender_of
from bot.intents import Chat, ChatKind, Deed, Entity, Ignored, Intent, Migrated, Person, Said, Tapped
from ledger.ports import Millis

ANA = Person(11, "Ana")
GROUP = Chat(-100, ChatKind.SUPERGROUP)
PRIVATE = Chat(11, ChatKind.PRIVATE)


def said(text: str, chat: Chat = GROUP, **more: object) -> Said:
    length = len(text.split(maxsplit=1)[0])
    entities = (Entity("bot_command", 0, length),) if text.startswith("/") else ()
    facts = {"message": 5, "sender": ANA, "at": Millis(0), "entities": entities, **more}
    return Said(chat, text=text, **facts)  # type: ignore[arg-type]  # keywords by name


def intent(deed: Deed, update: int = 1) -> Intent:
    return Intent(update, deed)


def test_a_message_has_one_key_in_every_delivery() -> None:
    assert key_of(intent(said("/hello"), 1), 9) == key_of(intent(said("/hello"), 2), 9) == "m:9:-100:5"


def test_the_same_number_in_another_chat_is_another_message() -> None:
    assert key_of(intent(said("/hello")), 9) != key_of(intent(said("/hello", PRIVATE)), 9)


@pytest.mark.parametrize(
    "deed", [said("/hello", message=0), said("/hello", edited=True), Tapped("q", ANA, "t"), Migrated(1, 2)]
)
def test_what_has_no_number_of_its_own_is_keyed_by_its_update(deed: Deed) -> None:
    assert key_of(intent(deed, 7), 9) == "u:9:7"


@pytest.mark.parametrize(
    ("deed", "wanted"),
    [
        (said("/hello"), True),
        (said("/hello@Moneta_Bot"), True),
        (said("/hello@other_bot"), False),
        (said("good morning"), False),
        (said("good morning", PRIVATE), True),
        (Tapped("q", ANA, "t"), True),
        (Migrated(1, 2), True),
        (Ignored("poll"), False),
    ],
)
def test_only_what_is_meant_for_the_bot_is_kept(deed: Deed, wanted: bool) -> None:
    assert asks(intent(deed), "moneta_bot") is wanted


def test_nobody_stands_behind_a_channel() -> None:
    assert [
        sender_of(intent(deed)) for deed in (said("/hello"), said("/hello", sender=None), Migrated(1, 2))
    ] == [11, 0, 0]
