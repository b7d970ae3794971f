"""The one renderer of Telegram's HTML: whatever was not written in this program is escaped.

A template is a literal of ours; every value put into it is escaped unless it is `Html` already. Names of people and
groups are hostile: they lose bidi and zero-width characters and are cut (telegram.md, What people see).
"""

import html
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from bot.intents import width
from bot.outgoing import plain

TEXT_LIMIT: Final = 4096
CAPTION_LIMIT: Final = 1024
CALLBACK_ANSWER_LIMIT: Final = 200
COPY_LIMIT: Final = 256

NAME_LIMIT: Final = 32
ELLIPSIS: Final = "…"

_BLANK: Final = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0")
"""Characters that show nothing though their category says otherwise."""
_MAX_MARKS: Final = 2


class Html(str):
    """Markup that is safe to send: made by `render` or a literal of this program."""

    __slots__ = ()


def render(template: str, values: Mapping[str, Html]) -> Html:
    """Return ``template`` with ``values`` put in its ``{fields}``.

    ``template`` must be a literal: its own tags are trusted and must be among Telegram's. That values are `Html` is
    what keeps strangers' text out of the markup: `escape` is the only way from a str.
    """
    return Html(template.format_map(values))


def escape(value: object) -> Html:
    """Return ``value`` as markup that shows exactly its characters; `Html` is returned as it is."""
    return value if isinstance(value, Html) else Html(html.escape(str(value), quote=True))


def join(separator: str, parts: Sequence[Html]) -> Html:
    """Return safe ``parts`` joined by ``separator``, a literal."""
    return Html(separator.join(parts))


def shown_length(markup: str) -> int:
    """Return the length that Telegram's limits count: UTF-16 units of what is shown."""
    return width(plain(markup))


def fit(markup: Html, limit: int = TEXT_LIMIT) -> Html:
    """Return ``markup`` when it shows at most ``limit`` UTF-16 units, else its plain text, cut."""
    if shown_length(markup) <= limit:
        return markup
    return escape(cut(plain(markup), limit))


def cut(text: str, limit: int) -> str:
    """Return ``text`` in at most ``limit`` UTF-16 units, with an ellipsis where it was cut."""
    if width(text) <= limit:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    return kept.decode("utf-16-le", "ignore") + ELLIPSIS


def clean_name(name: str, fallback: str = "someone") -> str:
    """Return the name of a person or a group as it may be shown: one line, nothing invisible, at most 32 units.

    Stacked marks are thinned to two, so that no name climbs over its neighbours. ``fallback`` stands for a name of
    which nothing is left.
    """
    return cut(clean_line(name), NAME_LIMIT) or fallback


def clean_line(text: str) -> str:
    """Return ``text`` in one line, without what is invisible or turns the direction of reading."""
    if text.isascii() and text.isprintable():
        shown = text
    else:
        shown = "".join(_visible(unicodedata.normalize("NFC", text)))
    return " ".join(shown.split())


def _visible(name: str) -> list[str]:
    kept: list[str] = []
    marks = 0
    for character in name:
        category = unicodedata.category(character)
        if character.isspace():
            kept.append(" ")
            continue
        if category in ("Cc", "Cf", "Cs", "Co", "Cn") or character in _BLANK or _is_selector(character):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return kept


def _is_selector(character: str) -> bool:
    """Variation selectors show nothing by themselves."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
