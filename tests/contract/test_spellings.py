"""Bytes that mean something else than they seem to: what the chain makes of them decides what may be believed."""

import pytest

from chain import cosmos
from chain.light import wire
from tests.contract.conftest import RICHES
from tests.contract.node import DENOM, Node
from tests.contract.signing import Draft, Person, body_of, multi_send, spelled_send, with_memo_bytes

MOVED = {
    "010": 8,
    "0o10": 8,
    "0x7": 7,
    "0X1f": 31,
    "0b11": 3,
    "1_000": 1000,
    "+7": 7,
    "0100000000": 16_777_216,
    "0_7": 7,
}
"""Amounts are parsed in base 0 (chain.md, Deposits 3)."""

FIELD_1024 = b"\x82\x40\x01x"
"""One byte of content under that field's number."""

UNREADABLE = ("1.0", "1e3", " 7", "7 ", "٣", "09", "--7", "1__0", "ujuno")


@pytest.mark.parametrize(("spelling", "moved"), MOVED.items())
def test_an_odd_amount_moves_what_base_0_says(
    node: Node, draft: Draft, bob: Person, spelling: str, moved: int
) -> None:
    inclusion = node.include(draft.sign(body_of(spelled_send(draft.signer.address, bob.address, spelling))))
    assert inclusion.code == 0, inclusion.result
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + moved


@pytest.mark.parametrize("spelling", UNREADABLE)
def test_an_unreadable_amount_is_no_transaction(node: Node, draft: Draft, bob: Person, spelling: str) -> None:
    raw = draft.sign(body_of(spelled_send(draft.signer.address, bob.address, spelling)))
    assert node.broadcast(raw)["code"] == 2


def test_an_absent_amount_fails_in_the_block(node: Node, draft: Draft, bob: Person) -> None:
    """It passes the ante, and the chain stumbles over it: a recovered panic has this code."""
    inclusion = node.include(draft.sign(body_of(spelled_send(draft.signer.address, bob.address, ""))))
    assert (inclusion.codespace, inclusion.code) == ("undefined", 111_222)


def test_a_negative_amount_moves_nothing(node: Node, draft: Draft, bob: Person) -> None:
    inclusion = node.include(draft.sign(body_of(spelled_send(draft.signer.address, bob.address, "-7"))))
    assert inclusion.code == 10
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES


def test_a_memo_need_not_be_text(node: Node, draft: Draft, bob: Person) -> None:
    body = with_memo_bytes(body_of(spelled_send(draft.signer.address, bob.address, "5")), b"\xff\xfe12345")
    inclusion = node.include(draft.sign(body))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + 5


def test_a_memo_that_is_no_text_raises_here(draft: Draft, bob: Person) -> None:
    body = with_memo_bytes(body_of(spelled_send(draft.signer.address, bob.address, "5")), b"\xff")
    with pytest.raises(cosmos.Undecodable):
        cosmos.decode(cosmos.TxBody, body)


def test_of_two_recipients_the_last_is_paid(node: Node, draft: Draft, alice: Person, bob: Person) -> None:
    send = spelled_send(alice.address, alice.address, "9")
    send.value += wire.octets(2, bob.address.encode())
    inclusion = node.include(draft.sign(body_of(send)))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + 9
    assert cosmos.decode(cosmos.MsgSend, send.value).to_address == bob.address


def test_of_two_amounts_in_a_coin_the_last_moves(
    node: Node, draft: Draft, alice: Person, bob: Person
) -> None:
    coin = wire.octets(1, DENOM.encode()) + wire.octets(2, b"1000000") + wire.octets(2, b"4")
    value = (
        wire.octets(1, alice.address.encode()) + wire.octets(2, bob.address.encode()) + wire.octets(3, coin)
    )
    inclusion = node.include(draft.sign(body_of(cosmos.Packed(type_url=cosmos.MSG_SEND_URL, value=value))))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + 4


def test_of_two_memos_the_last_counts(node: Node, draft: Draft, bob: Person) -> None:
    """The ante measures the last memo: a first one beyond the limit is nobody's."""
    body = wire.octets(2, b"x" * 300) + with_memo_bytes(
        body_of(spelled_send(draft.signer.address, bob.address, "5")), b"12345"
    )
    assert cosmos.decode(cosmos.TxBody, body).memo == "12345"
    assert node.include(draft.sign(body)).code == 0


def test_an_unknown_field_is_let_through_where_the_chain_calls_it_uncritical(
    node: Node, draft: Draft, bob: Person
) -> None:
    """In a body, numbers from 1024 on are for extensions that may be ignored."""
    body = body_of(spelled_send(draft.signer.address, bob.address, "5")) + FIELD_1024
    inclusion = node.include(draft.sign(body))
    assert inclusion.code == 0
    assert cosmos.decode(cosmos.TxBody, body).messages


def test_coins_out_of_order_are_refused_in_the_block(node: Node, draft: Draft, bob: Person) -> None:
    coins = cosmos.coins([("uother", 1), (DENOM, 1)])
    send = cosmos.MsgSend(from_address=draft.signer.address, to_address=bob.address, amount=coins)
    assert node.include(draft.sign(body_of(cosmos.pack(cosmos.MSG_SEND_URL, send)))).code == 10


def test_a_denom_twice_in_one_send_is_refused_in_the_block(node: Node, draft: Draft, bob: Person) -> None:
    coins = cosmos.coins([(DENOM, 1), (DENOM, 1)])
    send = cosmos.MsgSend(from_address=draft.signer.address, to_address=bob.address, amount=coins)
    assert node.include(draft.sign(body_of(cosmos.pack(cosmos.MSG_SEND_URL, send)))).code == 10


def test_multi_send_whose_sums_differ_is_refused_in_the_block(node: Node, draft: Draft, bob: Person) -> None:
    packed = multi_send(draft.signer.address, [(bob.address, 5)])
    message = cosmos.decode(cosmos.MsgMultiSend, packed.value)
    message.inputs[0].coins[0].amount = "6"
    inclusion = node.include(draft.sign(body_of(cosmos.pack(cosmos.MSG_MULTI_SEND_URL, message))))
    assert (inclusion.codespace, inclusion.code) == ("bank", 4)
