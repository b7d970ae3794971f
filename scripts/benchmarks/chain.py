"""How much of the speed of fetching is left when every block is verified: catching up with a hundred validators.

One synthetic chain, really signed, is served in process from answers made beforehand, so that the node costs next to
nothing and verification has to show against fetching and decoding alone. The ways take turns on a machine that is
never quiet; each figure is the median of the rounds.
"""

import argparse
import asyncio
import base64
import gc
import hashlib
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from chain.client import NodeClient
from chain.endpoints import Endpoints
from chain.lightclient import WINDOW_BLOCKS, LightClient
from chain.parameters import ChainParameters
from ledger.money import Denom
from ledger.ports import Millis
from tests.chain.fakechain import CHAIN_ID, FakeChain, FakeNode, result

VALIDATORS: Final = 100
TARGET: Final = 0.5
FETCHING: Final = "fetch and decode only"
SKIPPING: Final = "verified, skipping"
COMMITS_CHECKED: Final = 60
"""Blocks read by checking every commit: that way is slow, and the same for each block."""
FETCHED_AT_ONCE: Final = 20


class Figure(NamedTuple):
    """One way to catch up, on one kind of chain."""

    chain: str
    way: str
    blocks_per_second: float
    of_fetching: float


class Way(NamedTuple):
    """A way to catch up, and how many blocks it reads."""

    blocks: int
    run: Callable[[], Awaitable[None]]


class Recorded(FakeNode):
    """Serves answers that were written out once: the node's own work is left out of what is measured."""

    def __init__(self, chain: FakeChain) -> None:
        super().__init__(chain)
        self._written: dict[str, str] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer from what is written."""
        document = json.loads(await request.aread())
        if isinstance(document, dict):
            return httpx.Response(200, text=self._answer_text(document))
        return httpx.Response(200, text=f"[{','.join(map(self._answer_text, document))}]")

    def _answer_text(self, call: dict[str, Any]) -> str:
        key = json.dumps([call["method"], call["params"]])
        if key not in self._written:
            self._written[key] = json.dumps(self._one(call)["result"])
        return f'{{"jsonrpc":"2.0","id":{call["id"]},"result":{self._written[key]}}}'


class ChainTime:
    """A clock that stands at the newest block."""

    def __init__(self, chain: FakeChain) -> None:
        self._chain = chain

    def now(self) -> Millis:
        """Return the time of the newest block."""
        return self._chain.now()


def build(blocks: int, txs: int) -> FakeChain:
    """Grow a chain with so many blocks of so many transactions; one validator of the set changes on the way."""
    first, second = tuple(range(VALIDATORS)), (*range(1, VALIDATORS), VALIDATORS)
    chain = FakeChain(sets={1: first, blocks // 2: second})
    for height in range(blocks):
        chain.grow(*((_tx(height, number), _result(height)) for number in range(txs)))
    return chain


def _tx(height: int, number: int) -> bytes:
    seed = hashlib.sha256(b"%d %d" % (height, number)).digest()
    return seed * 10


def _result(height: int) -> dict[str, Any]:
    """A send's result with as many events as a real one."""
    attributes = [{"key": "receiver", "value": "juno1" + "q" * 38, "index": True} for _ in range(3)]
    events = [
        {"type": kind, "attributes": attributes}
        for kind in ("coin_spent", "coin_received", "transfer", "message")
    ]
    return result(data=base64.b64encode(b"\x12\x26").decode(), gas_used=str(70_000 + height), events=events)


async def fetch(chain: FakeChain, node: Recorded) -> None:
    """Fetch and decode blocks and results, believing everything."""
    async with NodeClient("node", "http://node.test", transport=node) as client:
        heights = range(2, chain.height)
        for start in range(0, len(heights), FETCHED_AT_ONCE):
            await client.bodies(heights[start : start + FETCHED_AT_ONCE])


async def verify(chain: FakeChain, node: Recorded, window: int, last: int) -> None:
    """Read the same blocks up to ``last`` through the light client."""
    clock = ChainTime(chain)
    client = NodeClient("node", "http://node.test", transport=node)
    endpoints = Endpoints([client], CHAIN_ID, clock=clock, randomness=random.Random(1))  # noqa: S311 - no secret
    light = LightClient(
        endpoints, ChainParameters(CHAIN_ID, Denom("ujuno")), clock=clock, window_blocks=window
    )
    trusted = chain.trusted(1)
    for height in range(2, last + 1):
        trusted = (await light.block(height, trusted)).header
    await endpoints.close()
    if trusted != chain.trusted(last):
        raise SystemExit("the light client arrived at another block")


def timed(run: Callable[[], Awaitable[None]]) -> float:
    """Return the seconds that ``run`` takes in an event loop of its own."""
    started = time.perf_counter()
    asyncio.run(_await(run))
    return time.perf_counter() - started


async def _await(run: Callable[[], Awaitable[None]]) -> None:
    await run()


def measure(name: str, chain: FakeChain, rounds: int) -> list[Figure]:
    """Let the ways take turns for ``rounds``, after one round that only writes the answers out."""
    node, last = Recorded(chain), chain.height - 1
    ways = {
        FETCHING: Way(last - 1, lambda: fetch(chain, node)),
        SKIPPING: Way(last - 1, lambda: verify(chain, node, WINDOW_BLOCKS, last)),
        "verified, every commit": Way(COMMITS_CHECKED, lambda: verify(chain, node, 1, COMMITS_CHECKED + 1)),
    }
    for way in ways.values():
        timed(way.run)
    # What was built for the measurement is no garbage of the program's.
    gc.collect()
    gc.freeze()
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for label, way in ways.items():
            times[label].append(timed(way.run) / way.blocks)
    return [
        Figure(name, label, 1 / statistics.median(spent), _median_ratio(times[FETCHING], spent))
        for label, spent in times.items()
    ]


def _median_ratio(fetching: list[float], spent: list[float]) -> float:
    """Compare what ran side by side: a busy minute slows both ways of a round."""
    return statistics.median(one / other for one, other in zip(fetching, spent, strict=True))


def main(argv: list[str]) -> int:
    """Measure and print; 1 when verified catch-up is below the target on any of the chains."""
    parser = argparse.ArgumentParser(prog="scripts/bench chain", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer blocks and rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    chosen = parser.parse_args(argv)
    blocks, rounds = (300, 7) if chosen.quick else (500, 11)
    print(f"{VALIDATORS} validators, {blocks} blocks, median of {rounds} rounds")
    print(f"{'chain':<26}{'way':<26}{'blocks/s':>10}{'of fetching':>13}")
    figures: list[Figure] = []
    for txs in (4, 1, 0):
        name = f"{txs} transactions in each" if txs else "empty blocks"
        figures += measure(name, build(blocks, txs), rounds)
        for figure in figures[-3:]:
            print(
                f"{figure.chain:<26}{figure.way:<26}{figure.blocks_per_second:>10,.0f}{figure.of_fetching:>13.2f}"
            )
    ratio = min(figure.of_fetching for figure in figures if figure.way == SKIPPING)
    verdict = {"ratio": ratio, "target": TARGET, "reached": ratio >= TARGET}
    print(f"verified catch-up reaches {ratio:.2f} of fetching alone; the target is {TARGET}")
    if chosen.json is not None:
        rows = [figure._asdict() for figure in figures]
        chosen.json.write_text(
            json.dumps({"results": rows, "verdict": verdict}, indent=2) + "\n", encoding="utf-8"
        )
    return 0 if verdict["reached"] else 1
