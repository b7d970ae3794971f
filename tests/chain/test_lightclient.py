"""The light client over nodes that are honest, behind, pruned, down, or lying."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chain import cosmos
from chain.client import NodeClient
from chain.endpoints import EndpointRules, Endpoints
from chain.errors import Halted, Lied, NodeUnavailable, NotYet, Pruned
from chain.lightclient import Anchor, LightClient
from chain.parameters import ChainParameters
from chain.verified import AccountState, TrustedHeader, TxOutcome, VerifiedBlock
from ledger.money import Denom
from ledger.ports import Millis
from tests.chain.fakechain import (
    CHAIN_ID,
    FILLER,
    FakeBlock,
    FakeChain,
    FakeNode,
    Lie,
    b64,
    block_json,
    commit_json,
    header_json,
    meta_json,
    resigned,
    result,
)

UJUNO = Denom("ujuno")
TREASURY = bytes(range(20))
STRANGER = bytes(range(20, 40))
DAY_MS = 86_400_000


class World:
    """A chain, nodes that serve it, and a light client whose clock stands at the chain's newest block."""

    def __init__(self, chain: FakeChain | None = None, nodes: int = 1, **options: Any) -> None:
        self.chain = chain or FakeChain()
        self.nodes = [FakeNode(self.chain) for _ in range(nodes)]
        self.later_ms = 0
        self.rules = options.pop("rules", EndpointRules())
        self.options = options
        self.client = self.new_client()

    def new_client(self, **options: Any) -> LightClient:
        clients = [
            NodeClient(f"node {number}", "http://node.test", transport=node)
            for number, node in enumerate(self.nodes, 1)
        ]
        endpoints = Endpoints(clients, CHAIN_ID, clock=self, randomness=random.Random(1), rules=self.rules)
        parameters = ChainParameters(CHAIN_ID, UJUNO, trust_period_ms=DAY_MS)
        return LightClient(endpoints, parameters, clock=self, **{**self.options, **options})

    def now(self) -> Millis:
        return Millis(self.chain.now() + self.later_ms)

    async def read(self, first: int, last: int) -> list[VerifiedBlock]:
        """Read blocks in order, each from the one before, as the scanner does."""
        trusted = self.chain.trusted(first - 1)
        blocks = []
        for height in range(first, last + 1):
            blocks.append(await self.client.block(height, trusted))
            trusted = blocks[-1].header
        return blocks


def grown(count: int, **options: Any) -> FakeChain:
    chain = FakeChain(**options)
    chain.grow_by(count)
    return chain


def filled(count: int) -> FakeChain:
    chain = FakeChain()
    for number in range(count):
        chain.grow((b"first %d" % number, result()), (b"second %d" % number, result(5, log="no money")))
    return chain


def methods(node: FakeNode) -> list[str]:
    return [method for method, _ in node.asked]


async def test_a_block_has_its_transactions_and_proved_outcomes() -> None:
    block = (await World(filled(4)).read(2, 2))[0]
    outcomes = (TxOutcome(0, b"", 150_000, 72_000), TxOutcome(5, b"", 150_000, 72_000))
    assert (block.txs, block.outcomes) == ((b"first 1", b"second 1"), outcomes)


async def test_the_header_is_what_the_next_block_needs() -> None:
    world = World(filled(4))
    assert (await world.read(2, 2))[0].header == world.chain.trusted(2)


async def test_the_state_after_a_block_is_the_next_headers() -> None:
    world = World(filled(4))
    assert (await world.read(2, 2))[0].app_hash == world.chain.block(3).header.app_hash


async def test_claims_travel_apart() -> None:
    block = (await World(filled(4)).read(2, 2))[0]
    assert block.claims == {"txs": [{}, {"log": "no money"}], "block_events": None}


async def test_claims_of_an_empty_block_can_be_asked_for() -> None:
    assert await World(filled(4)).client.claims(3) == {
        "txs": [{}, {"log": "no money"}],
        "block_events": None,
    }


def eventful(later: int) -> FakeChain:
    """A chain whose third block has more events than an answer may hold values."""
    chain = grown(2)
    chain.grow((b"a contract", result(data="AQ==", events=[0] * 2_100_000)), (b"a send", result(5)))
    chain.grow_by(later)
    return chain


@pytest.mark.parametrize("later", [1, 4], ids=["in step", "catching up"])
async def test_a_block_is_read_however_many_events_it_has(later: int) -> None:
    """They cost little gas, and what cannot be read is never skipped: one such block was the last."""
    block = (await World(eventful(later)).read(3, 3))[0]
    outcomes = (TxOutcome(0, b"\x01", 150_000, 72_000), TxOutcome(5, b"", 150_000, 72_000))
    assert (block.outcomes, block.claims) == (outcomes, {})


async def test_a_lie_in_a_long_answer_is_found_out() -> None:
    def flip(method: str, _params: Mapping[str, Any], answer: Any) -> Any:
        if method == "block_results":
            answer["txs_results"][1]["code"] = 0
        return answer

    world = World(eventful(1))
    world.nodes[0].lie = flip
    with pytest.raises(Lied):
        await world.read(3, 3)


@pytest.mark.parametrize("later", [1, 4], ids=["in step", "catching up"])
async def test_blocks_may_take_longer_than_other_questions(later: int) -> None:
    world = World(filled(3 + later), rules=EndpointRules(question_seconds=1e-9))
    assert len(await world.read(3, 3)) == 1


@pytest.mark.parametrize("window", [1, 2, 7, 20, 21, 100])
async def test_catching_up_reads_every_block(window: int) -> None:
    world = World(filled(60), window_blocks=window)
    blocks = await world.read(2, 59)
    assert [block.header for block in blocks] == [world.chain.trusted(height) for height in range(2, 60)]


async def test_catching_up_checks_one_commit_for_a_window() -> None:
    world = World(grown(90))
    await world.read(2, 89)
    assert methods(world.nodes[0]).count("commit") == 1


async def test_blocks_with_transactions_need_no_further_commits() -> None:
    world = World(filled(90))
    await world.read(2, 89)
    assert methods(world.nodes[0]).count("commit") == 1


async def test_catching_up_asks_for_no_bodies_of_empty_blocks() -> None:
    world = World(grown(90))
    await world.read(2, 89)
    assert {"block", "block_results"}.isdisjoint(methods(world.nodes[0]))


async def test_in_step_a_block_costs_one_request() -> None:
    world = World(grown(5))
    trusted = (await world.read(4, 4))[0].header
    world.chain.grow()
    before = world.nodes[0].requests
    await world.client.block(5, trusted)
    assert world.nodes[0].requests == before + 1


async def test_a_block_that_could_not_be_posted_is_not_read_again() -> None:
    """The books may be busy for a while; a window of hundreds of headers is read once all the same."""
    world = World(grown(90))
    trusted = (await world.read(2, 10))[-1].header
    block = await world.client.block(11, trusted)
    before = world.nodes[0].requests
    assert await world.client.block(11, trusted) == block
    assert world.nodes[0].requests == before


async def test_a_window_is_not_given_to_another_history() -> None:
    """A reader that comes back with another trusted header gets nothing that was linked to the first one."""
    world = World(grown(30))
    await world.read(2, 3)
    with pytest.raises(Lied):
        await world.client.block(4, replace(world.chain.trusted(3), block_id=FILLER))


async def test_the_latest_block_waits_for_its_successor() -> None:
    world = World(grown(5))
    with pytest.raises(NotYet):
        await world.client.block(5, world.chain.trusted(4))


async def test_of_nodes_that_all_lag_the_one_that_has_the_block_gives_it() -> None:
    world = World(grown(9), nodes=2)
    world.nodes[0].behind, world.nodes[1].behind = 5, 2
    assert [block.header.height for block in await world.read(4, 6)] == [4, 5, 6]
    with pytest.raises(NotYet):
        await world.client.block(7, world.chain.trusted(6))


# --- validators come and go ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sets",
    [
        {1: (0, 1, 2, 3), 30: (0, 1, 2, 4)},
        {1: (0, 1, 2, 3), 30: (4, 5, 6, 7)},
        {1: (0, 1, 2, 3), 10: (2, 3, 4, 5), 20: (4, 5, 6, 7), 30: (8, 9)},
        {1: (0, 1, 2, 3)} | {height: tuple(range(height, height + 4)) for height in range(2, 60)},
        {1: (0, 1, 2, 3), 59: (4, 5, 6, 7), 60: (8, 9, 10, 11)},
    ],
    ids=["one", "all", "step by step", "every block", "at the tip"],
)
async def test_catching_up_follows_changed_validators(sets: dict[int, tuple[int, ...]]) -> None:
    world = World(grown(60, sets=sets))
    blocks = await world.read(2, 59)
    assert blocks[-1].header == world.chain.trusted(59)


async def test_a_small_change_needs_no_smaller_steps() -> None:
    world = World(grown(60, sets={1: (0, 1, 2, 3), 30: (0, 1, 2, 4)}))
    await world.read(2, 58)
    assert methods(world.nodes[0]).count("commit") == 1


async def test_more_than_a_page_of_validators_is_read() -> None:
    world = World(grown(4, sets={1: tuple(range(120))}))
    await world.read(2, 2)
    assert methods(world.nodes[0]).count("validators") == 2


# --- lies ----------------------------------------------------------------------------------------------------------


def bend(method: str, change: Any) -> Lie:
    """A lie that changes the answers to one method."""

    def lie(asked: str, params: Mapping[str, Any], answer: Any) -> Any:
        return change(answer) if asked == method else answer

    return lie


def another_tx(answer: Any) -> Any:
    answer["block"]["data"]["txs"][0] = b64(b"a deposit that never was")
    return answer


def one_tx_less(answer: Any) -> Any:
    answer["block"]["data"]["txs"].pop()
    return answer


def flipped_code(answer: Any) -> Any:
    answer["txs_results"][1]["code"] = 0
    return answer


def less_gas(answer: Any) -> Any:
    answer["txs_results"][0]["gas_used"] = "1"
    return answer


def one_result_more(answer: Any) -> Any:
    answer["txs_results"].append(result())
    return answer


def other_app_hash(answer: Any) -> Any:
    answer["signed_header"]["header"]["app_hash"] = FILLER.hex()
    return answer


def unsigned(answer: Any) -> Any:
    for slot in answer["signed_header"]["commit"]["signatures"]:
        slot["signature"] = b64(bytes(64))
    return answer


def older_commit(answer: Any) -> Any:
    answer["signed_header"]["commit"]["height"] = "1"
    return answer


def own_validators(answer: Any) -> Any:
    answer["validators"][0]["voting_power"] = "1000000"
    return answer


def no_headers(answer: Any) -> Any:
    return answer | {"block_metas": []}


LIES = {
    "another tx": bend("block", another_tx),
    "one tx less": bend("block", one_tx_less),
    "flipped code": bend("block_results", flipped_code),
    "less gas": bend("block_results", less_gas),
    "one result more": bend("block_results", one_result_more),
    "no results": bend("block_results", lambda answer: answer | {"txs_results": None}),
    "other app hash": bend("commit", other_app_hash),
    "unsigned": bend("commit", unsigned),
    "older commit": bend("commit", older_commit),
    "own validators": bend("validators", own_validators),
}


@pytest.mark.parametrize("blocks", [3, 30], ids=["in step", "catching up"])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_a_lie_gives_no_block_and_is_named(lie: Lie, blocks: int) -> None:
    world = World(filled(blocks))
    world.nodes[0].lie = lie
    with pytest.raises(Lied, match="node 1"):
        await world.read(2, 2)


@pytest.mark.parametrize("lie", [*LIES.values(), bend("blockchain", no_headers)], ids=[*LIES, "no headers"])
async def test_another_node_is_asked_and_the_liar_is_named(lie: Lie) -> None:
    world = World(filled(30), nodes=2)
    world.nodes[0].lie = lie
    blocks = await world.read(2, 29)
    names = {lied.endpoint for lied in world.client.endpoints.take_lies()}
    assert (blocks[-1].header, names) == (world.chain.trusted(29), {"node 1"})


async def test_a_forged_event_changes_nothing_that_is_believed() -> None:
    def forge(answer: Any) -> Any:
        answer["txs_results"][0]["events"] = [{"type": "coin_received"}]
        return answer

    honest, lying = World(filled(4)), World(filled(4))
    lying.nodes[0].lie = bend("block_results", forge)
    first, second = (await honest.read(2, 2))[0], (await lying.read(2, 2))[0]
    assert replace(second, claims={}) == replace(first, claims={})


def serve(blocks: Mapping[int, FakeBlock], chain: FakeChain) -> Lie:
    """A node that gives other blocks at some heights, consistently over all methods."""

    def lie(method: str, params: Mapping[str, Any], answer: Any) -> Any:
        block = blocks.get(int(params["height"])) if "height" in params else None
        if method == "commit" and block:
            return {
                "signed_header": {"header": header_json(block.header), "commit": commit_json(block.commit)}
            }
        if method == "block" and block:
            return block_json(chain, block)
        if method == "blockchain":
            metas = answer["block_metas"]
            heights = [int(meta["header"]["height"]) for meta in metas]
            replaced = zip(heights, metas, strict=True)
            answer["block_metas"] = [
                meta_json(blocks[height]) if height in blocks else meta for height, meta in replaced
            ]
        return answer

    return lie


@pytest.mark.parametrize("blocks", [3, 30], ids=["in step", "catching up"])
async def test_a_chain_that_other_validators_signed_is_refused(blocks: int) -> None:
    """The whole chain is consistent in itself, signed by a set that the trusted one never named."""
    world = World(grown(blocks))
    world.nodes[0].chain = grown(blocks, sets={1: (10, 11, 12, 13)})
    with pytest.raises(Lied):
        await world.read(2, 2)


@pytest.mark.parametrize("blocks", [3, 30], ids=["in step", "catching up"])
async def test_a_fork_that_the_same_validators_signed_is_refused(blocks: int) -> None:
    world = World(filled(blocks))
    world.nodes[0].chain = grown(blocks)
    with pytest.raises(Lied, match="another block at the trusted height"):
        await world.read(2, 2)


async def test_a_header_from_the_future_is_refused_and_nobody_is_called_a_liar() -> None:
    """Where the clock is behind, all that honest nodes tell is of a later time."""
    world = World(grown(3))
    world.later_ms = -2 * 60_000
    with pytest.raises(NodeUnavailable, match="future") as caught:
        await world.read(2, 2)
    assert (type(caught.value), world.client.endpoints.take_lies()) == (NodeUnavailable, ())


async def test_a_header_older_than_the_trusted_one_is_refused() -> None:
    world = World(grown(3))
    late = replace(world.chain.trusted(1), time=Millis(world.now() + 1_000))
    with pytest.raises(Lied, match="older"):
        await world.client.block(2, late)


async def test_a_forged_height_of_the_signed_header_is_refused() -> None:
    """The commit of another height, honestly signed, is no answer to the height that was asked for."""
    world = World(grown(30))
    world.nodes[0].lie = serve({height: world.chain.block(20) for height in range(21, 31)}, world.chain)
    with pytest.raises(Lied):
        await world.read(2, 2)


async def test_a_single_bent_header_between_is_refused() -> None:
    world = World(grown(30))
    bent = resigned(world.chain, world.chain.block(12), app_hash=FILLER)
    world.nodes[0].lie = serve({12: bent}, world.chain)
    with pytest.raises(Lied, match="header 12"):
        await world.read(2, 2)


async def test_a_middle_that_is_none_is_refused() -> None:
    """A node that answers every question for a header between with the top keeps the client busy no longer."""
    world = World(grown(60, sets={1: (0, 1, 2, 3), 30: (4, 5, 6, 7)}))
    world.nodes[0].lie = serve(dict.fromkeys(range(1, 60), world.chain.block(60)), world.chain)
    with pytest.raises(Lied, match="asked for, not 60"):
        await world.read(2, 2)


async def test_endless_smaller_steps_end() -> None:
    """A node that always answers with a header of strangers at the asked height cannot keep the client busy."""
    world = World(grown(60, sets={1: (0, 1, 2, 3), 2: (4, 5, 6, 7)}))
    strangers = grown(60, sets={1: (20, 21, 22)})
    world.nodes[0].lie = serve({height: strangers.block(height) for height in range(1, 61)}, strangers)
    with pytest.raises(Lied):
        await world.read(2, 2)
    assert len(world.nodes[0].asked) < 50


# --- state ---------------------------------------------------------------------------------------------------------


def with_state(count: int = 5, *, account: bytes | None = None) -> FakeChain:
    chain = FakeChain()
    balance = b"\x02\x14" + TREASURY
    chain.stores["bank"] = {
        balance + b"ujuno": b"5000000",
        balance + b"uzzz": b"7",
        b"\x02\x14" + STRANGER + b"ujuno": b"1",
    }
    chain.stores["acc"] = {b"\x01" + STRANGER: b"other"}
    if account is not None:
        chain.stores["acc"][b"\x01" + TREASURY] = account
    chain.grow_by(count)
    return chain


async def test_a_balance_is_proved() -> None:
    world = World(with_state())
    block = (await world.read(3, 3))[0]
    assert await world.client.balance(block, TREASURY, UJUNO) == 5_000_000


async def test_a_balance_is_of_the_height_asked_for() -> None:
    world = World(with_state())
    world.chain.stores["bank"][b"\x02\x14" + TREASURY + b"ujuno"] = b"6"
    world.chain.grow_by(5)
    blocks = await world.read(3, 8)
    found = [await world.client.balance(block, TREASURY, UJUNO) for block in (blocks[0], blocks[-1])]
    assert found == [5_000_000, 6]


@pytest.mark.parametrize("denom", ["aaa", "ujunp", "zzz"])
async def test_an_absent_balance_is_proved_to_be_zero(denom: str) -> None:
    world = World(with_state())
    block = (await world.read(3, 3))[0]
    assert await world.client.balance(block, TREASURY, Denom(denom)) == 0


def higher(answer: Any) -> Any:
    answer["response"]["value"] = b64(b"9000000")
    return answer


def nothing(answer: Any) -> Any:
    answer["response"]["value"] = None
    return answer


def unproved(answer: Any) -> Any:
    answer["response"]["proofOps"] = {"ops": []}
    return answer


def another_height(answer: Any) -> Any:
    answer["response"]["height"] = "4"
    return answer


@pytest.mark.parametrize("change", [higher, nothing, unproved, another_height])
async def test_a_lie_about_a_balance_is_named(change: Any) -> None:
    world = World(with_state())
    block = (await world.read(3, 3))[0]
    world.nodes[0].lie = bend("abci_query", change)
    with pytest.raises(Lied):
        await world.client.balance(block, TREASURY, UJUNO)


async def test_a_pruned_state_is_not_zero() -> None:
    world = World(with_state())
    block = (await world.read(2, 2))[0]
    world.nodes[0].earliest = 4
    with pytest.raises(Pruned):
        await world.client.balance(block, TREASURY, UJUNO)


async def test_a_state_that_one_node_still_has_is_read_there() -> None:
    world = World(with_state(), nodes=2)
    block = (await world.read(2, 2))[0]
    world.nodes[0].earliest = 4
    assert await world.client.balance(block, TREASURY, UJUNO) == 5_000_000


async def test_a_state_that_the_node_has_not_reached_is_waited_for() -> None:
    world = World(with_state())
    block = (await world.read(4, 4))[0]
    world.nodes[0].behind = 3
    with pytest.raises(NotYet):
        await world.client.balance(block, TREASURY, UJUNO)


BASE = cosmos.BaseAccount(address="juno1", account_number=12, sequence=34)


def vesting(kind: Any) -> bytes:
    account = kind()
    account.base_vesting_account.base_account.CopyFrom(BASE)
    url = f"/cosmos.vesting.v1beta1.{kind.DESCRIPTOR.name}"
    return cosmos.encode(cosmos.pack(url, account))


@pytest.mark.parametrize(
    "stored",
    [
        cosmos.encode(cosmos.pack(cosmos.BASE_ACCOUNT_URL, BASE)),
        vesting(cosmos.DelayedVestingAccount),
        vesting(cosmos.ContinuousVestingAccount),
        vesting(cosmos.PeriodicVestingAccount),
        vesting(cosmos.PermanentLockedAccount),
    ],
    ids=["base", "delayed", "continuous", "periodic", "locked"],
)
async def test_an_account_is_proved(stored: bytes) -> None:
    world = World(with_state(account=stored))
    block = (await world.read(3, 3))[0]
    assert await world.client.account(block, TREASURY) == AccountState(12, 34)


async def test_an_absent_account_is_proved() -> None:
    world = World(with_state())
    block = (await world.read(3, 3))[0]
    assert await world.client.account(block, TREASURY) is None


async def test_an_account_of_an_unknown_kind_halts() -> None:
    stored = cosmos.encode(cosmos.pack("/cosmos.auth.v1beta1.ModuleAccount", BASE))
    world = World(with_state(account=stored))
    block = (await world.read(3, 3))[0]
    with pytest.raises(Halted, match="unknown kind"):
        await world.client.account(block, TREASURY)


# --- trust ---------------------------------------------------------------------------------------------------------


async def test_the_first_start_takes_what_all_nodes_agree_on() -> None:
    world = World(grown(5), nodes=3)
    assert await world.client.opening() == world.chain.trusted(4)


async def test_the_first_start_goes_by_the_node_that_is_behind() -> None:
    world = World(grown(5), nodes=2)
    world.nodes[1].behind = 2
    assert await world.client.opening() == world.chain.trusted(2)


async def test_nodes_that_disagree_halt_the_first_start() -> None:
    world = World(grown(5), nodes=2)
    world.nodes[1].chain = filled(5)
    with pytest.raises(Halted, match="disagree"):
        await world.client.opening()


async def test_without_an_anchor_every_node_must_answer() -> None:
    world = World(grown(5), nodes=2)
    world.nodes[1].down = True
    with pytest.raises(NodeUnavailable):
        await world.client.opening()


async def test_an_anchor_is_where_the_first_start_begins() -> None:
    world = World(grown(9), nodes=2)
    client = world.new_client(anchor=Anchor(3, world.chain.trusted(3).block_id))
    assert await client.opening() == world.chain.trusted(3)


async def test_a_node_without_the_anchors_block_lied() -> None:
    world = World(grown(9))
    with pytest.raises(Lied, match="settings"):
        await world.new_client(anchor=Anchor(3, FILLER)).opening()


async def test_a_chain_of_one_block_is_waited_for() -> None:
    with pytest.raises(NotYet):
        await World(grown(1)).client.opening()


async def test_the_first_start_believes_no_header_of_another_height() -> None:
    world = World(grown(9))
    world.nodes[0].lie = serve({8: world.chain.block(5)}, world.chain)
    with pytest.raises(Lied, match="not of height 8"):
        await world.client.opening()


@pytest.mark.parametrize("anchored", [False, True])
async def test_the_first_start_believes_no_header_of_another_chain(anchored: bool) -> None:
    """The node names the right chain in its status; its blocks, signed as they are, name another."""
    world = World(grown(9, chain_id="fake-2"))
    world.nodes[0].lie = bend("status", right_chain)
    anchor = Anchor(8, world.chain.trusted(8).block_id) if anchored else None
    with pytest.raises(Halted if anchored else Lied):
        await world.new_client(anchor=anchor).opening()


def right_chain(answer: Any) -> Any:
    answer["node_info"]["network"] = CHAIN_ID
    return answer


async def test_old_trust_halts() -> None:
    world = World(grown(9))
    early = replace(world.chain.trusted(1), time=Millis(world.now() - DAY_MS - 1))
    with pytest.raises(Halted, match="newer height"):
        await world.client.block(2, early)


async def test_trust_of_just_the_period_still_holds() -> None:
    world = World(grown(9))
    early = replace(world.chain.trusted(1), time=Millis(world.now() - DAY_MS))
    assert (await world.client.block(2, early)).header == world.chain.trusted(2)


async def test_an_anchor_that_is_too_old_halts() -> None:
    world = World(grown(9))
    client = world.new_client(anchor=Anchor(3, world.chain.trusted(3).block_id))
    world.later_ms = DAY_MS
    for node in world.nodes:
        node.lie = bend("status", newer_status)
    with pytest.raises(Halted, match="trust period"):
        await client.opening()


def newer_status(answer: Any) -> Any:
    answer["sync_info"]["latest_block_time"] = "2023-11-15T22:13:20Z"
    return answer


@pytest.mark.parametrize("anchored_at", [3, 30, 55, 58])
async def test_a_newer_anchor_vouches_for_what_it_goes_back_to(anchored_at: int) -> None:
    """Trust ran out while the program was down: the operator's new hash lets it go on without a gap."""
    world = World(filled(60), window_blocks=10)
    world.client = world.new_client(anchor=Anchor(anchored_at, world.chain.trusted(anchored_at).block_id))
    trusted = replace(world.chain.trusted(1), time=Millis(world.now() - DAY_MS - 1))
    heights = []
    for height in range(2, 60):
        trusted = (await world.client.block(height, trusted)).header
        heights.append(trusted)
    assert heights == [world.chain.trusted(height) for height in range(2, 60)]


async def test_an_anchor_of_another_history_vouches_for_nothing() -> None:
    world = World(filled(60), window_blocks=10)
    other = grown(60)
    world.nodes[0].chain = other
    client = world.new_client(anchor=Anchor(40, other.trusted(40).block_id))
    trusted = replace(world.chain.trusted(1), time=Millis(world.now() - DAY_MS - 1))
    with pytest.raises(Lied, match="another block at the trusted height"):
        await client.block(2, trusted)


def expired(world: World, height: int) -> TrustedHeader:
    """The chain's own header of ``height``, too old to be trusted."""
    return replace(world.chain.trusted(height), time=Millis(world.now() - DAY_MS - 1))


def forked(chain: FakeChain, height: int) -> FakeChain:
    """Another chain from behind ``height`` on, which the same validators signed, long after they left."""
    fork = FakeChain(blocks=chain.blocks[:height])
    fork.grow_by(chain.height - height)
    return fork


async def anchored_world() -> World:
    """An expired reader whose anchor, block 55, was gone back from: to 45, 35, ..., 15, 5; it stands before block 5."""
    world = World(filled(60), window_blocks=10)
    world.client = world.new_client(anchor=Anchor(55, world.chain.trusted(55).block_id))
    for height in range(2, 5):
        await world.client.block(height, expired(world, height - 1))
    return world


async def test_what_contradicts_the_anchors_way_back_is_refused() -> None:
    """The node was honest while the way back was read; its fork is signed by those that an expired header names."""
    world = await anchored_world()
    world.nodes[0].chain = forked(world.chain, 4)
    with pytest.raises(Lied, match="another block than the trusted hash goes back to"):
        await world.client.block(5, expired(world, 4))


async def test_a_height_beside_the_anchors_way_back_is_refused() -> None:
    """Asked for the header that is vouched for, the node gives the next one, and all headers before that."""
    world = await anchored_world()
    world.nodes[0].chain = fork = forked(world.chain, 4)
    signed = FakeNode(fork)._commit({"height": "16"})

    def lie(method: str, _params: Mapping[str, Any], answer: Any) -> Any:
        if method == "blockchain":
            answer["block_metas"].insert(0, meta_json(fork.block(15)))
        return signed if method == "commit" else answer

    world.nodes[0].lie = lie
    with pytest.raises(Lied, match="height 15 was asked for, not 16"):
        await world.client.block(5, expired(world, 4))


async def test_nothing_is_foreseen_on_expired_trust() -> None:
    world = await anchored_world()
    with pytest.raises(Halted, match="trust period"):
        await world.client.preview(expired(world, 4))


async def test_heights_are_asked_for_in_order() -> None:
    world = World(grown(9))
    with pytest.raises(ValueError, match="follows"):
        await world.client.block(5, world.chain.trusted(3))


# --- round trips ---------------------------------------------------------------------------------------------------


async def settle(world: World, first: int, last: int) -> list[int]:
    """Read blocks as the scanner does, with balance and account after each; return the balances."""
    trusted, found = world.chain.trusted(first - 1), []
    for height in range(first, last + 1):
        block = await world.client.block(height, trusted)
        found.append(await world.client.balance(block, TREASURY, UJUNO))
        await world.client.account(block, TREASURY)
        trusted = block.header
    return found


def moving(count: int) -> FakeChain:
    """A chain on which the treasury holds as many coins as the height."""
    chain = with_state(1)
    for _ in range(count):
        chain.stores["bank"][b"\x02\x14" + TREASURY + b"ujuno"] = b"%d" % (chain.height + 1)
        chain.grow()
    return chain


async def test_states_that_were_fetched_along_are_of_their_heights() -> None:
    assert await settle(World(moving(60)), 2, 59) == list(range(2, 60))


async def test_catching_up_takes_few_round_trips() -> None:
    world = World(moving(100))
    await settle(world, 2, 99)
    assert world.nodes[0].requests < 40


async def test_in_step_a_settled_block_costs_two_requests() -> None:
    world = World(moving(5))
    await settle(world, 4, 5)
    world.chain.grow()
    before = world.nodes[0].requests
    await settle(world, 6, 6)
    assert world.nodes[0].requests == before + 2


async def test_pruned_states_are_asked_for_one_by_one() -> None:
    """Fetching along what nodes no longer have would multiply the questions."""
    world = World(moving(40))
    await settle(world, 2, 2)
    blocks = await world.read(3, 30)
    world.nodes[0].earliest = 39
    world.nodes[0].asked.clear()
    for block in blocks:
        with pytest.raises(Pruned):
            await world.client.balance(block, STRANGER, Denom("other"))
    assert methods(world.nodes[0]).count("abci_query") < 2 * len(blocks) + 80


async def test_a_lie_about_a_state_fetched_along_is_a_lie() -> None:
    def lie(asked: str, params: Mapping[str, Any], answer: Any) -> Any:
        return higher(answer) if asked == "abci_query" and params["height"] == "7" else answer

    world = World(moving(40), nodes=2)
    world.nodes[0].lie = lie
    assert await settle(world, 2, 39) == list(range(2, 40))
    assert [lied.endpoint for lied in world.client.endpoints.take_lies()] == ["node 1"]
