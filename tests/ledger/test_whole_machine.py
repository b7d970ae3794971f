"""Every act of the ledger in one machine: a model predicts each outcome, refusals by their code, and the audit agrees.

Acts come in any order, with any people, repeated and at wrong moments. After each the balances are those of the model;
the books are audited as often as a run can afford.
"""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger.accounts import AccountId
from ledger.audit import audit
from ledger.errors import Refused
from ledger.fines import Price, decide_fine, payment_unit
from ledger.jails import MINUTE_MS, bail_unit, decide_end, decide_jail
from ledger.money import Amount
from ledger.roles import Actor
from ledger.transfers import transfer_unit
from ledger.unclaimed import Assignment, decide_assignment
from ledger.units import Decision
from ledger.violations import Case
from ledger.withdrawals import decide_cancel, find
from tests.ledger.bank import ALICE, BOB, CAROL, JUNO, NETWORK_FEE, Bank, arrival
from tests.ledger.model import Fine, Model, Waiting, Withdrawal

PEOPLE = st.sampled_from((11, 22, 33, 44, 55))
"""The last is not registered; the admin is among them."""
AMOUNTS = st.integers(-1, 4_000)
BIG = st.integers(900, 6_000)
CHATS = st.sampled_from((-500, -600))
MINUTES = st.integers(1, 90)
AUDITED_EVERY = 10


class Everything(RuleBasedStateMachine):
    """A bank of four people, of whom one is an admin."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "books.db"
        self.numbers = itertools.count()
        self.steps = 0

    @initialize()
    def open(self) -> None:
        self.bank = Bank(self.path)
        self.bank.open(held=500)
        self.bank.write("INSERT INTO users VALUES (44, 'member', 'someone', 0)")
        self.bank.write("UPDATE users SET role = 'admin' WHERE id = ?", CAROL)
        people = {ALICE, BOB, CAROL, 44}
        self.model = Model(self.bank.clock.time, people, admins={CAROL}, own={-1: 500})

    # Playing an act on both sides

    def key(self) -> str:
        return f"k{next(self.numbers)}"

    def play(self, expected: str | None, act: Callable[[], Any]) -> Any:
        """Return what ``act`` came to; it must be refused with the code ``expected``, or (None) succeed."""
        outcome, refusal = None, None
        try:
            outcome = act()
        except Refused as refused:
            refusal = refused.code
        assert refusal == expected
        return outcome

    def some(self, data: st.DataObject, numbers: Any) -> int:
        """Return one of ``numbers``, or one that does not exist."""
        return int(data.draw(st.sampled_from([*sorted(numbers), 10**6])))

    # Coins in

    @rule(person=PEOPLE, amount=st.integers(1, 8_000))
    def deposit(self, person: int, amount: int) -> None:
        known = person in self.model.people
        self.bank.block(arrival(str(amount), memo=str(person), tx=self.key()))
        self.model.move(None, person if known else -3, amount)
        if not known:
            self._waits(amount)

    @rule(amount=st.integers(1, 3_000))
    def deposit_without_memo(self, amount: int) -> None:
        self.bank.block(arrival(str(amount), tx=self.key()))
        self.model.move(None, -3, amount)
        self._waits(amount)

    def _waits(self, amount: int) -> None:
        number = self.bank.read("SELECT max(id) AS id FROM unclaimed")[0]["id"]
        self.model.unclaimed[number] = Waiting(amount, amount)

    @rule(by=PEOPLE, account=PEOPLE, amount=st.none() | AMOUNTS, data=st.data())
    def assign(self, by: int, account: int, amount: int | None, data: st.DataObject) -> None:
        number = self.some(data, self.model.unclaimed)
        expected = self.model.assign(by, number, account, amount)
        part = None if amount is None else Amount(amount)
        order = Assignment(number, AccountId(account), part, "they showed it to me")
        key = self.key()
        self.play(
            expected,
            lambda: self.bank.decide(
                lambda view: decide_assignment(view, key, Actor(AccountId(by)), order, {})
            ),
        )

    # Coins around

    @rule(source=PEOPLE, destination=PEOPLE, amount=AMOUNTS)
    def transfer(self, source: int, destination: int, amount: int) -> None:
        expected = self.model.transfer(source, destination, amount)
        unit = transfer_unit(AccountId(source), AccountId(destination), Amount(amount), JUNO, key=self.key())
        self.play(expected, lambda: self.bank.do(unit))

    # Penalties

    @rule(by=PEOPLE, person=PEOPLE, chat=CHATS, amount=st.integers(0, 900))
    def fine(self, by: int, person: int, chat: int, amount: int) -> None:
        expected = self.model.may_fine(by, person, amount)
        case = Case(AccountId(person), chat, "spam", Actor(AccountId(by)))
        price = Price(Amount(amount), JUNO)
        fined = self.play(expected, lambda: self.bank.decide(lambda view: decide_fine(view, case, price, ())))
        if fined is not None:
            self.model.fines[fined.id] = Fine(person, amount)

    @rule(payer=PEOPLE, data=st.data())
    def pay_fine(self, payer: int, data: st.DataObject) -> None:
        number = self.some(data, self.model.fines)
        expected = self.model.pay_fine(payer, number)
        self.play(expected, lambda: self.bank.do(payment_unit(self.key(), AccountId(payer), number)))

    @rule(payer=PEOPLE)
    def pay_all_fines(self, payer: int) -> None:
        expected = self.model.pay_all_fines(payer)
        self.play(expected, lambda: self.bank.do(payment_unit(self.key(), AccountId(payer), None)))

    @rule(by=PEOPLE, person=PEOPLE, chat=CHATS, minutes=MINUTES, bail=st.integers(1, 900))
    def jail(self, by: int, person: int, chat: int, minutes: int, bail: int) -> None:
        duration = minutes * MINUTE_MS
        expected = self.model.may_jail(by, person, chat, duration)
        case = Case(AccountId(person), chat, "spam", Actor(AccountId(by)))
        price = Price(Amount(bail), JUNO)
        jailed = self.play(
            expected, lambda: self.bank.decide(lambda view: decide_jail(view, case, duration, price, ()))
        )
        if jailed is not None:
            self.model.jailed(jailed.id, person, chat, duration, bail)

    @rule(payer=PEOPLE, data=st.data())
    def pay_bail(self, payer: int, data: st.DataObject) -> None:
        number = self.some(data, self.model.jails)
        expected = self.model.pay_bail(payer, number)
        self.play(expected, lambda: self.bank.do(bail_unit(self.key(), AccountId(payer), number, {})))

    @precondition(lambda self: self.model.jails)
    @rule(data=st.data())
    def end_jail(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.model.jails)))
        expected = self.model.end_jail(number)
        self.play(expected, lambda: self.bank.decide(lambda view: decide_end(view, number)))

    # Coins out

    @rule(account=PEOPLE, amount=BIG)
    def withdraw(self, account: int, amount: int) -> None:
        expected = self.model.withdraw(account, amount)
        asked = self.play(expected, lambda: self.bank.ask(self.key(), amount, AccountId(account)))
        if asked is not None:
            self.model.withdrawals[asked.id] = Withdrawal(account, amount)

    @rule(account=PEOPLE, data=st.data())
    def cancel(self, account: int, data: st.DataObject) -> None:
        number = self.some(data, self.model.withdrawals)
        expected = self.model.cancel(account, number)
        self.play(
            expected, lambda: self.bank.decide(lambda view: decide_cancel(view, AccountId(account), number))
        )

    @precondition(lambda self: self._payable())
    @rule(data=st.data(), code=st.sampled_from((0, 0, 5)))
    def pay_out(self, data: st.DataObject, code: int) -> None:
        """Sign, broadcast, and let the chain take or refuse it."""
        number = data.draw(st.sampled_from(self._payable()))
        asked = self.bank.decide(lambda view: Decision(find(view, number)))
        name = self.key()
        self.bank.sign(asked, name=name)
        self.bank.block(ours=[self.bank.executed(asked, name=name, code=code)])
        (self.model.confirmed if code == 0 else self.model.failed)(number, NETWORK_FEE)

    def _payable(self) -> list[int]:
        if self.model.balance(-1) < NETWORK_FEE:
            return []
        return [number for number, each in self.model.withdrawals.items() if each.state == "queued"]

    # Time

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.bank.clock.time += minutes * MINUTE_MS
        self.model.now = self.bank.clock.time

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        rows = self.bank.read("SELECT user_id, balance FROM user_balances WHERE balance <> 0")
        assert {row["user_id"]: row["balance"] for row in rows} == {
            account: balance for account, balance in self.model.own.items() if balance
        }
        assert self.bank.total() == self.model.total == self.bank.chain[JUNO]
        self.steps += 1
        if self.steps % AUDITED_EVERY == 0:
            self._audit()

    def _audit(self) -> None:
        assert audit(self.path).problems == ()

    def teardown(self) -> None:
        if hasattr(self, "bank"):
            self._audit()
            self.bank.writer.close()
        self.folder.cleanup()


TestEverything = Everything.TestCase
TestEverything.settings = settings(max_examples=8, stateful_step_count=60, deadline=None)
