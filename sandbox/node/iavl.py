"""The chain's versioned state: a balanced tree whose root hash stands for every key and value in it.

Nodes never change, so each version shares with the one before all that did not change, and every past version can
still be read and proved. Hashes and proofs are those of the chain's own tree (iavl v1, ICS-23).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from chain.cosmos import (
    HASH_NONE,
    HASH_SHA256,
    LENGTH_VAR_PROTO,
    CommitmentProof,
    ExistenceProof,
    InnerOp,
    LeafOp,
    NonExistenceProof,
)
from chain.light import wire
from chain.light.merkle import EMPTY

_HASH_LENGTH: Final = b"\x20"


@dataclass(slots=True, eq=False)
class Node:
    """A leaf (height 0) holds a value; an inner node the smallest key of its right side."""

    key: bytes
    version: int
    value: bytes = b""
    left: Node | None = None
    right: Node | None = None
    height: int = 0
    size: int = 1
    digest: bytes = b""

    def children(self) -> tuple[Node, Node]:
        """Return both sides of an inner node."""
        assert self.left is not None
        assert self.right is not None
        return self.left, self.right

    def prefix(self) -> bytes:
        """Return what the hash covers before keys or children: height, size and version, zig-zag encoded."""
        return b"".join(wire.varint(number << 1) for number in (self.height, self.size, self.version))

    def hash(self) -> bytes:
        """Return the node's hash; computed once."""
        if not self.digest:
            self.digest = sha256(self.prefix() + self._content()).digest()
        return self.digest

    def _content(self) -> bytes:
        if not self.height:
            return wire.delimited(self.key) + wire.delimited(sha256(self.value).digest())
        left, right = self.children()
        return _HASH_LENGTH + left.hash() + _HASH_LENGTH + right.hash()


def _inner(key: bytes, version: int, left: Node, right: Node) -> Node:
    height, size = 1 + max(left.height, right.height), left.size + right.size
    return Node(key, version, b"", left, right, height, size)


def root_hash(tree: Node | None) -> bytes:
    """Return the hash of a whole store; the empty one hashes nothing."""
    return tree.hash() if tree else EMPTY


def get(tree: Node | None, key: bytes) -> bytes | None:
    """Return the value at ``key``, None when it is absent."""
    node = tree
    while node and node.height:
        left, right = node.children()
        node = left if key < node.key else right
    return node.value if node and node.key == key else None


def put(tree: Node | None, key: bytes, value: bytes, version: int) -> Node:
    """Return the tree with ``value`` at ``key``; every node on the way gets the new ``version``."""
    if tree is None:
        return Node(key, version, value)
    if tree.height:
        left, right = tree.children()
        if key < tree.key:
            return _balanced(_inner(tree.key, version, put(left, key, value, version), right))
        return _balanced(_inner(tree.key, version, left, put(right, key, value, version)))
    new = Node(key, version, value)
    if key == tree.key:
        return new
    return _inner(tree.key, version, new, tree) if key < tree.key else _inner(key, version, tree, new)


def delete(tree: Node | None, key: bytes, version: int) -> Node | None:
    """Return the tree without ``key``; the same tree when it holds no such key."""
    if get(tree, key) is None:
        return tree
    assert tree is not None
    return _without(tree, key, version)[0]


def _without(node: Node, key: bytes, version: int) -> tuple[Node | None, bytes]:
    """Return ``node`` without ``key``, and the new smallest key of what is left when that changed."""
    if not node.height:
        return None, b""
    left, right = node.children()
    if key < node.key:
        rest, smallest = _without(left, key, version)
        if rest is None:
            return right, node.key
        return _balanced(_inner(node.key, version, rest, right)), smallest
    rest, smallest = _without(right, key, version)
    if rest is None:
        return left, b""
    return _balanced(_inner(smallest or node.key, version, left, rest)), b""


def _lean(node: Node) -> int:
    """Return how much higher the left side is."""
    if not node.height:
        return 0
    left, right = node.children()
    return left.height - right.height


def _balanced(node: Node) -> Node:
    """Return ``node`` turned so that its sides differ by one level at most; all turned nodes get its version."""
    left, right = node.children()
    if _lean(node) > 1:
        if _lean(left) < 0:
            left = _turned_left(left, node.version)
        return _turned_right(_inner(node.key, node.version, left, right), node.version)
    if _lean(node) < -1:
        if _lean(right) > 0:
            right = _turned_right(right, node.version)
        return _turned_left(_inner(node.key, node.version, left, right), node.version)
    return node


def _turned_right(node: Node, version: int) -> Node:
    left, right = node.children()
    outer, between = left.children()
    return _inner(left.key, version, outer, _inner(node.key, version, between, right))


def _turned_left(node: Node, version: int) -> Node:
    left, right = node.children()
    between, outer = right.children()
    return _inner(right.key, version, _inner(node.key, version, left, between), outer)


def items(tree: Node | None) -> list[tuple[bytes, bytes]]:
    """Return all keys and values in order."""
    return prefixed(tree, b"")


def prefixed(tree: Node | None, prefix: bytes) -> list[tuple[bytes, bytes]]:
    """Return the keys and values whose key starts with ``prefix``, in order."""
    found: list[tuple[bytes, bytes]] = []
    pending = [tree] if tree else []
    while pending:
        node = pending.pop()
        if not node.height:
            if node.key.startswith(prefix):
                found.append((node.key, node.value))
            continue
        left, right = node.children()
        if node.key[: len(prefix)] <= prefix:
            pending.append(right)
        if prefix < node.key:
            pending.append(left)
    return sorted(found)


def prove(tree: Node, key: bytes) -> Any:
    """Return the ICS-23 proof of ``key``: that it stands with its value, or that its neighbours meet."""
    if get(tree, key) is not None:
        return CommitmentProof(exist=_existence(tree, key))
    before, after = _neighbours(tree, key)
    absent = NonExistenceProof(key=key)
    if before is not None:
        absent.left.CopyFrom(_existence(tree, before))
    if after is not None:
        absent.right.CopyFrom(_existence(tree, after))
    return CommitmentProof(nonexist=absent)


def _neighbours(tree: Node, key: bytes) -> tuple[bytes | None, bytes | None]:
    """Return the nearest keys on both sides of an absent ``key``."""
    before: Node | None = None
    after: Node | None = None
    node = tree
    while node.height:
        left, right = node.children()
        if key < node.key:
            node, after = left, right
        else:
            node, before = right, left
    lowest, highest = _edge(after, leftmost=True), _edge(before, leftmost=False)
    return (highest, node.key) if key < node.key else (node.key, lowest)


def _edge(node: Node | None, *, leftmost: bool) -> bytes | None:
    while node and node.height:
        node = node.children()[0 if leftmost else 1]
    return node.key if node else None


def _existence(tree: Node, key: bytes) -> Any:
    path: list[Any] = []
    node = tree
    while node.height:
        left, right = node.children()
        if key < node.key:
            path.append(
                InnerOp(
                    hash=HASH_SHA256, prefix=node.prefix() + _HASH_LENGTH, suffix=_HASH_LENGTH + right.hash()
                )
            )
            node = left
        else:
            prefix = node.prefix() + _HASH_LENGTH + left.hash() + _HASH_LENGTH
            path.append(InnerOp(hash=HASH_SHA256, prefix=prefix))
            node = right
    leaf = LeafOp(
        hash=HASH_SHA256,
        prehash_key=HASH_NONE,
        prehash_value=HASH_SHA256,
        length=LENGTH_VAR_PROTO,
        prefix=node.prefix(),
    )
    return ExistenceProof(key=node.key, value=node.value, leaf=leaf, path=reversed(path))
