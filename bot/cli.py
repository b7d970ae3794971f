"""The command ``moneta``.

Exit codes: 0 done, 1 failed unexpectedly, 2 wrong use or settings, 3 the database belongs to another program, chain or
bot, 4 the books contradict themselves or their file is damaged, 5 Telegram or the nodes cannot be reached or refuse,
6 another process is in the way: try again, 7 the disk is full, failing or read-only, 8 the clock is
behind the books, 9 books and chain differ. docs/operations.md tells what to do.
"""

import argparse
import asyncio
import errno
import signal
import sqlite3
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import IntEnum
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from bot import logs
from bot import main as program
from bot.check import Unfit, findings
from bot.settings import Books, Settings, SettingsError, load
from bot.transport import BadToken
from bot.upkeep import (
    Ending,
    Explanation,
    Lifting,
    audit_lines,
    comparison_lines,
    explain,
    export_lines,
    refill,
    resolve,
    restored_lines,
    unfreeze,
)
from ledger.audit import audit
from ledger.backup import RESTORING, CannotCopy, ClockBehind, back_up, restore
from ledger.connect import CHECKPOINT_PAGES
from ledger.errors import BrokenInvariant, Refused, Unavailable, WrongDatabase
from ledger.freezes import FreezeReason
from ledger.migrate import migrate
from ledger.money import Amount, Denom
from ledger.pool import ReaderPool
from ledger.presence import Presence
from ledger.reserve import Refill
from ledger.roles import CONSOLE
from ledger.store import Fault, Store, fault_of
from ledger.withdrawals import ManualOutcome
from ledger.world import SystemClock, ThreadRunner, calm_collector

GROUP: Final = "moneta.commands"
"""Entry points of commands that live above the bot: callables that take the remaining arguments."""


class Exit(IntEnum):
    """What the exit code says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    WRONG_DATABASE = 3
    BROKEN_BOOKS = 4
    UNREACHABLE = 5
    BUSY = 6
    DISK = 7
    CLOCK = 8
    APART = 9


class NoBooksError(Exception):
    """There are no books where the settings say."""


FAILURES: Final[Mapping[type[Exception], tuple[Exit, str]]] = {
    SettingsError: (Exit.USAGE, "{}"),
    NoBooksError: (Exit.USAGE, "{}"),
    WrongDatabase: (Exit.WRONG_DATABASE, "This database is not for this program: {}"),
    BrokenInvariant: (
        Exit.BROKEN_BOOKS,
        (
            "The books contradict themselves, so nothing goes on: {}\n"
            "Nothing that breaks a rule was committed. Keep the database as it is; `moneta audit` tells more."
        ),
    ),
    BadToken: (Exit.UNREACHABLE, "{}"),
    CannotCopy: (Exit.USAGE, "{}. Nothing was changed."),
    ClockBehind: (
        Exit.CLOCK,
        (
            "The clock may be behind: {}. Nothing was changed. Set it right; if it is, and was ahead when that posting was "
            "made, say --clock-is-right."
        ),
    ),
    Refused: (Exit.USAGE, "Refused: {}. Nothing was changed."),
    Unavailable: (Exit.BUSY, "The database cannot be used now: {}. Nothing was changed."),
}
"""What ends the program with a sentence instead of a traceback."""

FAULTS: Final[Mapping[Fault, tuple[Exit, str]]] = {
    Fault.LOCKED: (
        Exit.BUSY,
        "Another process keeps the database to itself: {}. Nothing was changed; try again.",
    ),
    Fault.DISK: (
        Exit.DISK,
        "The disk is full, failing or read-only: {}. Nothing that was committed is lost.",
    ),
    Fault.CORRUPT: (
        Exit.BROKEN_BOOKS,
        (
            "The file of the database is damaged: {}\n"
            "Keep it as it is, with the -wal beside it; `moneta restore` puts a backup in its place."
        ),
    ),
}
"""The same for what SQLite says; anything else it says is a mistake of this program."""

_DISK_ERRORS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM}
)

_EXPECTED: Final[tuple[type[Exception], ...]] = (*FAILURES, sqlite3.Error, OSError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    above = {point.name: point for point in entry_points(group=GROUP)}
    if arguments and arguments[0] in above:
        return int(above[arguments[0]].load()(arguments[1:]))
    options = _parser(sorted(above)).parse_args(arguments)
    try:
        return int(options.act(options))
    except _EXPECTED as error:
        told = _told(error)
        if told is None:
            raise
        return _fail(told[0], told[1].format(error))


def _told(error: Exception) -> tuple[Exit, str] | None:
    """Return the exit code and the form of the sentence for ``error``, None for one that nobody expected."""
    if isinstance(error, sqlite3.Error):
        return FAULTS.get(fault_of(error))
    if isinstance(error, Unavailable) and isinstance(error.__cause__, sqlite3.Error):
        return FAULTS.get(fault_of(error.__cause__)) or FAILURES[Unavailable]
    if isinstance(error, OSError):
        return FAULTS[Fault.DISK] if error.errno in _DISK_ERRORS else None
    return next(told for kind, told in FAILURES.items() if isinstance(error, kind))


def _fail(code: Exit, why: str) -> int:
    print(why, file=sys.stderr)
    return code


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
        _add(commands, name, act, summary)
    backup = _add(
        commands, "backup", _backup, "copy the books, also while they are in use, and audit the copy"
    )
    backup.add_argument("file", type=Path, help="where to; must not exist")
    restoring = _add(
        commands, "restore", _restore, "put a backup in the place of the books; the bot must not run"
    )
    restoring.add_argument("file", type=Path, help="a file that `moneta backup` wrote")
    restoring.add_argument(
        "--clock-is-right",
        action="store_true",
        help="postings of a later time than now were made while the clock was ahead",
    )
    _add_attribute(commands)
    _add_unfreeze(commands)
    _add_refill(commands)
    _add_resolve(commands)
    return parser


def _add_attribute(commands: Any) -> None:
    command = _add(
        commands,
        "attribute",
        _attribute,
        "after a restore: list the payments on chain that these books do not know, or explain one",
    )
    command.add_argument("payment", type=int, nargs="?", help="its number; without one all are listed")
    command.add_argument("--account", type=int, help="whose it was: a user's id, or -1 for BOT_TREASURY")
    command.add_argument(
        "--amount", type=int, help="how much of it, in base units (default: all that is left)"
    )
    command.add_argument("--accept", action="store_true", help="nobody's: SYSTEM_RESERVE keeps bearing it")
    command.add_argument("--reason", default="", help="who found out, and how")


def _add_unfreeze(commands: Any) -> None:
    command = _add(
        commands, "unfreeze", _unfreeze, "list what keeps withdrawals from being signed, or lift one"
    )
    reasons = [each.value for each in FreezeReason]
    command.add_argument("why", nargs="?", choices=reasons, help="which; without one all are listed")
    command.add_argument("--account", type=int, help="the freeze of this account alone")
    command.add_argument("--reason", default="", help="who lifts it, and why that is safe")


def _add_refill(commands: Any) -> None:
    command = _add(
        commands, "refill", _refill, "show what SYSTEM_RESERVE owes, or refill it from BOT_TREASURY"
    )
    command.add_argument("denom", nargs="?", help="of which asset, such as ujuno; without it all are shown")
    command.add_argument("--amount", type=int, help="how much, in base units (default: all that is owed)")
    command.add_argument("--reason", default="", help="who says so, and whose coins they are")


def _add_resolve(commands: Any) -> None:
    command = _add(
        commands,
        "resolve",
        _resolve,
        "list the withdrawals that wait for the chain, or end one by an owner's word",
    )
    command.add_argument("withdrawal", type=int, nargs="?", help="its number; without one all are listed")
    command.add_argument(
        "outcome",
        nargs="?",
        choices=[each.value for each in ManualOutcome],
        help="paid: the member has the coins, by a transaction that is not the bot's; returned: nobody paid it",
    )
    command.add_argument("--reason", default="", help="who found out, and how: the transaction that paid it")


def _add(
    commands: Any, name: str, act: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    command.add_argument("--env-file", type=Path, default=Path(".env"), help="settings (default: .env)")
    command.set_defaults(act=act)
    return command


def _run(options: argparse.Namespace) -> int:
    settings = load(Settings, options.env_file)
    clock = SystemClock()
    logs.configure(clock, settings.secrets, settings.log_level, settings.log_format)
    blocking = ThreadRunner("ledger")
    random = SystemRandom()
    presence = Presence(settings.database, f"{random.getrandbits(64):016x}")
    if RESTORING in presence.others():
        presence.close()
        raise Unavailable("a restore is under way")
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
        presence.close()
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


def _existing(options: argparse.Namespace) -> Books:
    """Return settings whose database is there. Raises SettingsError and NoBooksError."""
    settings = load(Books, options.env_file)
    if not settings.database.exists():
        raise NoBooksError(f"{settings.database} does not exist.")
    return settings


def _migrate(options: argparse.Namespace) -> int:
    settings = load(Books, options.env_file)
    applied = migrate(settings.database, SystemClock().now())
    print(
        f"{settings.database}: {applied} migrations applied." if applied else f"{settings.database}: current."
    )
    return Exit.DONE


def _audit(options: argparse.Namespace) -> int:
    settings = _existing(options)
    report = audit(settings.database)
    print("\n".join(audit_lines(report, settings)))
    return Exit.DONE if report.clean else Exit.BROKEN_BOOKS


def _reconcile(options: argparse.Namespace) -> int:
    settings = _existing(options)
    lines, agree = comparison_lines(settings.database, settings, SystemClock().now())
    print("\n".join(lines))
    if agree is None:
        return Exit.UNREACHABLE
    return Exit.DONE if agree else Exit.APART


def _export(options: argparse.Namespace) -> int:
    settings = _existing(options)
    for line in export_lines(settings.database):
        print(line)
    return Exit.DONE


def _backup(options: argparse.Namespace) -> int:
    settings = load(Books, options.env_file)
    report = back_up(settings.database, options.file)
    print(f"{options.file}: {report.transactions} postings, audited. The newest link is {report.head.hex()}.")
    return Exit.DONE


def _restore(options: argparse.Namespace) -> int:
    settings = load(Settings, options.env_file)
    restored = restore(
        options.file,
        settings.database,
        clock=SystemClock(),
        identity={
            "chain_id": settings.chain_id,
            "address": settings.wallet.address,
            "bot_id": str(settings.bot_id),
        },
        quiet_blocks=settings.timeout_blocks,
        clock_is_right=options.clock_is_right,
    )
    print("\n".join(restored_lines(restored, settings, settings.timeout_blocks)))
    return Exit.DONE


def _attribute(options: argparse.Namespace) -> int:
    settings = _existing(options)
    if options.payment is not None and (options.account is None) is not options.accept:
        return _fail(Exit.USAGE, "Say either --account or --accept.")
    said = Explanation(options.payment, options.account, options.amount, options.reason)
    return _at_console(settings, explain, said if said.payment is not None else None)


def _unfreeze(options: argparse.Namespace) -> int:
    settings = _existing(options)
    lifting = Lifting(FreezeReason(options.why), options.account, options.reason) if options.why else None
    return _at_console(settings, unfreeze, lifting)


def _refill(options: argparse.Namespace) -> int:
    settings = _existing(options)
    amount = None if options.amount is None else Amount(options.amount)
    order = Refill(CONSOLE, Denom(options.denom), amount, options.reason) if options.denom else None
    return _at_console(settings, refill, order)


def _resolve(options: argparse.Namespace) -> int:
    settings = _existing(options)
    if options.withdrawal is not None and options.outcome is None:
        return _fail(Exit.USAGE, "Say what became of it: paid or returned.")
    outcome = options.outcome and ManualOutcome(options.outcome)
    ending = Ending(options.withdrawal, outcome, options.reason) if outcome else None
    return _at_console(settings, resolve, ending)


def _at_console(settings: Books, act: Callable[..., Coroutine[Any, Any, list[str]]], what: Any) -> int:
    """Do one act on the books, beside a bot that may be running, and print what it found."""
    blocking = ThreadRunner("ledger")
    try:
        print("\n".join(asyncio.run(act(settings, what, SystemClock(), blocking))))
    finally:
        blocking.close()
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
