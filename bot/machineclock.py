"""Whether the machine's clock can be right: the newest posting of the books was made no later than now."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from ledger.connect import open_reader
from ledger.ports import Clock, Millis
from ledger.service import LedgerService

TOLERANCE_MS: Final = 60_000
"""A clock behind the newest posting by more than this was set back, or was wrong when that was posted."""

_NEWEST: Final = "SELECT at FROM transactions ORDER BY id DESC LIMIT 1"


def clock_problem(database: Path, now: Millis) -> str | None:
    """Return what is wrong with a clock that says ``now``, None when it may be right."""
    if not database.exists():
        return None
    with closing(open_reader(database)) as connection:
        late = _behind(connection.execute(_NEWEST).fetchone(), now)
    if late is None:
        return None
    return (
        f"Clock: {late} seconds behind the newest posting. Set it right: until it has caught up, every posting bears "
        "the time of that one."
    )


def _behind(newest: Sequence[int] | None, now: Millis) -> int | None:
    """Return by how many seconds the clock is behind the newest posting, None when it may be right."""
    behind = newest[0] - now if newest else 0
    return behind // 1000 if behind > TOLERANCE_MS else None


async def tell_of_clock(service: LedgerService, clock: Clock) -> None:
    """Alert the operators when the machine's clock is behind the books: the log stays in order all the same."""
    rows = service.reader.select(_NEWEST)
    late = _behind(rows[0] if rows else None, clock.now())
    if late is not None:
        await service.alerts.tell("clock.behind", {"seconds": late})
