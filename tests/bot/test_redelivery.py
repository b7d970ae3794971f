"""What was sent is not sent again because of us, and what could not be sent is not forgotten."""

import json

import pytest

from bot import outbox
from bot.notifier import MOST_ATTEMPTS
from bot.outgoing import Address, Message
from bot.transport import Offline, Sent, Telegram, Throttled, TransportError
from ledger.errors import Unavailable
from ledger.journal import Journal, Lane
from ledger.outbox import live
from ledger.units import Decision, Unit
from sandbox.telegram import Chat, Fault, User
from tests.bot.stage import TALLY, Stage
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


@pytest.mark.parametrize("late", [Offline("away"), Throttled(1.0)])
async def test_an_alert_is_told_again_to_those_alone_who_did_not_hear_it(
    bot: Stage, ana: User, ben: User, monkeypatch: pytest.MonkeyPatch, late: TransportError
) -> None:
    cleo = bot.telegram.person("Cleo")
    chats = [await greet(bot, each) for each in (ana, ben, cleo)]
    await bot.settled()
    bot.front.notifier.delivery.operators = (ana.id, ben.id, cleo.id)
    send, failures = Telegram.send, [late]

    async def late_once(self: Telegram, to: Address, message: Message) -> Sent:
        if to.chat == ben.id and failures:
            raise failures.pop()
        return await send(self, to, message)

    monkeypatch.setattr(Telegram, "send", late_once)
    await tell(bot, "alert.raised", 0, alert="clock.behind")

    def told() -> bool:
        bot.clock.pass_seconds(5)
        return state(bot, "alert.raised") == ["sent"]

    await bot.until(told)
    heard = [
        len(bot.said(who, chat, "alert.raised")) for who, chat in zip((ana, ben, cleo), chats, strict=True)
    ]
    assert heard == [1, 1, 1]


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


async def test_of_many_messages_for_somebody_away_the_newest_are_kept(
    bot: Stage, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can pay somebody who blocked the bot, a little and often: that must not flood them when they are back."""
    monkeypatch.setattr(outbox, "MOST_KEPT", 3)
    chat = await greet(bot, ana)
    bot.telegram.block(ana)
    for amount in range(1, 7):
        await tell(bot, "transfer.received", ana.id, amount=amount)
    waiting = ["dropped"] * 3 + ["undeliverable"] * 3

    def tried() -> bool:
        bot.clock.pass_seconds(2)
        return state(bot, "transfer.received") == waiting

    await bot.until(tried)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, outbox.LEFT_OUT)

    def told() -> bool:
        bot.clock.pass_seconds(2)
        return state(bot, "transfer.received")[3:] == ["sent"] * 3

    await bot.until(told)
    told_of = [
        json.loads(each.text.partition(" ")[2])["amount"] for each in bot.said(ana, chat, "transfer.received")
    ]
    assert told_of == [4, 5, 6]
    assert len(bot.said(ana, chat, outbox.LEFT_OUT)) == 1
    assert state(bot, "alert.raised") == []


async def test_a_card_is_not_given_up_while_telegram_is_away(bot: Stage, ana: User, plaza: Chat) -> None:
    """Its last change has no next one that would show it: a giveaway that is over would look open for ever."""
    bot.telegram.say(ana, plaza, "/tally")
    shown = await bot.heard(ana, plaza, "tally")
    bot.telegram.faults.add(Fault("refuse", "editMessageText", times=MOST_ATTEMPTS + 3, code=500))
    bot.telegram.tap(ana, shown)
    await bot.until(lambda: state(bot, "tally.changed"))

    def told() -> bool:
        bot.clock.pass_seconds(400)
        return state(bot, "tally.changed") != ["pending"]

    await bot.until(told)
    assert [each.text for each in bot.said(ana, plaza, "tally")] == ['tally {"taps": 1}']


async def test_a_card_that_comes_late_shows_what_is_so_then(bot: Stage, ana: User, plaza: Chat) -> None:
    """What changed while its message could not be sent had been given up: it would look as it began for ever."""
    chat = await greet(bot, ana)
    bot.telegram.faults.add(Fault("garbage", "sendMessage", times=MOST_ATTEMPTS, code=502))
    bot.telegram.say(ana, plaza, "/tally")
    await bot.until(lambda: state(bot, "reply")[1:])
    changed = live("tally.changed", plaza.id, TALLY, {}, bot.clock.now())
    await bot.service.journal.submit(Unit(lambda _: Decision(None, rows=(changed,))))

    def given_up() -> bool:
        bot.clock.pass_seconds(400)
        return (state(bot, "reply")[1], state(bot, "tally.changed")) == ("undeliverable", ["dropped"])

    await bot.until(given_up)
    bot.telegram.say(ana, chat, "/hello")
    card = await bot.heard(ana, plaza, "tally")
    await bot.until(lambda: card.text == 'tally {"taps": 2}')
