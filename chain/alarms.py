"""Alerts that say a thing once while it lasts."""

from collections.abc import Mapping
from typing import Any, Final

from ledger.alerts import Alerts
from ledger.ports import Clock, Millis

AGAIN_MS: Final = 3_600_000
"""How long an alert that still holds is not repeated."""


class Alarms:
    """Tells the operators about a topic, and not again before an hour is over or the trouble was `cleared`."""

    def __init__(self, alerts: Alerts, clock: Clock, *, again_ms: int = AGAIN_MS) -> None:
        self._alerts = alerts
        self._clock = clock
        self._again_ms = again_ms
        self._told: dict[str, Millis] = {}

    async def tell(self, alert: str, facts: Mapping[str, Any], *, topic: str = "") -> None:
        """Raise ``alert`` unless it was raised for this ``topic`` (the alert itself by default) not long ago."""
        now = self._clock.now()
        # A clock that was ahead would keep it silent until then.
        self._told = {key: at for key, at in self._told.items() if 0 <= now - at < self._again_ms}
        if (topic or alert) not in self._told:
            await self._alerts.tell(alert, facts)
            self._told[topic or alert] = now

    def cleared(self, *topics: str) -> None:
        """Let these be told at once when they come back."""
        for topic in topics:
            self._told.pop(topic, None)
