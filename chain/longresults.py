"""A ``/block_results`` answer of any length, thinned as it comes to the part that consensus hashes.

Events are as many as somebody paid gas for, and a block is never skipped. What is left is JSON of the same form, with
null in place of each value that is not kept, for a JSON reader to judge. Only strings and brackets are told apart here:
faults in what is dropped go unseen, and whether a result is true the next header's hash decides.
"""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from chain.light.errors import Malformed

_Kept = bool | Mapping[str, "_Kept"]
"""Whether a value is kept, or which members of it; of an array, in each of its elements."""
_ANSWER: Final[_Kept] = {
    "id": True,
    "error": True,
    "result": {
        "height": True,
        "txs_results": dict.fromkeys(("code", "data", "gas_wanted", "gas_used"), True),
    },
}
_PIECE_BYTES: Final = 4096
"""Some milliseconds of work, whatever is in them."""
_NAME_LIMIT_BYTES: Final = 64 * 1024
_DEPTH_LIMIT: Final = 64
"""Of brackets in a value; events have five. Each costs a step, and a thousand no JSON reader takes."""

_IN_STRING: Final = rb'(?:[^"\\]++|\\.)*+'
_STRING: Final = rb'"' + _IN_STRING + rb'"'
_FLAT: Final = rb'[{\[](?:[^"{}\[\]]++|' + _STRING + rb")*+[}\]]"
_TO_QUOTE: Final = re.compile(_IN_STRING, re.DOTALL)
_TO_BRACKET: Final = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb"|" + _FLAT + rb")*+", re.DOTALL)
_TO_END: Final = re.compile(rb'(?:[^"{}\[\],]++|' + _STRING + rb"|" + _FLAT + rb")*+", re.DOTALL)
_TO_NEXT: Final = re.compile(rb"[\s,]*+")
_TO_VALUE: Final = re.compile(rb"\s*+")
_NAME: Final = re.compile(rb"(" + _STRING + rb")\s*+:", re.DOTALL)

_QUOTE: Final = ord('"')
_OPENING: Final = b"{["
_CLOSING: Final = b"}]"


class Pieces:
    """Cuts what comes over the wire small, also where a few bytes unpack to millions. For one answer."""

    def __init__(self, *, is_packed: bool) -> None:
        self._unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if is_packed else None

    def of(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what is in ``chunk``, and nothing of what follows a packed answer. Raises zlib.error."""
        if self._unpacking is None:
            yield from (chunk[at : at + _PIECE_BYTES] for at in range(0, len(chunk), _PIECE_BYTES))
            return
        while not self._unpacking.eof:
            piece = self._unpacking.decompress(chunk, _PIECE_BYTES)
            if not piece:
                return
            yield piece
            chunk = self._unpacking.unconsumed_tail


class Thinned(dict[str, Any]):
    """Results of a block without what nobody hashed: it says nothing of what the node claims."""


class _Open(NamedTuple):
    """An object or array that the thinner is in, and what of it is kept."""

    is_object: bool
    kept: _Kept


class Thinner:
    """Takes an answer in pieces of any size and gives back what is left of each.

    It holds one name of an object at most; a piece takes time in proportion to its length, whatever is in it.
    """

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._kept: _Kept = _ANSWER
        self._depth = 0
        """Of brackets within a value that is copied or dropped unread."""
        self._step = self._begin
        self._carried = b""
        self._left = bytearray()

    def feed(self, piece: bytes) -> bytes:
        """Return what is left of ``piece``. Raises Malformed for what no JSON reader could take either."""
        piece, at = self._carried + piece, 0
        self._carried = b""
        self._left.clear()
        while at < len(piece):
            at = self._step(piece, at)
        return bytes(self._left)

    def _begin(self, piece: bytes, at: int) -> int:
        """Enter a value of which parts are kept; copy or drop any other."""
        begin = _end(_TO_VALUE, piece, at)
        if begin == len(piece):
            return begin
        opens, parts = piece[begin] in _OPENING, not isinstance(self._kept, bool)
        if opens and parts and (piece[begin] == _OPENING[0] or self._in_object()):
            self._open.append(_Open(piece[begin] == _OPENING[0], self._kept))
            self._left.append(piece[begin])
            self._step = self._between
            return begin + 1
        if not self._kept:
            self._left += b"null"
        self._step = self._unread
        return begin

    def _in_object(self) -> bool:
        return bool(self._open) and self._open[-1].is_object

    def _between(self, piece: bytes, at: int) -> int:
        """Go to the next member or element of what is open, or out of it."""
        end = _end(_TO_NEXT, piece, at)
        self._left += piece[at:end]
        if end == len(piece):
            return end
        if not self._open:
            raise Malformed("something follows the answer")
        if piece[end] in _CLOSING:
            self._open.pop()
            self._left.append(piece[end])
            return end + 1
        self._step = self._name if self._open[-1].is_object else self._begin
        self._kept = self._open[-1].kept
        return end

    def _name(self, piece: bytes, at: int) -> int:
        """Take the name of a member, whole: where the piece ends within it, with the next piece."""
        found = _NAME.match(piece, at)
        if found is None:
            self._carried = piece[at:]
            if piece[at] != _QUOTE or len(self._carried) > _NAME_LIMIT_BYTES:
                raise Malformed("an object has no names")
            return len(piece)
        self._left += found[0]
        self._kept = self._member(found[1])
        self._step = self._begin
        return found.end()

    def _member(self, spelled: bytes) -> _Kept:
        try:
            name = json.loads(spelled)
        except ValueError as error:
            raise Malformed("an object has a name that is no string") from error
        assert not isinstance(self._kept, bool), "only what has parts was entered"
        return self._kept.get(name, False)

    def _unread(self, piece: bytes, at: int) -> int:
        """Copy or drop up to the end of the value, or to a string that this piece does not end."""
        end = _end(_TO_BRACKET if self._depth else _TO_END, piece, at)
        if end < len(piece) and piece[end] == _QUOTE:
            self._step = self._unread_string
        elif end < len(piece) and piece[end] in _OPENING:
            self._depth += 1
            if self._depth > _DEPTH_LIMIT:
                raise Malformed("there are too many brackets in brackets")
        elif end < len(piece) and self._depth:
            self._depth -= 1
        elif end < len(piece):
            self._step = self._between
            return self._pass(piece, at, end)
        return self._pass(piece, at, end + 1)

    def _unread_string(self, piece: bytes, at: int) -> int:
        end = _end(_TO_QUOTE, piece, at)
        if end < len(piece) and piece[end] == _QUOTE:
            self._step = self._unread
            return self._pass(piece, at, end + 1)
        # A backslash may be the last of the piece, and what it escapes the first of the next.
        self._carried = piece[end:]
        self._pass(piece, at, end)
        return len(piece)

    def _pass(self, piece: bytes, at: int, end: int) -> int:
        if self._kept:
            self._left += piece[at:end]
        return end


def _end(pattern: re.Pattern[bytes], piece: bytes, at: int) -> int:
    found = pattern.match(piece, at)
    assert found is not None, "the pattern matches nothing, too"
    return found.end()
