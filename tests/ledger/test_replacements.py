"""A further attempt at one sequence for a higher fee: stored like the first, decided by blocks, never two paid."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, WITHDRAWALS
from ledger.errors import LeaseLost
from ledger.freezes import decide_freeze
from ledger.inclusions import Inclusion
from ledger.payments import StalePlan, decide_replace
from ledger.roles import Actor
from ledger.withdrawals import Withdrawal
from tests.ledger.bank import ALICE, BOB, JUNO, NETWORK_FEE, TERMS, Bank, canonical

HELD = 10_000
AMOUNT = 4_000
FEE = TERMS.fee
HIGHER = NETWORK_FEE + 15


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice and Bob own 10,000 each, BOT_TREASURY 100."""
    return a_bank(tmp_path)


def a_bank(path: Path) -> Bank:
    bank = Bank(path / "books.db")
    bank.open(held=100)
    bank.deposit(ALICE, HELD)
    bank.deposit(BOB, HELD)
    return bank


def replace(
    bank: Bank, name: str = "B", *, of: tuple[str, ...] = ("A",), fee: int = HIGHER, timeout: int = 5
) -> None:
    """Store another attempt at the sequence of ``of``."""
    signed = bank.signed(name, fee, timeout)
    replaced = frozenset(canonical(each) for each in of)
    bank.decide(lambda view: decide_replace(view, bank.signer, signed, replaced))


@pytest.fixture
def asked(bank: Bank) -> Withdrawal:
    """A withdrawal of Alice's that attempt A pays."""
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    return asked


def test_both_attempts_pay_the_same_and_the_lock_stays(bank: Bank, asked: Withdrawal) -> None:
    replace(bank)
    payouts = bank.read("SELECT hash, withdrawal FROM payouts ORDER BY hash")
    assert payouts == [{"hash": canonical(name), "withdrawal": asked.id} for name in ("A", "B")]
    assert bank.read("SELECT role FROM transaction_locks WHERE expires_at IS NULL") == [
        {"role": f"withdrawal:{asked.id}"}
    ]
    assert (bank.state(asked), bank.transaction_state("A"), bank.transaction_state("B")) == (
        "signed",
        "signed",
        "signed",
    )


def test_the_member_is_told_once_that_it_is_signed(bank: Bank, asked: Withdrawal) -> None:
    replace(bank)
    assert [told["withdrawal"] for told in bank.news("withdrawal.signed")] == [asked.id]


@pytest.mark.parametrize(("included", "fee"), [("A", NETWORK_FEE), ("B", HIGHER)])
def test_whichever_is_included_settles_at_its_own_fee(
    bank: Bank, asked: Withdrawal, included: str, fee: int
) -> None:
    replace(bank)
    bank.block(ours=[bank.executed(asked, name=included, fee=fee)])
    other = "B" if included == "A" else "A"
    assert (bank.state(asked), bank.transaction_state(included)) == ("confirmed", "confirmed")
    assert bank.transaction_state(other) == "expired"
    assert bank.balance(BOT_TREASURY) == 100 + FEE - fee
    assert (bank.balance(WITHDRAWALS), bank.freezes()) == (0, [])


def test_the_other_in_the_same_block_fails_for_its_sequence_and_changes_nothing(
    bank: Bank, asked: Withdrawal
) -> None:
    replace(bank)
    late = Inclusion(1, canonical("A"), canonical("A"), 32)
    bank.block(ours=[bank.executed(asked, name="B", fee=HIGHER), late])
    bank.block(ours=[late])
    assert (bank.state(asked), bank.freezes()) == ("confirmed", [])


def test_a_failure_of_one_ends_the_other(bank: Bank, asked: Withdrawal) -> None:
    replace(bank)
    bank.block(ours=[bank.executed(asked, name="B", fee=HIGHER, code=5)])
    assert bank.state(asked) == "returned"
    assert bank.balance(ALICE) == HELD - HIGHER
    assert (bank.transaction_state("A"), bank.transaction_state("B")) == ("expired", "failed")


def failed(name: str, position: int, code: int = 5) -> Inclusion:
    """Return one of ours that did not get past the ante."""
    return Inclusion(position, canonical(name), canonical(f"shown-{name}-{position}"), code)


@pytest.mark.parametrize("code", [5, 11])
@pytest.mark.parametrize(("paid", "fee"), [("A", NETWORK_FEE), ("B", HIGHER)])
@pytest.mark.parametrize("first", [True, False])
def test_of_two_that_failed_the_one_that_paid_is_booked(
    bank: Bank, asked: Withdrawal, *, paid: str, fee: int, code: int, first: bool
) -> None:
    """The other one's fee could not be paid: the same code, and the sequence was left alone."""
    replace(bank)
    other = failed("A" if paid == "B" else "B", 5)
    used = bank.executed(asked, name=paid, fee=fee, code=code)
    bank.block(ours=[used, other] if first else [other, used])
    assert (bank.state(asked), bank.balance(ALICE)) == ("returned", HELD - fee)
    assert (bank.transaction_state(paid), bank.freezes()) == ("failed", [])
    assert bank.read("SELECT 1 FROM unclaimed") == []


@pytest.mark.parametrize("code", [5, 13])
def test_of_two_in_different_blocks_the_one_that_paid_is_booked(
    bank: Bank, asked: Withdrawal, code: int
) -> None:
    """The first one's fee could not be paid, or was below what a block of a fee market demands."""
    replace(bank)
    bank.block(ours=[failed("A", 0, code)], proved=False)
    bank.block(ours=[bank.executed(asked, name="B", fee=HIGHER, code=5)])
    assert (bank.balance(ALICE), bank.transaction_state("B")) == (HELD - HIGHER, "failed")
    assert bank.freezes() == []


@pytest.mark.parametrize(("unseen", "kept"), [(10, NETWORK_FEE), (HIGHER + 9, NETWORK_FEE)])
def test_where_coins_came_unseen_the_member_pays_no_more_than_is_missing(
    bank: Bank, asked: Withdrawal, unseen: int, kept: int
) -> None:
    replace(bank)
    used = bank.executed(asked, name="A", code=5)
    bank.block(ours=[used, failed("B", 1)], arrived=unseen)
    assert (bank.balance(ALICE), bank.freezes()) == (HELD - kept, [])


def test_more_missing_than_any_fee_is_a_shortfall_of_the_rest_alone(bank: Bank, asked: Withdrawal) -> None:
    replace(bank)
    used = bank.executed(asked, name="B", fee=HIGHER, code=5)
    bank.block(ours=[failed("A", 0), used], arrived=-7)
    assert (bank.balance(SYSTEM_RESERVE), bank.freezes()) == (-7, ["shortfall"])


@pytest.mark.parametrize(
    ("codes", "told"), [((5, 5), 0), ((11, 5), 0), ((5, 11), 1), ((5, 32), 0), ((32, 5), 1)]
)
def test_in_two_blocks_the_first_that_can_have_paid_is_told(
    bank: Bank, asked: Withdrawal, codes: tuple[int, int], told: int
) -> None:
    bank.executed(asked, code=5)
    inclusions = [failed("A", number, code) for number, code in enumerate(codes)]
    bank.block(ours=inclusions[:1], proved=False)
    bank.block(ours=inclusions[1:])
    (news,) = bank.news("withdrawal.returned")
    assert (news["code"], news["network_fee"]) == (codes[told], NETWORK_FEE)
    (kept,) = bank.read("SELECT evidence FROM withdrawals WHERE id = ?", asked.id)
    assert inclusions[told].shown in kept["evidence"]


def test_nothing_comes_back_before_every_attempt_is_dead(bank: Bank, asked: Withdrawal) -> None:
    """A new sequence, a refund: only after the death proof of all attempts."""
    bank.block()
    bank.block()
    replace(bank, timeout=5)
    for _ in range(5):
        bank.block()
        assert bank.state(asked) == "signed"
    bank.block()
    assert (bank.state(asked), bank.balance(ALICE)) == ("returned", HELD)


def test_no_new_sequence_is_signed_while_one_attempt_lives(bank: Bank, asked: Withdrawal) -> None:
    replace(bank, timeout=9)
    other = bank.ask("k2", AMOUNT, account=BOB)
    for _ in range(7):
        bank.block()
    with pytest.raises(StalePlan, match="unresolved"):
        bank.sign(other, name="C")
    assert bank.state(asked) == "signed"


def test_a_third_attempt_replaces_both(bank: Bank, asked: Withdrawal) -> None:
    replace(bank)
    with pytest.raises(StalePlan, match="other attempts"):
        replace(bank, "C", of=("A",), fee=HIGHER + 1)
    replace(bank, "C", of=("A", "B"), fee=HIGHER + 1)
    bank.block(ours=[bank.executed(asked, name="C", fee=HIGHER + 1)])
    assert [bank.transaction_state(name) for name in "ABC"] == ["expired", "expired", "confirmed"]


@pytest.mark.parametrize("fee", [NETWORK_FEE, NETWORK_FEE - 1])
def test_a_replacement_pays_more(bank: Bank, asked: Withdrawal, fee: int) -> None:
    with pytest.raises(StalePlan, match="pays more"):
        replace(bank, fee=fee)
    assert bank.state(asked) == "signed"


def test_a_fee_that_nobody_covers_is_not_signed(bank: Bank, asked: Withdrawal) -> None:
    with pytest.raises(StalePlan, match="cannot cover"):
        replace(bank, fee=100 + FEE + 1)
    replace(bank, fee=100 + FEE)
    assert bank.state(asked) == "signed"


def test_a_batch_is_replaced_only_from_what_the_treasury_owns(bank: Bank) -> None:
    bank.sign(bank.ask("k1", AMOUNT), bank.ask("k2", AMOUNT, account=BOB))
    with pytest.raises(StalePlan, match="cannot cover"):
        replace(bank, fee=101)
    replace(bank, fee=100)


@pytest.mark.usefixtures("asked")
def test_nothing_is_replaced_while_withdrawals_are_frozen(bank: Bank) -> None:
    bank.decide(lambda view: decide_freeze(view, Actor(BOB, owner=True), None, "looking"))
    with pytest.raises(StalePlan, match="frozen"):
        replace(bank)


@pytest.mark.usefixtures("asked")
def test_a_sequence_that_may_be_used_is_not_signed_again(bank: Bank) -> None:
    bank.block(proved=False)
    with pytest.raises(StalePlan, match="not proved"):
        replace(bank)


@pytest.mark.usefixtures("asked")
def test_a_replacement_is_of_the_same_sequence(bank: Bank) -> None:
    bank.sequence += 1
    with pytest.raises(StalePlan, match="same sequence"):
        replace(bank)


@pytest.mark.usefixtures("asked")
def test_a_signer_whose_lease_was_taken_replaces_nothing(bank: Bank) -> None:
    bank.hold("signer", token=2)
    with pytest.raises(LeaseLost):
        replace(bank)


def test_what_is_resolved_is_not_replaced(bank: Bank, asked: Withdrawal) -> None:
    bank.block(ours=[bank.executed(asked)])
    with pytest.raises(StalePlan, match="other attempts"):
        replace(bank)


_BUMPS = st.lists(st.integers(1, 40), max_size=3)


@settings(max_examples=30)
@given(
    bumps=_BUMPS,
    included=st.none() | st.integers(0, 3),
    code=st.sampled_from([0, 5, 11]),
    proved=st.booleans(),
    twice=st.booleans(),
)
def test_whatever_attempt_executes_the_money_moves_once(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    bumps: list[int],
    included: int | None,
    code: int,
    proved: bool,
    twice: bool,
) -> None:
    bank = a_bank(tmp_path_factory.mktemp("books"))
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    fees = [int(NETWORK_FEE)]
    for number, more in enumerate(bumps):
        fees.append(fees[-1] + more)
        replace(bank, f"N{number + 1}", of=names(len(fees) - 1), fee=fees[-1])
    if included is None:
        for _ in range(7):
            bank.block()
        assert (bank.state(asked), bank.balance(ALICE)) == ("returned", HELD)
        return
    which = included % len(fees)
    done = bank.executed(asked, name=names(len(fees))[which], fee=fees[which], code=code)
    others = (
        [Inclusion(9, canonical(each), canonical(each), 32) for each in names(len(fees))] if twice else []
    )
    bank.block(ours=[done, *others], proved=proved)
    bank.block()
    paid = AMOUNT + FEE if code == 0 else fees[which]
    assert bank.balance(ALICE) == HELD - paid
    assert (bank.balance(WITHDRAWALS), bank.freezes()) == (0, [])
    assert bank.total() == bank.chain[JUNO]


def names(count: int) -> tuple[str, ...]:
    """Return the names of so many attempts."""
    return ("A", *(f"N{number}" for number in range(1, count)))
