"""One lane for each person, so that whoever hammers the bot waits for themselves alone; and one for the rules of each chat.

A few workers take turns over the lanes: one item of one lane, then the next lane. Within a lane the order is the order
in which its owner wrote. Correctness does not depend on it: every act is unique by key, in the database.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final, Protocol

import structlog

from bot.inbox import Item
from bot.supervisor import finish
from ledger.errors import BrokenInvariant, Conflict, Unavailable

PER_PERSON: Final = 30
"""Commands of one person that may wait; the next is refused, politely and once."""
PER_CHAT: Final = 500
"""Messages that break rules of one chat and may wait; more at once stay as they are, or nobody's commands would come in."""
MOST_WAITING: Final = 2_000
"""Items that may wait in all: beyond it nothing more is fetched."""
WORKERS: Final = 16
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 5.0

log = structlog.get_logger()


class Answerer(Protocol):
    """Who answers items: bot.dispatch."""

    async def __call__(self, item: Item) -> None:
        """Answer ``item``."""
        ...

    async def broken(self, item: Item) -> None:
        """End ``item``, whose answer failed by a mistake of ours."""
        ...


class Lanes:
    """Items that wait, by person. ``alarm`` is told of mistakes of ours (code, inbox id)."""

    def __init__(
        self, answer: Answerer, random: Random, alarm: Callable[[str, int], Awaitable[None]]
    ) -> None:
        self._answer = answer
        self._random = random
        self._alarm = alarm
        self._lanes: dict[int, deque[Item]] = {}
        self._turns: deque[int] = deque()
        self._busy: set[int] = set()
        self._told: set[int] = set()
        self._waiting = 0
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def waiting(self, lane: int) -> int:
        """Return how many items of ``lane`` (`Item.lane`) wait or are being answered."""
        return len(self._lanes.get(lane, ())) + (lane in self._busy)

    def was_told(self, sender: int) -> bool:
        """Tell whether ``sender`` heard already that they are too fast: once is enough until their lane is empty."""
        return sender in self._told

    def told(self, sender: int) -> None:
        """Remember that ``sender`` heard that they are too fast, as long as something of theirs waits."""
        if self.waiting(sender):
            self._told.add(sender)

    async def room(self) -> None:
        """Wait until more items may come."""
        await self._room.wait()

    def add(self, item: Item) -> None:
        """Let ``item`` wait its turn."""
        lane = self._lanes.setdefault(item.lane, deque())
        if not lane and item.lane not in self._busy:
            self._turns.append(item.lane)
        lane.append(item)
        self._waiting += 1
        self._work.set()
        if self._waiting >= MOST_WAITING:
            self._room.clear()

    async def step(self) -> float:
        """Answer one item, waiting for one if there is none."""
        while not self._turns:
            self._work.clear()
            await self._work.wait()
        sender = self._turns.popleft()
        item = self._lanes[sender].popleft()
        self._busy.add(sender)
        try:
            # Stopping waits for it: an act that was committed must not go unanswered.
            await finish(self._settle(item))
        finally:
            self._busy.discard(sender)
            self._left(sender)
        return 0.0

    def _left(self, sender: int) -> None:
        self._waiting -= 1
        if self._waiting < MOST_WAITING:
            self._room.set()
        if self._lanes[sender]:
            self._turns.append(sender)
            self._work.set()
        else:
            del self._lanes[sender]
            self._told.discard(sender)

    async def _settle(self, item: Item) -> None:
        """Answer ``item`` however long the books are busy; the same item is safe to try again."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._try(item)
            except Unavailable as error:
                log.warning("command.waits", inbox=item.id, error=str(error))
            else:
                return
            await asyncio.sleep(pause * (0.5 + self._random.random()))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _try(self, item: Item) -> None:
        try:
            await self._answer(item)
        except (Unavailable, BrokenInvariant):
            raise
        except Conflict:
            log.exception("key.conflicted", inbox=item.id)
            await self._break(item, "key.conflicted")
        except Exception:
            # The boundary of a lane: a mistake in one command must not stop the others, and its sender
            # must hear of it. The books are whole: nothing of the unit was committed.
            log.exception("command.broke", inbox=item.id)
            await self._break(item, "command.broke")

    async def _break(self, item: Item, code: str) -> None:
        await self._answer.broken(item)
        await self._alarm(code, item.id)
