"""The node on a virtual clock: minutes of blocks in no time, and the same run from the same seed."""

import random
from pathlib import Path

import httpx
import pytest

from chain.client import NodeClient
from chain.endpoints import Endpoints
from chain.lightclient import LightClient
from sandbox.node import SANDBOX_PARAMETERS, JunoNode
from sandbox.node.decoding import Coin
from tests.sandbox.node.test_node import inline
from tests.simulation.loop import SimulatedLoop, VirtualClock, run

FIVE_MINUTES = 300


async def _live(loop: SimulatedLoop, path: Path) -> tuple[int, bytes]:
    """Let blocks come for five minutes, some with gifts, and follow them with a light client."""
    clock, rng = VirtualClock(loop), random.Random("node")
    node = await JunoNode.open(
        SANDBOX_PARAMETERS, clock=clock, rng=rng, path=path, blocking=inline, block_seconds=5
    )
    await node.start()
    client = NodeClient("node", "http://node", transport=httpx.ASGITransport(node.app))
    endpoints = Endpoints([client], "sandbox-1", clock=clock, randomness=random.Random("endpoints"))
    light = LightClient(endpoints, SANDBOX_PARAMETERS, clock=clock)
    await node.wait_height(3)
    trusted = await light.opening()
    until = loop.time() + FIVE_MINUTES
    while loop.time() < until:
        node.faucet(node.purse("alice").address, [Coin("ujuno", 1)])
        await node.wait_height(trusted.height + 2)
        trusted = (await light.block(trusted.height + 1, trusted)).header
    await endpoints.close()
    await node.stop()
    return node.height, node.chain.block(node.height).block_id.hash


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_chain(tmp_path: Path, seed: int) -> None:
    runs = []
    for number in range(2):
        loop = SimulatedLoop(seed)
        runs.append(run(loop, _live(loop, tmp_path / f"{number}.db")))
    assert runs[0] == runs[1]
    assert abs(runs[0][0] - FIVE_MINUTES // 5) < 8
