"""An idle program waits for events; it does not look again and again whether there are any."""

import asyncio
from pathlib import Path

from tests.simulation.city import City
from tests.simulation.loop import SimulatedLoop, run

IDLE_SECONDS = 60
MOST_STEPS_A_SECOND = 40
"""Of the whole city: a block every five seconds, a look at what to sign each second, one at the outbox every half."""


def test_an_idle_program_rests(tmp_path: Path) -> None:
    loop = SimulatedLoop(1)
    city = City(loop, 1, tmp_path)

    async def live() -> int:
        await city.found()
        city.start()
        await asyncio.sleep(30)
        before = loop.steps
        await asyncio.sleep(IDLE_SECONDS)
        steps = loop.steps - before
        await city.stop()
        await city.node.stop()
        return steps

    assert run(loop, live()) / IDLE_SECONDS < MOST_STEPS_A_SECOND
