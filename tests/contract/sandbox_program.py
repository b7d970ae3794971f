"""Runs the sandbox's node as a program of its own, announced like the real one, so that both are tested alike."""

import asyncio
import json
import random
import socket
import sys
import time
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from chain.parameters import ChainParameters
from ledger.money import Denom
from ledger.ports import Millis
from sandbox.node.node import DEFAULT_FACE, JunoNode

PARAMETERS: Final = ChainParameters("moneta-sandbox-1", Denom("ujuno"))
FORGETFUL: Final = "forgetful"
FORGOTTEN: Final = 2
"""The forgetful face has no block up to this height."""
BLOCK_SECONDS: Final = 0.15


class SystemClock:
    """The machine's clock."""

    def now(self) -> Millis:
        """Return the current time."""
        return Millis(time.time_ns() // 1_000_000)


def _listen() -> socket.socket:
    """Listen on a free port. The protocol is named: asyncio sends without delay only on sockets that say TCP."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def _serve(app: ASGIApp, listener: socket.socket) -> None:
    config = uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False)
    await uvicorn.Server(config).serve([listener])


async def _until_input_closes() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def run() -> None:
    """Serve the chain's honest face and its forgetful one until standard input closes."""
    node = await JunoNode.open(
        PARAMETERS, clock=SystemClock(), rng=random.SystemRandom(), block_seconds=BLOCK_SECONDS
    )
    await node.produce_blocks(FORGOTTEN)
    forgetful = node.face(FORGETFUL)
    node.faults[FORGETFUL].table.pruned_below = FORGOTTEN + 1
    honest, other = _listen(), _listen()
    announcement = {
        "chain_id": PARAMETERS.chain_id,
        "rpc": [_url(honest)],
        "pruned_rpc": _url(other),
        "faucet_key": node.faucet_purse.key.hex(),
    }
    await node.start()
    servers = [
        asyncio.create_task(_serve(*face)) for face in ((node.face(DEFAULT_FACE), honest), (forgetful, other))
    ]
    sys.stdout.write(json.dumps(announcement) + "\n")
    sys.stdout.flush()
    await _until_input_closes()
    await node.stop()
    for server in servers:
        server.cancel()
    await asyncio.gather(*servers, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(run())
