"""A raid: messages that break rules come in faster than they can be judged, and commands must come in all the same."""

from pathlib import Path

from bot.lanes import PER_CHAT
from bot.rules.book import decide_rule
from bot.rules.changes import stated
from bot.rules.model import Kind
from bot.transport.client import BATCH_LIMIT
from ledger.roles import CONSOLE
from ledger.units import Unit
from tests.bot.stage import Stage, stage


async def forbid_links(bot: Stage, chat: int) -> None:
    unit = Unit(lambda view: decide_rule(view, CONSOLE, chat, stated(Kind.LINKS, None), "a raid"))
    await bot.service.journal.submit(unit)


async def test_a_raid_leaves_room_for_commands(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start(only="fetch")
        ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
        plaza = bot.telegram.group("Plaza", ana, [ben, bot.account])
        bot.telegram.promote(bot.account, plaza)
        await forbid_links(bot, plaza.id)
        for number in range(PER_CHAT + 3 * BATCH_LIMIT):
            bot.telegram.say(ben, plaza, f"https://evil.example/{number}")
        bot.telegram.say(ana, bot.telegram.private(ana), "/hello")
        await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE key LIKE 'm:%'"))
        ((judged,),) = bot.rows("SELECT count(*) FROM inbox WHERE key LIKE 'j:%'")
        assert PER_CHAT <= judged < PER_CHAT + BATCH_LIMIT
