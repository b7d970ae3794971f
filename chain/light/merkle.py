"""The Merkle tree of RFC 6962 over sha256, as consensus uses it for every list that it hashes."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()
"""The root of no leaves: a header with this data hash proves a block without transactions."""


def leaf(content: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + content).digest()


def inner(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over ``leaves`` in their order; the split is the largest power of two below their number."""
    return _join([leaf(content) for content in leaves]) if leaves else EMPTY


def _join(level: list[bytes]) -> bytes:
    """Hash pairs upwards; an odd last node goes up unchanged, which gives the same tree as the recursive split."""
    while len(level) > 1:
        pairs = [inner(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]
