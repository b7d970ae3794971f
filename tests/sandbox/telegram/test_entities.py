"""Telegram's HTML: what it accepts, and its words for what it does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.entities import found_in, parse_html, slice_utf16, trimmed, utf16
from sandbox.telegram.refusals import ApiError

ANA = {"id": 5, "is_bot": False, "first_name": "Ana"}


def parsed(source: str) -> tuple[str, list[dict[str, Any]]]:
    return parse_html(source, {5: ANA}.get)


@pytest.mark.parametrize(
    ("source", "plain", "entities"),
    [
        ("plain", "plain", []),
        ("<b>x</b>", "x", [("bold", 0, 1)]),
        ("<B>x</B>", "x", [("bold", 0, 1)]),
        ("<b>x</>", "x", [("bold", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("🦊<code>x</code>", "🦊x", [("code", 2, 1)]),
        ("<b></b>x", "x", []),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &quot;", '1 < 2 && 3 > 2 "', []),
        ("&#128640;&#x1F98A;", "🚀🦊", []),
        ("&nbsp;&unknown;", "&nbsp;&unknown;", []),
        ("a & b", "a & b", []),
        ("x > y", "x > y", []),
        ("<s>a</s><strike>b</strike><del>c</del>", "abc", [("strikethrough", i, 1) for i in range(3)]),
        ("<ins>a</ins><u>b</u>", "ab", [("underline", 0, 1), ("underline", 1, 1)]),
        ('<span class="tg-spoiler">s</span>', "s", [("spoiler", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ('<a href="no link">x</a>', "x", []),
    ],
)
def test_what_is_read(source: str, plain: str, entities: list[tuple[str, int, int]]) -> None:
    text, found = parsed(source)
    assert (text, [(e["type"], e["offset"], e["length"]) for e in found]) == (plain, entities)


def test_a_link_keeps_its_address() -> None:
    assert parsed("<a href='https://x.example/?a=1&amp;b'>x</a>")[1][0]["url"] == "https://x.example/?a=1&b"


def test_a_user_link_mentions_somebody_known() -> None:
    assert parsed('<a href="tg://user?id=5">Ana</a>')[1] == [
        {"type": "text_mention", "offset": 0, "length": 3, "user": ANA}
    ]


def test_a_user_link_to_nobody_known_is_plain_text() -> None:
    assert parsed('<a href="tg://user?id=6">Eve</a>') == ("Eve", [])


def test_a_time_keeps_its_moment() -> None:
    assert parsed('<tg-time unix="1647531900" format="wDT">soon</tg-time>')[1] == [
        {"type": "date_time", "offset": 0, "length": 4, "unix_time": 1647531900, "date_time_format": "wDT"}
    ]


def test_code_can_name_its_language() -> None:
    source = '<pre><code class="language-sql">x</code></pre>'
    assert parsed(source)[1] == [{"type": "pre", "offset": 0, "length": 1, "language": "sql"}]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("1 <", "Unclosed start tag at byte offset 2"),
        ("a <3 b>", 'Unsupported start tag "3" at byte offset 2'),
        ("<p>x</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("é<br/>", 'Unsupported start tag "br/" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href=x", "Unclosed start tag at byte offset 0"),
        ('<a href="x>y</a>', "Unclosed start tag at byte offset 0"),
        ("<a href=a_b>y</a>", "Unexpected end of name token at byte offset 8"),
        ('<a ="x">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<tg-time>x</tg-time>", 'Invalid "unix" attribute in the tag "tg-time"'),
    ],
)
def test_what_is_refused(source: str, why: str) -> None:
    with pytest.raises(ApiError) as refusal:
        parsed(source)
    assert refusal.value.description == f"Bad Request: can't parse entities: {why}"


def test_white_space_around_a_text_goes_and_entities_follow() -> None:
    text, entities = trimmed(*parsed("  <b> x </b> "))
    assert (text, entities) == ("x", [{"type": "bold", "offset": 0, "length": 1}])


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("/send@moneta_bot 5 @ben", [("bot_command", "/send@moneta_bot"), ("mention", "@ben")]),
        ("see https://x.example/a #tip", [("url", "https://x.example/a"), ("hashtag", "#tip")]),
        ("a/b and 1/2 a@b", []),
        ("🦊 /balance", [("bot_command", "/balance")]),
    ],
)
def test_what_is_marked_without_being_asked(text: str, kinds: list[tuple[str, str]]) -> None:
    found = found_in(text, [])
    assert [(e["type"], slice_utf16(text, e["offset"], e["length"])) for e in found] == kinds


def test_nothing_is_marked_inside_code() -> None:
    text, entities = parsed("<code>/send @ben</code>")
    assert [e["type"] for e in found_in(text, entities)] == ["code"]


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain, entities = parsed(f"<b>{escaped}</b>")
    assert plain == text
    assert [(e["offset"], e["length"]) for e in entities] == ([(0, utf16(text))] if text else [])


@given(st.text(st.sampled_from("<>/b &;\"'=a1#\u00e9"), max_size=30))
def test_any_text_is_read_or_refused_in_words(source: str) -> None:
    try:
        parsed(source)
    except ApiError as refusal:
        assert refusal.description.startswith("Bad Request: can't parse entities: ")  # noqa: PT017 - both ends are fine
