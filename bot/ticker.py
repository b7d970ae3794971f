"""The one clock of all deadlines: it asks the books what is due, and has it done (telegram.md, Never lose)."""

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
        """End what is due; return the seconds until the next look. Stands by while another process does it."""
        try:
            await self._tenure.fence()
        except LeaseLost:
            self._tenure.forget()
            return STANDBY_SECONDS
        for book in self._books:
            await self._end_due(book)
        return self._pause_seconds()

    async def _end_due(self, book: Timed) -> None:
        for unit in book.due(self._clock.now(), AT_ONCE):
            try:
                await self._journal.submit(unit, Lane.SYSTEM)
            except Refused as refusal:
                # Somebody was faster: a claim of the last slot, a paid bail, a cancel.
                log.info("deadline.passed", code=refusal.code)
            else:
                self._committed()

    def _pause_seconds(self) -> float:
        due = [at for book in self._books if (at := book.next_due()) is not None]
        wait = (min(due) - self._clock.now()) / 1000 if due else LONGEST_PAUSE_SECONDS
        return min(max(wait, 0.05), LONGEST_PAUSE_SECONDS)
