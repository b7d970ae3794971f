"""Two instances over one database: one works, the other stands by, and a fencing token keeps the late one out."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chain.sender import SenderRules
from chain.tenure import TTL_MS
from ledger.errors import LeaseLost
from tests.chain.outside import ALICE, BLOCK_MS, JUNO, Outside, Program, program, silent


class Pair(NamedTuple):
    """Two instances and the world that both see."""

    first: Program
    second: Program
    outside: Outside

    def pass_ms(self, millis: int) -> None:
        """Let time go on for both, and no block come."""
        self.first.clock.later += millis
        self.second.clock.later += millis

    def fall_silent(self) -> None:
        """Let blocks come until the leases of the first have run out."""
        self.outside.grow_by(TTL_MS // BLOCK_MS + 1)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """The first has scanned and signed already: it holds both roles. Alice owns 1,000,000."""
    outside = Outside(holds={JUNO: 500_000})
    path = tmp_path / "books.db"
    async with (
        program(path, outside, holder="first") as first,
        program(path, outside, holder="second") as second,
    ):
        await first.fund()
        await first.ask("k0")
        await first.settle()
        yield Pair(first, second, outside)


def fences(running: Program) -> dict[str, tuple[str, int]]:
    rows = running.select(
        "SELECT role, holder, fence FROM transaction_locks WHERE role NOT LIKE 'withdrawal:%'"
    )
    return {row["role"]: (row["holder"], row["fence"]) for row in rows}


async def test_the_second_stands_by_while_the_first_works(pair: Pair) -> None:
    await pair.first.ask("k1")
    pair.outside.grow()
    assert await pair.second.sender.step() == SenderRules().standby_seconds
    assert await pair.second.scanner.step() == pair.second.scanner._rules.standby_seconds
    assert {holder for holder, _ in fences(pair.first).values()} == {"first"}
    assert len(pair.first.select("SELECT hash FROM signed_transactions")) == 1


async def test_who_stands_by_asks_no_node(pair: Pair) -> None:
    pair.outside.grow()
    asked = list(pair.outside.asked)
    await pair.second.scanner.step()
    assert pair.outside.asked == asked


async def test_a_lease_that_runs_is_not_taken(pair: Pair) -> None:
    held = await pair.first.sender._tenure.fence()
    pair.pass_ms(held.expires_at - pair.first.clock.now() - 1)
    with pytest.raises(LeaseLost):
        await pair.second.sender._tenure.fence()


async def test_when_the_first_falls_silent_the_second_goes_on_with_a_higher_token(pair: Pair) -> None:
    before = fences(pair.first)
    pair.fall_silent()
    asked = await pair.second.ask("k1")
    await pair.second.settle()
    assert pair.second.state(asked) == "confirmed"
    after = fences(pair.second)
    for role in ("scanner", "signer"):
        assert after[role][0] == "second"
        assert after[role][1] > before[role][1]


async def test_what_the_first_signed_is_carried_on_and_paid_once(pair: Pair) -> None:
    """The first dies between its commit and its broadcast."""
    pair.outside.answers = silent()
    asked = await pair.first.ask("k1")
    await pair.first.sender.step()
    pair.outside.answers = []
    pair.pass_ms(TTL_MS + 1)
    await pair.second.settle()
    assert pair.second.state(asked) == "confirmed"
    assert len(pair.outside.sent) == 2
    assert len(pair.second.select("SELECT hash FROM signed_transactions")) == 2


async def test_a_first_that_wakes_up_late_writes_nothing(pair: Pair) -> None:
    """Its fence looks good to itself; the writer finds it out inside the transaction."""
    late = await pair.first.sender._tenure.fence()
    scanning = await pair.first.scanner._tenure.fence()
    pair.fall_silent()
    asked = await pair.second.ask("k1")
    await pair.second.scan()
    await pair.second.sender.step()
    (signed,) = pair.second.service.payments.unresolved()
    with pytest.raises(LeaseLost):
        await pair.first.service.payments.mark_broadcast(late, signed.signed.hash)
    with pytest.raises(LeaseLost):
        await pair.first.service.payments.store(late, signed.signed, (asked.id,))
    with pytest.raises(LeaseLost):
        await pair.first.service.payments.replace(late, signed.signed, frozenset({signed.signed.hash}))
    with pytest.raises(LeaseLost):
        await pair.first.service.blocks.foresee(scanning, ())
    assert await pair.first.sender.step() == SenderRules().standby_seconds
    await pair.second.settle()
    assert len(pair.outside.sent) == 2


async def test_both_at_once_move_everything_once(pair: Pair) -> None:
    """They take turns at every step, also while the lease goes from one to the other."""
    asked = [await pair.first.ask(f"k{number}") for number in range(1, 6)]
    for turn in range(40):
        if turn == 10:
            pair.fall_silent()
        for running in (pair.first, pair.second) if turn % 2 else (pair.second, pair.first):
            await running.scanner.step()
            await running.sender.step()
        pair.outside.include()
    assert {pair.first.state(each) for each in asked} == {"confirmed"}
    assert len(pair.outside.sent) == 6
    assert pair.first.balance(ALICE) == 1_000_000 - sum(each.held for each in asked) - asked[0].held
    assert "key.stranger" not in pair.first.alerts()
