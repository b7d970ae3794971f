"""Several stores under one application hash, and the two-step proofs that lead from a value to it."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from chain.cosmos import (
    HASH_NONE,
    HASH_SHA256,
    LENGTH_VAR_PROTO,
    CommitmentProof,
    ExistenceProof,
    InnerOp,
    LeafOp,
    ProofOp,
    ProofOps,
    encode,
)
from chain.light import merkle, wire
from sandbox.node import iavl

STORES: Final = ("acc", "authz", "bank", "staking")
"""The names, in the order of their hash."""


class Change(NamedTuple):
    """One key that a block wrote; ``value`` None removes it."""

    store: str
    key: bytes
    value: bytes | None


class Version(NamedTuple):
    """The state after one block."""

    trees: Mapping[str, iavl.Node | None]

    def get(self, store: str, key: bytes) -> bytes | None:
        """Return the value at ``key`` of ``store``."""
        return iavl.get(self.trees[store], key)

    def app_hash(self) -> bytes:
        """Return the hash that the next header bears."""
        return merkle.root([_leaf_content(name, iavl.root_hash(self.trees[name])) for name in STORES])

    def prove(self, store: str, key: bytes) -> Any:
        """Return the ``ProofOps`` for ``key`` of ``store``, present or absent; None when the store is empty."""
        tree = self.trees[store]
        if tree is None:
            return None
        simple = CommitmentProof(exist=self._store_proof(store))
        return ProofOps(
            ops=[
                ProofOp(type="ics23:iavl", key=key, data=encode(iavl.prove(tree, key))),
                ProofOp(type="ics23:simple", key=store.encode(), data=encode(simple)),
            ]
        )

    def _store_proof(self, store: str) -> Any:
        hashes = [merkle.leaf(_leaf_content(name, iavl.root_hash(self.trees[name]))) for name in STORES]
        leaf = LeafOp(
            hash=HASH_SHA256,
            prehash_key=HASH_NONE,
            prehash_value=HASH_SHA256,
            length=LENGTH_VAR_PROTO,
            prefix=b"\x00",
        )
        root = iavl.root_hash(self.trees[store])
        return ExistenceProof(
            key=store.encode(), value=root, leaf=leaf, path=_path(hashes, STORES.index(store))
        )


def empty() -> Version:
    """Return the state before the first block."""
    return Version(dict.fromkeys(STORES))


def applied(version: Version, changes: Iterable[Change], height: int) -> Version:
    """Return the state after ``changes`` of block ``height``, in their order: the order shapes the trees."""
    trees = dict(version.trees)
    for store, key, value in changes:
        tree = trees[store]
        trees[store] = iavl.delete(tree, key, height) if value is None else iavl.put(tree, key, value, height)
    return Version(trees)


def _leaf_content(name: str, root: bytes) -> bytes:
    return wire.delimited(name.encode()) + wire.delimited(sha256(root).digest())


def _path(level: list[bytes], index: int) -> list[Any]:
    """Return the inner steps from leaf ``index`` to the root; an odd last hash goes up unchanged."""
    steps = []
    while len(level) > 1:
        mate = index ^ 1
        if mate < len(level):
            left = mate < index
            prefix = b"\x01" + (level[mate] if left else b"")
            steps.append(InnerOp(hash=HASH_SHA256, prefix=prefix, suffix=b"" if left else level[mate]))
        pairs = [merkle.inner(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level, index = pairs + level[len(pairs) * 2 :], index // 2
    return steps
