"""What one member who hammers the bot costs the others: 1,000 commands and forged buttons in one go.

The real ``moneta run`` against the sandbox's Telegram and Juno over HTTP. Others pay each other meanwhile, right behind
the burst in Telegram's queue; measured is the time from their command to its transfer in the books, and to its receipt
in their chat, beside the same in quiet.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.node.decoding import Coin
from sandbox.telegram import Chat, User
from scripts.benchmarks.restart import answer, kill, start
from tests.scenarios.hammering import COMMANDS, buttons, hammer
from tests.scenarios.town import DENOM, JUNO, TREASURY, Town, served, town

LIMIT_SECONDS = 60.0
WANTED_SECONDS = 1.0
PEOPLE = 10
BETWEEN_SECONDS = 2.2
"""Between the payments of one member: Telegram lets a bot answer a chat once a second."""


class Turn(NamedTuple):
    """The seconds of one payment."""

    booked: float
    told: float


async def pay(place: Town, who: User, chat: Chat, other: User) -> Turn:
    """Let ``who`` pay ``other``, and wait for both ends of it."""
    before, replies = place.balance(who), len(place.telegram.replies(chat))
    began = time.perf_counter()
    place.telegram.say(who, chat, f"/send 0.000001 @{other.username}")
    booked = told = 0.0
    async with asyncio.timeout(LIMIT_SECONDS):
        while not (booked and told):
            passed = time.perf_counter() - began
            booked = booked or (passed if place.balance(who) < before else 0.0)
            told = told or (passed if len(place.telegram.replies(chat)) > replies else 0.0)
            await asyncio.sleep(0.005)
    return Turn(booked, told)


async def everybody(place: Town, people: Sequence[tuple[User, Chat]], sink: User) -> list[Turn]:
    """Let everybody pay ``sink`` at the same time."""
    return list(await asyncio.gather(*(pay(place, who, chat, sink) for who, chat in people)))


async def measure(folder: Path, rounds: int) -> tuple[list[Turn], list[Turn]]:
    """Return the payments in quiet, and those behind the hammering."""
    async with town(folder) as place, served(place) as url:
        place.node.faucet(TREASURY, [Coin(DENOM, 100 * JUNO)])
        process = await start(place, url)
        try:
            return await compare(place, rounds)
        finally:
            await kill(process)


async def compare(place: Town, rounds: int) -> tuple[list[Turn], list[Turn]]:
    """Pay in quiet and behind the hammering, in turns."""
    quiet: list[Turn] = []
    hammered: list[Turn] = []
    people = [place.person(f"P{number}") for number in range(PEOPLE)]
    (bad, lair), (sink, door) = place.person("Bad"), place.person("Sink")
    await place.opened()
    await answer(place, sink, door, "/start")
    for who, chat in (*people, (bad, lair)):
        await answer(place, who, chat, "/start")
        await place.deposit(who, 10 * JUNO)
    await place.until(lambda: all(place.balance(who) for who, _ in (*people, (bad, lair))))
    await place.told()
    await answer(place, *people[0], f"/withdraw 1 {place.node.purse('abroad').address}")
    stolen = [*buttons(place, [chat for _, chat in people]), "forged"]
    for _ in range(rounds):
        await asyncio.sleep(BETWEEN_SECONDS)
        quiet += await everybody(place, people, sink)
        await asyncio.sleep(BETWEEN_SECONDS)
        hammer(place, bad, lair, stolen)
        hammered += await everybody(place, people, sink)
    return quiet, hammered


def main(argv: Sequence[str]) -> int:
    """Measure, print, and return 1 when others wait too long."""
    parser = argparse.ArgumentParser(prog="scripts/bench hammer", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=5, help="bursts, each followed by ten payments of others"
    )
    parser.add_argument("--quick", action="store_true", help="one burst")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    chosen = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        quiet, hammered = asyncio.run(measure(Path(folder), 1 if chosen.quick else chosen.rounds))
    result: dict[str, Any] = {"commands": COMMANDS, "cores": os.cpu_count()}
    for name, turns in (("quiet", quiet), ("hammered", hammered)):
        for what in Turn._fields:
            times = [getattr(turn, what) for turn in turns]
            result[f"{name}_{what}_median_seconds"] = round(statistics.median(times), 3)
            result[f"{name}_{what}_worst_seconds"] = round(max(times), 3)
    for what in Turn._fields:
        medians = [result[f"{name}_{what}_median_seconds"] for name in ("hammered", "quiet")]
        result[f"{what}_delay_seconds"] = round(medians[0] - medians[1], 3)
    for name, value in result.items():
        print(f"  {name:<34}{value}")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if max(result[f"{what}_delay_seconds"] for what in Turn._fields) < WANTED_SECONDS else 1
