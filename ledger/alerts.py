"""Alerts: what whoever runs this instance must know. docs/operations.md says of each code what to do."""

from collections.abc import Mapping
from typing import Any

from ledger.journal import Journal, Lane
from ledger.outbox import OPERATORS, news
from ledger.units import Decision, Row, Unit


def alert(code: str, facts: Mapping[str, Any], at: int) -> Row:
    """Return the row that tells the operators of ``code``; ``at`` is the unit's time (``view.now``)."""
    return news("alert.raised", OPERATORS, {**facts, "alert": code}, at)


class Alerts:
    """Alerts of things that post nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def tell(self, code: str, facts: Mapping[str, Any]) -> None:
        """Write down that the operators are to be told; raises what the journal raises."""
        unit = Unit(lambda view: Decision(None, rows=(alert(code, facts, view.now),)))
        await self._journal.submit(unit, Lane.SYSTEM)
