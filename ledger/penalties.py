"""The book of penalties: warnings, fines and jails are set, paid, forgiven and served here (product.md, Penalties).

The decisions stand in violations.py, fines.py and jails.py; a chat's rules take the units of those files.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ledger.accounts import AccountId
from ledger.fines import Fine, Price, decide_forgiveness, fine_unit, payment_unit
from ledger.jails import Jail, bail_unit, decide_end, decide_release, due_jails, jail_unit
from ledger.journal import Journal
from ledger.ports import Millis
from ledger.reader import Reader
from ledger.roles import Actor
from ledger.units import Beside, Unit
from ledger.violations import SQL, Case, Violation, warning_unit


class Penalties:
    """Sets and ends penalties; `ledger.deadlines.Timed` for the jails that end by the clock.

    Each act takes the rows that are committed with it (``beside``) and raises what its decision raises.
    """

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    async def warn(self, case: Case, owners: Collection[int], beside: Beside | None = None) -> Violation:
        """See `violations.decide_warning`."""
        return await self._journal.submit(warning_unit(case, owners, beside))

    async def fine(
        self, case: Case, price: Price, owners: Collection[int], beside: Beside | None = None
    ) -> Fine:
        """See `fines.decide_fine`."""
        return await self._journal.submit(fine_unit(case, price, owners, beside))

    async def jail(
        self,
        case: Case,
        duration_ms: int,
        bail: Price,
        owners: Collection[int],
        beside: Beside | None = None,
    ) -> Jail:
        """See `jails.decide_jail`."""
        return await self._journal.submit(jail_unit(case, duration_ms, bail, owners, beside))

    async def release(self, case: Case, beside: Beside | None = None) -> Jail:
        """See `jails.decide_release`."""
        return await self._journal.submit(Unit(lambda view: decide_release(view, case), beside=beside))

    async def forgive(
        self, by: Actor, fine: int, reason: str, told: Mapping[str, Any], beside: Beside | None = None
    ) -> Fine:
        """See `fines.decide_forgiveness`."""
        unit = Unit(lambda view: decide_forgiveness(view, by, fine, reason, told), beside=beside)
        return await self._journal.submit(unit)

    async def pay_fines(
        self, key: str, payer: AccountId, fine: int | None, beside: Beside | None = None
    ) -> tuple[Fine, ...]:
        """See `fines.decide_payment`."""
        return await self._journal.submit(payment_unit(key, payer, fine, beside))

    async def pay_bail(
        self, key: str, payer: AccountId, jail: int, told: Mapping[str, Any], beside: Beside | None = None
    ) -> Jail:
        """See `jails.decide_bail`."""
        return await self._journal.submit(bail_unit(key, payer, jail, told, beside))

    def due(self, now: Millis, limit: int) -> Sequence[Unit[Any]]:
        """See `Timed.due`."""
        return [_end_unit(number) for number in due_jails(self._reader, now, limit)]

    def next_due(self) -> Millis | None:
        """See `Timed.next_due`."""
        at: int | None = self._reader.select(SQL["next_due"])[0]["at"]
        return None if at is None else Millis(at)


def _end_unit(number: int) -> Unit[Jail]:
    return Unit(lambda view: decide_end(view, number))
