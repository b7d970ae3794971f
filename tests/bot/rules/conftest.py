"""A group with rules: the real commands and sentences on the stage of the bot's core, and a bot that may see and delete."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import bot.commands as bot_commands
from bot.registry import discover
from bot.speech import Sentences
from ledger.roles import Role
from sandbox.telegram import Chat, User
from tests.bot.conftest import OWNER
from tests.bot.stage import JUNO, Stage, stage


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "bank.sqlite3", OWNER) as set_up:
        set_up.registry = discover(bot_commands)
        set_up.speech = Sentences((JUNO,), "")
        await set_up.start()
        yield set_up


@pytest.fixture
def cleo(bot: Stage) -> User:
    """An admin of the bank, who is nobody special in the group."""
    return bot.telegram.person("Cleo", "cleo", user_id=33)


@pytest.fixture
async def plaza(bot: Stage, ana: User, ben: User, cleo: User) -> Chat:
    """A supergroup that Ana leads; the bot sees everything there and may delete."""
    plaza = bot.telegram.group("Plaza", ana, [ben, cleo, bot.account])
    bot.telegram.promote(bot.account, plaza)
    await bot.appoint(cleo, Role.ADMIN)
    return plaza
