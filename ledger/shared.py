"""Shared accounts: one balance of several people, each with a role and limits of their own (product.md).

People know account -n by the number n, and by a name that no other open one has. Ids are never used twice; whatever
was created stays, closed, for its history. What its members are is in memberships.py, what they move in
sharedmoney.py.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

from ledger.accounts import LAST_SHARED, AccountId
from ledger.errors import Refused
from ledger.money import Amount, Denom
from ledger.outbox import news
from ledger.ports import Selects
from ledger.queries import queries
from ledger.units import Decision, Row, View

MAX_NAME: Final = 32
"""Characters of a name: what fits beside an amount."""
MOST_CREATED: Final = 9
"""Accounts that one person may ever create: there are 900 numbers in all, and none comes back."""

SQL: Final = queries("shared")
_NOT_A_NAME: Final = re.compile(r"(?:[0-9]+|new)(?: .*)?|(?:[#@/]|shared:).*")
"""What `/shared` would read as something else: numbers, people, commands, memos, its own word."""


class MemberRole(IntEnum):
    """What a member may do; each may do what the lower ones may. Everybody puts in, and sees what is there."""

    VIEW = 0
    SPEND = 1
    ADMIN = 2

    @property
    def word(self) -> str:
        """Return what people call it, and what stands in ``shared_members``."""
        return self.name.lower()


class MembershipState(StrEnum):
    """Where a membership stands."""

    INVITED = "invited"
    JOINED = "joined"
    DECLINED = "declined"
    REVOKED = "revoked"
    LEFT = "left"
    CLOSED = "closed"
    """A member when the account was closed."""


class SpendLimits(NamedTuple):
    """The most that a member may take out at once, and in any 24 hours: base units of ``denom``, None: no limit.

    Whoever has limits spends ``denom`` alone.
    """

    denom: Denom | None = None
    per_transaction: Amount | None = None
    per_day: Amount | None = None


NO_LIMITS: Final = SpendLimits()


class SharedAccount(NamedTuple):
    """A shared account as it stands."""

    id: AccountId
    name: str
    is_open: bool

    @property
    def number(self) -> int:
        """What people know it by."""
        return -self.id


class Membership(NamedTuple):
    """What ``person`` is in ``account``."""

    id: int
    account: AccountId
    person: AccountId
    role: MemberRole
    limits: SpendLimits
    state: MembershipState
    invited_by: AccountId

    @property
    def is_member(self) -> bool:
        """Tell whether they may see what is there: members, and who was one when it was closed."""
        return self.state in (MembershipState.JOINED, MembershipState.CLOSED)


class Share(NamedTuple):
    """An account and what somebody is in it."""

    account: SharedAccount
    membership: Membership


def membership_of(row: Any) -> Membership:
    """Return a row of ``shared_members`` as a `Membership`."""
    return Membership(
        id=row["id"],
        account=row["account"],
        person=row["person"],
        role=MemberRole[row["role"].upper()],
        limits=SpendLimits(row["limit_denom"], row["per_transaction"], row["per_day"]),
        state=MembershipState(row["state"]),
        invited_by=row["invited_by"],
    )


def find_account(books: Selects, account: AccountId) -> SharedAccount | None:
    """Return shared account ``account``, or None when there never was one."""
    rows = books.select(SQL["find"], (account,))
    if not rows:
        return None
    return SharedAccount(rows[0]["id"], rows[0]["name"], rows[0]["state"] == "open")


def find_membership(books: Selects, account: AccountId, person: AccountId) -> Membership | None:
    """Return what ``person`` is in ``account``: invited, a member, or a member until it was closed; else None."""
    rows = books.select(SQL["membership"], (account, person))
    return membership_of(rows[0]) if rows else None


def members_of(books: Selects, account: AccountId) -> list[Membership]:
    """Return members and invited people of an open account, admins first."""
    return [membership_of(row) for row in books.select(SQL["members"], (account,))]


def shares_of(books: Selects, person: AccountId) -> list[Share]:
    """Return the accounts that ``person`` has a part in or is invited to, open ones first."""
    return [
        Share(
            SharedAccount(row["account"], row["name"], row["account_state"] == "open"),
            membership_of(row),
        )
        for row in books.select(SQL["of_person"], (person,))
    ]


def require_share(books: Selects, account: AccountId, person: AccountId) -> Share:
    """Return the share of a member in ``account``, open or closed.

    Raises Refused ``shared_unknown``, the same whether there is no such account or none of theirs.
    """
    found = find_account(books, account)
    membership = find_membership(books, account, person)
    if found is None or membership is None or not membership.is_member:
        raise Refused("shared_unknown", number=-account)
    return Share(found, membership)


def require_member(books: Selects, account: AccountId, person: AccountId, needed: MemberRole) -> Share:
    """Return the share of somebody who may act in ``account`` now.

    Raises Refused ``shared_unknown``, ``shared_closed``, ``shared_role_too_low``.
    """
    share = require_share(books, account, person)
    if not share.account.is_open:
        raise Refused("shared_closed", number=share.account.number, name=share.account.name)
    if share.membership.role < needed:
        raise Refused("shared_role_too_low", needed=needed.word, name=share.account.name)
    return share


def facts_of(account: SharedAccount) -> dict[str, Any]:
    """Return what every sentence about ``account`` may need."""
    return {"account": account.id, "number": account.number, "name": account.name}


def joined_of(books: Selects, account: AccountId, *, but: AccountId | None = None) -> list[Membership]:
    """Return the members of an open account, one of them left out: whom news of it may go to."""
    return [
        each
        for each in members_of(books, account)
        if each.state is MembershipState.JOINED and each.person != but
    ]


def decide_create(view: View, person: AccountId, name: str) -> Decision[SharedAccount]:
    """Open a shared account whose one admin is ``person``.

    Raises Refused: those of `checked_name`, ``shared_too_many_created``, ``shared_numbers_used_up``,
    ``shared_name_taken``.
    """
    name = checked_name(name)
    (following,) = view.select(SQL["next"], (person,))
    if following["created"] >= MOST_CREATED:
        raise Refused("shared_too_many_created", limit=MOST_CREATED)
    account = AccountId(following["id"])
    if account < LAST_SHARED:
        raise Refused("shared_numbers_used_up")
    facts = {"account": account, "name": name, "folded": _free_name(view, name, account)}
    founder = {
        "id": view.select(SQL["next_membership"], (account,))[0]["id"],
        "account": account,
        "person": person,
        "role": MemberRole.ADMIN.word,
        **limit_values(NO_LIMITS),
        "by": person,
        "at": view.now,
        "state": MembershipState.JOINED.value,
    }
    rows = (
        Row(SQL["register"], {"account": account, "name": name, "at": view.now}, changes=1),
        Row(SQL["create"], {**facts, "person": person, "at": view.now}, changes=1),
        Row(SQL["join"], founder, changes=1),
    )
    return Decision(SharedAccount(account, name, is_open=True), rows=rows)


def decide_rename(view: View, person: AccountId, account: AccountId, name: str) -> Decision[SharedAccount]:
    """Call an account otherwise.

    Raises Refused: those of `require_member` and `checked_name`, ``shared_name_taken``.
    """
    share = require_member(view, account, person, MemberRole.ADMIN)
    name = checked_name(name)
    facts = {"account": account, "name": name, "folded": _free_name(view, name, account)}
    rows = (
        Row(SQL["rename"], facts, changes=1),
        Row(SQL["rename_user"], {"account": account, "name": name}, changes=1),
    )
    return Decision(share.account._replace(name=name), rows=rows)


def decide_close(
    view: View, person: AccountId, account: AccountId, told: Mapping[str, Any]
) -> Decision[SharedAccount]:
    """Close an empty account for good; what the chain brings for it afterwards is unclaimed.

    ``told`` are facts for the news to its other members. Raises Refused: those of `require_member`,
    ``shared_not_empty``, ``shared_withdrawal_open``.
    """
    share = require_member(view, account, person, MemberRole.ADMIN)
    for left in view.select(SQL["left_over"], {"account": account}):
        if left["withdrawal"]:
            raise Refused("shared_withdrawal_open", withdrawal=left["withdrawal"], name=share.account.name)
        raise Refused(
            "shared_not_empty", left=left["balance"], denom=left["denom"], **facts_of(share.account)
        )
    facts = {"account": account, "person": person, "at": view.now}
    heard = [
        news("shared.closed", each.person, {**told, **facts_of(share.account)}, view.now)
        for each in joined_of(view, account, but=person)
    ]
    rows = (Row(SQL["close"], facts, changes=1), Row(SQL["close_memberships"], facts), *heard)
    return Decision(share.account._replace(is_open=False), rows=rows)


def checked_name(name: str) -> str:
    """Return ``name`` as it is kept.

    Raises Refused ``shared_name_missing``, ``shared_name_too_long``, ``shared_name_reserved`` (it reads as a number, a
    person or a word of the command).
    """
    name = name.strip()
    if not folded_name(name):
        raise Refused("shared_name_missing")
    if len(name) > MAX_NAME:
        raise Refused("shared_name_too_long", limit=MAX_NAME, length=len(name))
    if _NOT_A_NAME.fullmatch(folded_name(name)):
        raise Refused("shared_name_reserved", typed=name)
    return name


def folded_name(name: str) -> str:
    """Return ``name`` as names are compared: the same for every way to write its letters and blanks."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())


def limit_values(limits: SpendLimits) -> dict[str, Any]:
    """Return ``limits`` as the columns of ``shared_members``."""
    return {
        "limit_denom": limits.denom,
        "per_transaction": limits.per_transaction,
        "per_day": limits.per_day,
    }


def _free_name(view: View, name: str, account: AccountId) -> str:
    folded = folded_name(name)
    if view.select(SQL["is_taken"], (folded, account)):
        raise Refused("shared_name_taken", typed=name)
    return folded
