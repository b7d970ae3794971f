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


# --- forgeries whose hashes all fit: only the shape of a step gives them away ---------------------------------------


def fitting_root(proof: Any) -> bytes:
    """The root that a proof leads to, whatever the shape of its steps."""
    content = bytes((len(proof.key),)) + proof.key + b"\x20" + sha256(proof.value).digest()
    node = sha256(proof.leaf.prefix + content).digest()
    for step in proof.path:
        node = sha256(step.prefix + node + step.suffix).digest()
    return node


def fitting(change: Callable[[Any], object], step: int) -> tuple[tuple[ProofOp, ...], bytes]:
    """A proof of PRESENT with one change, and an application hash that all of its hashes lead to."""
    in_store = decoded(ops(PRESENT)[0])
    if step == 0:
        change(in_store)
    stores = [(b"acc", b"a" * 32), (b"bank", fitting_root(in_store.exist)), (b"staking", b"s" * 32)]
    in_app = cosmos.CommitmentProof(exist=simple_tree(stores).leaves[1])
    if step == 1:
        change(in_app)
    return (iavl_op(PRESENT, in_store), simple_op(in_app)), fitting_root(in_app.exist)


def decoded(op: ProofOp) -> Any:
    return cosmos.decode(cosmos.CommitmentProof, op.proof)


def iavl_op(key: bytes, proof: Any) -> ProofOp:
    return ProofOp("ics23:iavl", key, cosmos.encode(proof))


def simple_op(proof: Any) -> ProofOp:
    return ProofOp("ics23:simple", b"bank", cosmos.encode(proof))


@pytest.mark.parametrize("step", [0, 1])
def test_an_unchanged_proof_fits(step: int) -> None:
    steps, app_hash = fitting(lambda _: None, step)
    verify_membership(steps, app_hash, "bank", PRESENT, STORE[PRESENT])


def push(**step: Any) -> Callable[[Any], object]:
    return lambda proof: proof.exist.path.add(hash=1, **step)


@pytest.mark.parametrize(
    ("step", "change"),
    [
        (0, change_leaf(prefix=b"\x00\x02\x02\x02")),
        (0, change_leaf(prefix=b"\x00\x02")),
        (0, change_leaf(prefix=b"\x00\x01\x02")),
        (0, change_leaf(prefix=b"\x02\x02\x02")),
        (0, change_step(prefix=b"\x02\x04\x02")),
        (0, change_step(prefix=b"\x02\x04\x02\x20\x20")),
        (0, change_step(prefix=b"\x00\x04\x02\x20")),
        (0, change_step(prefix=b"\x01\x04\x02\x20")),
        (0, change_step(prefix=b"\x02\x03\x02\x20")),
        (0, change_step(prefix=b"\x02\x04\x03\x20")),
        (0, change_step(prefix=b"\x80\x80\x80")),
        (0, change_step(prefix=b"\x02" + b"\xff" * 9 + b"\x02" + b"\x02\x20")),
        (0, change_step(prefix=b"")),
        (0, change_step(suffix=b"\x20")),
        (0, change_step(suffix=bytes(34))),
        (0, push(prefix=b"\x02\x28\x02\x20", suffix=bytes(33))),
        (1, change_leaf(prefix=b"\x00\x00")),
        (1, change_leaf(prefix=b"\x01")),
        (1, change_step(prefix=b"")),
        (1, change_step(prefix=b"\x00")),
        (1, change_step(prefix=b"\x01" + bytes(33))),
        (1, change_step(suffix=bytes(31))),
        (1, push(prefix=b"\x01" + bytes(32) + b"\x01")),
    ],
)
def test_a_step_of_another_shape_is_refused(step: int, change: Callable[[Any], object]) -> None:
    steps, app_hash = fitting(change, step)
    with pytest.raises(Unproven):
        verify_membership(steps, app_hash, "bank", PRESENT, STORE[PRESENT])


def test_an_iavl_layer_is_at_least_as_high_as_its_place() -> None:
    """The second step claims height 1, as the first: a node cannot be as low as its child."""

    def flatten(proof: Any) -> None:
        proof.exist.path[1].prefix = proof.exist.path[0].prefix[:1] + proof.exist.path[1].prefix[1:]

    steps, app_hash = fitting(flatten, 0)
    with pytest.raises(Unproven):
        verify_membership(steps, app_hash, "bank", PRESENT, STORE[PRESENT])


def test_the_step_says_which_key_it_is_about() -> None:
    honest = ops(PRESENT)
    with pytest.raises(Unproven):
        verify_membership((honest[0]._replace(key=ABSENT), honest[1]), ROOT, "bank", PRESENT, STORE[PRESENT])


def test_the_step_says_which_store_it_is_about() -> None:
    honest = ops(PRESENT)
    with pytest.raises(Unproven):
        verify_membership((honest[0], honest[1]._replace(key=b"acc")), ROOT, "bank", PRESENT, STORE[PRESENT])


def test_a_proof_of_another_key_proves_nothing_of_this_one() -> None:
    other = bytes((2, 60))
    honest = ops(PRESENT)
    with pytest.raises(Unproven):
        verify_membership((honest[0]._replace(key=other), honest[1]), ROOT, "bank", other, STORE[PRESENT])


def test_a_proof_of_another_store_proves_nothing_of_this_one() -> None:
    with pytest.raises(Unproven):
        verify_membership(
            (ops(PRESENT)[0], ops(b"\x01a", "acc")[1]._replace(key=b"bank")),
            ROOT,
            "bank",
            PRESENT,
            STORE[PRESENT],
        )


@pytest.mark.parametrize("pair", [(b"\x02k", b""), (b"", b"5")])
def test_a_leaf_has_a_key_and_a_value(pair: tuple[bytes, bytes]) -> None:
    stores = {"bank": dict([pair])}
    _, steps = state_proof(stores, "bank", pair[0])
    found = tuple(ProofOp(kind, about, cosmos.encode(proof)) for kind, about, proof in steps)
    with pytest.raises(Unproven):
        verify_membership(found, _multistore_root(stores), "bank", *pair)


def test_an_only_child_is_at_no_side() -> None:
    """A step with nothing beside the path would hide whatever stands there."""
    key, value = bytes((2, 60)), b"600"
    leaf = iavl_tree({key: value}).leaves[0]
    leaf.path.add(hash=1, prefix=b"\x02\x04\x02\x20")
    outer = simple_tree([(b"bank", fitting_root(leaf))])
    proof = cosmos.CommitmentProof(nonexist=cosmos.NonExistenceProof(key=ABSENT, right=leaf))
    steps = (iavl_op(ABSENT, proof), simple_op(cosmos.CommitmentProof(exist=outer.leaves[0])))
    with pytest.raises(Unproven, match="between the neighbours"):
        verify_non_membership(steps, outer.root, "bank", ABSENT)


# --- absence -------------------------------------------------------------------------------------------------------


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
