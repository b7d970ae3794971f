"""What is over is swept away: questions that nobody answered or signed, and old messages, which are nobody's business any more.

The books keep every act and its key for ever; a row of the inbox only guards against the second delivery of an update,
and Telegram keeps an update for a day.
"""

from typing import Final

from bot import buttons
from ledger.journal import Lane
from ledger.ports import Millis
from ledger.service import LedgerService
from ledger.units import Decision, Row, Unit, View

KEPT_MS: Final = 30 * 24 * 60 * 60 * 1000
AT_ONCE: Final = 500
SWEEP_SECONDS: Final = 3600.0

OLD: Final = (
    # The newest row stays: its number must not be given again, it is people's reference and Fetch's place.
    """
    DELETE FROM inbox WHERE id IN (
        SELECT id FROM inbox WHERE state <> 'new' AND done_at < :before AND id < (SELECT max(id) FROM inbox)
        ORDER BY id LIMIT :limit
    )
    """,
    """
    DELETE FROM outbox WHERE id IN
        (SELECT id FROM outbox WHERE state IN ('sent', 'dropped') AND due_at < :before ORDER BY id LIMIT :limit)
    """,
    """
    DELETE FROM buttons WHERE id IN
        (SELECT id FROM buttons WHERE state <> 'open' AND expires_at < :before LIMIT :limit)
    """,
    # What was signed is a proof, and stays.
    """
    DELETE FROM wallet_challenges WHERE nonce IN
        (SELECT nonce FROM wallet_challenges WHERE used_at IS NULL AND expires_at < :before LIMIT :limit)
    """,
)


class Sweep:
    """Sweeps a little each hour."""

    def __init__(self, service: LedgerService) -> None:
        self._service = service

    async def step(self) -> float:
        """Sweep once."""

        def decide(view: View) -> Decision[None]:
            old = {"before": Millis(view.now - KEPT_MS), "limit": AT_ONCE}
            rows = [Row(buttons.EXPIRE, (view.now,)), *[Row(sql, old) for sql in OLD]]
            return Decision(None, rows=tuple(rows))

        await self._service.journal.submit(Unit(decide), Lane.SYSTEM)
        return SWEEP_SECONDS
