"""What each detector finds, as tables; and that no text on earth makes one raise."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intents import Chat, ChatKind, Entity, Media, Person, Said, width
from bot.rules import links, pattern, shapes, words
from bot.rules.flood import MOST_MESSAGES, Seen, Watch, floods
from bot.rules.judge import judge
from bot.rules.links import Link
from bot.rules.model import Broken, Consequence, Kind, Parameters, Rule, State
from ledger.ports import Millis

GROUP = Chat(-100, ChatKind.SUPERGROUP)
BEN = Person(22, "Ben")


def said(text: str = "", **more: Any) -> Said:
    facts: Mapping[str, Any] = {"message": 5, "sender": BEN, "at": Millis(0), **more}
    return Said(GROUP, text=text, **facts)


def rule(kind: Kind, parameters: Parameters | None = None, **more: Any) -> Rule:
    facts = {"person": None, "state": State.ON, "consequence": Consequence(), "number": 1, **more}
    return Rule(
        version=1,
        chat=GROUP.id,
        kind=kind,
        parameters=parameters or Parameters(),
        **facts,
    )


# Links


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://example.org", "example.org"),
        ("HTTPS://EXAMPLE.ORG/", "example.org"),
        ("example.org", "example.org"),
        ("example.org:8443/x", "example.org"),
        ("http://docs.example.org:80", "docs.example.org"),
        ("https://example.org.", "example.org"),
        ("https://example.org@evil.example/", "evil.example"),
        ("https://a:b@evil.example", "evil.example"),
        ("https://evil.example\\@example.org", "evil.example"),
        ("https:\\\\evil.example", "evil.example"),
        ("https:evil.example", "evil.example"),
        ("https:///evil.example/x", "evil.example"),
        ("https://ex%61mple.org", "example.org"),
        ("https://ｅxample.org", "example.org"),  # noqa: RUF001 - that is the trick
        ("https://example。org", "example.org"),
        ("https://exa\u200bmple.org", "example.org"),
        ("https://b\u00fccher.example", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://ex\u0430mple.org", "xn--exmple-4nf.org"),
        ("https://93.184.216.34/x", "93.184.216.34"),
        ("https://[::1]/x", "::1"),
        ("https://[", ""),
        ("https://", ""),
        ("https:https:evil.example", "evil.example"),
        ("https:" * 1000 + "evil.example", ""),
        ("https://telegram.me/x", "t.me"),
        ("tg://resolve?domain=evilgroup", "t.me"),
    ],
)
def test_where_a_link_leads(address: str, host: str) -> None:
    assert links.leads_to(address).host == host


@pytest.mark.parametrize(
    "text",
    [
        "see example.org",
        "see EXAMPLE.COM!",
        "(example.com)",
        "www.example.museum",
        "t.me/evil",
        "ftp://files",
        "go to evil.example/path now",
        "x https://evil.example",
        "hidden\u200bhttps://evil.example",
        "https://allowed.test/,https://evil.example",
        "(https://allowed.test)https://evil.example",
    ],
)
def test_a_bare_address_is_a_link(text: str) -> None:
    assert links.breaks(said(text), ["allowed.test"])


@pytest.mark.parametrize(
    "text",
    [
        "good morning.",
        "e.g. this",
        "3.5 JUNO",
        "ana@example.org",
        "so...ok",
        "v1.2.3",
        "1/2",
        "and/or",
        "@ben",
        "",
    ],
)
def test_no_link_is_none(text: str) -> None:
    assert links.links(said(text)) == []


@pytest.mark.parametrize(
    "text", ["https://allowed.test/?to=https://evil.example", "https://allowed.test/https://evil.example"]
)
def test_an_address_in_another_leads_nowhere_by_itself(text: str) -> None:
    assert not links.breaks(said(text), ["allowed.test"])


def test_marks_and_what_is_behind_words_and_buttons_count() -> None:
    text = "look at sea.museum"
    mark = Entity("url", 8, width("sea.museum"))
    assert links.links(said(text, entities=(mark,))) == [Link("sea.museum")]
    assert links.links(said("look", links=("https://evil.example/x/",))) == [Link("evil.example", "x")]


def test_a_link_behind_very_many_that_are_allowed_is_not_overlooked() -> None:
    many = " ".join(f"example.org/{number}" for number in range(links.MOST_LINKS))
    assert not links.breaks(said(many), ["example.org"])
    assert not links.breaks(said(many + " example.org/1" * 50), ["example.org"])
    assert links.breaks(said(f"{many} evil.example/x"), ["example.org"])


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://example.org/x", True),
        ("https://docs.example.org", True),
        ("https://evilexample.org", False),
        ("https://example.org.evil.example", False),
        ("https://t.me/ourgroup", True),
        ("https://t.me/OurGroup/17", True),
        ("tg://resolve?domain=ourgroup", True),
        ("https://t.me/ourgroup2", False),
        ("https://t.me", False),
        ("https://[", False),
    ],
)
def test_what_an_allowance_covers(address: str, *, allowed: bool) -> None:
    listed = ["example.org", "t.me/ourgroup"]
    assert links.breaks(said(links=(address,)), listed) is not allowed


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Example.org", "example.org"),
        ("https://example.org/", "example.org"),
        ("https://t.me/Group/", "t.me/group"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("example", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_what_is_kept_of_an_allowance(typed: str, kept: str | None) -> None:
    assert links.allowance(typed) == kept


@given(st.text())
def test_a_kept_allowance_stays_as_it_is(typed: str) -> None:
    kept = links.allowance(typed)
    assert kept is None or links.allowance(kept) == kept


# Words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("what a SCAM!", True),
        ("s\u200bc\u00adam", True),
        ("ｓｃａｍ", True),  # noqa: RUF001 - that is the trick
        ("𝓼𝓬𝓪𝓶", True),
        ("(scam)", True),
        ("scam-free", True),
        ("scampi", False),
        ("a scam_mer", False),
        ("STRASSE", True),
        ("", False),
    ],
)
def test_which_words_are_found(text: str, *, found: bool) -> None:
    assert words.breaks(said(text), ["scam", "strasse"]) is found


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("Scam", "scam"),
        ("STRA\u00dfE", "strasse"),
        ("two words", None),
        ("f*ck", None),
        ("", None),
        ("!", None),
    ],
)
def test_what_is_kept_of_a_word(typed: str, word: str | None) -> None:
    assert words.word(typed) == word


@given(st.text())
def test_a_word_is_found_in_itself(text: str) -> None:
    word = words.word(text)
    assert word is None or words.breaks(said(text), [word])


# Patterns


@pytest.mark.parametrize(
    ("typed", "text", "found"),
    [
        (r"fr[e3]{2}\s+money", "FR3E   money", True),
        (r"^gm$", "gm", True),
        (r"^gm$", "gm all", False),
        (r"(a|aa)+$", "a" * 4000 + "!", False),
        (r"\d{16}", "card 1234567812345678", True),
    ],
)
def test_what_a_pattern_finds(typed: str, text: str, *, found: bool) -> None:
    assert pattern.problem(typed) is None
    assert pattern.breaks(said(text), typed) is found


@pytest.mark.parametrize(
    "typed", ["(", "a(?=b)", r"(a)\1", "((a{1000}){1000}){1000}", ".*", "", "x?", "\udc80"]
)
def test_what_can_be_no_pattern(typed: str) -> None:
    assert pattern.problem(typed)


def test_a_pattern_that_cannot_be_read_any_more_finds_nothing() -> None:
    assert pattern.breaks(said("(("), "((") is False


@given(st.text(max_size=40), st.text(max_size=200))
def test_no_pattern_raises(typed: str, text: str) -> None:
    if pattern.problem(typed) is None:
        assert pattern.breaks(said(text), typed) in (True, False)


# Media, stickers, forwards


@pytest.mark.parametrize(
    ("media", "names", "found"),
    [
        (Media.PHOTO, ("photo",), True),
        (Media.VOICE, ("photo", "voice"), True),
        (Media.ANIMATION, ("gif",), True),
        (Media.PHOTO, ("video",), False),
        (Media.STICKER, tuple(shapes.NAMES), False),
        (None, tuple(shapes.NAMES), False),
        (None, ("unknown",), False),
    ],
)
def test_which_media_are_found(media: Media | None, names: tuple[str, ...], *, found: bool) -> None:
    assert shapes.is_media(said(media=media), names) is found


def test_every_medium_but_stickers_has_a_name() -> None:
    assert set(shapes.NAMES.values()) == set(Media) - {Media.STICKER}


# Floods


@pytest.mark.parametrize(
    ("before", "at", "found"),
    [
        ([], 0, False),
        ([0, 1, 2, 3], 9_999, True),
        ([0, 1, 2, 3], 10_000, False),
        ([1, 1, 1], 1, False),
        ([1, 1, 1, 1], 1, True),
        ([20_000] * 9, 0, False),
    ],
)
def test_when_it_is_a_flood(before: list[int], at: int, *, found: bool) -> None:
    """Five in ten seconds; what was written after this message does not count against it."""
    seen = [Seen(time, str(number)) for number, time in enumerate(before)]
    assert floods(seen, Seen(at, "this"), 5, 10) is found


def test_an_album_is_one_message_and_an_edit_is_none() -> None:
    watch = Watch()
    for number in range(9):
        assert not watch.floods(1, said(message=number, album="a"), 2, 10)
        assert not watch.floods(1, said(message=100, edited=True), 2, 10)
    assert watch.floods(1, said(message=10), 2, 10)


def test_a_batch_that_comes_again_is_judged_as_before() -> None:
    watch = Watch()
    batch = [said(message=number, at=Millis(number)) for number in range(4)]
    verdicts = [[watch.floods(1, each, 3, 10) for each in batch] for _ in range(2)]
    assert verdicts == [[False, False, True, True]] * 2


def test_only_the_last_are_remembered() -> None:
    watch = Watch(most=2)
    for person in range(3):
        for number in range(100):
            watch.floods(1, said(sender=Person(person + 1, "x"), message=number), 50, 10)
    assert [len(seen) for seen in watch._seen.values()] == [MOST_MESSAGES] * 2


# The judge


@pytest.mark.parametrize(
    "message",
    [
        said("https://x.com", sender=None),
        said("https://x.com", sender=Person(9, "bot", is_bot=True)),
        said("https://x.com", sender=Person(777000, "Telegram")),
        said("https://x.com", ephemeral=3),
        Said(Chat(22, ChatKind.PRIVATE), 5, BEN, "https://x.com", Millis(0)),
    ],
)
def test_nobody_answers_for_these(message: Said) -> None:
    assert judge([rule(Kind.LINKS)], message, Watch()) == ()


def test_a_channel_in_the_group_is_judged() -> None:
    message = said("https://x.com", sender=None, channel=True)
    assert judge([rule(Kind.LINKS)], message, Watch()) == (Broken(1, 1),)


def test_a_rule_for_one_person_is_for_nobody_else() -> None:
    rules = [rule(Kind.STICKERS, person=BEN.id), rule(Kind.STICKERS, person=11, number=2)]
    assert judge(rules, said(media=Media.STICKER), Watch()) == (Broken(1, 1),)


def test_a_rule_that_is_off_is_not_broken() -> None:
    assert judge([rule(Kind.STICKERS, state=State.OFF)], said(media=Media.STICKER), Watch()) == ()


def test_each_broken_rule_is_named() -> None:
    rules = [
        rule(Kind.LINKS),
        rule(Kind.WORDS, Parameters(("scam",)), number=2),
        rule(Kind.FORWARDS, number=3),
        rule(Kind.MEDIA, Parameters(("photo",)), number=4),
        rule(Kind.PATTERN, Parameters(("nothing like it",)), number=5),
        rule(Kind.ALLOWED, Parameters(("example.org",)), number=6),
    ]
    message = said("scam at x.com", forwarded=True, media=Media.PHOTO)
    assert [each.rule for each in judge(rules, message, Watch())] == [1, 2, 3, 4]


@given(
    st.text(),
    st.sampled_from([None, *Media]),
    st.lists(st.text(max_size=30), max_size=3),
    st.lists(st.tuples(st.integers(-5, 300), st.integers(-5, 300)), max_size=3),
)
def test_no_message_makes_the_judge_raise(
    text: str, media: Media | None, hidden: list[str], places: list[tuple[int, int]]
) -> None:
    entities = tuple(Entity("url", offset, length) for offset, length in places)
    message = said(text, media=media, links=tuple(hidden), entities=entities)
    rules = [
        rule(Kind.LINKS),
        rule(Kind.WORDS, Parameters(("scam",)), number=2),
        rule(Kind.PATTERN, Parameters(("a+b",)), number=3),
        rule(Kind.FLOOD, Parameters(count=5, seconds=10), number=4),
        rule(Kind.MEDIA, Parameters(tuple(shapes.NAMES)), number=5),
    ]
    assert judge(rules, message, Watch()) == judge(rules, message, Watch())
