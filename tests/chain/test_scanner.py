"""The scanner carries blocks into the books, and stops loudly when it may not believe what it sees."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain.errors import ChainError, Halted, Lied, NodeUnavailable, NotYet, Pruned
from chain.scanner import ScannerRules, header_from_json, header_to_json
from chain.verified import TrustedHeader
from ledger.accounts import BOT_TREASURY, UNCLAIMED
from ledger.ports import Millis
from tests.chain.outside import ALICE, BLOCK_MS, JUNO, Outside, Program, deposit_tx, program

RULES = ScannerRules()


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
async def running(tmp_path: Path, outside: Outside) -> AsyncIterator[Program]:
    async with program(tmp_path / "books.db", outside) as started:
        await started.service.users.register(ALICE, "Alice")
        yield started


async def test_the_first_step_opens_the_books_with_what_the_address_holds(tmp_path: Path) -> None:
    outside = Outside(holds={JUNO: 700})
    async with program(tmp_path / "books.db", outside) as running:
        await running.scan()
        assert running.balance(BOT_TREASURY) == 700


async def test_books_open_at_the_first_height_whose_state_is_proved(tmp_path: Path) -> None:
    outside = Outside()
    outside.grow_by(4)
    for height in list(outside.states)[:4]:
        del outside.states[height]
    async with program(tmp_path / "books.db", outside) as running:
        await running.scan()
        (row,) = running.select("SELECT opened_at_height FROM cursor")
        assert row["opened_at_height"] == min(outside.states)


async def test_a_deposit_becomes_a_balance(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.deposit(5_000, "11")
    await running.scan()
    assert running.balance(ALICE) == 5_000


async def test_a_step_does_so_much_and_asks_for_the_next_at_once(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.grow_by(7)
    assert await running.scanner.step() == 0
    assert running.cursor_height() == outside.height - 2


async def test_at_the_tip_the_scanner_waits(running: Program) -> None:
    await running.scan()
    assert await running.scanner.step() == RULES.poll_seconds
    assert running.alerts() == []


async def test_in_step_with_the_chain_nobody_asks_for_a_block_that_cannot_be_there(
    running: Program, outside: Outside
) -> None:
    await running.scan()
    running.scanner._rules = ScannerRules(block_ms=BLOCK_MS)
    outside.grow()
    assert await running.scanner.step() == BLOCK_MS / 1000
    assert running.cursor_height() == outside.height
    assert outside.asked[-1] == outside.height


@pytest.mark.parametrize("later", [-BLOCK_MS * 100, BLOCK_MS * 100])
async def test_a_wrong_clock_costs_no_more_than_a_block_s_time(
    running: Program, outside: Outside, later: int
) -> None:
    await running.scan()
    running.scanner._rules = ScannerRules(block_ms=BLOCK_MS)
    running.clock.later = later
    outside.grow()
    assert await running.scanner.step() <= BLOCK_MS / 1000
    assert running.cursor_height() == outside.height


async def test_catching_up_waits_for_nothing(running: Program, outside: Outside) -> None:
    await running.scan()
    running.scanner._rules = ScannerRules(block_ms=BLOCK_MS)
    outside.grow_by(40)
    await running.scan()
    assert (running.cursor_height() or 0) >= outside.height - 2


@pytest.mark.parametrize(
    ("fault", "alerts", "seconds"),
    [
        (NotYet("later"), [], RULES.poll_seconds),
        (NodeUnavailable("away"), [], RULES.retry_seconds),
        (Lied("node 1", "other hash"), ["node.lied"], RULES.retry_seconds),
        (Pruned("lowest height is 900"), ["chain.pruned"], RULES.halted_seconds),
        (Halted("trust expired"), ["chain.halted"], RULES.halted_seconds),
    ],
)
async def test_what_cannot_be_believed_posts_nothing(
    running: Program, outside: Outside, fault: ChainError, alerts: list[str], seconds: float
) -> None:
    await running.scan()
    before = running.cursor_height()
    outside.deposit(5_000, "11")
    outside.faults = [fault]
    assert await running.scanner.step() == seconds
    assert (running.cursor_height(), running.balance(ALICE)) == (before, 0)
    assert running.alerts() == alerts


async def test_a_liar_is_named(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.faults = [Lied("node 2 (example.org)", "forged event")]
    await running.scanner.step()
    (row,) = running.select("SELECT facts FROM outbox WHERE event = 'alert.raised'")
    assert "node 2 (example.org)" in row["facts"]


async def test_a_liar_is_named_when_another_node_told_the_truth(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.deposit(5_000, "11")
    outside.lies = [Lied("node 2", "other hash")]
    await running.scan()
    assert (running.balance(ALICE), running.alerts()) == (5_000, ["node.lied"])


async def test_an_alert_that_still_holds_is_not_repeated(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.faults = [Halted("trust expired"), Halted("trust expired")]
    await running.scanner.step()
    await running.scanner.step()
    assert running.alerts() == ["chain.halted"]


async def test_a_trouble_that_comes_back_is_told_again(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.faults = [Halted("trust expired")]
    await running.scanner.step()
    outside.grow()
    await running.scan()
    outside.faults = [Halted("trust expired")]
    await running.scanner.step()
    assert running.alerts() == ["chain.halted", "chain.halted"]


async def test_nodes_that_stay_away_are_worth_an_alert(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.faults = [NodeUnavailable("away"), NodeUnavailable("away")]
    await running.scanner.step()
    running.clock.later += RULES.silent_ms
    await running.scanner.step()
    assert running.alerts() == ["chain.unavailable"]


async def test_blocks_that_stay_away_are_worth_an_alert(running: Program, outside: Outside) -> None:
    """A chain that halted, nodes that withhold, a machine that never gets the results: all say that it is not yet."""
    await running.scan()
    await running.scanner.step()
    running.clock.later += RULES.silent_ms
    assert await running.scanner.step() == RULES.poll_seconds
    assert running.alerts() == ["chain.unavailable"]


async def test_a_clock_that_was_ahead_hides_no_silence(running: Program, outside: Outside) -> None:
    running.clock.later += 86_400_000
    await running.scan()
    running.clock.later -= 86_400_000
    await running.scanner.step()
    running.clock.later += RULES.silent_ms
    await running.scanner.step()
    assert running.alerts() == ["chain.unavailable"]


async def test_blocks_that_stay_away_are_told_once_an_hour(running: Program, outside: Outside) -> None:
    await running.scan()
    for _ in range(12):
        await running.scanner.step()
        running.clock.later += RULES.silent_ms
    assert running.alerts() == ["chain.unavailable"]


async def test_blocks_that_came_after_all_let_the_next_wait_begin_anew(
    running: Program, outside: Outside
) -> None:
    await running.scan()
    for _ in range(12):
        outside.grow()
        await running.scan()
        running.clock.later += RULES.silent_ms // 2
        await running.scanner.step()
    assert running.alerts() == []


async def test_a_height_whose_state_nobody_has_joins_the_next(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.deposit(5_000, "11")
    outside.holds[JUNO] += 300
    del outside.states[outside.grow()]
    await running.scan()
    assert (running.balance(ALICE), running.balance(UNCLAIMED)) == (5_000, 0)
    outside.grow()
    await running.scan()
    assert running.balance(UNCLAIMED) == 300


async def test_a_balance_that_nobody_can_tell_now_is_unknown_and_not_zero(
    running: Program, outside: Outside
) -> None:
    await running.scan()
    before = running.cursor_height()
    outside.deposit(5_000, "11")
    outside.state_fault = NodeUnavailable("away")
    await running.scanner.step()
    assert running.cursor_height() == before
    outside.state_fault = None
    await running.scan()
    assert running.balance(ALICE) == 5_000


async def test_balances_that_nobody_proves_any_more_are_worth_an_alert(
    running: Program, outside: Outside
) -> None:
    await running.scan()
    for _ in range(RULES.unsettled_blocks):
        del outside.states[outside.grow()]
    await running.scan()
    assert running.alerts() == ["chain.unavailable"]


async def test_a_node_whose_events_tell_of_more_than_moved_is_named(
    running: Program, outside: Outside
) -> None:
    await running.scan()
    outside.tell_events(f"9000{JUNO}")
    outside.deposit(5_000, "11")
    await running.scan()
    assert (running.balance(ALICE), running.alerts()) == (5_000, ["node.lied"])


async def test_events_that_agree_with_the_proofs_raise_nothing(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.tell_events(f"5000{JUNO}")
    outside.deposit(5_000, "11")
    await running.scan()
    assert running.alerts() == []


async def test_a_residue_is_kept_with_what_nodes_say_of_it(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.holds[JUNO] += 300
    outside.explanation = {"block_events": ["community pool spend"]}
    outside.grow()
    await running.scan()
    (row,) = running.select("SELECT evidence FROM unclaimed")
    assert "community pool spend" in row["evidence"]


async def test_what_comes_beside_a_failed_transaction_is_nobody_s_yet(
    running: Program, outside: Outside
) -> None:
    """A fee may be shared with us though its transaction failed; what that would have sent to us never came."""
    await running.scan()
    outside.holds[JUNO] += 300
    outside.grow((deposit_tx(5_000, "11"), 5))
    await running.scan()
    assert (running.balance(ALICE), running.balance(UNCLAIMED)) == (0, 300)
    outside.deposit(5_000, "11")
    await running.scan()
    assert (running.balance(ALICE), running.balance(UNCLAIMED)) == (5_000, 300)


async def test_a_residue_is_posted_when_nobody_can_explain_it(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.holds[JUNO] += 300
    outside.grow()
    await running.scan()
    assert running.balance(UNCLAIMED) == 300


async def test_a_long_explanation_is_cut(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.holds[JUNO] += 300
    outside.explanation = {"txs": ["x" * 100_000]}
    outside.grow()
    await running.scan()
    (row,) = running.select("SELECT length(evidence) AS n FROM unclaimed")
    assert row["n"] < 25_000


async def test_a_second_instance_stands_by(tmp_path: Path, outside: Outside) -> None:
    async with (
        program(tmp_path / "books.db", outside) as first,
        program(tmp_path / "books.db", outside, holder="two") as second,
    ):
        await first.scan()
        outside.grow()
        assert await second.scanner.step() == RULES.standby_seconds
        assert second.cursor_height() == outside.height - 1


async def test_a_second_instance_takes_over_when_the_first_falls_silent(
    tmp_path: Path, outside: Outside
) -> None:
    async with (
        program(tmp_path / "books.db", outside) as first,
        program(tmp_path / "books.db", outside, holder="two", later=60_000) as second,
    ):
        await first.scan()
        outside.grow()
        await second.scan()
        assert second.cursor_height() == outside.height
        outside.grow()
        assert await first.scanner.step() == RULES.standby_seconds
        assert first.cursor_height() == outside.height - 1


async def test_days_of_downtime_are_caught_up_in_order(running: Program, outside: Outside) -> None:
    await running.scan()
    for number in range(40):
        outside.deposit(number + 1, "11")
    await running.scan()
    rows = running.select("SELECT height FROM processed_deposits ORDER BY transaction_id")
    assert [row["height"] for row in rows] == sorted(row["height"] for row in rows)
    assert running.balance(ALICE) == sum(range(41))


def _announced(running: Program) -> list[tuple[int, int]]:
    rows = running.select(
        "SELECT recipient, json_extract(facts, '$.amount') AS amount FROM outbox WHERE event = 'deposit.seen'"
    )
    return [(row["recipient"], row["amount"]) for row in rows]


async def test_a_deposit_is_announced_once_before_it_is_proved(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.coming = (deposit_tx(5_000, "11"),)
    await running.scan()
    await running.scan()
    assert (_announced(running), running.balance(ALICE)) == ([(ALICE, 5_000)], 0)


@pytest.mark.parametrize(
    ("amount", "memo", "denom"), [("010", "11", JUNO), ("5", "", JUNO), ("5", "11", "uatom")]
)
async def test_what_nobody_would_be_credited_is_not_announced(
    running: Program, outside: Outside, amount: str, memo: str, denom: str
) -> None:
    await running.scan()
    outside.coming = (deposit_tx(amount, memo, denom=denom), b"\xff")
    await running.scan()
    assert _announced(running) == []


async def test_an_unlisted_denom_is_only_written_down(running: Program, outside: Outside) -> None:
    await running.scan()
    outside.grow((deposit_tx(10**30, "11", denom="factory/juno1x/gold"), 0))
    await running.scan()
    (row,) = running.select("SELECT state, amount FROM processed_deposits")
    assert row == {"state": "unlisted", "amount": str(10**30)}


def test_a_trusted_header_survives_the_disk() -> None:
    header = TrustedHeader(7, b"\x01" * 32, Millis(5), b"\x02" * 32, b"\x03" * 32, b"\x04" * 32)
    assert header_from_json(header_to_json(header)) == header
