"""A small town: the sandbox's Telegram and Juno, and the whole program between them, in this process or as a child."""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

import bot.main
from bot.settings import Settings, load
from chain import address
from chain.parameters import ChainParameters
from chain.wallet import Wallet
from ledger.accounts import AccountId
from ledger.ports import Millis
from ledger.reader import Reader
from ledger.world import SystemClock, ThreadRunner
from sandbox.node import state
from sandbox.node.decoding import Coin
from sandbox.node.node import SANDBOX_PARAMETERS, JunoNode
from sandbox.node.people import Output, SpelledCoin
from sandbox.scene import MNEMONIC
from sandbox.serving import Prefixes, bind, make_server, url_of
from sandbox.telegram import BotAccount, Chat, Telegram, User, create_app
from sandbox.telegram import Message as Shown
from tests.jumping import HoldingRunner, JumpingLoop

T = TypeVar("T")

DENOM = SANDBOX_PARAMETERS.fee_denom
TREASURY = Wallet.from_mnemonic(MNEMONIC, SANDBOX_PARAMETERS).address
DEADLINE_SECONDS = 40.0
BLOCK_SECONDS = 0.15
JUNO = 1_000_000


class Clock(SystemClock):
    """Time that goes on with the loop's from the machine's, and that tests may push."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.pushed = super().now() - self._loop_millis()

    def now(self) -> Millis:
        return Millis(self.pushed + self._loop_millis())

    def _loop_millis(self) -> int:
        return int(self._loop.time() * 1000)


@dataclass
class Town:
    """Everything outside of the program, and the program's database."""

    directory: Path
    telegram: Telegram
    node: JunoNode
    account: BotAccount
    clock: Clock
    owner: User
    _running: asyncio.Task[None] | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _reader: Reader | None = None

    @property
    def database(self) -> Path:
        return self.directory / "moneta.sqlite3"

    def settings(self, url: str = "http://localhost") -> dict[str, str]:
        """Return the settings of the bot, as an operator would write them."""
        return {
            "telegram_token": self.account.token,
            "telegram_url": f"{url}/telegram",
            "owners": str(self.owner.id),
            "chain_id": SANDBOX_PARAMETERS.chain_id,
            "denom": DENOM,
            "assets": f"{DENOM}:JUNO:6",
            "nodes": f"{url}/node",
            "block_ms": str(int(BLOCK_SECONDS * 1000)),
            "mnemonic": MNEMONIC,
            "database": str(self.database),
            "explorer_tx": "",
        }

    # The program in this process

    async def start(self) -> None:
        """Start the program here; on a loop whose time jumps, that waits for blocking calls."""
        apps = Prefixes(_nothing, {"telegram": create_app(self.telegram), "node": self.node.app})
        wire = httpx.ASGITransport(apps, raise_app_exceptions=False)
        settings = load(Settings, None, **self.settings())
        jumps = isinstance(asyncio.get_running_loop(), JumpingLoop)
        blocking = HoldingRunner("ledger") if jumps else ThreadRunner("ledger")
        world = bot.main.World(self.clock, blocking, random.Random(5), "town", wire, wire)
        self._stop = asyncio.Event()

        async def run() -> None:
            try:
                await bot.main.run(settings, world, self._stop)
            finally:
                blocking.close()

        self._running = asyncio.create_task(run())
        await self.opened()

    async def opened(self) -> None:
        """Wait until the books stand at a block: what came before is the treasury's opening balance."""
        await self.until(lambda: self.database.exists() and self.scanned() is not None)

    def scanned(self) -> int | None:
        """Return the height that the books stand at, None before they are opened."""
        with contextlib.suppress(sqlite3.OperationalError):
            rows = self.books.select("SELECT height FROM cursor")
            return int(rows[0][0]) if rows else None
        return None

    async def stop(self) -> None:
        """Stop the program cleanly; what it died of is raised."""
        running, self._running = self._running, None
        self._stop.set()
        if running is not None:
            await asyncio.wait_for(running, DEADLINE_SECONDS)

    # People and their money

    def person(self, name: str, **more: Any) -> tuple[User, Chat]:
        """Return a new person with a filled wallet, and their private chat with the bot."""
        who = self.telegram.person(name, name.lower(), **more)
        self.node.faucet(self.node.purse(str(who.id)).address, [Coin(DENOM, 1_000 * JUNO)])
        return who, self.telegram.private(who)

    async def deposit(self, who: User, amount: int, memo: str | None = None) -> None:
        """Send coins from the wallet of ``who`` to the treasury, with their id as memo."""
        await self.node.wait_height(self.node.height + 1)
        purse = self.node.purse(str(who.id))
        coins = (SpelledCoin(DENOM, str(amount)),)
        self.node.send(
            purse, [Output(TREASURY, coins)], memo=(str(who.id) if memo is None else memo).encode()
        )

    def on_chain(self, bech32: str) -> int:
        """Return what an address holds."""
        raw = address.decode(bech32, SANDBOX_PARAMETERS.prefix)
        return state.balance(self.node.chain.latest(), raw, DENOM)

    # Looking

    @property
    def books(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(self.database)
        return self._reader

    def balance(self, who: User) -> int:
        return self.books.balance(AccountId(who.id), DENOM)

    async def until(self, condition: Callable[[], T]) -> T:
        """Wait until ``condition`` holds; a program that died meanwhile is told."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not (found := condition()):
                if self._running is not None and self._running.done():
                    self._running.result()
                await asyncio.sleep(0.02)
        return found

    async def heard(self, who: User, chat: Chat, words: str) -> Shown:
        """Wait until ``who`` reads ``words`` in a message of the bot in ``chat``."""

        def found() -> list[Shown]:
            return [shown for shown in self.telegram.replies(chat, who) if words in shown.text]

        return (await self.until(found))[-1]

    async def quiet(self) -> None:
        """Wait until every update was fetched and answered."""
        queue = self.telegram.queues[self.account.user.id]
        await self.until(lambda: not queue.waiting)
        await self.until(lambda: not self.books.select("SELECT 1 FROM inbox WHERE state = 'new'"))

    async def told(self) -> None:
        """Wait until everything was said that there is to say."""
        await self.until(lambda: not self.books.select("SELECT 1 FROM outbox WHERE state = 'pending'"))

    async def squares(self) -> None:
        """Wait until all the books hold is what the treasury holds, with nothing under way."""
        await self.until(lambda: self.books.total(DENOM) == self.on_chain(TREASURY) and not self._under_way())

    def _under_way(self) -> bool:
        waiting = self.books.select("SELECT 1 FROM inbox WHERE state = 'new'")
        signed = self.books.select(
            "SELECT 1 FROM withdrawals WHERE state NOT IN ('confirmed', 'returned', 'cancelled')"
        )
        return bool(waiting or signed)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


async def _nothing(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def town(directory: Path, parameters: ChainParameters = SANDBOX_PARAMETERS) -> AsyncIterator[Town]:
    """Found a town on a chain with ``parameters``; the program is not started."""
    clock = Clock()
    telegram = Telegram(clock=clock, rng=random.Random(11))
    account = telegram.bot("Moneta", "moneta_town_bot")
    node = await JunoNode.open(parameters, clock=clock, rng=random.Random(12), block_seconds=BLOCK_SECONDS)
    await node.start()
    founded = Town(directory, telegram, node, account, clock, telegram.person("Olga", user_id=77))
    try:
        yield founded
    finally:
        await founded.stop()
        founded.close()
        await node.stop()


@contextlib.asynccontextmanager
async def served(place: Town) -> AsyncIterator[str]:
    """Serve the town's Telegram and node over real HTTP; yields the address."""
    listening = bind(0)
    server = make_server(Prefixes(_nothing, {"telegram": create_app(place.telegram), "node": place.node.app}))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield url_of(listening)
    finally:
        server.should_exit = True
        place.telegram.touched()
        await serving
        listening.close()
