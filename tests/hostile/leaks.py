"""What must not be found anywhere, and the search for it: every form in which a secret could be written down."""

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

_WORDS: Final = 3
"""So many words of the mnemonic one after the other are no accident."""
_BETWEEN: Final = rb"(?:[^a-z]|%[0-9a-f]{2}){1,12}"
_SHORTEST: Final = 8
_MOST_ZEROS: Final = 64
_ZEROS: Final = re.compile(rb"\0{%d,}" % _MOST_ZEROS)
"""Where SQLite has only reserved space, millions of them. No form of a secret has that many in a row."""


@dataclass(frozen=True)
class Secrets:
    """The secrets of one program: its mnemonics, keys as bytes, and texts (tokens)."""

    mnemonics: Sequence[str]
    keys: Sequence[bytes]
    texts: Sequence[str]

    def found_in(self, content: bytes | str) -> list[str]:
        """Return what ``content`` shows, by names that tell no secret."""
        octets = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        octets = _ZEROS.sub(b"\0" * _MOST_ZEROS, octets)
        lower = octets.lower()
        return [*self._mnemonics_in(lower), *self._keys_in(lower), *self._texts_in(octets)]

    def _mnemonics_in(self, lower: bytes) -> Iterator[str]:
        for number, mnemonic in enumerate(self.mnemonics):
            words = mnemonic.lower().encode().split()
            there = {word for word in words if word in lower}
            for first in range(len(words) - _WORDS + 1):
                triple = words[first : first + _WORDS]
                # The pattern takes a hundred times as long as the look for its words, and few files have all three.
                if there.issuperset(triple) and _one_after_the_other(triple).search(lower):
                    yield f"mnemonic {number}, word {first + 1}"

    def _keys_in(self, lower: bytes) -> Iterator[str]:
        for number, key in enumerate(self.keys):
            for form, spelling in _spellings(key):
                if spelling.lower() in lower:
                    yield f"key {number} as {form}"

    def _texts_in(self, octets: bytes) -> Iterator[str]:
        for number, text in enumerate(self.texts):
            for part in (text, text.partition(":")[2]):
                if len(part) >= _SHORTEST and part.encode() in octets:
                    yield f"text {number}"
                if len(part) >= _SHORTEST and quote(part, safe="").encode() in octets:
                    yield f"text {number}, percent-encoded"

    def found_under(self, directory: Path) -> list[str]:
        """Return what any file below ``directory`` shows, with the name of the file."""
        files = sorted(path for path in directory.rglob("*") if path.is_file())
        return [f"{path.name}: {name}" for path in files for name in self.found_in(path.read_bytes())]


def _one_after_the_other(words: Sequence[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![a-z])" + _BETWEEN.join(re.escape(word) for word in words) + rb"(?![a-z])")


def _spellings(key: bytes) -> Iterable[tuple[str, bytes]]:
    yield "bytes", key
    yield "hexadecimal", key.hex().encode()
    yield "a number", str(int.from_bytes(key, "big")).encode()
    yield "repr", repr(key).encode()[2:-1]
    # Base64 in a longer text begins at any third byte: the first groups of the three ways, but for what neighbours change.
    for offset in range(3):
        packed = base64.b64encode(bytes(offset) + key)[4 if offset else 0 : -4]
        yield f"base64 {offset}", packed
        yield f"base64 {offset} of addresses", packed.replace(b"+", b"-").replace(b"/", b"_")
