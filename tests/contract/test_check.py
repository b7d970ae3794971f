"""What the ante check refuses before anything is in a block, and with which code (chain.md, Withdrawals)."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from chain import cosmos
from chain.light import wire
from chain.wallet import tx_hash
from tests.contract.conftest import RICHES
from tests.contract.node import DENOM, Node, RpcError
from tests.contract.signing import Account, Draft, Person, body_of, floor


class Wrong(NamedTuple):
    """One fault, the code that names it, and the transaction that has it."""

    fault: str
    code: int
    raw: Callable[[Draft, str, int], bytes]
    """Made from a good draft, a recipient, and the latest height."""


def _number(draft: Draft, difference: int) -> Draft:
    return draft.but(account=Account(draft.account.number + difference, draft.account.sequence))


def _sequence(draft: Draft, difference: int) -> Draft:
    return draft.but(account=Account(draft.account.number, draft.account.sequence + difference))


def _broken_signature(draft: Draft, to: str, _: int) -> bytes:
    tx = cosmos.decode(cosmos.TxRaw, draft.send(to, 1))
    tx.signatures[0] = tx.signatures[0][:-1] + bytes([tx.signatures[0][-1] ^ 1])
    return cosmos.encode(tx)


def _other_key(draft: Draft, to: str, _: int) -> bytes:
    body = body_of(cosmos.msg_send(draft.signer.address, to, [(DENOM, 1)]))
    thief = draft.but(signer=Person.named("thief"))
    return thief.sign(body)


def _unsigned(draft: Draft, to: str, _: int) -> bytes:
    tx = cosmos.decode(cosmos.TxRaw, draft.send(to, 1))
    del tx.signatures[:]
    return cosmos.encode(tx)


def _with_unknown_field(draft: Draft, to: str, _: int) -> bytes:
    body = body_of(cosmos.msg_send(draft.signer.address, to, [(DENOM, 1)]))
    return draft.sign(body + wire.octets(15, b"x"))


def _with_unknown_message(draft: Draft, _: str, __: int) -> bytes:
    return draft.sign(body_of(cosmos.pack("/cosmos.bank.v1beta1.MsgNothing", cosmos.TxBody())))


def _fields_out_of_order(draft: Draft, to: str, _: int) -> bytes:
    tx = cosmos.decode(cosmos.TxRaw, draft.send(to, 1))
    return (
        wire.octets(2, tx.auth_info_bytes) + wire.octets(1, tx.body_bytes) + wire.octets(3, tx.signatures[0])
    )


def _from_other_denom(draft: Draft, to: str, _: int) -> bytes:
    info = cosmos.decode(cosmos.AuthInfo, draft.auth_info())
    info.fee.amount[0].denom = "unobody"
    body = body_of(cosmos.msg_send(draft.signer.address, to, [(DENOM, 1)]))
    return cosmos.encode(
        cosmos.TxRaw(body_bytes=body, auth_info_bytes=cosmos.encode(info), signatures=[b"x" * 64])
    )


WRONG = (
    Wrong("bytes that are no transaction", 2, lambda *_: b"no transaction"),
    Wrong("a field that nobody knows", 2, _with_unknown_field),
    Wrong("a message that nobody knows", 2, _with_unknown_message),
    Wrong("fields of TxRaw out of order", 2, _fields_out_of_order),
    Wrong("another chain id", 4, lambda draft, to, _: draft.but(chain_id="juno-2").send(to, 1)),
    Wrong("another account number", 4, lambda draft, to, _: _number(draft, 1).send(to, 1)),
    Wrong("a signature that does not hold", 4, _broken_signature),
    Wrong("a fee that cannot be paid", 5, lambda draft, to, _: draft.but(fee=RICHES + 1).send(to, 1)),
    Wrong("the key of somebody else", 8, _other_key),
    Wrong("no gas for the ante itself", 11, lambda draft, to, _: draft.but(gas=30_000).send(to, 1)),
    Wrong("a memo of 257 bytes", 12, lambda draft, to, _: draft.send(to, 1, memo="é" * 128 + "x")),
    Wrong("a fee below the floor", 13, lambda draft, to, _: draft.but(fee=floor(draft.gas) - 1).send(to, 1)),
    Wrong("no fee", 13, lambda draft, to, _: draft.but(fee=0).send(to, 1)),
    Wrong("a fee in another denom", 13, _from_other_denom),
    Wrong("no signature", 15, _unsigned),
    Wrong("no message", 18, lambda draft, _, __: draft.sign(body_of())),
    Wrong("a timeout in the past", 30, lambda draft, to, now: draft.send(to, 1, timeout_height=now - 1)),
    Wrong("a sequence to come", 32, lambda draft, to, _: _sequence(draft, 1).send(to, 1)),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.fault)
def test_refused(node: Node, draft: Draft, bob: Person, wrong: Wrong) -> None:
    answer = node.broadcast(wrong.raw(draft, bob.address, node.height()))
    assert (answer["codespace"], answer["code"]) == ("sdk", wrong.code), answer["log"]


def test_refused_bytes_use_no_sequence(node: Node, draft: Draft, bob: Person) -> None:
    assert node.broadcast(draft.but(fee=0).send(bob.address, 1))["code"] == 13
    assert node.include(draft.send(bob.address, 1)).code == 0


def test_a_payer_without_an_account_is_unknown(node: Node, bob: Person) -> None:
    stranger = Draft(Person.named("has nothing"), node.chain_id, Account(0, 0))
    assert node.broadcast(stranger.send(bob.address, 1))["code"] == 9


def test_a_used_sequence_names_both_in_its_log(node: Node, draft: Draft, bob: Person) -> None:
    node.include(draft.send(bob.address, 1))
    answer = node.broadcast(draft.send(bob.address, 2))
    assert answer["code"] == 32
    assert "account sequence mismatch, expected 1, got 0" in answer["log"]


def test_the_check_counts_what_waits(node: Node, draft: Draft, bob: Person) -> None:
    """A second transaction may follow at once with the next sequence, and only with that."""
    first, again, second = (
        draft.send(bob.address, 1),
        draft.send(bob.address, 2),
        draft.next().send(bob.address, 3),
    )
    before = node.accepted(first)
    codes = node.broadcast(again)["code"], node.broadcast(second)["code"]
    assert codes == (32, 0)
    assert node.find(second, before).code == 0


def test_the_same_bytes_again_are_known_to_the_cache(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, 1)
    node.accepted(raw)
    with pytest.raises(RpcError) as refused:
        node.broadcast(raw)
    assert (refused.value.code, refused.value.reason) == (-32603, "tx already exists in cache")


def test_included_bytes_stay_known_to_the_cache(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, 1)
    node.include(raw)
    with pytest.raises(RpcError, match="tx already exists in cache"):
        node.broadcast(raw)


def test_refused_bytes_may_come_again(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.but(fee=0).send(bob.address, 1)
    assert [node.broadcast(raw)["code"] for _ in range(2)] == [13, 13]


def test_the_answer_names_the_hash_of_the_bytes(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, 1)
    assert node.broadcast(raw)["hash"] == tx_hash(raw)
