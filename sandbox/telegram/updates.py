"""The queue of updates of one bot, with the offset rules of the real server."""

import asyncio
from collections import deque
from typing import Any, Final

from sandbox.telegram.refusals import conflict
from sandbox.telegram.signal import Signal

_MOST_WAITING: Final = 100_000
_MOST_REMEMBERED: Final = 1_000
_LONGEST_POLL_SECONDS: Final = 50
# Telegram sends these only to bots that ask for them by name.
_ON_REQUEST: Final = {"chat_member", "message_reaction", "message_reaction_count"}


class UpdateQueue:
    """Updates wait here until an offset confirms them; a second poller ends the first one with 409."""

    def __init__(self, first_id: int) -> None:
        self.next_id = first_id
        self.allowed: list[str] | None = None
        self.waiting: deque[dict[str, Any]] = deque(maxlen=_MOST_WAITING)
        self.confirmed: deque[dict[str, Any]] = deque(maxlen=_MOST_REMEMBERED)
        self.duplicates_due = 0
        self._poller: object | None = None
        self._signal = Signal()

    def put(self, kind: str, content: Any) -> None:
        """Add an update of ``kind`` unless the bot did not ask for it."""
        if self.allowed is None and kind in _ON_REQUEST:
            return
        if self.allowed is not None and kind not in self.allowed:
            return
        self.put_raw({kind: content})

    def put_raw(self, content: dict[str, Any]) -> int:
        """Add an update as it is, however wrong it may look, and return its id."""
        update_id = self.next_id
        self.next_id += 1
        self.waiting.append({"update_id": update_id, **content})
        self._signal.touch()
        return update_id

    def redeliver(self, count: int) -> None:
        """Put the last ``count`` confirmed updates in front again, with the ids that they had."""
        for _ in range(min(count, len(self.confirmed))):
            self.waiting.appendleft(self.confirmed.pop())
        self._signal.touch()

    def confirm(self, offset: int) -> None:
        """Forget what comes before ``offset``; a negative one keeps only that many from the end."""
        if offset < 0:
            while len(self.waiting) > -offset:
                self._forget()
        while offset > 0 and self.waiting and self.waiting[0]["update_id"] < offset:
            self._forget()

    def clear(self) -> None:
        """Forget everything that waits."""
        while self.waiting:
            self._forget()

    def end_poll(self) -> None:
        """Make the poll that waits now, if any, end with 409."""
        self._poller = None
        self._signal.touch()

    async def poll(self, offset: int, limit: int, timeout_seconds: float) -> list[dict[str, Any]]:
        """Return up to ``limit`` updates from ``offset`` on, waiting for the first if there are none.

        Raises ApiError 409 when another poll begins meanwhile.
        """
        me = object()
        self.end_poll()
        self._poller = me
        self.confirm(offset)
        if timeout_seconds > 0 and not self.waiting:
            await self._first(me, min(timeout_seconds, _LONGEST_POLL_SECONDS))
        if self._poller is me:
            self._poller = None
        return list(self.waiting)[:limit]

    async def _first(self, me: object, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self.waiting:
                    await self._signal.after(self._signal.version)
                    if self._poller is not me:
                        raise conflict(
                            "terminated by other getUpdates request; "
                            "make sure that only one bot instance is running",
                        )
        except TimeoutError:
            pass

    def _forget(self) -> None:
        update = self.waiting.popleft()
        if self.duplicates_due > 0:
            self.duplicates_due -= 1
            self.waiting.append({**update, "update_id": self.next_id})
            self.next_id += 1
            return
        self.confirmed.append(update)
