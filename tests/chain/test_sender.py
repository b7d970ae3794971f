"""The sender signs once, stores before it speaks, and lets blocks decide."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain.client import BroadcastAnswer, Verdict
from chain.endpoints import Broadcast
from chain.errors import Halted
from chain.fees import quote
from chain.sender import MAX_BATCH, Concern, concern_of, make_plan
from chain.wallet import canonical_hash
from ledger.accounts import BOT_TREASURY, WITHDRAWALS
from ledger.freezes import Freeze, FreezeReason, lift_unit
from ledger.journal import Lane
from ledger.money import Amount
from ledger.roles import CONSOLE
from ledger.withdrawals import ManualOutcome, Withdrawal, WithdrawalState
from tests.chain.outside import (
    ALICE,
    FRIEND,
    JUNO,
    NETWORK_FEE,
    PARAMETERS,
    TERMS,
    Outside,
    Program,
    Recorder,
    Sent,
    program,
    rejected,
    silent,
)

AMOUNT = 5_000
FEE = TERMS[0].fee


@pytest.fixture
def outside() -> Outside:
    return Outside(holds={JUNO: 500_000})


@pytest.fixture
async def running(tmp_path: Path, outside: Outside) -> AsyncIterator[Program]:
    """Alice owns 1,000,000, BOT_TREASURY 500,000."""
    async with program(tmp_path / "books.db", outside) as started:
        await started.fund()
        yield started


def waiting(number: int, *, memo: str = "", alone: bool = False, fee: int = 12_000) -> Withdrawal:
    return Withdrawal(
        number, ALICE, JUNO, Amount(AMOUNT), Amount(fee), FRIEND, memo, WithdrawalState.QUEUED, alone, 0
    )


@pytest.mark.parametrize(
    ("queued", "treasury", "paid"),
    [
        ([], 500_000, None),
        ([waiting(1)], 0, [1]),
        ([waiting(1), waiting(2), waiting(3)], 500_000, [1, 2, 3]),
        ([waiting(1), waiting(2, memo="x"), waiting(3)], 500_000, [1, 3]),
        ([waiting(1, memo="x"), waiting(2)], 500_000, [1]),
        ([waiting(1, alone=True), waiting(2)], 500_000, [1]),
        ([waiting(1), waiting(2)], 0, [1]),
        ([waiting(1, fee=0)], NETWORK_FEE - 1, None),
        ([waiting(1, fee=0)], NETWORK_FEE, [1]),
        ([waiting(1, fee=0), waiting(2)], 0, [2]),
    ],
)
def test_what_is_signed_next(queued: list[Withdrawal], treasury: int, paid: list[int] | None) -> None:
    plan = make_plan(queued, treasury, PARAMETERS)
    assert (None if plan is None else [each.id for each in plan.withdrawals]) == paid


def test_a_batch_has_a_limit() -> None:
    plan = make_plan([waiting(number) for number in range(1, 200)], 10**9, PARAMETERS)
    assert plan is not None
    assert len(plan.withdrawals) == MAX_BATCH


@pytest.mark.parametrize(
    ("answers", "codes", "halts"),
    [
        (rejected(4, 4), (4,), True),
        (rejected(2), (2,), True),
        (rejected(11), (11,), True),
        (rejected(12), (12,), True),
        (rejected(13), (13,), True),
        (rejected(5), (5,), False),
        (rejected(4, 5), (4, 5), False),
        (rejected(99), (99,), False),
        (rejected(32), None, False),
        (rejected(30), None, False),
        (rejected(4, 32), None, False),
        (silent(), None, False),
        ([*rejected(4), *silent()], None, False),
        ([*rejected(4), BroadcastAnswer("honest", Verdict.ACCEPTED)], None, False),
        ([*rejected(4), BroadcastAnswer("honest", Verdict.KNOWN)], None, False),
        ([], None, False),
    ],
)
def test_what_the_answers_of_all_nodes_mean(
    answers: list[BroadcastAnswer], codes: tuple[int, ...] | None, halts: bool
) -> None:
    concern = concern_of(Broadcast(tuple(answers)))
    assert (concern.codes if concern else None) == codes
    assert bool(concern and concern.halts) is halts


def test_a_concern_says_why_in_words() -> None:
    assert concern_of(Broadcast(tuple(rejected(13)))) == Concern(
        "the fee is below the nodes' floor", (13,), halts=True
    )


async def test_a_withdrawal_lands_once(running: Program, outside: Outside) -> None:
    asked = await running.ask("k1")
    await running.round()
    assert running.state(asked) == "confirmed"
    assert outside.sent == [Sent(FRIEND, AMOUNT, "")]
    assert running.balance(WITHDRAWALS) == 0
    assert running.balance(BOT_TREASURY) == 500_000 + FEE - NETWORK_FEE


async def test_the_bytes_are_committed_before_a_node_sees_them(running: Program, outside: Outside) -> None:
    stored: list[int] = []
    outside.at_offer = lambda: stored.append(len(running.select("SELECT hash FROM signed_transactions")))
    await running.ask("k1")
    await running.sender.step()
    assert stored == [1]


async def test_an_accepted_transaction_is_written_down_and_not_final(running: Program) -> None:
    asked = await running.ask("k1")
    await running.sender.step()
    (row,) = running.select("SELECT state FROM signed_transactions")
    assert (row["state"], running.state(asked)) == ("broadcast", "signed")


async def test_a_memo_travels_with_its_withdrawal_alone(running: Program, outside: Outside) -> None:
    await running.ask("k1", memo="exchange 7")
    await running.ask("k2")
    await running.settle()
    assert outside.sent == [Sent(FRIEND, AMOUNT, "exchange 7"), Sent(FRIEND, AMOUNT, "")]
    assert outside.sequence == 2


async def test_withdrawals_that_wait_together_share_a_transaction(running: Program, outside: Outside) -> None:
    for number in range(5):
        await running.ask(f"k{number}")
    await running.round()
    assert (len(outside.sent), outside.sequence) == (5, 1)


async def test_a_failed_batch_is_paid_one_by_one(running: Program, outside: Outside) -> None:
    asked = [await running.ask(f"k{number}") for number in range(3)]
    await running.round(code=4)
    await running.settle()
    assert [running.state(each) for each in asked] == ["confirmed"] * 3
    assert (len(outside.sent), outside.sequence) == (3, 4)


async def test_a_failed_single_returns_less_the_network_fee(running: Program, outside: Outside) -> None:
    asked = await running.ask("k1")
    await running.round(code=5)
    assert (running.state(asked), outside.sent) == ("returned", [])
    assert running.balance(ALICE) == 1_000_000 - NETWORK_FEE


async def test_a_rehashed_withdrawal_is_confirmed_and_freezes_nothing(
    running: Program, outside: Outside
) -> None:
    asked = await running.ask("k1")
    await running.round(rehash=True)
    await running.round()
    assert (running.state(asked), len(outside.sent)) == ("confirmed", 1)
    assert running.alerts() == []


async def test_the_same_bytes_are_offered_again_every_few_blocks(running: Program, outside: Outside) -> None:
    await running.ask("k1")
    await running.sender.step()
    for _ in range(6):
        outside.mempool.clear()
        outside.grow()
        await running.scan()
        await running.sender.step()
    assert len(outside.offered) == 3
    assert len(set(outside.offered)) == 1


async def test_what_a_node_forgot_is_offered_again_and_lands(running: Program, outside: Outside) -> None:
    asked = await running.ask("k1")
    await running.sender.step()
    outside.mempool.clear()
    await running.settle()
    assert (running.state(asked), len(outside.sent)) == ("confirmed", 1)


async def test_a_time_out_refunds_nothing(running: Program, outside: Outside) -> None:
    outside.answers = silent([1, 2])
    asked = await running.ask("k1")
    await running.sender.step()
    assert running.state(asked) == "signed"
    assert running.alerts() == []


async def test_what_never_got_into_a_block_is_returned_after_its_timeout(
    running: Program, outside: Outside
) -> None:
    outside.answers = silent()
    asked = await running.ask("k1")
    await running.sender.step()
    outside.grow_by(PARAMETERS.timeout_blocks + 1)
    await running.scan()
    assert running.state(asked) == "returned"
    assert running.balance(ALICE) == 1_000_000


async def test_past_the_timeout_nothing_is_offered(running: Program, outside: Outside) -> None:
    outside.answers = silent()
    await running.ask("k1")
    await running.sender.step()
    outside.grow_by(PARAMETERS.timeout_blocks)
    await running.scan()
    await running.sender.step()
    assert len(outside.offered) == 1


async def test_after_a_death_proof_the_sequence_is_used_again(running: Program, outside: Outside) -> None:
    outside.answers = silent()
    await running.ask("k1")
    await running.sender.step()
    outside.grow_by(PARAMETERS.timeout_blocks + 1)
    await running.scan()
    outside.answers = []
    await running.ask("k2")
    await running.round()
    rows = running.select("SELECT sequence, state FROM signed_transactions ORDER BY signed_height")
    assert [(row["sequence"], row["state"]) for row in rows] == [(0, "expired"), (0, "confirmed")]


async def test_nothing_new_is_signed_while_a_sequence_is_unresolved(
    running: Program, outside: Outside
) -> None:
    outside.answers = silent()
    await running.ask("k1")
    await running.sender.step()
    await running.ask("k2")
    for _ in range(3):
        await running.sender.step()
    assert len(running.select("SELECT hash FROM signed_transactions")) == 1


async def test_nothing_is_signed_while_the_cursor_catches_up(running: Program) -> None:
    await running.ask("k1")
    running.clock.later += 120_000
    await running.sender.step()
    assert running.select("SELECT hash FROM signed_transactions") == []


async def test_nothing_is_signed_on_an_unproved_sequence(running: Program, outside: Outside) -> None:
    await running.ask("k1")
    del outside.states[outside.grow()]
    await running.scan()
    await running.sender.step()
    assert running.select("SELECT hash FROM signed_transactions") == []


async def test_a_treasury_that_cannot_pay_the_network_is_told_once(tmp_path: Path) -> None:
    free = TERMS[0]._replace(fee=Amount(0))
    async with program(tmp_path / "books.db", Outside(), terms=[free]) as running:
        await running.fund()
        await running.ask("k1", fee=0)
        await running.sender.step()
        await running.sender.step()
        assert running.alerts() == ["treasury.short"]


async def test_nodes_that_refuse_every_signature_stop_the_signing(running: Program, outside: Outside) -> None:
    outside.answers = rejected(4, 4)
    asked = await running.ask("k1")
    await running.sender.step()
    assert running.alerts() == ["broadcast.rejected"]
    outside.grow_by(PARAMETERS.timeout_blocks + 1)
    await running.scan()
    assert running.state(asked) == "returned"
    await running.ask("k2")
    with pytest.raises(Halted):
        await running.sender.step()


async def halted(running: Program, outside: Outside) -> None:
    """Let the nodes refuse a payout for its signature until it has expired."""
    outside.answers = rejected(4, 4)
    await running.ask("k1")
    await running.sender.step()
    outside.grow_by(PARAMETERS.timeout_blocks + 1)
    await running.scan()


async def test_a_halt_ends_when_the_refused_bytes_are_taken_after_all(
    running: Program, outside: Outside
) -> None:
    outside.answers = rejected(4, 4)
    first = await running.ask("k1")
    await running.sender.step()
    outside.answers = []
    outside.grow_by(3)
    await running.round()
    await running.round()
    assert running.state(first) == "confirmed"
    second = await running.ask("k2")
    await running.round()
    assert running.state(second) == "confirmed"


async def test_a_halt_that_nothing_ended_is_looked_into_again(running: Program, outside: Outside) -> None:
    await halted(running, outside)
    outside.answers = []
    asked = await running.ask("k2")
    with pytest.raises(Halted):
        await running.sender.step()
    outside.grow_by(PARAMETERS.timeout_blocks)
    await running.scan()
    await running.round()
    assert running.state(asked) == "confirmed"


async def test_a_lying_node_alone_stops_nothing(running: Program, outside: Outside) -> None:
    outside.answers = [*rejected(4), BroadcastAnswer("honest", Verdict.ACCEPTED)]
    await running.ask("k1")
    await running.sender.step()
    assert running.alerts() == []


async def test_a_stranger_with_the_key_freezes_withdrawals(running: Program, outside: Outside) -> None:
    asked = await running.ask("k1")
    outside.sequence += 1
    outside.holds[JUNO] -= 10_000
    outside.grow()
    await running.scan()
    await running.sender.step()
    assert running.state(asked) == "queued"
    assert (
        running.alerts() == ["reconciliation.shortfall", "key.stranger"] or "key.stranger" in running.alerts()
    )


@pytest.mark.parametrize("outcome", list(ManualOutcome))
async def test_a_payout_whose_sequence_somebody_used_is_ended_by_an_owner_and_others_go_on(
    running: Program, outside: Outside, outcome: ManualOutcome
) -> None:
    """Its bytes can execute no more, and only people know whether whoever signed by hand paid it."""
    blocked = await running.ask("k1")
    await running.sender.step()
    outside.mempool = []
    outside.sequence += 1
    outside.grow_by(2)
    await running.scan()
    await running.sender.step()
    assert running.alerts() == ["key.stranger", "payout.blocked"]
    books = running.service
    lifted = lift_unit(CONSOLE, Freeze(FreezeReason.STRANGER, None), "it was me")
    await books.journal.submit(lifted, Lane.SYSTEM)
    after = await running.ask("k2")
    await running.round()
    assert (running.state(blocked), running.state(after)) == ("signed", "queued")
    await books.withdrawals.resolve_manually(CONSOLE, blocked.id, outcome, "looked it up")
    await running.round()
    assert (running.state(blocked), running.state(after)) == ("manual", "confirmed")


async def test_a_second_instance_signs_nothing(tmp_path: Path, running: Program, outside: Outside) -> None:
    await running.ask("k0")
    await running.settle()
    await running.ask("k1")
    async with program(tmp_path / "books.db", outside, holder="two") as second:
        await second.sender.step()
        assert len(second.select("SELECT hash FROM signed_transactions")) == 1


async def test_our_transaction_is_known_by_its_canonical_hash(running: Program, outside: Outside) -> None:
    await running.ask("k1")
    await running.sender.step()
    (row,) = running.select("SELECT hash FROM signed_transactions")
    assert row["hash"] == canonical_hash(outside.offered[0])


async def test_a_kill_at_any_commit_pays_or_returns_each_withdrawal_once(tmp_path: Path) -> None:
    """Disk and world as they were around every commit of the flow: a restart from there ends well."""
    outside = Outside(holds={JUNO: 500_000})
    recorder = Recorder(tmp_path / "instants", outside)
    async with program(tmp_path / "books.db", outside, store=recorder.store) as running:
        await running.fund()
        await running.ask("k1", memo="first")
        await running.round()
        await running.ask("k2")
        await running.ask("k3")
        await running.round(code=4)
        await running.settle()
    assert len(recorder.instants) > 20
    for instant in recorder.instants:
        await _restart(instant.database, instant.outside, instant.name)


async def _restart(path: Path, outside: Outside, name: str) -> None:
    async with program(path, outside, holder="again", later=40_000) as running:
        await running.settle()
        ended = running.select("SELECT state, amount FROM withdrawals")
        confirmed = [row for row in ended if row["state"] == "confirmed"]
        assert len(outside.sent) == len(confirmed), name
        assert running.service.reader.total(JUNO) == outside.holds[JUNO], name
        assert running.balance(WITHDRAWALS) == 0, name
        assert "key.stranger" not in running.alerts(), name


@pytest.mark.parametrize(
    ("sends", "gas", "fee"), [(1, 150_000, 11_250), (2, 190_000, 14_250), (50, 2_110_000, 158_250)]
)
def test_the_price_is_of_the_gas_limit(sends: int, gas: int, fee: int) -> None:
    price = quote(PARAMETERS, sends)
    assert (price.gas_limit, price.fee) == (gas, (JUNO, fee))
