"""A backup is put back on a chain that moved on: nobody is paid twice, and nothing is lost that a block knows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE
from ledger.attributions import attribution_unit, unknown_payments
from ledger.audit import audit
from ledger.backup import back_up, restore
from ledger.clocks import DRIFT_MS
from ledger.freezes import Freeze, FreezeReason, freeze_of, lift_unit
from ledger.roles import Actor
from tests.scenarios.harbour import (
    ALICE,
    FEE,
    HELD,
    NETWORK_FEE,
    PARAMETERS,
    WALLET,
    Harbour,
    harbour,
)

IDENTITY = {"chain_id": PARAMETERS.chain_id, "address": WALLET.address, "bot_id": "7"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "books.db"


@pytest.fixture
async def port(path: Path) -> AsyncIterator[Harbour]:
    """Alice owns 1,000,000."""
    async with harbour(path) as started:
        await started.pay_in(("ujuno", "1000000"), memo=b"11")
        yield started


async def put_back(port: Harbour, path: Path) -> None:
    """Lose the books that run, and go on with the copy beside them."""
    await port.service.close()
    restore(
        path.with_name("copy.db"),
        path,
        clock=port.clock,
        identity=IDENTITY,
        quiet_blocks=PARAMETERS.timeout_blocks,
    )
    await port.reopen(path)


async def catch_up(port: Harbour) -> None:
    """Read until no lost bytes can execute: the clock may have been behind when they were put back."""
    for _ in range(PARAMETERS.timeout_blocks + DRIFT_MS // PARAMETERS.block_ms + 3):
        await port.round(1)


async def test_what_was_paid_after_the_backup_is_not_paid_again(port: Harbour, path: Path) -> None:
    before = port.holds(port.friend.raw_address)
    asked = await port.ask("k1")
    back_up(path, path.with_name("copy.db"))
    await port.settle()
    await put_back(port, path)
    assert port.state(asked) == "queued"
    await catch_up(port)
    await port.settle()
    assert port.state(asked) == "confirmed"
    assert port.holds(port.friend.raw_address) == before + 5_000
    assert port.balance(SYSTEM_RESERVE) == 0
    assert port.balance(BOT_TREASURY) == HELD + FEE - NETWORK_FEE
    port.assert_agreed()


async def test_what_was_signed_but_not_yet_in_a_block_is_not_paid_twice(port: Harbour, path: Path) -> None:
    before = port.holds(port.friend.raw_address)
    asked = await port.ask("k1")
    back_up(path, path.with_name("copy.db"))
    await port.sender.step()  # in the mempool, and nowhere else
    await put_back(port, path)
    await port.sender.step()
    await catch_up(port)
    assert port.state(asked) == "confirmed"
    assert port.holds(port.friend.raw_address) == before + 5_000
    port.assert_agreed()


async def test_a_batch_that_was_paid_after_the_backup_settles_each(port: Harbour, path: Path) -> None:
    asked = [await port.ask(f"k{number}") for number in range(3)]
    back_up(path, path.with_name("copy.db"))
    await port.settle()
    await put_back(port, path)
    await catch_up(port)
    assert [port.state(each) for each in asked] == ["confirmed"] * 3
    port.assert_agreed()


async def test_what_was_asked_and_paid_after_the_backup_is_its_owners(port: Harbour, path: Path) -> None:
    back_up(path, path.with_name("copy.db"))
    await port.ask("k1")
    await port.settle()
    await port.pay_in(("ujuno", "7000"), memo=b"11")
    await put_back(port, path)
    await catch_up(port)
    (payment,) = unknown_payments(port.service.reader)
    assert (payment.address, payment.amount) == (port.friend.address, 5_000)
    assert (port.balance(SYSTEM_RESERVE), port.balance(ALICE)) == (-5_000, 1_007_000)
    unit = attribution_unit(
        "a", Actor(ALICE, owner=True), payment.id, account=ALICE, amount=None, reason="she says so"
    )
    await port.service.journal.submit(unit)
    assert (port.balance(SYSTEM_RESERVE), port.balance(ALICE)) == (0, 1_002_000)
    port.assert_agreed()


async def test_withdrawals_go_on_once_all_is_explained(port: Harbour, path: Path) -> None:
    back_up(path, path.with_name("copy.db"))
    await port.ask("k1")
    await port.settle()
    await put_back(port, path)
    await catch_up(port)
    (payment,) = unknown_payments(port.service.reader)
    unit = attribution_unit(
        "a", Actor(ALICE, owner=True), payment.id, account=ALICE, amount=None, reason="she says so"
    )
    await port.service.journal.submit(unit)
    assert freeze_of(port.service.reader, ALICE) == Freeze(FreezeReason.SHORTFALL, None)
    await port.service.journal.submit(
        lift_unit(Actor(ALICE, owner=True), Freeze(FreezeReason.SHORTFALL, None), "done")
    )
    again = await port.ask("k2", 6_000)
    await port.settle()
    assert port.state(again) == "confirmed"
    port.assert_agreed()
    await port.service.close()
    assert audit(path).clean
    await port.reopen(path)


async def test_bytes_that_were_signed_before_the_backup_settle_as_ever(port: Harbour, path: Path) -> None:
    asked = await port.ask("k1")
    await port.sender.step()
    back_up(path, path.with_name("copy.db"))
    await port.settle()
    await put_back(port, path)
    await catch_up(port)
    assert port.state(asked) == "confirmed"
    assert unknown_payments(port.service.reader) == []
    port.assert_agreed()


async def test_a_backup_older_than_a_payout_that_failed_is_explained_too(port: Harbour, path: Path) -> None:
    """The lost books paid a fee for nothing: the sequence moved, and nobody stole anything."""
    back_up(path, path.with_name("copy.db"))
    blocked = "juno17xpfvakm2amg962yls6f84z3kell8c5lxtqmvp"  # the fee collector refuses coins
    await port.ask("k1", address=blocked)
    await port.settle()
    await put_back(port, path)
    await catch_up(port)
    assert [row["alert"] for row in port.alerts()] == ["restore.replayed"]
    assert port.balance(BOT_TREASURY) == HELD - NETWORK_FEE
    assert port.balance(ALICE) == 1_000_000
    port.assert_agreed()
