"""Nothing that a stranger wrote becomes markup, and nothing exceeds Telegram's limits."""

from hypothesis import given
from hypothesis import strategies as st

from bot.html import ELLIPSIS, Html, clean_line, clean_name, cut, escape, fit, join, render, shown_length
from bot.intents import width
from bot.outgoing import plain


def test_values_are_escaped() -> None:
    assert render("<b>{name}</b>", {"name": escape('<i>&"')}) == "<b>&lt;i&gt;&amp;&quot;</b>"


def test_markup_of_ours_is_not_escaped_twice() -> None:
    inner = render("<code>{x}</code>", {"x": escape("a<b")})
    assert render("see {inner}", {"inner": escape(inner)}) == "see <code>a&lt;b</code>"


def test_parts_are_joined() -> None:
    assert join("\n", [Html("a"), escape("<")]) == "a\n&lt;"


@given(st.text())
def test_plain_gives_back_what_was_escaped(text: str) -> None:
    """What goes out when Telegram refuses to parse shows the same characters."""
    assert plain(render("<b>{text}</b>", {"text": escape(text)})) == text


def test_length_counts_utf16_units_of_what_is_shown() -> None:
    assert shown_length("<b>&lt;😀</b>") == 3


def test_what_fits_is_left_alone() -> None:
    assert fit(Html("<b>x</b>"), 1) == "<b>x</b>"


@given(st.text(max_size=60), st.integers(2, 30))
def test_what_does_not_fit_is_cut_and_escaped(text: str, limit: int) -> None:
    fitted = fit(escape(text), limit)
    assert shown_length(fitted) <= limit


def test_a_cut_shows_itself_and_splits_no_pair() -> None:
    assert cut("😀😀😀", 4) == f"😀{ELLIPSIS}"


def test_names_lose_bidi_and_zero_width_characters() -> None:
    assert clean_name("\u202eevil\u202c b\u200bo\u200db\ufeff") == "evil bob"


def test_names_are_one_line() -> None:
    assert clean_name(" a\n\tb\u00a0c ") == "a b c"


def test_names_are_cut() -> None:
    assert width(clean_name("x" * 500)) == 32


def test_an_invisible_name_gets_another() -> None:
    assert clean_name("\u3164\u2800\u200f", "member 42") == "member 42"


def test_stacked_marks_are_thinned() -> None:
    assert clean_name("z" + "\u0335" * 40) == "z\u0335\u0335"


@given(st.text())
def test_a_clean_line_stays_as_it_is(text: str) -> None:
    once = clean_line(text)
    assert clean_line(once) == once
