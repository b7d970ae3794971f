"""What people are told of a machine's clock that cannot be right (ledger/clocks.py)."""

from contextlib import closing
from pathlib import Path

from ledger.clocks import seconds_behind
from ledger.ports import Clock, Millis
from ledger.reader import Reader
from ledger.service import LedgerService


def clock_problem(database: Path, now: Millis) -> str | None:
    """Return what is wrong with a clock that says ``now``, None when it may be right."""
    if not database.exists():
        return None
    with closing(Reader(database)) as books:
        late = seconds_behind(books, now)
    if late is None:
        return None
    return (
        f"Clock: {late} seconds behind the newest posting. Set it right: until it has caught up, every posting bears "
        "the time of that one."
    )


async def tell_of_clock(service: LedgerService, clock: Clock) -> None:
    """Alert the operators when the machine's clock is behind the books: the log stays in order all the same."""
    late = seconds_behind(service.reader, clock.now())
    if late is not None:
        await service.alerts.tell("clock.behind", {"seconds": late})
