"""The outbox as its one reader sees it: what is due, in which order, and what becomes of each row."""

import heapq
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from bot.pacing import Pacer
from bot.replies import REPLY
from bot.transport import Sent
from ledger.outbox import BETWEEN_SHOWINGS_MS
from ledger.ports import Clock, Millis, Selects
from ledger.rights import RIGHTS
from ledger.units import Row

DUE: Final = """
SELECT id, event, recipient, facts, attempts, subject FROM outbox WHERE state = 'pending' AND (due_at <= ? OR due_at > ?)
ORDER BY due_at, id LIMIT ?
"""
DUE_FAIRLY: Final = """
SELECT id, event, recipient, facts, attempts, subject FROM (
    SELECT *, row_number() OVER (
        PARTITION BY iif(event = 'reply', json_extract(facts, '$.chat'), recipient) ORDER BY due_at, id
    ) AS place
    FROM outbox WHERE state = 'pending' AND (due_at <= ? OR due_at > ?)
)
WHERE place <= ? ORDER BY place, due_at, id LIMIT ?
"""
SETTLE: Final = """
UPDATE outbox SET
    state = iif(revision = :revision, :state, 'pending'),
    attempts = iif(revision = :revision, :attempts, 0),
    due_at = iif(revision = :revision, :due_at, max(:due_at, :again_at)),
    sent = :sent
WHERE id = :id AND state = 'pending'
"""
"""A live row whose subject changed while it was shown is shown again."""
AS_PENDING: Final = "SELECT facts, revision FROM outbox WHERE id = ? AND state = 'pending'"
TRACKED: Final = "SELECT chat, message, photo FROM tracked_messages WHERE subject = ?"
TRACK: Final = """
INSERT INTO tracked_messages (subject, chat, message, photo, updated_at) VALUES (:subject, :chat, :message, :photo, :at)
ON CONFLICT (subject) DO UPDATE SET
    chat = excluded.chat, message = excluded.message, photo = excluded.photo, updated_at = excluded.updated_at
"""
WROTE_SINCE: Final = """
SELECT 1 FROM inbox
WHERE id > (SELECT max(id) FROM inbox) - 2000 AND sender = :person AND done_at >= :at AND iif(sender <> :person OR sender = 0, NULL,
    ifnull(json_extract(raw, '$.callback_query.message.chat.id'),
        ifnull(json_extract(raw, '$.message.chat.id'), json_extract(raw, '$.edited_message.chat.id')))) = :person
LIMIT 1
"""
"""Among the newest: an attempt takes seconds. A private chat has the number of its person; what nobody sent may be no JSON."""
TOO_MANY: Final = """
SELECT id FROM outbox WHERE state = 'undeliverable' AND recipient = :recipient AND event <> :left_out
ORDER BY id DESC LIMIT -1 OFFSET :room
"""
DROP: Final = "UPDATE outbox SET state = 'dropped' WHERE id IN (SELECT value FROM json_each(?))"
LEAVE_OUT: Final = """
INSERT INTO outbox (event, recipient, facts, created_at, due_at, state)
SELECT :left_out, :recipient, json_object('most', :most), :at, :at, 'undeliverable' WHERE NOT EXISTS (
    SELECT 1 FROM outbox WHERE state = 'undeliverable' AND recipient = :recipient AND event = :left_out
)
"""
SHOW_ANEW: Final = """
UPDATE outbox SET state = 'pending', attempts = 0, due_at = :at
WHERE state = 'dropped' AND id = (SELECT max(id) FROM outbox WHERE subject = :subject)
"""
"""The newest change of a card that was given up, for the message that would show it was not there yet."""
UNTRACK: Final = "DELETE FROM tracked_messages WHERE subject = ?"

LEFT_OUT: Final = "messages.left_out"
MOST_KEPT: Final = 100
"""Messages that wait for one reader who cannot be reached: anybody can pay a little to somebody who blocked the bot."""
FARTHEST_MS: Final = 3_600_000
"""No try is put off for longer: one that seems to be was put off by a clock that was ahead, and is due."""
MOST_LOADED: Final = 2_000
"""Rows held in memory at once; the others stay where they are."""
MOST_OF_A_CHAT: Final = 20
"""Of these, rows of one chat where there are more than can be held: a group can ask faster than it may be answered."""


class Priority(NamedTuple):
    """Answers before live edits, edits before notices; in one chat in the order of writing."""

    rank: int
    number: int


class Pending(NamedTuple):
    """A row that waits to be sent."""

    priority: Priority
    id: int
    event: str
    recipient: int
    facts: Mapping[str, Any]
    attempts: int
    chat: int
    """Where it goes first, as far as is known: the chat that it waits for."""
    tracked: tuple[str, Sent] | None = None
    """Its subject and the message that it edits."""
    subject: str | None = None
    """Of a live row alone: what is shown as it is now."""
    revision: int = 0


SUBJECTS: Final = {
    "withdrawal.approved": "withdrawal:{withdrawal}",
    "withdrawal.rejected": "withdrawal:{withdrawal}",
    "withdrawal.signed": "withdrawal:{withdrawal}",
    "withdrawal.confirmed": "withdrawal:{withdrawal}",
    "withdrawal.returned": "withdrawal:{withdrawal}",
    "withdrawal.cancelled": "withdrawal:{withdrawal}",
    "giveaway.moved": "giveaway:{giveaway}",
    "jail.noticed": "jail:{jail}",
    "deposit.seen": "deposit:{recipient}",
    "deposit.credited": "deposit:{recipient}",
}
"""Which message news belong to, by event."""

LAST_NEWS: Final = frozenset(
    {
        "withdrawal.confirmed",
        "withdrawal.returned",
        "withdrawal.cancelled",
        "withdrawal.rejected",
        "deposit.credited",
    }
)
"""After these a subject is closed: the next news of it write a message of their own."""


def subject_of(event: str, recipient: int, facts: Mapping[str, Any]) -> str | None:
    """Return the subject that news belong to, or None."""
    form = SUBJECTS.get(event)
    return form.format_map({"recipient": recipient, **facts}) if form else None


def tracked(reader: Selects, subject: str) -> Sent | None:
    """Return the message that shows ``subject``."""
    rows = reader.select(TRACKED, (subject,))
    return Sent(rows[0][0], rows[0][1], bool(rows[0][2])) if rows else None


def track(subject: str, at: Sent, now: Millis) -> Row:
    """Return the row that makes ``at`` the message of ``subject``."""
    facts = {"subject": subject, "chat": at.chat, "message": at.message, "photo": int(at.photo), "at": now}
    return Row(TRACK, facts)


def show_anew(subject: str, now: Millis) -> Row:
    """Return the row that has the message of ``subject`` catch up with what changed before it could be sent."""
    return Row(SHOW_ANEW, {"subject": subject, "at": now})


def wrote_since(reader: Selects, person: int, at: Millis) -> bool:
    """Tell whether ``person`` was answered by the bot at ``at`` or later, in their private chat."""
    return bool(reader.select(WROTE_SINCE, {"person": person, "at": at}))


def settle(pending: Pending, state: str, *, at: Millis, attempts: int, sent: str | None = None) -> Row:
    """Return the row that ends ``pending`` in ``state``, or (``pending``) lets it wait until ``at``."""
    facts = {"id": pending.id, "state": state, "due_at": at, "attempts": attempts, "sent": sent}
    return Row(SETTLE, {**facts, "revision": pending.revision, "again_at": at + BETWEEN_SHOWINGS_MS})


def make_room(reader: Selects, recipient: int, now: Millis) -> list[Row]:
    """Return what keeps the messages that wait for ``recipient`` few when one more joins: the oldest give way, and this is told.

    What they told stands in the books, as does what moved a balance in its history.
    """
    facts = {"recipient": recipient, "left_out": LEFT_OUT, "room": MOST_KEPT - 1}
    over = [row[0] for row in reader.select(TOO_MANY, facts)]
    if not over:
        return []
    told = {"recipient": recipient, "left_out": LEFT_OUT, "most": MOST_KEPT, "at": now}
    return [Row(DROP, (json.dumps(over),)), Row(LEAVE_OUT, told)]


@dataclass
class Desk:
    """Rows that are due, by chat: one at a time for each, so that a chat's messages keep their order.

    A chat that must wait (throttled, slow) keeps nobody else waiting.
    """

    reader: Selects
    clock: Clock
    pacer: Pacer
    look_ms: int = 500
    """How often the table is read when nobody says that it changed (the chain's loops do not)."""
    _look_at: int = 0
    _queues: dict[int, list[Pending]] = field(default_factory=dict)
    _loaded: set[int] = field(default_factory=set)
    _sending: set[int] = field(default_factory=set)

    def load(self) -> None:
        """Take in what has become due, if it is time to look."""
        now = self.clock.now()
        # A clock that was ahead when it was read makes it no later than usual.
        waits = self._look_at - self.look_ms <= now < self._look_at
        if waits or len(self._loaded) >= 2 * MOST_LOADED:
            return
        for row in self._due(now):
            if row[0] not in self._loaded:
                self._add(self._pending(row))
        self._look_at = now + self.look_ms

    def _due(self, now: Millis) -> list[Any]:
        due = (now, now + FARTHEST_MS)
        rows = self.reader.select(DUE, (*due, MOST_LOADED))
        if len(rows) < MOST_LOADED:
            return rows
        return self.reader.select(DUE_FAIRLY, (*due, MOST_OF_A_CHAT, MOST_LOADED))

    def changed(self) -> None:
        """Look at the table with the next `load`: something was committed."""
        self._look_at = 0

    def _pending(self, row: Any) -> Pending:
        number, event, recipient, text, attempts, live = row
        facts = json.loads(text)
        if event == REPLY:
            return Pending(
                Priority(0, number), number, event, recipient, facts, attempts, _first_chat(facts, recipient)
            )
        if event == RIGHTS:
            # No message: it waits for no chat's pace, and what somebody may do comes before what is said of it.
            return Pending(
                Priority(0, number), number, event, recipient, facts, attempts, facts["person"], subject=live
            )
        edit = self._shown(live or subject_of(event, recipient, facts))
        rank = Priority(1 if edit else 2, number)
        chat = edit[1].chat if edit else recipient
        return Pending(rank, number, event, recipient, facts, attempts, chat, edit, live)

    def _add(self, pending: Pending) -> None:
        self._loaded.add(pending.id)
        heapq.heappush(self._queues.setdefault(pending.chat, []), pending)

    def take(self) -> Pending | None:
        """Return what should be sent now, and count it; None when every chat has to wait.

        Of equal messages that goes first whose chat has heard nothing for longest: who writes in many groups at once keeps
        the others waiting for one message of each, not for all.
        """
        now = self.clock.now()
        ready = [
            queue[0]
            for chat, queue in self._queues.items()
            if chat not in self._sending and self.pacer.ready_at(chat, now) <= now
        ]
        if not ready:
            return None
        pending = min(ready, key=lambda each: self._turn(each, now))
        queue = self._queues[pending.chat]
        heapq.heappop(queue)
        if not queue:
            del self._queues[pending.chat]
        self._sending.add(pending.chat)
        rows = self.reader.select(AS_PENDING, (pending.id,))
        if not rows:
            # Another process told it while this one stood by.
            self.done(pending)
            return None
        self.pacer.take(pending.chat, now)
        text, revision = rows[0]
        facts = json.loads(text)
        # What it edits may have been sent since it was loaded, as a reply that waited before it.
        edit = self._shown(pending.subject or subject_of(pending.event, pending.recipient, facts))
        return pending._replace(facts=facts, revision=revision, tracked=edit)

    def _turn(self, pending: Pending, now: Millis) -> tuple[int, int, int]:
        rank, number = pending.priority
        return rank, self.pacer.served_at(pending.chat, now), number

    def _shown(self, subject: str | None) -> tuple[str, Sent] | None:
        """Return the message that shows ``subject``, with it."""
        at = tracked(self.reader, subject) if subject else None
        return (subject, at) if subject and at else None

    def done(self, pending: Pending) -> None:
        """Let the next message to that chat go."""
        self._loaded.discard(pending.id)
        self._sending.discard(pending.chat)

    def pause_seconds(self) -> float:
        """Return how long there is nothing to do: until a chat may be written to, or the table is read again."""
        now = self.clock.now()
        times = [self.pacer.ready_at(chat, now) for chat in self._queues if chat not in self._sending]
        return min(max(min([*times, self._look_at]) - now, 5), self.look_ms) / 1000


def _first_chat(facts: Mapping[str, Any], recipient: int) -> int:
    hidden = facts.get("group") and facts.get("private") and not facts.get("ephemeral")
    return recipient if hidden else int(facts["chat"])
