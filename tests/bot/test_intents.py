"""What a message says, counted as Telegram counts."""

from hypothesis import given
from hypothesis import strategies as st

from bot.intents import NOT_PEOPLE, Chat, ChatKind, Entity, Person, Said, called, cut, width
from ledger.ports import Millis

HERE = Chat(-100, ChatKind.SUPERGROUP)


def said(text: str, *entities: Entity) -> Said:
    return Said(HERE, 1, Person(11, "Ana"), text, Millis(0), entities)


@given(st.text())
def test_a_text_is_cut_into_itself(text: str) -> None:
    assert cut(text, 0, width(text)) == text.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "replace"
    )


@given(st.text(), st.integers(-10, 50), st.integers(-10, 50))
def test_no_offset_of_a_stranger_raises(text: str, offset: int, length: int) -> None:
    assert isinstance(cut(text, offset, length), str)


def test_offsets_count_utf16_units() -> None:
    assert cut("🎁 ana", 3, 3) == "ana"


def test_a_command_is_its_first_entity() -> None:
    call = called(said("/Send@Moneta_bot 5 @ben", Entity("bot_command", 0, 16), Entity("mention", 19, 4)))
    assert call is not None
    assert (call.name, call.bot, call.args, call.entities) == (
        "send",
        "moneta_bot",
        "5 @ben",
        (Entity("mention", 2, 4),),
    )


def test_offsets_of_arguments_hold_behind_emoji_and_blanks() -> None:
    call = called(said("/send \n 🎁 5 Ben", Entity("bot_command", 0, 5), Entity("text_mention", 13, 3)))
    assert call is not None
    assert [cut(call.args, entity.offset, entity.length) for entity in call.entities] == ["Ben"]


def test_a_command_in_the_middle_is_talk() -> None:
    assert called(said("try /send 5", Entity("bot_command", 4, 5))) is None


@given(
    st.text(),
    st.lists(
        st.builds(
            Entity, st.sampled_from(["bot_command", "mention"]), st.integers(-5, 60), st.integers(-5, 60)
        )
    ),
)
def test_no_entities_of_a_stranger_raise(text: str, entities: list[Entity]) -> None:
    call = called(said(text, *entities))
    assert call is None or call.name == call.name.lower()


def test_only_people_can_own() -> None:
    assert Person(11, "Ana").can_own
    for nobody in (
        Person(11, "Bot", is_bot=True),
        Person(-100, "Group"),
        *(Person(i, "x") for i in NOT_PEOPLE),
    ):
        assert not nobody.can_own
