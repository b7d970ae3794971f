"""What admins type after /rules, right and wrong: each wrong form is told apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intents import Person
from bot.outgoing import plain
from bot.recipients import Word, split_words
from bot.rules.changes import MOST_ITEMS, Change
from bot.rules.grammar import Terms, read_order
from bot.rules.model import Consequence, Kind, Parameters, Penalty, Rule, State, Step
from bot.speech import Sentences
from ledger.errors import Refused
from ledger.jails import BailTerms
from ledger.money import Amount, Asset, Denom

JUNO = Asset(Denom("ujuno"), "JUNO", 6)
TERMS = Terms((JUNO,), BailTerms(JUNO.denom, Amount(1_000_000), Amount(50_000)))
SPEECH = Sentences((JUNO,), "")
BEN = 22
DELETE = Consequence(deletes=True)


def rule(number: int, kind: Kind, parameters: Parameters | None = None, **more: Any) -> Rule:
    facts = {"person": None, "state": State.ON, "consequence": DELETE, **more}
    return Rule(number, 1, -100, kind, parameters=parameters or Parameters(), **facts)


STANDING = (
    rule(1, Kind.LINKS, consequence=Consequence(deletes=True, steps=(Step(Penalty.WARN),))),
    rule(2, Kind.WORDS, Parameters(("scam",))),
    rule(3, Kind.PATTERN, Parameters(("a+b",))),
    rule(4, Kind.PATTERN, Parameters(("c+d",))),
    rule(5, Kind.STICKERS, state=State.OFF),
    rule(6, Kind.ALLOWED, Parameters(("example.org",))),
)


def find(word: Word) -> int:
    if word.text == "@ben":
        return BEN
    raise Refused("recipient_unknown", name=word.text)


def typed(text: str) -> Change:
    return read_order(split_words(text), TERMS, find).wish(STANDING)


def refusal(text: str) -> str:
    with pytest.raises(Refused) as refused:
        typed(text)
    told = plain(SPEECH.render(f"refused.{refused.value.code}", refused.value.facts).html)
    assert "…" not in told, "a fact is missing"
    assert "0.0" not in told, "a number was taken for an amount"
    return refused.value.code


@pytest.mark.parametrize(
    ("text", "number", "kind", "parameters", "consequence"),
    [
        ("links on delete", 1, Kind.LINKS, Parameters(), DELETE),
        ("LINKS Delete", 1, Kind.LINKS, Parameters(), DELETE),
        ("links", 1, Kind.LINKS, Parameters(), STANDING[0].consequence),
        ("forwards", None, Kind.FORWARDS, Parameters(), DELETE),
        ("stickers on warn", 5, Kind.STICKERS, Parameters(), Consequence(steps=(Step(Penalty.WARN),))),
        ("media photo, voice delete", None, Kind.MEDIA, Parameters(("photo", "voice")), DELETE),
        ("media photo photo", None, Kind.MEDIA, Parameters(("photo",)), DELETE),
        ("words add Spam", 2, Kind.WORDS, Parameters(("scam", "spam")), DELETE),
        ("words add spam,eggs", 2, Kind.WORDS, Parameters(("scam", "spam", "eggs")), DELETE),
        ("words remove SCAM", 2, Kind.WORDS, Parameters(), DELETE),
        ("pattern c+d delete", 4, Kind.PATTERN, Parameters(("c+d",)), DELETE),
        ("pattern [0-9]{16} delete", None, Kind.PATTERN, Parameters(("[0-9]{16}",)), DELETE),
        ("flood 5 in 10s delete", None, Kind.FLOOD, Parameters(count=5, seconds=10), DELETE),
        (
            "allow x.example t.me/us",
            6,
            Kind.ALLOWED,
            Parameters(("example.org", "x.example", "t.me/us")),
            DELETE,
        ),
        ("disallow example.org", 6, Kind.ALLOWED, Parameters(), DELETE),
    ],
)
def test_what_a_rule_becomes(
    *, text: str, number: int | None, kind: Kind, parameters: Parameters, consequence: Consequence
) -> None:
    change = typed(text)
    assert change.before == next((each for each in STANDING if each.number == number), None)
    assert (change.kind, change.parameters, change.consequence) == (kind, parameters, consequence)
    assert (change.person, change.state) == (None, State.ON)


def test_steps_are_read_in_order() -> None:
    text = "links delete warn then fine 1.5 JUNO after 3 in 1d then jail 90m bail 2 after 5 in 7d"
    assert typed(text).consequence == Consequence(
        deletes=True,
        steps=(
            Step(Penalty.WARN),
            Step(Penalty.FINE, 3, 86_400, amount=1_500_000, denom="ujuno"),
            Step(Penalty.JAIL, 5, 7 * 86_400, minutes=90, bail=2_000_000, denom="ujuno"),
        ),
    )


@pytest.mark.parametrize(("time", "bail"), [("10m", 1_000_000), ("1h", 3_000_000), ("90s", 1_000_000)])
def test_a_bail_that_nobody_names_is_that_of_the_settings(time: str, bail: int) -> None:
    (step,) = typed(f"links jail {time}").consequence.steps
    assert (step.bail, step.denom) == (bail, "ujuno")


def test_a_first_step_may_be_missing() -> None:
    assert typed("links delete then warn after 2 in 1h").consequence.steps == (Step(Penalty.WARN, 2, 3600),)


@pytest.mark.parametrize("text", ["stickers @ben warn", "stickers on @ben warn", "stickers @ben on warn"])
def test_a_name_makes_it_a_rule_of_one_person(text: str) -> None:
    change = typed(text)
    assert (change.before, change.person) == (None, BEN)


@pytest.mark.parametrize(
    ("text", "number", "state"),
    [
        ("links off", 1, State.OFF),
        ("1 off", 1, State.OFF),
        ("5 on", 5, State.ON),
        ("3 remove", 3, State.REMOVED),
        ("words off", 2, State.OFF),
    ],
)
def test_a_rule_is_turned(text: str, number: int, state: State) -> None:
    change = typed(text)
    assert change.before is not None
    assert (change.before.number, change.state) == (number, state)
    assert (change.parameters, change.consequence) == (change.before.parameters, change.before.consequence)


@pytest.mark.parametrize("name", ["Off", "Remove", "On"])
def test_whoever_is_called_by_a_word_of_the_grammar_is_meant_where_they_are_marked(name: str) -> None:
    eve = Word(name, Person(66, name))
    change = read_order([Word("links"), eve, Word("warn")], TERMS, lambda word: word.person.id)  # type: ignore[union-attr]
    assert (change.wish(STANDING).person, change.wish(STANDING).state) == (66, State.ON)


def test_a_reason_stands_behind_because() -> None:
    order = read_order(split_words("links delete because of the bots"), TERMS, find)
    assert order.reason == "of the bots"
    assert read_order(split_words("links delete"), TERMS, find).reason == "/rules links delete"
    assert len(read_order(split_words("words add" + " spam" * 99), TERMS, find).reason) == 300


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "rules_unclear"),
        ("allowed", "rules_unclear"),
        ("links delete @ben", "rules_action"),
        ("1 off please", "rules_unclear"),
        ("99 off", "rules_unknown"),
        ("6 off", "rules_unknown"),
        ("1 maybe", "rules_state"),
        ("1", "rules_state"),
        ("forwards off", "rules_none"),
        ("pattern off", "rules_which"),
        ("links please", "rules_action"),
        ("links fine", "amount_missing"),
        ("links fine 1,5", "amount_comma"),
        ("links fine all", "amount_all"),
        ("links jail 10m bail", "amount_missing"),
        ("links jail soon bail 1", "rules_time"),
        ("links jail 0m bail 1", "rules_time"),
        ("links jail 400d bail 1", "rules_time"),
        ("links warn fine 1", "rules_two_penalties"),
        ("links warn then fine 1", "rules_after"),
        ("links warn then fine 1 after 3", "rules_after"),
        ("links warn then fine 1 after 1 in 1d", "rules_count"),
        ("links warn then fine 1 after 3 in 1y", "rules_time"),
        ("links warn then warn after 3 in 1d then warn after 3 in 1d", "rules_steps"),
        ("links then warn after 2 in 1d" + " then warn after 3 in 1d" * 5, "rules_steps_many"),
        ("media delete", "rules_media"),
        ("media films delete", "rules_media"),
        ("words add", "rules_word"),
        ("words remove", "rules_word"),
        ("words add f*ck", "rules_word"),
        ("words remove eggs", "rules_not_listed"),
        ("words add " + " ".join(f"w{n}" for n in range(MOST_ITEMS)), "rules_list_full"),
        ("allow", "rules_domain"),
        ("allow example", "rules_domain"),
        ("disallow x.example", "rules_not_listed"),
        ("pattern", "rules_pattern_missing"),
        ("pattern ( delete", "rules_pattern"),
        ("pattern .* delete", "rules_pattern"),
        ("pattern " + "a" * 201, "rules_pattern_long"),
        ("pattern free money delete", "rules_action"),
        ("flood", "rules_count"),
        ("flood 1 in 10s", "rules_count"),
        ("flood 51 in 10s", "rules_count"),
        ("flood \u0665 in 10s", "rules_count"),
        ("flood 5 10s", "rules_flood"),
        ("flood 5 in 2h", "rules_time"),
        ("flood 5 in \u0661\u0660s", "rules_time"),
        ("stickers @nobody warn", "recipient_unknown"),
    ],
)
def test_a_wrong_form_is_refused_by_its_own_code(text: str, code: str) -> None:
    assert refusal(text) == code


_WORDS = st.sampled_from(
    [
        "links",
        "media",
        "words",
        "pattern",
        "flood",
        "allow",
        "add",
        "remove",
        "on",
        "off",
        "delete",
        "warn",
        "fine",
        "jail",
        "bail",
        "then",
        "after",
        "in",
        "1",
        "5",
        "10s",
        "1d",
        "2",
        "@ben",
        "photo",
        "because",
        "scam",
        "x.com",
        "(",
        "all",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=12).map(" ".join)))
def test_whatever_is_typed_is_a_wish_or_a_refusal(text: str) -> None:
    words = split_words(text)
    try:
        change = read_order(words, TERMS, find).wish(STANDING)
    except Refused as refused:
        assert refused.code.startswith(("rules_", "amount_", "recipient_"))  # noqa: PT017 - one of many
    else:
        assert change.kind in Kind
