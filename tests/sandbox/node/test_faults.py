"""Each fault really shows, and what of it a light client notices."""

import asyncio
import random
from base64 import b64encode
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from pydantic import ValidationError

from chain import address
from chain.client import NodeClient
from chain.endpoints import Endpoints
from chain.errors import Lied, NodeUnavailable
from chain.lightclient import LightClient
from chain.verified import TrustedHeader, VerifiedBlock
from sandbox.node import SANDBOX_PARAMETERS, JunoNode, state
from sandbox.node.blockchain import Happening
from sandbox.node.decoding import Coin
from sandbox.node.faults import Faults
from sandbox.node.people import Output, SpelledCoin
from tests.sandbox.node.conftest import RICHES, ManualClock, Rpc, RpcError
from tests.sandbox.node.drafts import draft, send

TREASURY = bytes(20)
FACE = "liar"
LightOf = Callable[[], LightClient]


@pytest.fixture
async def rpc(node: JunoNode) -> AsyncIterator[Rpc]:
    """Return the face that gets the faults."""
    rpc = Rpc(node.face(FACE))
    async with rpc.client:
        yield rpc


@pytest.fixture
def faults(node: JunoNode, rpc: Rpc) -> Faults:
    return node.faults[FACE]


@pytest.fixture
async def light(node: JunoNode, rpc: Rpc, clock: ManualClock) -> AsyncIterator[LightOf]:
    """Return what makes light clients that know this face alone."""
    made: list[Endpoints] = []

    def make() -> LightClient:
        client = NodeClient(FACE, "http://node", transport=httpx.ASGITransport(node.face(FACE)))
        made.append(Endpoints([client], "sandbox-1", clock=clock, randomness=random.Random(1)))
        return LightClient(made[-1], SANDBOX_PARAMETERS, clock=clock)

    yield make
    for endpoints in made:
        await endpoints.close()


async def read(light: LightClient, trusted: TrustedHeader, until: int) -> VerifiedBlock:
    """Read verified blocks from the one after ``trusted`` up to ``until``; return the last."""
    block = await light.block(trusted.height + 1, trusted)
    while block.header.height < until:
        block = await light.block(block.header.height + 1, block.header)
    return block


@pytest.fixture
async def opened(node: JunoNode, light: LightOf, clock: ManualClock) -> tuple[LightClient, TrustedHeader]:
    """Return a light client that trusts an honest header, and has seen nothing since."""
    await pass_blocks(node, clock, 2)
    client = light()
    return client, await client.opening()


async def pass_blocks(node: JunoNode, clock: ManualClock, count: int) -> None:
    for _ in range(count):
        clock.pass_seconds(1)
        await node.produce_block()


Opened = tuple[LightClient, TrustedHeader]


async def test_an_honest_face_is_believed(node: JunoNode, clock: ManualClock, opened: Opened) -> None:
    client, trusted = opened
    node.faucet(node.purse("bob").address, [Coin("ujuno", 5)])
    await pass_blocks(node, clock, 3)
    block = await read(client, trusted, node.height - 1)
    raw = node.purse("bob").raw_address
    assert await client.balance(block, raw, SANDBOX_PARAMETERS.fee_denom) == 5
    account = await client.account(block, raw)
    assert account is not None
    assert await client.account(block, TREASURY) is None


async def test_a_light_client_follows_new_validators(
    node: JunoNode, clock: ManualClock, opened: Opened
) -> None:
    client, trusted = opened
    seats = node.chain.council.seats
    node.chain.elect([seats[0], *[seat._replace(name=f"new {seat.name}") for seat in seats[1:]]])
    await pass_blocks(node, clock, 6)
    assert (await read(client, trusted, node.height - 1)).header.height == node.height - 1


async def test_lag_shows_an_older_tip(node: JunoNode, rpc: Rpc, faults: Faults) -> None:
    await node.produce_blocks(5)
    faults.switch(lag=3)
    assert (await rpc.call("status"))["sync_info"]["latest_block_height"] == str(node.height - 3)
    with pytest.raises(RpcError, match="must be less than or equal to"):
        await rpc.call("block", height=str(node.height - 2))


async def test_pruned_heights_are_gone(node: JunoNode, rpc: Rpc, faults: Faults) -> None:
    await node.produce_blocks(5)
    faults.switch(pruned_below=4)
    with pytest.raises(RpcError, match="height 3 is not available, lowest height is 4"):
        await rpc.call("block", height="3")
    assert (await rpc.call("status"))["sync_info"]["earliest_block_height"] == "4"


async def test_a_hanging_call_is_answered_when_the_fault_is_gone(rpc: Rpc, faults: Faults) -> None:
    faults.switch(hang=True)
    asked = asyncio.create_task(rpc.call("health"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asked), 0.01)
    faults.clear()
    assert await asked == {}


async def test_only_named_methods_hang(rpc: Rpc, faults: Faults) -> None:
    faults.switch(hang=True, methods=["block"])
    assert await rpc.call("health") == {}


async def test_a_delay_is_waited_for(rpc: Rpc, faults: Faults) -> None:
    faults.switch(delay_ms=20)
    before = asyncio.get_running_loop().time()
    await rpc.call("health")
    assert asyncio.get_running_loop().time() - before >= 0.019


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_http_errors(rpc: Rpc, faults: Faults, status: int) -> None:
    faults.switch(status=status)
    assert (await rpc.post({})).status_code == status
    assert (await rpc.client.get("/status")).status_code == status


async def test_garbage_is_no_json(rpc: Rpc, faults: Faults) -> None:
    faults.switch(garbage=True)
    with pytest.raises(ValueError, match="Expecting value"):
        (await rpc.post({})).json()


@pytest.fixture
def payment(node: JunoNode) -> bytes:
    """Return a signed transaction that nobody has yet."""
    return draft(node.chain, node.purse("alice"), send(node.purse("alice"), node.faucet_purse.address)).sign()


async def broadcast(rpc: Rpc, encoded: bytes) -> httpx.Response:
    params = {"tx": b64encode(encoded).decode()}
    return await rpc.post({"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync", "params": params})


async def test_a_lost_reply_is_not_a_lost_transaction(
    node: JunoNode, rpc: Rpc, faults: Faults, payment: bytes
) -> None:
    faults.switch(lose_reply=True)
    assert (await broadcast(rpc, payment)).status_code == 502
    assert node.chain.mempool.waiting() == (payment,)


async def test_an_accepted_transaction_can_be_dropped(
    node: JunoNode, rpc: Rpc, faults: Faults, payment: bytes
) -> None:
    faults.switch(drop_broadcasts=True)
    answers = [(await broadcast(rpc, payment)).json()["result"]["code"] for _ in range(2)]
    assert (answers, node.chain.mempool.waiting()) == ([0, 0], ())


async def test_another_chain_id_is_refused(faults: Faults, light: LightOf) -> None:
    faults.switch(chain_id="another-1")
    with pytest.raises((Lied, NodeUnavailable, Exception), match="another-1"):
        await light().opening()


async def test_a_face_that_is_catching_up_says_so(rpc: Rpc, faults: Faults) -> None:
    faults.switch(catching_up=True)
    assert (await rpc.call("status"))["sync_info"]["catching_up"] is True


async def test_results_may_come_later_than_their_block(node: JunoNode, rpc: Rpc, faults: Faults) -> None:
    faults.switch(results_lag=True)
    with pytest.raises(RpcError, match="could not find results for height #2"):
        await rpc.call("block_results", height="2")


async def test_flipped_codes_are_noticed(
    node: JunoNode, clock: ManualClock, opened: Opened, faults: Faults
) -> None:
    client, trusted = opened
    node.faucet(node.purse("bob").address, [Coin("ujuno", 5)])
    await pass_blocks(node, clock, 3)
    faults.switch(flip_codes=True)
    with pytest.raises(Lied):
        await read(client, trusted, node.height - 1)


async def test_transactions_that_no_block_holds_are_noticed(
    node: JunoNode, clock: ManualClock, opened: Opened, faults: Faults, *, payment: bytes
) -> None:
    client, trusted = opened
    await pass_blocks(node, clock, 2)
    faults.switch(extra_txs={trusted.height + 1: [b64encode(payment).decode()]})
    with pytest.raises(Lied):
        await client.block(trusted.height + 1, trusted)


async def test_forged_transfers_are_only_claims(
    node: JunoNode, clock: ManualClock, opened: Opened, faults: Faults
) -> None:
    client, trusted = opened
    to = address.encode("juno", TREASURY)
    faults.switch(forged_transfers=[{"sender": to, "recipient": to, "amount": "1000000ujuno"}])
    await pass_blocks(node, clock, 2)
    block = await client.block(trusted.height + 1, trusted)
    assert (block.txs, block.outcomes) == ((), ())
    assert "1000000ujuno" in str(await client.claims(block.header.height))


@pytest.mark.parametrize("odd", ["value", "proof", "stale", "missing"])
async def test_odd_proofs_prove_nothing(
    node: JunoNode, clock: ManualClock, opened: Opened, faults: Faults, *, odd: str
) -> None:
    client, trusted = opened
    await pass_blocks(node, clock, 3)
    node.faucet(node.purse("alice").address, [Coin("ujuno", 5)])
    await pass_blocks(node, clock, 2)
    block = await read(client, trusted, node.height - 1)
    faults.switch(odd_proof=odd)
    with pytest.raises(NodeUnavailable):
        await client.balance(block, node.purse("alice").raw_address, SANDBOX_PARAMETERS.fee_denom)


@pytest.mark.parametrize("odd", ["value", "proof", "stale", "missing"])
@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_odd_proofs_of_an_account_prove_nothing(
    node: JunoNode, clock: ManualClock, opened: Opened, faults: Faults, *, odd: str, name: str
) -> None:
    client, trusted = opened
    await pass_blocks(node, clock, 3)
    node.faucet(node.purse("alice").address, [Coin("ujuno", 5)])
    await pass_blocks(node, clock, 2)
    block = await read(client, trusted, node.height - 1)
    faults.switch(odd_proof=odd)
    with pytest.raises(NodeUnavailable):
        await client.account(block, node.purse(name).raw_address)


PLANTED = [Happening(TREASURY, (Coin("ujuno", 10**12),))]
Show = Callable[[Faults, JunoNode, int], None]
OTHER_CHAINS: dict[str, Show] = {
    "a fork that too few signed": lambda faults, node, at: faults.fork(node.chain, at, planted=PLANTED),
    "a false chain": lambda faults, node, at: faults.false_chain(node.chain, at, planted=PLANTED),
}


@pytest.mark.parametrize("what", OTHER_CHAINS)
async def test_another_chain_is_consistent_but_for_its_signatures(
    node: JunoNode, clock: ManualClock, rpc: Rpc, faults: Faults, *, what: str
) -> None:
    await pass_blocks(node, clock, 3)
    OTHER_CHAINS[what](faults, node, 4)
    await pass_blocks(node, clock, 2)
    shown = faults.shown
    assert shown is not None
    assert (shown.height, shown.block(3)) == (node.height, node.chain.block(3))
    assert shown.block(5).header.last_block_id == shown.block(4).block_id != node.chain.block(4).block_id
    assert state.balance(shown.latest(), TREASURY, "ujuno") == 10**12
    assert (await rpc.call("block", height="4"))["block_id"]["hash"] == shown.block(
        4
    ).header.hash().hex().upper()


@pytest.mark.parametrize("what", OTHER_CHAINS)
async def test_another_chain_is_not_believed(
    node: JunoNode, clock: ManualClock, opened: Opened, faults: Faults, *, what: str
) -> None:
    client, trusted = opened
    await pass_blocks(node, clock, 2)
    OTHER_CHAINS[what](faults, node, trusted.height + 1)
    await pass_blocks(node, clock, 2)
    with pytest.raises(Lied):
        await read(client, trusted, node.height - 1)


async def test_another_chain_carries_the_real_ones_transactions(
    node: JunoNode, clock: ManualClock, faults: Faults, payment: bytes
) -> None:
    faults.fork(node.chain, 2)
    node.chain.mempool.add(payment)
    await pass_blocks(node, clock, 1)
    assert faults.shown is not None
    assert payment in faults.shown.block(3).txs


async def test_another_chain_can_hold_a_payment_that_never_was(
    node: JunoNode, clock: ManualClock, faults: Faults, payment: bytes
) -> None:
    faults.fork(node.chain, 2, txs=[payment])
    await pass_blocks(node, clock, 1)
    assert faults.shown is not None
    assert (payment in faults.shown.block(2).txs, payment in node.chain.block(2).txs) == (True, False)
    assert faults.shown.block(2).results[0].outcome.code == 9


async def test_clearing_shows_the_real_chain_again(
    node: JunoNode, clock: ManualClock, rpc: Rpc, faults: Faults
) -> None:
    faults.fork(node.chain, 2, planted=PLANTED)
    faults.clear()
    await pass_blocks(node, clock, 1)
    assert (faults.shown, node.chain.followers) == (None, [])
    real = node.chain.block(2).header.hash().hex().upper()
    assert (await rpc.call("block", height="2"))["block_id"]["hash"] == real


async def test_a_fault_that_there_is_not_is_refused(faults: Faults) -> None:
    with pytest.raises(ValidationError):
        faults.switch(no_such_fault=True)


async def test_faults_of_one_face_do_not_show_on_another(node: JunoNode, faults: Faults) -> None:
    faults.switch(status=500)
    honest = Rpc(node.app)
    async with honest.client:
        assert await honest.call("health") == {}


# What goes wrong for the whole chain


async def test_coins_come_and_go_without_a_transaction(node: JunoNode) -> None:
    alice = node.purse("alice")
    node.happen(alice.address, [Coin("factory/x/coin", 7), Coin("ujuno", 5)])
    await node.produce_block()
    node.happen(alice.address, [Coin("factory/x/coin", -7)])
    await node.produce_block()
    held = [
        [
            state.balance(node.chain.version(height), alice.raw_address, denom)
            for denom in ("ujuno", "factory/x/coin")
        ]
        for height in (3, 4)
    ]
    assert held == [[RICHES + 5, 7], [RICHES + 5, 0]]
    assert [node.chain.block(height).txs for height in (3, 4)] == [(), ()]


async def test_no_more_is_taken_than_there_is(node: JunoNode) -> None:
    node.happen(node.purse("alice").address, [Coin("ujuno", -RICHES - 5)])
    await node.produce_block()
    assert state.balance(node.chain.latest(), node.purse("alice").raw_address, "ujuno") == 0


async def test_a_happening_is_told_in_the_blocks_own_events(node: JunoNode, rpc: Rpc) -> None:
    node.happen(node.purse("alice").address, [Coin("ujuno", 5)])
    await node.produce_block()
    (told,) = (await rpc.call("block_results", height="3"))["finalize_block_events"]
    assert told["type"] == "coin_received"


@pytest.mark.parametrize(("spelling", "moved"), [("010", 8), ("0x7", 7), ("1_000", 1000), ("+7", 7)])
async def test_odd_amounts_are_delivered(node: JunoNode, spelling: str, moved: int) -> None:
    node.send(node.purse("alice"), [Output(node.purse("bob").address, (SpelledCoin("ujuno", spelling),))])
    await node.produce_block()
    assert state.balance(node.chain.latest(), node.purse("bob").raw_address, "ujuno") == moved


async def test_a_memo_that_is_no_text_is_delivered(node: JunoNode) -> None:
    output = Output(node.purse("bob").address, (SpelledCoin("ujuno", "5"),))
    _, result = node.send(node.purse("alice"), [output], memo=b"\xff\xfe")
    await node.produce_block()
    assert (result.outcome.code, node.chain.block(3).results[0].outcome.code) == (0, 0)
