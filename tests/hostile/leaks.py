"""What must not be found anywhere, and the search for it: every form in which a secret could be written down."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

_WORDS: Final = 3
"""So many words of the mnemonic one after the other are no accident."""
_BETWEEN: Final = rb"(?:[^a-z]|%[0-9a-f]{2}){1,12}"
_SHORTEST: Final = 8


@dataclass(frozen=True)
class Secrets:
    """The secrets of one program: its mnemonics, keys as bytes, and texts (tokens)."""

    mnemonics: Sequence[str]
    keys: Sequence[bytes]
    texts: Sequence[str]

    def patterns(self) -> Iterable[tuple[str, re.Pattern[bytes]]]:
        """Yield what to look for, each with a name that tells no secret."""
        for number, mnemonic in enumerate(self.mnemonics):
            words = mnemonic.encode().split()
            for first in range(len(words) - _WORDS + 1):
                triple = _BETWEEN.join(re.escape(word) for word in words[first : first + _WORDS])
                whole = rb"(?<![a-z])" + triple + rb"(?![a-z])"
                yield f"mnemonic {number}, word {first + 1}", re.compile(whole, re.IGNORECASE)
        for number, key in enumerate(self.keys):
            for form, spelling in _spellings(key):
                yield f"key {number} as {form}", re.compile(re.escape(spelling), re.IGNORECASE)
        for number, text in enumerate(self.texts):
            for part in (text, text.partition(":")[2]):
                if len(part) >= _SHORTEST:
                    yield f"text {number}", re.compile(re.escape(part.encode()))
                    yield (
                        f"text {number}, percent-encoded",
                        re.compile(re.escape(quote(part, safe="").encode())),
                    )

    def found_in(self, content: bytes | str) -> list[str]:
        """Return the names of what ``content`` shows."""
        octets = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        return [name for name, pattern in self.patterns() if pattern.search(octets)]

    def found_under(self, directory: Path) -> list[str]:
        """Return what any file below ``directory`` shows, with the name of the file."""
        files = sorted(path for path in directory.rglob("*") if path.is_file())
        return [f"{path.name}: {name}" for path in files for name in self.found_in(path.read_bytes())]


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
