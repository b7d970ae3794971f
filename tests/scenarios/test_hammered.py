"""Whoever hammers the bot moves nothing but their own, and keeps nobody from being served."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.audit import audit
from tests.scenarios.hammering import buttons, hammer
from tests.scenarios.town import JUNO, Town, town

pytestmark = pytest.mark.slow


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as founded:
        await founded.start()
        yield founded


async def test_a_thousand_commands_and_forged_buttons_move_no_coin_of_others(place: Town) -> None:
    ana, chat = place.person("Ana")
    ben, other = place.person("Ben")
    bad, lair = place.person("Bad")
    sink, door = place.person("Sink")
    for who, where in ((ana, chat), (ben, other), (bad, lair), (sink, door)):
        place.telegram.say(who, where, "/start")
        await place.heard(who, where, "Welcome")
    for who in (ana, ben, bad):
        await place.deposit(who, 10 * JUNO)
    await place.until(lambda: all(place.balance(who) == 10 * JUNO for who in (ana, ben, bad)))
    abroad = place.node.purse("abroad").address
    place.telegram.say(ana, chat, f"/withdraw 3 {abroad}")
    question = await place.heard(ana, chat, abroad)
    stolen = buttons(place, [chat])
    assert len(stolen) == 2

    hammer(place, bad, lair, [*stolen, "forged", "x" * 64])
    place.telegram.say(ben, other, "/send 1 @ana")
    await place.heard(ben, other, "Receipt")
    await place.quiet()

    assert (place.balance(ana), place.balance(ben)) == (11 * JUNO, 9 * JUNO)
    assert place.balance(bad) + place.balance(sink) == 10 * JUNO
    assert place.books.select("SELECT count(*) FROM withdrawals")[0][0] == 0
    assert audit(place.database).problems == ()
    place.telegram.tap(ana, question, label="Withdraw")
    await place.until(lambda: place.on_chain(abroad) == 3 * JUNO)
    await place.squares()
