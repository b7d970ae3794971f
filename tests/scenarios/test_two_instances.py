"""A second process on the same books stands by, and takes over when the first is gone."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.audit import audit
from tests.scenarios.killmatrix import ROOT
from tests.scenarios.nursery import nursery
from tests.scenarios.town import DEADLINE_SECONDS, JUNO, Town, served, town

pytestmark = pytest.mark.slow


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as founded:
        yield founded


async def test_the_second_takes_over_and_nothing_is_told_or_done_twice(place: Town) -> None:
    ana, chat = place.person("Ana")
    ben, other = place.person("Ben")
    async with served(place) as url, nursery(ROOT) as lives:
        settings, log = place.settings(url), place.directory / "log"
        first = await lives.start(settings, log, "run")
        await place.opened()
        second = await lives.start(settings, log, "run")
        for who, where in ((ana, chat), (ben, other)):
            place.telegram.say(who, where, "/start")
            await place.heard(who, where, "Welcome")
        await place.deposit(ana, 10 * JUNO)
        await place.until(lambda: place.balance(ana) == 10 * JUNO)
        place.telegram.say(ana, chat, "/send 1 @ben")
        await place.heard(ana, chat, "Receipt")
        await place.told()

        first.send(signal.SIGKILL)
        assert await first.ended(DEADLINE_SECONDS) == -signal.SIGKILL
        place.telegram.say(ana, chat, "/send 2 @ben")
        await place.until(lambda: place.balance(ben) == 3 * JUNO)
        await place.quiet()
        await place.told()
        second.send(signal.SIGTERM)
        assert await second.ended(DEADLINE_SECONDS) == 0, log.read_text()
    receipts = [shown for shown in place.telegram.replies(chat) if "Receipt" in shown.text]
    assert len(receipts) == 2
    assert audit(place.database).problems == ()
