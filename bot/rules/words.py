"""Words that a chat does not want: whole words, however they are written in capitals or dressed up."""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from bot.intents import Said

_WORD: Final = re.compile(r"\w+")


def breaks(said: Said, unwanted: Collection[str]) -> bool:
    """Tell whether ``said`` has one of the ``unwanted`` words, each as `word` returns it."""
    return not set(unwanted).isdisjoint(words(said.text))


def words(text: str) -> list[str]:
    """Return the words of ``text`` in the form in which they are compared."""
    return _WORD.findall(_folded(text))


def word(text: str) -> str | None:
    """Return ``text`` in the form in which words are compared, None when it is not exactly one word."""
    found = words(text)
    return found[0] if len(found) == 1 and found[0] == _folded(text).strip() else None


def visible(text: str) -> str:
    """Return ``text`` without the characters that nobody sees (format characters, such as a zero-width space)."""
    hidden = [ord(character) for character in set(text) if unicodedata.category(character) == "Cf"]
    return text.translate(dict.fromkeys(hidden)) if hidden else text


def _folded(text: str) -> str:
    """Case and compatibility forms are folded: fullwidth, mathematical and circled letters are the plain ones."""
    plain = unicodedata.normalize("NFKC", visible(text)).casefold()
    return visible(unicodedata.normalize("NFKC", plain))
