"""State proofs (ICS-23): what stands under a key of a store, or that nothing does, at an application hash.

Two proofs are chained as the SDK answers them: an iavl proof of the key in its store, and a simple Merkle proof of
the store's root in the application hash. The checks are those of the ICS-23 specification, because an inner node
passed off as a leaf, or a gap between neighbours, would prove anything.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self

from chain import cosmos
from chain.light import reading, wire
from chain.light.errors import Malformed, Unproven

_VARINT_BITS: Final = 64
_CHILD_LENGTHS_IAVL: Final = (1, 34)
"""What follows the three numbers of an iavl inner prefix: our child's length, or the left child before it."""


class ProofOp(NamedTuple):
    """One step of an ``abci_query`` proof: its type, the key it is about, and the encoded ICS-23 proof."""

    type: str
    key: bytes
    proof: bytes

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read one element of ``proofOps.ops``; raises Malformed."""
        source = reading.mapping(document, "proof op")
        key = reading.base64_octets(source.get("key"), "key")
        return cls(reading.text(source, "type"), key, reading.base64_octets(source.get("data"), "data"))


class Spec(NamedTuple):
    """The shape of one kind of tree: two children in order, sha256 throughout, leaves marked by a zero byte."""

    op_type: str
    min_prefix: int
    max_prefix: int
    child_size: int


IAVL: Final = Spec("ics23:iavl", min_prefix=4, max_prefix=12, child_size=33)
SIMPLE: Final = Spec("ics23:simple", min_prefix=1, max_prefix=1, child_size=32)
_LEAF_PREFIX: Final = b"\x00"


def ops_from_json(document: Any) -> tuple[ProofOp, ...]:
    """Read ``proofOps`` of an ``abci_query`` answer; raises Malformed, also for null."""
    ops = reading.sequence(reading.mapping(document, "proofOps").get("ops"), "ops")
    return tuple(ProofOp.from_json(each) for each in ops)


def verify_membership(ops: Sequence[ProofOp], app_hash: bytes, store: str, key: bytes, value: bytes) -> None:
    """Check that ``store`` holds exactly ``value`` under ``key`` at ``app_hash``. Raises Unproven."""
    in_store, in_app = _two_steps(ops, store, key)
    proof = _existence(in_store)
    store_root = _proved_root(IAVL, proof, key, value)
    _verify_store_root(in_app, app_hash, store, store_root)


def verify_non_membership(ops: Sequence[ProofOp], app_hash: bytes, store: str, key: bytes) -> None:
    """Check that ``store`` holds nothing under ``key`` at ``app_hash``. Raises Unproven.

    A store without any key proves nothing here, as in the reference: the stores of a living chain hold some.
    """
    in_store, in_app = _two_steps(ops, store, key)
    proof = _commitment(in_store)
    if proof.WhichOneof("proof") != "nonexist":
        raise Unproven("this is no proof of absence")
    _verify_store_root(in_app, app_hash, store, _absence_root(IAVL, proof.nonexist, key))


def _two_steps(ops: Sequence[ProofOp], store: str, key: bytes) -> tuple[ProofOp, ProofOp]:
    if tuple(op.type for op in ops) != (IAVL.op_type, SIMPLE.op_type):
        raise Unproven("a state proof has an iavl and a simple step")
    in_store, in_app = ops
    if in_store.key != key or in_app.key != store.encode():
        raise Unproven("the proof is about another key or store")
    return in_store, in_app


def _verify_store_root(op: ProofOp, app_hash: bytes, store: str, store_root: bytes) -> None:
    if _proved_root(SIMPLE, _existence(op), store.encode(), store_root) != app_hash:
        raise Unproven("the proof leads to another application hash")


def _commitment(op: ProofOp) -> Any:
    try:
        return cosmos.decode(cosmos.CommitmentProof, op.proof)
    except cosmos.Undecodable as error:
        raise Malformed(str(error)) from error


def _existence(op: ProofOp) -> Any:
    proof = _commitment(op)
    if proof.WhichOneof("proof") != "exist":
        raise Unproven("this is no proof of existence")
    return proof.exist


def _proved_root(spec: Spec, proof: Any, key: bytes, value: bytes) -> bytes:
    """Return the root that ``proof`` leads to from exactly ``key`` and ``value``."""
    if proof.key != key or proof.value != value:
        raise Unproven("the proof is of another key or value")
    if not key or not value:
        raise Unproven("a leaf has a key and a value")
    _require_leaf(spec, proof)
    content = wire.delimited(key) + wire.delimited(sha256(value).digest())
    node = sha256(proof.leaf.prefix + content).digest()
    for layer, step in enumerate(proof.path, start=1):
        _require_inner(spec, step, layer)
        node = sha256(step.prefix + node + step.suffix).digest()
    return node


def _require_leaf(spec: Spec, proof: Any) -> None:
    leaf = proof.leaf
    shape = (leaf.hash, leaf.prehash_key, leaf.prehash_value, leaf.length)
    expected = (cosmos.HASH_SHA256, cosmos.HASH_NONE, cosmos.HASH_SHA256, cosmos.LENGTH_VAR_PROTO)
    if shape != expected or not leaf.prefix.startswith(_LEAF_PREFIX):
        raise Unproven("the leaf is hashed in another way")
    if spec is IAVL and _after_iavl_numbers(leaf.prefix, 0):
        raise Unproven("the prefix of the leaf is too long")
    if spec is SIMPLE and leaf.prefix != _LEAF_PREFIX:
        raise Unproven("the prefix of the leaf is too long")


def _require_inner(spec: Spec, step: Any, layer: int) -> None:
    if step.hash != cosmos.HASH_SHA256:
        raise Unproven("an inner node is hashed in another way")
    if spec is IAVL and _after_iavl_numbers(step.prefix, layer) not in _CHILD_LENGTHS_IAVL:
        raise Unproven("the prefix of an inner node has a wrong length")
    if step.prefix.startswith(_LEAF_PREFIX):
        raise Unproven("an inner node begins like a leaf")
    if not spec.min_prefix <= len(step.prefix) <= spec.max_prefix + spec.child_size:
        raise Unproven("the prefix of an inner node has a wrong length")
    if len(step.suffix) % spec.child_size:
        raise Unproven("the suffix of an inner node holds no whole children")


def _after_iavl_numbers(prefix: bytes, layer: int) -> int:
    """Return how many bytes follow height, size and version, none of them negative, the height at least ``layer``."""
    height, rest = _zigzag(prefix)
    size, rest = _zigzag(rest)
    version, rest = _zigzag(rest)
    if min(height, size, version) < 0 or height < layer:
        raise Unproven("the numbers of an iavl node are impossible")
    return len(rest)


def _zigzag(encoded: bytes) -> tuple[int, bytes]:
    """Return the signed varint at the start of ``encoded`` and what follows it."""
    number = 0
    for index, byte in enumerate(encoded[:10]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if number >> _VARINT_BITS:
                break
            return number >> 1 ^ -(number & 1), encoded[index + 1 :]
    raise Unproven("the prefix of an iavl node is cut off")


def _absence_root(spec: Spec, proof: Any, key: bytes) -> bytes:
    """Return the root in which the neighbours of ``key`` stand side by side with nothing between them."""
    left = proof.left if proof.HasField("left") else None
    right = proof.right if proof.HasField("right") else None
    sides = [side for side in (left, right) if side is not None]
    roots = {_proved_root(spec, side, side.key, side.value) for side in sides}
    if len(roots) != 1:
        raise Unproven("an absence needs one or two neighbours in one tree")
    if (left is not None and key <= left.key) or (right is not None and key >= right.key):
        raise Unproven("the key is not between its neighbours")
    if not _adjacent(spec, left, right):
        raise Unproven("there may be keys between the neighbours")
    return roots.pop()


def _adjacent(spec: Spec, left: Any, right: Any) -> bool:
    """Tell whether no leaf can stand between ``left`` and ``right``; None is beyond the tree's edge."""
    if left is None:
        return _all_at(spec, right.path, 0)
    if right is None:
        return _all_at(spec, left.path, 1)
    left_path, right_path = list(left.path), list(right.path)
    while left_path and right_path:
        left_step, right_step = left_path.pop(), right_path.pop()
        if (left_step.prefix, left_step.suffix) != (right_step.prefix, right_step.suffix):
            parted = _branch(spec, left_step) == 0 and _branch(spec, right_step) == 1
            return parted and _all_at(spec, left_path, 1) and _all_at(spec, right_path, 0)
    return False


def _all_at(spec: Spec, path: Sequence[Any], branch: int) -> bool:
    return all(_branch(spec, step) == branch for step in path)


def _branch(spec: Spec, step: Any) -> int | None:
    """Return which child of its parent the path comes from, 0 left or 1 right, told from the padding around it."""
    for branch in (0, 1):
        before, behind = branch * spec.child_size, (1 - branch) * spec.child_size
        prefix = len(step.prefix) - before
        if spec.min_prefix <= prefix <= spec.max_prefix and len(step.suffix) == behind:
            return branch
    return None
