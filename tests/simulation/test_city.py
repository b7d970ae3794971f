"""What the city knows of the world: which words in the chats are those of a program that is dead."""

import asyncio
from pathlib import Path

import httpx
import pytest

from sandbox.telegram import Fault
from sandbox.telegram.faults import FaultKind
from tests.simulation.city import City
from tests.simulation.loop import SimulatedLoop, run


@pytest.mark.parametrize(
    ("fault", "comes"),
    [("slow", True), ("hang", False), ("hang_after", False)],
    ids=["it is carried out later", "it never is", "it was before"],
)
def test_only_what_a_request_under_way_changes_is_late(tmp_path: Path, fault: FaultKind, comes: bool) -> None:
    loop = SimulatedLoop(1)
    city = City(loop, 1, tmp_path)

    async def live() -> None:
        await city.found()
        chat = city.telegram.private(city.owner, city.account)
        city.telegram.say(city.owner, chat, "/start")
        method = f"http://localhost:8000/bot{city.account.token}/sendMessage"
        async with httpx.AsyncClient(transport=city.network, timeout=30) as client:

            async def tell(text: str) -> int:
                return (await client.post(method, json={"chat_id": chat.person, "text": text})).status_code

            city.telegram.faults.add(Fault(fault, "sendMessage", seconds=9.0))
            of_the_dead = asyncio.create_task(tell("of the dead"))
            await asyncio.sleep(1.0)
            late = city.changes_to_come()
            assert await tell("of the living") == 200
            await of_the_dead
        changed = {message.text: message.changed for message in city.telegram.replies(chat)}
        assert changed["of the living"] not in late
        assert late == ({changed["of the dead"]} if comes else set())
        await city.node.stop()

    run(loop, live())
