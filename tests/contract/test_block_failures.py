"""What fails in a block: the same codes mean other things there (chain.md, Withdrawals)."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from chain.address import encode, module_address
from tests.contract.conftest import RICHES
from tests.contract.node import Inclusion, Node
from tests.contract.signing import PREFIX, Draft, Person, floor

BLOCKED = encode(PREFIX, module_address("bonded_tokens_pool"))
NO_ADDRESS = "juno1nobody"
OTHER_CHAIN = encode("cosmos", bytes(20))
ATTEMPTS = 5


class Failing(NamedTuple):
    """A transaction that passes the ante and fails behind it."""

    fault: str
    code: int
    raw: Callable[[Draft, str], bytes]


FAILING = (
    Failing("the recipient is blocked", 4, lambda draft, _: draft.send(BLOCKED, 1)),
    Failing("the amount cannot be paid", 5, lambda draft, to: draft.send(to, RICHES)),
    Failing("the recipient is no address", 7, lambda draft, _: draft.send(NO_ADDRESS, 1)),
    Failing("the recipient is of another chain", 7, lambda draft, _: draft.send(OTHER_CHAIN, 1)),
    Failing("an amount of nothing", 10, lambda draft, to: draft.send(to, 0)),
    Failing("the gas runs out", 11, lambda draft, to: draft.but(gas=60_000).send(to, 1)),
)


@pytest.fixture(params=FAILING, ids=lambda failing: failing.fault)
def failing(request: pytest.FixtureRequest) -> Failing:
    """Return each fault in turn."""
    chosen: Failing = request.param
    return chosen


def test_it_has_its_code_and_still_costs_fee_and_sequence(
    node: Node, draft: Draft, alice: Person, bob: Person, failing: Failing
) -> None:
    raw = failing.raw(draft, bob.address)
    inclusion = node.include(raw)
    assert (inclusion.codespace, inclusion.code) == ("sdk", failing.code), inclusion.result
    left = node.balance(alice.raw_address, height=inclusion.height)
    assert left == RICHES - int(inclusion.result["gas_wanted"]) * 75 // 1000
    assert node.account(alice.raw_address, height=inclusion.height).sequence == draft.account.sequence + 1


def test_a_fee_that_an_earlier_transaction_spent_leaves_the_sequence(
    node: Node, rich: Callable[[], Person], bob: Person
) -> None:
    draft, (spent, failed), _ = _together(node, rich, bob, _spend_then_fail)
    assert [spent.code, failed.code] == [0, 5]
    signer = draft.signer.raw_address
    assert node.account(signer, height=failed.height).sequence == draft.account.sequence + 1
    assert node.balance(signer, height=failed.height) == 1


def test_bytes_that_failed_in_the_ante_can_succeed_in_a_later_block(
    node: Node, rich: Callable[[], Person], bob: Person
) -> None:
    draft, (_, failed), (_, raw) = _together(node, rich, bob, _spend_then_fail)
    friend = rich()
    donor = Draft(friend, node.chain_id, node.account(friend.raw_address))
    node.include(donor.send(draft.signer.address, 5_000_000))
    again = node.find(raw, node.accepted(raw))
    assert (failed.code, again.code) == (5, 0)
    assert node.account(draft.signer.raw_address, height=again.height).sequence == draft.account.sequence + 2


def test_a_sequence_whose_predecessor_failed_is_wrong_in_the_block(
    node: Node, rich: Callable[[], Person], bob: Person
) -> None:
    """The check counted on a transaction whose fee then could not be paid, so the one behind it comes too early."""
    draft, found, _ = _together(node, rich, bob, _fail_then_follow)
    assert [each.code for each in found] == [0, 5, 32]
    account = node.account(draft.signer.raw_address, height=found[-1].height)
    assert account.sequence == draft.account.sequence + 1


def test_the_timeout_height_itself_is_still_good(node: Node, draft: Draft, bob: Person) -> None:
    def included() -> Inclusion | None:
        height = _fresh_height(node)
        raw = draft.send(bob.address, 1, timeout_height=height + 1)
        found = node.seek(raw, height, blocks=2) if node.broadcast(raw)["code"] == 0 else None
        return found if found and found.height == height + 1 else None

    assert node.wait(included, "an inclusion at the timeout height").code == 0


def test_a_timeout_that_passes_between_check_and_block_leaves_the_sequence(
    node: Node, draft: Draft, alice: Person, bob: Person
) -> None:
    """A transaction with the latest height as its timeout passes the check, and always comes too late."""

    def included() -> Inclusion | None:
        height = _fresh_height(node)
        raw = draft.send(bob.address, 1, timeout_height=height)
        return node.seek(raw, height, blocks=2) if node.broadcast(raw)["code"] == 0 else None

    inclusion = node.wait(included, "an inclusion past the timeout height")
    assert inclusion.code == 30
    assert node.account(alice.raw_address, height=inclusion.height).sequence == draft.account.sequence
    assert node.balance(alice.raw_address, height=inclusion.height) == RICHES


def _fresh_height(node: Node) -> int:
    """Wait for the next block and return its height: there is a whole block's time to be included behind it."""
    height = node.height() + 1
    node.wait_height(height)
    return height


def _spend_then_fail(draft: Draft, to: str) -> tuple[bytes, ...]:
    """Spend all but one ujuno, and then something that could be paid before."""
    return draft.send(to, RICHES - floor(draft.gas) - 1), draft.next().send(to, 1)


def _fail_then_follow(draft: Draft, to: str) -> tuple[bytes, ...]:
    """Leave one usual fee; then a transaction that costs two, then one that costs one."""
    dear = draft.next().but(fee=2 * draft.fee_amount)
    first = draft.send(to, RICHES - 2 * draft.fee_amount)
    return first, dear.send(to, 1), dear.next().but(fee=None).send(to, 1)


def _together(
    node: Node, rich: Callable[[], Person], to: Person, compose: Callable[[Draft, str], tuple[bytes, ...]]
) -> tuple[Draft, list[Inclusion], tuple[bytes, ...]]:
    """Get transactions of a fresh person into one block.

    A block that is made between two of them makes the node forget the later ones: then somebody else tries.
    """
    for _ in range(ATTEMPTS):
        person = rich()
        draft = Draft(person, node.chain_id, node.account(person.raw_address))
        raws = compose(draft, to.address)
        before = _fresh_height(node)
        codes = [answer["code"] for answer in node.broadcast_all(raws)]
        found = [node.seek(raw, before, blocks=3) for raw in raws] if not any(codes) else []
        if found and None not in found:
            return draft, [each for each in found if each], raws
    raise AssertionError(f"not in one block in {ATTEMPTS} attempts")
