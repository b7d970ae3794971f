"""One run: people act, things go wrong, and at every quiet point all must be well. The seed decides everything."""

import asyncio
import gc
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx

from ledger.reader import Reader
from sandbox.telegram import Fault
from tests.simulation.checks import Checks
from tests.simulation.city import FACES, JUNO, City
from tests.simulation.loop import SimulatedLoop, run
from tests.simulation.network import Mishap
from tests.simulation.people import TREASURY, People

STEPS_BETWEEN_CHECKS: Final = 120
QUIET_SECONDS: Final = 3_600.0
"""Virtual time after which a program without troubles must have come to rest."""
LAST_EVENTS: Final = 40
COLLECT_EVERY: Final = 200

BAD_WEATHER: Final = {
    Mishap.REQUEST_LOST: 0.01,
    Mishap.ANSWER_LOST: 0.02,
    Mishap.DOUBLED: 0.01,
    Mishap.LATE: 0.02,
    Mishap.REFUSED: 0.02,
    Mishap.BROKEN: 0.02,
}


class Failed(AssertionError):  # noqa: N818 - a verdict, not an error of the program
    """A run found something wrong; the message tells what, and what happened last."""


@dataclass(slots=True)
class Report:
    """What a run did."""

    seed: int
    steps: int
    simulated_seconds: float
    loop_steps: int
    crashes: int
    checks: int
    digest: str


class Simulation:
    """The run of ``seed`` for ``steps`` acts of people, with its files in ``directory``."""

    def __init__(self, seed: int, steps: int, directory: Path) -> None:
        self.seed = seed
        self.steps = steps
        self.loop = SimulatedLoop(seed)
        self.city = City(self.loop, seed, directory)
        self._rng = self.city.random("troubles")
        self._digest = sha256()
        self.events: deque[str] = deque(maxlen=LAST_EVENTS)
        self._checks = 0
        self._troubles: list[tuple[Callable[[], None], int]] = [
            (self._storm, 6),
            (self._fair_weather, 4),
            (self._kill, 5),
            (self._orderly_stop, 1),
            (self._second_instance, 2),
            (self._node_trouble, 6),
            (self._node_recovers, 4),
            (self._chain_trouble, 4),
            (self._telegram_trouble, 5),
            (self._disk_trouble, 3),
            (self._clock_jumps, 1),
        ]

    def run(self) -> Report:
        """Run to the end. Raises Failed with the last events when anything is wrong."""
        gc.disable()
        try:
            run(self.loop, self._live())
        finally:
            gc.enable()
        return Report(
            self.seed,
            self.steps,
            self.loop.time(),
            self.loop.steps,
            self.city.crashes,
            self._checks,
            self._digest.hexdigest(),
        )

    def note(self, event: str) -> None:
        """Write down something that happened, for the digest and for whoever must understand a failure."""
        line = f"{self.loop.time():.6f} {event}"
        self._digest.update(line.encode())
        self.events.append(line)

    async def _live(self) -> None:
        await self.city.found()
        self.city.network.watch = self._watch
        people = People(self.city)
        checks = Checks(self.city, people)
        people.greet()
        # Fees of withdrawals that fail are the treasury's expense.
        self.city.give(TREASURY, 50 * JUNO)
        self.city.start()
        await self._quiet(checks)
        for step in range(1, self.steps + 1):
            self.note(people.act())
            await asyncio.sleep(self._rng.expovariate(1.0))
            if self._rng.random() < 0.06:
                self._something_goes_wrong()
            if not self.city.running:
                self._start()
            if step % COLLECT_EVERY == 0:
                gc.collect(1)
            if step % STEPS_BETWEEN_CHECKS == 0 or step == self.steps:
                await self._quiet(checks)
        await self.city.stop()
        await self.city.node.stop()

    def _watch(self, request: httpx.Request, mishap: Mishap) -> None:
        if mishap is not Mishap.NONE:
            self.note(f"{request.url.host}:{request.url.port}{request.url.path[-20:]} {mishap}")

    # Troubles

    def _something_goes_wrong(self) -> None:
        (trouble,) = self._rng.choices(
            [each for each, _ in self._troubles], [weight for _, weight in self._troubles]
        )
        self.note(f"trouble: {trouble.__name__.strip('_')}")
        trouble()

    def _start(self) -> None:
        self.note(f"start {self.city.start()}")

    def _storm(self) -> None:
        scale = self._rng.choice((1.0, 1.0, 3.0, 8.0))
        self.city.weather.chances = {mishap: chance * scale for mishap, chance in BAD_WEATHER.items()}

    def _fair_weather(self) -> None:
        self.city.weather.chances = {}

    def _kill(self) -> None:
        self.city.kill()

    def _orderly_stop(self) -> None:
        for _, stop in self.city.living():
            stop.set()

    def _second_instance(self) -> None:
        if self.city.running and len(self.city.living()) < 3:
            self._start()

    def _node_trouble(self) -> None:
        face = self._rng.choice(FACES)
        faults = self.city.node.faults[face]
        height = self.city.node.height
        troubles: list[dict[str, Any]] = [
            {"lag": self._rng.randrange(1, 30)},
            {"pruned_below": max(height - self._rng.randrange(1, 20), 0)},
            {"hang": True},
            {"status": self._rng.choice((500, 502, 503))},
            {"garbage": True},
            {"lose_reply": True},
            {"drop_broadcasts": True},
            {"chain_id": "other-1"},
            {"flip_codes": True},
            {"odd_proof": self._rng.choice(("value", "proof", "stale", "missing"))},
            {"results_lag": True},
            {"catching_up": True},
            {"delay_ms": self._rng.randrange(10, 20_000)},
        ]
        faults.switch(**self._rng.choice(troubles))

    def _node_recovers(self) -> None:
        for face in FACES:
            self.city.node.faults[face].clear()

    def _chain_trouble(self) -> None:
        mischief = self.city.node.chain.mischief
        which = self._rng.randrange(4)
        if which == 0:
            mischief.halted = not mischief.halted
        elif which == 1:
            mischief.duplicate_next += 1
        elif which == 2:
            mischief.rehash_next += self._rng.randrange(1, 3)
        else:
            self.city.node.chain.mempool.forget()

    def _telegram_trouble(self) -> None:
        kinds = [
            Fault("refuse", "*", self._rng.randrange(1, 5), 500),
            Fault("refuse", "sendMessage", 2, 429, "Too Many Requests: retry later", retry_after=3),
            Fault("refuse", "getUpdates", 1, 409, "Conflict: terminated by other getUpdates request"),
            Fault("lost_reply", "*", self._rng.randrange(1, 4)),
            Fault("hang_after", "sendMessage", 1, seconds=30),
            Fault("slow", "*", 2, seconds=4),
            Fault("hang", "getUpdates", 1, seconds=40),
            Fault("garbage", "*", 1),
        ]
        self.city.telegram.faults.add(self._rng.choice(kinds))

    def _disk_trouble(self) -> None:
        self.city.disk_trouble = self._rng.choice((0.0, 0.02, 0.1))
        self.loop.latency.longest = self._rng.choice((0.004, 0.05, 0.8))

    def _clock_jumps(self) -> None:
        self.city.clock.offset_ms += self._rng.randrange(-20_000, 20_000)

    # Quiet

    def _calm(self) -> None:
        self._fair_weather()
        self._node_recovers()
        self.city.node.chain.mischief.halted = False
        self.city.telegram.faults.clear()
        self.city.disk_trouble = 0.0
        self.loop.latency.longest = 0.004

    async def _quiet(self, checks: Checks) -> None:
        """End all troubles, wait until the program has come to rest, and look at everything."""
        self._calm()
        if not self.city.running:
            self._start()
        goal = self.city.node.height + 4
        came = await self.city.until(lambda: self._at_rest(goal), QUIET_SECONDS)
        problems = checks.problems()
        if not came:
            problems.append(f"not at rest after {QUIET_SECONDS:.0f} quiet seconds: {self._unrest(goal)}")
        if problems:
            raise Failed(self._story(problems))
        self._checks += 1
        self.note(f"quiet at height {self.city.node.height}")

    def _at_rest(self, goal: int) -> bool:
        return bool(self.city.died()) or not self._unrest(goal)

    def _unrest(self, goal: int) -> str:
        if not self.city.disk.path.exists():
            return "no database"
        if self.city.telegram.queues[self.city.account.user.id].waiting:
            return "updates wait"
        books = Reader(self.city.disk.path)
        try:
            for name, sql in _UNREST.items():
                rows = books.select(sql, {"goal": goal, "now": self.city.clock.now()})
                if rows:
                    return f"{name} {tuple(rows[0])}"
        except Exception as error:  # noqa: BLE001 - a database that is not migrated yet is unrest, too
            return repr(error)
        finally:
            books.close()
        return ""

    def _story(self, problems: list[str]) -> str:
        lines = [f"seed {self.seed}, at {self.loop.time():.3f} s:", *(f"  ! {each}" for each in problems)]
        return "\n".join([*lines, "last events:", *(f"    {event}" for event in self.events)])


_UNREST: Final = {
    "unanswered": "SELECT key FROM inbox WHERE state = 'new' LIMIT 1",
    "untold": "SELECT id, event FROM outbox WHERE state = 'pending' LIMIT 1",
    "withdrawal": (
        "SELECT id, state FROM withdrawals WHERE state NOT IN ('confirmed', 'returned', 'cancelled') LIMIT 1"
    ),
    "signed": "SELECT hash, state FROM signed_transactions WHERE state IN ('signed', 'broadcast') LIMIT 1",
    "height": "SELECT :goal WHERE NOT EXISTS (SELECT 1 FROM cursor WHERE height >= :goal)",
}
