"""What fuzzing and hostile reading found, each with what it would have done."""

import gzip
import json
from typing import Any

import httpx
import pytest

from bot import buttons, fetch, inbox
from bot.transport import read_update
from chain.client import NodeClient
from chain.errors import NodeUnavailable
from tests.hostile.books import ME
from tests.hostile.mutation import placed
from tests.hostile.targets import TARGETS, message, schema

SAID = message("/send 5 @ben", [{"type": "bot_command", "offset": 0, "length": 5}])
MENTION = {
    "type": "text_mention",
    "offset": 0,
    "length": 3,
    "user": {"id": 22, "is_bot": False, "first_name": "B"},
}
MOVED = placed(SAID, ("message", "migrate_to_chat_id"), -1001)
TAP = {
    "id": "77",
    "from": SAID["message"]["from"],
    "chat_instance": "1",
    "data": "q.0",
    "message": {"message_id": 6, "date": 1, "chat": {"id": 11, "type": "private"}, "text": "?"},
}
TAPPED = {"update_id": 9, "callback_query": TAP}


@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(("text",), 5, id="a text that is a number has no UTF-16 length"),
        pytest.param(("text",), "/send \ud83d", id="half of a surrogate pair cannot be written down"),
        pytest.param(("chat", "title"), "\ud800", id="nor as the title of a group"),
        pytest.param(("chat", "title"), {"a": 1}, id="a title that is an object cannot be bound"),
        pytest.param(("from", "username"), "a\udc00", id="nor as a name"),
        pytest.param(("from", "username"), 5, id="a name that is a number has no lower case"),
        pytest.param(("from", "first_name"), None, id="a person without a name cannot be normalized"),
        pytest.param(("from", "is_bot"), "false", id="a bot is yes or no"),
        pytest.param(("entities", 0, "length"), "5", id="a length that is a text cannot be counted with"),
        pytest.param(("entities", 0, "offset"), 0.0, id="nor an offset that is a fraction"),
        pytest.param(("message_thread_id",), 2**70, id="a number beyond 64 bits cannot be bound"),
        pytest.param(("ephemeral_message_id",), {}, id="a number that is an object cannot be sent back"),
    ],
)
def test_an_update_with_a_value_of_another_form_is_poison(at: tuple[str | int, ...], value: Any) -> None:
    """Each raised behind the reader, in the unit that keeps the batch: the same batch came again for ever."""
    in_a_topic = placed(SAID, ("message", "is_topic_message"), True)
    _is_poison(placed(in_a_topic, ("message", *at), value))


@pytest.mark.parametrize("beyond", [2**63, -(2**70), True, 1.5])
def test_a_group_that_moves_to_no_number_is_poison(beyond: Any) -> None:
    """The number was bound to a statement: OverflowError in the lane."""
    _is_poison(placed(MOVED, ("message", "migrate_to_chat_id"), beyond))


@pytest.mark.parametrize(("key", "value"), [("data", "q\ud800"), ("data", 7), ("id", 5), ("id", "\udfff")])
def test_a_tap_with_a_value_of_another_form_is_poison(key: str, value: Any) -> None:
    _is_poison(placed(TAPPED, ("callback_query", key), value))


@pytest.mark.parametrize("date", [2**40, 2**50, 2**62, 2**63, -(2**62), 10**30, 1e308])
def test_a_date_beyond_every_calendar_is_poison(date: float) -> None:
    """Between what overflows and what is out of range there are dates for which the C library fails: OSError."""
    _is_poison(placed(SAID, ("message", "date"), date))


def test_an_update_of_the_usual_form_is_none() -> None:
    for document in (SAID, MOVED, TAPPED, placed(SAID, ("message", "entities", 0), MENTION)):
        arrival = fetch.read_arrival(document, read_update, ME.id)
        assert arrival is not None
        assert arrival.intent is not None


def _is_poison(document: Any) -> None:
    arrival = fetch.read_arrival(document, read_update, ME.id)
    assert arrival is not None
    assert arrival.intent is None
    schema().accept(inbox.store(schema(), [arrival])[1])
    TARGETS["update"](json.dumps(document).encode())


def test_a_forged_token_without_a_utf8_form_names_no_button() -> None:
    """The database cannot be asked for it: UnicodeEncodeError."""
    assert buttons.find(schema(), "q.0\ud800") is None


async def _asked(**answer: Any) -> tuple[NodeClient, NodeUnavailable | None]:
    """Ask a node that gives ``answer`` for its status, twice; return the client and what it raised."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, **answer))
    error: NodeUnavailable | None = None
    async with NodeClient("node 1", "http://node.example/", transport=transport) as node:
        for _ in range(2):
            try:
                await node.call("status")
            except NodeUnavailable as raised:
                error = raised
    return node, error


@pytest.mark.parametrize("packed", ["gzip, gzip", "gzip,gzip,gzip", "deflate", "br", "GZIP, identity"])
async def test_an_answer_that_is_packed_in_another_way_is_not_unpacked(packed: str) -> None:
    """666 bytes that are packed twice are 300 MB, and each further packing is a thousand times more."""
    bomb = gzip.compress(gzip.compress(bytes(2**20)))
    _, error = await _asked(headers={"Content-Encoding": packed}, stream=httpx.ByteStream(bomb))
    assert str(error) == "node 1: the answer is packed in another way than asked"


async def test_an_answer_that_is_packed_as_asked_is_read() -> None:
    packed = gzip.compress(b'{"id":1,"result":{}}')
    _, error = await _asked(headers={"Content-Encoding": "gzip"}, content=packed)
    assert "not to the call made" in str(error), "the second answer bears the first number"


async def test_a_node_leaves_no_cookies() -> None:
    """They were kept and sent back, without a limit to their number."""
    headers = [("Set-Cookie", f"c{number}={'x' * 3000}") for number in range(20)]
    node, _ = await _asked(headers=headers, json={"id": 1, "result": {}})
    assert list(node._http.cookies.jar) == []
