"""A deposit becomes a balance, a transfer moves it, a withdrawal lands; all parts are real."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.telegram import Chat, Fault, Message
from tests.scenarios.town import JUNO, Town, town


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as founded:
        await founded.start()
        yield founded


async def test_the_whole_path(place: Town) -> None:
    ana, chat = place.person("Ana")
    ben, other = place.person("Ben")
    for who, where in ((ana, chat), (ben, other)):
        place.telegram.say(who, where, "/start")
        await place.heard(who, where, "Welcome")
    place.telegram.say(ana, chat, "/deposit")
    card = await place.heard(ana, chat, str(ana.id))
    await place.deposit(ana, 10 * JUNO)
    await place.until(lambda: place.balance(ana) == 10 * JUNO)
    await place.until(lambda: "10 JUNO" in chat.messages[card.id].text)

    place.telegram.say(ana, chat, "/send 4 @ben for lunch")
    await place.heard(ben, other, "4 JUNO")
    assert (place.balance(ana), place.balance(ben)) == (6 * JUNO, 4 * JUNO)

    abroad = place.node.purse("abroad").address
    place.telegram.say(ben, other, f"/withdraw 3 {abroad}")
    question = await place.heard(ben, other, abroad)
    place.telegram.tap(ben, question, row=0)
    await place.until(lambda: place.on_chain(abroad) == 3 * JUNO)
    await place.squares()
    place.telegram.say(ben, other, "/history")
    await place.heard(ben, other, "lunch")
    assert place.balance(ben) == 980_000


async def test_a_group_sees_a_tip_and_no_balance(place: Town) -> None:
    ana, chat = place.person("Ana")
    ben, _ = place.person("Ben")
    plaza = place.telegram.group("Plaza", ana, [ben, place.account])
    place.telegram.say(ana, chat, "/start")
    await place.heard(ana, chat, "Welcome")
    await place.deposit(ana, 10 * JUNO)
    await place.until(lambda: place.balance(ana) == 10 * JUNO)
    words = place.telegram.say(ben, plaza, "here is a good link")
    place.telegram.say(ana, plaza, "/tip 2", reply_to=words)
    receipt = await place.heard(ben, plaza, "2 JUNO")
    place.telegram.say(ana, plaza, "/balance")
    await place.heard(ana, chat, "8 JUNO")
    assert place.balance(ben) == 2 * JUNO
    assert [shown.id for shown in place.telegram.replies(plaza)] == [receipt.id]


async def test_of_twenty_transfers_and_five_withdrawals_at_once_what_fits_succeeds(place: Town) -> None:
    ana, chat = place.person("Ana")
    ben, other = place.person("Ben")
    for who, where in ((ana, chat), (ben, other)):
        place.telegram.say(who, where, "/start")
        await place.heard(who, where, "Welcome")
    await place.deposit(ana, 8 * JUNO)
    await place.until(lambda: place.balance(ana) == 8 * JUNO)
    abroad = place.node.purse("abroad").address
    for _ in range(5):
        place.telegram.say(ana, chat, f"/withdraw 1 {abroad}")
    questions = await place.until(lambda: _five(place, chat, abroad))
    for number in range(20):
        place.telegram.say(ana, chat, "/send 1 @ben")
        if number % 4 == 0:
            place.telegram.tap(ana, questions[number // 4], row=0)
    await place.quiet()
    await place.squares()
    sent, left = place.balance(ben) // JUNO, place.on_chain(abroad) // JUNO
    kinds = [
        row[0] for row in place.books.select("SELECT kind FROM transactions WHERE from_id = ?", (ana.id,))
    ]
    assert (kinds.count("transfer"), kinds.count("withdrawal")) == (sent, left)
    assert 0 <= place.balance(ana) == 8 * JUNO - sent * JUNO - left * 1_020_000
    assert place.balance(ana) < 1_020_000


def _five(place: Town, chat: Chat, words: str) -> list[Message]:
    """Return the questions once all five are there."""
    asked = [shown for shown in place.telegram.replies(chat) if words in shown.text and shown.buttons]
    return asked if len(asked) == 5 else []


@pytest.mark.parametrize("code", [400, 403, 409, 502])
async def test_it_starts_when_telegram_can_be_reached(tmp_path: Path, code: int) -> None:
    """A proxy, or a country's filter, answers for Telegram with codes of its own."""
    async with town(tmp_path) as place:
        place.telegram.faults.add(Fault("refuse", "getMe", code=code, description="Blocked"))
        await place.start()
        assert place.telegram.faults.waiting == []
