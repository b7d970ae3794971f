"""The long promises of chain.md on the sandbox's chain: days of absence, a dearer network, a shortfall, false chains."""

from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import pytest

from chain.bumps import BumpRules
from chain.sender import SenderRules
from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, UNCLAIMED, AccountId
from ledger.errors import Refused
from ledger.freezes import Freeze, FreezeReason, lift_unit
from ledger.reserve import Refill
from ledger.roles import Actor
from sandbox.node.blockchain import Happening
from sandbox.node.decoding import Coin
from sandbox.node.people import Output, SpelledCoin
from sandbox.node.validators import Seat
from tests.scenarios.harbour import (
    ALICE,
    FEE,
    HELD,
    JUNO,
    NETWORK_FEE,
    PARAMETERS,
    WALLET,
    Harbour,
    harbour,
)

OWNER = AccountId(99)
BUMPS = BumpRules(after_blocks=3, most=2)
DAY_MS = 86_400_000
STEP_MS = 200_000
"""Between two blocks of a slow chain: three days in 1,296 blocks."""
COUNCILS = (
    (Seat("anna", 40), Seat("boris", 30), Seat("carla", 20), Seat("emil", 15)),
    (Seat("anna", 40), Seat("emil", 35), Seat("fanny", 30)),
    (Seat("fanny", 50), Seat("gustav", 30), Seat("hanna", 20)),
)
"""Who validates after each election; nobody of the first set sits in the last."""


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Harbour]:
    """Alice owns 1,000,000; replacements are signed after three blocks."""
    async with harbour(tmp_path / "books.db", rules=SenderRules(bumps=BUMPS)) as started:
        await started.pay_in(("ujuno", "1000000"), memo=b"11")
        yield started


def cursor_height(port: Harbour) -> int:
    cursor = port.service.blocks.cursor(PARAMETERS.chain_id)
    assert cursor is not None
    return cursor.height


# A dearer network


async def test_a_floor_that_rose_is_paid_by_a_replacement_of_the_same_sequence(port: Harbour) -> None:
    before = port.holds(port.friend.raw_address)
    port.node.chain.mempool.set_floor(Fraction(2, 10))
    asked = await port.ask("k1")
    await port.settle()
    assert port.state(asked) == "confirmed"
    assert port.holds(port.friend.raw_address) == before + 5_000
    rows = port.select("SELECT sequence, fee, state FROM signed_transactions ORDER BY fee")
    assert [(row["fee"], row["state"]) for row in rows] == [(NETWORK_FEE, "expired"), (30_000, "confirmed")]
    assert len({row["sequence"] for row in rows}) == 1
    assert port.balance(BOT_TREASURY) == HELD + FEE - 30_000
    assert port.alerts() == []
    port.assert_agreed()


@pytest.mark.parametrize("which", [0, 1])
async def test_what_no_block_takes_is_replaced_and_either_attempt_settles_once(
    port: Harbour, which: int
) -> None:
    for faults in port.node.faults.values():
        faults.switch(drop_broadcasts=True)
    before = port.holds(port.friend.raw_address)
    asked = await port.ask("k1")
    for _ in range(4):
        await port.round(blocks=1)
    rows = port.select("SELECT bytes, fee FROM signed_transactions ORDER BY fee")
    assert len(rows) == 2
    # The chosen one first: the other is in the same block, and fails for its sequence.
    port.node.chain.forced += [rows[which]["bytes"], rows[1 - which]["bytes"]]
    await port.grow(2)
    await port.scan()
    assert port.state(asked) == "confirmed"
    assert port.holds(port.friend.raw_address) == before + 5_000
    assert port.balance(BOT_TREASURY) == HELD + FEE - rows[which]["fee"]
    assert port.alerts() == []
    port.assert_agreed()


async def test_money_comes_back_after_the_death_of_all_attempts_and_not_before(port: Harbour) -> None:
    for faults in port.node.faults.values():
        faults.switch(drop_broadcasts=True)
    asked = await port.ask("k1")
    while port.state(asked) == "queued" or port.state(asked) == "signed":
        last = port.select("SELECT max(timeout_height) AS last FROM signed_transactions")[0]["last"]
        assert last is None or cursor_height(port) <= last
        await port.round(blocks=1)
    assert cursor_height(port) == last + 1
    assert len(port.select("SELECT hash FROM signed_transactions")) == 3
    assert (port.state(asked), port.balance(ALICE)) == ("returned", 1_000_000)
    port.assert_agreed()


# A shortfall, from the first alert to the last lift


async def test_a_shortfall_freezes_until_an_owner_refilled_the_reserve(port: Harbour) -> None:
    port.node.happen(WALLET.address, [Coin("ujuno", -600_000)])
    await port.grow(2)
    await port.scan()
    assert port.balance(SYSTEM_RESERVE) == -600_000
    with pytest.raises(Refused, match="withdrawals_frozen"):
        await port.ask("k1")
    lift = lift_unit(Actor(OWNER, owner=True), Freeze(FreezeReason.SHORTFALL, None), "looked at it")
    with pytest.raises(Refused, match="reserve_negative"):
        await port.service.journal.submit(lift)
    order = Refill(Actor(OWNER, owner=True), JUNO, None, "from my own pocket")
    with pytest.raises(Refused, match="treasury_too_low"):
        await port.service.reserve.refill("r1", order)
    await port.pay_in(("ujuno", "200000"), memo=b"topup")
    assert await port.service.reserve.refill("r2", order) == 600_000
    await port.service.journal.submit(lift)
    asked = await port.ask("k2")
    await port.settle()
    assert (port.state(asked), port.balance(SYSTEM_RESERVE)) == ("confirmed", 0)
    assert port.balance(ALICE) == 1_000_000 - 5_000 - FEE
    port.assert_agreed()


async def test_what_is_queued_when_a_shortfall_shows_is_not_signed(port: Harbour) -> None:
    asked = await port.ask("k1")
    port.node.happen(WALLET.address, [Coin("ujuno", -900)])
    await port.grow(2)
    await port.scan()
    for _ in range(3):
        await port.round()
    assert port.state(asked) == "queued"


# Days of absence


@pytest.mark.slow
async def test_three_days_are_caught_up_in_order_while_validators_change(port: Harbour) -> None:
    """The program is away for three days; a withdrawal lands meanwhile, and the whole council is replaced twice."""
    asked = await port.ask("k1")
    await port.sender.step()
    began, first = port.clock.now(), cursor_height(port)
    deposits = []
    for number in range(3 * DAY_MS // STEP_MS):
        port.clock.millis += STEP_MS
        if number % 160 == 80:
            port.node.chain.elect(COUNCILS[number // 160 % len(COUNCILS)])
        if number % 20 == 10:
            deposits.append(1_000 + number)
            coins = (SpelledCoin("ujuno", str(deposits[-1])),)
            port.node.send(port.friend, [Output(WALLET.address, coins)], memo=b"11")
        await port.node.produce_block()
    assert port.clock.now() - began == 3 * DAY_MS
    # A block bears the time of the votes for the one before: the tip looks recent from the next one on.
    await port.grow(2)
    heights = []
    while await port.scanner.step() == 0:
        heights.append(cursor_height(port))
    assert heights == sorted(heights)
    assert cursor_height(port) == port.node.height - 1 > first + 1_200
    rows = port.select(
        "SELECT amount, height FROM processed_deposits WHERE height > ? ORDER BY transaction_id", first
    )
    assert [int(row["amount"]) for row in rows] == deposits
    assert [row["height"] for row in rows] == sorted(row["height"] for row in rows)
    assert (port.state(asked), port.alerts()) == ("confirmed", [])
    assert port.balance(ALICE) == 1_000_000 - 5_000 - FEE + sum(deposits)
    port.assert_agreed()


async def test_a_catch_up_signs_nothing_before_it_is_at_the_tip(port: Harbour) -> None:
    asked = await port.ask("k1")
    port.clock.millis += DAY_MS
    await port.sender.step()
    assert port.state(asked) == "queued"
    await port.grow(3)
    await port.scan()
    await port.settle()
    assert port.state(asked) == "confirmed"


async def test_a_restart_during_the_catch_up_loses_and_doubles_nothing(port: Harbour, tmp_path: Path) -> None:
    """Each block is one transaction: whoever goes on starts from the block that is in the books."""
    for number in range(30):
        coins = (SpelledCoin("ujuno", str(1_000 + number)),)
        port.node.send(port.friend, [Output(WALLET.address, coins)], memo=b"11")
        await port.grow()
    port.scanner._rules = port.scanner._rules._replace(blocks_per_step=7)
    await port.scanner.step()
    half = cursor_height(port)
    await port.reopen(tmp_path / "books.db")
    await port.grow(2)
    await port.scan()
    assert cursor_height(port) > half
    assert port.balance(ALICE) == 1_000_000 + sum(range(1_000, 1_030))
    port.assert_agreed()


# Nodes that are behind, forgetful or false


async def test_a_node_that_lags_is_waited_for_or_passed_over(port: Harbour) -> None:
    port.node.faults["main"].switch(lag=5)
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    await port.grow(6)
    await port.scan()
    assert port.balance(ALICE) == 1_007_000
    assert port.alerts() == []


async def test_a_node_that_pruned_is_passed_over(port: Harbour) -> None:
    port.node.faults["main"].switch(pruned_below=port.node.height + 50)
    port.clock.millis += 20_000
    await port.grow()
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    await port.scan()
    assert port.balance(ALICE) == 1_007_000
    assert port.alerts() == []


async def test_a_node_that_becomes_of_another_chain_is_passed_over(port: Harbour) -> None:
    await port.pay_in(("ujuno", "1000"), memo=b"11")
    port.node.faults["main"].switch(chain_id="juno-9")
    port.clock.millis += 20_000
    await port.grow()
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    await port.scan()
    assert port.balance(ALICE) == 1_008_000


async def test_nodes_that_all_become_of_another_chain_halt_the_books(port: Harbour) -> None:
    before = cursor_height(port)
    for faults in port.node.faults.values():
        faults.switch(chain_id="juno-9")
    port.clock.millis += 20_000
    await port.grow(3)
    await port.scan()
    assert [row["alert"] for row in port.alerts()] == ["chain.halted"]
    assert cursor_height(port) == before


@pytest.mark.parametrize("kind", ["fork", "false_chain"])
async def test_a_consistent_chain_that_its_validators_never_signed_is_believed_by_nobody(
    port: Harbour, kind: str
) -> None:
    """Every node shows it: then there is nothing to believe, and nothing is credited, paid or skipped."""
    at, height = cursor_height(port), port.node.height + 1
    planted = [Happening(WALLET.raw_address, (Coin("ujuno", 9_000_000),))]
    for faults in port.node.faults.values():
        getattr(faults, kind)(port.node.chain, height, planted=planted)
    await port.grow(4)
    await port.scan()
    assert cursor_height(port) <= height
    assert (port.balance(ALICE), port.balance(UNCLAIMED)) == (1_000_000, 0)
    assert {row["alert"] for row in port.alerts()} == {"node.lied"}
    for faults in port.node.faults.values():
        faults.clear()
    port.clock.millis += 7_200_000
    await port.grow(3)
    for _ in range(5):
        await port.scan()
        port.clock.millis += 60_000
        await port.grow()
    assert cursor_height(port) > at + 3
    assert port.balance(UNCLAIMED) == 0
