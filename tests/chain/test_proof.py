"""State proofs: what holds, and that nothing else does."""

import contextlib
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import cosmos
from chain.light import merkle
from chain.light.errors import Malformed, Unproven
from chain.light.proof import ProofOp, ops_from_json, verify_membership, verify_non_membership
from tests.chain.fakechain import _multistore_root, iavl_tree, simple_tree, state_proof

STORE = {bytes((2, number)): b"%d" % (number * 10) for number in range(10, 100, 10)}
STORES = {"bank": STORE, "acc": {b"\x01a": b"account"}}
ROOT = _multistore_root(STORES)
PRESENT = bytes((2, 50))
ABSENT = bytes((2, 55))


def ops(key: bytes, store: str = "bank") -> tuple[ProofOp, ...]:
    _, steps = state_proof(STORES, store, key)
    return tuple(ProofOp(kind, about, cosmos.encode(proof)) for kind, about, proof in steps)


def forged(key: bytes, change: Callable[[Any], object], step: int = 0) -> tuple[ProofOp, ...]:
    """The proof of ``key`` with one change made to the decoded proof of one step."""
    honest = list(ops(key))
    proof = cosmos.decode(cosmos.CommitmentProof, honest[step].proof)
    change(proof)
    honest[step] = honest[step]._replace(proof=cosmos.encode(proof))
    return tuple(honest)


@pytest.mark.parametrize("key", sorted(STORE))
def test_every_key_is_proved(key: bytes) -> None:
    verify_membership(ops(key), ROOT, "bank", key, STORE[key])


@pytest.mark.parametrize("key", [b"\x01", bytes((2, 5)), bytes((2, 15)), ABSENT, bytes((2, 85)), b"\x03"])
def test_every_gap_is_proved(key: bytes) -> None:
    verify_non_membership(ops(key), ROOT, "bank", key)


def test_a_lone_key_is_proved() -> None:
    verify_membership(ops(b"\x01a", "acc"), ROOT, "acc", b"\x01a", b"account")


@pytest.mark.parametrize("key", [b"\x01", b"\x02"])
def test_a_lone_key_has_nothing_beside_it(key: bytes) -> None:
    verify_non_membership(ops(key, "acc"), ROOT, "acc", key)


def test_another_value_is_refused() -> None:
    with pytest.raises(Unproven):
        verify_membership(ops(PRESENT), ROOT, "bank", PRESENT, b"5000")


def test_another_value_inside_the_proof_is_refused() -> None:
    def change(proof: Any) -> None:
        proof.exist.value = b"5000"

    with pytest.raises(Unproven):
        verify_membership(forged(PRESENT, change), ROOT, "bank", PRESENT, b"5000")


def test_another_key_is_refused() -> None:
    other = bytes((2, 60))
    with pytest.raises(Unproven):
        verify_membership(ops(PRESENT), ROOT, "bank", other, STORE[PRESENT])


def test_another_store_is_refused() -> None:
    with pytest.raises(Unproven):
        verify_membership(ops(PRESENT), ROOT, "acc", PRESENT, STORE[PRESENT])


def test_another_application_hash_is_refused() -> None:
    with pytest.raises(Unproven):
        verify_membership(ops(PRESENT), bytes(32), "bank", PRESENT, STORE[PRESENT])


def test_an_absence_proves_no_presence() -> None:
    with pytest.raises(Unproven):
        verify_membership(ops(ABSENT), ROOT, "bank", ABSENT, b"1")


def test_a_presence_proves_no_absence() -> None:
    with pytest.raises(Unproven):
        verify_non_membership(ops(PRESENT), ROOT, "bank", PRESENT)


def test_an_empty_value_is_refused() -> None:
    with pytest.raises(Unproven):
        verify_membership(ops(PRESENT), ROOT, "bank", PRESENT, b"")


@pytest.mark.parametrize("steps", [(), (0,), (1,), (1, 0), (0, 0), (0, 1, 1)])
def test_both_steps_are_needed_in_order(steps: tuple[int, ...]) -> None:
    honest = ops(PRESENT)
    with pytest.raises(Unproven):
        verify_membership([honest[step] for step in steps], ROOT, "bank", PRESENT, STORE[PRESENT])


def change_leaf(**changes: Any) -> Callable[[Any], object]:
    return lambda proof: write(proof.exist.leaf, changes)


def change_step(**changes: Any) -> Callable[[Any], object]:
    return lambda proof: write(proof.exist.path[0], changes)


def write(message: Any, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(message, name, value)


@pytest.mark.parametrize(
    "change",
    [
        change_leaf(hash=0),
        change_leaf(prehash_key=1),
        change_leaf(prehash_value=0),
        change_leaf(length=0),
        change_leaf(prefix=b""),
        change_leaf(prefix=b"\x00\x02"),
        change_leaf(prefix=b"\x00\x02\x02\x02"),
        change_leaf(prefix=b"\x02\x02\x02"),
        change_leaf(prefix=b"\x00\x01\x02"),
        change_step(hash=2),
        change_step(prefix=b"\x00\x04\x02\x20"),
        change_step(prefix=b""),
        change_step(prefix=b"\x02\x04\x02"),
        change_step(prefix=b"\x02\x04\x02\x20\x20"),
        change_step(suffix=b"\x20"),
        lambda proof: proof.exist.path.pop(),
        lambda proof: proof.exist.path.add(hash=1, prefix=b"\x0a\x28\x02\x20", suffix=bytes(33)),
        lambda proof: proof.exist.ClearField("leaf"),
    ],
)
@pytest.mark.parametrize("step", [0, 1])
def test_any_bent_step_is_refused(change: Callable[[Any], object], step: int) -> None:
    with pytest.raises(Unproven):
        verify_membership(forged(PRESENT, change, step), ROOT, "bank", PRESENT, STORE[PRESENT])


def test_an_inner_node_cannot_pass_for_a_leaf() -> None:
    """The classic forgery: a value chosen so that a leaf's bytes are those of an inner node is stopped by shape."""
    tree = iavl_tree(STORE)
    root_step = tree.leaves[0].path[-1]
    fake = cosmos.ExistenceProof(key=root_step.prefix, value=root_step.suffix)
    fake.leaf.CopyFrom(cosmos.LeafOp(hash=1, prehash_key=0, prehash_value=0, length=0, prefix=b"\x00"))
    honest = ops(PRESENT)
    step = honest[0]._replace(key=root_step.prefix, proof=cosmos.encode(cosmos.CommitmentProof(exist=fake)))
    with pytest.raises(Unproven):
        verify_membership((step, honest[1]), ROOT, "bank", root_step.prefix, root_step.suffix)


def absence(left: int | None, right: int | None, key: bytes = ABSENT) -> tuple[ProofOp, ...]:
    """A claim that nothing stands between two leaves of the tree, by their index."""
    leaves = iavl_tree(STORE).leaves
    sides = {"left": left, "right": right}
    found = {name: leaves[index] for name, index in sides.items() if index is not None}
    proof = cosmos.CommitmentProof(nonexist=cosmos.NonExistenceProof(key=key, **found))
    return (ProofOp("ics23:iavl", key, cosmos.encode(proof)), ops(PRESENT)[1])


def test_neighbours_by_index_prove_the_gap() -> None:
    """The honest form of what the next test bends: 50 is leaf 4, 60 is leaf 5."""
    verify_non_membership(absence(4, 5), ROOT, "bank", ABSENT)


@pytest.mark.parametrize(
    ("left", "right"),
    [(3, 5), (4, 6), (0, 8), (5, 4), (4, 4), (5, 6), (3, 4), (4, None), (None, 5), (None, None)],
)
def test_leaves_that_are_no_neighbours_prove_nothing(left: int | None, right: int | None) -> None:
    with pytest.raises(Unproven):
        verify_non_membership(absence(left, right), ROOT, "bank", ABSENT)


@pytest.mark.parametrize(("left", "right"), [(4, 5), (3, 4), (4, None), (None, 4)])
def test_no_absence_of_a_key_that_stands(left: int | None, right: int | None) -> None:
    with pytest.raises(Unproven):
        verify_non_membership(absence(left, right, PRESENT), ROOT, "bank", PRESENT)


def test_neighbours_of_two_trees_prove_nothing() -> None:
    other = iavl_tree({key: value for key, value in STORE.items() if key != bytes((2, 55))} | {ABSENT: b"1"})
    left, right = iavl_tree(STORE).leaves[4], other.leaves[6]
    proof = cosmos.CommitmentProof(nonexist=cosmos.NonExistenceProof(key=ABSENT, left=left, right=right))
    steps = (ProofOp("ics23:iavl", ABSENT, cosmos.encode(proof)), ops(PRESENT)[1])
    with pytest.raises(Unproven):
        verify_non_membership(steps, ROOT, "bank", ABSENT)


@given(st.integers(2, 40), st.data())
def test_trees_of_any_size_prove_each_key_and_each_gap(size: int, data: st.DataObject) -> None:
    stores = {"bank": {bytes((2, number * 2 + 1)): b"%d" % (number + 1) for number in range(size)}}
    root, key = _multistore_root(stores), bytes((2, data.draw(st.integers(0, size * 2))))
    value, steps = state_proof(stores, "bank", key)
    found = tuple(ProofOp(kind, about, cosmos.encode(proof)) for kind, about, proof in steps)
    if value:
        verify_membership(found, root, "bank", key, value)
    else:
        verify_non_membership(found, root, "bank", key)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(encoded: bytes) -> None:
    steps = (ProofOp("ics23:iavl", PRESENT, encoded), ops(PRESENT)[1])
    with pytest.raises(Unproven):
        verify_membership(steps, ROOT, "bank", PRESENT, STORE[PRESENT])


@given(st.integers(0, 5000), st.integers(0, 255), st.sampled_from([PRESENT, ABSENT]))
def test_no_flipped_byte_proves_another_thing(position: int, byte: int, key: bytes) -> None:
    """Whatever byte is flipped, neither another value nor the opposite is proved; only Unproven is raised."""
    honest = ops(key)
    encoded = bytearray(honest[0].proof)
    encoded[position % len(encoded)] = byte
    bent = (honest[0]._replace(proof=bytes(encoded)), honest[1])
    with pytest.raises(Unproven):
        verify_membership(bent, ROOT, "bank", key, b"5000")
    if key in STORE:
        with pytest.raises(Unproven):
            verify_non_membership(bent, ROOT, "bank", key)
    with contextlib.suppress(Unproven):
        verify_non_membership(bent, ROOT, "bank", ABSENT)


@pytest.mark.parametrize("document", [None, [], {"ops": 5}, {"ops": [5]}, {"ops": [{"type": 1}]}])
def test_proof_ops_of_another_form_are_malformed(document: Any) -> None:
    with pytest.raises(Malformed):
        ops_from_json(document)


def test_the_simple_tree_is_the_merkle_tree_of_its_leaves() -> None:
    """The fake's store root is the same RFC 6962 tree: its proofs stand on the published vectors."""
    pairs = [(b"%d" % number, b"v%d" % number) for number in range(7)]
    leaves = [bytes((len(key),)) + key + b"\x20" + sha256(value).digest() for key, value in pairs]
    assert simple_tree(pairs).root == merkle.root(leaves)
