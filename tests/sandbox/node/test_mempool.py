"""What waits, what is remembered, and what a proposer makes of it."""

from typing import NamedTuple

import pytest

from chain.wallet import canonical_hash, tx_hash
from sandbox.node.blockchain import Blockchain
from sandbox.node.decoding import Coin
from sandbox.node.mempool import MAX_TX_BYTES, MempoolError
from sandbox.node.people import Purse
from tests.sandbox.node.conftest import ManualClock, grow
from tests.sandbox.node.drafts import draft, send


class Sent(NamedTuple):
    encoded: bytes
    code: int


@pytest.fixture
def sent(chain: Blockchain, faucet: Purse) -> Sent:
    """Return a transaction that waits."""
    encoded = draft(chain, faucet, send(faucet, faucet.address)).sign()
    return Sent(encoded, chain.mempool.add(encoded).outcome.code)


def codes(chain: Blockchain) -> list[int]:
    """Return the codes of the latest block."""
    return [result.outcome.code for result in chain.block(chain.height).results]


def test_what_waits_comes_into_the_next_block(chain: Blockchain, clock: ManualClock, sent: Sent) -> None:
    grow(chain, clock)
    assert (chain.block(2).txs, chain.mempool.waiting()) == ((sent.encoded,), ())


def test_the_same_bytes_are_not_looked_at_again(chain: Blockchain, sent: Sent) -> None:
    with pytest.raises(MempoolError, match="tx already exists in cache"):
        chain.mempool.add(sent.encoded)


def test_the_same_bytes_are_remembered_after_their_block(
    chain: Blockchain, clock: ManualClock, sent: Sent
) -> None:
    grow(chain, clock)
    with pytest.raises(MempoolError, match="tx already exists in cache"):
        chain.mempool.add(sent.encoded)


def test_what_failed_in_a_block_may_come_again(chain: Blockchain, clock: ManualClock, faucet: Purse) -> None:
    encoded = draft(chain, faucet, send(faucet, faucet.address, 10**20)).sign()
    chain.mempool.add(encoded)
    grow(chain, clock)
    assert (codes(chain), chain.mempool.add(encoded).outcome.code) == ([5], 32)


def test_what_was_refused_may_come_again(chain: Blockchain, faucet: Purse) -> None:
    early = draft(chain, faucet, send(faucet, faucet.address)).but(sequence=1).sign()
    assert chain.mempool.add(early).outcome.code == 32
    assert chain.mempool.add(early).outcome.code == 32


def test_sequences_count_on_in_the_mempool(chain: Blockchain, clock: ManualClock, faucet: Purse) -> None:
    for amount in (1, 2, 3):
        chain.mempool.add(draft(chain, faucet, send(faucet, faucet.address, amount)).sign())
    grow(chain, clock)
    assert codes(chain) == [0, 0, 0]


def test_a_full_mempool_says_so(chain: Blockchain, faucet: Purse, sent: Sent) -> None:
    chain.mempool.max_txs = 1
    with pytest.raises(MempoolError, match="mempool is full: number of txs 1"):
        chain.mempool.add(draft(chain, faucet, send(faucet, faucet.address, 2)).sign())


def test_a_transaction_may_be_too_large(chain: Blockchain) -> None:
    with pytest.raises(MempoolError, match="Tx too large"):
        chain.mempool.add(bytes(MAX_TX_BYTES + 1))


def test_a_restart_forgets_what_waited(chain: Blockchain, clock: ManualClock, sent: Sent) -> None:
    chain.mempool.forget()
    grow(chain, clock)
    assert chain.block(2).txs == ()


def test_what_was_forgotten_may_come_again(chain: Blockchain, sent: Sent) -> None:
    chain.mempool.forget()
    assert chain.mempool.add(sent.encoded).outcome.code == 0


def test_what_no_longer_fits_is_dropped_after_a_block(
    chain: Blockchain, clock: ManualClock, faucet: Purse, sent: Sent
) -> None:
    """Somebody else's transaction with the same sequence came first."""
    other = draft(chain, faucet, send(faucet, faucet.address, 2)).but(sequence=0).sign()
    chain.forced = [other]
    built = chain.produce()
    chain.mempool.update(built.version, chain._next_place(), {other: 0})
    assert chain.mempool.waiting() == ()


def test_a_timeout_drops_what_waits(chain: Blockchain, clock: ManualClock, faucet: Purse) -> None:
    """At its timeout height it may still come in; after that height it is gone."""
    encoded = draft(chain, faucet, send(faucet, faucet.address)).but(timeout_height=1).sign()
    assert chain.mempool.add(encoded).outcome.code == 0
    grow(chain, clock)
    assert codes(chain) == [30]


def test_a_doubled_inclusion_works_once(chain: Blockchain, clock: ManualClock, sent: Sent) -> None:
    chain.mischief.duplicate_next = 1
    grow(chain, clock)
    assert (chain.block(2).txs, codes(chain)) == ((sent.encoded, sent.encoded), [0, 32])


def test_mischief_is_used_up(chain: Blockchain, clock: ManualClock, sent: Sent) -> None:
    chain.mischief.duplicate_next = chain.mischief.rehash_next = 1
    grow(chain, clock)
    assert (chain.mischief.duplicate_next, chain.mischief.rehash_next) == (0, 0)


def test_a_rehashed_inclusion_is_ours_by_its_canonical_hash(
    chain: Blockchain, clock: ManualClock, sent: Sent
) -> None:
    chain.mischief.rehash_next = 1
    grow(chain, clock)
    (included,) = chain.block(2).txs
    assert (tx_hash(included) != tx_hash(sent.encoded), codes(chain)) == (True, [0])
    assert canonical_hash(included) == tx_hash(sent.encoded)


def test_our_own_bytes_come_too_late_after_a_rehashed_inclusion(
    chain: Blockchain, clock: ManualClock, sent: Sent
) -> None:
    chain.mischief.rehash_next = 1
    grow(chain, clock)
    assert chain.mempool.waiting() == ()
    assert chain.mempool.add(sent.encoded).outcome.code == 32


def test_a_simulation_leaves_no_trace(chain: Blockchain, faucet: Purse) -> None:
    encoded = draft(chain, faucet, send(faucet, faucet.address)).sign()
    assert chain.simulate(encoded).outcome.code == 0
    assert chain.mempool.add(encoded).outcome.code == 0


def test_coins_in_the_faucet_exceed_64_bits(chain: Blockchain) -> None:
    (coins,) = chain.genesis.balances.values()
    assert Coin("uother", 10**30) in coins
