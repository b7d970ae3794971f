import random
from collections.abc import AsyncIterator

import httpx
import pytest
import telegram as ptb
from telegram.request import HTTPXRequest

from ledger.ports import Millis
from sandbox.telegram import BotAccount, Chat, Telegram, User, create_app


class ManualClock:
    """Time that only tests move."""

    def __init__(self) -> None:
        self.millis = 1_700_000_000_000

    def now(self) -> Millis:
        return Millis(self.millis)

    def pass_seconds(self, seconds: float) -> None:
        self.millis += int(seconds * 1000)


@pytest.fixture(autouse=True)
def _durations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library give durations as such; its older form warns."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def telegram(clock: ManualClock) -> Telegram:
    return Telegram(clock=clock, rng=random.Random(7))


@pytest.fixture
def account(telegram: Telegram) -> BotAccount:
    return telegram.bot("Moneta", "moneta_test_bot")


@pytest.fixture
def ana(telegram: Telegram) -> User:
    return telegram.person("Ana", "ana")


@pytest.fixture
def ben(telegram: Telegram) -> User:
    return telegram.person("Ben")


@pytest.fixture
def plaza(telegram: Telegram, account: BotAccount, ana: User, ben: User) -> Chat:
    """A supergroup whose creator is Ana; the bot is an administrator and has no updates waiting."""
    chat = telegram.group("Plaza", ana, [ben, account])
    telegram.promote(account, chat)
    telegram.queues[account.user.id].clear()
    return chat


def request_to(telegram: Telegram) -> HTTPXRequest:
    return HTTPXRequest(httpx_kwargs={"transport": httpx.ASGITransport(create_app(telegram))})


@pytest.fixture
async def bot(telegram: Telegram, account: BotAccount) -> AsyncIterator[ptb.Bot]:
    """The library as it is, over an in-process transport."""
    bot = ptb.Bot(
        account.token,
        base_url="http://telegram.test/bot",
        base_file_url="http://telegram.test/file/bot",
        request=request_to(telegram),
        get_updates_request=request_to(telegram),
    )
    async with bot:
        yield bot
