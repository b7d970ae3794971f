"""Validators that really sign: several keys, each with a clock that is a little off."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Final, NamedTuple

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from chain.light.commit import Commit, CommitSignature, Flag, Validator, ValidatorSet, vote_sign_bytes
from chain.light.header import BlockId
from chain.light.reading import Timestamp

_NANOS: Final = 1_000_000_000
_MILLI: Final = 1_000_000
_CLOCKS_APART_NANOS: Final = 40 * _MILLI
_NO_TIME: Final = Timestamp(-62_135_596_800, 0)
"""Go's zero time, which the slot of an absent validator bears."""


class Seat(NamedTuple):
    """Who has a vote: the name that its key is made from, and its power."""

    name: str
    power: int


@dataclass(frozen=True)
class Signatory:
    """A validator with its private key."""

    seat: Seat
    validator: Validator = field(init=False)
    _secret: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        seed = sha256(b"moneta sandbox validator " + self.seat.name.encode()).digest()
        public, secret = crypto_sign_seed_keypair(seed)
        object.__setattr__(self, "validator", Validator(public, self.seat.power))
        object.__setattr__(self, "_secret", secret)

    def sign(self, message: bytes) -> bytes:
        """Return the ed25519 signature of ``message``."""
        return bytes(crypto_sign(message, self._secret)[:64])


class Council:
    """The validators of some heights, in the order in which commits name them: by power, then address.

    ``absent`` never sign; ``turn`` lets another one than usual propose.
    """

    def __init__(self, seats: Sequence[Seat], absent: frozenset[str] = frozenset(), turn: int = 0) -> None:
        members = [Signatory(seat) for seat in seats]
        self.members = sorted(members, key=lambda each: (-each.seat.power, each.validator.address()))
        self.absent = absent
        self._turn = turn

    @cached_property
    def set(self) -> ValidatorSet:
        """The public half."""
        return ValidatorSet(tuple(member.validator for member in self.members))

    @property
    def seats(self) -> list[Seat]:
        """Who sits in it."""
        return [member.seat for member in self.members]

    def proposer(self, height: int) -> bytes:
        """Return the address of the one that proposes ``height``: they take turns."""
        return self.members[(height + self._turn) % len(self.members)].validator.address()

    def commit(self, chain_id: str, height: int, block_id: BlockId, times: Sequence[Timestamp]) -> Commit:
        """Return the precommits for a block, one time for each member; the absent leave their slot empty."""
        slots = []
        for member, time in zip(self.members, times, strict=True):
            if member.seat.name in self.absent:
                slots.append(CommitSignature(Flag.ABSENT, b"", _NO_TIME, b""))
                continue
            signed = vote_sign_bytes(chain_id, height, 0, block_id, time)
            slots.append(CommitSignature(Flag.COMMIT, member.validator.address(), time, member.sign(signed)))
        return Commit(height, 0, block_id, tuple(slots))

    def times(self, now_ms: int, block_time: Timestamp, rng: random.Random) -> list[Timestamp]:
        """Return when each member votes: about now, never before the block it votes for."""
        earliest = nanos(block_time) + _MILLI
        return [
            timestamp(max(earliest, now_ms * _MILLI + rng.randrange(_CLOCKS_APART_NANOS)))
            for _ in self.members
        ]


def nanos(time: Timestamp) -> int:
    """Return nanoseconds since 1970."""
    return time.seconds * _NANOS + time.nanos


def timestamp(since_1970_nanos: int) -> Timestamp:
    """Return nanoseconds since 1970 as a protobuf timestamp."""
    return Timestamp(*divmod(since_1970_nanos, _NANOS))


def median_time(commit: Commit, validators: ValidatorSet) -> Timestamp:
    """Return the time of the next block: the median of the votes' times, weighted by power."""
    votes = sorted(
        (nanos(slot.timestamp), validator.power)
        for slot, validator in zip(commit.signatures, validators.validators, strict=True)
        if slot.flag == Flag.COMMIT
    )
    rest = sum(power for _, power in votes) // 2
    for time, power in votes:
        if rest <= power:
            return timestamp(time)
        rest -= power
    raise AssertionError("a commit has votes")
