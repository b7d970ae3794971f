"""The whole program in a simulated city: Telegram, Juno, the network between them, and a disk that outlives crashes."""

import asyncio
import contextvars
import random
import shutil
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import bot.main
from bot.main import World
from bot.settings import Settings, load
from ledger.store import Store
from sandbox.node.decoding import Coin
from sandbox.node.node import SANDBOX_PARAMETERS, JunoNode
from sandbox.scene import MNEMONIC
from sandbox.telegram import FloodLimits, Telegram, create_app
from tests.simulation.loop import SimulatedLoop, VirtualClock, incarnation
from tests.simulation.network import Network, Weather

T = TypeVar("T")

DENOM: Final = SANDBOX_PARAMETERS.fee_denom
JUNO: Final = 1_000_000
OWNER: Final = 77
FACES: Final = ("anna", "boris", "carla")
BLOCK_SECONDS: Final = 5.0
FEE: Final = 20_000
"""What a withdrawal costs its member, in base units."""

_TELEGRAM: Final = "localhost:8000"
_FIRST_FACE_PORT: Final = 8001


class OneAfterAnother:
    """A runner of blocking calls without a thread: inline, at an instant within a virtual latency, in order."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def __call__(self, call: Callable[[], T]) -> T:
        """Run ``call``."""
        async with self._turn:
            return await asyncio.get_running_loop().run_in_executor(None, call)


class FaultyStore(Store):
    """A door to SQLite whose COMMIT may find the database busy, or fail before or after it was done."""

    def __init__(self, path: Path, *, rng: random.Random, chance: Callable[[], float]) -> None:
        super().__init__(path, checkpoint_pages=0)
        self._rng = rng
        self._chance = chance

    def begin(self) -> None:
        """Begin, unless another process is played to write just now."""
        if self._rng.random() < self._chance():
            raise _sqlite_error("database is locked", sqlite3.SQLITE_BUSY)
        super().begin()

    def commit(self) -> None:
        """Commit, with faults before and after."""
        if self._rng.random() < self._chance():
            raise _sqlite_error("disk I/O error", sqlite3.SQLITE_IOERR)
        super().commit()
        if self._rng.random() < self._chance():
            raise _sqlite_error("disk I/O error", sqlite3.SQLITE_IOERR)


def _sqlite_error(words: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode = code
    return error


class Disk:
    """Where the database is. A crash leaves main file and log; the shared memory is gone (simulation.md)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._number = 0
        self.path = directory / "books-0.sqlite3"

    def crash(self) -> None:
        """Go on with a copy of what was on disk; whoever still holds the old files can do no harm."""
        self._number += 1
        fresh = self._directory / f"books-{self._number}.sqlite3"
        for suffix in ("", "-wal"):
            before = self.path.with_name(self.path.name + suffix)
            if before.exists():
                shutil.copyfile(before, fresh.with_name(fresh.name + suffix))
        self.path = fresh

    def copy(self) -> Path:
        """Return a copy to look at: opening a file replays its log, which the live one must not notice."""
        seen = self._directory / "seen.sqlite3"
        for suffix in ("", "-wal", "-shm"):
            seen.with_name(seen.name + suffix).unlink(missing_ok=True)
        for suffix in ("", "-wal"):
            live = self.path.with_name(self.path.name + suffix)
            if live.exists():
                shutil.copyfile(live, seen.with_name(seen.name + suffix))
        return seen


class City:
    """Everything outside of the program, and the starts of the program in it.

    ``trouble`` is how bad disk and network are, 0 to 1; people act on ``telegram`` and ``node`` directly.
    """

    def __init__(self, loop: SimulatedLoop, seed: int, directory: Path) -> None:
        self.loop = loop
        self.seed = seed
        self.clock = VirtualClock(loop)
        self.disk = Disk(directory)
        self.telegram = Telegram(clock=self.clock, rng=self.random("telegram"), flood=FloodLimits())
        self.account = self.telegram.bot("Moneta", "moneta_city_bot")
        self.owner = self.telegram.person("Olga", "olga", user_id=OWNER)
        self.weather = Weather(self.random("weather"))
        self.disk_trouble = 0.0
        self.crashes = 0
        self._starts = 0
        self._living: dict[int, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._dead: set[str] = set()

    def random(self, purpose: str) -> random.Random:
        """Return the random source of ``purpose``: one each, so that a change in one leaves the others alone."""
        return random.Random(f"{self.seed}:{purpose}")

    async def found(self) -> None:
        """Build the chain and the network; the program is not started."""
        self.node = await JunoNode.open(
            SANDBOX_PARAMETERS, clock=self.clock, rng=self.random("chain"), block_seconds=BLOCK_SECONDS
        )
        apps = {f"localhost:{_FIRST_FACE_PORT + n}": self.node.face(face) for n, face in enumerate(FACES)}
        self.network = Network({_TELEGRAM: create_app(self.telegram), **apps}, self.weather)
        await self.node.start()

    def give(self, address: str, amount: int) -> None:
        """Give play money to an address on chain."""
        self.node.faucet(address, [Coin(DENOM, amount)])

    # The program

    @property
    def running(self) -> bool:
        """Tell whether a start of the program lives."""
        return bool(self._living)

    def living(self) -> list[tuple[asyncio.Task[None], asyncio.Event]]:
        """Return the starts that live: the task, and what asks it to end."""
        return list(self._living.values())

    def start(self) -> int:
        """Start the program; return the number of this incarnation."""
        self._starts += 1
        number = self._starts
        stop = asyncio.Event()
        context = contextvars.copy_context()
        context.run(incarnation.set, number)
        task = self.loop.create_task(self._run(number, stop), name=f"program {number}", context=context)
        self._living[number] = (task, stop)
        return number

    async def _run(self, number: int, stop: asyncio.Event) -> None:
        rng = self.random(f"program {number}")
        store = partial(FaultyStore, rng=self.random(f"disk {number}"), chance=lambda: self.disk_trouble)
        world = World(
            self.clock,
            OneAfterAnother(),
            rng,
            holder=f"program{number}",
            telegram=self.network,
            nodes=self.network,
            is_dead=self._dead.__contains__,
            store=store,
        )
        try:
            await bot.main.run(self._settings(), world, stop)
        finally:
            # Only an orderly end comes here: the dead run no finally.
            self._living.pop(number, None)
            self._dead.add(f"program{number}")

    def _settings(self) -> Settings:
        return load(
            Settings,
            None,
            telegram_token=self.account.token,
            telegram_url=f"http://{_TELEGRAM}",
            owners=str(OWNER),
            chain_id=SANDBOX_PARAMETERS.chain_id,
            denom=DENOM,
            assets=f"{DENOM}:JUNO:6",
            nodes=",".join(f"http://localhost:{_FIRST_FACE_PORT + n}" for n in range(len(FACES))),
            block_ms=str(int(BLOCK_SECONDS * 1000)),
            mnemonic=MNEMONIC,
            database=str(self.disk.path),
            explorer_tx="none",
        )

    def kill(self) -> None:
        """Kill every start that lives, where it stands."""
        for number in list(self._living):
            self.loop.kill(number)
            self._dead.add(f"program{number}")
        self._living.clear()
        self.crashes += 1
        self.disk.crash()

    async def stop(self) -> None:
        """Ask every start that lives to end, and wait for it; raises what it died of."""
        for task, stop in list(self._living.values()):
            stop.set()
            await task

    def died(self) -> list[BaseException]:
        """Return what starts died of by themselves: nothing may kill the program but the city."""
        ended = [task for task, _ in self._living.values() if task.done() and not task.cancelled()]
        return [error for task in ended if (error := task.exception())]

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait up to ``seconds`` of virtual time for ``condition``; tell whether it came."""
        end = self.loop.time() + seconds
        while not condition():
            if self.loop.time() >= end:
                return False
            await asyncio.sleep(0.25)
        return True
