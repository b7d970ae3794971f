"""How the chain reads bytes that a library would read differently."""

import pytest

from chain import cosmos
from chain.light import wire
from sandbox.node.blockchain import rehashed
from sandbox.node.decoding import NO_AMOUNT, Coin, Send, decode_tx, parse_amount
from sandbox.node.refusal import Refusal

READ_AS = {
    "0": 0,
    "1": 1,
    "010": 8,
    "0100000000": 16_777_216,
    "0x7": 7,
    "0X1f": 31,
    "0b11": 3,
    "0o17": 15,
    "1_000": 1000,
    "0x_ff": 255,
    "0_7": 7,
    "+7": 7,
    "-5": -5,
    "-0x10": -16,
    str(2**256 - 1): 2**256 - 1,
}
UNREADABLE = [
    "",
    " 1",
    "1 ",
    "1__0",
    "_1",
    "1_",
    "08",
    "0x",
    "0b2",
    "1.0",
    "1e3",
    "\uff11",
    "ten",
    "++1",
    str(2**256),
]


@pytest.mark.parametrize("spelling", READ_AS)
def test_amounts_are_read_in_base_0(spelling: str) -> None:
    assert parse_amount(spelling) == READ_AS[spelling]


@pytest.mark.parametrize("spelling", UNREADABLE)
def test_an_unreadable_amount_is_a_parse_error(spelling: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_amount(spelling)
    assert refused.value.code == 2


MESSAGE = cosmos.encode(cosmos.msg_send("from", "to", [("ujuno", 5)]))
OTHER = cosmos.encode(cosmos.msg_send("from", "elsewhere", [("ujuno", 9)]))


def _far(field: int) -> bytes:
    return wire.varint(field << 3 | 2) + wire.delimited(b"?")


def _raw(body: bytes = wire.message(1, MESSAGE), auth_info: bytes = b"") -> bytes:
    return wire.octets(1, body) + wire.octets(2, auth_info) + wire.message(3, b"signature")


def test_a_send_is_read() -> None:
    assert decode_tx(_raw()).messages == (Send("from", "to", (Coin("ujuno", 5),)),)


def test_of_two_bodies_the_last_counts() -> None:
    tx = decode_tx(wire.octets(1, wire.message(1, OTHER)) + _raw())
    assert tx.messages == (Send("from", "to", (Coin("ujuno", 5),)),)


def test_a_rehashed_transaction_reads_the_same() -> None:
    before, after = decode_tx(_raw()), decode_tx(rehashed(_raw()))
    assert (before.body, before.messages, before.signatures) == (after.body, after.messages, after.signatures)
    assert before.encoded != after.encoded


def test_of_two_memos_the_last_counts() -> None:
    body = wire.message(1, MESSAGE) + wire.octets(2, b"first") + wire.octets(2, b"last")
    assert decode_tx(_raw(body)).memo == b"last"


def test_a_memo_need_not_be_text() -> None:
    assert decode_tx(_raw(wire.message(1, MESSAGE) + wire.octets(2, b"\xff\xfe"))).memo == b"\xff\xfe"


def test_duplicates_of_an_embedded_message_are_merged() -> None:
    fee = wire.message(2, wire.integer(2, 7)) + wire.message(2, wire.octets(3, b"payer"))
    tx = decode_tx(_raw(auth_info=fee))
    assert (tx.gas_limit, tx.payer) == (7, "payer")


def test_a_coin_without_an_amount() -> None:
    coin = wire.message(3, wire.octets(1, b"ujuno"))
    body = wire.message(1, wire.octets(1, b"/cosmos.bank.v1beta1.MsgSend") + wire.octets(2, coin))
    (message,) = decode_tx(_raw(body)).messages
    assert isinstance(message, Send)
    assert message.coins == (Coin("ujuno", NO_AMOUNT),)


def test_a_non_critical_field_of_the_body_is_let_through() -> None:
    assert decode_tx(_raw(wire.message(1, MESSAGE) + _far(1024))).messages


BROKEN = {
    "no protobuf": b"\xff",
    "nothing": b"",
    "cut": _raw()[:-1],
    "fields out of order": wire.message(3, b"s") + wire.message(1, b""),
    "an unknown field": _raw() + wire.octets(9, b"x"),
    "an unknown critical field of the body": _raw(wire.message(1, MESSAGE) + _far(100)),
    "an unknown message": _raw(wire.message(1, wire.octets(1, b"/no.such.Msg"))),
    "a long varint": b"\x0a\x81\x00" + b"x",
    "a number where bytes belong": b"\x08\x01",
    "a group": b"\x0b\x0c",
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_bytes_are_refused(what: str) -> None:
    with pytest.raises(Refusal) as refused:
        decode_tx(BROKEN[what])
    assert refused.value.code == (18 if what == "nothing" else 2)
