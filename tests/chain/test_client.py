"""One node's JSON-RPC, in all the forms that answers come in."""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.client import NodeClient, StateKey, Verdict
from chain.errors import ChainError, NodeUnavailable, NotYet, Pruned
from chain.light.errors import Malformed
from chain.rpc import Call, RpcRefused
from tests.chain.fakechain import FakeChain, FakeNode, result, validator_json, validator_set

Reply = Callable[[Any], Any]


class Scripted(httpx.AsyncBaseTransport):
    """Answers each request with what a function makes of the decoded document."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.documents: list[Any] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        document = json.loads(await request.aread())
        self.documents.append(document)
        answer = self.reply(document)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, text=json.dumps(answer))


def asking(reply: Reply, **options: Any) -> NodeClient:
    return NodeClient("the node", "http://node.test/key-in-path", transport=Scripted(reply), **options)


def error(message: str, code: int = -32603) -> Reply:
    answer = {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": code, "message": "Internal error", "data": message},
    }
    return lambda _: answer


def ok(value: Any) -> Reply:
    return lambda document: {"jsonrpc": "2.0", "id": document["id"], "result": value}


def of(chain: FakeChain, **options: Any) -> NodeClient:
    return NodeClient("the node", "http://node.test", transport=FakeNode(chain, **options))


def grown(count: int) -> FakeChain:
    chain = FakeChain()
    for number in range(count):
        chain.grow((b"tx %d" % number, result()))
    return chain


async def test_status_is_read() -> None:
    status = await of(grown(5), earliest=2).status()
    assert status[:2] + status[3:] == ("fake-1", 5, 2, False)


async def test_a_status_that_does_not_say_so_is_catching_up() -> None:
    def silent(document: Any) -> Any:
        return {
            "id": document["id"],
            "result": {"node_info": {}, "sync_info": {"latest_block_time": "2023-11-14T00:00:00Z"}},
        }

    assert (await asking(silent).status()).catching_up


@pytest.mark.parametrize("count", [1, 2, 20, 21, 45])
async def test_headers_come_in_ascending_order(count: int) -> None:
    headers = await of(grown(50)).headers(3, 2 + count)
    assert [header.height for header in headers] == list(range(3, 3 + count))


def pages(*lengths: int, total: int) -> NodeClient:
    """A node that gives so many validators on each page."""
    left = list(lengths)

    def reply(document: Any) -> Any:
        rows = [validator_json(validator_set((0,)).validators[0])] * left.pop(0)
        return {"id": document["id"], "result": {"validators": rows, "total": str(total)}}

    return asking(reply)


async def test_validators_are_read_page_by_page() -> None:
    assert len((await pages(100, 100, 5, total=205).validators(5)).validators) == 205


@pytest.mark.parametrize(
    ("lengths", "total"),
    [((1, 1, 1), 3), ((100, 99, 6), 205), ((100, 0), 150), ((100, 51), 150), ((101,), 101), ((0,), 1)],
    ids=["one a page", "short between", "none left", "one more", "long page", "none"],
)
async def test_a_page_of_validators_that_is_not_full_is_malformed(
    lengths: tuple[int, ...], total: int
) -> None:
    """A page of one at a time would cost a hundred requests, and each of them may take its time."""
    with pytest.raises(Malformed, match="page"):
        await pages(*lengths, total=total).validators(5)


async def test_more_validators_than_any_chain_has_are_malformed() -> None:
    with pytest.raises(Malformed, match="too many"):
        await pages(100, total=10_001).validators(5)


@pytest.mark.parametrize("count", [1, 5, 6, 12])
async def test_bodies_come_in_the_order_asked_for(count: int) -> None:
    chain = grown(20)
    bodies = await of(chain).bodies(range(3, 3 + count))
    assert [body.txs for body in bodies] == [chain.block(height).txs for height in range(3, 3 + count)]


async def test_a_request_holds_ten_calls_at_most() -> None:
    transport = FakeNode(grown(40))
    await NodeClient("the node", "http://node.test", transport=transport).bodies(range(1, 24))
    assert transport.requests == 5


async def test_calls_are_posted_as_json_rpc() -> None:
    client = asking(ok({}))
    await client.call("block", height="5")
    transport = client._http._transport
    assert isinstance(transport, Scripted)
    assert transport.documents == [{"jsonrpc": "2.0", "id": 1, "method": "block", "params": {"height": "5"}}]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("height 9 must be less than or equal to the current blockchain height 5", NotYet),
        ("could not find results for height #5", NotYet),
        ("height 1 is not available, lowest height is 3", Pruned),
        ("some fault", NodeUnavailable),
    ],
)
async def test_the_nodes_refusals_are_told_apart(message: str, kind: type[ChainError]) -> None:
    with pytest.raises(NodeUnavailable) as caught:
        await asking(error(message)).call("block")
    assert type(caught.value) is kind or (
        kind is NodeUnavailable and not isinstance(caught.value, NotYet | Pruned)
    )


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: httpx.Response(500, json={"id": 1, "result": {}}),
        lambda _: httpx.Response(429),
        lambda _: httpx.Response(200, text="<html>gateway</html>"),
        lambda _: httpx.Response(200, content=b"\xff\xfe"),
        lambda _: httpx.Response(200, text="[" * 200_000),
        lambda _: httpx.Response(200, text="9" * 10_000),
        lambda _: httpx.Response(302, headers={"location": "http://elsewhere.test"}),
        lambda _: {"id": 2, "result": {}},
        lambda _: {"id": 1},
        lambda _: {"id": 1, "error": "no"},
        lambda _: [],
        lambda _: None,
    ],
    ids=["500", "429", "html", "bytes", "deep", "long", "moved", "id", "empty", "error", "array", "null"],
)
async def test_an_answer_of_another_form_is_no_answer(reply: Reply) -> None:
    with pytest.raises(NodeUnavailable):
        await asking(reply).call("block")


async def test_a_refused_connection_is_no_answer() -> None:
    with pytest.raises(NodeUnavailable):
        await of(grown(2), down=True).status()


async def test_a_too_long_answer_is_cut() -> None:
    with pytest.raises(NodeUnavailable, match="too long"):
        await asking(ok("x" * 2000), response_limit_bytes=1000).call("block")


async def ask_for(method: str, text: str) -> None:
    await asking(lambda _: httpx.Response(200, text=f'{{"id": 1, "result": "{text}"}}')).call(method)


@pytest.mark.parametrize(
    ("method", "mebibytes"),
    [("status", 0.1), ("broadcast_tx_sync", 0.1), ("commit", 5), ("validators", 5), ("abci_query", 5)],
)
async def test_how_long_an_answer_may_be_goes_by_the_question(method: str, mebibytes: float) -> None:
    with pytest.raises(NodeUnavailable, match="too long"):
        await ask_for(method, "x" * int(mebibytes * 2**20))


@pytest.mark.parametrize(("method", "mebibytes"), [("commit", 1), ("block", 5), ("block_results", 5)])
async def test_a_long_answer_to_what_may_be_long_is_read(method: str, mebibytes: int) -> None:
    await ask_for(method, "x" * (mebibytes * 2**20))


@pytest.mark.parametrize(
    ("method", "values"),
    [("status", 20_000), ("block", 400_000), ("commit", 400_000), ("block_results", 2_100_000)],
)
@pytest.mark.parametrize("value", ["[", "{", "0,"], ids=["arrays", "objects", "numbers"])
async def test_an_answer_of_too_many_values_is_not_unfolded(method: str, values: int, value: str) -> None:
    """Three bytes of `[],` are seventy in memory: the longest answer took gigabytes, and seconds of the loop."""
    with pytest.raises(NodeUnavailable, match="too many values"):
        await ask_for(method, value * values)


@pytest.mark.parametrize(("method", "values"), [("block", 200_000), ("block_results", 400_000)])
async def test_a_full_block_is_read(method: str, values: int) -> None:
    await ask_for(method, "0," * values)


async def test_a_node_that_hangs_is_left() -> None:
    class Hanging(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError("never comes here")

    client = NodeClient("the node", "http://node.test", transport=Hanging(), timeout_seconds=0.01)
    with pytest.raises(NodeUnavailable, match="no answer"):
        await client.status()


async def test_a_refusal_can_be_written_to_a_log() -> None:
    with pytest.raises(NodeUnavailable) as caught:
        await asking(error("half a character: \ud83d")).call("block")
    assert str(caught.value).encode()


async def test_the_url_is_not_shown() -> None:
    with pytest.raises(NodeUnavailable) as caught:
        await asking(error("a fault")).call("block")
    assert "key-in-path" not in str(caught.value)


def batch_of(answers: Callable[[list[int]], Any]) -> NodeClient:
    return asking(lambda document: answers([each["id"] for each in document]))


def each(numbers: Iterable[int]) -> list[Any]:
    return [{"id": number, "result": number} for number in numbers]


CALLS = [Call("block", {}), Call("block", {}), Call("block", {})]


async def test_a_batch_may_be_answered_in_any_order() -> None:
    assert await batch_of(lambda numbers: each(reversed(numbers))).batch(CALLS) == [1, 2, 3]


@pytest.mark.parametrize(
    "answers",
    [
        lambda _: {"id": -1, "error": {"code": -32600, "message": "batch too long"}},
        lambda numbers: each(numbers[:-1]),
        lambda numbers: each([*numbers, 4]),
        lambda numbers: each([*numbers[:-1], numbers[0]]),
        lambda _: each([4, 5, 6]),
        lambda _: [1, 2, 3],
        lambda numbers: [{"id": [], "result": 1}, *each(numbers[1:])],
    ],
    ids=["one error", "less", "more", "twice", "others", "no objects", "strange id"],
)
async def test_answers_that_are_not_to_the_calls_are_refused(answers: Callable[[list[int]], Any]) -> None:
    with pytest.raises(NodeUnavailable):
        await batch_of(answers).batch(CALLS)


async def test_one_refused_call_refuses_the_batch() -> None:
    def answers(numbers: list[int]) -> Any:
        refused = {"id": numbers[1], "error": {"code": 1, "message": "", "data": "lowest height is 3"}}
        return [*each(numbers[:1]), refused, *each(numbers[2:])]

    with pytest.raises(Pruned):
        await batch_of(answers).batch(CALLS)


async def test_a_batch_of_one_is_a_plain_call() -> None:
    assert await asking(ok(7)).batch(CALLS[:1]) == [7]


async def test_a_batch_that_is_too_long_is_asked_in_parts() -> None:
    def reply(document: Any) -> Any:
        calls = document if isinstance(document, list) else [document]
        answers = [{"id": call["id"], "result": "x" * 400} for call in calls]
        return answers if isinstance(document, list) else answers[0]

    assert await asking(reply, response_limit_bytes=1000).batch(CALLS) == ["x" * 400] * 3


async def test_no_calls_are_no_request() -> None:
    assert await asking(error("asked")).batch([]) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text()
            | st.sampled_from(["response", "block", "txs", "header", "value", "total", "validators"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)
QUESTIONS: list[Callable[[NodeClient], Any]] = [
    lambda client: client.status(),
    lambda client: client.signed_header(5),
    lambda client: client.headers(5, 6),
    lambda client: client.validators(5),
    lambda client: client.bodies([5]),
    lambda client: client.states([(StateKey("bank", b"\x02"), 5)]),
    lambda client: client.results(5),
]


@given(st.sampled_from(QUESTIONS), json_values)
def test_no_answer_raises_anything_else(question: Callable[[NodeClient], Any], value: Any) -> None:
    def reply(document: Any) -> Any:
        calls = document if isinstance(document, list) else [document]
        answers = [{"id": call["id"], "result": value} for call in calls]
        return answers if isinstance(document, list) else answers[0]

    async def ask() -> None:
        try:
            await question(asking(reply))
        except (NodeUnavailable, Malformed):
            return

    asyncio.run(ask())


def state_refusal(codespace: str, code: int) -> Reply:
    """A node at height 5 that refuses to tell a state."""

    def reply(document: Any) -> Any:
        calls = document if isinstance(document, list) else [document]
        if calls[0]["method"] == "status":
            info = {"latest_block_height": "5", "latest_block_time": "2023-11-14T00:00:00Z"}
            return {"id": calls[0]["id"], "result": {"node_info": {}, "sync_info": info}}
        response = {"codespace": codespace, "code": code, "log": "none"}
        return {"id": calls[0]["id"], "result": {"response": response}}

    return reply


@pytest.mark.parametrize(
    ("refusal", "height", "kind"),
    [
        (("sdk", 26), 9, NotYet),
        (("store", 7), 9, NotYet),
        (("store", 7), 6, NotYet),
        (("store", 7), 5, Pruned),
        (("sdk", 18), 1, Pruned),
        (("sdk", 6), 5, RpcRefused),
    ],
)
async def test_why_there_is_no_state(refusal: tuple[str, int], height: int, kind: type[ChainError]) -> None:
    found = await asking(state_refusal(*refusal)).states([(StateKey("bank", b"\x02"), height)])
    assert type(found[0]) is kind


def broadcast_answer(code: int, log: str = "", codespace: str = "sdk") -> Reply:
    return ok({"code": code, "codespace": codespace, "log": log, "hash": "AB"})


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (broadcast_answer(0, codespace=""), Verdict.ACCEPTED),
        (broadcast_answer(13, "insufficient fees"), Verdict.REJECTED),
        (broadcast_answer(20, "mempool is full", codespace="other"), Verdict.REJECTED),
        (broadcast_answer(20, "mempool is full"), Verdict.UNKNOWN),
        (broadcast_answer(19, "tx already in mempool"), Verdict.KNOWN),
        (error("tx already exists in cache"), Verdict.KNOWN),
        (error("mempool is full: number of txs 5000"), Verdict.UNKNOWN),
        (lambda _: httpx.Response(502), Verdict.UNKNOWN),
        (lambda _: httpx.Response(200, text="oops"), Verdict.UNKNOWN),
        (ok({"code": "many"}), Verdict.UNKNOWN),
        (ok(None), Verdict.UNKNOWN),
    ],
)
async def test_what_a_node_says_of_bytes(reply: Reply, verdict: Verdict) -> None:
    assert (await asking(reply).broadcast(b"tx")).verdict is verdict


async def test_a_node_that_is_down_leaves_it_unknown() -> None:
    assert (await of(grown(2), down=True).broadcast(b"tx")).verdict is Verdict.UNKNOWN


async def test_a_rejection_carries_its_reasons() -> None:
    reply = broadcast_answer(32, "account sequence mismatch, expected 7, got 5: incorrect account sequence")
    answer = await asking(reply).broadcast(b"tx")
    assert (answer.endpoint, answer.code, answer.codespace) == ("the node", 32, "sdk")
    assert "expected 7, got 5" in answer.log
