"""What was sent is not sent again because of us, and what could not be sent is not forgotten."""

import pytest

from bot.notifier import MOST_ATTEMPTS
from ledger.errors import Unavailable
from ledger.journal import Journal, Lane
from ledger.units import Unit
from sandbox.telegram import Fault, User
from tests.bot.stage import Stage
from tests.bot.test_notifier import greet, state, tell


async def test_books_that_are_busy_for_a_moment_send_nothing_twice(
    bot: Stage, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await greet(bot, ana)
    await bot.settled()
    submit, failures = Journal.submit, [Unavailable("busy")]

    async def busy_once(self: Journal, unit: Unit[object], lane: Lane = Lane.MEMBERS) -> object:
        if failures and lane is Lane.SYSTEM:
            raise failures.pop()
        return await submit(self, unit, lane)

    await tell(bot, "transfer.received", ana.id, amount=5)
    monkeypatch.setattr(Journal, "submit", busy_once)
    await bot.until(lambda: state(bot, "transfer.received") == ["sent"])
    assert len(bot.said(ana, chat, "transfer.received")) == 1


async def test_what_no_attempt_could_deliver_comes_when_its_reader_writes(bot: Stage, ana: User) -> None:
    chat = await greet(bot, ana)
    bot.telegram.faults.add(Fault("garbage", "sendMessage", times=MOST_ATTEMPTS, code=502))
    await tell(bot, "transfer.received", ana.id, amount=5)

    def ended() -> bool:
        bot.clock.pass_seconds(400)
        return state(bot, "transfer.received") == ["undeliverable"]

    await bot.until(ended)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "transfer.received")
