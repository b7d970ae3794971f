"""One run: people act, things go wrong, and at every quiet point all must be well. The seed decides everything."""

import asyncio
import gc
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, TextIO

import httpx

from tests.simulation.checks import Checks
from tests.simulation.city import TREASURY, City
from tests.simulation.crowd import Crowd
from tests.simulation.flow import Flow
from tests.simulation.flows import FLOWS
from tests.simulation.loop import SimulatedLoop, run
from tests.simulation.network import Mishap
from tests.simulation.people import OPENING, People
from tests.simulation.troubles import Troubles

STEPS_BETWEEN_CHECKS: Final = 250
QUIET_SECONDS: Final = 3_600.0
"""Virtual time after which a program without troubles must have come to rest."""
LAST_EVENTS: Final = 40
COLLECT_EVERY: Final = 200

TROUBLE_CHANCE: Final = 0.16


class Failed(AssertionError):  # noqa: N818 - a verdict, not an error of the program
    """A run found something wrong; the message tells what, and what happened last."""


@dataclass(slots=True)
class Report:
    """What a run did."""

    seed: int
    steps: int
    simulated_seconds: float
    loop_steps: int
    loop_digest: str
    """Over time and name of each step of the loop: two runs that differ anywhere differ here."""
    crashes: int
    checks: int
    digest: str


class Simulation:
    """The run of ``seed`` for ``steps`` acts of people, with its files in ``directory``.

    ``pace`` is how many seconds lie between two acts, on average. ``trace`` gets a line for each event of the world and each
    step of the loop: where two such files part, a run is not decided by its seed.
    """

    def __init__(
        self, seed: int, steps: int, directory: Path, *, pace: float = 1.0, trace: TextIO | None = None
    ) -> None:
        self.seed = seed
        self.steps = steps
        self.pace = pace
        self.loop = SimulatedLoop(seed)
        self.city = City(self.loop, seed, directory)
        self._rng = self.city.random("pace")
        self._digest = sha256()
        self._loop_digest = sha256()
        self._trace = trace
        self.loop.trace = self._step
        self.events: deque[str] = deque(maxlen=LAST_EVENTS)
        self.flows: list[Flow] = []
        self._attending: list[asyncio.Task[None]] = []
        self._checks = 0

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
            self._loop_digest.hexdigest(),
            self.city.crashes,
            self._checks,
            self._digest.hexdigest(),
        )

    def note(self, event: str) -> None:
        """Write down something that happened, for the digest and for whoever must understand a failure."""
        line = f"{self.loop.time():.6f} {event}"
        self._digest.update(line.encode())
        if self._trace is not None:
            self._trace.write(f"{line}\n")
        self.events.append(line)

    def _step(self, at: float, name: str) -> None:
        line = f"{at:.9f} {name}\n"
        self._loop_digest.update(line.encode())
        if self._trace is not None:
            self._trace.write(line)

    async def _live(self) -> None:
        await self.city.found()
        self.city.network.watch = self._watch
        people = People(self.city)
        self.flows = [flow(self.city, people) for flow in FLOWS]
        checks = Checks(self.city, people, self.flows)
        crowd = Crowd(self.city, self.flows)
        troubles = Troubles(self.city, people)
        people.greet()
        # Fees of withdrawals that fail are the treasury's expense.
        self.city.give(TREASURY, OPENING)
        self.city.start()
        await self._quiet(checks, troubles)
        for flow in self.flows:
            flow.begin()
        self._attending = [
            self.loop.create_task(flow.attend(), name=f"attend {type(flow).__name__}") for flow in self.flows
        ]
        for step in range(1, self.steps + 1):
            self.note(crowd.act())
            await asyncio.sleep(self._rng.expovariate(1 / self.pace))
            if self._rng.random() < TROUBLE_CHANCE:
                self.note(troubles.happen())
            if not self.city.running and self.loop.time() >= troubles.closed_until:
                self._start()
            if step % COLLECT_EVERY == 0:
                gc.collect(1)
            if step % STEPS_BETWEEN_CHECKS == 0 or step == self.steps:
                await self._quiet(checks, troubles)
        for task in self._attending:
            task.cancel()
        await self.city.stop()
        await self.city.node.stop()
        if problems := list(checks.program()):
            raise Failed(self._story(problems))

    def _watch(self, request: httpx.Request, mishap: Mishap) -> None:
        # What may not have arrived, or whose answer may be lost, the next start rightly tells again.
        arrives = mishap is Mishap.NONE and not self.city.telegram.faults.waiting
        if arrives and request.url.path.endswith("/sendMessage"):
            self.city.sends(request.content)
        if mishap is not Mishap.NONE:
            self.city.excuses += 1
            self.note(f"{request.url.host}:{request.url.port}{request.url.path[-20:]} {mishap}")

    def _start(self) -> None:
        self.note(f"start {self.city.start()}")

    async def _quiet(self, checks: Checks, troubles: Troubles) -> None:
        """End all troubles, wait until the program has come to rest, and look at everything."""
        troubles.calm()
        for flow in self.flows:
            flow.calm()
        goal = self.city.node.height + 4
        await asyncio.sleep(max(troubles.closed_until - self.loop.time(), 0))
        came = await self.city.until(lambda: self._at_rest(goal), QUIET_SECONDS)
        problems = [*checks.problems(), *self._absent()]
        if not came:
            problems.append(f"not at rest after {QUIET_SECONDS:.0f} quiet seconds: {self._unrest(goal)}")
        if problems:
            raise Failed(self._story(problems))
        self._checks += 1
        self.note(f"quiet at height {self.city.node.height}")

    def _absent(self) -> Iterator[str]:
        """Tell of people who were to do something all the while, and gave up."""
        for task in self._attending:
            if task.done() and task.exception() is not None:
                yield f"{task.get_name()} broke: {task.exception()!r}"

    def _at_rest(self, goal: int) -> bool:
        if self.city.died:
            return True
        if not self.city.running:
            self._start()
        return not self._unrest(goal)

    def _unrest(self, goal: int) -> str:
        if self.city.telegram.queues[self.city.account.user.id].waiting:
            return "updates wait"
        try:
            for name, sql in self._restless():
                rows = self.city.reader().select(sql, {"goal": goal, "now": self.city.clock.now()})
                if rows:
                    return f"{name} {tuple(rows[0])}"
        except Exception as error:  # noqa: BLE001 - a database that is not there or not migrated yet is unrest, too
            return repr(error)
        return ""

    def _restless(self) -> Iterator[tuple[str, str]]:
        yield from _UNREST.items()
        for flow in self.flows:
            yield from flow.unrest.items()

    def _story(self, problems: list[str]) -> str:
        lines = [f"seed {self.seed}, at {self.loop.time():.3f} s:", *(f"  ! {each}" for each in problems)]
        return "\n".join([*lines, "last events:", *(f"    {event}" for event in self.events)])


_UNREST: Final = {
    "unanswered": "SELECT key FROM inbox WHERE state = 'new' LIMIT 1",
    "untold": "SELECT id, event FROM outbox WHERE state IN ('pending', 'undeliverable') LIMIT 1",
    "height": "SELECT :goal WHERE NOT EXISTS (SELECT 1 FROM cursor WHERE height >= :goal)",
}
