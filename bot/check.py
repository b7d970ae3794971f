"""What ``moneta check`` looks at, one line each: settings, database, clock, Telegram and nodes."""

from collections.abc import AsyncIterator
from contextlib import closing
from enum import Enum, auto
from typing import NamedTuple

from bot.machineclock import clock_problem
from bot.settings import Settings
from bot.transport import Telegram, TransportError
from chain.client import NodeClient
from chain.errors import ChainError
from ledger.identity import require_own
from ledger.migrate import missing
from ledger.ports import Millis
from ledger.reader import Reader


class Unfit(Enum):
    """What is not fit to run."""

    CLOCK = auto()
    OUTSIDE = auto()


class Finding(NamedTuple):
    """What was found, for people; ``unfit`` is None when it is as it should be."""

    line: str
    unfit: Unfit | None = None


async def findings(settings: Settings, now: Millis) -> AsyncIterator[Finding]:
    """Yield what is found, each as soon as it is. Raises WrongDatabase for one of another program, chain or bot."""
    yield Finding(f"Settings: good. Treasury {settings.wallet.address} on {settings.chain_id}.")
    yield Finding(_database_line(settings))
    if (late := clock_problem(settings.database, now)) is not None:
        yield Finding(late, Unfit.CLOCK)
    yield await _telegram(settings)
    for number, url in enumerate(settings.nodes, 1):
        yield await _node(number, url, settings.chain_id)


def _database_line(settings: Settings) -> str:
    path = settings.database
    if not path.exists():
        return f"Database: none at {path} yet; it is made at the first run."
    lacks = missing(path)
    with closing(Reader(path)) as books:
        require_own(books, settings.identity)
    behind = f", {lacks} migrations behind; `moneta migrate` applies them" if lacks else ""
    return f"Database: {path}{behind}."


async def _telegram(settings: Settings) -> Finding:
    telegram = Telegram(settings.telegram_token.get_secret_value(), f"{settings.telegram_url}/bot")
    try:
        me = await telegram.open()
    except TransportError as error:
        return Finding(f"Telegram: {error}.", Unfit.OUTSIDE)
    finally:
        await telegram.close()
    return Finding(f"Telegram: @{me.username} ({me.id}).")


async def _node(number: int, url: str, chain_id: str) -> Finding:
    async with NodeClient(f"node {number}", url) as node:
        try:
            status = await node.status()
        except ChainError as error:
            return Finding(f"Node {number}: {error}.", Unfit.OUTSIDE)
    if status.chain_id != chain_id:
        return Finding(f"Node {number}: it is of the chain {status.chain_id}, not {chain_id}.", Unfit.OUTSIDE)
    return Finding(f"Node {number}: {status.chain_id} at height {status.latest_height}.")
