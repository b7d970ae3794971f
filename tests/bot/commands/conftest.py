"""The real commands and their sentences, on the stage of the bot's core."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import bot.commands as bot_commands
from bot.context import PublicWallet
from bot.registry import discover
from bot.speech import Sentences
from ledger.money import Amount
from ledger.terms import Terms
from sandbox.telegram import Chat, User
from tests.bot.conftest import OWNER
from tests.bot.stage import JUNO, Stage, stage

TREASURY = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"
FEE = 20_000
MINIMUM = 100_000


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "bank.sqlite3", OWNER) as set_up:
        set_up.registry = discover(bot_commands)
        set_up.speech = Sentences((JUNO,), "https://explorer.example/tx/{hash}")
        set_up.terms = (Terms(JUNO.denom, Amount(MINIMUM), Amount(FEE)),)
        set_up.wallet = PublicWallet("testing-1", TREASURY, "juno", "https://explorer.example/tx/{hash}")
        await set_up.start()
        yield set_up


@pytest.fixture
async def hall(bot: Stage, owner: User, ana: User, ben: User) -> Chat:
    """A supergroup that the owner made, where the bot may restrict members; Ana and Ben own ten each."""
    hall = bot.telegram.group("Hall", owner, [ana, ben, bot.account])
    bot.telegram.promote(bot.account, hall)
    for person in (ana, ben):
        await bot.fund(person, 10_000_000)
    await bot.settled()
    return hall
