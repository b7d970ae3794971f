"""Telegram's flood limits: about 30 messages a second in all, one a second to a chat, 20 a minute to a group."""

import math
from typing import Final, NamedTuple

from ledger.ports import Clock
from sandbox.telegram.refusals import too_many

_MOST_REMEMBERED: Final = 10_000


class Pace(NamedTuple):
    """``burst`` messages at once, then one every ``interval_ms``."""

    interval_ms: float
    burst: int


class FloodLimits(NamedTuple):
    """The paces that a bot must keep; short bursts to one chat pass, as they do in Telegram."""

    overall: Pace = Pace(1000 / 30, 30)
    chat: Pace = Pace(1000, 3)
    group: Pace = Pace(3000, 20)


class FloodGate:
    """Counts what bots send; refuses with 429 what comes too fast, and counts nothing that it refuses."""

    def __init__(self, clock: Clock, limits: FloodLimits | None) -> None:
        self.clock = clock
        self.limits = limits
        self._free_at: dict[str, float] = {}

    def passes(self, bot: int, chat: str, *, is_group: bool) -> None:
        """Count one message of ``bot`` to ``chat``. Raises ApiError 429 with the seconds to wait."""
        if self.limits is None:
            return
        paces = {f"{bot}": self.limits.overall, f"{bot}/{chat}": self.limits.chat}
        if is_group:
            paces[f"{bot}/{chat}/minute"] = self.limits.group
        now = self.clock.now()
        waits = [self._wait(key, pace, now) for key, pace in paces.items()]
        if max(waits) > 0:
            raise too_many(max(1, math.ceil(max(waits) / 1000)))
        for key, pace in paces.items():
            self._free_at[key] = max(self._free_at.get(key, 0), now) + pace.interval_ms
        self._forget(now)

    def _wait(self, key: str, pace: Pace, now: int) -> float:
        ahead = max(self._free_at.get(key, 0), now) - now
        return ahead - (pace.burst - 1) * pace.interval_ms

    def _forget(self, now: int) -> None:
        if len(self._free_at) > _MOST_REMEMBERED:
            self._free_at = {key: at for key, at in self._free_at.items() if at > now}
