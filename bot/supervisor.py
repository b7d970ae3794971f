"""Loops that run for ever: back-off, an alert, never a silent stop.

A loop is an object with ``step``, which does one round and says how long to wait. All loops run in one task group:
if one dies, the group dies, and whoever runs the process hears why.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NoReturn, Protocol

import structlog

from chain.errors import Halted
from ledger.errors import BrokenInvariant

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 60.0
HALTED_PAUSE_SECONDS: Final = 300.0
GRACE_SECONDS: Final = 5.0
ALERT_AFTER: Final = 5
"""Failures in a row before somebody is woken: a node that restarts is not worth it."""

log = structlog.get_logger()

Alert = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Tells the operators a code and its facts; must not raise for a busy journal."""


class Loop(Protocol):
    """Something that is done again and again."""

    async def step(self) -> float:
        """Do one round; return the seconds to wait before the next."""
        ...


@dataclass
class Supervisor:
    """Runs one loop. ``name`` is its name in logs and alerts."""

    name: str
    loop: Loop
    random: Random
    alert: Alert
    failures: int = 0

    async def run(self) -> NoReturn:
        """Run the loop until cancelled. Raises BrokenInvariant alone: then nothing may go on."""
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            pause = await self._round()

    async def _round(self) -> float:
        try:
            pause = await self.loop.step()
        except BrokenInvariant:
            log.critical("loop.broke_invariant", loop=self.name, exc_info=True)
            raise
        except Halted as error:
            return await self._halted(error)
        except Exception as error:  # noqa: BLE001 - the boundary of a loop: whatever it met, it must go on or say so
            return await self._failed(error)
        if self.failures:
            log.info("loop.recovered", loop=self.name, failures=self.failures)
        self.failures = 0
        return pause

    async def _halted(self, error: Halted) -> float:
        """A person must look; until then it is tried again, rarely."""
        log.error("loop.halted", loop=self.name, error=str(error))
        if self.failures == 0:
            await self.alert("loop.halted", {"loop": self.name, "why": str(error)})
        self.failures += 1
        return HALTED_PAUSE_SECONDS

    async def _failed(self, error: Exception) -> float:
        self.failures += 1
        pause: float = min(FIRST_PAUSE_SECONDS * 2.0 ** min(self.failures - 1, 20), LONGEST_PAUSE_SECONDS)
        log.warning("loop.failed", loop=self.name, failures=self.failures, exc_info=error)
        if self.failures == ALERT_AFTER:
            await self.alert(
                "loop.failing", {"loop": self.name, "why": f"{type(error).__name__}: {error}"[:300]}
            )
        return pause * (0.5 + self.random.random() / 2)


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work``; when cancelled, let it come to its end first, for `GRACE_SECONDS` at most.

    For what is better done than done again: a message on its way would go out twice.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=GRACE_SECONDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def run_all(supervisors: list[Supervisor], stop: asyncio.Event) -> None:
    """Run all until ``stop`` is set; raises what killed one of them, after all others were stopped."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(supervisor.run(), name=supervisor.name) for supervisor in supervisors]
        await stop.wait()
        for task in tasks:
            task.cancel()
