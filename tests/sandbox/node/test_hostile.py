"""Whatever bytes come: an answer with a code, never a crash, never coins from nowhere."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import cosmos
from chain.light import wire
from sandbox.node import SANDBOX_PARAMETERS, blocks, iavl
from sandbox.node.answers import Arguments, Face, RpcError
from sandbox.node.blockchain import Blockchain
from sandbox.node.decoding import decode_tx
from sandbox.node.faults import Faults
from sandbox.node.node import begin
from sandbox.node.people import Purse
from sandbox.node.refusal import Refusal
from tests.sandbox.node.conftest import ManualClock, grow
from tests.sandbox.node.drafts import draft, execute, grant, multi_send, send


def _chain() -> Blockchain:
    clock = ManualClock()
    chain = Blockchain(begin(SANDBOX_PARAMETERS, clock.now()), clock, random.Random(1))
    grow(chain, clock, 3)
    return chain


CHAIN = _chain()
FAUCET = Purse("faucet", SANDBOX_PARAMETERS)
OTHER = Purse("other", SANDBOX_PARAMETERS)
MESSAGES = [
    send(FAUCET, OTHER.address),
    multi_send(FAUCET, [(OTHER.address, 3)]),
    execute(FAUCET, send(FAUCET, OTHER.address)),
    grant(FAUCET, OTHER, limit=5),
]


def total(chain: Blockchain, version: Any) -> int:
    return sum(
        int(value) for key, value in iavl.prefixed(version.trees["bank"], b"\x02") if key.endswith(b"ujuno")
    )


def run(encoded: bytes) -> Blockchain:
    """Include ``encoded`` unchecked in a block of a chain of its own."""
    clock = ManualClock()
    other = CHAIN.branch(CHAIN.height + 1, CHAIN.council)
    other.forced.append(encoded)
    grow(other, clock)
    return other


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(encoded: bytes) -> None:
    assert _read(encoded) in {0, 2, 18}


def _read(encoded: bytes) -> int:
    try:
        decode_tx(encoded)
    except Refusal as refusal:
        return refusal.code
    return 0


@given(st.sampled_from(MESSAGES), st.data())
def test_changed_bytes_move_nothing(message: Any, data: st.DataObject) -> None:
    """A byte changed anywhere: refused, and what is written of it can be read again."""
    encoded = bytearray(draft(CHAIN, FAUCET, message).sign())
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    chain = run(bytes(encoded))
    block = chain.block(chain.height)
    assert block.results[-1].outcome.code != 0
    assert total(chain, chain.latest()) == total(CHAIN, CHAIN.latest())
    assert blocks.load(blocks.dump(block)) == block


@given(st.binary(min_size=1, max_size=40), st.binary(max_size=20), st.text(max_size=20))
def test_signed_nonsense_is_refused(text: bytes, amount: bytes, denom: str) -> None:
    """Rightly signed, but with anything for an address, an amount and a denom."""
    coin = wire.octets(1, denom.encode(errors="ignore")) + wire.octets(2, amount)
    message = wire.octets(1, FAUCET.address.encode()) + wire.octets(2, text) + wire.message(3, coin)
    packed = wire.octets(1, cosmos.MSG_SEND_URL.encode()) + wire.octets(2, message)
    unsigned = draft(CHAIN, FAUCET).but(messages=(packed,))
    chain = run(unsigned.sign())
    assert chain.block(chain.height).results[-1].outcome.code != 0


def test_messages_are_not_nested_without_end() -> None:
    message = send(FAUCET, OTHER.address)
    for _ in range(2000):
        message = execute(FAUCET, message)
    with pytest.raises(Refusal) as refused:
        decode_tx(draft(CHAIN, FAUCET, message).sign())
    assert refused.value.code == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
PARAMETERS = st.dictionaries(
    st.sampled_from(
        ["height", "data", "path", "tx", "hash", "query", "page", "per_page", "minHeight", "prove"]
    ),
    JSON | st.sampled_from(["1", "-1", "99999999999999999999", "/store/bank/key", "00", "0x"]),
)
FACE = Face(CHAIN, Faults())


@given(st.sampled_from(sorted(FACE.methods)), PARAMETERS, st.booleans())
def test_any_parameters_are_answered(method: str, params: dict[str, Any], by_url: bool) -> None:
    assert _answer(method, Arguments(params, by_url=by_url)) in {0, -32602, -32603}


def _answer(method: str, given_by: Arguments) -> int:
    try:
        json.dumps(FACE.methods[method](given_by))
    except RpcError as error:
        return error.code
    return 0
