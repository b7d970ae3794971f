"""News and answers go out: what the books committed, told to people (telegram.md, What people see)."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from bot import outbox
from bot.delivery import LONGEST_RETRY_MS, Delivery, Verdict
from bot.outbox import Desk, Pending, settle
from bot.supervisor import finish
from chain.tenure import Tenure
from ledger.alerts import alert
from ledger.errors import LeaseLost, Unavailable
from ledger.journal import Lane
from ledger.ports import Clock, Millis
from ledger.service import LedgerService
from ledger.units import Decision, Unit, View

MOST_ATTEMPTS: Final = 12
STANDBY_SECONDS: Final = 5.0
WRITE_PAUSES_SECONDS: Final = (0.05, 0.2, 1.0, 3.0)

log = structlog.get_logger()


@dataclass
class Notifier:
    """Sends what is due. Several of these steps may run at once over one desk.

    ``tenure`` is of the role notifier: two processes would tell everything twice.
    """

    delivery: Delivery
    desk: Desk
    service: LedgerService
    clock: Clock
    tenure: Tenure

    def __post_init__(self) -> None:
        self._news = asyncio.Event()
        self._one_asks = asyncio.Lock()
        self._watched = False

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
        await self._settle(pending, await self.delivery(pending), began)

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
        if pending.event in self.delivery.deeds and verdict.state in ("dropped", "undeliverable"):
            # Somebody would stay silent who is free, or speak who is not: a deed is never given up.
            verdict = verdict._replace(state="pending", wait_ms=LONGEST_RETRY_MS)
        # What a message shows must not stay wrong for ever: its last change may be the one that waits.
        lasts = pending.event in self.delivery.deeds or (
            pending.subject is not None and pending.tracked is not None
        )
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
            if state == "undeliverable" and pending.event != outbox.LEFT_OUT:
                rows += outbox.make_room(view, pending.recipient, view.now)
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
