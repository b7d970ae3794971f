"""The contract suite's two nodes: what holds on a real chain must hold in the sandbox."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import httpx
import pytest

from tests.contract.building import NotBuilt, real_node
from tests.contract.node import Announcement, Node, balance_key, running
from tests.contract.signing import Draft, Person, body_of, multi_send

REAL: Final = "real"
SANDBOX: Final = "sandbox"
PEOPLE: Final = 400
"""How many funded accounts a run has: tests take fresh ones, so that no test meets another's sequence."""
RICHES: Final = 20_000_000
BLOCK_TIME: Final = "150ms"
TIMEOUT_SECONDS: Final = 60

NODES: Final = (
    pytest.param(REAL, marks=[pytest.mark.node, pytest.mark.xdist_group("contract-real")]),
    pytest.param(SANDBOX, marks=[pytest.mark.xdist_group("contract-sandbox")]),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time the test alone: the first one of a run builds the real node, which has a time limit of its own."""
    for item in items:
        if "node" in getattr(item, "fixturenames", ()) and "tests/contract" in item.nodeid:
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS, func_only=True))


@contextmanager
def _real() -> Iterator[Announcement]:
    try:
        program = real_node()
    except NotBuilt as reason:
        pytest.skip(str(reason))
    command = [str(program), "-validators", "4", "-pruning", "-block-time", BLOCK_TIME]
    with running(command) as announcement:
        yield announcement


@contextmanager
def _sandbox() -> Iterator[Announcement]:
    with running([sys.executable, "-m", "tests.contract.sandbox_program"]) as announcement:
        yield announcement


@pytest.fixture(scope="package", params=NODES)
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """Return one of the two nodes, running, with funded people on it."""
    start = {REAL: _real, SANDBOX: _sandbox}[request.param]
    with start() as announcement, httpx.Client(timeout=20) as client:
        started = Node(announcement, client)
        _fund(started)
        yield started


def _fund(node: Node) -> None:
    draft = Draft(node.faucet, node.chain_id, node.account(node.faucet.raw_address), gas=30_000 * PEOPLE)
    gifts = multi_send(node.faucet.address, [(_person(index).address, RICHES) for index in range(PEOPLE)])
    inclusion = node.include(draft.sign(body_of(gifts)))
    assert inclusion.code == 0, inclusion.result


def _person(index: int) -> Person:
    return Person.named(f"contract {index}")


@pytest.fixture(scope="package")
def _numbers(node: Node) -> Iterator[int]:
    return itertools.count()


@pytest.fixture(scope="package")
def rich(_numbers: Iterator[int]) -> Callable[[], Person]:
    """Return a source of people who own RICHES ujuno and never signed."""

    def next_person() -> Person:
        number = next(_numbers)
        assert number < PEOPLE, "more people are needed: raise PEOPLE"
        return _person(number)

    return next_person


@pytest.fixture
def alice(rich: Callable[[], Person]) -> Person:
    """Return somebody with money."""
    return rich()


@pytest.fixture
def bob(rich: Callable[[], Person]) -> Person:
    """Return somebody else with money."""
    return rich()


@pytest.fixture
def draft(node: Node, alice: Person) -> Draft:
    """Return what alice's first transaction starts from."""
    return Draft(alice, node.chain_id, node.account(alice.raw_address))


@pytest.fixture
def forgetful(node: Node) -> Node:
    """Return the node of this chain that has no early blocks and states any more."""
    other = node.other(node.pruned_url)
    other.wait(lambda: _has_forgotten(other, 2) or None, "the first blocks are forgotten")
    return other


def _has_forgotten(node: Node, height: int) -> bool:
    state = node.query("/store/bank/key", balance_key(node.faucet.raw_address, "ujuno"), height=height)
    earliest = int(node.call("status")["sync_info"]["earliest_block_height"])
    return earliest > height and not state["value"]
