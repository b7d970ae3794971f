import asyncio
import random

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.simulation.loop import SimulatedLoop, incarnation, run
from tests.simulation.network import Mishap, Network, Weather


class Counter:
    """A server that counts what it did."""

    def __init__(self) -> None:
        self.done = 0
        self.app = Starlette(routes=[Route("/", self._count, methods=["POST"])])

    async def _count(self, request: Request) -> PlainTextResponse:
        await request.body()
        await asyncio.sleep(1)
        self.done += 1
        return PlainTextResponse(str(self.done))


async def _post(counter: Counter, mishap: Mishap, read_seconds: float = 3.0) -> str:
    weather = Weather(random.Random(1), {mishap: 1.0})
    network = Network({"server": counter.app}, weather)
    async with httpx.AsyncClient(transport=network, timeout=httpx.Timeout(read_seconds)) as client:
        answer = await client.post("http://server/", content=b"x")
    assert network.errors == []
    return answer.text if answer.status_code == 200 else str(answer.status_code)


@pytest.mark.parametrize(
    ("mishap", "answer", "done"),
    [(Mishap.NONE, "1", 1), (Mishap.DOUBLED, "2", 2), (Mishap.BROKEN, "502", 0)],
)
def test_what_arrives(mishap: Mishap, answer: str, done: int) -> None:
    counter = Counter()
    assert run(SimulatedLoop(1), _post(counter, mishap)) == answer
    assert counter.done == done


@pytest.mark.parametrize(("mishap", "done"), [(Mishap.REQUEST_LOST, 0), (Mishap.ANSWER_LOST, 1)])
def test_a_time_out_tells_nothing_of_what_was_done(mishap: Mishap, done: int) -> None:
    counter = Counter()
    with pytest.raises(httpx.ReadTimeout):
        run(SimulatedLoop(1), _post(counter, mishap))
    assert counter.done == done


def test_a_caller_s_time_out_does_not_stop_the_server() -> None:
    counter = Counter()

    async def give_up() -> None:
        with pytest.raises(httpx.ReadTimeout):
            await _post(counter, Mishap.NONE, read_seconds=0.5)
        await asyncio.sleep(5)

    run(SimulatedLoop(1), give_up())
    assert counter.done == 1


def test_the_world_goes_on_when_the_caller_is_killed() -> None:
    counter = Counter()
    loop = SimulatedLoop(1)

    async def program() -> None:
        incarnation.set(1)
        await _post(counter, Mishap.NONE)
        raise AssertionError("the dead do not go on")

    async def world() -> None:
        task = asyncio.create_task(program())
        await asyncio.sleep(0.5)
        loop.kill(1)
        await asyncio.sleep(5)
        assert not task.done()

    run(loop, world())
    assert counter.done == 1
