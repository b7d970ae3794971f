"""The book of names: who was called what when we last saw them.

The Bot API cannot resolve a @name, and names are recycled (telegram.md, Who is who). So every update teaches this
book who exists under which name, each name has one current owner, and a name that moved, was given up or has not been
seen for long is doubtful: it is good enough to ask about, not to pay to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.html import clean_name
from bot.intents import Person
from ledger.accounts import AccountClass, AccountId, account_class
from ledger.ports import Millis, Selects
from ledger.units import Row

DAY_MS: Final = 24 * 60 * 60 * 1000
MOVED_MS: Final = 30 * DAY_MS
"""A name that came to somebody else within this time asks before it is paid."""
STALE_MS: Final = 90 * DAY_MS
"""A name not seen for this long asks before it is paid: its owner may have given it up."""
_FRESH_MS: Final = DAY_MS
"""Seeing the same person again changes no row within this time."""

SEE_PERSON: Final = """
INSERT INTO people (id, name, username, seen_at) VALUES (:id, :name, :username, :at)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, username = excluded.username, seen_at = excluded.seen_at
WHERE people.name <> excluded.name OR people.username IS NOT excluded.username
   OR people.seen_at < excluded.seen_at - :fresh
"""
SEE_NAME: Final = """
INSERT INTO names (name, owner, seen_at) VALUES (:username, :id, :at)
ON CONFLICT (name) DO UPDATE SET
    moved_at = iif(owner = excluded.owner, moved_at, excluded.seen_at),
    previous = iif(owner = excluded.owner, previous, owner),
    owner = excluded.owner, seen_at = excluded.seen_at
WHERE owner <> excluded.owner OR seen_at < excluded.seen_at - :fresh
"""
FORGET_NAME: Final = "DELETE FROM names WHERE name = :username"
FIND_NAME: Final = """
SELECT names.owner, names.moved_at, names.seen_at, people.name AS shown, people.username
FROM names LEFT JOIN people ON people.id = names.owner WHERE names.name = ?
"""
SHOW_PERSON: Final = "SELECT name FROM people WHERE id = ?"
SHOW_ACCOUNT: Final = "SELECT name FROM users WHERE id = ?"


class Doubt(StrEnum):
    """Why a known name is asked about before money goes there."""

    MOVED = "moved"
    """It belonged to somebody else not long ago."""
    RENAMED = "renamed"
    """Its last owner goes by another name now."""
    STALE = "stale"
    """Nobody was seen under it for a long time."""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody of the book. ``name`` is clean; ``doubt`` None: the name may be paid."""

    id: AccountId
    name: str
    doubt: Doubt | None = None


class NameBook:
    """Looks people up; what it should learn is returned as rows, for the unit that stores the update."""

    def __init__(self, reader: Selects) -> None:
        self._reader = reader

    def find(self, name: str, now: Millis) -> Known | None:
        """Return who owns @``name`` (with or without @, any case), or None when it was never seen."""
        rows = self._reader.select(FIND_NAME, (_key(name),))
        if not rows:
            return None
        owner, moved_at, seen_at, shown, username = rows[0]
        current = username is not None and _key(username) == _key(name)
        return Known(
            AccountId(owner), shown or f"@{_key(name)}", _doubt(moved_at, seen_at, now, current=current)
        )

    def shown(self, account: int) -> str:
        """Return the clean name of a member, or ``member 42`` for one who was never seen."""
        rows = self._reader.select(SHOW_PERSON, (account,))
        return str(rows[0][0]) if rows else f"member {account}"

    def counterparty(self, account: AccountId | None) -> str:
        """Return the name of a member or of a shared account; the others are told by the kind of the move."""
        if account_class(account) is AccountClass.SHARED:
            rows = self._reader.select(SHOW_ACCOUNT, (account,))
            return str(rows[0][0]) if rows else ""
        return self.shown(account) if account is not None and account > 0 else ""


def learn(people: Iterable[Person], at: Millis) -> tuple[Row, ...]:
    """Return the rows that make the book know ``people`` as seen at ``at``.

    Who cannot own an account (bots, channels, Telegram itself) is not entered, and a @name of theirs is nobody's.
    """
    return tuple(row for person in people for row in _rows(person, at))


def _rows(person: Person, at: Millis) -> list[Row]:
    username = _key(person.username) if person.username else None
    if not person.can_own:
        return [Row(FORGET_NAME, {"username": username})] if username else []
    facts = {"id": person.id, "username": username, "at": at, "fresh": _FRESH_MS}
    seen = [Row(SEE_PERSON, {**facts, "name": clean_name(person.name, f"member {person.id}")})]
    return [*seen, Row(SEE_NAME, facts)] if username else seen


def _doubt(moved_at: int | None, seen_at: int, now: Millis, *, current: bool) -> Doubt | None:
    if not current:
        return Doubt.RENAMED
    if moved_at is not None and now - moved_at < MOVED_MS:
        return Doubt.MOVED
    return Doubt.STALE if now - seen_at > STALE_MS else None


def _key(name: str) -> str:
    return name.removeprefix("@").lower()
