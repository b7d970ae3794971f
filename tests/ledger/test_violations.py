"""Who may warn, fine and jail whom, and what is kept of it."""

from pathlib import Path
from typing import Any

import pytest

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.errors import Refused
from ledger.fines import decide_fine
from ledger.jails import (
    decide_jail,
)
from ledger.roles import Actor
from ledger.violations import RULE, Case, Kind, decide_warning, violations_of
from tests.ledger.bank import ALICE, BOB, CAROL, Bank
from tests.ledger.court import CHAT, HOUR_MS, OWNER, OWNERS, a_bank, case, fine, jail, price, refusal, seen


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice and Bob own 10,000 each; Carol is an admin."""
    return a_bank(tmp_path)


@pytest.mark.parametrize(
    ("of", "code"),
    [
        (case(by=Actor(BOB)), "role_too_low"),
        (case(by=Actor(AccountId(12345))), "role_too_low"),
        (case(by=RULE), "role_too_low"),
        (case(reason=" "), "reason_missing"),
        (case(reason="x" * 301), "reason_too_long"),
        (case(BOT_TREASURY), "not_a_user"),
        (case(CAROL), "penalty_immune"),
        (case(OWNER), "penalty_immune"),
        (case(OWNER, by=RULE, rule="links"), "penalty_immune"),
        (case(CAROL, by=Actor(OWNER, owner=True)), "penalty_immune"),
    ],
)
@pytest.mark.parametrize("kind", list(Kind))
def test_refuses(bank: Bank, kind: Kind, of: Case, code: str) -> None:
    decisions = {
        Kind.WARN: lambda view: decide_warning(view, of, OWNERS),
        Kind.FINE: lambda view: decide_fine(view, of, price(5), OWNERS),
        Kind.JAIL: lambda view: decide_jail(view, of, HOUR_MS, price(5), OWNERS),
    }
    assert refusal(bank, decisions[kind]).code == code
    assert bank.read("SELECT 1 FROM violations") == []


def test_an_admin_who_was_demoted_meanwhile_is_refused(bank: Bank) -> None:
    bank.write("UPDATE users SET role = 'member' WHERE id = ?", CAROL)
    with pytest.raises(Refused, match="role_too_low"):
        jail(bank)


def test_an_admin_who_was_demoted_can_be_fined(bank: Bank) -> None:
    bank.write("UPDATE users SET role = 'elevated' WHERE id = ?", CAROL)
    assert fine(bank, of=case(CAROL, by=Actor(OWNER, owner=True))).state == "owed"


def test_what_an_admin_says_is_recorded_and_logged_as_an_order(bank: Bank) -> None:
    bank.decide(lambda view: decide_warning(view, case(message=7), OWNERS))
    (violation,) = seen(bank, lambda view: violations_of(view, ALICE))
    assert violation[:8] == (1, ALICE, CHAT, Kind.WARN, "spam", CAROL, None, 7)
    (order,) = bank.read("SELECT actor, role, action, target, chat, reason FROM admin_audit")
    assert tuple(order.values()) == (CAROL, "admin", "person.warned", ALICE, CHAT, "spam")


def test_what_a_rule_does_is_recorded_under_its_name_and_is_no_order(bank: Bank) -> None:
    fine(bank, of=case(by=RULE, rule="links", message=8))
    (violation,) = seen(bank, lambda view: violations_of(view, ALICE))
    assert (violation.actor, violation.rule, violation.message) == (0, "links", 8)
    assert bank.read("SELECT 1 FROM admin_audit") == []


def test_whoever_never_wrote_to_the_bot_can_be_fined(bank: Bank) -> None:
    assert fine(bank, of=case(4711)).person == 4711


@pytest.mark.parametrize(
    ("event", "act"),
    [
        (
            "person.warned",
            lambda bank, of: bank.decide(lambda view: decide_warning(view, of, OWNERS)),
        ),
        ("person.fined", lambda bank, of: fine(bank, of=of)),
        ("person.jailed", lambda bank, of: jail(bank, of=of)),
    ],
)
def test_whoever_it_concerns_is_told(bank: Bank, event: str, act: Any) -> None:
    act(bank, case(told={"where": "Harbour"}))
    (told,) = bank.news(event)
    assert (told["recipient"], told["where"], told["reason"]) == (ALICE, "Harbour", "spam")
