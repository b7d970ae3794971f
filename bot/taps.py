"""Taps are answered at once: the waiting mark of a pressed button ends, with a line over the chat."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bot.transport import Telegram, TransportError

log = structlog.get_logger()


class TapAnswers:
    """Ends the waiting mark of pressed buttons: at once and directly.

    It moves no money and is worth nothing after some seconds, so it is not kept: what a press did stands in the
    message that it edits. ``longest`` bounds what may wait; beyond it the mark ends by itself.
    """

    def __init__(
        self, telegram: Telegram, toast: Callable[[str, Mapping[str, Any]], str], longest: int = 500
    ) -> None:
        self._telegram = telegram
        self._toast = toast
        self._waiting: asyncio.Queue[tuple[str, str, Mapping[str, Any]]] = asyncio.Queue(longest)

    def add(self, query: str, say: str, facts: Mapping[str, Any]) -> None:
        """Have ``query`` answered with the sentence ``say``; with nothing when it is empty."""
        if self._waiting.full():
            log.warning("tap.unanswered")
            return
        self._waiting.put_nowait((query, say, facts))

    async def step(self) -> float:
        """Answer one tap, waiting for one."""
        query, say, facts = await self._waiting.get()
        text = self._toast(say, facts) if say else ""
        try:
            await self._telegram.answer_tap(query, text)
        except TransportError as error:
            # Too old, or Telegram is away: the mark ends by itself.
            log.info("tap.unanswered", why=str(error))
        return 0.0
