"""How fast Telegram lets a bot talk: about 30 messages a second in all, 1 a second to a chat, 20 a minute to a group.

Pure bookkeeping over a clock given with each call; who waits, waits elsewhere.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ledger.ports import Millis


class Pace(NamedTuple):
    """``burst`` messages at once, then one each ``interval_ms``."""

    interval_ms: int
    burst: int


# A little below Telegram's own limits: two clocks never agree quite.
OVERALL: Final = Pace(36, 25)
CHAT: Final = Pace(1_050, 2)
GROUP: Final = Pace(3_100, 18)

REMEMBERED_CHATS: Final = 10_000


@dataclass
class Gate:
    """One pace kept: the theoretical time of the next message may run ahead of now by the burst."""

    pace: Pace
    next_at: int = 0

    def ready_at(self) -> int:
        """Return when the next message may go."""
        return self.next_at - self.pace.interval_ms * (self.pace.burst - 1)

    def take(self, now: Millis) -> None:
        """Count a message sent at ``now``."""
        self.next_at = max(self.next_at, now) + self.pace.interval_ms


@dataclass
class Pacer:
    """All paces of one bot. A chat is a group when its id is negative."""

    overall: Gate = field(default_factory=lambda: Gate(OVERALL))
    _gates: dict[int, tuple[Gate, ...]] = field(default_factory=dict)
    _paused: dict[int, int] = field(default_factory=dict)

    def ready_at(self, chat: int) -> int:
        """Return when a message to ``chat`` may go, in milliseconds of the clock."""
        gates = self._gates.get(chat, ())
        return max(
            self.overall.ready_at(), self._paused.get(chat, 0), *(gate.ready_at() for gate in gates), 0
        )

    def take(self, chat: int, now: Millis) -> None:
        """Count a message to ``chat``."""
        if len(self._gates) >= REMEMBERED_CHATS:
            self._forget(now)
        if chat not in self._gates:
            self._gates[chat] = (Gate(CHAT), Gate(GROUP)) if chat < 0 else (Gate(CHAT),)
        for gate in (self.overall, *self._gates[chat]):
            gate.take(now)

    def pause(self, chat: int, until: int) -> None:
        """Send nothing to ``chat`` before ``until``: Telegram said so."""
        self._paused[chat] = max(self._paused.get(chat, 0), until)

    def _forget(self, now: Millis) -> None:
        """Forget the chats that nothing holds back any more."""
        self._paused = {chat: until for chat, until in self._paused.items() if until > now}
        self._gates = {
            chat: gates for chat, gates in self._gates.items() if any(gate.next_at > now for gate in gates)
        }
