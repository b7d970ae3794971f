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
from bot.front import CARRIERS
from bot.main import World
from bot.settings import Settings, load
from chain.wallet import Wallet
from ledger.connect import authorize_writer
from ledger.errors import Unavailable
from ledger.limits import Limits
from ledger.money import Amount
from ledger.reader import Reader
from ledger.store import Store
from sandbox.node.decoding import Coin
from sandbox.node.execute import Rules
from sandbox.node.node import SANDBOX_PARAMETERS, JunoNode
from sandbox.scene import MNEMONIC
from sandbox.telegram import FloodLimits, Message, Telegram, create_app
from tests.simulation.censor import Censor
from tests.simulation.loop import SimulatedLoop, VirtualClock, incarnation
from tests.simulation.network import Network, Weather

T = TypeVar("T")

DENOM: Final = SANDBOX_PARAMETERS.fee_denom
JUNO: Final = 1_000_000
OWNER: Final = 77
FACES: Final = ("anna", "boris", "carla")
TREASURY: Final = Wallet.from_mnemonic(MNEMONIC, SANDBOX_PARAMETERS).address
BLOCK_SECONDS: Final = 5.0
FEE: Final = 20_000
"""What a withdrawal costs its member, in base units."""

SECTOR: Final = 512
MOST_PAGES: Final = 2**30
REFUSED_ADDRESSES: Final = 60
TIMEOUT_BLOCKS: Final = 12
"""How long a signed payout stays valid here: short, so that the end of its time is met often."""

REPLACE_AFTER_BLOCKS: Final = 4
"""After how many of them a payout that no block takes is signed again with a higher fee."""

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
    """A door to SQLite whose COMMIT may find the database busy, or fail before or after it was done, or be the last.

    While the city's disk is full, the file cannot grow: SQLite fails at whatever statement needs one page more.
    """

    def __init__(self, path: Path, *, rng: random.Random, city: "City") -> None:
        super().__init__(path, checkpoint_pages=0)
        self._rng = rng
        self._city = city
        self._cramped: sqlite3.Connection | None = None

    def _fails(self) -> bool:
        fails = self._rng.random() < self._city.disk_trouble
        self._city.excuses += CARRIERS * fails
        return fails

    def begin(self) -> None:
        """Begin, unless another process is played to write just now."""
        if self._fails():
            raise _sqlite_error("database is locked", sqlite3.SQLITE_BUSY)
        full = self._city.disk_is_full
        self._city.excuses += CARRIERS * full
        if full != (self._cramped is self.connection):
            self._cramp(MOST_PAGES if not full else 1)
            self._cramped = self.connection if full else None
        super().begin()

    def _cramp(self, pages: int) -> None:
        """Let the file grow to ``pages``, or not beyond what it is."""
        self.connection.set_authorizer(None)
        self.connection.execute(f"PRAGMA max_page_count = {pages}")
        self.connection.set_authorizer(authorize_writer)

    def commit(self) -> None:
        """Commit, with faults before and after."""
        if self._fails() or self._city.strike("before commit"):
            raise _sqlite_error("disk I/O error", sqlite3.SQLITE_IOERR)
        before = self._city.disk.log() if self._city.awaits("torn commit") else b""
        super().commit()
        if self._city.awaits("torn commit"):
            self._city.strike("torn commit", torn=before)
        self._city.strike("after commit")
        if self._fails():
            raise _sqlite_error("disk I/O error", sqlite3.SQLITE_IOERR)


def _drawn_limits(rng: random.Random) -> Limits:
    """Return limits that are met in a run, or none."""
    per_user, of_all, above = rng.choice((None, 20, 50)), rng.choice((None, 60, 300)), rng.choice((None, 10))
    return Limits(*(None if each is None else Amount(each * JUNO) for each in (per_user, of_all, above)))


def _spelled(amount: Amount | None) -> str:
    return "" if amount is None else str(amount // JUNO)


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

    def log(self) -> bytes:
        """Return what stands in the write-ahead log."""
        path = self.path.with_name(self.path.name + "-wal")
        return path.read_bytes() if path.exists() else b""

    def tear(self, before: bytes, rng: random.Random) -> None:
        """Let only some sectors of the last commit have reached the log, which was ``before`` until then."""
        after = self.log()
        size = rng.randrange(min(len(before), len(after)), len(after) + 1)
        torn = bytearray(after[:size])
        for start in range(0, size, SECTOR):
            old = before[start : start + SECTOR].ljust(SECTOR, b"\0")
            if old != after[start : start + SECTOR] and rng.random() < 0.3:
                torn[start : start + SECTOR] = old[: size - start]
        self.path.with_name(self.path.name + "-wal").write_bytes(torn)

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
        self.full_until = 0.0
        """Until when the disk is full."""
        self.limits = _drawn_limits(self.random("limits"))
        self.admins_chat: int | None = None
        self.owners = [OWNER]
        """Whom the settings name; what is changed counts for the next start."""
        self.crashes = 0
        self.gave_up = 0
        self.excuses = 0
        """How many messages at most were sent without the program's knowing it for certain: they may come again."""
        self.died: list[Exception] = []
        """What starts died of by themselves: nothing may kill the program but the city."""
        self.doom: tuple[str, int] | None = None
        """At which kind of moment everything dies, and how many of them pass before."""
        self.faint: tuple[str, int] | None = None
        """The same for whoever meets that moment standing still for a while."""
        self.strikes: list[str] = []
        self.moved_ms = 0
        """How far the clock was moved by hand, in all: two times may be that much wrong about which was first."""
        self.told_by_two: list[str] = []
        self._tellers: dict[bytes, int] = {}
        self._stalled_once: set[int] = set()
        self._starts = 0
        self._living: dict[int, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._dead: set[str] = set()
        self._fate = self.random("fate")
        self._books: tuple[Path, Reader] | None = None

    def random(self, purpose: str) -> random.Random:
        """Return the random source of ``purpose``: one each, so that a change in one leaves the others alone."""
        return random.Random(f"{self.seed}:{purpose}")

    async def found(self) -> None:
        """Build the chain and the network; the program is not started."""
        self.node = await JunoNode.open(
            SANDBOX_PARAMETERS, clock=self.clock, rng=self.random("chain"), block_seconds=BLOCK_SECONDS
        )
        self._refuse_coins()
        self.censor = Censor(self.node.chain, TREASURY, self.random("censor"))
        apps = {f"localhost:{_FIRST_FACE_PORT + n}": self.node.face(face) for n, face in enumerate(FACES)}
        self.network = Network({_TELEGRAM: create_app(self.telegram), **apps}, self.weather)
        self.network.strike = self.strike
        await self.node.start()

    def _refuse_coins(self) -> None:
        """Let the chain refuse coins for some addresses, as for a module that came with an upgrade after the settings."""
        self.refused = [self.node.purse(f"new module {number}") for number in range(REFUSED_ADDRESSES)]
        chain = self.node.chain
        raw = frozenset(purse.raw_address for purse in self.refused)
        chain.rules = Rules(chain.parameters, chain.rules.blocked | raw)

    def give(self, address: str, amount: int) -> None:
        """Give play money to an address on chain."""
        self.node.faucet(address, [Coin(DENOM, amount)])

    # The program

    def move_clock(self, by_ms: int) -> None:
        """Set the wall clock, as an operator's hand does."""
        self.clock.offset_ms += by_ms
        self.moved_ms += abs(by_ms)

    @property
    def disk_is_full(self) -> bool:
        """Tell whether files cannot grow."""
        return self.loop.time() < self.full_until

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
        store = partial(FaultyStore, rng=self.random(f"disk {number}"), city=self)
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
            await bot.main.run(self.settings(), world, stop)
        except Unavailable:
            # A disk that fails while the program starts or stops ends it with a message; somebody starts it again.
            self.gave_up += 1
        except Exception as error:  # noqa: BLE001 - whatever it died of is for the checks
            self.died.append(error)
        finally:
            # Only an end of its own comes here: the dead run no finally.
            self.excuses += CARRIERS
            self._living.pop(number, None)
            self._dead.add(f"program{number}")

    def settings(self) -> Settings:
        """Return the settings of the program."""
        return load(
            Settings,
            None,
            telegram_token=self.account.token,
            telegram_url=f"http://{_TELEGRAM}",
            owners=",".join(map(str, self.owners)),
            chain_id=SANDBOX_PARAMETERS.chain_id,
            denom=DENOM,
            assets=f"{DENOM}:JUNO:6",
            nodes=",".join(f"http://localhost:{_FIRST_FACE_PORT + n}" for n in range(len(FACES))),
            timeout_blocks=str(TIMEOUT_BLOCKS),
            replace_after_blocks=str(REPLACE_AFTER_BLOCKS),
            block_ms=str(int(BLOCK_SECONDS * 1000)),
            mnemonic=MNEMONIC,
            database=str(self.disk.path),
            explorer_tx="none",
            admins_chat=self.admins_chat,
            withdrawal_limit_user_per_day=_spelled(self.limits.user_per_day),
            withdrawal_limit_total_per_day=_spelled(self.limits.instance_per_day),
            withdrawal_approval_above=_spelled(self.limits.approval_above),
        )

    def reader(self) -> Reader:
        """Return the books as they are on disk, to look at: one connection as long as nothing crashes. Do not close it."""
        if self._books is None or self._books[0] != self.disk.path:
            if self._books is not None:
                self._books[1].close()
            self._books = (self.disk.path, Reader(self.disk.path))
        return self._books[1]

    def kill(self, torn: bytes | None = None) -> None:
        """Kill every start that lives, where it stands; with ``torn`` the last commit is on disk in part only."""
        for number in list(self._living):
            self._bury(number)
        self.crashes += 1
        self.disk.crash()
        if torn is not None:
            self.disk.tear(torn, self._fate)

    def kill_one(self) -> None:
        """Kill one start of several; the machine, and so the disk, lives on. Nobody may know of it."""
        number = self._fate.choice(list(self._living))
        self._bury(number, known=self._fate.random() < 0.5)

    def _bury(self, number: int, *, known: bool = True) -> None:
        self.excuses += CARRIERS
        self.loop.kill(number)
        del self._living[number]
        if known:
            self._dead.add(f"program{number}")

    def stall(self, number: int) -> None:
        """Let start ``number`` stand still for longer than its leases run, or shorter."""
        self.excuses += CARRIERS
        self._stalled_once.add(number)
        self.loop.stall(number, self._fate.choice((5.0, 20.0, 45.0, 120.0)))

    def cancel(self) -> None:
        """Cancel one start at the await where it stands."""
        self.excuses += CARRIERS
        task, _ = self._living[self._fate.choice(list(self._living))]
        task.cancel()

    def sends(self, content: bytes) -> None:
        """Note who tells a receipt: two starts that both live and never stood still must not tell the same."""
        if b"Receipt" not in content:
            return
        teller = incarnation.get()
        before = self._tellers.setdefault(content, teller)
        if before != teller and before in self._living and self._stalled_once.isdisjoint((before, teller)):
            self.told_by_two.append(f"programs {before} and {teller} both told {content[:200]!r}")

    def changes_to_come(self) -> set[int]:
        """Return a set that fills with the changes of chats by requests that are under way now, and by no others."""
        carriers, late = self.network.under_way(), set[int]()

        def note(message: Message) -> None:
            if asyncio.current_task() in carriers:
                late.add(message.changed)

        self.telegram.followers.append(note)
        return late

    def awaits(self, moment: str) -> bool:
        """Tell whether everything dies at a ``moment`` of this kind soon."""
        return self.doom is not None and self.doom[0] == moment

    def strike(self, moment: str, torn: bytes | None = None) -> bool:
        """Let a moment of the kind ``moment`` pass; tell whether everything died of it."""
        if self.faint is not None and self.faint[0] == moment:
            self.faint = (moment, self.faint[1] - 1)
            if self.faint[1] < 0 and incarnation.get() in self._living:
                self.faint = None
                self.stall(incarnation.get())
        if self.doom is None or self.doom[0] != moment:
            return False
        kind, left = self.doom
        if left > 0:
            self.doom = (kind, left - 1)
            return False
        self.doom = None
        self.strikes.append(kind)
        self.kill(torn)
        return True

    async def stop(self) -> None:
        """Ask every start that lives to end, and wait for it; one that stood still may meet its cancellation only now."""
        for task, stop in list(self._living.values()):
            stop.set()
            await asyncio.wait([task])

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait up to ``seconds`` of virtual time for ``condition``; tell whether it came."""
        end = self.loop.time() + seconds
        while not condition():
            if self.loop.time() >= end:
                return False
            await asyncio.sleep(0.5)
        return True
