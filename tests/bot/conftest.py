from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.telegram import Chat, User
from tests.bot.stage import Stage, stage
from tests.jumping import JumpingLoop

OWNER = 77


def pytest_asyncio_loop_factories() -> dict[str, type[JumpingLoop]]:
    """Let no test of the bot wait: its time jumps."""
    return {"jumping": JumpingLoop}


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Stage]:
    """The program, running."""
    async with stage(tmp_path / "bank.sqlite3", OWNER) as set_up:
        await set_up.start()
        yield set_up


@pytest.fixture
def ana(bot: Stage) -> User:
    return bot.telegram.person("Ana", "ana", user_id=11)


@pytest.fixture
def ben(bot: Stage) -> User:
    return bot.telegram.person("Ben", "ben", user_id=22)


@pytest.fixture
def owner(bot: Stage) -> User:
    return bot.telegram.person("Olga", user_id=OWNER)


@pytest.fixture
def plaza(bot: Stage, ana: User, ben: User) -> Chat:
    """A supergroup of Ana, Ben and the bot."""
    return bot.telegram.group("Plaza", ana, [ben, bot.account])
