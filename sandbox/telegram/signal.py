"""Waiting for something to change, without polling and without threads."""

import asyncio


class Signal:
    """A counter of changes that tasks can wait on; they wake in the order in which they came."""

    def __init__(self) -> None:
        self.version = 0
        self._event = asyncio.Event()

    def touch(self) -> None:
        """Count a change and wake all who wait."""
        self.version += 1
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def after(self, version: int) -> int:
        """Wait until more than ``version`` changes were counted; return how many there are."""
        while self.version <= version:
            await self._event.wait()
        return self.version
