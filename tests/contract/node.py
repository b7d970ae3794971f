"""A running node as the contract suite sees it: JSON-RPC, and the waiting that tests need.

It trusts what the node answers; the tests that check hashes, commits and proofs do so with ``chain.light``.
"""

import json
import select
import subprocess
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self, TypeVar

import httpx

from chain import cosmos
from chain.coins import stored_amount
from tests.contract.signing import Account, Person

T = TypeVar("T")

DENOM: Final = "ujuno"
UNLISTED: Final = "uother"
"""A denom that both nodes give their faucet in amounts above 64 bits."""
START_SECONDS: Final = 40
STOP_SECONDS: Final = 20
PATIENCE_SECONDS: Final = 30
"""Longer than any wait takes on a slow machine; a block takes less than one second."""
BATCH_LIMIT: Final = 10
PATIENCE_BLOCKS: Final = 15
PAUSE_SECONDS: Final = 0.02


class RpcError(Exception):
    """An answer with ``error`` in it."""

    def __init__(self, error: Any) -> None:
        super().__init__(error)
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.reason: str = error.get("data", "")


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a node's program prints when it is ready, one line of JSON.

    ``pruned_rpc`` is the address of a node of the same chain that forgot old blocks and states; empty where none is.
    """

    chain_id: str
    rpc: tuple[str, ...]
    pruned_rpc: str
    faucet_key: bytes

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read the line."""
        facts = json.loads(line)
        return cls(
            facts["chain_id"], tuple(facts["rpc"]), facts["pruned_rpc"], bytes.fromhex(facts["faucet_key"])
        )


class Inclusion(NamedTuple):
    """Where a transaction was found in a block, and the block's word on it."""

    height: int
    position: int
    code: int
    codespace: str
    gas_used: int
    result: dict[str, Any]


class Node:
    """One node, by its address."""

    def __init__(self, announcement: Announcement, client: httpx.Client, url: str = "") -> None:
        self._announcement: Final = announcement
        self.chain_id: Final = announcement.chain_id
        self.url: Final = url or announcement.rpc[0]
        self.urls: Final = announcement.rpc
        self.pruned_url: Final = announcement.pruned_rpc
        self.faucet: Final = Person(announcement.faucet_key)
        self._client: Final = client

    def post(self, document: Any) -> httpx.Response:
        """Send ``document`` as the body of a POST."""
        return self._client.post(self.url, json=document)

    def post_bytes(self, body: bytes) -> httpx.Response:
        """Send any bytes as the body of a POST."""
        return self._client.post(self.url, content=body)

    def other(self, url: str) -> "Node":
        """Return another node of this chain."""
        return Node(self._announcement, self._client, url)

    def get(self, path: str) -> httpx.Response:
        """Ask for ``path`` with GET."""
        return self._client.get(self.url + path)

    def answer(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the whole answer to ``method``, a result or an error."""
        answer: dict[str, Any] = self.post(_call(1, method, parameters)).json()
        return answer

    def call(self, method: str, **parameters: Any) -> Any:
        """Return the result of ``method``; raises RpcError."""
        answer = self.answer(method, **parameters)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def height(self) -> int:
        """Return the latest height."""
        return int(self.call("status")["sync_info"]["latest_block_height"])

    def wait(self, ready: Callable[[], T | None], what: str) -> T:
        """Ask ``ready`` until it answers with something else than None, or fail after the deadline."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := ready()) is None:
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(PAUSE_SECONDS)
        return answer

    def wait_height(self, height: int) -> None:
        """Wait until block ``height``, its results, and the state after it can be read.

        The state comes last: a node shows a block's results before it has committed what they did.
        """
        self.wait(lambda: self._state_height() >= height or None, f"the state of height {height}")

    def _state_height(self) -> int:
        return int(self.call("abci_info")["response"].get("last_block_height", 0))

    def results(self, height: int) -> list[dict[str, Any]]:
        """Return what became of the transactions of block ``height``, waiting for its state."""
        self.wait_height(height)
        return self.call("block_results", height=str(height))["txs_results"] or []

    def txs(self, height: int) -> list[bytes]:
        """Return the transactions of block ``height``."""
        block = self.call("block", height=str(height))["block"]
        return [b64decode(tx) for tx in block["data"]["txs"] or ()]

    def broadcast(self, raw: bytes) -> dict[str, Any]:
        """Return the answer of ``broadcast_tx_sync``: that of the ante check; raises RpcError."""
        answer: dict[str, Any] = self.call("broadcast_tx_sync", tx=b64encode(raw).decode())
        return answer

    def accepted(self, *raws: bytes) -> int:
        """Broadcast transactions that the ante check must accept, and return the height before."""
        before = self.height()
        for raw in raws:
            answer = self.broadcast(raw)
            assert answer["code"] == 0, answer
        return before

    def batch(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[Any]:
        """Return the results of calls, ten to a request, in order; raises RpcError for the first that failed."""
        results = []
        for start in range(0, len(calls), BATCH_LIMIT):
            some = calls[start : start + BATCH_LIMIT]
            answers = self.post([_call(number, *call) for number, call in enumerate(some)]).json()
            # A node answers an array of one by a bare object.
            for answer in answers if isinstance(answers, list) else [answers]:
                if "error" in answer:
                    raise RpcError(answer["error"])
                results.append(answer["result"])
        return results

    def broadcast_all(self, raws: Sequence[bytes]) -> list[dict[str, Any]]:
        """Broadcast up to ten transactions in one request, in order."""
        return self.batch([("broadcast_tx_sync", {"tx": b64encode(raw).decode()}) for raw in raws])

    def seek(self, raw: bytes, after: int, *, blocks: int) -> Inclusion | None:
        """Look for exactly these bytes in so many blocks above height ``after``, waiting for them."""
        wanted = sha256(raw).digest()
        for height in range(after + 1, after + 1 + blocks):
            results = self.results(height)
            for index, tx in enumerate(self.txs(height)):
                if sha256(tx).digest() == wanted:
                    return _inclusion(height, index, results[index])
        return None

    def find(self, raw: bytes, after: int) -> Inclusion:
        """Wait for the first of the blocks above height ``after`` that holds exactly these bytes."""
        inclusion = self.seek(raw, after, blocks=PATIENCE_BLOCKS)
        assert inclusion is not None, f"in none of {PATIENCE_BLOCKS} blocks above {after}"
        return inclusion

    def include(self, raw: bytes) -> Inclusion:
        """Broadcast, and wait for the block."""
        return self.find(raw, self.accepted(raw))

    def query(self, path: str, key: bytes, *, height: int = 0, prove: bool = False) -> dict[str, Any]:
        """Return the response of an ``abci_query``, whatever its code."""
        answer = self.call("abci_query", path=path, data=key.hex(), height=str(height), prove=prove)
        response: dict[str, Any] = answer["response"]
        return response

    def balance(self, address: bytes, denom: str = DENOM, *, height: int = 0) -> int:
        """Return what ``address`` holds after block ``height``; 0 is the latest."""
        response = self.query("/store/bank/key", balance_key(address, denom), height=height)
        assert response["code"] == 0, response
        return stored_amount(b64decode(response["value"] or ""))

    def account(self, address: bytes, *, height: int = 0) -> Account:
        """Return number and sequence of the account at ``address``, which must exist."""
        response = self.query("/store/acc/key", account_key(address), height=height)
        packed = cosmos.decode(cosmos.Packed, b64decode(response["value"]))
        account = cosmos.decode(cosmos.BaseAccount, packed.value)
        return Account(account.account_number, account.sequence)


def _call(number: int, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}


def balance_key(address: bytes, denom: str) -> bytes:
    """Return the bank's key for a balance."""
    return b"\x02" + bytes([len(address)]) + address + denom.encode()


def account_key(address: bytes) -> bytes:
    """Return the account store's key."""
    return b"\x01" + address


def _inclusion(height: int, index: int, result: dict[str, Any]) -> Inclusion:
    code, gas_used = int(result.get("code", 0)), int(result.get("gas_used", 0))
    return Inclusion(height, index, code, result.get("codespace", ""), gas_used, result)


@contextmanager
def running(command: Sequence[str]) -> Iterator[Announcement]:
    """Start a node's program, wait for its line, and end it by closing its standard input."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            readable, _, _ = select.select([program.stdout], [], [], START_SECONDS)
            line = program.stdout.readline() if readable else ""
            assert line, f"{command[0]} did not announce itself within {START_SECONDS} s"
            yield Announcement.from_json(line)
        finally:
            program.stdin.close()
            try:
                program.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                raise
