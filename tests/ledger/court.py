"""What tests of penalties share: Alice and Bob with coins, Carol as admin, and acts in one line each."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.fines import Fine, Price, decide_fine, payment_unit
from ledger.jails import (
    MINUTE_MS,
    Jail,
    bail_unit,
    decide_end,
    decide_jail,
    find_jail,
    is_jailed,
)
from ledger.money import Amount
from ledger.roles import Actor
from ledger.units import Decision
from ledger.violations import Case
from tests.ledger.bank import ALICE, BOB, CAROL, JUNO, Bank

CHAT, ELSEWHERE, SUPERGROUP = -500, -600, -1_000_000_000_500
OWNER = AccountId(99)
OWNERS = frozenset({OWNER})
ADMIN = Actor(CAROL)
HELD = 10_000
HOUR_MS = 60 * MINUTE_MS


def a_bank(path: Path) -> Bank:
    bank = Bank(path / "books.db")
    bank.open(held=0)
    bank.deposit(ALICE, HELD)
    bank.deposit(BOB, HELD)
    bank.write("UPDATE users SET role = 'admin' WHERE id = ?", CAROL)
    return bank


def case(person: int = ALICE, by: Actor = ADMIN, reason: str = "spam", **changed: Any) -> Case:
    return Case(AccountId(person), changed.pop("chat", CHAT), reason, by, **changed)


def price(amount: int, usd_cents: int | None = None) -> Price:
    return Price(Amount(amount), JUNO, usd_cents)


def fine(bank: Bank, amount: int = 500, of: Case | None = None) -> Fine:
    fined: Fine = bank.decide(lambda view: decide_fine(view, of or case(), price(amount), OWNERS))
    return fined


def jail(bank: Bank, duration_ms: int = HOUR_MS, bail: int = 700, of: Case | None = None) -> Jail:
    jailed: Jail = bank.decide(lambda view: decide_jail(view, of or case(), duration_ms, price(bail), OWNERS))
    return jailed


def pay(bank: Bank, key: str, number: int | None, payer: AccountId = ALICE) -> tuple[Fine, ...]:
    return bank.do(payment_unit(key, payer, number))


def free(bank: Bank, key: str, number: int, payer: AccountId = ALICE) -> Jail:
    return bank.do(bail_unit(key, payer, number, {}))


def end(bank: Bank, number: int) -> Jail:
    ended: Jail = bank.decide(lambda view: decide_end(view, number))
    return ended


def seen(bank: Bank, look: Any) -> Any:
    return bank.decide(lambda view: Decision(look(view)))


def jailed_now(bank: Bank, person: int = ALICE, chat: int = CHAT) -> bool:
    found: bool = seen(bank, lambda view: is_jailed(view, chat, AccountId(person), view.now))
    return found


def state_of(bank: Bank, number: int) -> str:
    found: Jail = seen(bank, lambda view: find_jail(view, number))
    return found.state


def live(bank: Bank, event: str) -> dict[str, Mapping[str, Any]]:
    rows = bank.read("SELECT subject, facts FROM outbox WHERE event = ? AND state = 'pending'", event)
    return {row["subject"]: json.loads(row["facts"]) for row in rows}


def refusal(bank: Bank, decide: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        bank.decide(decide)
    return refused.value
