import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sandbox.node.control import control_router
from sandbox.node.node import SANDBOX_PARAMETERS, JunoNode
from sandbox.page import create_app
from sandbox.page.books import Books
from sandbox.page.money import Money
from sandbox.scene import PLAY_ASSET, set_scene
from sandbox.telegram import BotAccount, Chat, Telegram
from tests.sandbox.telegram.conftest import ManualClock

ANA, BEN, CHI, OLGA = 5_550_002, 5_550_003, 5_550_004, 5_550_001


class Desk(httpx.AsyncClient):
    """The HTTP API as a client has it, with the parts behind it in reach."""

    telegram: Telegram
    node: JunoNode
    bot: BotAccount
    plaza: Chat

    def at(self, person: int, chat: Chat, rest: str = "") -> str:
        """Return the path of a person's chat."""
        return f"/api/people/{person}/chats/{chat.key}{rest}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def desk(clock: ManualClock, tmp_path: Path) -> AsyncIterator[Desk]:
    telegram = Telegram(clock=clock, rng=random.Random(3))
    node = await JunoNode.open(SANDBOX_PARAMETERS, clock=clock, rng=random.Random(4))
    bot = set_scene(telegram, node)
    await node.produce_block()
    books = Books(tmp_path / "moneta.sqlite3")
    money = Money(node, node.purse("treasury").address, PLAY_ASSET, books)
    app = create_app(telegram, money=money, books=books, controls={"/api/node": control_router(node)})
    async with Desk(transport=httpx.ASGITransport(app), base_url="http://desk") as desk:
        desk.telegram, desk.node, desk.bot = telegram, node, bot
        desk.plaza = next(chat for chat in telegram.state.chats.values() if chat.title)
        yield desk
    books.close()
    await node.stop()
