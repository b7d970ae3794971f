"""Every hash and signature of the chain, checked with what the bot checks them with."""

import random

import pytest

from chain.light import commit as light_commit
from chain.light.commit import ValidatorSet, verify_commit
from chain.light.errors import Unproven
from chain.light.header import data_hash
from chain.light.merkle import EMPTY
from chain.light.results import results_hash
from sandbox.node import SANDBOX_PARAMETERS, blocks
from sandbox.node.blockchain import Blockchain
from sandbox.node.node import begin
from sandbox.node.people import Purse
from sandbox.node.validators import Council, Seat, nanos
from tests.sandbox.node.conftest import ManualClock, grow
from tests.sandbox.node.drafts import draft, send


@pytest.fixture
def busy(chain: Blockchain, clock: ManualClock, faucet: Purse) -> Blockchain:
    """Return a chain of six blocks, some with transactions, one of which failed."""
    for amount in (5, 10**20, 7):
        for each in (amount, amount + 1):
            chain.mempool.add(draft(chain, faucet, send(faucet, faucet.address, each)).sign())
        grow(chain, clock)
    grow(chain, clock, 2)
    return chain


def pairs(chain: Blockchain) -> list[tuple[blocks.Block, blocks.Block]]:
    """Return each block with its successor."""
    return [(chain.block(height), chain.block(height + 1)) for height in range(1, chain.height)]


def test_some_transactions_failed_and_some_did_not(busy: Blockchain) -> None:
    codes = {result.outcome.code for height in range(1, 7) for result in busy.block(height).results}
    assert codes == {0, 5}


def test_each_header_names_the_block_before(busy: Blockchain) -> None:
    for block, successor in pairs(busy):
        assert successor.header.last_block_id == block.block_id
        assert block.block_id.hash == block.header.hash()


def test_each_header_hashes_its_transactions(busy: Blockchain) -> None:
    for block, _ in pairs(busy):
        assert block.header.data_hash == data_hash(block.txs)


def test_each_header_hashes_the_results_before(busy: Blockchain) -> None:
    for block, successor in pairs(busy):
        assert successor.header.last_results_hash == results_hash(
            [result.outcome for result in block.results]
        )


def test_each_header_bears_the_state_before(busy: Blockchain) -> None:
    for block, successor in pairs(busy):
        assert successor.header.app_hash == busy.version(block.height).app_hash()


def test_each_header_hashes_the_commit_before(busy: Blockchain) -> None:
    for block, successor in pairs(busy):
        assert successor.header.last_commit_hash == successor.last_commit.hash() == block.commit.hash()


def test_each_header_names_its_validators_and_the_next(busy: Blockchain) -> None:
    for block, successor in pairs(busy):
        assert block.header.validators_hash == ValidatorSet(block.validators).hash()
        assert block.header.next_validators_hash == successor.header.validators_hash


def test_each_block_is_signed(busy: Blockchain) -> None:
    for block, _ in pairs(busy):
        validators = ValidatorSet(block.validators)
        verify_commit("sandbox-1", validators, block.height, block.header.hash(), block.commit)


def test_validators_vote_at_different_times(busy: Blockchain) -> None:
    times = {slot.timestamp for slot in busy.block(2).commit.signatures}
    assert len(times) == len(busy.block(2).validators)


def test_time_grows_from_block_to_block(busy: Blockchain) -> None:
    for block, successor in pairs(busy):
        assert nanos(successor.header.time) > nanos(block.header.time)


def test_time_grows_even_when_the_clock_does_not(chain: Blockchain) -> None:
    for _ in range(3):
        chain.adopt(chain.produce())
    assert nanos(chain.block(4).header.time) > nanos(chain.block(3).header.time)


def test_the_first_block_follows_nothing(chain: Blockchain) -> None:
    header = chain.block(1).header
    assert (header.last_block_id, header.app_hash, header.last_commit_hash) == (blocks.NO_BLOCK, EMPTY, EMPTY)


def test_a_block_survives_being_written(busy: Blockchain) -> None:
    for height in range(1, busy.height + 1):
        assert blocks.load(blocks.dump(busy.block(height))) == busy.block(height)


def test_the_same_seed_gives_the_same_chain() -> None:
    hashes = []
    for _ in range(2):
        clock = ManualClock()
        chain = Blockchain(begin(SANDBOX_PARAMETERS, clock.now()), clock, random.Random(3))
        grow(chain, clock, 5)
        hashes.append(chain.block(5).block_id)
    assert hashes[0] == hashes[1]


def test_new_validators_are_named_before_they_sign(chain: Blockchain, clock: ManualClock) -> None:
    chain.elect([Seat("newcomer", 5)])
    grow(chain, clock, 3)
    names = [ValidatorSet(chain.block(height).validators).hash() for height in (1, 2, 3, 4)]
    assert names[0] == names[1] == names[2] != names[3] == Council([Seat("newcomer", 5)]).set.hash()
    assert chain.block(3).header.next_validators_hash == names[3]


def test_an_absent_validator_leaves_its_slot_empty(chain: Blockchain, clock: ManualClock) -> None:
    branch = chain.branch(2, Council(chain.council.seats, frozenset({"dmitri"})))
    grow(branch, clock)
    block = branch.block(2)
    assert [slot.flag for slot in block.commit.signatures].count(light_commit.Flag.ABSENT) == 1
    verify_commit("sandbox-1", ValidatorSet(block.validators), 2, block.header.hash(), block.commit)


def test_one_of_four_is_too_few(chain: Blockchain, clock: ManualClock) -> None:
    branch = chain.branch(2, Council(chain.council.seats, frozenset({"boris", "carla", "dmitri"})))
    grow(branch, clock)
    block = branch.block(2)
    with pytest.raises(Unproven):
        verify_commit("sandbox-1", ValidatorSet(block.validators), 2, block.header.hash(), block.commit)
