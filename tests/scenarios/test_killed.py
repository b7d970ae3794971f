"""kill -9 at each step of each flow: what was asked happens once, and the books agree with the chain."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.audit import audit
from tests.scenarios.killable import POINTS
from tests.scenarios.town import JUNO, Program, Town, served, town

pytestmark = pytest.mark.slow


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as founded:
        yield founded


@pytest.mark.parametrize("point", POINTS)
async def test_killed_anywhere_everything_happens_once(place: Town, point: str) -> None:
    log = place.directory / "log"
    ana, chat = place.person("Ana")
    ben, other = place.person("Ben")
    abroad = place.node.purse("abroad").address
    async with served(place) as url:
        settings = place.settings(url)
        healthy = Program(settings, log)
        await healthy.start()
        await place.opened()
        for who, where in ((ana, chat), (ben, other)):
            place.telegram.say(who, where, "/start")
            await place.heard(who, where, "Welcome")
        await place.deposit(ana, 10 * JUNO)
        await place.until(lambda: place.balance(ana) == 10 * JUNO)
        place.telegram.say(ana, chat, f"/withdraw 3 {abroad}")
        question = await place.heard(ana, chat, abroad)
        assert await healthy.stop() == 0, log.read_text()

        place.telegram.say(ana, chat, "/send 4 @ben")
        place.telegram.tap(ana, question, row=0)
        dying = Program(settings, log, point)
        await dying.start()
        assert await dying.died() == -signal.SIGKILL, log.read_text()

        again = Program(settings, log)
        await again.start()
        await place.until(lambda: place.balance(ben) == 4 * JUNO)
        await place.until(lambda: place.on_chain(abroad) > 0)
        await place.squares()
        assert await again.stop() == 0, log.read_text()

    fee = 20_000
    assert (place.balance(ana), place.balance(ben)) == (3 * JUNO - fee, 4 * JUNO)
    assert place.on_chain(abroad) == 3 * JUNO
    assert audit(place.database).problems == ()
    receipts = place.books.select("SELECT kind FROM transactions WHERE kind IN ('transfer', 'withdrawal')")
    assert sorted(row[0] for row in receipts) == ["transfer", "withdrawal"]
