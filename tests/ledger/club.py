"""Shared accounts in one line each, on the books of `tests.ledger.bank`."""

from typing import Any

from ledger.accounts import AccountId
from ledger.memberships import (
    Change,
    Terms,
    decide_answer,
    decide_change,
    decide_invite,
    decide_leave,
    decide_revoke,
)
from ledger.money import Amount
from ledger.shared import (
    NO_LIMITS,
    MemberRole,
    Membership,
    Share,
    SharedAccount,
    SpendLimits,
    decide_close,
    decide_create,
    decide_rename,
    shares_of,
)
from ledger.sharedmoney import Fill, Spend, fill_unit, spend_unit
from ledger.units import Decision, Receipt, Unit
from tests.ledger.bank import ALICE, BOB, JUNO, Bank

FIRST = AccountId(-100)
SPEND = MemberRole.SPEND
ADMIN = MemberRole.ADMIN
VIEW = MemberRole.VIEW


def limits(once: int | None = None, day: int | None = None) -> SpendLimits:
    """Return limits in JUNO."""
    amounts = [None if each is None else Amount(each) for each in (once, day)]
    return SpendLimits(JUNO, *amounts) if once or day else NO_LIMITS


class Club:
    """What people do with shared accounts; whoever is not named is Alice, what is not named is the first account."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.keys = 0

    def create(self, name: str = "picnic", by: AccountId = ALICE) -> SharedAccount:
        made: SharedAccount = self.bank.decide(lambda view: decide_create(view, by, name))
        return made

    def rename(self, name: str, by: AccountId = ALICE, account: AccountId = FIRST) -> SharedAccount:
        renamed: SharedAccount = self.bank.decide(lambda view: decide_rename(view, by, account, name))
        return renamed

    def close(self, by: AccountId = ALICE, account: AccountId = FIRST) -> SharedAccount:
        closed: SharedAccount = self.bank.decide(lambda view: decide_close(view, by, account, {}))
        return closed

    def invite(
        self,
        person: AccountId = BOB,
        role: MemberRole = SPEND,
        bounds: SpendLimits = NO_LIMITS,
        by: AccountId = ALICE,
        account: AccountId = FIRST,
    ) -> Membership:
        terms = Terms(role, bounds)
        invited: Membership = self.bank.decide(lambda view: decide_invite(view, by, account, person, terms))
        return invited

    def answer(self, membership: int, person: AccountId = BOB, *, accepted: bool = True) -> Share:
        share: Share = self.bank.decide(
            lambda view: decide_answer(view, person, membership, {}, accepted=accepted)
        )
        return share

    def join(
        self,
        person: AccountId = BOB,
        role: MemberRole = SPEND,
        bounds: SpendLimits = NO_LIMITS,
        account: AccountId = FIRST,
    ) -> Share:
        """Let somebody be invited and accept."""
        return self.answer(self.invite(person, role, bounds, account=account).id, person)

    def change(
        self,
        person: AccountId,
        role: MemberRole | None,
        bounds: SpendLimits = NO_LIMITS,
        by: AccountId = ALICE,
        account: AccountId = FIRST,
    ) -> Share:
        change = Change(person, role, bounds)
        share: Share = self.bank.decide(lambda view: decide_change(view, by, account, change, {}))
        return share

    def revoke(self, person: AccountId = BOB, by: AccountId = ALICE, account: AccountId = FIRST) -> Share:
        share: Share = self.bank.decide(lambda view: decide_revoke(view, by, account, person, {}))
        return share

    def leave(self, person: AccountId = BOB, account: AccountId = FIRST) -> Share:
        share: Share = self.bank.decide(lambda view: decide_leave(view, person, account, {}))
        return share

    def shares(self, person: AccountId) -> list[Share]:
        found: list[Share] = self.bank.decide(lambda view: Decision(shares_of(view, person)))
        return found

    def filling(
        self, amount: int | None, by: AccountId = ALICE, account: AccountId = FIRST, key: str | None = None
    ) -> Unit[Receipt]:
        wanted = None if amount is None else Amount(amount)
        return fill_unit(key or self._key(), Fill(account, by, wanted, JUNO))

    def fill(self, amount: int | None, by: AccountId = ALICE, **more: Any) -> Receipt:
        return self.bank.do(self.filling(amount, by, **more))

    def spending(
        self,
        amount: int | None,
        by: AccountId = ALICE,
        to: int = BOB,
        account: AccountId = FIRST,
        **more: Any,
    ) -> Unit[Receipt]:
        wanted = None if amount is None else Amount(amount)
        key = more.pop("key", None) or self._key()
        return spend_unit(key, Spend(account, by, AccountId(to), wanted, more.pop("denom", JUNO), **more), {})

    def spend(self, amount: int | None, by: AccountId = ALICE, to: int = BOB, **more: Any) -> Receipt:
        return self.bank.do(self.spending(amount, by, to, **more))

    def _key(self) -> str:
        self.keys += 1
        return f"s{self.keys}"
