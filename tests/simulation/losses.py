"""What restores took back: the model must know which acts of the chat may be gone, and which words do not count."""

import re
from typing import Any, Final, NamedTuple, Self

from ledger.reader import Reader

_QUERY: Final = re.compile(r"\b\d{18}\b")
_CLOCKS_MS: Final = 120_000
"""By how much the program's clock may have been moved between two moments that are compared."""


class Deeds(NamedTuple):
    """What books know of the chat: deeds by key, as they came in, which of them are done, and the newest entry."""

    known: dict[str, str]
    done: set[str]
    last_entry: int
    untold: int
    """What may be told again when the books go on from here."""

    @classmethod
    def of(cls, books: Reader) -> Self:
        """Read the deeds of ``books``."""
        rows = books.select("SELECT key, raw, state FROM inbox")
        known = {row["key"]: row["raw"] for row in rows}
        done = {row["key"] for row in rows if row["state"] != "new"}
        (entry,) = books.select("SELECT ifnull(max(id), 0) AS id FROM entries")
        (waiting,) = books.select(
            "SELECT (SELECT count(*) FROM outbox WHERE state <> 'sent')"
            " + (SELECT count(*) FROM inbox WHERE state = 'new') AS number"
        )
        return cls(known, done, entry["id"], waiting["number"])


class Span(NamedTuple):
    """The changes of Telegram's chats between a backup and its restore: what was told then need not stand.

    ``late`` are changes after it that were under way when the books were lost.
    """

    first: int
    last: int
    late: set[int]

    def holds(self, change: int) -> bool:
        """Tell whether ``change`` is among them."""
        return self.first < change <= self.last or change in self.late


class Loss:
    """One restore. ``over`` is when everything was explained and nothing frozen any more; None: not yet."""

    def __init__(self, lost: Deeds, kept: Deeds, span: Span, at: int) -> None:
        self.keys = lost.known.keys() - kept.known.keys()
        # What had come in and waited is gone like what was done: its update will not come again.
        undone = self.keys | (lost.done - kept.done)
        self._presses = {query for key in undone for query in queries(lost.known[key])}
        self.last_entry = kept.last_entry
        self.span = span
        self.at = at
        self.over: int | None = None

    def has_press(self, query: str) -> bool:
        """Tell whether what became of the press ``query`` is gone."""
        return query in self._presses

    def froze(self, at: int) -> bool:
        """Tell whether withdrawals may have been frozen ``at`` that moment, in milliseconds."""
        return self.at - _CLOCKS_MS <= at and (self.over is None or at <= self.over + _CLOCKS_MS)


class Losses:
    """All restores of a run."""

    def __init__(self) -> None:
        self._all: list[Loss] = []

    def __iter__(self) -> Any:
        return iter(self._all)

    def add(self, loss: Loss) -> None:
        """Note a restore."""
        self._all.append(loss)

    def has_key(self, key: str) -> bool:
        """Tell whether the deed under ``key`` may be gone."""
        return any(key in loss.keys for loss in self._all)

    def has_press(self, query: str) -> bool:
        """Tell whether what became of a press may be gone, and with it the press."""
        return any(loss.has_press(query) for loss in self._all)

    def have_shown(self, change: int) -> bool:
        """Tell whether what was shown at ``change`` was the answer of books that are lost."""
        return any(loss.span.holds(change) for loss in self._all)

    def froze(self, at: int) -> bool:
        """Tell whether a restore may have frozen withdrawals at ``at``, in milliseconds."""
        return any(loss.froze(at) for loss in self._all)

    def may_repeat(self, entry: int, change: int) -> bool:
        """Tell whether words shown at ``change`` tell of ``entry``: lost books told of it too, if the backup has it."""
        return all(entry <= loss.last_entry for loss in self._all if loss.span.holds(change))


def queries(raw: str) -> list[str]:
    """Return the numbers of the presses in ``raw``: nothing else in an update has a number that long."""
    return _QUERY.findall(raw)


def read_deeds(books: Reader) -> Deeds:
    """Return what ``books`` know, and close them."""
    try:
        return Deeds.of(books)
    finally:
        books.close()
