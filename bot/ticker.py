"""The one clock of all deadlines: it asks the books what is due, and has it done (telegram.md, Never lose)."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from chain.tenure import Tenure
from ledger.deadlines import Timed
from ledger.errors import LeaseLost, Refused
from ledger.journal import Journal, Lane
from ledger.ports import Clock

AT_ONCE: Final = 50
LONGEST_PAUSE_SECONDS: Final = 2.0
"""How late a deadline may be noticed that was set after the last look."""
STANDBY_SECONDS: Final = 5.0

log = structlog.get_logger()


class Ticker:
    """Ends what is due in ``books``. ``tenure`` is of the role ticker; ``committed`` is called after something ended."""

    def __init__(
        self,
        books: Sequence[Timed],
        journal: Journal,
        tenure: Tenure,
        clock: Clock,
        committed: Callable[[], None],
    ) -> None:
        self._books = books
        self._journal = journal
        self._tenure = tenure
        self._clock = clock
        self._committed = committed

    async def step(self) -> float:
        """End what is due; return the seconds until the next look. Stands by while another process does it.

        What cannot be ended keeps nothing from the rest: its error is raised when all have had their turn.
        """
        try:
            await self._tenure.fence()
        except LeaseLost:
            self._tenure.forget()
            return STANDBY_SECONDS
        failures = [error for book in self._books for error in await self._end_due(book)]
        if failures:
            raise failures[0]
        return self._pause_seconds()

    async def _end_due(self, book: Timed) -> list[BaseException]:
        """End what is due in ``book``, all of it in one go, and return the errors of what could not be ended."""
        units = [self._journal.submit(unit, Lane.SYSTEM) for unit in book.due(self._clock.now(), AT_ONCE)]
        failures: list[BaseException] = []
        for outcome in await asyncio.gather(*units, return_exceptions=True):
            if isinstance(outcome, Refused):
                # Somebody was faster: a claim of the last slot, a paid bail, a cancel.
                log.info("deadline.passed", code=outcome.code)
            elif isinstance(outcome, BaseException):
                failures.append(outcome)
            else:
                self._committed()
        return failures

    def _pause_seconds(self) -> float:
        due = [at for book in self._books if (at := book.next_due()) is not None]
        wait = (min(due) - self._clock.now()) / 1000 if due else LONGEST_PAUSE_SECONDS
        return min(max(wait, 0.05), LONGEST_PAUSE_SECONDS)
