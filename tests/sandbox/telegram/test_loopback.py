"""Over a real socket: the library polls, an update wakes it, a lost reply is a network error."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import telegram as ptb

from sandbox.serving import Prefixes, bind, make_server, url_of
from sandbox.telegram import Fault, Telegram, create_app
from tests.sandbox.telegram.conftest import ManualClock


@pytest.fixture
def telegram(clock: ManualClock) -> Telegram:
    return Telegram(clock=clock, rng=random.Random(9))


@pytest.fixture
async def url(telegram: Telegram) -> AsyncIterator[str]:
    listening = bind(0)
    app = create_app(telegram)
    server = make_server(Prefixes(app, {"telegram": app}))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield url_of(listening)
    server.should_exit = True
    await serving


@pytest.mark.parametrize("prefix", ["", "/telegram"])
async def test_a_turn_over_a_socket(telegram: Telegram, url: str, prefix: str) -> None:
    account = telegram.bot("Moneta", "moneta_test_bot")
    ana = telegram.person("Ana")
    async with ptb.Bot(account.token, base_url=f"{url}{prefix}/bot") as bot:
        poll = asyncio.create_task(bot.get_updates(timeout=20))
        telegram.say(ana, telegram.private(ana), "/start")
        (update,) = await poll
        assert update.effective_user is not None
        await bot.send_message(update.effective_user.id, "Welcome")
    assert [message.text for message in telegram.replies(telegram.private(ana))] == ["Welcome"]


async def test_a_lost_reply_breaks_the_connection(telegram: Telegram, url: str) -> None:
    account = telegram.bot("Moneta", "moneta_test_bot")
    ana = telegram.person("Ana")
    telegram.say(ana, telegram.private(ana), "/start")
    async with ptb.Bot(account.token, base_url=f"{url}/bot") as bot:
        telegram.faults.add(Fault("lost_reply", "sendMessage"))
        with pytest.raises(ptb.error.NetworkError):
            await bot.send_message(ana.id, "Welcome")
    assert len(telegram.replies(telegram.private(ana))) == 1
