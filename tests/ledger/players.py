"""People who use everything the ledger offers, at right and at wrong moments; the model says what must come of it.

Whoever plays draws from one source of chance: Hypothesis', which can shrink a run, or a seed's.
"""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any, Final

from ledger.accounts import AccountId
from ledger.audit import audit
from ledger.claims import Eligibility, Press, decide_claim
from ledger.claims import decide_cancel as decide_giveaway_cancel
from ledger.claims import decide_end as decide_giveaway_end
from ledger.errors import Refused
from ledger.fines import Price, decide_fine, payment_unit
from ledger.giveaways import decide_create
from ledger.jails import MINUTE_MS, bail_unit, decide_end, decide_jail
from ledger.memberships import Terms, decide_answer, decide_invite, decide_revoke
from ledger.money import Amount
from ledger.offers import Mode, Offer
from ledger.roles import Actor
from ledger.shared import MemberRole, SpendLimits
from ledger.shared import decide_close as decide_shared_close
from ledger.shared import decide_create as decide_shared_create
from ledger.sharedmoney import Fill, Spend, fill_unit, spend_unit
from ledger.transfers import transfer_unit
from ledger.treasury import Grant, decide_grant
from ledger.unclaimed import Assignment, decide_assignment
from ledger.units import Decision, Unit
from ledger.violations import Case
from ledger.withdrawals import decide_cancel, find
from tests.ledger.bank import ALICE, BOB, CAROL, JUNO, NETWORK_FEE, Bank, arrival
from tests.ledger.model import (
    ADMIN,
    DAY_MS,
    SPEND,
    VIEW,
    Fine,
    Giveaway,
    Member,
    Model,
    Shared,
    Waiting,
    Withdrawal,
)

DAN: Final = 44
NOBODY: Final = 55
"""Is not registered."""
PEOPLE: Final = (ALICE, BOB, CAROL, DAN)
ANYBODY: Final = (*PEOPLE, NOBODY)
CHATS: Final = (-500, -600)
UNKNOWN: Final = 10**6
MOST_SHARED: Final = 6
OPENING: Final = 2_000


class Players:
    """A bank of four people of whom Carol is an admin, and the model of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers = itertools.count()
        self.bank = Bank(path)
        self.bank.open(held=OPENING)
        self.bank.write("INSERT INTO users VALUES (?, 'member', 'Dan', 0)", DAN)
        self.bank.write("UPDATE users SET role = 'admin' WHERE id = ?", CAROL)
        self.model = Model(self.bank.clock.time, set(PEOPLE), {CAROL}, own={-1: OPENING})
        self.done: list[str] = []
        """What succeeded, in order."""
        self._acts: list[tuple[Callable[[Random], None], int]] = [
            (self.deposit, 6),
            (self.deposit_for_nobody, 2),
            (self.assign, 4),
            (self.transfer, 6),
            (self.grant, 3),
            (self.fine, 3),
            (self.pay_fine, 3),
            (self.pay_all_fines, 2),
            (self.jail, 4),
            (self.pay_bail, 4),
            (self.end_jail, 3),
            (self.give, 5),
            (self.claim, 12),
            (self.cancel_giveaway, 2),
            (self.end_giveaway, 3),
            (self.open_shared, 2),
            (self.invite, 4),
            (self.accept, 4),
            (self.fill_shared, 5),
            (self.spend_shared, 8),
            (self.revoke, 2),
            (self.close_shared, 1),
            (self.withdraw, 4),
            (self.cancel, 3),
            (self.pay_out, 3),
            (self.wait, 5),
        ]

    def act(self, rng: Random) -> None:
        """Let somebody do something."""
        (chosen,) = rng.choices([act for act, _ in self._acts], [weight for _, weight in self._acts])
        chosen(rng)

    def check(self) -> None:
        """Compare every balance with the model, and the sum with the chain."""
        rows = self.bank.read("SELECT user_id, balance FROM user_balances WHERE balance <> 0")
        wanted = {account: balance for account, balance in self.model.own.items() if balance}
        assert {row["user_id"]: row["balance"] for row in rows} == wanted
        assert self.bank.total() == self.model.total == self.bank.chain[JUNO]

    def commits(self) -> int:
        """Return how many links the chain of commits has: each commit seals what it wrote with one."""
        return int(self.bank.read("SELECT count(*) AS links FROM links")[0]["links"])

    def audit(self) -> None:
        """Let the ledger's own audit look at everything."""
        assert audit(self._path).problems == ()

    # Playing an act on both sides

    def _key(self) -> str:
        return f"k{next(self._numbers)}"

    def _play(self, name: str, expected: str | None, act: Callable[[], Any]) -> Any:
        """Return what ``act`` came to; it must be refused with the code ``expected``, or (None) succeed."""
        outcome, refusal = None, None
        try:
            outcome = act()
        except Refused as refused:
            refusal = refused.code
        assert refusal == expected, name
        if refusal is None:
            self.done.append(name)
        return outcome

    def _decide(self, name: str, expected: str | None, decide: Callable[[Any], Decision[Any]]) -> Any:
        return self._play(name, expected, lambda: self.bank.decide(decide))

    def _do(self, name: str, expected: str | None, unit: Unit[Any]) -> Any:
        return self._play(name, expected, lambda: self.bank.do(unit))

    @staticmethod
    def _some(rng: Random, numbers: Iterable[int]) -> int:
        """Return one of ``numbers``, now and then one that does not exist."""
        known = sorted(numbers)
        return rng.choice(known) if known and rng.randrange(20) else UNKNOWN

    @staticmethod
    def _who(rng: Random, likely: Iterable[int]) -> AccountId:
        """Return one of those to whom it is ``likely`` allowed, now and then anybody."""
        known = sorted(likely)
        return AccountId(rng.choice(known) if known and rng.randrange(5) else rng.choice(ANYBODY))

    def _members(self, account: int, role: int) -> list[int]:
        """Return who has ``role`` or a higher one in a shared account."""
        found = self.model.shared.get(account)
        return [who for who, each in found.members.items() if each.role >= role] if found else []

    # Coins in

    def deposit(self, rng: Random) -> None:
        person, amount = rng.choice(ANYBODY), rng.randrange(1, 20_000)
        self.bank.block(arrival(str(amount), memo=str(person), tx=self._key()))
        known = person in self.model.people
        self.model.move(None, person if known else -3, amount)
        if not known:
            self._waits(amount)

    def deposit_for_nobody(self, rng: Random) -> None:
        amount = rng.randrange(1, 3_000)
        self.bank.block(arrival(str(amount), tx=self._key()))
        self.model.move(None, -3, amount)
        self._waits(amount)

    def _waits(self, amount: int) -> None:
        number = self.bank.read("SELECT max(id) AS id FROM unclaimed")[0]["id"]
        self.model.unclaimed[number] = Waiting(amount, amount)

    def assign(self, rng: Random) -> None:
        by, account = self._who(rng, self.model.admins), rng.choice(ANYBODY)
        number = self._some(rng, self.model.unclaimed)
        amount = rng.choice((None, Amount(rng.randrange(-1, 2_000))))
        expected = self.model.assign(by, number, account, amount)
        order, key = Assignment(number, AccountId(account), amount, "they showed it to me"), self._key()
        self._decide("assign", expected, lambda view: decide_assignment(view, key, Actor(by), order, {}))

    # Coins around

    def transfer(self, rng: Random) -> None:
        source, destination = AccountId(rng.choice(ANYBODY)), AccountId(rng.choice(ANYBODY))
        amount = Amount(rng.randrange(-1, 4_000))
        expected = self.model.transfer(source, destination, amount)
        self._do("transfer", expected, transfer_unit(source, destination, amount, JUNO, key=self._key()))

    def grant(self, rng: Random) -> None:
        """An owner, or somebody who is none, pays out of the treasury."""
        by = Actor(AccountId(rng.choice(PEOPLE)), owner=rng.random() < 0.7)
        account, amount = AccountId(rng.choice(ANYBODY)), Amount(rng.randrange(600))
        expected = self.model.grant(account, amount, owner=by.owner)
        grant, key = Grant(by, account, amount, JUNO, "for the helpers"), self._key()
        self._decide("grant", expected, lambda view: decide_grant(view, key, grant))

    # Penalties

    def _case(self, rng: Random, person: int, chat: int) -> Case:
        return Case(AccountId(person), chat, "spam", Actor(self._who(rng, self.model.admins)))

    def fine(self, rng: Random) -> None:
        case = self._case(rng, rng.choice(ANYBODY), rng.choice(CHATS))
        price = Price(Amount(rng.randrange(900)), JUNO)
        expected = self.model.may_fine(case.by.account, case.person, price.amount)
        fined = self._decide("fine", expected, lambda view: decide_fine(view, case, price, ()))
        if fined is not None:
            self.model.fines[fined.id] = Fine(case.person, price.amount)

    def pay_fine(self, rng: Random) -> None:
        number = self._some(rng, self.model.fines)
        fine = self.model.fines.get(number)
        payer = self._who(rng, [fine.person] if fine else [])
        expected = self.model.pay_fine(payer, number)
        self._do("pay_fine", expected, payment_unit(self._key(), payer, number))

    def pay_all_fines(self, rng: Random) -> None:
        payer = self._who(rng, [each.person for each in self.model.fines.values()])
        expected = self.model.pay_all_fines(payer)
        self._do("pay_all_fines", expected, payment_unit(self._key(), payer, None))

    def jail(self, rng: Random) -> None:
        case = self._case(rng, rng.choice(ANYBODY), rng.choice(CHATS))
        duration = rng.randrange(1, 90) * MINUTE_MS
        bail = Price(Amount(rng.randrange(1, 900)), JUNO)
        expected = self.model.may_jail(case.by.account, case.person, case.chat, duration)
        jailed = self._decide("jail", expected, lambda view: decide_jail(view, case, duration, bail, ()))
        if jailed is not None:
            self.model.jailed(jailed.id, case.person, case.chat, duration, bail.amount)

    def pay_bail(self, rng: Random) -> None:
        number, payer = self._some(rng, self.model.jails), AccountId(rng.choice(ANYBODY))
        expected = self.model.pay_bail(payer, number)
        self._do("pay_bail", expected, bail_unit(self._key(), payer, number, {}))

    def end_jail(self, rng: Random) -> None:
        if self.model.jails:
            number = rng.choice(sorted(self.model.jails))
            expected = self.model.end_jail(number)
            self._decide("end_jail", expected, lambda view: decide_end(view, number))

    # Giveaways

    def give(self, rng: Random) -> None:
        by, treasury = AccountId(rng.choice(PEOPLE)), rng.random() < 0.3
        minutes = rng.randrange(5, 200)
        offer = Offer(
            by,
            AccountId(-1) if treasury else by,
            rng.choice(CHATS),
            JUNO,
            Amount(rng.randrange(1, 2_000)),
            rng.randrange(1, 4),
            rng.choice((Mode.FIRST, Mode.EQUAL)),
            minutes * 60,
            "for the helpers",
        )
        expected = self.model.may_give(by, offer.total, offer.slots, treasury=treasury)
        key = self._key()
        given = self._decide(
            "give", expected, lambda view: decide_create(view, key, offer, Actor(by), "0" * 64)
        )
        if given is not None:
            until = self.model.now + minutes * MINUTE_MS
            equal = offer.mode is Mode.EQUAL
            self.model.given(
                Giveaway(given.id, by, offer.funder, offer.chat, offer.total, offer.slots, equal, until)
            )

    def claim(self, rng: Random) -> None:
        number = self._some(rng, [each for each, given in self.model.giveaways.items() if not given.over])
        found = self.model.giveaways.get(number)
        chat = found.chat if found and rng.randrange(10) else rng.choice(CHATS)
        press, key = Press(number, AccountId(rng.choice(ANYBODY)), chat), self._key()
        expected = self.model.claim(number, press.claimant, chat)
        self._decide("claim", expected, lambda view: decide_claim(view, key, press, lambda _: Eligibility()))

    def cancel_giveaway(self, rng: Random) -> None:
        number = self._some(rng, self.model.giveaways)
        found = self.model.giveaways.get(number)
        by = self._who(rng, [found.creator, *self.model.admins] if found else [])
        expected = self.model.cancel_giveaway(number, by)
        self._decide(
            "cancel_giveaway",
            expected,
            lambda view: decide_giveaway_cancel(view, number, Actor(by), "a mistake"),
        )

    def end_giveaway(self, rng: Random) -> None:
        if self.model.giveaways:
            number = rng.choice(sorted(self.model.giveaways))
            expected = self.model.end_giveaway(number)
            self._decide("end_giveaway", expected, lambda view: decide_giveaway_end(view, number))

    # Shared accounts

    def open_shared(self, rng: Random) -> None:
        if len(self.model.shared) == MOST_SHARED:
            return
        person, name = AccountId(rng.choice(PEOPLE)), f"account {next(self._numbers)}"
        opened = self._decide("open_shared", None, lambda view: decide_shared_create(view, person, name))
        (founder,) = self.bank.read("SELECT id FROM shared_members WHERE account = ?", opened.id)
        member = Member(founder["id"], ADMIN, joined=True)
        self.model.shared[opened.id] = Shared(opened.id, {person: member})

    def invite(self, rng: Random) -> None:
        account = AccountId(self._some(rng, self.model.shared))
        by, person = self._who(rng, self._members(account, ADMIN)), AccountId(rng.choice(ANYBODY))
        role = rng.choice(list(MemberRole))
        limited = role is not MemberRole.VIEW and rng.random() < 0.7
        most = rng.choice((None, Amount(rng.randrange(1, 900))))
        limits = SpendLimits(JUNO, most, Amount(rng.randrange(1, 1_500))) if limited else SpendLimits()
        expected = self.model.may_invite(by, account, person)
        terms = Terms(role, limits)
        invited = self._decide(
            "invite", expected, lambda view: decide_invite(view, by, account, person, terms)
        )
        if invited is not None:
            member = Member(invited.id, role, limits.per_transaction, limits.per_day, invited_by=by)
            self.model.shared[account].members[person] = member
            # Three invitations of one person in a day are the most: a fourth would be refused for that.
            self._pass(DAY_MS // 2)

    def accept(self, rng: Random) -> None:
        invited = {
            each.membership: who
            for account in self.model.shared.values()
            for who, each in account.members.items()
            if not each.joined
        }
        number = self._some(rng, invited)
        person = self._who(rng, [invited[number]] if number in invited else [])
        expected = self.model.accept(number, person)
        self._decide("accept", expected, lambda view: decide_answer(view, person, number, {}, accepted=True))

    def fill_shared(self, rng: Random) -> None:
        account, amount = AccountId(self._some(rng, self.model.shared)), Amount(rng.randrange(-1, 3_000))
        person = self._who(rng, self._members(account, VIEW))
        expected = self.model.fill(person, account, amount)
        self._do("fill_shared", expected, fill_unit(self._key(), Fill(account, person, amount, JUNO)))

    def spend_shared(self, rng: Random) -> None:
        account, amount = AccountId(self._some(rng, self.model.shared)), Amount(rng.randrange(700))
        person, to = self._who(rng, self._members(account, SPEND)), AccountId(rng.choice(ANYBODY))
        expected = self.model.spend(person, account, to, amount)
        spend = Spend(account, person, to, amount, JUNO)
        self._do("spend_shared", expected, spend_unit(self._key(), spend, {}))

    def revoke(self, rng: Random) -> None:
        account = AccountId(self._some(rng, self.model.shared))
        by, person = (
            self._who(rng, self._members(account, ADMIN)),
            self._who(rng, self._members(account, VIEW)),
        )
        expected = self.model.revoke(by, account, person)
        self._decide("revoke", expected, lambda view: decide_revoke(view, by, account, person, {}))

    def close_shared(self, rng: Random) -> None:
        account = AccountId(self._some(rng, self.model.shared))
        by = self._who(rng, self._members(account, ADMIN))
        expected = self.model.close(by, account)
        self._decide("close_shared", expected, lambda view: decide_shared_close(view, by, account, {}))

    # Coins out

    def withdraw(self, rng: Random) -> None:
        account, amount = AccountId(rng.choice(ANYBODY)), rng.randrange(900, 6_000)
        expected = self.model.withdraw(account, amount)
        asked = self._play("withdraw", expected, lambda: self.bank.ask(self._key(), amount, account))
        if asked is not None:
            self.model.withdrawals[asked.id] = Withdrawal(account, amount)

    def cancel(self, rng: Random) -> None:
        number = self._some(rng, self.model.withdrawals)
        asked = self.model.withdrawals.get(number)
        account = self._who(rng, [asked.account] if asked else [])
        expected = self.model.cancel(account, number)
        self._decide("cancel", expected, lambda view: decide_cancel(view, account, number))

    def pay_out(self, rng: Random) -> None:
        """Sign, broadcast, and let the chain take or refuse it."""
        queued = [number for number, each in self.model.withdrawals.items() if each.state == "queued"]
        if not queued or self.model.balance(-1) < NETWORK_FEE:
            return
        number, code, name = rng.choice(queued), rng.choice((0, 0, 5)), self._key()
        asked = self.bank.decide(lambda view: Decision(find(view, number)))
        self.bank.sign(asked, name=name)
        self.bank.block(ours=[self.bank.executed(asked, name=name, code=code)])
        self.done.append("pay_out" if code == 0 else "pay_out failed")
        (self.model.confirmed if code == 0 else self.model.failed)(number, NETWORK_FEE)

    # Time

    def wait(self, rng: Random) -> None:
        self._pass(rng.randrange(1, 90) * MINUTE_MS)

    def _pass(self, milliseconds: int) -> None:
        self.bank.clock.time += milliseconds
        self.model.now = self.bank.clock.time
