"""State proofs of balances and accounts against the header that validators signed (chain.md, Deposits 2)."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from chain.coins import stored_amount
from chain.light.errors import Unproven
from chain.light.header import Header
from chain.light.proof import ProofOp, ops_from_json, verify_membership, verify_non_membership
from tests.contract.conftest import RICHES
from tests.contract.node import DENOM, UNLISTED, Node, account_key, balance_key
from tests.contract.signing import Draft, Person

BANK, ACC = "bank", "acc"


class Proved(NamedTuple):
    """An answer with a proof, and the application hash that it must lead to."""

    key: bytes
    value: bytes
    ops: tuple[ProofOp, ...]
    app_hash: bytes


def _ask(node: Node, store: str, key: bytes, height: int) -> Proved:
    response: dict[str, Any] = node.query(f"/store/{store}/key", key, height=height, prove=True)
    assert int(response["height"]) == height
    node.wait_height(height + 1)
    header = Header.from_json(node.call("block", height=str(height + 1))["block"]["header"])
    return Proved(
        key, b64decode(response["value"] or ""), ops_from_json(response["proofOps"]), header.app_hash
    )


@pytest.fixture
def paid(node: Node, draft: Draft, bob: Person) -> int:
    """Return a height after which alice has paid bob, and signed once."""
    return node.include(draft.send(bob.address, 1)).height


def test_a_balance_is_proved(node: Node, paid: int, bob: Person) -> None:
    answer = _ask(node, BANK, balance_key(bob.raw_address, DENOM), paid)
    assert stored_amount(answer.value) == RICHES + 1
    verify_membership(answer.ops, answer.app_hash, BANK, answer.key, answer.value)


def test_a_balance_of_the_height_before_is_proved_by_its_own_header(
    node: Node, paid: int, bob: Person
) -> None:
    answer = _ask(node, BANK, balance_key(bob.raw_address, DENOM), paid - 1)
    assert stored_amount(answer.value) == RICHES
    verify_membership(answer.ops, answer.app_hash, BANK, answer.key, answer.value)


def test_an_account_is_proved(node: Node, paid: int, alice: Person) -> None:
    answer = _ask(node, ACC, account_key(alice.raw_address), paid)
    verify_membership(answer.ops, answer.app_hash, ACC, answer.key, answer.value)
    assert node.account(alice.raw_address, height=paid).sequence == 1


ABSENT: dict[str, tuple[str, Callable[[Person], bytes]]] = {
    "a denom that somebody does not own": (BANK, lambda bob: balance_key(bob.raw_address, UNLISTED)),
    "a denom before all others": (BANK, lambda bob: balance_key(bob.raw_address, "aaa")),
    "an address without coins": (BANK, lambda _: balance_key(Person.named("poor").raw_address, DENOM)),
    "a key before all of the store": (BANK, lambda _: b"\x00"),
    "a key behind all of the store": (BANK, lambda _: b"\xff"),
    "an account that never was": (ACC, lambda _: account_key(Person.named("poor").raw_address)),
}


@pytest.mark.parametrize("what", ABSENT)
def test_absence_is_proved(node: Node, paid: int, bob: Person, what: str) -> None:
    store, key = ABSENT[what]
    answer = _ask(node, store, key(bob), paid)
    assert answer.value == b""
    verify_non_membership(answer.ops, answer.app_hash, store, answer.key)


def test_another_amount_is_not_proved(node: Node, paid: int, bob: Person) -> None:
    answer = _ask(node, BANK, balance_key(bob.raw_address, DENOM), paid)
    with pytest.raises(Unproven):
        verify_membership(answer.ops, answer.app_hash, BANK, answer.key, b"9" + answer.value)


def test_a_proof_is_no_proof_of_another_height(node: Node, paid: int, bob: Person) -> None:
    key = balance_key(bob.raw_address, DENOM)
    now, before = _ask(node, BANK, key, paid), _ask(node, BANK, key, paid - 1)
    with pytest.raises(Unproven):
        verify_membership(before.ops, now.app_hash, BANK, key, before.value)


def test_a_proof_is_no_proof_of_another_key(node: Node, paid: int, alice: Person, bob: Person) -> None:
    answer = _ask(node, BANK, balance_key(bob.raw_address, DENOM), paid)
    with pytest.raises(Unproven):
        verify_membership(
            answer.ops, answer.app_hash, BANK, balance_key(alice.raw_address, DENOM), answer.value
        )


def test_a_present_key_cannot_be_proved_absent(node: Node, paid: int, bob: Person) -> None:
    present = _ask(node, BANK, balance_key(bob.raw_address, DENOM), paid)
    absent = _ask(node, BANK, balance_key(bob.raw_address, UNLISTED), paid)
    for ops in (present.ops, absent.ops):
        with pytest.raises(Unproven):
            verify_non_membership(ops, present.app_hash, BANK, present.key)


@pytest.mark.parametrize("step", [0, 1])
def test_a_changed_proof_proves_nothing(node: Node, paid: int, bob: Person, step: int) -> None:
    answer = _ask(node, BANK, balance_key(bob.raw_address, DENOM), paid)
    octets = bytearray(answer.ops[step].proof)
    octets[-1] ^= 1
    changed = [*answer.ops]
    changed[step] = answer.ops[step]._replace(proof=bytes(octets))
    with pytest.raises(Unproven):
        verify_membership(changed, answer.app_hash, BANK, answer.key, answer.value)
