"""Messages that rules have deleted: rows until Telegram says that they are gone, or that they will stay.

Telegram deletes what is at most 48 hours old, and from others only for an administrator with that right. Until the bot
has it, it is asked again and again: the right may come in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from bot.delivery import Verdict
from bot.outbox import Pending
from bot.transport import Moved, Rejected, Telegram, Unreachable
from ledger.outbox import live
from ledger.ports import Clock, Millis, Selects
from ledger.units import Row

STRUCK: Final = "message.struck"
"""The live row that has Telegram delete what rules struck in one chat."""
AT_ONCE: Final = 100
"""Telegram's limit for one call."""
DELETABLE_MS: Final = 48 * 3600 * 1000
RIGHTLESS_MS: Final = 60_000
"""How long to wait for the right before the next try."""

_WANT: Final = """
INSERT INTO struck_messages (chat, message, wanted_at) VALUES (:chat, :message, :at) ON CONFLICT DO NOTHING
"""
_WANTED: Final = """
SELECT message, wanted_at FROM struck_messages WHERE chat = ? AND state = 'wanted' ORDER BY message LIMIT ?
"""
_END: Final = """
UPDATE struck_messages SET state = :state, ended_at = :at WHERE chat = :chat AND message = :message AND state = 'wanted'
"""

log = structlog.get_logger()


def strike_rows(chat: int, message: int, at: Millis) -> list[Row]:
    """Return the rows that have ``message`` of ``chat`` deleted, for the unit of the verdict."""
    return [
        Row(_WANT, {"chat": chat, "message": message, "at": at}),
        live(STRUCK, chat, f"struck:{chat}", {"chat": chat}, at),
    ]


@dataclass
class Strikes:
    """Carries out what rules struck: a deed of the notifier. ``me`` is the bot's own id."""

    telegram: Telegram
    books: Selects
    clock: Clock
    me: int

    async def __call__(self, pending: Pending) -> Verdict:
        """Delete what is wanted gone in the chat of ``pending``. Raises Throttled and Offline: the same again, later."""
        chat = int(pending.facts["chat"])
        wanted = {row["message"]: row["wanted_at"] for row in self.books.select(_WANTED, (chat, AT_ONCE))}
        ended = await self._delete(chat, wanted)
        rows = tuple(self._end(chat, message, state) for message, state in ended.items())
        if len(ended) < len(wanted):
            why = "not allowed to delete"
            return Verdict("pending", why=why, wait_ms=RIGHTLESS_MS, counts=False, rows=rows)
        if len(wanted) == AT_ONCE:
            return Verdict("pending", why="there may be more", counts=False, rows=rows)
        return Verdict("sent", rows=rows)

    async def _delete(self, chat: int, wanted: Mapping[int, Millis]) -> dict[int, str]:
        """Return what became of ``wanted``; what is left out is still to be deleted."""
        if not wanted:
            return {}
        try:
            await self.telegram.delete(chat, list(wanted))
        except (Rejected, Unreachable, Moved):
            return await self._refused(chat, wanted)
        return dict.fromkeys(wanted, "gone")

    async def _refused(self, chat: int, wanted: Mapping[int, Millis]) -> dict[int, str]:
        """Give up what is too old, or what is refused though the bot may delete here; the rest waits for the right.

        The right is asked for before each message is tried alone: without it every one of them would be refused.
        """
        if await self._lacks_right(chat):
            final = [message for message, at in wanted.items() if self.clock.now() - at > DELETABLE_MS]
        elif len(wanted) == 1:
            final = list(wanted)
        else:
            # A single one that stays must not keep the others.
            alone = [await self._delete(chat, dict([each])) for each in wanted.items()]
            return {message: state for each in alone for message, state in each.items()}
        log.info("message.undeletable", chat=chat, messages=len(wanted), given_up=len(final))
        return dict.fromkeys(final, "kept")

    async def _lacks_right(self, chat: int) -> bool:
        """Tell whether the bot is in ``chat`` without the right to delete; where it is no more, nothing will change."""
        try:
            return not (await self.telegram.standing(chat, self.me)).deletes
        except (Rejected, Unreachable, Moved):
            return False

    def _end(self, chat: int, message: int, state: str) -> Row:
        return Row(_END, {"chat": chat, "message": message, "state": state, "at": self.clock.now()})
