"""The sandbox's Juno node: one chain, its heartbeat, its faces, and what people do with it."""

import asyncio
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from chain import address
from chain.parameters import ChainParameters
from ledger.money import Denom
from ledger.ports import BlockingRunner, Clock, Millis
from sandbox.node.blockchain import Blockchain, Genesis, Happening
from sandbox.node.decoding import Coin
from sandbox.node.execute import Result
from sandbox.node.faults import Faults
from sandbox.node.people import FAUCET, Output, Purse, SpelledCoin
from sandbox.node.rpc import create_app, faces_app
from sandbox.node.store import Store
from sandbox.node.validators import Seat

SANDBOX_PARAMETERS: Final = ChainParameters("sandbox-1", Denom("ujuno"), block_ms=1_000)
DEFAULT_FACE: Final = "main"
BLOCK_SECONDS: Final = 1.0
SEATS: Final = (Seat("anna", 40), Seat("boris", 30), Seat("carla", 20), Seat("dmitri", 10))
UNLISTED: Final = "uother"
_FAUCET_COINS: Final = 10**15
_FAUCET_UNLISTED: Final = 10**30
"""More than 64 bits hold: coins of such size exist on chain."""


class JunoNode:
    """A running chain.

    ``app`` serves JSON-RPC: the face ``main`` at its root, every other face under ``/faces/<name>``. Each face shows
    the same chain with faults of its own, switched in ``faults[name]``.
    Blocks come every ``block_seconds`` between ``start`` and ``stop``, and at once with ``produce_block``.
    """

    def __init__(
        self,
        chain: Blockchain,
        store: Store | None,
        *,
        block_seconds: float = BLOCK_SECONDS,
    ) -> None:
        self.chain: Final = chain
        self.block_seconds = block_seconds
        self.faults: Final[dict[str, Faults]] = {}
        self.purses: Final[dict[str, Purse]] = {}
        self.app: Final[ASGIApp] = faces_app(self._face_app)
        self._apps: Final[dict[str, ASGIApp]] = {}
        self._store: Final = store
        self._one_block: Final = asyncio.Lock()
        self._grown: Final = asyncio.Condition()
        self._paced = asyncio.Event()
        self._heart: asyncio.Task[None] | None = None
        self.face(DEFAULT_FACE)

    @classmethod
    async def open(
        cls,
        parameters: ChainParameters,
        *,
        clock: Clock,
        rng: random.Random,
        path: Path | None = None,
        blocking: BlockingRunner | None = None,
        seats: Iterable[Seat] = SEATS,
        block_seconds: float = BLOCK_SECONDS,
    ) -> "JunoNode":
        """Open the chain kept at ``path`` (None keeps it in memory), or begin one; at least one block stands then.

        Raises ValueError when another chain is kept there, or a state that contradicts its blocks.
        """
        assert path is None or blocking is not None, "a disk needs a runner of blocking calls"
        store = Store(path, blocking) if path and blocking else None
        genesis = begin(parameters, clock.now(), tuple(seats))
        if store is not None:
            genesis = Genesis.from_json(await store.begin(genesis.to_json()), parameters)
        chain = Blockchain(genesis, clock, rng)
        if store is not None:
            chain.restore(await store.load())
        node = cls(chain, store, block_seconds=block_seconds)
        if not chain.height:
            await node.produce_block()
        return node

    @property
    def height(self) -> int:
        """The latest height."""
        return self.chain.height

    def face(self, name: str) -> ASGIApp:
        """Return the endpoint of that name alone, made at its first use."""
        if name not in self._apps:
            self.faults[name] = Faults()
            self._apps[name] = create_app(self.chain, self.faults[name])
        return self._apps[name]

    def _face_app(self, name: str) -> ASGIApp | None:
        return self._apps.get(name or DEFAULT_FACE)

    def purse(self, name: str) -> Purse:
        """Return the wallet of a person."""
        return self.purses.setdefault(name, Purse(name, self.chain.parameters))

    @property
    def faucet_purse(self) -> Purse:
        """The wallet that gives play money away."""
        return self.purse(FAUCET)

    # Time

    async def start(self) -> None:
        """Let blocks come by themselves."""
        assert self._heart is None, "it beats already"
        self._heart = asyncio.create_task(self._heartbeat(), name="juno blocks")

    async def stop(self) -> None:
        """Let no more blocks come, and close the store."""
        heart, self._heart = self._heart, None
        if heart is not None:
            heart.cancel()
            await asyncio.gather(heart, return_exceptions=True)
        async with self._one_block:
            if self._store is not None:
                await self._store.close()

    def set_block_seconds(self, seconds: float) -> None:
        """Change the pace; 0 waits for ``produce_block`` alone."""
        self.block_seconds = seconds
        self._paced.set()

    async def _heartbeat(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.block_seconds or None):
                    await self._paced.wait()
                self._paced.clear()
            except TimeoutError:
                await self.beat()

    async def beat(self) -> None:
        """Do what is due every ``block_seconds``: a block, unless the chain is halted."""
        if not self.chain.mischief.halted:
            await self.produce_block()

    async def produce_block(self) -> int:
        """Make one block now, also on a chain that is halted; return its height.

        It is on disk before anyone sees it. Shielded: a block that is kept but not adopted would be made twice.
        """
        await asyncio.shield(self._grow())
        return self.chain.height

    async def _grow(self) -> None:
        async with self._one_block:
            built = self.chain.produce()
            if self._store is not None:
                await self._store.append(self.chain.row(built))
            self.chain.adopt(built)
        async with self._grown:
            self._grown.notify_all()

    async def produce_blocks(self, count: int) -> int:
        """Make ``count`` blocks; return the last height."""
        for _ in range(count):
            await self.produce_block()
        return self.chain.height

    async def wait_height(self, height: int) -> None:
        """Return when block ``height`` stands."""
        async with self._grown:
            await self._grown.wait_for(lambda: self.chain.height >= height)

    # What people do

    def send(
        self, purse: Purse, outputs: Iterable[Output], *, memo: bytes = b"", multi: bool = False
    ) -> tuple[bytes, Result]:
        """Sign and broadcast; return the bytes and the mempool's answer. Raises MempoolError and KeyError."""
        given = list(outputs)
        messages = purse.multi_send(given) if multi else purse.send(given)
        encoded = purse.sign(self.chain, messages, memo, len(given))
        return encoded, self.chain.mempool.add(encoded)

    def faucet(self, to: str, coins: Iterable[Coin]) -> tuple[bytes, Result]:
        """Give play money to an address, from the next block on."""
        spelled = tuple(SpelledCoin(coin.denom, str(coin.amount)) for coin in sorted(coins))
        return self.send(self.faucet_purse, [Output(to, spelled)])

    def happen(self, to: str, coins: Iterable[Coin]) -> None:
        """Change a balance at the end of the next block without a transaction; negative amounts take away."""
        raw = address.decode(to, self.chain.parameters.prefix)
        self.chain.happenings.append(Happening(raw, tuple(sorted(coins))))


def begin(parameters: ChainParameters, now: Millis, seats: tuple[Seat, ...] = SEATS) -> Genesis:
    """Return the genesis of a new sandbox: the faucet owns all there is."""
    riches = (Coin(parameters.fee_denom, _FAUCET_COINS), Coin(UNLISTED, _FAUCET_UNLISTED))
    return Genesis(parameters, now, seats, {Purse(FAUCET, parameters).address: tuple(sorted(riches))})
