"""The light client against a whole node: from the first block to the newest, with skipping, failover and proofs."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chain.client import NodeClient, Verdict
from chain.endpoints import Endpoints
from chain.errors import NotYet, Pruned
from chain.light.header import BlockId
from chain.lightclient import Anchor, LightClient
from chain.parameters import ChainParameters
from chain.verified import TrustedHeader, VerifiedBlock
from ledger.money import Denom
from tests.contract.conftest import RICHES
from tests.contract.node import DENOM, UNLISTED, Node
from tests.contract.sandbox_program import SystemClock
from tests.contract.signing import Draft, Person

LONG_WAY = 30

Opened = Callable[..., Awaitable[LightClient]]


@pytest.fixture
async def opened(node: Node) -> AsyncIterator[Opened]:
    """Return a maker of light clients that start from the first block; they are closed in the end."""
    clients: list[LightClient] = []

    async def open_(*urls: str, window_blocks: int = 12, anchored: bool = True) -> LightClient:
        given = [NodeClient(f"node {number}", url) for number, url in enumerate(urls or (node.url,))]
        clock = SystemClock()
        endpoints = Endpoints(given, node.chain_id, clock=clock, randomness=random.Random(1))
        parameters = ChainParameters(node.chain_id, Denom(DENOM))
        anchor = Anchor(1, _block_id(node, 1)) if anchored else None
        made = LightClient(endpoints, parameters, clock=clock, anchor=anchor, window_blocks=window_blocks)
        clients.append(made)
        return made

    yield open_
    for client in clients:
        await client.endpoints.close()


def _block_id(node: Node, height: int) -> bytes:
    return BlockId.from_json(node.call("block", height=str(height))["block_id"]).hash


async def _follow(client: LightClient, top: int) -> list[VerifiedBlock]:
    """Return the blocks behind the opening header up to ``top``."""
    known, blocks = await client.opening(), []
    while known.height < top:
        block = await client.block(known.height + 1, known)
        blocks.append(block)
        known = block.header
    return blocks


@pytest.mark.parametrize("window_blocks", [1, 12, 500])
async def test_it_follows_the_whole_chain(node: Node, opened: Opened, window_blocks: int) -> None:
    node.wait_height(LONG_WAY + 1)
    top = min(node.height() - 1, 3 * LONG_WAY)
    blocks = await _follow(await opened(window_blocks=window_blocks), top)
    assert [block.header.height for block in blocks] == list(range(2, top + 1))
    assert blocks[-1].header.block_id == _block_id(node, top)


async def test_it_tells_what_the_blocks_hold(node: Node, opened: Opened, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, 7, memo="12345")
    inclusion = node.include(raw)
    node.wait_height(inclusion.height + 1)
    block = (await _follow(await opened(), inclusion.height))[-1]
    assert block.txs[inclusion.position] == raw
    assert block.outcomes[inclusion.position].code == 0
    assert block.outcomes[inclusion.position].gas_used == inclusion.gas_used


async def test_it_proves_balances_and_their_absence(
    node: Node, opened: Opened, draft: Draft, bob: Person
) -> None:
    client, block = await _after_a_send(node, opened, draft, bob)
    assert await client.balance(block, bob.raw_address, Denom(DENOM)) == RICHES + 7
    assert await client.balance(block, bob.raw_address, Denom(UNLISTED)) == 0


async def test_it_proves_accounts_and_their_absence(
    node: Node, opened: Opened, draft: Draft, alice: Person, bob: Person
) -> None:
    client, block = await _after_a_send(node, opened, draft, bob)
    account = await client.account(block, alice.raw_address)
    assert account == (draft.account.number, draft.account.sequence + 1)
    assert await client.account(block, Person.named("nobody").raw_address) is None


async def _after_a_send(
    node: Node, opened: Opened, draft: Draft, bob: Person
) -> tuple[LightClient, VerifiedBlock]:
    inclusion = node.include(draft.send(bob.address, 7))
    node.wait_height(inclusion.height + 1)
    client = await opened(window_blocks=500)
    return client, (await _follow(client, inclusion.height))[-1]


async def test_it_waits_at_the_top(node: Node, opened: Opened) -> None:
    client = await opened(anchored=False)
    known = await client.opening()
    with pytest.raises(NotYet):
        await _run_ahead(client, known)


async def _run_ahead(client: LightClient, known: TrustedHeader) -> None:
    """Read faster than blocks come."""
    for _ in range(1000):
        known = (await client.block(known.height + 1, known)).header


async def test_all_nodes_agree_on_an_opening(node: Node, opened: Opened) -> None:
    header = await (await opened(*node.urls, anchored=False)).opening()
    assert (
        BlockId.from_json(node.call("block", height=str(header.height))["block_id"]).hash == header.block_id
    )


async def test_a_node_that_forgot_is_passed_over(forgetful: Node, node: Node, opened: Opened) -> None:
    client = await opened(forgetful.url, node.url)
    blocks = await _follow(client, 3)
    assert [block.header.height for block in blocks] == [2, 3]
    assert not client.endpoints.take_lies()


async def test_what_all_nodes_forgot_is_pruned(forgetful: Node, opened: Opened) -> None:
    client = await opened(forgetful.url)
    with pytest.raises(Pruned):
        await client.opening()


async def test_a_state_that_all_nodes_forgot_is_pruned(forgetful: Node, opened: Opened) -> None:
    block = (await _follow(await opened(), 2))[-1]
    client = await opened(forgetful.url)
    with pytest.raises(Pruned):
        await client.balance(block, forgetful.faucet.raw_address, Denom(DENOM))


async def test_broadcast_tells_what_each_node_says(
    node: Node, opened: Opened, draft: Draft, bob: Person
) -> None:
    client = await opened()
    raw = draft.send(bob.address, 1)
    verdicts = [(await client.broadcast(raw)).answers[0].verdict for _ in range(2)]
    assert verdicts == [Verdict.ACCEPTED, Verdict.KNOWN]


async def test_a_used_sequence_is_refused_with_the_next_one(
    node: Node, opened: Opened, draft: Draft, bob: Person
) -> None:
    node.include(draft.send(bob.address, 1))
    answer = (await (await opened()).broadcast(draft.send(bob.address, 2))).answers[0]
    assert (answer.verdict, answer.code) == (Verdict.REJECTED, 32)
    assert "expected 1, got 0" in answer.log
