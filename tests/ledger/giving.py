"""The life of some giveaways, which killing.py ends at a commit. Every act has a key or guards itself: it can be lived again."""

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from ledger.accounts import AccountId
from ledger.claims import Eligibility, Press
from ledger.errors import Refused
from ledger.journal import Lane
from ledger.money import Amount
from ledger.offers import Mode, Offer
from ledger.roles import Actor
from ledger.service import LedgerService
from tests.ledger.desk import ANN, BEN, CAT, UJUNO, StoppedClock
from tests.ledger.killing import Stage

COMMITS: Final = 11
"""Acts of the script that commit something; opening the books is one commit before."""
SECONDS: Final = 60
SEED: Final = "ab" * 32
PLAZA: Final = -500


class Script:
    """Everything that a giveaway can go through, one act after another."""

    def __init__(self, service: LedgerService, clock: StoppedClock) -> None:
        self._service = service
        self._clock = clock

    async def play(self) -> None:
        """Play it; what was done by an earlier run is told again, or refused."""
        await self._give(1, Mode.FIRST, 100, 3)
        await self._claim(1, BEN)
        await self._claim(1, CAT)
        await self._tried(self._service.giveaways.cancel(1, Actor(ANN)))
        await self._give(2, Mode.EQUAL, 101, 2)
        await self._claim(2, BEN)
        await self._claim(2, CAT)
        await self._give(3, Mode.RANDOM, 1_00, 3)
        await self._claim(3, BEN)
        self._clock.time += 1000 * SECONDS
        for unit in self._service.giveaways.due(self._clock.now(), 10):
            await self._tried(self._service.journal.submit(unit, Lane.SYSTEM))
        await self._give(4, Mode.FIRST, 5, 1)

    async def _give(self, number: int, mode: Mode, total: int, slots: int) -> None:
        offer = Offer(ANN, ANN, PLAZA, UJUNO, Amount(total), slots, mode, SECONDS)
        await self._service.giveaways.create(offer, Actor(ANN), key=f"give:{number}", seed=SEED)

    async def _claim(self, number: int, who: AccountId) -> None:
        press = Press(number, who, PLAZA)
        key = f"claim:{number}:{who}"
        await self._tried(self._service.giveaways.claim(press, lambda _: Eligibility(), key=key))

    async def _tried(self, act: Coroutine[Any, Any, Any]) -> None:
        with suppress(Refused):
            await act


async def live(stage: Stage) -> None:
    """Play the script."""
    await Script(stage.service, stage.clock).play()
