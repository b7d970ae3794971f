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
class Giveaway:
    """Coins in an escrow of their own, account -1000 - number."""

    number: int
    creator: int
    funder: int
    chat: int
    total: int
    slots: int
    equal: bool
    expires: int
    claimants: list[int] = field(default_factory=list)
    over: bool = False

    @property
    def escrow(self) -> int:
        """Return its account."""
        return -1_000 - self.number


@dataclass(slots=True)
class Member:
    """What somebody is in a shared account; limits are base units, None: no limit."""

    membership: int
    role: int
    per_transaction: int | None = None
    per_day: int | None = None
    joined: bool = False
    invited_by: int = 0


@dataclass(slots=True)
class Shared:
    """A shared account, and what was taken out of it: when, by whom, how much."""

    account: int
    members: dict[int, Member]
    closed: bool = False
    spent: list[tuple[int, int, int]] = field(default_factory=list)


VIEW, SPEND, ADMIN = 0, 1, 2


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
    giveaways: dict[int, Giveaway] = field(default_factory=dict)
    shared: dict[int, Shared] = field(default_factory=dict)

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

    # Treasury

    def grant(self, account: int, amount: int, *, owner: bool) -> str | None:
        refusal = first(
            ("role_too_low", not owner),
            ("not_positive", amount <= 0),
            ("unknown_account", account not in self.people),
            ("treasury_too_low", self.balance(TREASURY) < amount),
        )
        if refusal is None:
            self.move(TREASURY, account, amount)
        return refusal

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

    # Giveaways

    def may_give(self, by: int, total: int, slots: int, *, treasury: bool) -> str | None:
        return first(
            ("giveaway_small", total < slots),
            ("role_too_low", treasury and by not in self.admins),
            ("treasury_too_low", treasury and self.balance(TREASURY) < total),
            ("insufficient_balance", not treasury and self.balance(by) < total),
        )

    def given(self, giveaway: Giveaway) -> None:
        """A giveaway began: its total waits in its escrow."""
        self.giveaways[giveaway.number] = giveaway
        self.move(giveaway.funder, giveaway.escrow, giveaway.total)

    def claim(self, number: int, person: int, chat: int) -> str | None:
        found = self.giveaways.get(number)
        if found is None:
            return "giveaway_unknown"
        jail = self.serving(found.chat, person)
        refusal = first(
            ("giveaway_elsewhere", found.chat != chat),
            ("giveaway_claimed", person in found.claimants),
            ("giveaway_over", found.over or self.now >= found.expires),
            ("unknown_account", person not in self.people),
            ("giveaway_own", person == found.creator),
            ("giveaway_jailed", jail is not None and self.now < jail.until),
        )
        if refusal is not None:
            return refusal
        found.claimants.append(person)
        if not found.equal:
            self.move(found.escrow, person, found.total // found.slots)
        if len(found.claimants) == found.slots:
            self._give_back(found, split=True)
        return None

    def _give_back(self, giveaway: Giveaway, *, split: bool) -> None:
        if split and giveaway.equal and giveaway.claimants:
            share = giveaway.total // len(giveaway.claimants)
            for person in giveaway.claimants:
                self.move(giveaway.escrow, person, share)
        self.move(giveaway.escrow, giveaway.funder, self.balance(giveaway.escrow))
        giveaway.over = True

    def cancel_giveaway(self, number: int, by: int) -> str | None:
        found = self.giveaways.get(number)
        if found is None:
            return "giveaway_unknown"
        refusal = first(
            ("giveaway_not_yours", by != found.creator and by not in self.admins),
            ("giveaway_over", found.over or self.now >= found.expires),
        )
        if refusal is None:
            self._give_back(found, split=False)
        return refusal

    def end_giveaway(self, number: int) -> str | None:
        found = self.giveaways[number]
        refusal = first(("giveaway_over", found.over), ("giveaway_early", self.now < found.expires))
        if refusal is None:
            self._give_back(found, split=True)
        return refusal

    # Shared accounts

    def share(self, account: int, person: int, needed: int) -> str | None:
        """Return why ``person`` may not act in ``account`` as one with role ``needed``."""
        found = self.shared.get(account)
        member = found.members.get(person) if found is not None else None
        if found is None or member is None or not member.joined:
            return "shared_unknown"
        return first(("shared_closed", found.closed), ("shared_role_too_low", member.role < needed))

    def may_invite(self, by: int, account: int, person: int) -> str | None:
        refusal = self.share(account, by, ADMIN)
        if refusal is not None:
            return refusal
        member = self.shared[account].members.get(person)
        return first(
            ("unknown_account", person not in self.people),
            ("shared_invited_already", member is not None and not member.joined),
            ("shared_member_already", member is not None and member.joined),
        )

    def accept(self, membership: int, person: int) -> str | None:
        for account in self.shared.values():
            member = account.members.get(person)
            if (
                not account.closed
                and member is not None
                and member.membership == membership
                and not member.joined
            ):
                member.joined = True
                return None
        return "shared_invitation_over"

    def fill(self, person: int, account: int, amount: int) -> str | None:
        if amount <= 0:
            return "not_positive"
        refusal = self.share(account, person, VIEW)
        if refusal is None and self.balance(person) < amount:
            refusal = "insufficient_balance"
        if refusal is None:
            self.move(person, account, amount)
        return refusal

    def spend(self, person: int, account: int, to: int, amount: int) -> str | None:
        if amount <= 0:
            return "not_positive"
        refusal = self.share(account, person, SPEND)
        if refusal is not None:
            return refusal
        found = self.shared[account]
        most, a_day = found.members[person].per_transaction, found.members[person].per_day
        lately = sum(part for at, who, part in found.spent if who == person and at > self.now - DAY_MS)
        refusal = first(
            ("unknown_account", to not in self.people),
            ("shared_over_transaction_limit", most is not None and amount > most),
            ("shared_over_day_limit", a_day is not None and lately + amount > a_day),
            ("shared_insufficient", self.balance(account) < amount),
        )
        if refusal is None:
            found.spent.append((self.now, person, amount))
            self.move(account, to, amount)
        return refusal

    def revoke(self, by: int, account: int, person: int) -> str | None:
        refusal = self.share(account, by, ADMIN)
        if refusal is not None:
            return refusal
        members = self.shared[account].members
        admins = [who for who, each in members.items() if each.role == ADMIN and each.joined]
        refusal = first(
            ("shared_not_a_member", person not in members), ("shared_last_admin", admins == [person])
        )
        if refusal is None:
            del members[person]
            # What they asked and nobody answered goes with them.
            for who in [
                who for who, each in members.items() if not each.joined and each.invited_by == person
            ]:
                del members[who]
        return refusal

    def close(self, by: int, account: int) -> str | None:
        refusal = self.share(account, by, ADMIN)
        if refusal is None and self.balance(account):
            refusal = "shared_not_empty"
        if refusal is None:
            found = self.shared[account]
            found.closed = True
            found.members = {who: each for who, each in found.members.items() if each.joined}
        return refusal
