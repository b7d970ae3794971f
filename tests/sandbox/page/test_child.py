"""The bot's process: started again when it dies, ended with the sandbox."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.child import Child, bare_environment

WAITS = "import time; print('up', flush=True); time.sleep(600)"


def child(directory: Path, program: str) -> Child:
    return Child((sys.executable, "-c", program), bare_environment(), directory, directory / "log")


async def until(condition: Callable[[], object]) -> None:
    """Wait for another process: nothing here is told of what it does."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_killed_program_starts_again(tmp_path: Path) -> None:
    bot = child(tmp_path, WAITS)
    running = asyncio.create_task(bot.run())
    await until(lambda: "up" in bot.last_words())
    first = bot.pid
    assert bot.kill()
    await until(lambda: bot.starts == 2 and bot.last_words().count("up") == 2)
    assert (bot.last_exit, bot.pid != first) == (-9, True)
    await bot.stop()
    await running
    assert bot.pid is None


@pytest.mark.slow
async def test_a_program_that_cannot_start_says_why(tmp_path: Path) -> None:
    bot = child(tmp_path, "raise SystemExit('MONETA_OWNERS is missing.')")
    running = asyncio.create_task(bot.run())
    await until(lambda: bot.last_exit == 1)
    await bot.stop()
    await running
    assert "MONETA_OWNERS is missing." in bot.last_words()


def test_the_bot_of_the_sandbox_gets_no_setting_of_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_MNEMONIC", "real words")
    assert "MONETA_MNEMONIC" not in bare_environment()
