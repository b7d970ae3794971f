"""What is over is swept away: questions that nobody answered or signed, and old messages, which are nobody's business any more.

The books keep every act and its key for ever; a row of the inbox only guards against the second delivery of an update,
and Telegram keeps an update for a day.
"""

import json
from typing import Any, Final, NamedTuple

from bot import buttons
from ledger.journal import Lane
from ledger.ports import Millis
from ledger.service import LedgerService
from ledger.units import Decision, Row, Unit, View

DAY_MS: Final = 24 * 60 * 60 * 1000
KEPT_MS: Final = 30 * DAY_MS
INBOX_KEPT_MS: Final = 3 * DAY_MS
"""Longer than Telegram keeps an update. Whatever members write is kept as it came, and some write a lot."""
AT_ONCE: Final = 500
"""Rows of each kind in one round: the writer has other work."""
SWEEP_SECONDS: Final = 3600.0
MORE_SECONDS: Final = 2.0


class Broom(NamedTuple):
    """``find`` names at most ``:limit`` rows that are over, ``sweep`` ends those in a JSON list.

    Over is what ended at ``:now``, ``:before`` or, in the inbox, ``:inbox_before``.
    """

    find: str
    sweep: str


BROOMS: Final = (
    Broom(buttons.EXPIRED, buttons.EXPIRE),
    Broom(
        # The newest row stays: its number must not be given again, it is people's reference and Fetch's place.
        """
        SELECT id FROM inbox WHERE state <> 'new' AND done_at < :inbox_before AND id < (SELECT max(id) FROM inbox)
        ORDER BY id LIMIT :limit
        """,
        "DELETE FROM inbox WHERE id IN (SELECT value FROM json_each(?))",
    ),
    Broom(
        "SELECT id FROM outbox WHERE state IN ('sent', 'dropped') AND due_at < :before ORDER BY id LIMIT :limit",
        "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))",
    ),
    Broom(
        "SELECT id FROM buttons WHERE state <> 'open' AND expires_at < :before LIMIT :limit",
        "DELETE FROM buttons WHERE id IN (SELECT value FROM json_each(?))",
    ),
    Broom(
        # What was signed is a proof, and stays.
        "SELECT nonce FROM wallet_challenges WHERE used_at IS NULL AND expires_at < :before LIMIT :limit",
        "DELETE FROM wallet_challenges WHERE nonce IN (SELECT value FROM json_each(?))",
    ),
)


class Sweep:
    """Sweeps a little each hour, and again soon while there may be more."""

    def __init__(self, service: LedgerService) -> None:
        self._service = service

    async def step(self) -> float:
        """Sweep once; return the seconds until the next round."""
        more = await self._service.journal.submit(Unit(_decide), Lane.SYSTEM)
        return MORE_SECONDS if more else SWEEP_SECONDS


def _decide(view: View) -> Decision[bool]:
    """Sweep; the outcome tells whether there may be more."""
    over = {
        "now": view.now,
        "before": Millis(view.now - KEPT_MS),
        "inbox_before": Millis(view.now - INBOX_KEPT_MS),
        "limit": AT_ONCE,
    }
    found: list[list[Any]] = [[row[0] for row in view.select(broom.find, over)] for broom in BROOMS]
    rows = [Row(broom.sweep, (json.dumps(keys),)) for broom, keys in zip(BROOMS, found, strict=True) if keys]
    return Decision(any(len(keys) == AT_ONCE for keys in found), rows=tuple(rows))
