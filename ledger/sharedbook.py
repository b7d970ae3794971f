"""The book of shared accounts: each act is one unit of its decision."""

from collections.abc import Mapping
from typing import Any

from ledger.accounts import AccountId
from ledger.journal import Journal
from ledger.memberships import (
    Change,
    Terms,
    decide_answer,
    decide_change,
    decide_invite,
    decide_leave,
    decide_revoke,
)
from ledger.shared import (
    Membership,
    Share,
    SharedAccount,
    decide_close,
    decide_create,
    decide_rename,
)
from ledger.sharedmoney import Fill, Spend, fill_unit, spend_unit
from ledger.units import Beside, Receipt, Unit


class SharedAccounts:
    """What people do with shared accounts. ``told`` are facts for news: what people are called is the caller's to know.

    Each act raises what its decision raises.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def create(self, person: AccountId, name: str, beside: Beside | None = None) -> SharedAccount:
        """Open an account; see `decide_create`."""
        return await self._journal.submit(Unit(lambda view: decide_create(view, person, name), beside=beside))

    async def rename(
        self, person: AccountId, account: AccountId, name: str, beside: Beside | None = None
    ) -> SharedAccount:
        """Call an account otherwise; see `decide_rename`."""
        unit = Unit(lambda view: decide_rename(view, person, account, name), beside=beside)
        return await self._journal.submit(unit)

    async def close(
        self,
        person: AccountId,
        account: AccountId,
        beside: Beside | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> SharedAccount:
        """Close an empty account; see `decide_close`."""
        unit = Unit(lambda view: decide_close(view, person, account, told or {}), beside=beside)
        return await self._journal.submit(unit)

    async def invite(
        self,
        by: AccountId,
        account: AccountId,
        person: AccountId,
        terms: Terms,
        beside: Beside | None = None,
    ) -> Membership:
        """Invite somebody; see `decide_invite`."""
        unit = Unit(lambda view: decide_invite(view, by, account, person, terms), beside=beside)
        return await self._journal.submit(unit)

    async def answer(
        self,
        person: AccountId,
        membership: int,
        *,
        accepted: bool,
        beside: Beside | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> Share:
        """Accept or decline an invitation; see `decide_answer`."""
        unit = Unit(
            lambda view: decide_answer(view, person, membership, told or {}, accepted=accepted), beside=beside
        )
        return await self._journal.submit(unit)

    async def change(
        self,
        by: AccountId,
        account: AccountId,
        change: Change,
        beside: Beside | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> Share:
        """Give a member another role or other limits; see `decide_change`."""
        unit = Unit(lambda view: decide_change(view, by, account, change, told or {}), beside=beside)
        return await self._journal.submit(unit)

    async def revoke(
        self,
        by: AccountId,
        account: AccountId,
        person: AccountId,
        beside: Beside | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> Share:
        """End somebody's membership; see `decide_revoke`."""
        unit = Unit(lambda view: decide_revoke(view, by, account, person, told or {}), beside=beside)
        return await self._journal.submit(unit)

    async def leave(
        self,
        person: AccountId,
        account: AccountId,
        beside: Beside | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> Share:
        """End one's own membership; see `decide_leave`."""
        unit = Unit(lambda view: decide_leave(view, person, account, told or {}), beside=beside)
        return await self._journal.submit(unit)

    async def fill(self, key: str, fill: Fill, beside: Beside | None = None) -> Receipt:
        """Put coins in; see `fill_unit`."""
        return await self._journal.submit(fill_unit(key, fill, beside))

    async def spend(
        self,
        key: str,
        spend: Spend,
        beside: Beside | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> Receipt:
        """Pay somebody; see `spend_unit`."""
        return await self._journal.submit(spend_unit(key, spend, told or {}, beside))
