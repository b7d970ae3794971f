"""What no block takes is priced anew for the same sequence, within bounds."""

from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import cosmos
from chain.bumps import BumpRules, floor_of, higher_price, newest
from chain.client import BroadcastAnswer, Verdict
from chain.endpoints import Broadcast
from chain.errors import Halted
from ledger.accounts import BOT_TREASURY
from ledger.freezes import freeze_unit
from ledger.money import Amount, Denom
from ledger.payments import OpenTransaction, SignedTransaction
from ledger.roles import Actor
from tests.chain.outside import (
    ALICE,
    FRIEND,
    JUNO,
    NETWORK_FEE,
    PARAMETERS,
    Outside,
    Program,
    Sent,
    program,
    silent,
)

RULES = BumpRules(after_blocks=3, most=2)
AMOUNT = 5_000


def too_low(*floors: int) -> list[BroadcastAnswer]:
    """Return the refusals of nodes that want these fees."""
    return [
        BroadcastAnswer(
            f"node {number}",
            Verdict.REJECTED,
            13,
            "sdk",
            f"insufficient fees; got: 11250ujuno required: {floor}ujuno: insufficient fee",
        )
        for number, floor in enumerate(floors)
    ]


def attempt(fee: int, gas_limit: int = 150_000) -> OpenTransaction:
    signed = SignedTransaction(
        str(fee).rjust(64, "0"), "testing-1", b"", 7, 0, Amount(fee), JUNO, gas_limit, 1, 9
    )
    return OpenTransaction(signed, broadcast=False)


# The price


@pytest.mark.parametrize(
    ("fees", "floor", "price"),
    [
        ([11_250], None, 16_875),
        ([11_250, 16_875], None, 25_313),
        ([11_250, 16_875, 25_313], None, None),  # the second replacement was the last
        ([11_250], 30_000, 30_000),
        ([11_250], 12_000, 16_875),
        ([11_250], 45_000, 45_000),  # four times the usual price is the most
        ([11_250], 45_001, None),  # a fee below the floor helps nobody
        ([40_000], None, 45_000),
        ([45_000], None, None),
        ([0], None, 1),
    ],
)
def test_the_next_price(fees: list[int], floor: int | None, price: int | None) -> None:
    quote = higher_price([attempt(fee) for fee in fees], floor, PARAMETERS, RULES)
    assert (quote and quote.fee.amount) == price


def test_the_highest_price_is_a_setting() -> None:
    rules = RULES._replace(highest_gas_price=Fraction(1, 10))
    quote = higher_price([attempt(11_250)], None, PARAMETERS, rules)
    assert quote is not None
    assert quote.fee.amount == 15_000


def test_no_replacement_is_a_setting_too() -> None:
    assert higher_price([attempt(11_250)], None, PARAMETERS, RULES._replace(most=0)) is None


@given(
    fees=st.lists(st.integers(0, 10**9), min_size=1, max_size=5),
    floor=st.none() | st.integers(0, 10**20),
    gas=st.integers(1, 10**7),
    most=st.integers(0, 5),
)
def test_a_price_is_higher_and_never_beyond_its_bounds(
    fees: list[int], floor: int | None, gas: int, most: int
) -> None:
    quote = higher_price([attempt(fee, gas) for fee in fees], floor, PARAMETERS, BumpRules(most=most))
    if quote is not None:
        assert max(fees) < quote.fee.amount <= gas * PARAMETERS.gas_price * 4
        assert quote.fee.amount >= (floor or 0)
        assert len(fees) <= most


def test_the_newest_attempt_pays_most() -> None:
    assert newest([attempt(2), attempt(3), attempt(1)]) == attempt(3)


@pytest.mark.parametrize(
    ("log", "floor"),
    [
        ("insufficient fees; got: 1ujuno required: 11250ujuno: insufficient fee", 11_250),
        ("insufficient fees; got: 11250ujuno required: 7ibc/AA,22500ujuno: insufficient fee", 22_500),
        ("insufficient fees; got: 1ujuno required: 11250.000000000000000000ujuno: insufficient fee", 11_250),
        # As Juno's own global fee says it.
        (
            'insufficient fees; only got: 1ujuno. one is required: [\n  "11250ujuno"\n]. : insufficient fee',
            11_250,
        ),
        ('one is required: [\n  "7ibc/AA",\n  "22500ujuno"\n]. : insufficient fee', 22_500),
        ('one is required: [\n  "7ibc/AA",\n  "22500uju', None),
        ("required: 5ujunox", None),
        ("required: 0ujuno", None),
        ("required: -5ujuno", None),
        ("required: " + "9" * 400 + "ujuno", None),
        ("insufficient fees", None),
        ("", None),
    ],
)
def test_a_floor_is_read_from_the_words_of_a_refusal(log: str, floor: int | None) -> None:
    answers = (BroadcastAnswer("node", Verdict.REJECTED, 13, "sdk", log),)
    assert floor_of(Broadcast(answers), JUNO) == floor


def test_the_cheapest_node_is_asked_for() -> None:
    assert floor_of(Broadcast(tuple(too_low(40_000, 22_500))), JUNO) == 22_500
    assert floor_of(Broadcast(tuple(too_low(40_000))), Denom("uother")) is None


@given(st.text(max_size=200))
def test_any_words_can_be_read(words: str) -> None:
    answers = (BroadcastAnswer("node", Verdict.REJECTED, 13, "sdk", f"required: {words}"),)
    floor = floor_of(Broadcast(answers), JUNO)
    assert floor is None or floor > 0


# The sender


@pytest.fixture
def outside() -> Outside:
    return Outside(holds={JUNO: 500_000})


@pytest.fixture
async def running(tmp_path: Path, outside: Outside) -> AsyncIterator[Program]:
    """Alice owns 1,000,000, BOT_TREASURY 500,000."""
    async with program(tmp_path / "books.db", outside) as started:
        started.sender._rules = started.sender._rules._replace(bumps=RULES)
        await started.fund()
        yield started


def attempts(running: Program) -> list[tuple[int, int, str]]:
    """Return sequence, fee and state of everything signed, in the order of the fees."""
    rows = running.select("SELECT sequence, fee, state FROM signed_transactions ORDER BY signed_height, fee")
    return [(row["sequence"], row["fee"], row["state"]) for row in rows]


async def unincluded(running: Program, blocks: int) -> None:
    """Let blocks come that hold nothing of ours."""
    for _ in range(blocks):
        running.outside.grow()
        await running.scan()
        await running.sender.step()


async def test_what_no_block_takes_is_signed_again_for_the_same_sequence(
    running: Program, outside: Outside
) -> None:
    asked = await running.ask("k1")
    outside.answers = silent()
    await running.sender.step()
    await unincluded(running, 2)
    assert len(attempts(running)) == 1
    await unincluded(running, 1)
    assert attempts(running) == [(0, 11_250, "signed"), (0, 16_875, "signed")]
    assert running.state(asked) == "signed"


async def test_a_replacement_is_committed_before_a_node_sees_it(running: Program, outside: Outside) -> None:
    stored: list[int] = []
    outside.answers = silent()
    await running.ask("k1")
    await running.sender.step()
    outside.at_offer = lambda: stored.append(len(attempts(running)))
    await unincluded(running, 3)
    assert stored[-1] == 2
    assert len(set(outside.offered)) == 2


async def test_it_pays_the_same_people_the_same(running: Program, outside: Outside) -> None:
    outside.answers = silent()
    await running.ask("k1", memo="exchange 7")
    await running.sender.step()
    await unincluded(running, 3)
    first, second = (body(raw) for raw in dict.fromkeys(outside.offered))
    assert (first.messages[0].value, first.memo) == (second.messages[0].value, second.memo)
    assert second.timeout_height == first.timeout_height + 3


def body(raw: bytes) -> Any:
    return cosmos.decode(cosmos.TxBody, cosmos.decode(cosmos.TxRaw, raw).body_bytes)


@pytest.mark.parametrize("first_comes", [True, False])
async def test_both_are_offered_and_whichever_lands_pays_once(
    running: Program, outside: Outside, first_comes: bool
) -> None:
    asked = await running.ask("k1")
    outside.answers = silent()
    await running.sender.step()
    await unincluded(running, 3)
    both = list(dict.fromkeys(outside.offered))
    outside.mempool = both if first_comes else both[::-1]
    outside.answers = []
    outside.include()
    await running.scan()
    assert (running.state(asked), outside.sent) == ("confirmed", [Sent(FRIEND, AMOUNT, "")])
    fee = NETWORK_FEE if first_comes else 16_875
    assert running.balance(BOT_TREASURY) == 500_000 + asked.fee - fee
    assert running.alerts() == []
    assert running.service.reader.total(JUNO) == outside.holds[JUNO]


async def test_replacements_have_a_number(running: Program, outside: Outside) -> None:
    outside.answers = silent()
    await running.ask("k1")
    await running.sender.step()
    await unincluded(running, 12)
    assert [fee for _, fee, _ in attempts(running)] == [11_250, 16_875, 25_313]


async def test_after_the_death_of_all_the_money_returns_and_the_sequence_is_used(
    running: Program, outside: Outside
) -> None:
    outside.answers = silent()
    asked = await running.ask("k1")
    await running.sender.step()
    await unincluded(running, 6 + PARAMETERS.timeout_blocks)
    assert running.state(asked) == "signed"
    await unincluded(running, 1)
    assert (running.state(asked), running.balance(ALICE)) == ("returned", 1_000_000)
    outside.answers = []
    again = await running.ask("k2")
    await running.settle()
    assert running.state(again) == "confirmed"
    assert attempts(running)[-1] == (0, 11_250, "confirmed")


async def test_a_floor_that_rose_is_paid_at_once(running: Program, outside: Outside) -> None:
    outside.answers = too_low(22_500, 30_000)
    asked = await running.ask("k1")
    await running.sender.step()
    outside.answers = []
    await running.sender.step()
    assert attempts(running) == [(0, 11_250, "signed"), (0, 22_500, "broadcast")]
    outside.mempool = outside.mempool[-1:]
    outside.include()
    await running.scan()
    assert (running.state(asked), running.alerts()) == ("confirmed", [])


async def test_a_floor_beyond_the_bounds_stops_the_signing(running: Program, outside: Outside) -> None:
    outside.answers = too_low(45_001)
    await running.ask("k1")
    await running.sender.step()
    await running.sender.step()
    assert len(attempts(running)) == 1
    assert running.alerts() == ["broadcast.rejected"]
    outside.grow_by(PARAMETERS.timeout_blocks + 1)
    await running.scan()
    await running.ask("k2")
    with pytest.raises(Halted):
        await running.sender.step()


async def test_one_node_that_asks_for_more_raises_nothing(running: Program, outside: Outside) -> None:
    outside.answers = [*too_low(40_000), BroadcastAnswer("honest", Verdict.ACCEPTED)]
    await running.ask("k1")
    await running.sender.step()
    await running.sender.step()
    assert len(attempts(running)) == 1


async def test_what_was_replaced_worries_nobody_when_it_is_refused(
    running: Program, outside: Outside
) -> None:
    outside.answers = too_low(22_500)
    await running.ask("k1")
    await running.sender.step()
    await running.sender.step()
    await unincluded(running, 2)
    assert len(attempts(running)) == 3
    await unincluded(running, 6)
    assert running.alerts() == ["broadcast.rejected"]  # of the newest: no replacement is left


async def test_nothing_is_replaced_under_a_freeze(running: Program, outside: Outside) -> None:
    outside.answers = silent()
    await running.ask("k1")
    await running.sender.step()
    await running.service.journal.submit(freeze_unit(Actor(ALICE, owner=True), None, "looking"))
    await unincluded(running, 5)
    assert len(attempts(running)) == 1


async def test_a_treasury_that_cannot_pay_more_says_so(running: Program, outside: Outside) -> None:
    outside.answers = silent()
    rules = RULES._replace(factor=Fraction(100), highest_gas_price=Fraction(1000))
    running.sender._rules = running.sender._rules._replace(bumps=rules)
    await running.ask("k1")
    await running.sender.step()
    await unincluded(running, 4)
    assert (len(attempts(running)), running.alerts()) == (1, ["treasury.short"])


async def test_a_restart_goes_on_with_the_attempts_that_stand(tmp_path: Path, outside: Outside) -> None:
    async with program(tmp_path / "books.db", outside) as first:
        first.sender._rules = first.sender._rules._replace(bumps=RULES)
        await first.fund()
        outside.answers = silent()
        asked = await first.ask("k1")
        await first.sender.step()
        await unincluded(first, 3)
    outside.answers, outside.offered = [], []
    async with program(tmp_path / "books.db", outside, holder="again", later=40_000) as second:
        await second.sender.step()
        assert len(set(outside.offered)) == 2
        await second.settle()
        assert (second.state(asked), len(outside.sent)) == ("confirmed", 1)


class Picky(Outside):
    """A chain whose one node refuses fees below 16,875."""

    async def broadcast(self, raw: bytes) -> Broadcast:
        auth = cosmos.decode(cosmos.AuthInfo, cosmos.decode(cosmos.TxRaw, raw).auth_info_bytes)
        cheap = int(auth.fee.amount[0].amount) < 16_875
        self.answers = too_low(16_875) if cheap else []
        return await super().broadcast(raw)


async def test_the_refusal_of_a_replaced_attempt_concerns_nobody(tmp_path: Path) -> None:
    async with program(tmp_path / "books.db", Picky(holds={JUNO: 500_000})) as running:
        running.sender._rules = running.sender._rules._replace(bumps=RULES._replace(after_blocks=99, most=1))
        await running.fund()
        asked = await running.ask("k1")
        await running.sender.step()
        await unincluded(running, 5)
        assert (len(attempts(running)), running.alerts()) == (2, [])
        await running.settle()
        assert running.state(asked) == "confirmed"


async def test_what_is_not_proved_unused_is_waited_for_and_not_tried_again_at_once(
    running: Program, outside: Outside
) -> None:
    outside.answers = silent()
    await running.ask("k1")
    await running.sender.step()
    await unincluded(running, 2)
    del outside.states[outside.grow()]
    await running.scan()
    assert await running.sender.step() == running.sender._rules.poll_seconds
    assert len(attempts(running)) == 1
    await unincluded(running, 1)
    assert len(attempts(running)) == 2
