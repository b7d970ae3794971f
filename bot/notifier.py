"""News and answers go out: what the books committed, told to people (telegram.md, What people see).

Whatever is sent here moves no money, so a message whose sending timed out goes out again: it bears the same number.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final, NamedTuple

import structlog

from bot import outbox
from bot.context import Bank
from bot.outbox import LAST_NEWS, Desk, Pending, settle, track
from bot.outgoing import Address, Message, Speech
from bot.registry import Card
from bot.replies import REPLY, Reply, shown_choices
from bot.statement import ASKED, Statements
from bot.supervisor import finish
from bot.transport import (
    BadToken,
    MessageGone,
    Moved,
    Offline,
    Rejected,
    SecondPoller,
    Sent,
    ShownToAll,
    Telegram,
    Throttled,
    TransportError,
    Unreachable,
)
from chain.tenure import Tenure
from ledger.alerts import alert
from ledger.errors import LeaseLost, Unavailable
from ledger.journal import Lane
from ledger.outbox import OPERATORS
from ledger.ports import Clock, Millis
from ledger.units import Decision, Row, Unit, View

MOST_ATTEMPTS: Final = 12
FIRST_RETRY_MS: Final = 1_000
LONGEST_RETRY_MS: Final = 300_000
TOKEN_RETRY_MS: Final = 60_000
STANDBY_SECONDS: Final = 5.0
WRITE_PAUSES_SECONDS: Final = (0.05, 0.2, 1.0, 3.0)

TOLD_BY_REPLY: Final = frozenset({"withdrawal.requested"})
"""News whose person is looking at the answer to the same act."""

log = structlog.get_logger()


class Verdict(NamedTuple):
    """What became of a row. ``state`` pending: again after ``wait_ms``, which counts as an attempt if ``counts``."""

    state: str
    sent: Sent | None = None
    why: str = ""
    wait_ms: int = 0
    counts: bool = True
    rows: tuple[Row, ...] = ()


Deed = Callable[[Pending], Awaitable[Verdict]]
"""Has Telegram agree with the books instead of telling somebody; it is tried until it succeeds."""


@dataclass
class Notifier:
    """Sends what is due. Several of these steps may run at once over one desk.

    ``tenure`` is of the role notifier: two processes would tell everything twice.
    ``operators`` are the private chats that alerts go to; ``ephemeral`` tells that the server knows messages which one
    person of a group sees alone. ``statements`` writes the documents that news promise. ``cards`` and ``deeds`` are what live
    rows show, and what they do in Telegram, by event.
    """

    telegram: Telegram
    bank: Bank
    speech: Speech
    desk: Desk
    clock: Clock
    random: Random
    tenure: Tenure
    operators: tuple[int, ...]
    statements: Statements
    ephemeral: bool = False
    cards: Mapping[str, Card] = field(default_factory=dict)
    deeds: Mapping[str, Deed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._news = asyncio.Event()
        self._one_asks = asyncio.Lock()
        self._watched = False
        self._exposed = False
        """The server showed everybody what one person alone was to see: it is not asked for that again."""
        self.service = self.bank.service
        self._heard: dict[int, dict[int, Sent]] = {}
        """Of alerts that not every operator could be told yet: who heard them."""

    def wake(self) -> None:
        """Look at the outbox now: something was committed."""
        self.desk.changed()
        self._news.set()

    async def step(self) -> float:
        """Send one message, waiting for one if none is due; stand by while another process sends."""
        if not await self._hold():
            return STANDBY_SECONDS
        self.desk.load()
        pending = self.desk.take()
        if pending is None:
            await self._wait()
            return 0.0
        # There may be more: the next one looks while this one sends.
        self._news.set()
        try:
            await finish(self._send(pending))
        finally:
            self.desk.done(pending)
            self._news.set()
        return 0.0

    async def _hold(self) -> bool:
        async with self._one_asks:
            try:
                await self.tenure.fence()
            except LeaseLost:
                self.tenure.forget()
                return False
        return True

    async def _send(self, pending: Pending) -> None:
        began = self.clock.now()
        await self._settle(pending, await self._deliver(pending), began)

    async def _wait(self) -> None:
        """Wait for news. One step watches the clock; the others come back now and then, in case that one failed."""
        self._news.clear()
        watches = not self._watched
        self._watched = True
        try:
            async with asyncio.timeout(self.desk.pause_seconds() if watches else STANDBY_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return
        finally:
            self._watched &= not watches

    # What became of it

    async def _settle(self, pending: Pending, verdict: Verdict, began: Millis) -> None:
        attempts = pending.attempts + (verdict.counts and verdict.state == "pending")
        if pending.event in self.deeds and verdict.state in ("dropped", "undeliverable"):
            # Somebody would stay silent who is free, or speak who is not: a deed is never given up.
            verdict = verdict._replace(state="pending", wait_ms=LONGEST_RETRY_MS)
        # What a message shows must not stay wrong for ever: its last change may be the one that waits.
        lasts = pending.event in self.deeds or (pending.subject is not None and pending.tracked is not None)
        given_up = attempts >= MOST_ATTEMPTS and not lasts
        if pending.subject is not None and (given_up or verdict.state == "undeliverable"):
            # What a card would show stands in the books as well, and its next change shows all of it.
            given_up, verdict = False, verdict._replace(state="dropped")
        elif given_up:
            # Telegram was away for long: it goes out when its reader writes. A receipt is never lost.
            verdict = verdict._replace(state="undeliverable")

        def decide(view: View) -> Decision[None]:
            due = Millis(view.now + verdict.wait_ms)
            sent = f"{verdict.sent.chat}:{verdict.sent.message}" if verdict.sent else None
            state = verdict.state
            if state == "undeliverable" and outbox.wrote_since(view, pending.recipient, began):
                # What waits for them was looked for when they wrote: before this row was among it.
                state = "pending"
            rows = [settle(pending, state, at=due, attempts=attempts, sent=sent), *verdict.rows]
            lost = given_up or (verdict.state == "dropped" and pending.subject is None)
            if lost and pending.event != "alert.raised":
                facts = {"event": pending.event, "why": verdict.why}
                rows.append(alert("message.dropped", facts, view.now))
            return Decision(None, rows=tuple(rows))

        await self._write(Unit(decide))
        log.info(
            "message.settled", outbox=pending.id, told=pending.event, state=verdict.state, why=verdict.why
        )

    async def _write(self, unit: Unit[None]) -> None:
        """Commit ``unit``; what was sent should not be sent again because the books were busy for a moment."""
        for pause in WRITE_PAUSES_SECONDS:
            try:
                return await self.service.journal.submit(unit, Lane.SYSTEM)
            except Unavailable:
                await asyncio.sleep(pause)
        return await self.service.journal.submit(unit, Lane.SYSTEM)

    async def _deliver(self, pending: Pending) -> Verdict:
        """Send ``pending``; every refusal of Telegram becomes a verdict."""
        try:
            return await self._by_kind(pending)
        except Throttled as error:
            wait_ms = int(error.seconds * 1000)
            self.desk.pacer.pause(pending.chat, self.clock.now() + wait_ms)
            return Verdict("pending", wait_ms=wait_ms, counts=False, why="throttled")
        except Unreachable as error:
            return Verdict("undeliverable", why=str(error))
        except (BadToken, Offline, SecondPoller, Unavailable) as error:
            return self._later(pending, error)
        except TransportError as error:
            return Verdict("dropped", why=str(error))
        except Exception as error:
            # The boundary of one message: a sentence that cannot be made must not hold up the others.
            log.exception("message.unworded", outbox=pending.id, told=pending.event)
            return Verdict("dropped", why=type(error).__name__)

    def _later(self, pending: Pending, error: Exception) -> Verdict:
        if isinstance(error, BadToken):
            # No fault of this message: all of them wait until Telegram knows the token again.
            return Verdict("pending", wait_ms=TOKEN_RETRY_MS, counts=False, why=str(error))
        return Verdict("pending", wait_ms=self._back_off(pending.attempts), why=str(error))

    def _back_off(self, attempts: int) -> int:
        wait = min(FIRST_RETRY_MS * 2 ** min(attempts, 20), LONGEST_RETRY_MS)
        return int(wait * (0.5 + self.random.random()))

    async def _by_kind(self, pending: Pending) -> Verdict:
        if pending.event in TOLD_BY_REPLY:
            return Verdict("sent", why="told by its answer")
        if pending.event in self.deeds:
            return await self.deeds[pending.event](pending)
        if pending.event == REPLY:
            return await self._reply(pending, Reply.read(pending.facts))
        if pending.subject is not None:
            return await self._card(pending, pending.subject, self.cards[pending.event])
        message = await self._told(pending)
        if pending.recipient == OPERATORS:
            return await self._alert(pending, message)
        return await self._news_of(pending, message)

    # News

    async def _told(self, pending: Pending) -> Message:
        """Return the message of news; a statement's document is written now. Raises Unavailable: later."""
        if pending.event != ASKED:
            return self.speech.render(pending.event, pending.facts)
        statement = await self.statements.of(pending.facts)
        told = {"lines": statement.lines, "cut": statement.cut}
        message = self.speech.render(pending.event, {**pending.facts, **told})
        return replace(message, document=statement.document)

    async def _alert(self, pending: Pending, message: Message) -> Verdict:
        """Tell every operator, each once; one who cannot be told keeps nothing from the others."""
        heard = self._heard.setdefault(pending.id, {})
        late: TransportError | None = None
        for operator in self.operators:
            if operator in heard:
                continue
            try:
                heard[operator] = await self._send_where(Address(operator), message)
            except (Throttled, Offline, SecondPoller, BadToken) as error:
                late = error
            except TransportError as error:
                log.warning("alert.unreachable", operator=operator, why=str(error))
        if late is not None:
            raise late
        told = list(self._heard.pop(pending.id).values())
        if not told:
            return Verdict("undeliverable", why="no operator can be reached")
        return Verdict("sent", told[0])

    async def _news_of(self, pending: Pending, message: Message) -> Verdict:
        """Edit the message of its subject, or write a new one, which later news then edit."""
        subject = outbox.subject_of(pending.event, pending.recipient, pending.facts)
        sent = await self._edited(pending, message) if pending.tracked else None
        sent = sent or await self._send_where(Address(pending.recipient), message)
        if subject is None:
            return Verdict("sent", sent)
        if pending.event in LAST_NEWS:
            return Verdict("sent", sent, rows=(Row(outbox.UNTRACK, (subject,)),))
        return Verdict("sent", sent, rows=(track(subject, sent, self.clock.now()),))

    async def _send_where(self, to: Address, message: Message) -> Sent:
        """Send to ``to``, or to the supergroup that it became."""
        try:
            return await self.telegram.send(to, message)
        except Moved as moved:
            return await self.telegram.send(Address(moved.chat), message)

    async def _edited(self, pending: Pending, message: Message) -> Sent | None:
        assert pending.tracked is not None
        _, at = pending.tracked
        return at if await self._edit(at, message) else None

    async def _edit(self, at: Sent, message: Message) -> bool:
        """Edit the message ``at``; False when it is gone, or cannot become ``message``."""
        if message.photo is not None and not at.photo:
            return False
        try:
            await self.telegram.edit(at, message)
        except MessageGone:
            return False
        return True

    # Cards

    async def _card(self, pending: Pending, subject: str, card: Card) -> Verdict:
        """Show ``subject`` as it is now, in the message that shows it."""
        if pending.tracked is None:
            # The answer that is to become the card is on its way, or nobody was shown one.
            return Verdict("pending", wait_ms=self._back_off(pending.attempts), why="not shown yet")
        _, at = pending.tracked
        answer = card(self.bank, pending.facts)
        if answer is None:
            return Verdict("sent", why="nothing to show", rows=(Row(outbox.UNTRACK, (subject,)),))
        choices = shown_choices(answer.choices, answer.question or subject)
        message = self.speech.render(answer.say, {**answer.facts, "choices": choices})
        if not await self._edit(at, message):
            return Verdict("sent", why="its message is gone", rows=(Row(outbox.UNTRACK, (subject,)),))
        return Verdict("sent", at)

    # Answers

    async def _reply(self, pending: Pending, reply: Reply) -> Verdict:
        message = self.speech.render(reply.say, {**reply.facts, "reference": reply.reference})
        try:
            sent = await self._placed(pending, reply, message)
        except Moved as error:
            moved = replace(reply, chat=error.chat, reply_to=None, edit=None)
            sent = await self._placed(pending, moved, message)
        if sent is None:
            return await self._point(reply)
        if reply.track is None or sent.ephemeral is not None:
            return Verdict("sent", sent)
        return Verdict("sent", sent, rows=(track(reply.track, sent, self.clock.now()),))

    async def _placed(self, pending: Pending, reply: Reply, message: Message) -> Sent | None:
        """Show ``message`` where it may be seen; None when that would be a private chat which is closed."""
        if reply.group and (reply.private or reply.ephemeral):
            return await self._apart(pending, reply, message)
        try:
            return await self._there(reply, message)
        except (Unreachable, Rejected) as error:
            if not reply.group:
                raise
            return await self._instead(pending, message, error)

    async def _there(self, reply: Reply, message: Message) -> Sent:
        """Show ``message`` in the chat of ``reply``."""
        if reply.edit is not None:
            at = Sent(reply.chat, reply.edit, reply.photo)
            if await self._edit(at, message):
                return at
        return await self.telegram.send(Address(reply.chat, reply.reply_to, reply.thread), message)

    async def _instead(self, pending: Pending, message: Message, refusal: TransportError) -> Sent:
        """Tell in private what the group cannot be told any more; raises ``refusal`` where that is refused too."""
        log.info("message.not_in_group", outbox=pending.id, why=str(refusal))
        try:
            return await self.telegram.send(Address(pending.recipient), message)
        except (Unreachable, Rejected):
            raise refusal from None

    async def _apart(self, pending: Pending, reply: Reply, message: Message) -> Sent | None:
        """Tell one person of a group alone: ephemeral, else in private; None where neither is possible."""
        if (self.ephemeral or reply.ephemeral) and not self._exposed:
            alone = Address(reply.chat, None, reply.thread, ephemeral_to=pending.recipient)
            try:
                return await self.telegram.send(alone, message)
            except ShownToAll:
                self._exposed = True
                log.warning("message.shown_to_all", chat=reply.chat)
            except (Rejected, Unreachable):
                log.info("message.not_ephemeral", chat=reply.chat)
        try:
            return await self.telegram.send(Address(pending.recipient), message)
        except Unreachable:
            return None

    async def _point(self, reply: Reply) -> Verdict:
        """Say in the group where the answer is, and nothing of what it is; at the group's pace, for anybody may ask."""
        now = self.clock.now()
        wait_ms = self.desk.pacer.ready_at(reply.chat) - now
        if wait_ms > 0:
            return Verdict("pending", wait_ms=wait_ms, counts=False, why="its group was told enough")
        self.desk.pacer.take(reply.chat, now)
        link = f"https://t.me/{self.bank.me.username}?start=answer"
        pointer = self.speech.render("private.elsewhere", {"link": link})
        try:
            await self._send_where(Address(reply.chat, reply.reply_to, reply.thread), pointer)
        except (Unreachable, Rejected):
            log.info("message.not_in_group", chat=reply.chat)
        return Verdict("undeliverable", why="only a private chat would do")


class TapAnswers:
    """Ends the waiting mark of pressed buttons: at once and directly.

    It moves no money and is worth nothing after some seconds, so it is not kept: what a press did stands in the
    message that it edits. ``longest`` bounds what may wait; beyond it the mark ends by itself.
    """

    def __init__(
        self, telegram: Telegram, toast: Callable[[str, Mapping[str, Any]], str], longest: int = 500
    ) -> None:
        self._telegram = telegram
        self._toast = toast
        self._waiting: asyncio.Queue[tuple[str, str, Mapping[str, Any]]] = asyncio.Queue(longest)

    def add(self, query: str, say: str, facts: Mapping[str, Any]) -> None:
        """Have ``query`` answered with the sentence ``say``; with nothing when it is empty."""
        if self._waiting.full():
            log.warning("tap.unanswered")
            return
        self._waiting.put_nowait((query, say, facts))

    async def step(self) -> float:
        """Answer one tap, waiting for one."""
        query, say, facts = await self._waiting.get()
        text = self._toast(say, facts) if say else ""
        try:
            await self._telegram.answer_tap(query, text)
        except TransportError as error:
            # Too old, or Telegram is away: the mark ends by itself.
            log.info("tap.unanswered", why=str(error))
        return 0.0
