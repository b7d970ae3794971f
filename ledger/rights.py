"""What Telegram lets a person do follows the books: a live row of the outbox for one person in one chat.

The notifier carries it out and asks whether it holds. It is written at each change of a jail, when Telegram tells of a
change, and again after a while for whoever serves: somebody may have changed it by hand while the bot was away.
"""

from collections.abc import Sequence
from typing import Any, Final

from ledger.accounts import AccountId
from ledger.outbox import live
from ledger.ports import Millis
from ledger.queries import queries
from ledger.reader import Reader
from ledger.units import Decision, Row, Unit, View

RIGHTS: Final = "rights.due"
LOOK_MS: Final = 60 * 60 * 1000
"""How long rights that agreed are left alone when nothing is heard of them."""

_SQL: Final = queries("rights")


def rights_subject(chat: int, person: int) -> str:
    """Return the subject of what Telegram lets ``person`` do in ``chat``."""
    return f"rights:{chat}:{person}"


def rights_rows(chat: int, person: int, at: Millis) -> list[Row]:
    """Return the rows that have Telegram's rights of ``person`` in ``chat`` follow the books, at once."""
    subject = rights_subject(chat, person)
    return [
        live(RIGHTS, chat, subject, {"chat": chat, "person": person}, at),
        Row(_SQL["sooner"], {"subject": subject, "at": at}),
    ]


def forgotten_rights(chat: int, person: int) -> Row:
    """Return the row that ends what was still to be done for ``person`` in a ``chat`` that is no more."""
    return Row(_SQL["forget"], (rights_subject(chat, person),))


def told_row(outbox: int, revision: int) -> Row:
    """Return the row that remembers that operators were told of a refusal: once, until the books change again."""
    return Row(_SQL["told"], {"id": outbox, "revision": revision})


class RightsLook:
    """`ledger.deadlines.Timed`: has the rights of whoever serves looked at again, in case nobody told of a change."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def due(self, now: Millis, limit: int) -> Sequence[Unit[Any]]:
        """See `Timed.due`."""
        rows = self._reader.select(_SQL["unseen"], {"before": now - LOOK_MS, "limit": limit})
        return [_look_unit(row["chat"], AccountId(row["person"])) for row in rows]

    def next_due(self) -> Millis | None:
        """See `Timed.next_due`."""
        seen: int | None = self._reader.select(_SQL["longest_unseen"])[0]["at"]
        return None if seen is None else Millis(seen + LOOK_MS)


def _look_unit(chat: int, person: AccountId) -> Unit[None]:
    """Return the unit of one look; one look more does no harm, so it asks nothing."""

    def decide(view: View) -> Decision[None]:
        return Decision(None, rows=tuple(rights_rows(chat, person, view.now)))

    return Unit(decide)
