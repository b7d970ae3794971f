"""Blocks and what is known of them, in memory and as the JSON that nodes answer with."""

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from chain.light import merkle, wire
from chain.light.commit import ED25519_JSON, Commit, Validator
from chain.light.header import BlockId, Header, encoded_time
from chain.light.reading import Timestamp, base64_octets
from chain.light.results import outcome_from_json
from sandbox.node.events import Event
from sandbox.node.execute import Result

PART_BYTES: Final = 65_536
MAX_BLOCK_BYTES: Final = 22_020_096
MAX_BLOCK_GAS: Final = -1
CONSENSUS_HASH: Final = sha256(wire.integer(1, MAX_BLOCK_BYTES) + wire.integer(2, MAX_BLOCK_GAS)).digest()
NO_BLOCK: Final = BlockId(b"", 0, b"")
NO_COMMIT: Final = Commit(0, 0, NO_BLOCK, ())
_TIMES_REMEMBERED: Final = 1_024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Block:
    """One block with its results and the commit that came after it."""

    header: Header
    block_id: BlockId
    txs: tuple[bytes, ...]
    last_commit: Commit
    results: tuple[Result, ...]
    events: tuple[Event, ...]
    """Of the end of the block, beside its transactions."""
    validators: tuple[Validator, ...]
    commit: Commit
    app_hash: bytes
    """The state after this block."""

    @property
    def height(self) -> int:
        """Its number."""
        return self.header.height


def block_id(header: Header, txs: tuple[bytes, ...], last_commit: Commit) -> BlockId:
    """Return what validators sign: the header's hash and the hash of the block's parts."""
    encoded = (
        wire.message(1, _encoded_header(header))
        + wire.message(2, b"".join(wire.message(1, tx) for tx in txs))
        + wire.message(3, b"")
        + wire.message(4, _encoded_commit(last_commit))
    )
    parts = [encoded[at : at + PART_BYTES] for at in range(0, len(encoded), PART_BYTES)]
    return BlockId(header.hash(), len(parts), merkle.root(parts))


def _encoded_header(header: Header) -> bytes:
    version = wire.integer(1, header.version.block) + wire.integer(2, header.version.app)
    hashes = (
        header.last_commit_hash,
        header.data_hash,
        header.validators_hash,
        header.next_validators_hash,
        header.consensus_hash,
        header.app_hash,
        header.last_results_hash,
        header.evidence_hash,
        header.proposer_address,
    )
    return (
        wire.message(1, version)
        + wire.octets(2, header.chain_id.encode())
        + wire.integer(3, header.height)
        + wire.message(4, encoded_time(header.time))
        + wire.message(5, header.last_block_id.encoded())
        + b"".join(wire.octets(number, value) for number, value in enumerate(hashes, start=6))
    )


def _encoded_commit(commit: Commit) -> bytes:
    head = wire.integer(1, commit.height) + wire.integer(2, commit.round)
    slots = b"".join(wire.message(4, slot.encoded()) for slot in commit.signatures)
    return head + wire.message(3, commit.block_id.encoded()) + slots


# As JSON


def spell_hex(octets: bytes) -> str:
    """Return bytes as CometBFT spells hashes."""
    return octets.hex().upper()


def spell_base64(octets: bytes) -> str:
    """Return bytes in base64."""
    return b64encode(octets).decode()


@lru_cache(_TIMES_REMEMBERED)
def spell_time(time: Timestamp) -> str:
    """Return a time in RFC 3339 with as many decimals as it has."""
    whole = (_EPOCH + timedelta(seconds=time.seconds)).strftime("%Y-%m-%dT%H:%M:%S").zfill(19)
    decimals = f"{time.nanos:09d}".rstrip("0")
    return f"{whole}{'.' + decimals if decimals else ''}Z"


def block_id_json(of: BlockId) -> dict[str, Any]:
    """Return a block id."""
    return {"hash": spell_hex(of.hash), "parts": {"total": of.parts_total, "hash": spell_hex(of.parts_hash)}}


def header_json(header: Header) -> dict[str, Any]:
    """Return a header."""
    return {
        "version": {"block": str(header.version.block)},
        "chain_id": header.chain_id,
        "height": str(header.height),
        "time": spell_time(header.time),
        "last_block_id": block_id_json(header.last_block_id),
        "last_commit_hash": spell_hex(header.last_commit_hash),
        "data_hash": spell_hex(header.data_hash),
        "validators_hash": spell_hex(header.validators_hash),
        "next_validators_hash": spell_hex(header.next_validators_hash),
        "consensus_hash": spell_hex(header.consensus_hash),
        "app_hash": spell_hex(header.app_hash),
        "last_results_hash": spell_hex(header.last_results_hash),
        "evidence_hash": spell_hex(header.evidence_hash),
        "proposer_address": spell_hex(header.proposer_address),
    }


def commit_json(commit: Commit) -> dict[str, Any]:
    """Return a commit."""
    signatures = [
        {
            "block_id_flag": int(slot.flag),
            "validator_address": spell_hex(slot.address),
            "timestamp": spell_time(slot.timestamp),
            "signature": spell_base64(slot.signature) if slot.signature else None,
        }
        for slot in commit.signatures
    ]
    return {
        "height": str(commit.height),
        "round": commit.round,
        "block_id": block_id_json(commit.block_id),
        "signatures": signatures,
    }


def block_json(block: Block) -> dict[str, Any]:
    """Return the answer of ``/block``."""
    return {
        "block_id": block_id_json(block.block_id),
        "block": {
            "header": header_json(block.header),
            "data": {"txs": [spell_base64(tx) for tx in block.txs]},
            "evidence": {"evidence": []},
            "last_commit": commit_json(block.last_commit),
        },
    }


def result_json(result: Result) -> dict[str, Any]:
    """Return one result of ``/block_results``."""
    outcome = result.outcome
    return {
        "code": outcome.code,
        "data": spell_base64(outcome.data) if outcome.data else None,
        "log": result.log,
        "info": "",
        "gas_wanted": str(outcome.gas_wanted),
        "gas_used": str(outcome.gas_used),
        "events": [event.to_json() for event in result.told],
        "codespace": result.codespace,
    }


def results_json(block: Block) -> dict[str, Any]:
    """Return the answer of ``/block_results``."""
    return {
        "height": str(block.height),
        "txs_results": [result_json(result) for result in block.results] or None,
        "finalize_block_events": [event.to_json() for event in block.events],
        "validator_updates": None,
        "consensus_param_updates": None,
        "app_hash": spell_base64(block.app_hash),
    }


def validator_json(validator: Validator) -> dict[str, Any]:
    """Return one validator of ``/validators``."""
    return {
        "address": spell_hex(validator.address()),
        "pub_key": {"type": ED25519_JSON, "value": spell_base64(validator.pub_key)},
        "voting_power": str(validator.power),
        "proposer_priority": "0",
    }


def dump(block: Block) -> str:
    """Return everything of a block as one JSON text, for the disk."""
    document = {
        "block": block_json(block),
        "results": results_json(block),
        "validators": [validator_json(each) for each in block.validators],
        "commit": commit_json(block.commit),
    }
    return json.dumps(document, separators=(",", ":"))


def load(text: str) -> Block:
    """Read what ``dump`` wrote."""
    document = json.loads(text)
    inner, results = document["block"]["block"], document["results"]
    return Block(
        header=Header.from_json(inner["header"]),
        block_id=BlockId.from_json(document["block"]["block_id"]),
        txs=tuple(base64_octets(tx, "tx") for tx in inner["data"]["txs"]),
        last_commit=Commit.from_json(inner["last_commit"]),
        results=tuple(_result(each) for each in results["txs_results"] or ()),
        events=tuple(Event.from_json(each) for each in results["finalize_block_events"]),
        validators=tuple(Validator.from_json(each) for each in document["validators"]),
        commit=Commit.from_json(document["commit"]),
        app_hash=base64_octets(results["app_hash"], "app_hash"),
    )


def _result(document: dict[str, Any]) -> Result:
    told = tuple(Event.from_json(each) for each in document["events"])
    return Result(outcome_from_json(document), document["codespace"], document["log"], told)
