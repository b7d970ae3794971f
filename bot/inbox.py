"""What came in, kept until it was answered: one row for each thing a person did, however often it is delivered.

A row is committed before Telegram may forget its update. Only what asks something of the bot is kept, and what breaks a
rule of its chat: other people's talk in a group is none of its business.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog

from bot.intents import Intent, MemberChanged, Migrated, Said, Tapped, Unreadable, called
from bot.rules.model import Broken
from ledger.alerts import alert
from ledger.errors import LedgerError
from ledger.ports import Millis, Selects
from ledger.units import Row, View

log = structlog.get_logger()

INSERT: Final = """
INSERT INTO inbox (id, key, update_id, sender, raw, judged, received_at, state, code, done_at)
VALUES (:id, :key, :update_id, :sender, :raw, :judged, :at, :state, :code, iif(:state = 'new', NULL, :at))
"""
IS_KNOWN: Final = "SELECT 1 FROM inbox WHERE key = ?"
LAST: Final = "SELECT ifnull(max(id), 0) FROM inbox"
CLOSE: Final = """
UPDATE inbox SET state = :state, code = :code, done_at = :at WHERE id = :id AND state = 'new'
"""
IS_NEW: Final = "SELECT 1 FROM inbox WHERE id = ? AND state = 'new'"
WAITING: Final = """
SELECT id, key, raw, judged FROM inbox WHERE state = 'new' AND id > ? ORDER BY id LIMIT ?
"""
BY_ID: Final = "SELECT id, key, raw, judged FROM inbox WHERE id = ?"

LONGEST_RAW: Final = 100_000
"""Characters of a poisonous update that are kept; Telegram's own limit for a message is far below."""


class AnsweredElsewhere(LedgerError):  # noqa: N818 - the field's word
    """Another process answered this item: the unit was undone, and there is nothing left to do."""


class Item(NamedTuple):
    """A row that waits for its answer, understood. ``broken`` are the rules that a message breaks: then it is judged."""

    id: int
    key: str
    intent: Intent
    broken: tuple[Broken, ...] = ()

    @property
    def sender(self) -> int:
        """Who did it; 0 when nobody stands behind it."""
        return sender_of(self.intent)

    @property
    def lane(self) -> int:
        """Return the lane that it waits in: its sender's, or that of the chat whose rules it broke."""
        deed = self.intent.deed
        return deed.chat.id if self.broken and isinstance(deed, Said) else self.sender


class Arrival(NamedTuple):
    """An update on its way into the inbox. ``intent`` None: poison, and ``code`` says why."""

    key: str
    update: int
    raw: str
    intent: Intent | None
    code: str | None = None
    broken: tuple[Broken, ...] = ()

    @property
    def state(self) -> str:
        """The state its row begins in."""
        if self.intent is None:
            return "poison"
        return "refused" if self.code else "new"


def key_of(intent: Intent, bot: int) -> str:
    """Return what makes the deed unique (telegram.md, Never lose): a second delivery of a message has its key."""
    deed = intent.deed
    if isinstance(deed, Said) and deed.message and not deed.edited:
        return f"m:{bot}:{deed.chat.id}:{deed.message}"
    return f"u:{bot}:{intent.update}"


def judgement_key(intent: Intent, bot: int) -> str:
    """Return what makes the judgement of a message unique: each edit of it is judged once more."""
    return f"j:{key_of(intent, bot)}"


def sender_of(intent: Intent) -> int:
    """Return who did it, 0 for nobody."""
    deed = intent.deed
    if isinstance(deed, Said | Tapped) and deed.sender is not None:
        return deed.sender.id
    return 0


def asks(intent: Intent, bot: str) -> bool:
    """Tell whether the bot called ``bot`` has to do or say something about it."""
    match intent.deed:
        case Said() as said:
            call = called(said)
            if call is None:
                return said.chat.private and said.media is None
            return call.bot in (None, bot.lower())
        case Tapped() | Migrated() | MemberChanged():
            return True
    return False


def store(view: View, arrivals: Sequence[Arrival]) -> tuple[list[Item], list[Row]]:
    """Return the items that are new and the rows that keep all ``arrivals``; what is known already is left out."""
    seen = known(view, arrivals)
    number = view.select(LAST)[0][0]
    items: list[Item] = []
    rows: list[Row] = []
    for arrival in arrivals:
        if arrival.key in seen:
            continue
        # One batch may hold the same message twice, under two numbers of updates.
        seen.add(arrival.key)
        number += 1
        rows.append(Row(INSERT, _columns(arrival, number, view.now), changes=1))
        if arrival.intent is None:
            rows.append(_alert(arrival, view.now))
        elif arrival.state == "new":
            items.append(Item(number, arrival.key, arrival.intent, arrival.broken))
    return items, rows


def numbers(rows: Sequence[Row]) -> dict[str, int]:
    """Return the numbers that the ``rows`` of `store` give, by key: what people may name when they ask about it."""
    return {
        row.parameters["key"]: row.parameters["id"]
        for row in rows
        if row.sql == INSERT and isinstance(row.parameters, dict)
    }


def known(reader: Selects, arrivals: Sequence[Arrival]) -> set[str]:
    """Return the keys of those ``arrivals`` that are kept already."""
    return {arrival.key for arrival in arrivals if reader.select(IS_KNOWN, (arrival.key,))}


def _alert(arrival: Arrival, at: Millis) -> Row:
    return alert("update.poison", {"update": arrival.update, "why": arrival.code}, at)


def _columns(arrival: Arrival, number: int, at: Millis) -> dict[str, Any]:
    return {
        "id": number,
        "key": arrival.key,
        "update_id": arrival.update,
        "sender": sender_of(arrival.intent) if arrival.intent else 0,
        "raw": arrival.raw,
        "judged": json.dumps(arrival.broken) if arrival.broken else None,
        "at": at,
        "state": arrival.state,
        "code": arrival.code,
    }


def close(item: Item, code: str | None, at: Millis) -> Row:
    """Return the row that ends ``item``: done, or refused with ``code``."""
    return Row(CLOSE, {"id": item.id, "state": "refused" if code else "done", "code": code, "at": at})


def is_new(reader: Selects, item: Item) -> bool:
    """Tell whether ``item`` still waits."""
    return bool(reader.select(IS_NEW, (item.id,)))


def require_new(reader: Selects, item: Item) -> None:
    """Raise AnsweredElsewhere when ``item`` does not wait any more."""
    if not is_new(reader, item):
        raise AnsweredElsewhere(f"inbox {item.id}")


def waiting(
    reader: Selects, read: Callable[[Mapping[str, Any]], Intent], after: int, limit: int
) -> Iterable[Item]:
    """Yield up to ``limit`` rows in state new with an id above ``after``: what a killed process left behind.

    Each was read when it came in; one that a newer program cannot read any more is left where it is.
    """
    for row in reader.select(WAITING, (after, limit)):
        try:
            yield _item(row, read)
        except Unreadable:
            log.exception("inbox.unreadable", inbox=row[0])


def find(reader: Selects, read: Callable[[Mapping[str, Any]], Intent], number: int) -> Item | None:
    """Return the item with id ``number``, whatever its state."""
    rows = reader.select(BY_ID, (number,))
    return _item(rows[0], read) if rows else None


def _item(row: Any, read: Callable[[Mapping[str, Any]], Intent]) -> Item:
    broken = tuple(Broken(*each) for each in json.loads(row[3] or "[]"))
    return Item(row[0], row[1], read(json.loads(row[2])), broken)
