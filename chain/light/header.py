"""Block headers and the block id: the one hash that stands for all the rest (chain.md, Deposits 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, Self

from chain.light import merkle, reading, wire
from chain.light.reading import Timestamp


class BlockId(NamedTuple):
    """What a vote is for: the header's hash and the hash of the block's parts."""

    hash: bytes
    parts_total: int
    parts_hash: bytes

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read ``{"hash", "parts": {"total", "hash"}}``; raises Malformed."""
        parts = reading.member(document, "parts")
        total, parts_hash = reading.natural(parts, "total"), reading.hexadecimal(parts, "hash")
        return cls(reading.hexadecimal(document, "hash"), total, parts_hash)

    def encoded(self) -> bytes:
        """Return the protobuf bytes; the parts are written even when they are empty."""
        parts = wire.integer(1, self.parts_total) + wire.octets(2, self.parts_hash)
        return wire.octets(1, self.hash) + wire.message(2, parts)


class Version(NamedTuple):
    """The protocol versions of blocks and of the application."""

    block: int
    app: int


@dataclass(frozen=True)
class Header:
    """The 14 fields that the block id covers."""

    version: Version
    chain_id: str
    height: int
    time: Timestamp
    last_block_id: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer_address: bytes

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read a header as ``/block``, ``/commit`` and ``/blockchain`` give it; raises Malformed."""
        source = reading.mapping(document, "header")
        version = reading.member(source, "version")
        return cls(
            version=Version(reading.natural(version, "block"), reading.natural(version, "app")),
            chain_id=reading.text(source, "chain_id"),
            height=reading.natural(source, "height"),
            time=reading.timestamp(source, "time"),
            last_block_id=BlockId.from_json(reading.member(source, "last_block_id")),
            last_commit_hash=reading.hexadecimal(source, "last_commit_hash"),
            data_hash=reading.hexadecimal(source, "data_hash"),
            validators_hash=reading.hexadecimal(source, "validators_hash"),
            next_validators_hash=reading.hexadecimal(source, "next_validators_hash"),
            consensus_hash=reading.hexadecimal(source, "consensus_hash"),
            app_hash=reading.hexadecimal(source, "app_hash"),
            last_results_hash=reading.hexadecimal(source, "last_results_hash"),
            evidence_hash=reading.hexadecimal(source, "evidence_hash"),
            proposer_address=reading.hexadecimal(source, "proposer_address"),
        )

    def hash(self) -> bytes:
        """Return the block id's hash.

        Scalars are wrapped in field 1 of a message of their own, and an empty one is an empty leaf.
        """
        return self._hash

    @cached_property
    def _hash(self) -> bytes:
        return merkle.root(
            (
                wire.integer(1, self.version.block) + wire.integer(2, self.version.app),
                wire.octets(1, self.chain_id.encode()),
                wire.integer(1, self.height),
                encoded_time(self.time),
                self.last_block_id.encoded(),
                wire.octets(1, self.last_commit_hash),
                wire.octets(1, self.data_hash),
                wire.octets(1, self.validators_hash),
                wire.octets(1, self.next_validators_hash),
                wire.octets(1, self.consensus_hash),
                wire.octets(1, self.app_hash),
                wire.octets(1, self.last_results_hash),
                wire.octets(1, self.evidence_hash),
                wire.octets(1, self.proposer_address),
            )
        )


def encoded_time(time: Timestamp) -> bytes:
    """Return the protobuf bytes of a timestamp."""
    return wire.integer(1, time.seconds) + wire.integer(2, time.nanos)


def data_hash(txs: Sequence[bytes]) -> bytes:
    """Return the header's ``data_hash`` over raw transactions: the leaves are their sha256."""
    return merkle.root([sha256(tx).digest() for tx in txs])
