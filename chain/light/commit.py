"""Validators and their signatures: who must have signed a header before it is believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from chain.light import merkle, reading, wire
from chain.light.errors import Malformed, TooFewSigned, Unproven
from chain.light.header import BlockId, encoded_time
from chain.light.reading import Timestamp

PRECOMMIT: Final = 2
KEY_LENGTH: Final = 32
SIGNATURE_LENGTH: Final = 64
ED25519_JSON: Final = "tendermint/PubKeyEd25519"
TRUST_LEVEL: Final = Fraction(1, 3)
QUORUM: Final = Fraction(2, 3)


class Flag(IntEnum):
    """What a validator's slot in a commit says."""

    ABSENT = 1
    COMMIT = 2
    NIL = 3


class Validator(NamedTuple):
    """An ed25519 key and its voting power."""

    pub_key: bytes
    power: int

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read one element of ``/validators``; raises Malformed, also for a key that is not ed25519."""
        source = reading.mapping(document, "validator")
        key = reading.member(source, "pub_key")
        if reading.text(key, "type") != ED25519_JSON:
            raise Malformed("the key of a validator is not ed25519")
        octets = reading.base64_octets(key.get("value"), "pub_key")
        if len(octets) != KEY_LENGTH:
            raise Malformed("the key of a validator has a wrong length")
        return cls(octets, reading.natural(source, "voting_power"))

    def address(self) -> bytes:
        """Return the 20 bytes that commits name this validator by."""
        return sha256(self.pub_key).digest()[:20]

    def encoded(self) -> bytes:
        """Return the leaf of the validators' hash."""
        return wire.message(1, wire.octets(1, self.pub_key)) + wire.integer(2, self.power)


@dataclass(frozen=True)
class ValidatorSet:
    """Validators in the order of ``/validators``: slot i of a commit belongs to validator i."""

    validators: tuple[Validator, ...]
    total_power: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total_power", sum(validator.power for validator in self.validators))

    def hash(self) -> bytes:
        """Return ``validators_hash`` of a header that this set signs."""
        return self._hash

    @cached_property
    def _hash(self) -> bytes:
        return merkle.root([validator.encoded() for validator in self.validators])

    @cached_property
    def by_address(self) -> Mapping[bytes, Validator]:
        """The validators by the address that commits name."""
        return {validator.address(): validator for validator in self.validators}


class CommitSignature(NamedTuple):
    """One slot of a commit."""

    flag: int
    address: bytes
    timestamp: Timestamp
    signature: bytes

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read one element of ``signatures``; raises Malformed."""
        source = reading.mapping(document, "signature")
        return cls(
            reading.natural(source, "block_id_flag"),
            reading.hexadecimal(source, "validator_address"),
            reading.timestamp(source, "timestamp"),
            reading.base64_octets(source.get("signature"), "signature"),
        )

    def encoded(self) -> bytes:
        """Return the leaf of the commit's hash."""
        return (
            wire.integer(1, self.flag)
            + wire.octets(2, self.address)
            + wire.message(3, encoded_time(self.timestamp))
            + wire.octets(4, self.signature)
        )


@dataclass(frozen=True, slots=True)
class Commit:
    """The precommits for one block, a slot for each validator."""

    height: int
    round: int
    block_id: BlockId
    signatures: tuple[CommitSignature, ...]

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read a commit as ``/commit`` and ``last_commit`` give it; raises Malformed."""
        source = reading.mapping(document, "commit")
        signatures = reading.sequence(source.get("signatures"), "signatures")
        return cls(
            reading.natural(source, "height"),
            reading.natural(source, "round"),
            BlockId.from_json(reading.member(source, "block_id")),
            tuple(CommitSignature.from_json(each) for each in signatures),
        )

    def hash(self) -> bytes:
        """Return ``last_commit_hash`` of the next header."""
        return merkle.root([each.encoded() for each in self.signatures])


def vote_sign_bytes(
    chain_id: str, height: int, round_: int, block_id: BlockId | None, timestamp: Timestamp
) -> bytes:
    """Return what a validator signs: a length-prefixed canonical precommit; ``block_id`` None is a vote for nil."""
    head, tail = _vote_around_time(chain_id, height, round_, block_id)
    return wire.delimited(head + wire.message(5, encoded_time(timestamp)) + tail)


def _vote_around_time(
    chain_id: str, height: int, round_: int, block_id: BlockId | None
) -> tuple[bytes, bytes]:
    """Return what stands before and behind the timestamp, the only part in which the votes of a commit differ."""
    head = wire.integer(1, PRECOMMIT) + wire.fixed64(2, height) + wire.fixed64(3, round_)
    if block_id is not None:
        head += wire.message(4, block_id.encoded())
    return head, wire.octets(6, chain_id.encode())


def verify_commit(
    chain_id: str, validators: ValidatorSet, height: int, block_hash: bytes, commit: Commit
) -> None:
    """Check that more than 2/3 of ``validators``' power signed the block ``block_hash`` of ``height``.

    Slots are matched by their index, as consensus orders them. Raises Unproven.
    """
    _require_about(commit, height, block_hash)
    if len(commit.signatures) != len(validators.validators):
        raise Unproven(f"commit of height {height} has another number of slots than there are validators")
    pairs = zip(validators.validators, commit.signatures, strict=True)
    votes = [(validator, slot) for validator, slot in pairs if slot.flag == Flag.COMMIT]
    if any(slot.address != validator.address() for validator, slot in votes):
        raise Unproven(f"commit of height {height} names a validator in another's slot")
    _require_power(chain_id, commit, votes, QUORUM, validators.total_power)


def verify_trusting(
    chain_id: str,
    trusted: ValidatorSet,
    height: int,
    block_hash: bytes,
    commit: Commit,
    *,
    level: Fraction = TRUST_LEVEL,
) -> None:
    """Check that more than ``level`` of the power of an earlier, trusted set signed the block ``block_hash``.

    Slots are matched by address, and a validator counts once. Raises Unproven; the caller then bisects.
    """
    _require_about(commit, height, block_hash)
    seen: set[bytes] = set()
    votes = []
    for slot in commit.signatures:
        validator = trusted.by_address.get(slot.address)
        if validator is None or slot.flag != Flag.COMMIT:
            continue
        if slot.address in seen:
            raise Unproven(f"commit of height {height} counts a validator twice")
        seen.add(slot.address)
        votes.append((validator, slot))
    _require_power(chain_id, commit, votes, level, trusted.total_power)


def _require_about(commit: Commit, height: int, block_hash: bytes) -> None:
    if commit.height != height:
        raise Unproven(f"commit is of height {commit.height}, not {height}")
    if commit.block_id.hash != block_hash:
        raise Unproven(f"commit of height {height} is for another block")


def _require_power(
    chain_id: str,
    commit: Commit,
    votes: Sequence[tuple[Validator, CommitSignature]],
    level: Fraction,
    total: int,
) -> None:
    """Verify votes until more than ``level`` of ``total`` is reached; a signature that does not hold does not count.

    Consensus takes some that the library here refuses (ZIP-215): they must not make liars of all honest nodes.
    """
    head, tail = _vote_around_time(chain_id, commit.height, commit.round, commit.block_id)
    power = 0
    for validator, slot in votes:
        signed = wire.delimited(head + wire.message(5, encoded_time(slot.timestamp)) + tail)
        if not signature_holds(validator.pub_key, signed, slot.signature):
            continue
        power += validator.power
        if power * level.denominator > total * level.numerator:
            return
    raise TooFewSigned(f"only {power} of {total} power signed height {commit.height}")


def signature_holds(pub_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether ``signature`` is the ed25519 signature of ``message`` by ``pub_key``."""
    if len(signature) != SIGNATURE_LENGTH or len(pub_key) != KEY_LENGTH:
        return False
    try:
        crypto_sign_open(signature + message, pub_key)
    except BadSignatureError:
        return False
    return True
