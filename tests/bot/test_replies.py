"""An answer survives the way through the outbox."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bot.intents import Chat, ChatKind, Person, Said, Tapped
from bot.replies import Reply, fill, place
from bot.results import Answer, Choice
from ledger.ports import Millis

ANA = Person(11, "Ana")
GROUP = Chat(-100, ChatKind.SUPERGROUP)
PRIVATE = Chat(11, ChatKind.PRIVATE)

numbers = st.integers(-(2**52), 2**52)
replies = st.builds(
    Reply,
    chat=numbers,
    say=st.text(min_size=1, max_size=20),
    facts=st.dictionaries(st.text(max_size=5), numbers | st.text(max_size=5), max_size=3),
    group=st.booleans(),
    private=st.booleans(),
    reply_to=st.none() | st.integers(1, 2**31),
    thread=st.none() | st.integers(1, 2**31),
    ephemeral=st.booleans(),
    edit=st.none() | st.integers(1, 2**31),
    photo=st.booleans(),
    track=st.none() | st.text(min_size=1, max_size=20),
    reference=st.integers(0, 2**52),
)


@given(replies)
def test_what_was_written_is_read(reply: Reply) -> None:
    parameters = reply.row(11, Millis(0)).parameters
    assert isinstance(parameters, dict)
    assert Reply.read(json.loads(parameters["facts"])) == reply


def test_a_group_is_answered_under_the_message() -> None:
    said = Said(GROUP, 5, ANA, "/hello", Millis(0), thread=3)
    assert place(said) == Reply(-100, "", group=True, reply_to=5, thread=3)


def test_a_private_chat_needs_no_quotation() -> None:
    assert place(Said(PRIVATE, 5, ANA, "/hello", Millis(0))) == Reply(11, "")


def test_a_tap_is_answered_in_its_message() -> None:
    assert place(Tapped("q", ANA, "t", GROUP, 5)) == Reply(-100, "", group=True, edit=5)


def test_a_tap_that_does_not_stand_below_its_message_is_answered_anew() -> None:
    assert place(Tapped("q", ANA, "t", GROUP, 5, stands=False)) == Reply(-100, "", group=True)


def test_a_tap_in_an_ephemeral_message_is_answered_to_its_reader() -> None:
    assert place(Tapped("q", ANA, "t", GROUP, 0, ephemeral=8)) == Reply(-100, "", group=True, ephemeral=True)


def test_a_tap_without_a_chat_is_answered_in_private() -> None:
    assert place(Tapped("q", ANA, "t")) == Reply(11, "")


def test_an_answer_below_the_button_edits_nothing() -> None:
    here = place(Tapped("q", ANA, "t", GROUP, 5))
    assert fill(here, Answer("x", replace=False), "question", 1).edit is None


def test_a_choice_travels_as_a_token_that_fits_into_telegrams_limit() -> None:
    answer = Answer("x", choices=(Choice("send.confirm", {"amount": 5}), Choice("send.drop")))
    choices = fill(place(Tapped("q", ANA, "t", GROUP, 5)), answer, "f" * 24, 1).facts["choices"]
    assert [choice["token"] for choice in choices] == [f"{'f' * 24}.0", f"{'f' * 24}.1"]
    assert all(len(choice["token"].encode()) <= 64 for choice in choices)
