"""A sandbox that starts again shows its chats, and its bot finds the updates that waited."""

import asyncio
import random
from pathlib import Path

import telegram as ptb

from sandbox.telegram import Chat, Telegram, User
from sandbox.telegram.snapshot import dump, keep, restore
from tests.sandbox.telegram.conftest import ManualClock
from tests.sandbox.telegram.test_media import PNG


async def test_a_restored_telegram_is_the_same(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat, ana: User, clock: ManualClock
) -> None:
    telegram.say(ana, plaza, "/balance")
    await bot.send_photo(plaza.id, PNG, caption="<b>scan</b>", parse_mode="HTML")
    other = Telegram(clock=clock, rng=random.Random(8))
    restore(other, dump(telegram))
    assert other.state == telegram.state
    assert {n: list(q.waiting) for n, q in other.queues.items()} == {
        n: list(q.waiting) for n, q in telegram.queues.items()
    }


async def test_what_changed_is_on_disk_when_the_keeper_stops(
    telegram: Telegram, ana: User, tmp_path: Path
) -> None:
    path = tmp_path / "telegram.json"

    async def run(call: object) -> object:
        return call()  # type: ignore[operator] # the test's own runner

    keeper = asyncio.create_task(keep(telegram, path, run))  # type: ignore[arg-type] # any callable does here
    await asyncio.sleep(0)
    telegram.person("Chi")
    await asyncio.sleep(0)
    keeper.cancel()
    await asyncio.gather(keeper, return_exceptions=True)
    assert path.read_bytes() == dump(telegram)
