"""The node on disk and in time: restarts, heartbeat, and blocks that stand whole or not at all."""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from chain.parameters import JUNO_MAINNET
from sandbox.node import SANDBOX_PARAMETERS, JunoNode, state
from sandbox.node.decoding import Coin
from sandbox.node.store import Store
from sandbox.node.validators import Seat
from tests.sandbox.node.conftest import ManualClock, Rpc

T = TypeVar("T")
Open = Callable[[], Awaitable[JunoNode]]


async def inline(call: Callable[[], T]) -> T:
    """Run a blocking call where it is asked for."""
    return call()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "juno" / "chain.db"


@pytest.fixture
def reopen(disk: Path, clock: ManualClock) -> Open:
    """Return what opens the node that is kept on disk; each opening has other randomness."""
    seeds = iter(range(100))

    async def opened() -> JunoNode:
        rng = random.Random(next(seeds))
        return await JunoNode.open(
            SANDBOX_PARAMETERS, clock=clock, rng=rng, path=disk, blocking=inline, block_seconds=0
        )

    return opened


async def test_a_restart_continues_the_same_chain(reopen: Open) -> None:
    first = await reopen()
    first.faucet(first.purse("alice").address, [Coin("ujuno", 5), Coin("uother", 10**25)])
    first.chain.elect([Seat("anna", 40), Seat("newcomer", 30)])
    await first.produce_blocks(3)
    await first.stop()

    second = await reopen()
    assert second.height == first.height
    for height in range(1, first.height + 1):
        assert second.chain.block(height) == first.chain.block(height)
        assert second.chain.version(height).app_hash() == first.chain.version(height).app_hash()
    await second.stop()


async def test_blocks_after_a_restart_follow_those_before(reopen: Open) -> None:
    first = await reopen()
    first.chain.elect([Seat("newcomer", 30)])
    await first.produce_block()
    await first.stop()

    second = await reopen()
    second.faucet(second.purse("alice").address, [Coin("ujuno", 5)])
    await second.produce_blocks(3)
    followed = second.chain.block(3).header.last_block_id
    assert followed == first.chain.block(2).block_id
    assert [len(second.chain.block(height).validators) for height in (3, 4)] == [4, 1]
    assert state.balance(second.chain.latest(), second.purse("alice").raw_address, "ujuno") == 5
    await second.stop()


async def test_a_restart_forgets_the_mempool(reopen: Open) -> None:
    first = await reopen()
    first.faucet(first.purse("alice").address, [Coin("ujuno", 5)])
    await first.stop()
    second = await reopen()
    assert second.chain.mempool.waiting() == ()
    await second.stop()


async def test_transactions_are_found_after_a_restart(reopen: Open) -> None:
    first = await reopen()
    encoded, _ = first.faucet(first.purse("alice").address, [Coin("ujuno", 5)])
    await first.produce_block()
    await first.stop()
    second = await reopen()
    rpc = Rpc(second.app)
    async with rpc.client:
        found = await rpc.call("tx_search", query="tx.height=2")
    assert (found["total_count"], second.chain.block(2).txs) == ("1", (encoded,))
    await second.stop()


async def test_another_chains_disk_is_refused(reopen: Open, disk: Path, clock: ManualClock) -> None:
    await (await reopen()).stop()
    with pytest.raises(ValueError, match="keeps sandbox-1, not juno-1"):
        await JunoNode.open(JUNO_MAINNET, clock=clock, rng=random.Random(1), path=disk, blocking=inline)


async def test_a_state_that_contradicts_its_blocks_is_refused(reopen: Open, disk: Path) -> None:
    await (await reopen()).stop()
    with sqlite3.connect(disk) as connection:
        connection.execute("UPDATE blocks SET changes = '[]'")
    connection.close()
    with pytest.raises(ValueError, match="not that of block 1"):
        await reopen()


async def test_a_block_that_was_not_kept_was_never_seen(
    reopen: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await reopen()
    monkeypatch.setattr(Store, "append", _full)
    with pytest.raises(sqlite3.OperationalError):
        await node.produce_block()
    monkeypatch.undo()
    assert (node.height, await node.produce_block()) == (1, 2)
    await node.stop()


async def _full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_a_block_is_finished_when_its_maker_is_cancelled(reopen: Open) -> None:
    node = await reopen()
    making = asyncio.create_task(node.produce_block())
    await asyncio.sleep(0)
    making.cancel()
    await asyncio.gather(making, return_exceptions=True)
    await node.wait_height(2)
    assert await node.produce_block() == 3
    await node.stop()


# Time


async def test_blocks_come_by_themselves(node: JunoNode) -> None:
    node.set_block_seconds(0.01)
    await node.start()
    async with asyncio.timeout(10):
        await node.wait_height(5)


async def test_a_halted_chain_makes_no_blocks(node: JunoNode) -> None:
    node.chain.mischief.halted = True
    await node.beat()
    halted = node.height
    node.chain.mischief.halted = False
    await node.beat()
    assert (halted, node.height) == (2, 3)


async def test_a_slow_chain_can_be_hurried(node: JunoNode) -> None:
    node.set_block_seconds(3600)
    await node.start()
    await asyncio.sleep(0)
    node.set_block_seconds(0.01)
    async with asyncio.timeout(10):
        await node.wait_height(4)


async def test_two_makers_make_two_blocks(node: JunoNode) -> None:
    await asyncio.gather(node.produce_block(), node.produce_block())
    assert node.height == 4


async def test_purses_are_the_same_in_every_sandbox(node: JunoNode) -> None:
    assert node.purse("alice").address == "juno120775pewqnc9wz820x2zjt5ml3dflfqpxt90ed"
