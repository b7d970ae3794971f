"""Fines: owed as they were set, paid once by whoever owes them, or forgiven."""

from pathlib import Path

import pytest

from ledger.accounts import BOT_TREASURY
from ledger.errors import Conflict, Refused
from ledger.fines import decide_fine, decide_forgiveness, find_fine, owed_by
from ledger.money import MAX_AMOUNT
from ledger.roles import Actor
from tests.ledger.bank import ALICE, BOB, JUNO, Bank
from tests.ledger.court import ADMIN, HELD, OWNERS, a_bank, case, fine, pay, price, refusal, seen


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice and Bob own 10,000 each; Carol is an admin."""
    return a_bank(tmp_path)


@pytest.mark.parametrize(
    ("amount", "code"), [(0, "not_positive"), (-1, "not_positive"), (MAX_AMOUNT + 1, "amount_too_large")]
)
def test_a_fine_is_an_amount(bank: Bank, amount: int, code: str) -> None:
    assert refusal(bank, lambda view: decide_fine(view, case(), price(amount), OWNERS)).code == code


def test_a_fine_moves_nothing_before_it_is_paid(bank: Bank) -> None:
    assert fine(bank)[3:8] == (500, JUNO, None, "owed", "spam")
    assert (bank.balance(ALICE), bank.balance(BOT_TREASURY)) == (HELD, 0)


def test_paying_moves_exactly_the_fine_into_the_treasury(bank: Bank) -> None:
    fined = fine(bank)
    (paid,) = pay(bank, "k", fined.id)
    assert (paid.id, paid.state) == (fined.id, "paid")
    assert (bank.balance(ALICE), bank.balance(BOT_TREASURY)) == (HELD - 500, 500)


def test_all_fines_are_paid_together(bank: Bank) -> None:
    numbers = [fine(bank, amount).id for amount in (100, 200, 300)]
    assert [each.id for each in pay(bank, "k", None)] == numbers
    assert bank.balance(BOT_TREASURY) == 600
    assert seen(bank, lambda view: owed_by(view, ALICE)) == []


def test_all_or_nothing(bank: Bank) -> None:
    fine(bank, 6_000)
    fine(bank, 5_000)
    with pytest.raises(Refused) as refused:
        pay(bank, "k", None)
    assert (refused.value.code, refused.value.facts["needed"]) == ("insufficient_balance", 11_000)
    assert len(seen(bank, lambda view: owed_by(view, ALICE))) == 2


@pytest.mark.parametrize("number", [None, 1])
def test_the_same_key_pays_once(bank: Bank, number: int | None) -> None:
    fine(bank)
    first = pay(bank, "k", number)
    assert pay(bank, "k", number) == first
    assert bank.balance(BOT_TREASURY) == 500
    with pytest.raises(Conflict):
        pay(bank, "k", 9)


def test_a_fine_is_settled_once(bank: Bank) -> None:
    number = fine(bank).id
    pay(bank, "k", number)
    with pytest.raises(Refused, match="fine_settled"):
        pay(bank, "other", number)
    assert (
        refusal(bank, lambda view: decide_forgiveness(view, ADMIN, number, "kind", {})).code == "fine_settled"
    )


def test_nobody_pays_or_learns_of_anothers_fine(bank: Bank) -> None:
    number = fine(bank).id
    with pytest.raises(Refused, match="fine_unknown"):
        pay(bank, "k", number, BOB)


def test_who_owes_nothing_is_told_so(bank: Bank) -> None:
    with pytest.raises(Refused, match="fines_none"):
        pay(bank, "k", None)


def test_a_forgiven_fine_is_owed_no_more_and_logged(bank: Bank) -> None:
    number = fine(bank).id
    bank.decide(lambda view: decide_forgiveness(view, ADMIN, number, "first time", {}))
    assert seen(bank, lambda view: find_fine(view, number)).state == "forgiven"
    assert bank.news("fine.forgiven")[0]["recipient"] == ALICE
    assert bank.read("SELECT action FROM admin_audit ORDER BY id DESC LIMIT 1") == [
        {"action": "fine.forgiven"}
    ]
    with pytest.raises(Refused, match="fine_settled"):
        pay(bank, "k", number)


@pytest.mark.parametrize(
    ("by", "number", "reason", "code"),
    [
        (Actor(BOB), 1, "kind", "role_too_low"),
        (ADMIN, 2, "kind", "fine_unknown"),
        (ADMIN, 1, "", "reason_missing"),
    ],
)
def test_forgiving_refuses(bank: Bank, by: Actor, number: int, reason: str, code: str) -> None:
    fine(bank)
    assert refusal(bank, lambda view: decide_forgiveness(view, by, number, reason, {})).code == code
