"""What happens by itself when its time has come: deadlines are rows, and one ticker asks for what is due.

A book with deadlines is `Timed`. What it returns are units like any other: each decides inside the writer whether its
time has really come and nobody was faster, so a second ticker or a late one does no harm.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from ledger.ports import Millis
from ledger.units import Unit


class Timed(Protocol):
    """A book some of whose rows end by themselves."""

    def due(self, now: Millis, limit: int) -> Sequence[Unit[Any]]:
        """Return the units of up to ``limit`` rows whose time had come at ``now``, the longest overdue first."""
        ...

    def next_due(self) -> Millis | None:
        """Return when the next row falls due, None when no row will."""
        ...
