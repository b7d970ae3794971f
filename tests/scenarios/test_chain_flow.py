"""Coins in and coins out on the sandbox's chain, honest or not: where chain.md says that they end."""

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain import address
from ledger.accounts import BOT_TREASURY, REWARDS_POOL, SYSTEM_RESERVE, UNCLAIMED, WITHDRAWALS
from sandbox.node.blockchain import Happening
from sandbox.node.decoding import Coin
from sandbox.node.faults import ForgedTransfer
from sandbox.node.people import Output, SpelledCoin
from tests.scenarios.harbour import (
    ALICE,
    FEE,
    HELD,
    JUNO,
    NETWORK_FEE,
    PARAMETERS,
    UNLISTED,
    WALLET,
    Harbour,
    harbour,
    strangers_spend,
)

FEE_COLLECTOR = address.encode("juno", address.module_address("fee_collector"))
"""Refuses coins: a send to it fails in the block with code 4, after fee and sequence were used."""


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Harbour]:
    async with harbour(tmp_path / "books.db") as started:
        yield started


@pytest.fixture
async def rich(port: Harbour) -> Harbour:
    """Alice owns 1,000,000."""
    await port.pay_in(("ujuno", "1000000"), memo=b"11")
    return port


# Coins in


async def test_books_open_with_what_the_treasury_held(port: Harbour) -> None:
    assert port.balance(BOT_TREASURY) == HELD
    port.assert_agreed()


@pytest.mark.parametrize(
    ("memo", "account", "reason"),
    [
        (b"11", ALICE, None),
        (b" 11\r\n", ALICE, None),
        (b"topup", BOT_TREASURY, None),
        (b"donate", REWARDS_POOL, None),
        (b"", UNCLAIMED, "no_memo"),
        (b"alice", UNCLAIMED, "unusable_memo"),
        (b"12", UNCLAIMED, "unknown_user"),
        (b"\xff\xfe", UNCLAIMED, "residue"),
    ],
)
async def test_a_deposit_ends_where_its_memo_says(
    port: Harbour, memo: bytes, account: int, reason: str | None
) -> None:
    before = port.balance(account)
    await port.pay_in(("ujuno", "7000"), memo=memo)
    assert port.balance(account) == before + 7_000
    assert [row["reason"] for row in port.select("SELECT reason FROM unclaimed")] == (
        [reason] if reason else []
    )
    port.assert_agreed()


@pytest.mark.parametrize(
    ("spelling", "moved"), [("010", 8), ("0x7", 7), ("1_000", 1_000), ("+7", 7), ("0b11", 3)]
)
async def test_an_odd_amount_is_unclaimed_with_what_really_moved(
    port: Harbour, spelling: str, moved: int
) -> None:
    await port.pay_in(("ujuno", spelling), memo=b"11")
    assert (port.balance(ALICE), port.balance(UNCLAIMED)) == (0, moved)
    port.assert_agreed()


async def test_an_unlisted_denom_is_written_down_only(port: Harbour) -> None:
    huge = str(10**24)
    await port.pay_in((UNLISTED, huge), memo=b"11")
    (row,) = port.select("SELECT state, amount FROM processed_deposits")
    assert row == {"state": "unlisted", "amount": huge}
    port.assert_agreed()


@pytest.mark.parametrize("multi", [False, True])
async def test_every_output_counts(port: Harbour, multi: bool) -> None:
    await port.pay_in(("ujuno", "1000"), memo=b"11", outputs=3, multi=multi)
    assert port.balance(ALICE) == 3_000
    port.assert_agreed()


async def test_listed_and_unlisted_coins_of_one_send_go_their_ways(port: Harbour) -> None:
    await port.pay_in(("ujuno", "1000"), (UNLISTED, "5"), memo=b"11")
    assert port.balance(ALICE) == 1_000
    port.assert_agreed()


async def test_coins_that_no_transaction_brought_are_unclaimed(port: Harbour) -> None:
    port.node.happen(WALLET.address, [Coin("ujuno", 900)])
    await port.grow(2)
    await port.scan()
    assert port.balance(UNCLAIMED) == 900
    port.assert_agreed()


async def test_coins_that_are_gone_freeze_withdrawals(rich: Harbour) -> None:
    rich.node.happen(WALLET.address, [Coin("ujuno", -900)])
    await rich.grow(2)
    await rich.scan()
    assert rich.balance(SYSTEM_RESERVE) == -900
    assert [row["alert"] for row in rich.alerts()] == ["reconciliation.shortfall"]
    rich.assert_agreed()


# Coins out


async def test_a_withdrawal_lands_once(rich: Harbour) -> None:
    before = rich.holds(rich.friend.raw_address)
    asked = await rich.ask("k1")
    await rich.settle()
    assert rich.state(asked) == "confirmed"
    assert rich.holds(rich.friend.raw_address) == before + 5_000
    assert rich.balance(BOT_TREASURY) == HELD + FEE - NETWORK_FEE
    rich.assert_agreed()


@pytest.mark.parametrize("mischief", ["rehash_next", "duplicate_next"])
async def test_a_withdrawal_that_a_stranger_touched_is_confirmed_once(rich: Harbour, mischief: str) -> None:
    before = rich.holds(rich.friend.raw_address)
    asked = await rich.ask("k1")
    setattr(rich.node.chain.mischief, mischief, 1)
    await rich.settle()
    assert rich.state(asked) == "confirmed"
    assert rich.holds(rich.friend.raw_address) == before + 5_000
    assert rich.alerts() == []
    rich.assert_agreed()


async def test_what_nodes_accept_and_forget_is_offered_again(rich: Harbour) -> None:
    for faults in rich.node.faults.values():
        faults.switch(drop_broadcasts=True)
    asked = await rich.ask("k1")
    await rich.round(blocks=4)
    assert rich.state(asked) == "signed"
    for faults in rich.node.faults.values():
        faults.clear()
    await rich.settle()
    assert rich.state(asked) == "confirmed"
    rich.assert_agreed()


async def test_what_never_reaches_a_block_is_returned_after_the_timeout(rich: Harbour) -> None:
    for faults in rich.node.faults.values():
        faults.switch(drop_broadcasts=True)
    asked = await rich.ask("k1")
    await rich.sender.step()
    await rich.grow(PARAMETERS.timeout_blocks)
    await rich.scan()
    assert rich.state(asked) == "signed"
    await rich.grow(2)
    await rich.scan()
    assert (rich.state(asked), rich.balance(ALICE)) == ("returned", 1_000_000)
    rich.assert_agreed()


async def test_a_reply_that_got_lost_pays_once(rich: Harbour) -> None:
    before = rich.holds(rich.friend.raw_address)
    for faults in rich.node.faults.values():
        faults.switch(lose_reply=True, methods=["broadcast_tx_sync"])
    asked = await rich.ask("k1")
    await rich.settle()
    assert rich.state(asked) == "confirmed"
    assert rich.holds(rich.friend.raw_address) == before + 5_000
    rich.assert_agreed()


async def test_a_withdrawal_that_fails_in_its_block_returns_less_the_network_fee(rich: Harbour) -> None:
    asked = await rich.ask("k1", address=FEE_COLLECTOR)
    await rich.settle()
    assert rich.state(asked) == "returned"
    assert rich.balance(ALICE) == 1_000_000 - NETWORK_FEE
    rich.assert_agreed()


async def test_one_bad_address_of_a_batch_stops_nobody_else(rich: Harbour) -> None:
    good = [await rich.ask("k1"), await rich.ask("k2")]
    bad = await rich.ask("k3", address=FEE_COLLECTOR)
    await rich.settle()
    assert [rich.state(each) for each in (*good, bad)] == ["confirmed", "confirmed", "returned"]
    assert rich.balance(WITHDRAWALS) == 0
    rich.assert_agreed()


async def test_a_memo_travels_with_a_withdrawal(rich: Harbour) -> None:
    asked = await rich.ask("k1", memo="exchange 42")
    await rich.settle()
    assert rich.state(asked) == "confirmed"
    rich.assert_agreed()


async def test_a_restarted_node_does_not_stop_a_withdrawal(rich: Harbour) -> None:
    asked = await rich.ask("k1")
    await rich.sender.step()
    rich.node.chain.mempool.forget()
    await rich.settle()
    assert rich.state(asked) == "confirmed"
    rich.assert_agreed()


async def test_a_halted_chain_resolves_nothing(rich: Harbour) -> None:
    asked = await rich.ask("k1")
    await rich.sender.step()
    rich.clock.millis += 3_600_000
    await rich.scan()
    assert rich.state(asked) == "signed"


async def test_a_stranger_with_the_key_is_found_out(rich: Harbour) -> None:
    rich.node.chain.mempool.add(strangers_spend(rich.node, rich.friend.address, 700))
    await rich.grow(2)
    await rich.scan()
    asked = rich.select("SELECT reason FROM freezes ORDER BY reason")
    assert [row["reason"] for row in asked] == ["shortfall", "stranger"]
    assert rich.balance(SYSTEM_RESERVE) == -700 - NETWORK_FEE
    rich.assert_agreed()


# Nodes that lie


async def test_flipped_codes_of_every_node_credit_nothing(port: Harbour) -> None:
    for faults in port.node.faults.values():
        faults.switch(flip_codes=True)
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    assert port.balance(ALICE) == 0
    assert {row["endpoint"] for row in port.alerts()} == {"main", "second"}


async def test_a_node_with_flipped_codes_is_named_and_the_other_believed(port: Harbour) -> None:
    port.node.faults["main"].switch(flip_codes=True)
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    await port.scan()
    assert port.balance(ALICE) == 7_000
    assert port.alerts() == [{"alert": "node.lied", "endpoint": "main"}]
    port.assert_agreed()


async def test_transactions_that_no_block_holds_credit_nothing(port: Harbour) -> None:
    raw = port.friend.sign(port.node.chain, [], b"11")
    for faults in port.node.faults.values():
        faults.switch(extra_txs={height: [b64encode(raw).decode()] for height in range(1, 99)})
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    assert port.balance(ALICE) == 0
    assert "node.lied" in [row["alert"] for row in port.alerts()]


async def test_a_forged_event_credits_nothing_and_names_its_node(port: Harbour) -> None:
    forged = ForgedTransfer(sender=port.friend.address, recipient=WALLET.address, amount="9000000ujuno")
    port.node.faults["main"].switch(forged_transfers=[forged])
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    assert port.balance(ALICE) == 7_000
    assert port.alerts() == [{"alert": "node.lied", "endpoint": "main"}]
    port.assert_agreed()


@pytest.mark.parametrize("kind", ["fork", "false_chain"])
async def test_another_chain_than_the_validators_signed_credits_nothing(port: Harbour, kind: str) -> None:
    planted = [Happening(WALLET.raw_address, (Coin("ujuno", 9_000_000),))]
    height = port.node.height + 1
    getattr(port.node.faults["main"], kind)(port.node.chain, height, planted=planted)
    before = port.balance(UNCLAIMED)
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    await port.scan()
    assert (port.balance(ALICE), port.balance(UNCLAIMED)) == (7_000, before)
    assert port.alerts() == [{"alert": "node.lied", "endpoint": "main"}]
    port.assert_agreed()


@pytest.mark.parametrize("odd_proof", ["value", "proof", "stale", "missing"])
async def test_a_deposit_whose_balance_is_not_proved_is_not_credited(port: Harbour, odd_proof: str) -> None:
    for faults in port.node.faults.values():
        faults.switch(odd_proof=odd_proof)
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    (settled,) = port.service.blocks.settled(PARAMETERS.chain_id)
    assert (settled.balance, port.balance(ALICE)) == (HELD, 0)


async def test_a_pruned_height_halts_and_is_never_skipped(port: Harbour) -> None:
    cursor = port.service.blocks.cursor(PARAMETERS.chain_id)
    assert cursor is not None
    await port.grow(5)
    for faults in port.node.faults.values():
        faults.switch(pruned_below=cursor.height + 3)
    port.clock.millis += 20_000
    await port.scan()
    assert [row["alert"] for row in port.alerts()] == ["chain.pruned"]
    assert port.service.blocks.cursor(PARAMETERS.chain_id) == cursor


async def test_an_endpoint_of_another_chain_is_not_asked(port: Harbour) -> None:
    port.node.faults["main"].switch(chain_id="juno-9")
    port.clock.millis += 20_000
    await port.grow()
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    await port.scan()
    assert port.balance(ALICE) == 7_000


async def test_what_was_paid_in_during_a_long_absence_is_caught_up_in_order(port: Harbour) -> None:
    for number in range(1, 26):
        port.node.send(port.friend, [_output(number * 1_000)], memo=b"11")
        await port.grow(3)
    await port.scan()
    rows = port.select("SELECT amount FROM processed_deposits ORDER BY transaction_id")
    assert [row["amount"] for row in rows] == [str(number * 1_000) for number in range(1, 26)]
    port.assert_agreed()


def _output(amount: int) -> Output:
    return Output(WALLET.address, (SpelledCoin(JUNO, str(amount)),))
