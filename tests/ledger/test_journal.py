"""The journal: lanes and limits, rows beside an act, cancelled callers, bugs of one book, the end."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from ledger.audit import audit
from ledger.errors import BrokenInvariant, Busy, LeaseLost, OutcomeUnknown, Refused, Unavailable
from ledger.journal import Journal, Lane
from ledger.money import Amount
from ledger.outbox import news
from ledger.service import LedgerService
from ledger.store import Store
from ledger.units import Decision, Entry, Posting, Row, Unit, View
from ledger.world import ThreadRunner
from ledger.writer import Writer
from tests.ledger.desk import (
    ANN,
    BEN,
    CAT,
    UJUNO,
    HeldRunner,
    StoppedClock,
    funding,
    ledger_at,
    outcomes,
    posting,
    rows_of,
    settle_people,
)


def told(view: View, outcome: Any) -> tuple[Row, ...]:
    return (news("reply", ANN, {"text": str(outcome)}, view.now),)


def replies(path: Path) -> list[str]:
    return [facts for (facts,) in rows_of(path, "SELECT facts FROM outbox ORDER BY id")]


def refuse(_view: View) -> Decision[None]:
    raise Refused("no_way")


async def test_rows_beside_an_act_are_committed_with_it(ledger: LedgerService, path: Path) -> None:
    await ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k", beside=told)
    assert len(replies(path)) == 1


async def test_rows_beside_a_refusal_are_committed(ledger: LedgerService, path: Path) -> None:
    with pytest.raises(Refused):
        await ledger.transfer_between_users(BEN, ANN, Amount(1), UJUNO, key="k", beside=told)
    assert "insufficient_balance" in replies(path)[0]


async def test_rows_beside_a_replay_are_committed(ledger: LedgerService, path: Path) -> None:
    await ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k")
    await ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k", beside=told)
    assert "replayed=True" in replies(path)[0]


async def test_rows_beside_see_the_books_as_they_were_before_the_act(ledger: LedgerService) -> None:
    seen = []

    def look(view: View, _outcome: Any) -> tuple[Row, ...]:
        seen.append(view.balance(ANN, UJUNO))
        seen.append(view.select("SELECT balance FROM user_balances WHERE user_id = ?", (ANN,))[0]["balance"])
        return ()

    await ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k", beside=look)
    assert seen == [1_000, 1_000]


async def test_a_decision_reads_what_the_batch_decided_before(ledger: LedgerService) -> None:
    def count(view: View) -> Decision[int]:
        (row,) = view.select("SELECT count(*) AS n FROM transactions WHERE kind = ?", ("transfer",))
        return Decision(row["n"])

    send = ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k")
    _, counted = await outcomes([send, ledger.journal.submit(Unit(count))])
    assert counted == 1


async def test_a_group_is_all_or_nothing(ledger: LedgerService) -> None:
    group = posting("g", Posting(ANN, BEN, Amount(900), UJUNO), Posting(ANN, CAT, Amount(900), UJUNO))
    with pytest.raises(Refused):
        await ledger.journal.submit(group)
    assert ledger.reader.balance(BEN, UJUNO) == 0


async def test_a_group_may_pass_coins_on(ledger: LedgerService) -> None:
    group = posting("g", Posting(ANN, BEN, Amount(900), UJUNO), Posting(BEN, CAT, Amount(900), UJUNO))
    await ledger.journal.submit(group)
    assert ledger.reader.balance(CAT, UJUNO) == 900


async def test_an_entry_is_numbered_by_its_first_posting(ledger: LedgerService, path: Path) -> None:
    group = posting("g", Posting(ANN, BEN, Amount(9), UJUNO), Posting(BEN, CAT, Amount(9), UJUNO))
    first = await ledger.journal.submit(group)
    assert rows_of(path, "SELECT id, postings FROM entries WHERE key = 'g'") == [(first, 2)]


async def test_other_errors_of_the_ledger_commit_nothing(ledger: LedgerService, path: Path) -> None:
    def decide(_view: View) -> Decision[None]:
        raise LeaseLost("gone")

    with pytest.raises(LeaseLost):
        await ledger.journal.submit(Unit(decide, beside=told))
    assert replies(path) == []


async def test_a_bug_in_one_book_is_its_callers_alone(ledger: LedgerService) -> None:
    def decide(_view: View) -> Decision[None]:
        raise KeyError("bug")

    send = ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k")
    bug, sent = await outcomes([ledger.journal.submit(Unit(decide)), send])
    assert isinstance(bug, KeyError)
    assert sent.destination_after == 1


async def test_a_wrong_statement_is_its_callers_alone(ledger: LedgerService) -> None:
    wrong = Unit(lambda _: Decision(None, rows=(Row("INSERT INTO nowhere VALUES (1)"),)))
    send = ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k")
    bug, sent = await outcomes([ledger.journal.submit(wrong), send])
    assert "nowhere" in str(bug)
    assert sent.destination_after == 1


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, 2**62])
async def test_an_amount_that_no_posting_may_have_is_a_bug(ledger: LedgerService, amount: Any) -> None:
    with pytest.raises(ValueError, match="no amount"):
        await ledger.journal.submit(posting("k", Posting(ANN, BEN, amount, UJUNO)))


async def test_an_entry_without_postings_is_a_bug(ledger: LedgerService) -> None:
    with pytest.raises(ValueError, match="moves nothing"):
        await ledger.journal.submit(posting("k"))


async def test_a_row_that_changes_another_number_than_it_must_breaks_the_books(ledger: LedgerService) -> None:
    row = Row("UPDATE users SET name = 'x' WHERE id = 404", (), changes=1)
    with pytest.raises(BrokenInvariant):
        await ledger.journal.submit(Unit(lambda _: Decision(None, rows=(row,))))


async def test_what_the_database_refuses_breaks_the_books(ledger: LedgerService) -> None:
    with pytest.raises(BrokenInvariant, match="no such kind"):
        await ledger.journal.submit(posting("k", Posting(ANN, BEN, Amount(1), UJUNO), kind="gift"))


async def test_broken_books_take_nothing_more(ledger: LedgerService) -> None:
    await outcomes([ledger.journal.submit(posting("k", Posting(ANN, BEN, Amount(1), UJUNO), kind="gift"))])
    with pytest.raises(BrokenInvariant):
        await ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="other")
    assert ledger.reader.balance(BEN, UJUNO) == 0


async def test_what_stood_in_the_batch_before_the_break_is_committed(ledger: LedgerService) -> None:
    before = ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="before")
    breaking = ledger.journal.submit(posting("k", Posting(ANN, BEN, Amount(1), UJUNO), kind="gift"))
    after = ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="after")
    stood, broken, late = await outcomes([before, breaking, after])
    assert stood.destination_after == 1
    assert isinstance(broken, BrokenInvariant)
    assert isinstance(late, BrokenInvariant)


async def test_a_full_lane_is_busy_before_any_work(path: Path) -> None:
    async with ledger_at(path) as service:
        await settle_people(service)
    held = HeldRunner()
    journal = Journal(Writer(Store(path), StoppedClock()), held, members_limit=2)
    held.free.clear()
    waiting = [asyncio.ensure_future(journal.submit(funding(ANN, 1))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await journal.submit(funding(ANN, 1))
    held.free.set()
    await asyncio.gather(*waiting)
    await journal.close()


async def test_the_system_does_not_stand_behind_members(path: Path) -> None:
    held = HeldRunner()
    order: list[str] = []

    def note(name: str) -> Unit[None]:
        def decide(_view: View) -> Decision[None]:
            order.append(name)
            return Decision(None)

        return Unit(decide)

    async with ledger_at(path, blocking=held) as service:
        held.free.clear()
        held.begun.clear()
        first = asyncio.ensure_future(service.journal.submit(note("first")))
        await held.begun.wait()
        members = [asyncio.ensure_future(service.journal.submit(note("member"))) for _ in range(3)]
        system = asyncio.ensure_future(service.journal.submit(note("system"), Lane.SYSTEM))
        await asyncio.sleep(0)
        held.free.set()
        await asyncio.gather(first, system, *members)
    assert order == ["first", "system", "member", "member", "member"]


async def test_closing_commits_what_waits(path: Path) -> None:
    async with ledger_at(path) as service:
        await settle_people(service)
        sends = [
            asyncio.ensure_future(
                service.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key=f"k{number}")
            )
            for number in range(20)
        ]
        await asyncio.sleep(0)
    assert [send.result().source_after for send in sends] == list(range(999, 979, -1))


async def test_a_closed_journal_takes_nothing(path: Path) -> None:
    async with ledger_at(path) as service:
        await settle_people(service)
    with pytest.raises(Unavailable):
        await service.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k")


@pytest.mark.parametrize("seed", range(25))
async def test_a_cancelled_caller_does_not_cancel_the_act(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    runner = ThreadRunner()
    async with ledger_at(path, blocking=runner) as service:
        await settle_people(service)
        sends = {}
        for number in range(40):
            transfer = service.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key=f"k{number}")
            sends[number] = asyncio.ensure_future(transfer)
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                sends[chance.randrange(number + 1)].cancel()
        await asyncio.gather(*sends.values(), return_exceptions=True)
    runner.close()
    acknowledged = {f"k{number}" for number, send in sends.items() if not send.cancelled()}
    stand = {key for (key,) in rows_of(path, "SELECT key FROM entries WHERE key LIKE 'k%'")}
    assert acknowledged <= stand
    assert audit(path).clean


@pytest.mark.parametrize("turns", range(8))
async def test_ending_every_task_leaves_no_transaction_open(path: Path, turns: int) -> None:
    """As a loop does when it ends: whatever runs is cancelled, at every turn of the loop around a commit."""
    runner = ThreadRunner()
    async with ledger_at(path, blocking=runner) as service:
        await settle_people(service)
        send = asyncio.ensure_future(service.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k"))
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        (result,) = await outcomes([send])
        after = await service.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="after")
    runner.close()
    stood = rows_of(path, "SELECT 1 FROM entries WHERE key = 'k'") == [(1,)]
    assert stood or isinstance(result, asyncio.CancelledError)
    assert after.destination_after == 1 + stood
    assert audit(path).clean


async def test_when_a_commit_is_cancelled_nobody_waits_for_ever(path: Path) -> None:
    async with ledger_at(path) as service:
        await settle_people(service)
    held = HeldRunner()
    journal = Journal(Writer(Store(path), StoppedClock()), held)
    held.free.clear()
    first = asyncio.ensure_future(journal.submit(funding(ANN, 1)))
    await held.begun.wait()
    second = asyncio.ensure_future(journal.submit(funding(ANN, 1)))
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task(), first, second}:
        task.cancel()
    begun, waiting = await outcomes([first, second])
    assert type(begun) is OutcomeUnknown
    assert type(waiting) is Unavailable
    held.free.set()
    with pytest.raises(OutcomeUnknown):
        await journal.close()


async def test_who_was_just_answered_stands_in_the_next_batch(path: Path) -> None:
    """Else callers that once got out of step would stay in two groups and pay for twice as many commits."""
    held = HeldRunner()
    async with ledger_at(path, blocking=held) as service:
        await settle_people(service)
        (before,) = rows_of(path, "SELECT count(*) FROM links")

        async def twice(name: str) -> None:
            for number in range(2):
                await service.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key=f"{name}{number}")

        held.free.clear()
        held.begun.clear()
        early = asyncio.ensure_future(twice("early"))
        await held.begun.wait()
        late = asyncio.ensure_future(twice("late"))
        await asyncio.sleep(0)
        held.free.set()
        await asyncio.gather(early, late)
    (after,) = rows_of(path, "SELECT count(*) FROM links")
    assert after[0] - before[0] == 3


async def test_when_the_runner_fails_nobody_waits_for_ever(path: Path) -> None:
    runner = ThreadRunner()
    async with ledger_at(path, blocking=runner) as service:
        await settle_people(service)
    journal = Journal(Writer(Store(path), StoppedClock()), runner)
    runner.close()
    acts = [asyncio.ensure_future(journal.submit(funding(ANN, 1))) for _ in range(2)]
    first, second = await outcomes(acts)
    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)
    with pytest.raises(RuntimeError):
        await journal.close()


async def test_money_may_enter_an_account_that_the_same_unit_registers(ledger: LedgerService) -> None:
    escrow = -1001

    def decide(view: View) -> Decision[None]:
        entry = Entry("e", b"", "adjustment", (Posting(None, -2, 5, UJUNO), Posting(-2, escrow, 5, UJUNO)))  # type: ignore[arg-type]
        row = Row("INSERT INTO users VALUES (?, 'escrow', 'giveaway 1', ?)", (escrow, view.now))
        return Decision(None, (entry,), (row,))

    await ledger.journal.submit(Unit(decide))
    assert ledger.reader.balance(escrow, UJUNO) == 5  # type: ignore[arg-type]


async def test_money_cannot_enter_an_account_that_nobody_registered(ledger: LedgerService) -> None:
    with pytest.raises(BrokenInvariant, match="FOREIGN KEY"):
        await ledger.journal.submit(posting("k", Posting(ANN, 404, Amount(1), UJUNO)))  # type: ignore[arg-type]
