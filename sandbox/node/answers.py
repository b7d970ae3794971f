"""The methods of a node's JSON-RPC, as one face of the chain answers them."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sandbox.node import blocks, events, queries
from sandbox.node.blockchain import Blockchain
from sandbox.node.blocks import Block, spell_base64, spell_hex
from sandbox.node.decoding import Coin
from sandbox.node.faults import Faults
from sandbox.node.mempool import MempoolError
from sandbox.node.queries import Query, Reach
from sandbox.node.refusal import UNAUTHORIZED

HEADERS_AT_ONCE: Final = 20
VALIDATORS_A_PAGE: Final = 30
VALIDATORS_AT_MOST: Final = 100
TXS_AT_MOST: Final = 100
SOFTWARE: Final = "0.38.17"
_NODE_ID: Final = "5a4d0b0e0f0c4c5f8e3d2c1b0a99887766554433"
_BY_HASH: Final = re.compile(r"\s*tx\.hash\s*=\s*'([0-9A-Fa-f]{64})'\s*\Z")
_BY_HEIGHT: Final = re.compile(r"\s*tx\.height\s*=\s*'?([0-9]{1,18})'?\s*\Z")


class RpcError(Exception):
    """An error of JSON-RPC; ``reason`` is what the node has to say."""

    def __init__(self, code: int, message: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.message = message
        self.reason = reason


def internal(reason: str) -> RpcError:
    """Return the error of a call that failed."""
    return RpcError(-32603, "Internal error", reason)


class Arguments:
    """The parameters of a call, by JSON or by URL; what is not of its type raises RpcError -32602."""

    def __init__(self, given: Mapping[str, Any], *, by_url: bool) -> None:
        self._given = given
        self._by_url = by_url

    def integer(self, name: str) -> int | None:
        """Return a 64-bit integer, None when it is left out. In JSON it is a string (chain.md, Deposits 1)."""
        value = self._given.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._wrong(f'invalid 64-bit integer encoding "{value}", expected string')
        text = value.strip('"') if self._by_url else value
        if not re.fullmatch(r"-?[0-9]{1,19}", text):
            raise self._wrong(f"wrong value for {name}")
        return int(text)

    def text(self, name: str) -> str:
        """Return a string; empty when it is left out."""
        value = self._given.get(name)
        if not isinstance(value, str | None):
            raise self._wrong(f"wrong value for {name}")
        return (value or "").strip('"') if self._by_url else value or ""

    def flag(self, name: str) -> bool:
        """Return a truth value; false when it is left out."""
        value = self._given.get(name, False)
        return value if isinstance(value, bool) else str(value).strip('"').lower() == "true"

    def octets(self, name: str, *, base64_json: bool) -> bytes:
        """Return bytes: in JSON base64 or hexadecimal, in a URL 0x... or quoted text."""
        text = self.text(name)
        try:
            if self._by_url and not text.startswith("0x"):
                return text.encode()
            if base64_json and not self._by_url:
                return base64.b64decode(text, validate=True)
            return bytes.fromhex(text.removeprefix("0x"))
        except (binascii.Error, ValueError) as error:
            raise self._wrong(f"wrong value for {name}") from error

    def _wrong(self, why: str) -> RpcError:
        return RpcError(-32602, "Invalid params", f"error converting json params to arguments: {why}")


@dataclass(frozen=True, slots=True)
class View:
    """The blocks that a face shows now."""

    chain: Blockchain
    real: Blockchain
    faults: Faults

    @property
    def tip(self) -> int:
        """The latest height."""
        return max(self.base, self.chain.height - self.faults.table.lag)

    @property
    def base(self) -> int:
        """The lowest height."""
        return max(self.chain.base, min(self.faults.table.pruned_below, self.chain.height))

    def reach(self) -> Reach:
        """Return what queries see."""
        return Reach(self.chain, self.base, self.tip)

    def height(self, asked: int | None, ahead: int = 0) -> int:
        """Return the height that is meant; raises RpcError in the words of a node."""
        latest = self.tip + ahead
        if asked is None:
            return latest
        if asked <= 0:
            raise internal(f"height must be greater than 0, but got {asked}")
        if asked > latest:
            raise internal(
                f"height {asked} must be less than or equal to the current blockchain height {latest}"
            )
        if asked < self.base:
            raise internal(f"height {asked} is not available, lowest height is {self.base}")
        return asked

    def block(self, asked: int | None) -> Block:
        """Return the block that is meant."""
        return self.chain.block(self.height(asked))


class Face:
    """Answers for one chain, with its own faults."""

    def __init__(self, chain: Blockchain, faults: Faults) -> None:
        self._chain = chain
        self.faults = faults
        self.methods: dict[str, Callable[[Arguments], Any]] = {
            "health": lambda _: {},
            "status": self._status,
            "net_info": lambda _: {"listening": True, "listeners": [], "n_peers": "0", "peers": []},
            "genesis": self._genesis,
            "consensus_params": self._consensus_params,
            "block": self._block,
            "block_results": self._block_results,
            "blockchain": self._blockchain,
            "header": lambda given: {
                "header": blocks.header_json(self.view.block(given.integer("height")).header)
            },
            "commit": self._commit,
            "validators": self._validators,
            "abci_info": self._abci_info,
            "abci_query": self._abci_query,
            "broadcast_tx_sync": self._broadcast_sync,
            "broadcast_tx_async": self._broadcast_async,
            "tx": self._tx,
            "tx_search": self._tx_search,
            "unconfirmed_txs": self._unconfirmed,
            "num_unconfirmed_txs": self._unconfirmed_number,
        }

    @property
    def view(self) -> View:
        """What is shown at this moment."""
        return View(self.faults.shown or self._chain, self._chain, self.faults)

    # About the node

    def _status(self, _: Arguments) -> Any:
        view, table = self.view, self.faults.table
        latest, earliest = view.block(None), view.block(view.base)
        return {
            "node_info": {
                "protocol_version": {"p2p": "8", "block": "11", "app": "0"},
                "id": _NODE_ID,
                "listen_addr": "tcp://0.0.0.0:26656",
                "network": table.chain_id or latest.header.chain_id,
                "version": SOFTWARE,
                "channels": "40202122233038606100",
                "moniker": "sandbox",
                "other": {"tx_index": "on", "rpc_address": "tcp://0.0.0.0:26657"},
            },
            "sync_info": _marks("latest", latest)
            | _marks("earliest", earliest)
            | {"catching_up": table.catching_up},
            "validator_info": {
                key: value
                for key, value in blocks.validator_json(latest.validators[0]).items()
                if key != "proposer_priority"
            },
        }

    def _genesis(self, _: Arguments) -> Any:
        first = self._chain.block(self._chain.base).header
        genesis = {
            "genesis_time": blocks.spell_time(first.time),
            "chain_id": self.faults.table.chain_id or first.chain_id,
            "initial_height": "1",
            "consensus_params": _CONSENSUS_PARAMS,
            "app_hash": "",
            "app_state": {},
        }
        return {"genesis": genesis}

    def _consensus_params(self, given: Arguments) -> Any:
        height = self.view.height(given.integer("height"))
        return {"block_height": str(height), "consensus_params": _CONSENSUS_PARAMS}

    def _abci_info(self, _: Arguments) -> Any:
        latest = self.view.block(None)
        response = {
            "data": "juno",
            "version": "v29",
            "last_block_height": str(latest.height),
            "last_block_app_hash": spell_base64(latest.app_hash),
        }
        return {"response": response}

    # Blocks

    def _block(self, given: Arguments) -> Any:
        block = self.view.block(given.integer("height"))
        answer = blocks.block_json(block)
        extra = self.faults.table.extra_txs.get(block.height)
        if extra:
            answer["block"]["data"]["txs"] += extra
        if self.faults.table.chain_id:
            answer["block"]["header"]["chain_id"] = self.faults.table.chain_id
        return answer

    def _block_results(self, given: Arguments) -> Any:
        view = self.view
        block = view.block(given.integer("height"))
        if self.faults.table.results_lag and block.height == view.tip:
            raise internal(f"could not find results for height #{block.height}")
        answer = blocks.results_json(block)
        results = answer["txs_results"] or []
        for result in results if self.faults.table.flip_codes else ():
            _flip(result)
        for forged in self.faults.table.forged_transfers:
            if forged.height in {0, block.height}:
                _forge(answer, forged.sender, forged.recipient, forged.amount)
        return answer

    def _blockchain(self, given: Arguments) -> Any:
        view = self.view
        lowest, highest = given.integer("minHeight") or 0, given.integer("maxHeight") or 0
        if lowest < 0 or highest < 0:
            raise internal("heights must be non-negative")
        highest = min(highest or view.tip, view.tip)
        lowest = max(lowest or 1, view.base, highest - HEADERS_AT_ONCE + 1)
        if lowest > highest:
            raise internal(f"min height {lowest} can't be greater than max height {highest}")
        metas = [_meta(view.chain.block(height)) for height in range(highest, lowest - 1, -1)]
        return {"last_height": str(view.tip), "block_metas": metas}

    def _commit(self, given: Arguments) -> Any:
        view = self.view
        block = view.block(given.integer("height"))
        signed = {"header": blocks.header_json(block.header), "commit": blocks.commit_json(block.commit)}
        return {"signed_header": signed, "canonical": block.height < view.tip}

    def _validators(self, given: Arguments) -> Any:
        view = self.view
        height = view.height(given.integer("height"), ahead=1)
        here = height <= view.chain.height
        validators = view.chain.block(height).validators if here else view.chain.council.set.validators
        size = given.integer("per_page") or VALIDATORS_A_PAGE
        size = min(size, VALIDATORS_AT_MOST) if size > 0 else VALIDATORS_A_PAGE
        page, pages = given.integer("page") or 1, max(1, -(-len(validators) // size))
        if not 0 < page <= pages:
            raise internal(f"page should be within [1, {pages}] range, given {page}")
        shown = validators[(page - 1) * size : page * size]
        return {
            "block_height": str(height),
            "validators": [blocks.validator_json(each) for each in shown],
            "count": str(len(shown)),
            "total": str(len(validators)),
        }

    # State

    def _abci_query(self, given: Arguments) -> Any:
        content = given.octets("data", base64_json=False)
        query = Query(given.text("path"), content, given.integer("height") or 0, given.flag("prove"))
        return queries.ask(self.view.reach(), query, self.faults.table.odd_proof).to_json()

    # Transactions

    def _broadcast_sync(self, given: Arguments) -> Any:
        return self._broadcast(given.octets("tx", base64_json=True))

    def _broadcast_async(self, given: Arguments) -> Any:
        return self._broadcast(given.octets("tx", base64_json=True)) | {"code": 0, "log": "", "codespace": ""}

    def _broadcast(self, encoded: bytes) -> dict[str, Any]:
        try:
            result = self._chain.mempool.add(encoded, keep=not self.faults.table.drop_broadcasts)
        except MempoolError as error:
            raise internal(str(error)) from error
        return {
            "code": result.outcome.code,
            "data": "",
            "log": result.log,
            "codespace": result.codespace,
            "hash": spell_hex(sha256(encoded).digest()),
        }

    def _tx(self, given: Arguments) -> Any:
        tx_hash = given.octets("hash", base64_json=True)
        found = self._found(tx_hash)
        if found is None:
            raise internal(f"tx ({spell_hex(tx_hash)}) not found")
        return found

    def _tx_search(self, given: Arguments) -> Any:
        query = given.text("query")
        by_hash, by_height = _BY_HASH.match(query), _BY_HEIGHT.match(query)
        if by_hash:
            hit = self._found(bytes.fromhex(by_hash[1]))
            hits = [hit] if hit else []
        elif by_height:
            hits = self._at(int(by_height[1]))
        else:
            raise internal("failed to parse query: this node searches by tx.hash or tx.height only")
        size = min(given.integer("per_page") or VALIDATORS_A_PAGE, TXS_AT_MOST)
        first = ((given.integer("page") or 1) - 1) * size
        return {"txs": hits[first : first + size], "total_count": str(len(hits))}

    def _found(self, tx_hash: bytes) -> dict[str, Any] | None:
        view = self.view
        place = view.chain.place_of(tx_hash)
        if place is None or not view.base <= place[0] <= view.tip:
            return None
        return _inclusion(view.chain.block(place[0]), place[1])

    def _at(self, height: int) -> list[dict[str, Any]]:
        view = self.view
        if not view.base <= height <= view.tip:
            return []
        block = view.chain.block(height)
        return [_inclusion(block, index) for index in range(len(block.txs))]

    def _unconfirmed_number(self, _: Arguments) -> dict[str, Any]:
        mempool = self._chain.mempool
        waiting = str(len(mempool.waiting()))
        return {"n_txs": waiting, "total": waiting, "total_bytes": str(mempool.size_bytes()), "txs": None}

    def _unconfirmed(self, given: Arguments) -> Any:
        limit = min(given.integer("limit") or VALIDATORS_A_PAGE, TXS_AT_MOST)
        shown = [spell_base64(tx) for tx in self._chain.mempool.waiting()[:limit]]
        return self._unconfirmed_number(given) | {"n_txs": str(len(shown)), "txs": shown}


_CONSENSUS_PARAMS: Final = {
    "block": {"max_bytes": str(blocks.MAX_BLOCK_BYTES), "max_gas": str(blocks.MAX_BLOCK_GAS)},
    "evidence": {
        "max_age_num_blocks": "100000",
        "max_age_duration": "172800000000000",
        "max_bytes": "1048576",
    },
    "validator": {"pub_key_types": ["ed25519"]},
    "version": {"app": "0"},
    "abci": {"vote_extensions_enable_height": "0"},
}


def _marks(which: str, block: Block) -> dict[str, Any]:
    return {
        f"{which}_block_hash": spell_hex(block.block_id.hash),
        f"{which}_app_hash": spell_hex(block.header.app_hash),
        f"{which}_block_height": str(block.height),
        f"{which}_block_time": blocks.spell_time(block.header.time),
    }


def _meta(block: Block) -> dict[str, Any]:
    return {
        "block_id": blocks.block_id_json(block.block_id),
        "block_size": str(sum(map(len, block.txs))),
        "header": blocks.header_json(block.header),
        "num_txs": str(len(block.txs)),
    }


def _inclusion(block: Block, index: int) -> dict[str, Any]:
    tx = block.txs[index]
    return {
        "hash": spell_hex(sha256(tx).digest()),
        "height": str(block.height),
        "index": index,
        "tx_result": blocks.result_json(block.results[index]),
        "tx": spell_base64(tx),
    }


def _flip(result: dict[str, Any]) -> None:
    """Let a failure look like a success, or the other way about."""
    failed = result["code"] != 0
    result |= (
        {"code": 0, "codespace": "", "log": ""} if failed else {"code": UNAUTHORIZED, "codespace": "sdk"}
    )


def _forge(answer: dict[str, Any], sender: str, recipient: str, amount: str) -> None:
    """Add a transfer that never was to the first transaction, or to the block's own events."""
    digits = re.match(r"[0-9]+", amount)
    coin = Coin(amount[digits.end() :], int(digits[0])) if digits else Coin(amount, 0)
    told = [
        events.transfer(sender, recipient, (coin,)).to_json(),
        events.received(recipient, (coin,)).to_json(),
    ]
    results = answer["txs_results"] or []
    (results[0]["events"] if results else answer["finalize_block_events"]).extend(told)
