"""``moneta sandbox``: play-money Juno, a Telegram for one machine, the bot as it is, and a page to play with them."""

import argparse
import asyncio
import contextlib
import fcntl
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

import sandbox
from chain.wallet import Wallet
from ledger.world import SystemClock, ThreadRunner
from sandbox import child as bot_process
from sandbox import page
from sandbox.child import Child
from sandbox.node.control import control_router
from sandbox.node.node import SANDBOX_PARAMETERS, JunoNode
from sandbox.page.books import Books
from sandbox.page.money import Money
from sandbox.scene import MNEMONIC, OWNER, PLAY_ASSET, set_scene
from sandbox.serving import Prefixes, bind, make_server, url_of
from sandbox.telegram import FloodLimits, Telegram, snapshot
from sandbox.telegram import create_app as telegram_app

DEFAULT_PORT: Final = 8717
DEFAULT_DIRECTORY: Final = Path("sandbox-state")
_BOT_COMMAND: Final = (sys.executable, "-m", "bot.cli", "run")
_FOREVER_HOURS: Final = 24 * 365 * 100
"""A sandbox may lie about for months; nobody unbonds from its validators."""
_FAILURES_WORTH_TELLING: Final = 2


class CannotStart(Exception):  # noqa: N818 - says what is the case
    """The directory of the sandbox cannot be used; the text says why and what to do."""


class Options(NamedTuple):
    """What ``moneta sandbox`` was asked for."""

    port: int | None
    directory: Path
    block_seconds: float
    fresh: bool
    with_bot: bool
    with_limits: bool


class Files(NamedTuple):
    """Where the sandbox keeps what it must find again."""

    telegram: Path
    chain: Path
    books: Path
    log: Path

    @classmethod
    def under(cls, directory: Path) -> "Files":
        """Return the files of a sandbox in ``directory``."""
        return cls(
            directory / "telegram.json",
            directory / "chain.sqlite3",
            directory / "moneta.sqlite3",
            directory / "bot.log",
        )

    def remove(self) -> None:
        """Forget everything; other files of the directory stay."""
        for path in self:
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)


def parse(argv: Sequence[str]) -> Options:
    """Return the options; leaves the program with a usage message for others."""
    parser = argparse.ArgumentParser("moneta sandbox", description=__doc__)
    parser.add_argument("--port", type=int, help=f"loopback port (default: {DEFAULT_PORT}, or a free one)")
    parser.add_argument("--directory", type=Path, default=DEFAULT_DIRECTORY, help="where it is kept")
    parser.add_argument("--block-seconds", type=float, default=1.0, help="time between blocks (default: 1)")
    parser.add_argument("--fresh", action="store_true", help="forget what was kept and begin anew")
    parser.add_argument("--no-bot", action="store_true", help="start everything but the bot")
    parser.add_argument(
        "--no-limits", action="store_true", help="without Telegram's limits on messages a second"
    )
    given = parser.parse_args(argv)
    return Options(
        given.port, given.directory, given.block_seconds, given.fresh, not given.no_bot, not given.no_limits
    )


def command(argv: Sequence[str]) -> int:
    """Run ``moneta sandbox`` until it is interrupted; return the exit code (2: it could not start)."""
    options = parse(argv)
    try:
        with _claimed(options.directory), contextlib.closing(_listen(options.port)) as listening:
            asyncio.run(run(options, listening))
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


@contextlib.contextmanager
def _claimed(directory: Path) -> Iterator[None]:
    """Keep ``directory`` for this process; a second sandbox in it would write over the first one's files."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"A sandbox runs in {directory} already: end it, or choose another --directory."
            ) from None
        yield


def _listen(port: int | None) -> socket.socket:
    """Return the asked port, or the usual one, or any when that is taken. Raises CannotStart."""
    if port is not None:
        try:
            return bind(port)
        except OSError as error:
            raise CannotStart(f"Port {port} cannot be used: {error.strerror}.") from error
    try:
        return bind(DEFAULT_PORT)
    except OSError:
        return bind(0)


async def run(options: Options, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; everything is on disk and nothing is left running afterwards."""
    files = Files.under(options.directory)
    if options.fresh:
        files.remove()
    stopping = _stop_signal()
    url = url_of(listening)
    async with _world(options, files) as (telegram, node):
        token = set_scene(telegram, node).token
        settings = _environment(url, token, files, options) | anchor(node)
        child = Child(_BOT_COMMAND, settings, options.directory, files.log)
        books = Books(files.books.resolve())
        server = make_server(_application(telegram, node, books, child))
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve(sockets=[listening]), name="http")
            bot = tasks.create_task(_run_bot(child), name="bot") if options.with_bot else None
            print(_greeting(url, options, files), flush=True)
            try:
                await stopping.wait()
            finally:
                await child.stop()
            if bot is not None:
                await bot
            server.should_exit = True
            telegram.touched()  # wakes the page's long polls, so that the server can close
            await serving
        books.close()


@contextlib.asynccontextmanager
async def _world(options: Options, files: Files) -> AsyncIterator[tuple[Telegram, JunoNode]]:
    """Open Telegram and the chain from disk, keep both there, and close them in the end."""
    clock, rng = SystemClock(), random.SystemRandom()
    telegram = Telegram(clock=clock, rng=rng, flood=FloodLimits() if options.with_limits else None)
    _restore(telegram, files.telegram)
    disk, chain_disk = ThreadRunner("telegram"), ThreadRunner("chain")
    node = await JunoNode.open(
        SANDBOX_PARAMETERS,
        clock=clock,
        rng=rng,
        path=files.chain,
        blocking=chain_disk,
        block_seconds=options.block_seconds,
    )
    keeper = asyncio.create_task(snapshot.keep(telegram, files.telegram, disk), name="keeper")
    await node.start()
    try:
        yield telegram, node
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await node.stop()
        disk.close()
        chain_disk.close()


def _restore(telegram: Telegram, path: Path) -> None:
    """Bring back what ``path`` keeps, if it is there. Raises CannotStart when it is no such file."""
    if not path.exists():
        return
    try:
        snapshot.restore(telegram, path.read_bytes())
    except ValueError as error:
        raise CannotStart(f"{path} is no kept sandbox (begin anew with --fresh).") from error


def _application(telegram: Telegram, node: JunoNode, books: Books, child: Child) -> Prefixes:
    treasury = Wallet.from_mnemonic(MNEMONIC, SANDBOX_PARAMETERS).address
    controls = {"/api/bot": bot_process.router(child), "/api/node": control_router(node)}
    money = Money(node, treasury, PLAY_ASSET, books)
    front = page.create_app(telegram, money=money, books=books, controls=controls)
    return Prefixes(front, {"telegram": telegram_app(telegram), "node": node.app})


def _environment(url: str, token: str, files: Files, options: Options) -> dict[str, str]:
    """Return the environment of the bot: the settings of a real one, pointed at this machine."""
    source = str(Path(sandbox.__file__).resolve().parent.parent)
    price: Fraction = SANDBOX_PARAMETERS.gas_price
    return bot_process.bare_environment() | {
        "PYTHONPATH": source,
        "PYTHONUNBUFFERED": "1",
        "MONETA_TELEGRAM_TOKEN": token,
        "MONETA_TELEGRAM_URL": f"{url}/telegram",
        "MONETA_OWNERS": str(OWNER),
        "MONETA_CHAIN_ID": SANDBOX_PARAMETERS.chain_id,
        "MONETA_DENOM": PLAY_ASSET.denom,
        "MONETA_ASSETS": f"{PLAY_ASSET.denom}:{PLAY_ASSET.symbol}:{PLAY_ASSET.decimals}",
        "MONETA_NODES": f"{url}/node",
        "MONETA_BLOCK_MS": str(max(1, round(options.block_seconds * 1000))),
        "MONETA_GAS_PRICE": f"{price.numerator / price.denominator:.6f}",
        "MONETA_MNEMONIC": MNEMONIC,
        "MONETA_EXPLORER_TX": f"{url}/?tx={{hash}}",
        "MONETA_DATABASE": str(files.books.resolve()),
    }


def anchor(node: JunoNode) -> dict[str, str]:
    """Let the books open at the first block: coins that came before the bot had started are somebody's, too."""
    first = node.chain.block(1)
    return {
        "MONETA_TRUST_HEIGHT": str(first.height),
        "MONETA_TRUST_HASH": first.block_id.hash.hex(),
        "MONETA_TRUST_PERIOD_HOURS": str(_FOREVER_HOURS),
    }


async def _run_bot(child: Child) -> None:
    """Keep the bot running, and tell the terminal when it cannot even start."""
    running = asyncio.create_task(child.run(), name="child")
    told = False
    while not running.done():
        await asyncio.wait([running], timeout=1)
        if child.starts >= _FAILURES_WORTH_TELLING and child.last_exit and child.pid is None and not told:
            told = True
            print(
                f"The bot ended with code {child.last_exit}:\n{child.last_words()}",
                file=sys.stderr,
                flush=True,
            )
    await running


def _stop_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def _greeting(url: str, options: Options, files: Files) -> str:
    return (
        f"Moneta sandbox: {url}/\n"
        f"  the page, and its HTTP API at {url}/openapi.json\n"
        f"  Juno for one machine (JSON-RPC) at {url}/node, Bot API at {url}/telegram\n"
        f"  kept in {options.directory}, the bot's log in {files.log}. Ctrl-C ends it."
    )
