"""Many at once, on the running ledger: each act has one effect, whoever else acts in the same batch."""

from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ledger.accounts import AccountId
from ledger.audit import audit
from ledger.claims import Claim, Eligibility, Over, Press
from ledger.errors import Conflict, Refused
from ledger.money import Amount
from ledger.offers import Giveaway, Mode, Offer
from ledger.roles import Actor
from ledger.service import LedgerService
from tests.ledger.desk import ANN, BEN, CAT, UJUNO, StoppedClock, ledger_at, outcomes, settle_people

PLAZA = -500
SEED = "cd" * 32
CROWD = range(1_001, 1_101)


@pytest.fixture
async def books(path: Path, clock: StoppedClock) -> AsyncIterator[LedgerService]:
    """Ann has a thousand; a hundred others have an account."""
    async with ledger_at(path, clock=clock) as service:
        await settle_people(service)
        for person in CROWD:
            await service.users.register(AccountId(person), f"person {person}")
        yield service
    assert audit(path).problems == ()


async def begun(books: LedgerService, total: int, slots: int, mode: Mode = Mode.FIRST) -> Giveaway:
    offer = Offer(ANN, ANN, PLAZA, UJUNO, Amount(total), slots, mode)
    return await books.giveaways.create(offer, Actor(ANN), key=f"g:{total}:{slots}", seed=SEED)


def claim(books: LedgerService, who: int, key: str | None = None) -> Coroutine[Any, Any, Claim]:
    press = Press(1, AccountId(who), PLAZA)
    return books.giveaways.claim(press, lambda _: Eligibility(), key=key or f"c:{who}")


def told(results: list[Any]) -> Counter[str]:
    return Counter(
        result.code if isinstance(result, Refused) else type(result).__name__ for result in results
    )


def owned(books: LedgerService, account: int) -> int:
    return books.reader.balance(AccountId(account), UJUNO)


@pytest.mark.parametrize("mode", list(Mode))
async def test_ten_of_a_hundred_are_paid_once_each(books: LedgerService, mode: Mode) -> None:
    await begun(books, 103, 10, mode)
    results = await outcomes([claim(books, person) for person in CROWD])
    assert told(results) == {"Claim": 10, "giveaway_over": 90}
    paid = [owned(books, person) for person in CROWD]
    assert sum(amount > 0 for amount in paid) == 10
    assert sum(paid) + owned(books, ANN) == 1_000
    assert owned(books, -1001) == 0


async def test_one_press_delivered_ten_times_is_one_claim(books: LedgerService) -> None:
    await begun(books, 100, 4)
    results = await outcomes([claim(books, BEN) for _ in range(10)])
    assert told(results) == {"Claim": 10}
    assert {(result.number, result.amount) for result in results} == {(1, 25)}
    assert owned(books, BEN) == 25


async def test_presses_of_two_cards_are_one_claim(books: LedgerService) -> None:
    """The card of a group that moved, and the one before: other keys, the same person."""
    await begun(books, 100, 4)
    results = await outcomes([claim(books, BEN, f"card{number}") for number in range(5)])
    assert told(results) == {"Claim": 1, "giveaway_claimed": 4}
    assert owned(books, BEN) == 25


async def test_two_cancels_give_back_once(books: LedgerService) -> None:
    await begun(books, 100, 4)
    results = await outcomes([books.giveaways.cancel(1, Actor(ANN)) for _ in range(2)])
    assert told(results) == {"Over": 1, "giveaway_over": 1}
    assert owned(books, ANN) == 1_000


@pytest.mark.parametrize("first", ["claim", "cancel"])
async def test_claim_against_cancel_is_one_or_the_other(books: LedgerService, first: str) -> None:
    await begun(books, 100, 1)
    acts = [claim(books, BEN), books.giveaways.cancel(1, Actor(ANN))]
    results = await outcomes(acts if first == "claim" else acts[::-1])
    winner = "Claim" if first == "claim" else "Over"
    assert told(results) == {winner: 1, "giveaway_over": 1}
    assert (owned(books, BEN), owned(books, ANN)) == ((100, 900) if first == "claim" else (0, 1_000))


async def test_the_end_against_a_cancel_is_one_of_them(books: LedgerService, clock: StoppedClock) -> None:
    await begun(books, 100, 2)
    clock.time += 86_400_000
    (unit,) = books.giveaways.due(clock.now(), 10)
    results = await outcomes(
        [
            books.journal.submit(unit),
            books.journal.submit(unit),
            books.giveaways.cancel(1, Actor(ANN)),
            claim(books, BEN),
        ]
    )
    assert told(results) == {"Over": 1, "giveaway_over": 3}
    assert isinstance(results[0], Over)
    assert (owned(books, ANN), books.giveaways.due(clock.now(), 10)) == (1_000, [])


async def test_one_command_delivered_twice_begins_once(books: LedgerService) -> None:
    one, other = await outcomes([begun(books, 100, 4), begun(books, 100, 4)])
    assert one == other
    assert owned(books, ANN) == 900


async def test_a_key_with_other_inputs_is_a_conflict(books: LedgerService) -> None:
    await begun(books, 100, 4)
    offer = Offer(ANN, ANN, PLAZA, UJUNO, Amount(100), 4, Mode.EQUAL)
    (again,) = await outcomes([books.giveaways.create(offer, Actor(ANN), key="g:100:4", seed=SEED)])
    assert isinstance(again, Conflict)
    await claim(books, BEN, "k")
    (stolen,) = await outcomes([claim(books, CAT, "k")])
    assert isinstance(stolen, Conflict)


async def test_what_falls_due_next_is_known(books: LedgerService, clock: StoppedClock) -> None:
    assert books.giveaways.next_due() is None
    giveaway = await begun(books, 100, 4)
    assert books.giveaways.next_due() == giveaway.expires_at == clock.now() + 86_400_000
    assert books.giveaways.due(clock.now(), 10) == []
