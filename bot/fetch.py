"""Updates come in: raw batch, rows committed, only then the next offset confirms (telegram.md, Never lose).

Killed anywhere, the batch comes again and the rows that stand are found by key. One poller at a time holds a lease; a
second one stands by. A batch that could not be stored is asked for again.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from bot import inbox, replies
from bot.context import Me
from bot.dispatch import Toast
from bot.html import clean_name
from bot.inbox import Arrival, Item
from bot.intents import Intent, Said, Tapped, Unreadable
from bot.lanes import PER_CHAT, PER_PERSON, Lanes
from bot.names import learn
from bot.results import Answer
from bot.rules.model import Broken
from bot.transport import Telegram
from chain.tenure import Tenure
from ledger import leases
from ledger.accounts import AccountId
from ledger.errors import LeaseLost, OutcomeUnknown
from ledger.leases import Fence
from ledger.ports import Millis
from ledger.service import LedgerService
from ledger.units import Decision, Row, Unit, View
from ledger.users import registration

POLL_SECONDS: Final = 25
REFUSED_MARKS_AT_ONCE: Final = 3
"""Of one person in one batch: each answer is a request of its own, and others wait meanwhile."""
STANDBY_SECONDS: Final = 5.0
RESUMED_AT_ONCE: Final = 200

SEE_CHAT: Final = """
INSERT INTO chats (id, kind, title, seen_at) VALUES (:id, :kind, :title, :at)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, kind = excluded.kind, reachable = 1, seen_at = excluded.seen_at
WHERE chats.title <> excluded.title OR chats.reachable = 0
"""
log = structlog.get_logger()


class Fetch:
    """The poll loop of one bot. ``tenure`` is of the role poller; ``toast`` is called for taps that are refused here.

    ``judge`` tells which rules of its chat a message breaks.
    """

    def __init__(
        self,
        telegram: Telegram,
        service: LedgerService,
        lanes: Lanes,
        me: Me,
        *,
        read: Callable[[Mapping[str, Any]], Intent],
        tenure: Tenure,
        toast: Callable[[Toast], None],
        judge: Callable[[Said], tuple[Broken, ...]],
        poll_seconds: int = POLL_SECONDS,
    ) -> None:
        self._telegram = telegram
        self._service = service
        self._lanes = lanes
        self._me = me
        self._read = read
        self.tenure = tenure
        self._toast = toast
        self._judge = judge
        self._poll_seconds = poll_seconds
        self._fence: Fence | None = None
        self._resumed = 0
        self._resuming = True
        # Cold start polls without an offset: after a quiet week Telegram begins its numbers anew.
        self._offset: int | None = None

    async def step(self) -> float:
        """Fetch and keep one batch; return the seconds to wait before the next."""
        if not await self._hold():
            return STANDBY_SECONDS
        await self._lanes.room()
        if self._resuming:
            self._resume()
            return 0.0
        batch = await self._telegram.updates(self._offset, self._poll_seconds)
        arrivals = self._arrivals(batch)
        # The offset last: the next request confirms what is below it, and Telegram forgets that.
        await self._keep(arrivals, batch)
        self._offset = _next_offset(batch, self._offset)
        return 0.0

    async def _hold(self) -> bool:
        """Hold the lease of the poller, or tell that another process does."""
        try:
            fence = await self.tenure.fence()
        except LeaseLost:
            self.tenure.forget()
            log.info("fetch.stood_by")
            return False
        if fence != self._fence and (self._fence is None or fence.token != self._fence.token):
            # Whoever polled before may have left rows behind.
            self._resuming, self._resumed, self._offset = True, 0, None
        self._fence = fence
        return True

    def _resume(self) -> None:
        """Take up some of the rows that an earlier run left behind."""
        left = list(inbox.waiting(self._service.reader, self._read, self._resumed, RESUMED_AT_ONCE))
        for item in left:
            self._lanes.add(item)
            self._resumed = item.id
        self._resuming = len(left) == RESUMED_AT_ONCE

    def _arrivals(self, batch: Sequence[Any]) -> list[Arrival]:
        """Understand a batch; more than a person's share of new commands is refused.

        What stands already may be on its way to be answered: nobody is told that it was refused.
        """
        arrivals = [each for each in (read_arrival(raw, self._read, self._me.id) for raw in batch) if each]
        if len(arrivals) < len(batch):
            log.error("update.unnumbered")
        arrivals = [each for arrival in arrivals for each in (arrival, *self._judged(arrival))]
        known = inbox.known(self._service.reader, arrivals)
        coming: Counter[int] = Counter()
        return [
            each
            if each.broken or each.key in known or not self._wants(each)
            else self._within_share(each, coming)
            for each in arrivals
        ]

    def _judged(self, arrival: Arrival) -> list[Arrival]:
        """Return the row of its judgement for a message that breaks rules, beside its own where it is a command too.

        Each verdict asks Telegram who leads the group, so a raid comes in faster than it is judged: what is too much for
        its chat stays, instead of filling the room that commands wait in.
        """
        if arrival.intent is None or not isinstance(arrival.intent.deed, Said):
            return []
        broken = self._judge(arrival.intent.deed)
        chat = arrival.intent.deed.chat.id
        if broken and self._lanes.waiting(chat) >= PER_CHAT:
            log.warning("message.unjudged", chat=chat)
            return []
        key = inbox.judgement_key(arrival.intent, self._me.id)
        return [arrival._replace(key=key, broken=broken)] if broken else []

    def _within_share(self, arrival: Arrival, coming: Counter[int]) -> Arrival:
        sender = inbox.sender_of(arrival.intent) if arrival.intent else 0
        coming[sender] += 1
        too_many = sender and self._lanes.waiting(sender) + coming[sender] > PER_PERSON
        return arrival._replace(code="too_many") if too_many else arrival

    async def _keep(self, arrivals: Sequence[Arrival], batch: Sequence[Any]) -> None:
        """Commit ``arrivals`` with what they teach, then let the new ones wait for their turn."""
        if not arrivals:
            return
        fence = await self.tenure.fence()
        told = self._to_tell(arrivals)

        def decide(view: View) -> Decision[list[Item]]:
            # Who slept through its lease would keep a batch that another process keeps as well, under numbers of its own.
            leases.require(view, fence)
            wanted = [arrival for arrival in arrivals if self._wants(arrival)]
            items, rows = inbox.store(view, wanted)
            numbers = inbox.numbers(rows)
            for arrival in arrivals:
                rows += _lessons(arrival, view.now)
            for arrival in told.values():
                if arrival.key in numbers:
                    rows += _too_many(arrival, numbers[arrival.key], view.now)
            return Decision(items, rows=tuple(rows))

        try:
            items = await self._service.journal.submit(Unit(decide))
        except OutcomeUnknown:
            # The rows may stand, and then the batch that comes again finds them known: they are taken up as left behind.
            self._resuming = True
            raise
        log.debug("batch.stored", updates=len(batch), new=len(items))
        for item in items:
            self._lanes.add(item)
            self._resumed = item.id
        for sender in told:
            self._lanes.told(sender)
        self._end_marks(arrivals)

    def _end_marks(self, arrivals: Sequence[Arrival]) -> None:
        """Answer the taps that were refused: each shows a waiting mark, which of a flood's ends by itself."""
        marks: Counter[int] = Counter()
        for arrival in arrivals:
            deed = arrival.intent.deed if arrival.intent else None
            if arrival.intent is None or not arrival.code or not isinstance(deed, Tapped):
                continue
            sender = inbox.sender_of(arrival.intent)
            marks[sender] += 1
            if marks[sender] <= REFUSED_MARKS_AT_ONCE:
                self._toast(Toast(deed.query, f"refused.{arrival.code}", {"limit": PER_PERSON}))

    def _wants(self, arrival: Arrival) -> bool:
        return arrival.intent is None or bool(arrival.broken) or inbox.asks(arrival.intent, self._me.username)

    def _to_tell(self, arrivals: Sequence[Arrival]) -> dict[int, Arrival]:
        """Return the first refused arrival of each sender who has not heard that they are too fast."""
        first: dict[int, Arrival] = {}
        for arrival in arrivals:
            sender = inbox.sender_of(arrival.intent) if arrival.intent else 0
            if arrival.code == "too_many" and not self._lanes.was_told(sender):
                first.setdefault(sender, arrival)
        return first


def read_arrival(raw: Any, read: Callable[[Mapping[str, Any]], Intent], bot: int) -> Arrival | None:
    """Return ``raw`` as it goes into the inbox of ``bot``: poison where it cannot be read.

    None for what bears no number: such a thing can neither be kept by key nor confirmed.
    """
    number = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(number, int) or not 0 <= number < 2**62:
        return None
    try:
        text = json.dumps(raw)
    except RecursionError:
        return Arrival(f"u:{bot}:{number}", number, "", None, "it is nested too deeply to be kept")
    try:
        intent = read(raw)
    except Unreadable as error:
        return Arrival(f"u:{bot}:{number}", number, text[: inbox.LONGEST_RAW], None, str(error))
    return Arrival(inbox.key_of(intent, bot), number, text, intent)


def _next_offset(batch: Sequence[Any], offset: int | None) -> int | None:
    numbers = [
        raw["update_id"] for raw in batch if isinstance(raw, dict) and isinstance(raw.get("update_id"), int)
    ]
    return max(numbers) + 1 if numbers else offset


def _lessons(arrival: Arrival, at: Millis) -> list[Row]:
    """Return what ``arrival`` teaches: who is called what, who has an account, which chats there are."""
    intent = arrival.intent
    if intent is None or arrival.broken:
        # A judgement stands beside its message, which teaches the same.
        return []
    owners = (person for person in intent.people if person.can_own)
    rows = [registration(AccountId(person.id), clean_name(person.name), at) for person in owners]
    rows += learn(intent.people, at)
    deed = intent.deed
    if isinstance(deed, Said):
        chat = deed.chat
        rows.append(Row(SEE_CHAT, {"id": chat.id, "kind": str(chat.kind), "title": chat.title, "at": at}))
    return rows


def _too_many(arrival: Arrival, number: int, at: Millis) -> list[Row]:
    deed = arrival.intent.deed if arrival.intent else None
    if not isinstance(deed, Said | Tapped) or deed.sender is None:
        return []
    answer = Answer("refused.too_many", {"limit": PER_PERSON}, private=True, replace=False)
    return [replies.fill(replies.place(deed), answer, "", number).row(deed.sender.id, at)]
