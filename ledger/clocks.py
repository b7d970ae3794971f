"""Whether a clock can be right: blocks and postings that are known were not made in the future."""

from typing import Final

from ledger.ports import Millis, Selects

DRIFT_MS: Final = 60_000
"""By how much clocks may be apart; a block, or a posting, of a later time than that says that one of them is wrong."""

_NEWEST: Final = "SELECT at FROM transactions ORDER BY id DESC LIMIT 1"


def seconds_behind(books: Selects, now: Millis) -> int | None:
    """Return by how many seconds a clock that says ``now`` is behind the newest posting, None when it may be right."""
    rows = books.select(_NEWEST)
    behind = rows[0]["at"] - now if rows else 0
    return behind // 1000 if behind > DRIFT_MS else None
