"""How soon the program serves again after a kill, with a million postings in its books.

The real ``moneta run``, against the sandbox's Telegram and Juno over HTTP, is killed in the middle of its work. A
command waits; the clock runs from the start of the new process until its answer is in the chat.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.node.decoding import Coin
from sandbox.telegram import Chat, User
from scripts.benchmarks.databases import FUNDS, MEMBERS, prepare
from tests.scenarios.killable import as_environment
from tests.scenarios.town import DENOM, TREASURY, Town, served, town

LIMIT_SECONDS = 60.0
WANTED_SECONDS = 2.0
MONETA = Path(sys.executable).with_name("moneta")


async def start(place: Town, url: str) -> asyncio.subprocess.Process:
    """Start the program as an operator does."""
    empty = place.directory / "empty.env"
    empty.touch()
    with (place.directory / "log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            MONETA,
            "run",
            "--env-file",
            empty,
            env=as_environment(place.settings(url)),
            stdout=log,
            stderr=log,
        )


async def answer(place: Town, who: User, chat: Chat, text: str) -> None:
    """Say ``text`` and wait for what the bot says."""
    before = len(place.telegram.replies(chat))
    place.telegram.say(who, chat, text)
    await place.telegram.until(lambda: len(place.telegram.replies(chat)) > before, LIMIT_SECONDS)


async def kill(process: asyncio.subprocess.Process) -> None:
    """End ``process`` as the kernel would, unless it has ended."""
    if process.returncode is None:
        process.kill()
    await process.wait()


async def measure(folder: Path, rows: int, rounds: int) -> list[float]:
    """Return the seconds of each restart."""
    async with town(folder) as place, served(place) as url:
        await asyncio.to_thread(prepare, place.database, rows)
        place.node.faucet(TREASURY, [Coin(DENOM, MEMBERS * FUNDS)])
        await place.node.wait_height(place.node.height + 2)
        who = place.telegram.person("Ana", "ana", user_id=1)
        chat = place.telegram.private(who)
        process = await start(place, url)
        seconds = []
        try:
            await answer(place, who, chat, "/start")
            for _ in range(rounds):
                place.telegram.say(who, chat, "/send 0.000001 2")
                await answer(place, who, chat, "/balance")
                await kill(process)
                began = time.perf_counter()
                process = await start(place, url)
                await answer(place, who, chat, "/balance")
                seconds.append(time.perf_counter() - began)
        finally:
            await kill(process)
    return seconds


async def imports() -> float:
    """Return the seconds that Python needs to load the program."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(MONETA, "--help", stdout=asyncio.subprocess.DEVNULL)
    await process.wait()
    return time.perf_counter() - began


def main(argv: Sequence[str]) -> int:
    """Measure, print, and return 1 when a restart takes too long."""
    parser = argparse.ArgumentParser(prog="scripts/bench restart", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="postings in the books")
    parser.add_argument("--rounds", type=int, default=7, help="restarts, of which the median counts")
    parser.add_argument("--quick", action="store_true", help="10,000 rows, three restarts")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    chosen = parser.parse_args(argv)
    rows, rounds = (10_000, 3) if chosen.quick else (chosen.rows, chosen.rounds)
    with tempfile.TemporaryDirectory() as folder:
        seconds = asyncio.run(measure(Path(folder), rows, rounds))
    loaded = asyncio.run(imports())
    result: dict[str, Any] = {
        "rows": rows,
        "cores": os.cpu_count(),
        "restart_seconds": [round(each, 3) for each in seconds],
        "median_seconds": round(statistics.median(seconds), 3),
        "of_that_loading_python_seconds": round(loaded, 3),
        "wanted_seconds": WANTED_SECONDS,
    }
    for name, value in result.items():
        print(f"  {name:<34}{value}")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if result["median_seconds"] < WANTED_SECONDS else 1
