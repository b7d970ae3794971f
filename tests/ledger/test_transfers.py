"""Transfers between people: what moves, what is refused, what a key remembers."""

from typing import Any

import pytest

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.errors import Conflict, Refused
from ledger.money import MAX_AMOUNT, Amount
from ledger.service import LedgerService
from ledger.transfers import MAX_NOTE
from tests.ledger.desk import ANN, BEN, CAT, UJUNO, outcomes


async def send(ledger: LedgerService, amount: int, key: str = "k", **changed: Any) -> Any:
    facts = {"source": ANN, "destination": BEN, "denom": UJUNO, **changed}
    return await ledger.transfer_between_users(amount=Amount(amount), key=key, **facts)


async def send_all(ledger: LedgerService, key: str = "k", **changed: Any) -> Any:
    facts = {"source": ANN, "destination": BEN, "denom": UJUNO, **changed}
    return await ledger.transfer_between_users(amount=None, key=key, **facts)


async def test_moves_what_was_asked(ledger: LedgerService) -> None:
    receipt = await send(ledger, 300)
    assert (receipt.source_after, receipt.destination_after, receipt.replayed) == (700, 300, False)
    assert (ledger.reader.balance(ANN, UJUNO), ledger.reader.balance(BEN, UJUNO)) == (700, 300)


async def test_keeps_the_total(ledger: LedgerService) -> None:
    await send(ledger, 300)
    assert ledger.reader.total(UJUNO) == 1_000


async def test_bears_the_time_of_the_clock(ledger: LedgerService, clock: Any) -> None:
    clock.time += 5
    assert (await send(ledger, 1)).at == clock.time


async def test_log_stays_in_order_when_the_clock_is_set_back(ledger: LedgerService, clock: Any) -> None:
    first = await send(ledger, 1, "a")
    clock.time -= 60_000
    assert (await send(ledger, 1, "b")).at == first.at


async def test_same_key_and_inputs_give_the_first_outcome(ledger: LedgerService) -> None:
    first = await send(ledger, 300)
    again = await send(ledger, 300)
    assert again == first._replace(replayed=True)
    assert ledger.reader.balance(BEN, UJUNO) == 300


@pytest.mark.parametrize(
    "other", [{"amount": 301}, {"amount": 300, "destination": CAT}, {"amount": 300, "note": "x"}]
)
async def test_same_key_with_other_inputs_is_a_conflict(ledger: LedgerService, other: dict[str, Any]) -> None:
    await send(ledger, 300)
    with pytest.raises(Conflict):
        await send(ledger, **other)
    assert ledger.reader.balance(ANN, UJUNO) == 700


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"amount": 1_001}, "insufficient_balance"),
        ({"amount": 0}, "not_positive"),
        ({"amount": -5}, "not_positive"),
        ({"amount": MAX_AMOUNT + 1}, "amount_too_large"),
        ({"amount": 1, "destination": ANN}, "same_account"),
        ({"amount": 1, "destination": AccountId(99)}, "unknown_account"),
        ({"amount": 1, "destination": BOT_TREASURY}, "not_a_user"),
        ({"amount": 1, "source": BOT_TREASURY}, "not_a_user"),
        ({"amount": 1, "note": "n" * (MAX_NOTE + 1)}, "note_too_long"),
        ({"amount": 1, "denom": "uosmo"}, "insufficient_balance"),
    ],
)
async def test_refuses(ledger: LedgerService, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        await send(ledger, **asked)
    assert refusal.value.code == code
    assert ledger.reader.balance(ANN, UJUNO) == 1_000


async def test_a_refused_key_may_be_used_when_the_coins_are_there(ledger: LedgerService) -> None:
    with pytest.raises(Refused):
        await send(ledger, 50, "k", source=BEN, destination=CAT)
    await send(ledger, 50, "other")
    assert (await send(ledger, 50, "k", source=BEN, destination=CAT)).source_after == 0


async def test_fifty_spends_of_one_balance_at_once_give_one_success(ledger: LedgerService) -> None:
    results = await outcomes([send(ledger, 1_000, f"k{number}") for number in range(50)])
    assert sum(not isinstance(result, Refused) for result in results) == 1
    assert ledger.reader.balance(BEN, UJUNO) == 1_000


async def test_one_key_fifty_times_at_once_moves_once(ledger: LedgerService) -> None:
    results = await outcomes([send(ledger, 10) for _ in range(50)])
    assert sorted(result.replayed for result in results) == [False] + [True] * 49
    assert ledger.reader.balance(BEN, UJUNO) == 10


async def test_coins_received_in_a_batch_can_be_spent_in_it(ledger: LedgerService) -> None:
    results = await outcomes(
        [send(ledger, 1_000, "a"), send(ledger, 1_000, "b", source=BEN, destination=CAT)]
    )
    assert [result.source_after for result in results] == [0, 0]
    assert ledger.reader.balance(CAT, UJUNO) == 1_000


async def test_all_is_what_there_is_when_it_moves(ledger: LedgerService) -> None:
    """What came in after it was asked for, and before it was decided, goes with it."""
    await send(ledger, 300, "before")
    first, everything = await outcomes(
        [send(ledger, 200, "a"), send_all(ledger, "b", source=BEN, destination=CAT)]
    )
    assert (first.amount, everything.amount, everything.source_after) == (200, 500, 0)


async def test_all_twice_at_once_is_once(ledger: LedgerService) -> None:
    first, again = await outcomes([send_all(ledger), send_all(ledger)])
    assert again == first._replace(replayed=True)


async def test_all_again_is_what_it_was(ledger: LedgerService) -> None:
    first = await send_all(ledger)
    await send(ledger, 400, "back", source=BEN, destination=ANN)
    assert await send_all(ledger) == first._replace(replayed=True)
    assert (first.amount, ledger.reader.balance(ANN, UJUNO)) == (1_000, 400)


async def test_all_is_another_input_than_the_amount_that_it_was(ledger: LedgerService) -> None:
    await send_all(ledger)
    with pytest.raises(Conflict):
        await send(ledger, 1_000)


async def test_all_of_nothing_is_refused(ledger: LedgerService) -> None:
    with pytest.raises(Refused, match="nothing_to_send"):
        await send_all(ledger, source=CAT, destination=ANN)
