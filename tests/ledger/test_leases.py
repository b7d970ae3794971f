"""Leases: one holder per role, a token that only grows, and locks on money without an end."""

from pathlib import Path

import pytest

from ledger.errors import BrokenInvariant, LeaseLost
from ledger.leases import LONGEST_MS, Fence, is_locked, lock_withdrawal, require, unlock_withdrawal
from ledger.service import LedgerService
from ledger.units import Decision, Row, Unit, View
from tests.ledger.desk import StoppedClock, ledger_at, outcomes, settle_people

TTL = 1_000
YEAR = 365 * 24 * 60 * 60 * 1_000


async def act(ledger: LedgerService, fence: Fence) -> None:
    def decide(view: View) -> Decision[None]:
        require(view, fence)
        return Decision(None)

    await ledger.journal.submit(Unit(decide))


async def write(ledger: LedgerService, row: Row) -> None:
    await ledger.journal.submit(Unit(lambda _: Decision(None, rows=(row,))))


async def test_the_first_holder_has_token_one(ledger: LedgerService, clock: StoppedClock) -> None:
    assert await ledger.leases.acquire("poller", "a", TTL) == ("poller", "a", 1, clock.time + TTL)


async def test_another_waits_until_it_runs_out(ledger: LedgerService, clock: StoppedClock) -> None:
    await ledger.leases.acquire("poller", "a", TTL)
    clock.time += TTL - 1
    with pytest.raises(LeaseLost):
        await ledger.leases.acquire("poller", "b", TTL)
    clock.time += 1
    assert (await ledger.leases.acquire("poller", "b", TTL)).token == 2


async def test_a_clock_that_was_ahead_for_a_while_keeps_nobody_out(
    ledger: LedgerService, clock: StoppedClock
) -> None:
    clock.time += YEAR
    await settle_people(ledger)
    await ledger.leases.acquire("poller", "a", TTL)
    clock.time -= YEAR
    assert (await ledger.leases.acquire("poller", "b", TTL)).token == 2
    clock.time += TTL
    assert (await ledger.leases.acquire("poller", "c", TTL)).token == 3


async def test_no_lease_is_given_for_ever(ledger: LedgerService) -> None:
    with pytest.raises(ValueError, match="a lease of"):
        await ledger.leases.acquire("poller", "a", LONGEST_MS + 1)


async def test_roles_do_not_meet(ledger: LedgerService) -> None:
    await ledger.leases.acquire("poller", "a", TTL)
    assert (await ledger.leases.acquire("scanner", "b", TTL)).token == 1


async def test_renewing_keeps_the_token(ledger: LedgerService, clock: StoppedClock) -> None:
    fence = await ledger.leases.acquire("poller", "a", TTL)
    clock.time += TTL - 1
    assert await ledger.leases.renew(fence, TTL) == ("poller", "a", 1, clock.time + TTL)


async def test_whoever_slept_through_a_takeover_cannot_act(
    ledger: LedgerService, clock: StoppedClock
) -> None:
    asleep = await ledger.leases.acquire("poller", "a", TTL)
    clock.time += TTL
    await ledger.leases.acquire("poller", "b", TTL)
    for attempt in (act(ledger, asleep), ledger.leases.renew(asleep, TTL), ledger.leases.release(asleep)):
        with pytest.raises(LeaseLost):
            await attempt


async def test_the_same_holder_started_again_ends_its_former_self(ledger: LedgerService) -> None:
    former = await ledger.leases.acquire("poller", "a", TTL)
    now = await ledger.leases.acquire("poller", "a", TTL)
    await act(ledger, now)
    with pytest.raises(LeaseLost):
        await act(ledger, former)


async def test_one_that_ran_out_and_was_not_taken_is_still_good(
    ledger: LedgerService, clock: StoppedClock
) -> None:
    fence = await ledger.leases.acquire("poller", "a", TTL)
    clock.time += 10 * TTL
    await act(ledger, fence)


async def test_a_released_role_is_free_at_once_and_its_token_grows(ledger: LedgerService) -> None:
    await ledger.leases.release(await ledger.leases.acquire("poller", "a", TTL))
    assert (await ledger.leases.acquire("poller", "b", TTL)).token == 2


async def test_of_two_that_ask_at_once_one_gets_it(ledger: LedgerService) -> None:
    results = await outcomes([ledger.leases.acquire("signer", name, TTL) for name in "ab"])
    assert sorted(type(result).__name__ for result in results) == ["Fence", "LeaseLost"]


async def test_two_processes_share_the_roles(ledger: LedgerService, path: Path, clock: StoppedClock) -> None:
    await ledger.leases.acquire("signer", "a", TTL)
    async with ledger_at(path, clock=clock) as second:
        with pytest.raises(LeaseLost):
            await second.leases.acquire("signer", "b", TTL)


async def test_a_withdrawal_is_locked_once(ledger: LedgerService) -> None:
    await write(ledger, lock_withdrawal(7, "tx"))
    with pytest.raises(BrokenInvariant):
        await write(ledger, lock_withdrawal(7, "other"))


async def test_a_lock_on_money_outlives_every_clock(ledger: LedgerService, clock: StoppedClock) -> None:
    await write(ledger, lock_withdrawal(7, "tx"))
    clock.time += 10**12
    assert await ledger.journal.submit(
        Unit(lambda view: Decision((is_locked(view, 7), is_locked(view, 8))))
    ) == (
        True,
        False,
    )


async def test_a_lock_ends_with_its_reason(ledger: LedgerService) -> None:
    await write(ledger, lock_withdrawal(7, "tx"))
    await write(ledger, unlock_withdrawal(7))
    await write(ledger, lock_withdrawal(7, "again"))


async def test_what_is_not_locked_cannot_be_unlocked(ledger: LedgerService) -> None:
    with pytest.raises(BrokenInvariant):
        await write(ledger, unlock_withdrawal(7))
