"""Several nodes as one: order, health, waiting, and what all refusals mean together."""

import asyncio
import contextlib
import gc
import random
import traceback
import weakref
from typing import Any

import pytest

from chain.client import NodeClient, NodeStatus, Verdict
from chain.endpoints import Endpoint, EndpointRules, Endpoints
from chain.errors import ChainError, Halted, Lied, NodeUnavailable, NotYet, Pruned
from chain.light.errors import Malformed, Unproven
from ledger.ports import Millis
from tests.chain.fakechain import CHAIN_ID, FakeChain, FakeNode

RULES = EndpointRules()
DAY_MS = 86_400_000


class World:
    """Nodes of one chain, and a clock that a test moves."""

    def __init__(self, nodes: int = 2, rules: EndpointRules = RULES) -> None:
        self.chain = FakeChain()
        self.chain.grow_by(5)
        self.nodes = [FakeNode(self.chain) for _ in range(nodes)]
        self.time = self.chain.now()
        clients = [
            NodeClient(f"node {number}", "http://node.test", transport=node)
            for number, node in enumerate(self.nodes, 1)
        ]
        self.endpoints = Endpoints(clients, CHAIN_ID, clock=self, randomness=random.Random(1), rules=rules)

    def now(self) -> Millis:
        return self.time

    def later(self, milliseconds: int) -> None:
        self.time = Millis(self.time + milliseconds)

    async def who_answers(self, height: int | None = None) -> int:
        """The number of the node that answers, from 0."""

        async def question(endpoint: Endpoint) -> NodeStatus:
            return await endpoint.client.status()

        before = [len(node.asked) for node in self.nodes]
        await self.endpoints.ask(question, height=height)
        grown = [len(node.asked) > count for node, count in zip(self.nodes, before, strict=True)]
        return len(grown) - 1 - grown[::-1].index(True)

    async def refused(self, *errors: Exception | None) -> ChainError:
        """Ask a question that node i refuses with ``errors[i]``; return what the caller sees."""
        by_endpoint = dict(zip((endpoint.client for endpoint in self.endpoints.all), errors, strict=True))

        async def question(endpoint: Endpoint) -> None:
            error = by_endpoint[endpoint.client]
            if error is not None:
                raise error

        with pytest.raises(ChainError) as caught:
            await self.endpoints.ask(question)
        return caught.value


async def test_the_first_node_is_asked_first() -> None:
    assert await World().who_answers() == 0


async def test_the_next_answers_for_one_that_is_down() -> None:
    world = World()
    world.nodes[0].down = True
    assert await world.who_answers() == 1


async def test_the_one_that_answered_stays_first() -> None:
    world = World()
    world.nodes[0].down = True
    await world.who_answers()
    world.nodes[0].down = False
    world.later(RULES.longest_wait_ms)
    assert await world.who_answers() == 1


async def answer_slowly(world: World, milliseconds: int) -> None:
    """Put a question whose answer takes so long."""

    async def question(_endpoint: Endpoint) -> None:
        world.later(milliseconds)

    await world.endpoints.ask(question)


async def test_one_that_was_slow_is_not_asked_first_again() -> None:
    world = World()
    await answer_slowly(world, RULES.slow_ms + 1)
    assert await world.who_answers() == 1


async def test_one_that_took_its_time_stays_first() -> None:
    world = World()
    await answer_slowly(world, RULES.slow_ms)
    assert await world.who_answers() == 0


async def test_one_that_was_slow_answers_when_the_others_are_down() -> None:
    world = World()
    await answer_slowly(world, RULES.slow_ms + 1)
    world.nodes[1].down = True
    assert await world.who_answers() == 0


async def test_where_all_are_slow_each_has_its_turn() -> None:
    world, turns = World(nodes=3), []

    async def question(endpoint: Endpoint) -> None:
        world.later(RULES.slow_ms + 1)
        turns.append(world.endpoints.all.index(endpoint))

    for _ in range(4):
        await world.endpoints.ask(question)
    assert turns == [0, 1, 2, 0]


async def never(endpoint: Endpoint) -> None:
    """A question whose last answer never comes."""
    await endpoint.client.status()
    await asyncio.Event().wait()


async def test_a_node_that_comes_to_no_end_is_left() -> None:
    world = World(rules=EndpointRules(question_seconds=0.01))

    async def question(endpoint: Endpoint) -> str:
        if endpoint is world.endpoints.all[0]:
            await never(endpoint)
        return endpoint.name

    assert await world.endpoints.ask(question) == world.endpoints.all[1].name
    assert "no whole answer in 0.01 s" in str(world.endpoints.all[0].refusal)


async def test_a_question_that_takes_long_may_be_given_longer() -> None:
    with pytest.raises(NodeUnavailable, match=r"no whole answer in 0.01 s"):
        await World(nodes=1).endpoints.ask(never, seconds=0.01)


async def test_of_several_nodes_none_may_come_to_no_end() -> None:
    world = World(nodes=1, rules=EndpointRules(question_seconds=0.01))
    with pytest.raises(NodeUnavailable, match="no whole answer"):
        await world.endpoints.ask_each(never)


async def test_nodes_that_all_lag_are_each_named() -> None:
    world = World()
    world.later(RULES.block_age_limit_ms)
    for node in world.nodes:
        node.behind = 1
    with pytest.raises(NodeUnavailable, match=r"node 1: .* 62 s old; node 2: .* 62 s old"):
        await world.who_answers()


async def test_of_nodes_that_all_lagged_the_first_in_step_answers() -> None:
    world = World()
    world.later(RULES.block_age_limit_ms + 1_000)
    with pytest.raises(NodeUnavailable):
        await world.who_answers()
    world.chain.grow_by(20)
    world.nodes[0].behind = 20
    world.later(RULES.first_wait_ms)
    assert await world.who_answers() == 1


def change_status(**changes: Any) -> Any:
    def lie(method: str, _params: Any, answer: Any) -> Any:
        if method == "status":
            answer["sync_info"] |= {
                key: value for key, value in changes.items() if key in answer["sync_info"]
            }
            answer["node_info"] |= {
                key: value for key, value in changes.items() if key in answer["node_info"]
            }
        return answer

    return lie


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "fake-2"},
        {"catching_up": True},
        {"latest_block_time": "2023-11-14T00:00:00Z"},
        {"network": 5},
    ],
    ids=["chain", "catching up", "stale", "strange"],
)
async def test_an_unhealthy_node_is_passed_over(changes: dict[str, Any]) -> None:
    world = World()
    world.nodes[0].lie = change_status(**changes)
    assert await world.who_answers() == 1


async def test_a_node_that_pruned_the_height_is_passed_over() -> None:
    world = World()
    world.nodes[0].earliest = 4
    assert await world.who_answers(height=3) == 1


async def test_a_pruned_node_need_not_wait() -> None:
    world = World()
    world.nodes[0].earliest = 4
    await world.who_answers(height=3)
    world.nodes[1].down = True
    assert await world.who_answers(height=4) == 0


async def test_the_word_of_a_node_on_itself_is_kept_for_a_while() -> None:
    world = World(nodes=1)
    await world.who_answers()
    await world.who_answers()
    assert len(world.nodes[0].asked) == 3


async def test_the_word_of_a_node_on_itself_grows_old() -> None:
    world = World(nodes=1)
    await world.who_answers()
    world.later(RULES.status_age_limit_ms + 1)
    await world.who_answers()
    assert len(world.nodes[0].asked) == 4


async def test_a_failed_node_waits() -> None:
    world = World(nodes=1)
    world.nodes[0].down = True
    for _ in range(2):
        with pytest.raises(NodeUnavailable, match="ConnectError"):
            await world.who_answers()
    assert world.nodes[0].requests == 1


async def test_a_failed_node_is_asked_again() -> None:
    world = World(nodes=1)
    world.nodes[0].down = True
    with pytest.raises(NodeUnavailable):
        await world.who_answers()
    world.nodes[0].down = False
    world.later(RULES.first_wait_ms)
    assert await world.who_answers() == 0


async def test_a_clock_that_was_ahead_lets_no_node_wait_until_then() -> None:
    """By it every block is old, so all nodes wait; as soon as it is set right they are asked again."""
    world = World()
    world.later(DAY_MS)
    with pytest.raises(NodeUnavailable, match="latest block is"):
        await world.who_answers()
    world.later(-DAY_MS)
    assert await world.who_answers() == 0


async def test_waits_double_up_to_a_limit() -> None:
    world = World(nodes=1)
    world.nodes[0].down = True
    waits = []
    for _ in range(12):
        with pytest.raises(NodeUnavailable):
            await world.who_answers()
        waits.append(world.endpoints.all[0].waits_until - world.time)
        world.later(RULES.longest_wait_ms)
    limits = [min(RULES.first_wait_ms << count, RULES.longest_wait_ms) for count in range(12)]
    assert all(limit // 2 <= wait <= limit for wait, limit in zip(waits, limits, strict=True))


async def test_a_liar_is_put_aside_for_long() -> None:
    world = World(nodes=1)
    await world.refused(Unproven("flipped"))
    world.later(RULES.first_aside_ms - 1)
    with pytest.raises(Lied, match="flipped"):
        await world.who_answers()


class Answer:
    """What a node may have said, at great length."""


@pytest.mark.parametrize("kind", [Unproven, NodeUnavailable, Halted])
@pytest.mark.parametrize("each", [False, True])
async def test_why_a_node_waits_keeps_nothing_of_what_it_said(kind: type[Exception], each: bool) -> None:
    """A traceback holds all that its frames do; a liar waits for an hour."""
    world, said = World(nodes=1), []

    async def question(_endpoint: Endpoint) -> None:
        answer = Answer()
        said.append(weakref.ref(answer))
        raise kind("flipped") from ValueError(answer)

    with contextlib.suppress(ChainError):
        await (world.endpoints.ask_each(question) if each else world.endpoints.ask(question))
    gc.collect()
    assert said[0]() is None


async def test_a_refusal_that_is_told_again_does_not_grow() -> None:
    world = World(nodes=1)
    lengths = []
    for _ in range(3):
        refusal = await world.refused(Unproven("flipped"))
        lengths.append(len(traceback.extract_tb(refusal.__traceback__)))
    assert lengths == [lengths[0]] * 3


async def test_a_liar_gets_another_chance() -> None:
    world = World(nodes=1)
    await world.refused(Unproven("flipped"))
    world.later(RULES.first_aside_ms)
    world.chain.grow_by(20)
    assert await world.who_answers() == 0


async def test_each_lie_in_a_row_doubles_the_time_aside() -> None:
    world = World(nodes=1)
    await world.refused(Unproven("flipped"))
    world.later(RULES.first_aside_ms)
    world.chain.grow_by(20)
    await world.refused(Unproven("flipped"))
    assert world.endpoints.all[0].waits_until == world.time + 2 * RULES.first_aside_ms


async def test_a_lie_is_told_once() -> None:
    world = World()
    await world.refused(Unproven("flipped"), NodeUnavailable("down"))
    first, second = world.endpoints.take_lies(), world.endpoints.take_lies()
    assert ([(lie.endpoint, lie.why) for lie in first], second) == ([("node 1", "flipped")], ())


DOWN, LIE = NodeUnavailable("down"), Unproven("flipped")
STRANGE, OTHER = Malformed("no object"), Halted("of another chain")
AHEAD, GONE = NotYet("ahead"), Pruned("gone")


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (DOWN, DOWN, NodeUnavailable),
        (AHEAD, DOWN, NotYet),
        (AHEAD, GONE, NotYet),
        (LIE, AHEAD, NotYet),
        (GONE, GONE, Pruned),
        (GONE, DOWN, NodeUnavailable),
        (GONE, LIE, Lied),
        (OTHER, OTHER, Halted),
        (OTHER, DOWN, NodeUnavailable),
        (LIE, DOWN, Lied),
        (LIE, LIE, Lied),
        (STRANGE, STRANGE, NodeUnavailable),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
async def test_what_two_refusals_mean_together(
    first: Exception, second: Exception, together: type[ChainError], turned: bool
) -> None:
    errors = (second, first) if turned else (first, second)
    assert type(await World().refused(*errors)) is together


async def test_every_node_of_another_chain_halts() -> None:
    world = World()
    for node in world.nodes:
        node.lie = change_status(network="fake-2")
    with pytest.raises(Halted):
        await world.who_answers()


async def test_one_pruned_and_one_waiting_is_not_pruned_everywhere() -> None:
    world = World()
    world.nodes[1].down = True
    await world.refused(GONE, DOWN)
    assert not isinstance(await world.refused(GONE, None), Pruned)


async def test_bytes_are_offered_to_every_node() -> None:
    world = World(nodes=3)
    world.nodes[1].down = True
    answers = (await world.endpoints.broadcast(b"tx")).answers
    assert [answer.verdict for answer in answers] == [Verdict.ACCEPTED, Verdict.UNKNOWN, Verdict.ACCEPTED]


def refusing(code: int) -> Any:
    return lambda _raw: {"code": code, "codespace": "sdk", "log": ""}


@pytest.mark.parametrize(
    ("codes", "taken", "rejected"),
    [((0, 0), True, False), ((0, 13), True, False), ((13, 32), False, True), ((13, 20), False, False)],
)
async def test_what_all_nodes_say_of_bytes(codes: tuple[int, int], taken: bool, rejected: bool) -> None:
    world = World()
    for node, code in zip(world.nodes, codes, strict=True):
        node.broadcast = refusing(code)
    found = await world.endpoints.broadcast(b"tx")
    assert (found.taken, found.rejected) == (taken, rejected)


def test_no_nodes_are_no_chain() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Endpoints([], CHAIN_ID, clock=World(), randomness=random.Random(1))
