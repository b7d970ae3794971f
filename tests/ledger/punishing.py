"""The life of some penalties, which killing.py ends at a commit.

What is set is set once, as the inbox sees to it in the bot, and payments bear keys: it can be lived again.
"""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.fines import Price, find_fine
from ledger.jails import MINUTE_MS, find_jail
from ledger.journal import Lane
from ledger.money import Amount
from ledger.ports import Selects
from ledger.roles import Actor
from ledger.service import LedgerService
from ledger.violations import Case
from tests.ledger.desk import ANN, BEN, CAT, UJUNO, StoppedClock
from tests.ledger.killing import Stage

COMMITS: Final = 11
"""Acts of the script that commit something; opening the books is one commit before."""
PLAZA: Final = -500
OWNER: Final = Actor(CAT, owner=True)


class Script:
    """Everything that a penalty can go through, one act after another."""

    def __init__(self, service: LedgerService, clock: StoppedClock) -> None:
        self._service = service
        self._book = service.penalties
        self._clock = clock

    async def play(self) -> None:
        """Play it; what was done by an earlier run is left alone, told again, or refused."""
        await self._fine(1, 100)
        await self._tried(self._book.pay_fines("fine:1", ANN, 1))
        await self._jail(2, minutes=10, bail=200)
        await self._tried(self._book.pay_bail("bail:2", ANN, 2, {}))
        await self._jail(3, minutes=10, bail=50)
        await self._jail(4, minutes=20, bail=60)
        if self._state(find_jail, 4) == "serving":
            await self._book.release(self._case(BEN))
        await self._jail(5, minutes=1, bail=70)
        self._clock.time += MINUTE_MS
        for unit in self._book.due(self._clock.now(), 10):
            await self._tried(self._service.journal.submit(unit, Lane.SYSTEM))
        await self._fine(6, 30)
        await self._tried(self._book.forgive(OWNER, 6, "enough", {}))

    async def _fine(self, number: int, amount: int) -> None:
        if self._state(find_fine, number) is None:
            await self._book.fine(self._case(ANN), Price(Amount(amount), UJUNO), ())

    async def _jail(self, number: int, *, minutes: int, bail: int) -> None:
        if self._state(find_jail, number) is None:
            price = Price(Amount(bail), UJUNO)
            await self._book.jail(self._case(BEN), minutes * MINUTE_MS, price, ())

    def _state(self, find: Callable[[Selects, int], Any], number: int) -> str | None:
        found = find(self._service.reader, number)
        return found.state if found else None

    def _case(self, person: AccountId) -> Case:
        return Case(person, PLAZA, "spam", OWNER)

    async def _tried(self, act: Coroutine[Any, Any, Any]) -> None:
        with suppress(Refused):
            await act


async def live(stage: Stage) -> None:
    """Play the script."""
    await Script(stage.service, stage.clock).play()
