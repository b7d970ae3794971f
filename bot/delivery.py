"""One row of the outbox on its way: which message it is, where it is shown, and what Telegram's refusals mean.

Whatever is sent here moves no money, so a message whose sending timed out goes out again: it bears the same number.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final, NamedTuple

import structlog

from bot import outbox
from bot.context import Bank
from bot.outbox import LAST_NEWS, Pending, show_anew, track
from bot.outgoing import Address, Message, Speech
from bot.pacing import Pacer
from bot.registry import Card
from bot.replies import REPLY, Reply, shown_choices
from bot.statement import ASKED, Statements
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
from ledger.errors import Unavailable
from ledger.outbox import OPERATORS, READ_IN
from ledger.ports import Clock
from ledger.units import Row

FIRST_RETRY_MS: Final = 1_000
LONGEST_RETRY_MS: Final = 300_000
TOKEN_RETRY_MS: Final = 60_000

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


def retry_ms(attempts: int) -> int:
    """Return how long to wait before what was tried so often is tried again, in milliseconds."""
    doubled: int = FIRST_RETRY_MS * 2 ** min(attempts, 20)
    return min(doubled, LONGEST_RETRY_MS)


@dataclass
class Delivery:
    """Sends what it is given.

    ``operators`` are the private chats that alerts go to; ``ephemeral`` tells that the server knows messages which one
    person of a group sees alone. ``statements`` writes the documents that news promise. ``cards`` and ``deeds`` are what live
    rows show, and what they do in Telegram, by event.
    """

    telegram: Telegram
    bank: Bank
    speech: Speech
    pacer: Pacer
    clock: Clock
    random: Random
    operators: tuple[int, ...]
    statements: Statements
    ephemeral: bool = False
    cards: Mapping[str, Card] = field(default_factory=dict)
    deeds: Mapping[str, Deed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._exposed = False
        """The server showed everybody what one person alone was to see: it is not asked for that again."""
        self._heard: dict[int, dict[int, Sent]] = {}
        """Of alerts that not every operator could be told yet: who heard them."""

    async def __call__(self, pending: Pending) -> Verdict:
        """Send ``pending``; every refusal of Telegram becomes a verdict."""
        try:
            return await self._by_kind(pending)
        except Throttled as error:
            wait_ms = int(error.seconds * 1000)
            self.pacer.pause(pending.chat, self.clock.now(), wait_ms)
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
        return int(retry_ms(attempts) * (0.5 + self.random.random()))

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

    async def _reads(self, chat: int, person: int) -> bool:
        """Tell whether ``person`` is in the group ``chat``; a group that is gone or moved is no answer."""
        try:
            return (await self.telegram.membership(chat, person)).present
        except (Moved, Rejected, Unreachable):
            return False

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
        if READ_IN in pending.facts and await self._reads(pending.facts[READ_IN], pending.recipient):
            return Verdict("sent", why="read in the group")
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
        return at if await self._becomes(at, message) else None

    async def _becomes(self, at: Sent, message: Message) -> bool:
        """Edit the message ``at``; False when Telegram does not take that, for whatever reason: it is written anew then."""
        try:
            return await self._edit(at, message)
        except Rejected as error:
            log.info("message.not_edited", chat=at.chat, message=at.message, why=str(error))
            return False

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
        now = self.clock.now()
        return Verdict("sent", sent, rows=(track(reply.track, sent, now), show_anew(reply.track, now)))

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
            if await self._becomes(at, message):
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
        wait_ms = self.pacer.ready_at(reply.chat, now) - now
        if wait_ms > 0:
            return Verdict("pending", wait_ms=wait_ms, counts=False, why="its group was told enough")
        self.pacer.take(reply.chat, now)
        link = f"https://t.me/{self.bank.me.username}?start=answer"
        pointer = self.speech.render("private.elsewhere", {"link": link})
        try:
            await self._send_where(Address(reply.chat, reply.reply_to, reply.thread), pointer)
        except (Unreachable, Rejected):
            log.info("message.not_in_group", chat=reply.chat)
        return Verdict("undeliverable", why="only a private chat would do")
