"""The results of a block that are longer than other answers may be: read as they come, and thinned."""

import asyncio
import base64
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.client import NodeClient
from chain.errors import ChainError, NodeUnavailable, Pruned
from chain.light.errors import Malformed
from chain.light.results import outcome_from_json
from chain.longresults import Thinned, Thinner
from chain.rpc import Call, LongLimits, TooLong
from tests.chain.fakechain import result

HASHED = {"code", "data", "gas_wanted", "gas_used"}


def thinned(answer: bytes, *sizes: int) -> Any:
    """What is left of an answer that comes in pieces of ``sizes``, over and over."""
    thinner, left, at, turn = Thinner(), b"", 0, 0
    while at < len(answer):
        size = (sizes or (4096,))[turn % len(sizes or (1,))]
        left += thinner.feed(answer[at : at + size])
        at, turn = at + size, turn + 1
    return json.loads(left)


def answering(*rows: Any, number: int = 1) -> bytes:
    found = {"height": "5", "txs_results": list(rows) or None, "finalize_block_events": [{"type": "mint"}]}
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": found}).encode()


texts = st.text(max_size=20) | st.text('"\\[]{},:', max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
int64 = st.integers(-(2**63), 2**63 - 1)
rows = st.builds(
    result,
    st.integers(0, 2**32 - 1),
    data=st.none() | st.binary(max_size=50).map(lambda octets: base64.b64encode(octets).decode()),
    gas_wanted=int64.map(str),
    gas_used=int64,
    log=texts,
    info=json_values,
    events=json_values,
)
sizes = st.lists(st.integers(1, 20), min_size=1, max_size=5)


@given(st.lists(rows, max_size=4), sizes, st.booleans(), st.sampled_from([None, 2]))
def test_outcomes_are_those_of_the_whole_answer(
    results: list[dict[str, Any]], pieces: list[int], escaped: bool, indent: int | None
) -> None:
    document = json.loads(answering(*results))
    answer = json.dumps(document, ensure_ascii=escaped, indent=indent).encode("utf-8", "surrogatepass")
    left = thinned(answer, *pieces)["result"]["txs_results"] or []
    assert [outcome_from_json(row) for row in left] == [outcome_from_json(row) for row in results]


@given(json_values, sizes)
def test_all_that_is_not_hashed_is_null(value: Any, pieces: list[int]) -> None:
    (left,) = thinned(answering(result(events=value, log=value, more=value)), *pieces)["result"][
        "txs_results"
    ]
    assert {name for name, kept in left.items() if kept is not None} <= HASHED


def test_number_height_and_error_are_left() -> None:
    left = thinned(answering(number=7))
    assert left == {
        "jsonrpc": None,
        "id": 7,
        "result": {"height": "5", "txs_results": None, "finalize_block_events": None},
    }
    refusal = {"id": 7, "error": {"code": -32603, "data": ["lowest height is 3", {}]}}
    assert thinned(json.dumps(refusal).encode(), 1) == refusal


def test_a_name_counts_as_it_is_meant() -> None:
    answer = rb'{"r\u0065sult":{"txs_results":[{"c\u006fde":5,"code ":6}]}}'
    assert thinned(answer, 1) == {"result": {"txs_results": [{"code": 5, "code ": None}]}}


def test_of_a_member_that_stands_twice_the_last_counts() -> None:
    assert thinned(b'{"result":{"height":"5"},"result":{"height":"6"}}') == {"result": {"height": "6"}}


@pytest.mark.parametrize(
    "answer",
    [
        b'{"result":{"x":' + b"[" * 1_000_000,
        b'{"result":{"height":' + b'{"a":' * 1_000_000,
        b'{"' + b"x" * 1_000_000,
        b'{"a"' + b" " * 1_000_000,
        b"{1:2}",
        b'{"\xff":2}',
        b"{} {}",
        b"1, 2",
    ],
    ids=[
        "dropped brackets",
        "kept brackets",
        "name",
        "space",
        "no name",
        "no UTF-8",
        "two answers",
        "two numbers",
    ],
)
def test_what_no_node_writes_is_malformed(answer: bytes) -> None:
    with pytest.raises(Malformed):
        thinned(answer)


@pytest.mark.parametrize("filling", [b"x", b"\\\\", b"\\u003c", b'",[],"', b'"],["'], ids=repr)
def test_nothing_is_held_of_what_is_dropped(filling: bytes) -> None:
    """A library that reads JSON as it comes holds a string whole, and reads it anew with each piece of it."""
    thinner, piece = Thinner(), filling * 1000
    left = len(thinner.feed(b'{"result":{"events":[["'))
    tracemalloc.start()
    try:
        left += sum(len(thinner.feed(piece)) for _ in range(1000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert left < 100
    assert peak < 500_000


# --- through a node's client ---------------------------------------------------------------------------------------

Answers = Callable[[int], Iterable[bytes]]
"""Gets the number of a call, returns what is written to its caller."""
CALL = Call("block_results", {"height": "5"})
BIG = result(data="AQ==", events=["x" * 1000] * 1000)
LIMITS = LongLimits(octets=4_000_000, kept=10_000, seconds=20)


@asynccontextmanager
async def asking(answers: Answers, limits: LongLimits = LIMITS, head: str = "") -> AsyncIterator[NodeClient]:
    """A client, for which 10 kB are a long answer, of a node at a real port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(asked.split(b"content-length:")[1].split(b"\r\n")[0])
        number = json.loads(await reader.readexactly(length))["id"]
        writer.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n".encode())
        try:
            for piece in answers(number):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, NodeClient("the node", url, response_limit_bytes=10_000, long_limits=limits) as client:
        yield client


def saying(*found: Any) -> Answers:
    return lambda number: [answering(*found, number=number)]


def packed(*found: Any) -> Answers:
    return lambda number: [gzip.compress(answering(*found, number=number))]


@pytest.mark.parametrize(("answers", "head"), [(saying, ""), (packed, "Content-Encoding: gzip\r\n")])
async def test_results_that_are_too_long_are_thinned(answers: Callable[..., Answers], head: str) -> None:
    async with asking(answers(BIG, result(5)), head=head) as node:
        (found,) = await node.batch([CALL])
    assert isinstance(found, Thinned)
    assert [outcome_from_json(row).code for row in found["txs_results"]] == [0, 5]
    assert found["txs_results"][0]["events"] is None


async def test_results_of_usual_length_are_kept_whole() -> None:
    async with asking(saying(result(events=[{"type": "transfer"}]))) as node:
        (found,) = await node.batch([CALL])
    assert not isinstance(found, Thinned)
    assert found["txs_results"][0]["events"] == [{"type": "transfer"}]


async def test_only_results_are_thinned() -> None:
    async with asking(saying(BIG)) as node:
        with pytest.raises(TooLong):
            await node.batch([Call("block", {"height": "5"})])


async def test_claims_for_people_may_not_be_longer() -> None:
    async with asking(saying(BIG)) as node:
        with pytest.raises(TooLong):
            await node.results(5)


def first_long(then: Callable[[int], Iterable[bytes]]) -> Answers:
    """Answers at length when it is asked first, and then as told."""
    return lambda number: [answering(BIG, number=number)] if number == 1 else then(number)


def endless(begin: bytes, piece: bytes) -> Answers:
    def pieces(number: int) -> Iterator[bytes]:
        yield b'{"id":%d,"result":{' % number + begin
        while True:
            yield piece * 1000

    return first_long(pieces)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (endless(b'"finalize_block_events":["', b"x"), TooLong),
        (endless(b'"finalize_block_events":["', b"\\u003c"), TooLong),
        (endless(b'"finalize_block_events":[', b'{"key":"a"},'), TooLong),
        (endless(b'"finalize_block_events":[', b"["), Malformed),
        (endless(b'"txs_results":[', b'{"code":0},'), TooLong),
        (endless(b'"txs_results":[{"data":"', b"AAAA"), TooLong),
        (endless(b'"txs_results":[', b"["), Malformed),
        (endless(b'"', b"x"), Malformed),
        (first_long(lambda _: [answering(BIG, number=3)]), NodeUnavailable),
        (first_long(lambda _: [answering(BIG)[:-9]]), NodeUnavailable),
        (first_long(lambda _: [b"<html>"]), NodeUnavailable),
        (first_long(lambda _: []), NodeUnavailable),
        (first_long(lambda number: [b'{"id":%d,"result":[]}' % number]), Malformed),
        (first_long(lambda _: [b'{"error":{"data":"lowest height is 9"}}']), Pruned),
    ],
    ids=[
        "string", "escapes", "events", "brackets", "rows", "data", "rows in rows", "name", "number", "cut", "html",
        "nothing", "array", "error",
    ],
)  # fmt: skip
async def test_a_long_answer_of_another_form_is_none(
    answers: Answers, error: type[ChainError] | type[Malformed]
) -> None:
    async with asking(answers) as node:
        with pytest.raises(error):
            await node.batch([CALL])


async def test_a_long_answer_that_comes_to_no_end_is_left() -> None:
    limits = LIMITS._replace(octets=10**12, seconds=0.05)
    async with asking(endless(b'"x":["', b"x"), limits) as node:
        with pytest.raises(NodeUnavailable, match="no answer"):
            await node.batch([CALL])


class Packed(httpx.AsyncBaseTransport):
    """Answers every request with the same packed bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(self.content)
        )


def packed_node(content: bytes) -> NodeClient:
    return NodeClient(
        "the node",
        "http://node.test",
        transport=Packed(content),
        response_limit_bytes=100,
        long_limits=LIMITS,
    )


async def test_few_bytes_that_unpack_to_many_are_unpacked_in_pieces() -> None:
    bomb = gzip.compress(b'{"result":{"x":["' + bytes(40_000_000))
    node = packed_node(bomb)
    # By itself: the answer before it is refused, but httpx unpacks what came at a time whole.
    tracemalloc.start()
    try:
        with pytest.raises(TooLong):
            await node._long_results(CALL)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize(
    "content", [b"no gzip" * 100, gzip.compress(answering(BIG))[:-20]], ids=["none", "cut"]
)
async def test_what_cannot_be_unpacked_is_no_answer(content: bytes) -> None:
    with pytest.raises(NodeUnavailable):
        await packed_node(content)._long_results(CALL)


async def test_what_follows_the_packed_answer_is_not_read() -> None:
    content = gzip.compress(answering(BIG)) + bytes(1_000_000)
    assert isinstance(await packed_node(content)._long_results(CALL), Mapping)


async def test_others_have_their_turn_while_a_long_answer_is_read() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await packed_node(gzip.compress(answering(BIG)))._long_results(CALL)
    beside.cancel()
    assert turns > 200


class Slow(httpx.AsyncBaseTransport):
    """Begins each answer, and comes to its end only where one call is asked for again."""

    def __init__(self, begun_bytes: int) -> None:
        self.begun_bytes = begun_bytes
        self.asked: list[Any] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        document = json.loads(await request.aread())
        again = isinstance(document, dict) and self.asked.count(document["params"]) > 0
        self.asked += [document["params"]] if isinstance(document, dict) else []
        number = document["id"] if isinstance(document, dict) else 0
        return httpx.Response(
            200, stream=_Begun(answering(BIG, number=number), 0 if again else self.begun_bytes)
        )


class _Begun(httpx.AsyncByteStream):
    """Some white space and no end, or at once what is to be said."""

    def __init__(self, content: bytes, begun_bytes: int) -> None:
        self.content = content
        self.begun_bytes = begun_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.begun_bytes:
            yield b" " * self.begun_bytes
            await asyncio.Event().wait()
        yield self.content


def slow_node(begun_bytes: int) -> NodeClient:
    return NodeClient("the node", "http://node.test", transport=Slow(begun_bytes), timeout_seconds=0.1)


async def test_results_that_cannot_come_in_time_are_given_more() -> None:
    """A block's results of fifty megabytes took longer than any request may over the line of a small machine."""
    (found,) = await slow_node(2_000_000).batch([CALL])
    assert [outcome_from_json(row).code for row in found["txs_results"]] == [0]


async def test_a_batch_that_cannot_come_in_time_is_asked_in_parts() -> None:
    calls = [Call("block_results", {"height": str(height)}) for height in (5, 6)]
    assert len(await slow_node(2_000_000).batch(calls)) == 2


async def test_a_node_that_hangs_is_not_given_more() -> None:
    with pytest.raises(NodeUnavailable, match="no answer"):
        await slow_node(1000).batch([CALL])
