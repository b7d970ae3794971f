"""What transactions cost: fees are charged on the limit, so a limit that is too low loses money (chain.md, Withdrawals)."""

from collections.abc import Sequence

import pytest

from chain import cosmos
from tests.contract.node import DENOM, Node
from tests.contract.signing import Draft, Person, body_of, multi_send

MEASURED_SEND = 72_000
MEASURED_SEND_TO_NEW = 86_000
MEASURED_NEXT_SEND = 18_000
MEASURED_MULTI_SEND = {2: (80_000, 107_000), 10: (149_000, 284_000), 50: (496_000, 1_168_000)}
"""Outputs: to accounts that exist, and to new ones."""
BAND = 0.15
"""How far from the numbers of Juno itself, which has some more decorators and modules, both nodes may be."""


def _strangers(name: str, count: int) -> list[str]:
    return [Person.named(f"{name} {number}").address for number in range(count)]


def _multi(node: Node, draft: Draft, recipients: Sequence[str]) -> int:
    message = multi_send(draft.signer.address, [(recipient, 1) for recipient in recipients])
    inclusion = node.include(draft.but(gas=2_000_000).sign(body_of(message)))
    assert inclusion.code == 0, inclusion.result
    return inclusion.gas_used


def test_a_send(node: Node, draft: Draft, bob: Person) -> None:
    assert node.include(draft.send(bob.address, 1)).gas_used == pytest.approx(MEASURED_SEND, rel=BAND)


def test_a_send_to_a_new_address(node: Node, draft: Draft) -> None:
    used = node.include(draft.send(_strangers("gas", 1)[0], 1)).gas_used
    assert used == pytest.approx(MEASURED_SEND_TO_NEW, rel=BAND)


@pytest.mark.parametrize("outputs", MEASURED_MULTI_SEND)
def test_a_multi_send(node: Node, draft: Draft, outputs: int) -> None:
    """First to new addresses; then they exist."""
    strangers = _strangers(f"gas {outputs}", outputs)
    to_new = _multi(node, draft, strangers)
    to_existing = _multi(node, draft.next(), strangers)
    assert (to_existing, to_new) == pytest.approx(MEASURED_MULTI_SEND[outputs], rel=BAND)


def test_a_further_send_in_the_same_transaction(node: Node, draft: Draft, bob: Person) -> None:
    sends = [cosmos.msg_send(draft.signer.address, bob.address, [(DENOM, 1)]) for _ in range(5)]
    one = node.include(draft.send(bob.address, 1)).gas_used
    five = node.include(draft.next().but(gas=400_000).sign(body_of(*sends))).gas_used
    assert (five - one) / 4 == pytest.approx(MEASURED_NEXT_SEND, rel=0.3)


def test_the_limit_of_one_send_holds_with_the_longest_memo(node: Node, draft: Draft) -> None:
    inclusion = node.include(draft.send(_strangers("memo", 1)[0], 10**6, memo="x" * 256))
    assert inclusion.code == 0
    assert inclusion.gas_used < draft.gas
