"""A chain in memory with validators that really sign, and a node that answers for it as CometBFT does.

A fake of what is outside the process. Encodings that the production code also has are written with the library's
protobuf classes where that is quick enough, so that one mistake is not made twice.
"""

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from nacl.signing import SigningKey

from chain import cosmos
from chain.light import merkle
from chain.light.commit import Commit, CommitSignature, Flag, Validator, ValidatorSet, vote_sign_bytes
from chain.light.header import BlockId, Header, Version, data_hash
from chain.light.reading import Timestamp
from chain.light.results import results_hash
from chain.verified import TrustedHeader, TxOutcome
from ledger.ports import Millis

CHAIN_ID = "fake-1"
GENESIS_SECONDS = 1_700_000_000
BLOCK_SECONDS = 3
NO_BLOCK = BlockId(b"", 0, b"")
FILLER = hashlib.sha256(b"a hash that nobody looks behind").digest()

Answer = Any
Lie = Callable[[str, Mapping[str, Any], Answer], Answer]
"""Gets method, parameters and the honest result; returns what the node says instead."""


@functools.cache
def signing_key(number: int) -> SigningKey:
    return SigningKey(hashlib.sha256(b"validator %d" % number).digest())


def validator_set(numbers: Sequence[int], power: int = 10) -> ValidatorSet:
    return ValidatorSet(tuple(Validator(bytes(signing_key(number).verify_key), power) for number in numbers))


@dataclass(frozen=True)
class FakeBlock:
    header: Header
    commit: Commit
    """The commit for this very block."""
    validators: tuple[int, ...]
    txs: tuple[bytes, ...]
    results: tuple[dict[str, Any], ...]


@dataclass
class FakeChain:
    """Grows by `grow`; ``sets`` maps a height to the validators from then on, ``absent`` leaves out signatures."""

    chain_id: str = CHAIN_ID
    sets: dict[int, tuple[int, ...]] = field(default_factory=lambda: {1: (0, 1, 2, 3)})
    absent: frozenset[int] = frozenset()
    blocks: list[FakeBlock] = field(default_factory=list)
    stores: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    states: dict[int, dict[str, dict[bytes, bytes]]] = field(default_factory=dict)

    @property
    def height(self) -> int:
        return len(self.blocks)

    def block(self, height: int) -> FakeBlock:
        return self.blocks[height - 1]

    def now(self) -> Millis:
        return Millis((GENESIS_SECONDS + self.height * BLOCK_SECONDS) * 1000)

    def numbers(self, height: int) -> tuple[int, ...]:
        return self.sets[max(start for start in self.sets if start <= height)]

    def trusted(self, height: int) -> TrustedHeader:
        header = self.block(height).header
        time = Millis(header.time.millis())
        hashes = header.validators_hash, header.next_validators_hash, header.app_hash
        return TrustedHeader(height, header.hash(), time, *hashes)

    def grow_by(self, count: int) -> None:
        for _ in range(count):
            self.grow()

    def grow(self, *txs: tuple[bytes, dict[str, Any]]) -> FakeBlock:
        """Add a block with transactions and their results; the state is what ``stores`` holds now."""
        height = self.height + 1
        header = self._next_header(height, [tx for tx, _ in txs])
        block_id = BlockId(header.hash(), 1, FILLER)
        commit = self._sign(height, block_id)
        rows = tuple(result for _, result in txs)
        block = FakeBlock(header, commit, self.numbers(height), tuple(tx for tx, _ in txs), rows)
        self.blocks.append(block)
        self.states[height] = {name: dict(store) for name, store in self.stores.items()}
        return block

    def app_hash(self, height: int) -> bytes:
        """The state after block ``height``."""
        return _multistore_root(self.states.get(height, {}))

    def _next_header(self, height: int, txs: Sequence[bytes]) -> Header:
        last = self.blocks[-1] if self.blocks else None
        validators = validator_set(self.numbers(height))
        return Header(
            version=Version(11, 0),
            chain_id=self.chain_id,
            height=height,
            time=Timestamp(GENESIS_SECONDS + height * BLOCK_SECONDS, 123_456_789),
            last_block_id=BlockId(last.header.hash(), 1, FILLER) if last else NO_BLOCK,
            last_commit_hash=last.commit.hash() if last else merkle.EMPTY,
            data_hash=data_hash(txs),
            validators_hash=_set_hash(self.numbers(height)),
            next_validators_hash=_set_hash(self.numbers(height + 1)),
            consensus_hash=FILLER,
            app_hash=self.app_hash(height - 1),
            last_results_hash=results_hash([_outcome(row) for row in last.results]) if last else merkle.EMPTY,
            evidence_hash=merkle.EMPTY,
            proposer_address=validators.validators[height % len(validators.validators)].address(),
        )

    def _sign(self, height: int, block_id: BlockId) -> Commit:
        slots = [self._slot(number, height, block_id) for number in self.numbers(height)]
        return Commit(height, 0, block_id, tuple(slots))

    def _slot(self, number: int, height: int, block_id: BlockId) -> CommitSignature:
        if number in self.absent:
            return CommitSignature(Flag.ABSENT, b"", Timestamp(-62_135_596_800, 0), b"")
        time = Timestamp(GENESIS_SECONDS + height * BLOCK_SECONDS + 1, number)
        key = signing_key(number)
        signature = key.sign(vote_sign_bytes(self.chain_id, height, 0, block_id, time)).signature
        address = Validator(bytes(key.verify_key), 1).address()
        return CommitSignature(Flag.COMMIT, address, time, signature)


def resigned(chain: FakeChain, block: FakeBlock, **changes: Any) -> FakeBlock:
    """The block with changed header fields, and its validators' signatures for that: a fork that they made."""
    header = replace(block.header, **changes)
    commit = chain._sign(header.height, BlockId(header.hash(), 1, FILLER))
    return replace(block, header=header, commit=commit)


def result(code: int = 0, **more: Any) -> dict[str, Any]:
    """One element of ``txs_results``."""
    return {
        "code": code,
        "data": None,
        "log": "",
        "gas_wanted": "150000",
        "gas_used": "72000",
        "events": [],
    } | more


def _outcome(row: Mapping[str, Any]) -> TxOutcome:
    data = base64.b64decode(row["data"] or "")
    return TxOutcome(row["code"], data, int(row["gas_wanted"]), int(row["gas_used"]))


@functools.cache
def _set_hash(numbers: tuple[int, ...]) -> bytes:
    return validator_set(numbers).hash()


# --- state: an iavl tree for each store, a simple tree over them ---------------------------------------------------

_LEAF = cosmos.LeafOp(
    hash=cosmos.HASH_SHA256,
    prehash_key=cosmos.HASH_NONE,
    prehash_value=cosmos.HASH_SHA256,
    length=cosmos.LENGTH_VAR_PROTO,
)


@dataclass(frozen=True)
class TreeProof:
    """A tree's root and, for each key in order, its existence proof."""

    root: bytes
    leaves: tuple[Any, ...]


def iavl_tree(store: Mapping[bytes, bytes]) -> TreeProof:
    """Prove every key of ``store`` in a tree with the node prefixes of iavl (height, size, version as zigzag)."""
    items = sorted(store.items())
    if not items:
        return TreeProof(merkle.EMPTY, ())
    root, _, paths = _iavl_node(items)
    leaves = tuple(_existence(b"\x00\x02\x02", item, path) for item, path in zip(items, paths, strict=True))
    return TreeProof(root, leaves)


def _iavl_node(items: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, int, list[list[Any]]]:
    """Return hash, height and the paths of the leaves (deepest step first)."""
    if len(items) == 1:
        return _leaf_hash(b"\x00\x02\x02", *items[0]), 0, [[]]
    middle = (len(items) + 1) // 2
    left, left_height, left_paths = _iavl_node(items[:middle])
    right, right_height, right_paths = _iavl_node(items[middle:])
    height = max(left_height, right_height) + 1
    numbers = _zigzag(height) + _zigzag(len(items)) + _zigzag(1)
    left_step = cosmos.InnerOp(hash=1, prefix=numbers + b"\x20", suffix=b"\x20" + right)
    right_step = cosmos.InnerOp(hash=1, prefix=numbers + b"\x20" + left + b"\x20")
    node = hashlib.sha256(numbers + b"\x20" + left + b"\x20" + right).digest()
    paths = [[*path, left_step] for path in left_paths] + [[*path, right_step] for path in right_paths]
    return node, height, paths


def simple_tree(items: Sequence[tuple[bytes, bytes]]) -> TreeProof:
    """Prove every pair in the simple Merkle tree that the application hash is."""
    root, paths = _simple_node(items)
    leaves = tuple(_existence(b"\x00", item, path) for item, path in zip(items, paths, strict=True))
    return TreeProof(root, leaves)


def _simple_node(items: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, list[list[Any]]]:
    if len(items) == 1:
        return _leaf_hash(b"\x00", *items[0]), [[]]
    split = 1
    while split * 2 < len(items):
        split *= 2
    left, left_paths = _simple_node(items[:split])
    right, right_paths = _simple_node(items[split:])
    left_step = cosmos.InnerOp(hash=1, prefix=b"\x01", suffix=right)
    right_step = cosmos.InnerOp(hash=1, prefix=b"\x01" + left)
    paths = [[*path, left_step] for path in left_paths] + [[*path, right_step] for path in right_paths]
    return hashlib.sha256(b"\x01" + left + right).digest(), paths


def _existence(prefix: bytes, item: tuple[bytes, bytes], path: Sequence[Any]) -> Any:
    leaf = cosmos.LeafOp()
    leaf.CopyFrom(_LEAF)
    leaf.prefix = prefix
    return cosmos.ExistenceProof(key=item[0], value=item[1], leaf=leaf, path=path)


def _leaf_hash(prefix: bytes, key: bytes, value: bytes) -> bytes:
    digest = hashlib.sha256(value).digest()
    return hashlib.sha256(prefix + bytes((len(key),)) + key + b"\x20" + digest).digest()


def _zigzag(number: int) -> bytes:
    out, rest = bytearray(), number * 2
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes((*out, rest))


def _multistore(stores: Mapping[str, Mapping[bytes, bytes]]) -> TreeProof:
    names = sorted({"acc", "bank", "staking", *stores})
    return simple_tree([(name.encode(), iavl_tree(stores.get(name, {})).root) for name in names])


def _multistore_root(stores: Mapping[str, Mapping[bytes, bytes]]) -> bytes:
    return _multistore(stores).root


def state_proof(
    stores: Mapping[str, Mapping[bytes, bytes]], store: str, key: bytes
) -> tuple[bytes, list[Any]]:
    """Return the value under ``key`` (b"" if none) and the two proof steps as (type, key, commitment proof)."""
    tree = iavl_tree(stores[store])
    found = next((leaf for leaf in tree.leaves if leaf.key == key), None)
    if found is not None:
        proof = cosmos.CommitmentProof(exist=found)
    else:
        left = max((leaf for leaf in tree.leaves if leaf.key < key), key=lambda leaf: leaf.key, default=None)
        right = min((leaf for leaf in tree.leaves if leaf.key > key), key=lambda leaf: leaf.key, default=None)
        proof = cosmos.CommitmentProof(nonexist=cosmos.NonExistenceProof(key=key, left=left, right=right))
    root = next(leaf for leaf in _multistore(stores).leaves if leaf.key == store.encode())
    outer = cosmos.CommitmentProof(exist=root)
    steps = [("ics23:iavl", key, proof), ("ics23:simple", store.encode(), outer)]
    return (found.value if found is not None else b""), steps


# --- the node ------------------------------------------------------------------------------------------------------


@dataclass
class FakeNode(httpx.AsyncBaseTransport):
    """Answers JSON-RPC for a chain over an in-process transport, with faults."""

    chain: FakeChain
    earliest: int = 1
    behind: int = 0
    """Blocks that this node does not have yet."""
    catching_up: bool = False
    lie: Lie | None = None
    down: bool = False
    broadcast: Callable[[bytes], dict[str, Any]] | None = None
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    requests: int = 0

    @property
    def height(self) -> int:
        return self.chain.height - self.behind

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        document = json.loads(await request.aread())
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(self._answer(document)).encode()))

    def _answer(self, document: Any) -> Any:
        if isinstance(document, dict):
            return self._one(document)
        if len(document) > 10:
            return {
                "jsonrpc": "2.0",
                "id": -1,
                "error": {"code": -32600, "message": "batch too long", "data": ""},
            }
        answers = [self._one(each) for each in document]
        return answers[0] if len(answers) == 1 else answers

    def _one(self, call: Mapping[str, Any]) -> Any:
        head = {"jsonrpc": "2.0", "id": call["id"]}
        self.asked.append((call["method"], call["params"]))
        try:
            found = getattr(self, f"_{call['method']}")(call["params"])
        except LookupError as error:
            return head | {"error": {"code": -32603, "message": "Internal error", "data": str(error.args[0])}}
        if self.lie is not None:
            found = self.lie(call["method"], call["params"], json.loads(json.dumps(found)))
        return head | {"result": found}

    def _at(self, params: Mapping[str, Any]) -> FakeBlock:
        height = int(params["height"])
        if height > self.height:
            raise LookupError(
                f"height {height} must be less than or equal to the current blockchain height {self.height}"
            )
        if height < self.earliest:
            raise LookupError(f"height {height} is not available, lowest height is {self.earliest}")
        return self.chain.block(height)

    def _status(self, _params: Mapping[str, Any]) -> Any:
        header = self.chain.block(self.height).header
        sync = {
            "latest_block_height": str(self.height),
            "latest_block_time": time_json(header.time),
            "earliest_block_height": str(self.earliest),
            "catching_up": self.catching_up,
        }
        return {"node_info": {"network": self.chain.chain_id}, "sync_info": sync}

    def _block(self, params: Mapping[str, Any]) -> Any:
        return block_json(self.chain, self._at(params))

    def _block_results(self, params: Mapping[str, Any]) -> Any:
        block = self._at(params)
        return {"height": str(block.header.height), "txs_results": list(block.results) or None}

    def _commit(self, params: Mapping[str, Any]) -> Any:
        block = self._at(params)
        signed = {"header": header_json(block.header), "commit": commit_json(block.commit)}
        return {"signed_header": signed, "canonical": True}

    def _validators(self, params: Mapping[str, Any]) -> Any:
        found = validator_set(self._at(params).validators).validators
        per_page, page = int(params["per_page"]), int(params["page"])
        rows = found[(page - 1) * per_page : page * per_page]
        return {
            "block_height": params["height"],
            "validators": [validator_json(each) for each in rows],
            "count": str(len(rows)),
            "total": str(len(found)),
        }

    def _blockchain(self, params: Mapping[str, Any]) -> Any:
        high = min(int(params["maxHeight"]), self.height)
        low = max(int(params["minHeight"]), self.earliest, high - 19)
        metas = [meta_json(self.chain.block(height)) for height in range(high, low - 1, -1)]
        return {"last_height": str(self.height), "block_metas": metas}

    def _abci_query(self, params: Mapping[str, Any]) -> Any:
        height, store = int(params["height"]), params["path"].split("/")[2]
        if not self.earliest <= height <= self.height:
            return {"response": {"code": 7, "log": "proof is unexpectedly empty", "codespace": "store"}}
        value, steps = state_proof(self.chain.states[height], store, bytes.fromhex(params["data"]))
        ops = [
            {"type": kind, "key": b64(key), "data": b64(cosmos.encode(proof))} for kind, key, proof in steps
        ]
        response = {"code": 0, "height": str(height), "key": b64(bytes.fromhex(params["data"]))}
        return {"response": response | {"value": b64(value) if value else None, "proofOps": {"ops": ops}}}

    def _broadcast_tx_sync(self, params: Mapping[str, Any]) -> Any:
        if self.broadcast is None:
            return {"code": 0, "codespace": "", "log": "", "hash": ""}
        return self.broadcast(base64.b64decode(params["tx"]))


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def time_json(time: Timestamp) -> str:
    if time.seconds < 0:
        return "0001-01-01T00:00:00Z"
    days, rest = divmod(time.seconds, 86_400)
    # 19,675 days after the epoch is 2023-11-14, the fake chain's first day; it lives for a fortnight.
    day = 14 + days - 19_675
    assert 14 <= day <= 30, "the fake chain's dates stay in one month"
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"2023-11-{day}T{clock}.{time.nanos:09}".rstrip("0").rstrip(".") + "Z"


def block_id_json(block_id: BlockId) -> dict[str, Any]:
    parts = {"total": block_id.parts_total, "hash": block_id.parts_hash.hex().upper()}
    return {"hash": block_id.hash.hex().upper(), "parts": parts}


def header_json(header: Header) -> dict[str, Any]:
    hashes = (
        "last_commit_hash",
        "data_hash",
        "validators_hash",
        "next_validators_hash",
        "consensus_hash",
        "app_hash",
        "last_results_hash",
        "evidence_hash",
        "proposer_address",
    )
    return {
        "version": {"block": str(header.version.block)},
        "chain_id": header.chain_id,
        "height": str(header.height),
        "time": time_json(header.time),
        "last_block_id": block_id_json(header.last_block_id),
    } | {name: getattr(header, name).hex().upper() for name in hashes}


def commit_json(commit: Commit) -> dict[str, Any]:
    slots = [
        {
            "block_id_flag": int(slot.flag),
            "validator_address": slot.address.hex().upper(),
            "timestamp": time_json(slot.timestamp),
            "signature": b64(slot.signature) if slot.signature else None,
        }
        for slot in commit.signatures
    ]
    head = {"height": str(commit.height), "round": commit.round, "block_id": block_id_json(commit.block_id)}
    return head | {"signatures": slots}


def validator_json(validator: Validator) -> dict[str, Any]:
    key = {"type": "tendermint/PubKeyEd25519", "value": b64(validator.pub_key)}
    address = validator.address().hex().upper()
    return {
        "address": address,
        "pub_key": key,
        "voting_power": str(validator.power),
        "proposer_priority": "0",
    }


def meta_json(block: FakeBlock) -> dict[str, Any]:
    block_id = block_id_json(BlockId(block.header.hash(), 1, FILLER))
    head = {"block_id": block_id, "block_size": "1", "num_txs": str(len(block.txs))}
    return head | {"header": header_json(block.header)}


def block_json(chain: FakeChain, block: FakeBlock) -> dict[str, Any]:
    height = block.header.height
    last = chain.block(height - 1).commit if height > 1 else Commit(0, 0, NO_BLOCK, ())
    body = {"txs": [b64(tx) for tx in block.txs]}
    content = {"header": header_json(block.header), "data": body, "evidence": {"evidence": []}}
    block_id = block_id_json(BlockId(block.header.hash(), 1, FILLER))
    return {"block_id": block_id, "block": content | {"last_commit": commit_json(last)}}
