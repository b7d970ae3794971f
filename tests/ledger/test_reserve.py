"""A shortfall keeps withdrawals frozen until an owner refilled the reserve."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, AccountId
from ledger.errors import Conflict, Refused
from ledger.freezes import Freeze, FreezeReason, decide_lift
from ledger.money import Amount
from ledger.payments import StalePlan
from ledger.reserve import Refill, decide_refill
from ledger.roles import Actor
from ledger.service import LedgerService
from ledger.units import Posting, Unit
from tests.ledger.bank import ALICE, ATOM, JUNO, Bank, arrival
from tests.ledger.desk import UJUNO, posting

OWNER = AccountId(99)
SHORT = 70


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice owns 10,000, BOT_TREASURY 100, and 70 of all that are missing on chain."""
    return a_bank(tmp_path)


def a_bank(path: Path) -> Bank:
    bank = Bank(path / "books.db")
    bank.open(held=100)
    bank.deposit(ALICE, 10_000)
    bank.block(arrived=-SHORT)
    return bank


def refill(bank: Bank, amount: int | None = None, note: str = "my own coins", key: str = "k") -> int:
    order = Refill(Actor(OWNER, owner=True), JUNO, None if amount is None else Amount(amount), note)
    moved: int = bank.do(Unit(lambda view: decide_refill(view, key, order)))
    return moved


def lift(bank: Bank) -> None:
    freeze = Freeze(FreezeReason.SHORTFALL, None)
    bank.decide(lambda view: decide_lift(view, Actor(OWNER, owner=True), freeze, "refilled"))


def test_a_shortfall_is_the_reserves_and_freezes(bank: Bank) -> None:
    assert (bank.balance(SYSTEM_RESERVE), bank.freezes()) == (-SHORT, ["shortfall"])


def test_a_freeze_is_not_lifted_while_the_reserve_owes(bank: Bank) -> None:
    with pytest.raises(Refused, match="reserve_negative"):
        lift(bank)


def test_a_denom_that_is_not_listed_any_more_keeps_it_frozen(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "books.db", listed=[JUNO, ATOM])
    bank.open()
    bank.deposit(ALICE, 10_000)
    bank.block(arrival("50", "11", denom=ATOM))
    bank.chain[ATOM] = 40
    bank.block()
    bank.listed = frozenset({JUNO})
    bank.block()
    with pytest.raises(Refused, match="reserve_negative") as refused:
        lift(bank)
    assert refused.value.facts["owed"] == {ATOM: 10}


def overdrawn(bank: Bank) -> None:
    """Let the reserve owe without anything written that froze withdrawals."""
    gone = posting("gone", Posting(SYSTEM_RESERVE, None, Amount(SHORT), JUNO), kind="adjustment")
    bank.do(gone)


@pytest.fixture
def sound(tmp_path: Path) -> Bank:
    """Alice owns 10,000 and nothing is missing."""
    bank = Bank(tmp_path / "sound.db")
    bank.open(held=100)
    bank.deposit(ALICE, 10_000)
    return bank


def test_nothing_is_signed_while_the_reserve_owes_even_if_no_freeze_was_written(sound: Bank) -> None:
    asked = sound.ask("k", 4_000)
    overdrawn(sound)
    assert sound.freezes() == []
    with pytest.raises(StalePlan, match="frozen"):
        sound.sign(asked)


def test_nothing_is_asked_for_while_the_reserve_owes(sound: Bank) -> None:
    overdrawn(sound)
    with pytest.raises(Refused, match="withdrawals_frozen"):
        sound.ask("k", 4_000)


def test_what_no_freeze_was_written_for_ends_with_the_debt_and_not_by_word(sound: Bank) -> None:
    overdrawn(sound)
    with pytest.raises(Refused, match="reserve_negative"):
        lift(sound)
    refill(sound)
    assert sound.ask("k1", 4_000).state.value == "queued"


def test_a_further_shortfall_is_written_although_the_reserve_owed_before(sound: Bank) -> None:
    overdrawn(sound)
    sound.chain[JUNO] -= SHORT
    sound.block(arrived=-1)
    assert sound.freezes() == ["shortfall"]


def test_a_part_does_not_lift_it(bank: Bank) -> None:
    assert refill(bank, SHORT - 1) == SHORT - 1
    with pytest.raises(Refused, match="reserve_negative"):
        lift(bank)


def test_all_that_is_owed_lets_withdrawals_go_on(bank: Bank) -> None:
    assert refill(bank) == SHORT
    assert (bank.balance(SYSTEM_RESERVE), bank.balance(BOT_TREASURY)) == (0, 100 - SHORT)
    lift(bank)
    assert bank.ask("k1", 4_000).state.value == "queued"


def test_coins_for_it_come_as_a_deposit(bank: Bank) -> None:
    bank.block(arrival("500", memo="topup", tx="T9"))
    assert refill(bank) == SHORT
    assert bank.balance(BOT_TREASURY) == 100 + 500 - SHORT


def test_another_block_leaves_it_frozen(bank: Bank) -> None:
    bank.block()
    assert bank.freezes() == ["shortfall"]


def test_who_and_why_is_in_the_log(bank: Bank) -> None:
    refill(bank)
    (row,) = bank.read("SELECT actor, note, amount FROM transactions WHERE kind = 'refill'")
    assert row == {"actor": OWNER, "note": "my own coins", "amount": SHORT}


@pytest.mark.parametrize(
    ("amount", "note", "code"),
    [
        (None, " ", "reason_missing"),
        (SHORT + 1, "x", "refill_too_much"),
        (0, "x", "not_positive"),
        (-1, "x", "not_positive"),
    ],
)
def test_what_cannot_be_is_refused(bank: Bank, amount: int | None, note: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        refill(bank, amount, note)
    assert refused.value.code == code


def test_a_reserve_that_owes_nothing_takes_nothing(bank: Bank) -> None:
    refill(bank)
    with pytest.raises(Refused, match="reserve_owes_nothing"):
        refill(bank, key="k2")


def test_a_treasury_that_has_too_little_says_so(bank: Bank) -> None:
    bank.block(arrived=-100)
    with pytest.raises(Refused, match="treasury_too_low") as refused:
        refill(bank)
    assert (refused.value.facts["needed"], refused.value.facts["balance"]) == (SHORT + 100, 100)


@settings(max_examples=25)
@given(missing=st.integers(1, 500), held=st.integers(0, 500), asked=st.none() | st.integers(-5, 600))
def test_the_reserve_is_never_refilled_beyond_zero(
    tmp_path_factory: pytest.TempPathFactory, missing: int, held: int, asked: int | None
) -> None:
    bank = Bank(tmp_path_factory.mktemp("books") / "books.db")
    bank.open(held=held)
    bank.deposit(ALICE, 10_000)
    bank.block(arrived=-missing)
    wanted = missing if asked is None else asked
    try:
        assert refill(bank, asked) == wanted
    except Refused:
        assert not 0 < wanted <= min(missing, held)
    else:
        assert bank.balance(SYSTEM_RESERVE) == wanted - missing
        assert bank.balance(BOT_TREASURY) == held - wanted
    assert bank.total() == bank.chain[JUNO]


async def test_a_refill_happens_once_for_its_key(ledger: LedgerService) -> None:
    missing = Posting(SYSTEM_RESERVE, None, Amount(SHORT), UJUNO)
    held = Posting(None, BOT_TREASURY, Amount(500), UJUNO)
    await ledger.journal.submit(posting("open", held, kind="opening"))
    await ledger.journal.submit(posting("gone", missing, kind="adjustment"))
    order = Refill(Actor(OWNER, owner=True), UJUNO, None, "why")
    assert [await ledger.reserve.refill("r1", order) for _ in range(2)] == [SHORT, SHORT]
    assert ledger.reserve.owed(UJUNO) == 0
    with pytest.raises(Conflict):
        await ledger.reserve.refill("r1", order._replace(note="another why"))
