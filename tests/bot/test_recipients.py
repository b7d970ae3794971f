"""Who is paid is certain, asked about, or refused with a reason."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.amounts import Wanted
from bot.intents import Entity, Person, ReplyTarget, width
from bot.names import Doubt
from bot.recipients import Payment, Recipient, Word, find_recipient, read_payment, read_target, split_words
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.money import Amount, Asset, Denom
from ledger.ports import Millis
from tests.bot.test_names import ALICE, BOB, NOW, Pages

JUNO = Asset(Denom("ujuno"), "JUNO", 6)
FIVE = Wanted(Amount(5_000_000), JUNO)
REPLY = ReplyTarget(7, BOB)
TOPIC = ReplyTarget(7, BOB, opens_topic=True)
CHANNEL = ReplyTarget(7, None)


@pytest.fixture
def pages() -> Iterator[Pages]:
    opened = Pages()
    opened.see(ALICE, BOB)
    yield opened
    opened.connection.close()


def read(text: str, reply: ReplyTarget | None = None, *entities: Entity) -> Payment:
    return read_payment(split_words(text, entities), reply, (JUNO,))


def find(pages: Pages, who: str | Word | None, reply: ReplyTarget | None = None) -> Recipient:
    word = Word(who) if isinstance(who, str) else who
    return find_recipient(word, reply, ALICE, pages.book, Millis(NOW))


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.code


@pytest.mark.parametrize("text", ["5 @bob", "@bob 5", "5 JUNO @bob", "@bob 5 juno", "@bob 5JUNO"])
def test_either_order_says_the_same(text: str) -> None:
    assert read(text) == Payment(FIVE, Word("@bob"), "")


@pytest.mark.parametrize("text", ["5 @bob for @carol", "@bob 5 for @carol"])
def test_the_rest_is_a_note(text: str) -> None:
    assert read(text) == Payment(FIVE, Word("@bob"), "for @carol")


def test_a_reply_needs_no_name() -> None:
    assert read("5 thanks a lot", REPLY) == Payment(FIVE, None, "thanks a lot")


def test_a_name_beside_a_reply_is_meant() -> None:
    assert read("5 @carol", REPLY).who == Word("@carol")


CAROL = Entity("text_mention", 6, 5, Person(33, "Carol"))


@pytest.mark.parametrize(
    ("text", "entities"),
    [("5 for @carol", ()), ("5 JUNO thanks to @carol!", ()), ("5 for Carol", (CAROL,))],
)
def test_a_reply_that_names_somebody_else_asks_who_is_meant(text: str, entities: tuple[Entity, ...]) -> None:
    with pytest.raises(Refused) as refused:
        read(text, REPLY, *entities)
    assert code_of(refused) == "recipient_two"
    assert "arol" in str(refused.value.facts["typed"])


def test_an_address_in_a_note_names_nobody() -> None:
    assert read("5 carol@example.org says hi", REPLY).note == "carol@example.org says hi"


@pytest.mark.parametrize("text", ["5 ATOM", "5 LOL", "all ATOM", "@bob 5 ATOM", "5 ATOM thanks"])
def test_what_may_be_another_coin_is_asked_about(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text, REPLY)
    assert code_of(refused) == "amount_or_note"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("5 JUNO LOL", "LOL"),
        ("5JUNO LOL", "LOL"),
        ("5 lol", "lol"),
        ("5 a LOL", "a LOL"),
        ("5 A", "A"),
        ("5 LOL!", "LOL!"),
        ("5 CONGRATULATIONS", "CONGRATULATIONS"),
        ("@bob 5 JUNO ATOM", "ATOM"),
    ],
)
def test_what_can_only_be_a_note_is_one(text: str, note: str) -> None:
    assert read(text, REPLY).note == note


def test_a_marked_person_is_one_word_wherever_emoji_stand() -> None:
    """Offsets count UTF-16 units: each emoji before the mention takes two."""
    carol = Person(33, "Carol Ann")
    words = split_words("😀😀 5 Carol Ann hi", [Entity("text_mention", 7, 9, carol)])
    assert words == [Word("😀😀"), Word("5"), Word("Carol Ann", carol), Word("hi")]


def test_a_marked_person_is_who() -> None:
    carol = Person(33, "Carol Ann")
    payment = read("Carol Ann 5 hi", None, Entity("text_mention", 0, 9, carol))
    assert payment == Payment(FIVE, Word("Carol Ann", carol), "hi")


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=4))
def test_false_entities_break_nothing(text: str, spans: list[tuple[int, int]]) -> None:
    entities = [Entity("mention", offset, length) for offset, length in spans]
    words = split_words(text, entities)
    assert sum(width(word.text) for word in words) <= width(text)


@pytest.mark.parametrize(
    ("text", "reply", "code"),
    [
        ("", None, "amount_missing"),
        ("", REPLY, "amount_missing"),
        ("@bob", None, "amount_missing"),
        ("5", None, "recipient_missing"),
        ("5", TOPIC, "recipient_missing"),
        ("5 bob", None, "recipient_without_at"),
        ("bob 5", None, "recipient_without_at"),
        ("5 bob", TOPIC, "recipient_without_at"),
        ("5 ATOM @bob", None, "amount_symbol"),
        ("1,5 @bob", None, "amount_comma"),
        ("@bob -5", None, "amount_signed"),
        ("@bob 1 000", None, "amount_separated"),
        ("5 @bob " + "x" * 121, None, "note_too_long"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, reply: ReplyTarget | None, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text, reply)
    assert code_of(refused) == code


def test_a_known_name_is_found(pages: Pages) -> None:
    assert find(pages, "@bob_b") == Recipient(AccountId(22), "Bob", None, "@bob_b")


def test_the_sender_of_the_answered_message_is_found(pages: Pages) -> None:
    assert find(pages, None, REPLY) == Recipient(AccountId(22), "Bob")


def test_a_marked_person_is_found_without_the_book(pages: Pages) -> None:
    assert find(pages, Word("C", Person(33, "Carol"))) == Recipient(AccountId(33), "Carol")


def test_a_doubtful_name_is_told(pages: Pages) -> None:
    pages.see(BOB._replace(username="bobby"))
    assert find(pages, "@bob_b").doubt is Doubt.RENAMED


@pytest.mark.parametrize(
    ("who", "reply", "code"),
    [
        ("@nobody_here", None, "recipient_unknown"),
        ("@some_bot", None, "recipient_bot"),
        ("@alice", None, "recipient_self"),
        (None, ReplyTarget(7, ALICE), "recipient_self"),
        (None, None, "recipient_missing"),
        (None, TOPIC, "recipient_missing"),
        (None, CHANNEL, "recipient_nobody"),
        (None, ReplyTarget(7, Person(5, "Robot", is_bot=True)), "recipient_bot"),
        (None, ReplyTarget(7, Person(1087968824, "Group", is_bot=True)), "recipient_nobody"),
        (None, ReplyTarget(7, Person(777000, "Telegram")), "recipient_nobody"),
        (Word("G", Person(136817688, "Channel", is_bot=True)), None, "recipient_nobody"),
    ],
)
def test_who_cannot_be_paid_is_refused(
    pages: Pages, who: str | Word | None, reply: ReplyTarget | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        find(pages, who, reply)
    assert code_of(refused) == code


def test_an_order_names_an_account_by_its_number(pages: Pages) -> None:
    found, rest = read_target([Word("22"), Word("why")], None, pages.book, Millis(NOW))
    assert (found.id, rest) == (BOB.id, [Word("why")])


def test_whoever_is_called_by_a_number_is_meant_where_they_are_marked(pages: Pages) -> None:
    """A person may choose a name that is another's number."""
    eve = Word(str(BOB.id), Person(66, str(BOB.id)))
    found, _ = read_target([eve], None, pages.book, Millis(NOW))
    assert found.id == 66
