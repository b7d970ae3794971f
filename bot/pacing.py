"""How fast Telegram lets a bot talk: about 30 messages a second in all, 1 a second to a chat, 20 a minute to a group.

Pure bookkeeping over a clock given with each call; who waits, waits elsewhere.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ledger.ports import Millis


class Limit(NamedTuple):
    """At most ``messages`` in any span of ``span_ms``."""

    messages: int
    span_ms: int


# A little below Telegram's own limits: two clocks never agree quite.
OVERALL: Final = Limit(28, 1_050)
CHAT: Final = Limit(2, 2_100)
"""One a second, but an answer and its edit may follow each other at once."""
GROUP: Final = Limit(19, 61_000)

REMEMBERED_CHATS: Final = 10_000


class Window:
    """One limit kept: the times of the last messages that count."""

    def __init__(self, limit: Limit) -> None:
        self._span_ms = limit.span_ms
        self._times: deque[int] = deque(maxlen=limit.messages)

    def ready_at(self, now: int) -> int:
        """Return when the next message may go; what a clock that was ahead has counted holds nothing back."""
        is_full = len(self._times) == self._times.maxlen
        return self._times[0] + self._span_ms if is_full and self._times[0] <= now else 0

    def take(self, now: Millis) -> None:
        """Count a message sent at ``now``."""
        self._times.append(now)

    @property
    def last(self) -> int:
        """When the newest message that is counted was sent; 0: none."""
        return self._times[-1] if self._times else 0

    def is_over(self, now: int) -> bool:
        """Tell whether nothing is left of it."""
        return not self._times or not 0 <= now - self._times[-1] < self._span_ms


class _Pause(NamedTuple):
    """From when to when nothing is sent to a chat."""

    since: int
    until: int


@dataclass
class Pacer:
    """All limits of one bot. A chat is a group when its id is negative."""

    _overall: Window = field(default_factory=lambda: Window(OVERALL))
    _windows: dict[int, tuple[Window, ...]] = field(default_factory=dict)
    _paused: dict[int, _Pause] = field(default_factory=dict)

    def ready_at(self, chat: int, now: int) -> int:
        """Return when a message to ``chat`` may go, in milliseconds of the clock, which says ``now``."""
        windows = (self._overall, *self._windows.get(chat, ()))
        return max(self._paused_until(chat, now), *(window.ready_at(now) for window in windows))

    def _paused_until(self, chat: int, now: int) -> int:
        pause = self._paused.get(chat)
        return pause.until if pause is not None and pause.since <= now else 0

    def served_at(self, chat: int, now: int) -> int:
        """Return when the last message went to ``chat``; 0 for long ago, and for what a clock that was ahead says."""
        last = max((window.last for window in self._windows.get(chat, ())), default=0)
        return last if last <= now else 0

    def take(self, chat: int, now: Millis) -> None:
        """Count a message to ``chat``."""
        if len(self._windows) >= REMEMBERED_CHATS:
            self._forget(now)
        if chat not in self._windows:
            self._windows[chat] = tuple(map(Window, (CHAT, GROUP) if chat < 0 else (CHAT,)))
        for window in (self._overall, *self._windows[chat]):
            window.take(now)

    def pause(self, chat: int, now: int, wait_ms: int) -> None:
        """Send nothing to ``chat`` for so long: Telegram said so."""
        self._paused[chat] = _Pause(now, max(self._paused_until(chat, now), now + wait_ms))

    def _forget(self, now: Millis) -> None:
        """Forget the chats that nothing holds back any more."""
        self._paused = {
            chat: pause for chat, pause in self._paused.items() if pause.since <= now < pause.until
        }
        self._windows = {
            chat: windows
            for chat, windows in self._windows.items()
            if not all(window.is_over(now) for window in windows)
        }
