"""What the books must do, told again in the simplest way: dictionaries, and the code of each refusal.

Nothing of the ledger is used here. An act returns None when it must succeed, or the code of the refusal; whoever plays
it on the real books then tells the model which number it got.
"""

from dataclasses import dataclass, field
from typing import Final

TREASURY: Final = -1
UNCLAIMED: Final = -3
WITHDRAWALS: Final = -4
FEE: Final = 50
MINIMUM: Final = 1_000
DAY_MS: Final = 24 * 3_600_000


def first(*refusals: tuple[str, bool]) -> str | None:
    """Return the code of the first refusal that holds: they stand in order of precedence."""
    return next((code for code, holds in refusals if holds), None)


@dataclass(slots=True)
class Fine:
    """A fine that was set."""

    person: int
    amount: int
    state: str = "owed"


@dataclass(slots=True)
class Jail:
    """A jail that was set."""

    person: int
    chat: int
    until: int
    bail: int
    state: str = "serving"


@dataclass(slots=True)
class Waiting:
    """Coins that arrived for nobody."""

    amount: int
    remaining: int


@dataclass(slots=True)
class Withdrawal:
    """Coins on their way out."""

    account: int
    amount: int
    state: str = "queued"

    @property
    def held(self) -> int:
        """What waits for it."""
        return self.amount + FEE


@dataclass(slots=True)
class Model:
    """One instance: who owns what, and everything that is open."""

    now: int
    people: set[int]
    admins: set[int] = field(default_factory=set)
    own: dict[int, int] = field(default_factory=dict)
    fines: dict[int, Fine] = field(default_factory=dict)
    jails: dict[int, Jail] = field(default_factory=dict)
    unclaimed: dict[int, Waiting] = field(default_factory=dict)
    withdrawals: dict[int, Withdrawal] = field(default_factory=dict)

    def balance(self, account: int) -> int:
        """Return what ``account`` owns."""
        return self.own.get(account, 0)

    def move(self, source: int | None, destination: int | None, amount: int) -> None:
        """Move coins; None is the chain."""
        if source is not None:
            self.own[source] = self.balance(source) - amount
        if destination is not None:
            self.own[destination] = self.balance(destination) + amount

    @property
    def total(self) -> int:
        """Return what the treasury address must hold."""
        return sum(self.own.values())

    # Transfers

    def transfer(self, source: int, destination: int, amount: int) -> str | None:
        if amount <= 0:
            return "not_positive"
        if source == destination:
            return "same_account"
        if destination not in self.people:
            return "unknown_account"
        if self.balance(source) < amount:
            return "insufficient_balance"
        self.move(source, destination, amount)
        return None

    # Penalties

    def _penalty(self, by: int, person: int) -> str | None:
        if by not in self.admins:
            return "role_too_low"
        return "penalty_immune" if person in self.admins else None

    def may_fine(self, by: int, person: int, amount: int) -> str | None:
        return "not_positive" if amount <= 0 else self._penalty(by, person)

    def pay_fine(self, payer: int, number: int) -> str | None:
        fine = self.fines.get(number)
        if fine is None or fine.person != payer:
            return "fine_unknown"
        if fine.state != "owed":
            return "fine_settled"
        return self._pay(payer, [fine])

    def pay_all_fines(self, payer: int) -> str | None:
        owed = [fine for fine in self.fines.values() if fine.person == payer and fine.state == "owed"]
        return self._pay(payer, owed) if owed else "fines_none"

    def _pay(self, payer: int, fines: list[Fine]) -> str | None:
        needed = sum(fine.amount for fine in fines)
        if self.balance(payer) < needed:
            return "insufficient_balance"
        self.move(payer, TREASURY, needed)
        for fine in fines:
            fine.state = "paid"
        return None

    def serving(self, chat: int, person: int) -> Jail | None:
        """Return the jail that stands."""
        found = [
            each
            for each in self.jails.values()
            if (each.chat, each.person, each.state) == (chat, person, "serving")
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def may_jail(self, by: int, person: int, chat: int, duration: int) -> str | None:
        refusal = self._penalty(by, person)
        standing = self.serving(chat, person)
        if refusal is None and standing is not None and standing.until >= self.now + duration:
            return "jail_stands"
        return refusal

    def jailed(self, number: int, person: int, chat: int, duration: int, bail: int) -> None:
        """A jail was set: a shorter one ends with it."""
        standing = self.serving(chat, person)
        if standing is not None:
            standing.state = "superseded"
        self.jails[number] = Jail(person, chat, self.now + duration, bail)

    def pay_bail(self, payer: int, number: int) -> str | None:
        jail = self.jails.get(number)
        if jail is None:
            return "jail_unknown"
        if jail.state != "serving":
            return "jail_ended"
        if self.now >= jail.until:
            return "jail_over"
        if self.balance(payer) < jail.bail:
            return "insufficient_balance"
        self.move(payer, TREASURY, jail.bail)
        jail.state = "bailed"
        return None

    def end_jail(self, number: int) -> str | None:
        jail = self.jails[number]
        if jail.state != "serving":
            return "jail_ended"
        if self.now < jail.until:
            return "jail_not_over"
        jail.state = "served"
        return None

    # Unclaimed

    def assign(self, by: int, number: int, account: int, amount: int | None) -> str | None:
        row = self.unclaimed.get(number)
        remaining = row.remaining if row is not None else 0
        part = remaining if amount is None else amount
        refusal = first(
            ("role_too_low", by not in self.admins),
            ("unknown_deposit", row is None),
            ("deposit_taken", not remaining),
            ("not_positive", part <= 0),
            ("assignment_too_large", part > remaining),
            ("unknown_account", account not in self.people),
            ("assignment_own", account == by),
        )
        if refusal is not None or row is None:
            return refusal
        row.remaining -= part
        self.move(UNCLAIMED, account, part)
        return None

    # Withdrawals

    def withdraw(self, account: int, amount: int) -> str | None:
        if amount < MINIMUM:
            return "withdrawal_below_minimum"
        if self.balance(account) < amount + FEE:
            return "insufficient_balance"
        self.move(account, WITHDRAWALS, amount + FEE)
        return None

    def cancel(self, account: int, number: int) -> str | None:
        asked = self.withdrawals.get(number)
        if asked is None or asked.account != account:
            return "unknown_withdrawal"
        if asked.state == "cancelled":
            return None
        if asked.state != "queued":
            return "withdrawal_not_cancellable"
        self.move(WITHDRAWALS, account, asked.held)
        asked.state = "cancelled"
        return None

    def confirmed(self, number: int, network_fee: int) -> None:
        """The chain paid: the amount left, the fee is the treasury's, which pays the network's."""
        asked = self.withdrawals[number]
        self.move(WITHDRAWALS, None, asked.amount)
        self.move(WITHDRAWALS, TREASURY, FEE)
        self.move(TREASURY, None, network_fee)
        asked.state = "confirmed"

    def failed(self, number: int, network_fee: int) -> None:
        """The chain refused it in a block: all comes back but the network's fee."""
        asked = self.withdrawals[number]
        self.move(WITHDRAWALS, None, network_fee)
        self.move(WITHDRAWALS, asked.account, asked.held - network_fee)
        asked.state = "returned"
