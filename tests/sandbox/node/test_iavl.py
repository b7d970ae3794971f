"""The versioned tree against the chain's own: vectors that iavl v1.2.2 printed for the same operations."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.cosmos import encode
from chain.light.errors import Unproven
from chain.light.merkle import EMPTY
from chain.light.proof import ProofOp, verify_membership, verify_non_membership
from sandbox.node import iavl, multistore
from sandbox.node.multistore import Change

GO_HASHES = {
    1: "8466526734fb4f55cdb4e45ecd09eaf31e08e9fe8e990062d636e1f36fc15f1f",
    10: "a640dd70cbc937b18c9f741a0ff36bbae81e0166f2f93791a570fc7fd0301876",
    20: "3e02712fdbee51179e58465da37284f116e511752e08e950504469a0408d3043",
    30: "856b5f0db341163008154e000e03d9b496146e781deb567ce7660ba9624fa191",
    40: "fd247491ccbf935293353e8d9f505a02f729b97cdf972262d0f58c94dc97cbd6",
}
GO_PROOFS = {
    b"k000": "0ca3cec88ae841ec96417814d7a6d45993c869fb5994cf16f63b2d24ea0d3df7",
    b"k045": "c02c2ee22c3eee860ba1e1d5779e0aac9da29a88bdd755de0e4e6a3ce81df932",
    b"k0455": "3542ea4ac2fa05c4c03b83f3f3a4a058b89a6fa9d43c08ee7318c20a4ad936bb",
    b"z": "268e8417a61363c30997bba20a32aeba481144fc21d1b2373b8f15f0ca5c2673",
    b"a": "f7b5cd2659663d589faa1431d29d17a9f4e102fadc56fa9d42f3f674e7a2049a",
}


def _numbers() -> Iterator[int]:
    """Yield what the same generator gave the Go program."""
    state = 1
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


@pytest.fixture(scope="module")
def versions() -> list[iavl.Node | None]:
    """Return 40 versions of a tree under 12 random writes and removals each."""
    numbers = _numbers()
    tree: iavl.Node | None = None
    kept: list[iavl.Node | None] = [tree]
    for version in range(1, 41):
        for _ in range(12):
            key = b"k%03d" % (next(numbers) % 90)
            if next(numbers) % 3 == 0:
                tree = iavl.delete(tree, key, version)
            else:
                tree = iavl.put(tree, key, b"v%d" % (next(numbers) % 1000), version)
        kept.append(tree)
    return kept


@pytest.mark.parametrize("version", GO_HASHES)
def test_the_hash_is_that_of_the_chains_own_tree(versions: list[iavl.Node | None], version: int) -> None:
    assert iavl.root_hash(versions[version]).hex() == GO_HASHES[version]


@pytest.mark.parametrize("key", GO_PROOFS)
def test_the_proof_is_that_of_the_chains_own_tree(versions: list[iavl.Node | None], key: bytes) -> None:
    tree = versions[40]
    assert tree is not None
    assert sha256(encode(iavl.prove(tree, key))).hexdigest() == GO_PROOFS[key]


def test_an_empty_tree_hashes_nothing() -> None:
    assert iavl.root_hash(None) == EMPTY


def test_a_removed_last_key_leaves_an_empty_tree() -> None:
    assert iavl.delete(iavl.put(None, b"k", b"v", 1), b"k", 2) is None


def test_writing_the_same_value_again_changes_the_hash() -> None:
    once = iavl.put(None, b"k", b"v", 1)
    assert iavl.put(once, b"k", b"v", 2).hash() != once.hash()


KEYS = st.binary(min_size=1, max_size=3)
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=4)), max_size=40)


@given(WRITES)
def test_a_tree_reads_as_a_dictionary(writes: list[tuple[bytes, bytes | None]]) -> None:
    tree: iavl.Node | None = None
    model: dict[bytes, bytes] = {}
    for version, (key, value) in enumerate(writes, start=1):
        if value is None:
            tree = iavl.delete(tree, key, version)
            model.pop(key, None)
        else:
            tree = iavl.put(tree, key, value, version)
            model[key] = value
        assert iavl.items(tree) == sorted(model.items())


@given(WRITES, KEYS)
def test_prefixes_are_found(writes: list[tuple[bytes, bytes | None]], prefix: bytes) -> None:
    tree: iavl.Node | None = None
    for key, value in writes:
        tree = iavl.put(tree, key, value or b"", 1)
    wanted = [(key, value) for key, value in iavl.items(tree) if key.startswith(prefix)]
    assert iavl.prefixed(tree, prefix) == wanted


@given(WRITES)
def test_the_tree_stays_balanced(writes: list[tuple[bytes, bytes | None]]) -> None:
    tree: iavl.Node | None = None
    for key, value in writes:
        tree = iavl.delete(tree, key, 1) if value is None else iavl.put(tree, key, value, 1)
    pending = [tree] if tree else []
    while pending:
        node = pending.pop()
        if node.height:
            left, right = node.children()
            assert abs(left.height - right.height) <= 1
            assert (node.size, node.height) == (
                left.size + right.size,
                1 + max(left.height, right.height),
            )
            pending += [left, right]


BLOCKS = st.lists(
    st.dictionaries(KEYS, st.none() | st.binary(min_size=1, max_size=4), max_size=6), min_size=1, max_size=6
)


@given(BLOCKS, st.lists(KEYS, max_size=5))
def test_every_key_of_every_version_is_proved(
    blocks: list[dict[bytes, bytes | None]], others: list[bytes]
) -> None:
    """Present or absent, also at versions that later blocks changed."""
    versions = [multistore.empty()]
    for height, block in enumerate(blocks, start=1):
        changes = [Change("bank", key, value) for key, value in sorted(block.items())]
        versions.append(multistore.applied(versions[-1], changes, height))
    for version in versions:
        if version.trees["bank"] is not None:
            for key in {*others, *(key for block in blocks for key in block)}:
                _prove(version, key)


def _prove(version: multistore.Version, key: bytes) -> None:
    ops = [ProofOp(op.type, op.key, op.data) for op in version.prove("bank", key).ops]
    value = version.get("bank", key)
    if value is None:
        verify_non_membership(ops, version.app_hash(), "bank", key)
    else:
        verify_membership(ops, version.app_hash(), "bank", key, value)
        with pytest.raises(Unproven):
            verify_membership(ops, version.app_hash(), "bank", key, value + b"0")


@pytest.mark.parametrize("store", multistore.STORES)
def test_every_store_leads_to_the_application_hash(store: str) -> None:
    changes = [Change(name, b"key", name.encode()) for name in multistore.STORES]
    version = multistore.applied(multistore.empty(), changes, 1)
    ops = [ProofOp(op.type, op.key, op.data) for op in version.prove(store, b"key").ops]
    verify_membership(ops, version.app_hash(), store, b"key", store.encode())
