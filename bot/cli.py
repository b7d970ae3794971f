"""The command ``moneta``. How it ends is told in bot.exits."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from importlib.metadata import entry_points
from io import TextIOWrapper
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from bot import logs
from bot import main as program
from bot.check import Unfit, findings
from bot.console import add_command, add_decisions, existing_books
from bot.exits import EXPECTED, Exit, fail, told
from bot.settings import Books, Settings, load
from bot.upkeep import audit_lines, comparison_lines, export_lines, restored_lines
from ledger.audit import audit
from ledger.backup import back_up, in_use, restore
from ledger.connect import CHECKPOINT_PAGES
from ledger.errors import BrokenInvariant
from ledger.migrate import migrate
from ledger.pool import ReaderPool
from ledger.presence import fresh_name
from ledger.store import Store
from ledger.world import SystemClock, ThreadRunner, calm_collector

GROUP: Final = "moneta.commands"
"""Entry points of commands that live above the bot: callables that take the remaining arguments."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    above = {point.name: point for point in entry_points(group=GROUP)}
    if arguments and arguments[0] in above:
        return int(above[arguments[0]].load()(arguments[1:]))
    options = _parser(sorted(above)).parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        # What members write may be in any alphabet; not every terminal knows them all.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = int(options.act(options))
        print(end="", flush=True)
    except EXPECTED as error:
        ending = told(error)
        if ending is None:
            raise
        _give_up_output()
        return fail(*ending)
    return code


def _give_up_output() -> None:
    """Write what was printed; what cannot be written is lost, or Python would try again and end with a code of its own."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(above: Sequence[str]) -> argparse.ArgumentParser:
    epilog = f"Also: {', '.join(above)}. " if above else ""
    parser = argparse.ArgumentParser("moneta", description="A Telegram group's bank on Juno.", epilog=epilog)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, act, summary in (
        ("run", _run, "run the bot until it is interrupted"),
        ("check", _check, "look whether the settings, the database, Telegram and the nodes are fit to run"),
        ("migrate", _migrate, "bring the database to this program's schema"),
        ("audit", _audit, "replay the books: rows, balances and the hash chain"),
        ("reconcile", _reconcile, "show the books against what was last proved of the chain"),
        ("export", _export, "write every posting to the standard output, one JSON object a line"),
    ):
        add_command(commands, name, act, summary)
    backup = add_command(
        commands, "backup", _backup, "copy the books, also while they are in use, and audit the copy"
    )
    backup.add_argument("file", type=Path, help="where to; must not exist")
    restoring = add_command(
        commands, "restore", _restore, "put a backup in the place of the books; the bot must not run"
    )
    restoring.add_argument("file", type=Path, help="a file that `moneta backup` wrote")
    restoring.add_argument(
        "--clock-is-right",
        action="store_true",
        help="postings of a later time than now were made while the clock was ahead",
    )
    add_decisions(commands)
    return parser


def _run(options: argparse.Namespace) -> int:
    settings = load(Settings, options.env_file)
    clock = SystemClock()
    logs.configure(clock, settings.secrets, settings.log_level, settings.log_format)
    random = SystemRandom()
    with in_use(settings.database, fresh_name(random)) as presence:
        blocking = ThreadRunner("ledger")
        world = program.World(
            clock,
            blocking,
            random,
            holder=presence.name,
            is_dead=presence.is_dead,
            store=partial(Store, reserved_pages=CHECKPOINT_PAGES),
            long_reads=ReaderPool,
        )
        calm_collector()
        try:
            asyncio.run(_until_stopped(lambda stop: program.run(settings, world, stop)))
        except ExceptionGroup as group:
            raise _cause(group) from group
        finally:
            blocking.close()
    return Exit.DONE


async def _until_stopped(run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run until the first SIGINT or SIGTERM; the second ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def first_signal(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, first_signal, number)
    await run(stop)


def _cause(group: ExceptionGroup[Exception]) -> Exception:
    """Return what killed the loops: broken books before all else, which the others only followed."""
    broken = group.subgroup(BrokenInvariant)
    error: Exception = broken or group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _check(options: argparse.Namespace) -> int:
    settings = load(Settings, options.env_file)
    logs.configure(SystemClock(), settings.secrets, "WARNING", settings.log_format)
    unfit = asyncio.run(_print_findings(settings))
    if Unfit.CLOCK in unfit:
        return Exit.CLOCK
    return Exit.UNREACHABLE if unfit else Exit.DONE


async def _print_findings(settings: Settings) -> set[Unfit]:
    """Print what is found, and return what is not fit to run."""
    unfit = set()
    async for finding in findings(settings, SystemClock().now()):
        print(finding.line)
        if finding.unfit is not None:
            unfit.add(finding.unfit)
    return unfit


def _migrate(options: argparse.Namespace) -> int:
    settings = load(Books, options.env_file)
    with in_use(settings.database, fresh_name(SystemRandom())):
        applied = migrate(settings.database, SystemClock().now())
    print(
        f"{settings.database}: {applied} migrations applied." if applied else f"{settings.database}: current."
    )
    return Exit.DONE


def _audit(options: argparse.Namespace) -> int:
    settings = existing_books(options)
    report = audit(settings.database)
    print("\n".join(audit_lines(report, settings)))
    return Exit.DONE if report.clean else Exit.BROKEN_BOOKS


def _reconcile(options: argparse.Namespace) -> int:
    settings = existing_books(options)
    lines, agree = comparison_lines(settings.database, settings, SystemClock().now())
    print("\n".join(lines))
    if agree is None:
        return Exit.UNREACHABLE
    return Exit.DONE if agree else Exit.APART


def _export(options: argparse.Namespace) -> int:
    settings = existing_books(options)
    for line in export_lines(settings.database):
        print(line)
    return Exit.DONE


def _backup(options: argparse.Namespace) -> int:
    settings = load(Books, options.env_file)
    report = back_up(settings.database, options.file)
    place = options.file.absolute()
    print(f"{place}: {report.transactions} postings, audited. The newest link is {report.head.hex()}.")
    return Exit.DONE


def _restore(options: argparse.Namespace) -> int:
    settings = load(Settings, options.env_file)
    restored = restore(
        options.file,
        settings.database,
        clock=SystemClock(),
        identity=settings.identity,
        quiet_blocks=settings.timeout_blocks,
        clock_is_right=options.clock_is_right,
    )
    print("\n".join(restored_lines(restored, settings, settings.timeout_blocks)))
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
