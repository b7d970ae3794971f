import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from ledger.ports import Millis
from sandbox.node import SANDBOX_PARAMETERS, JunoNode
from sandbox.node.blockchain import Blockchain
from sandbox.node.decoding import Coin
from sandbox.node.node import begin
from sandbox.node.people import Purse

RICHES = 10_000_000
START = Millis(1_700_000_000_000)


class ManualClock:
    """Time that only tests move."""

    def __init__(self) -> None:
        self.millis = START

    def now(self) -> Millis:
        return self.millis

    def pass_seconds(self, seconds: float) -> None:
        self.millis = Millis(self.millis + int(seconds * 1000))


class RpcError(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.code: int = error["code"]
        self.reason: str = error["data"]


class Rpc:
    """JSON-RPC of one face."""

    def __init__(self, app: ASGIApp, url: str = "http://node") -> None:
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url)

    async def call(self, method: str, **params: Any) -> Any:
        answer = (await self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).json()
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    async def post(self, document: Any) -> httpx.Response:
        return await self.client.post("/", json=document)


def grow(chain: Blockchain, clock: ManualClock, blocks: int = 1) -> None:
    """Let blocks come, a second apart."""
    for _ in range(blocks):
        clock.pass_seconds(1)
        chain.adopt(chain.produce())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def chain(clock: ManualClock) -> Blockchain:
    """Return a chain in memory with its first block."""
    chain = Blockchain(begin(SANDBOX_PARAMETERS, clock.now()), clock, random.Random(1))
    grow(chain, clock)
    return chain


@pytest.fixture
def faucet() -> Purse:
    return Purse("faucet", SANDBOX_PARAMETERS)


@pytest.fixture
async def node(clock: ManualClock) -> AsyncIterator[JunoNode]:
    """Return a node in memory, without a heartbeat, where alice has coins."""
    node = await JunoNode.open(SANDBOX_PARAMETERS, clock=clock, rng=random.Random(1), block_seconds=0)
    node.faucet(node.purse("alice").address, [Coin("ujuno", RICHES)])
    await node.produce_block()
    yield node
    await node.stop()


@pytest.fixture
async def rpc(node: JunoNode) -> AsyncIterator[Rpc]:
    rpc = Rpc(node.app)
    async with rpc.client:
        yield rpc
