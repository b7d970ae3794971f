"""Commands of the console: how one is added to ``moneta``, and those with which an owner decides (bot.upkeep).

Attribute, unfreeze, refill and resolve show without further words what there is to decide. The bot may run meanwhile.
"""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from bot.exits import Exit, NoBooksError, fail
from bot.settings import Books, load
from bot.upkeep import Ending, Explanation, Lifting, explain, refill, resolve, unfreeze
from ledger.freezes import FreezeReason
from ledger.migrate import missing
from ledger.money import Amount, Denom
from ledger.reserve import Refill
from ledger.roles import CONSOLE
from ledger.withdrawals import ManualOutcome
from ledger.world import SystemClock, ThreadRunner

_INT64: Final = range(-(2**63), 2**63)


def add_command(
    commands: Any, name: str, act: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    """Add the command ``name`` that ``act`` carries out; return its parser, for further arguments."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    command.add_argument("--env-file", type=Path, default=Path(".env"), help="settings (default: .env)")
    command.set_defaults(act=act)
    return command


def number(typed: str) -> int:
    """Return the number that was ``typed``; raises ValueError for one that the books cannot hold."""
    if int(typed) not in _INT64:
        raise ValueError(typed)
    return int(typed)


def existing_books(options: argparse.Namespace) -> Books:
    """Return settings whose database is there, with this program's schema.

    Raises SettingsError, NoBooksError, and WrongDatabase for a file of another program.
    """
    settings = load(Books, options.env_file)
    if not settings.database.exists():
        raise NoBooksError(f"{settings.database} does not exist.")
    if behind := missing(settings.database):
        raise NoBooksError(
            f"{settings.database} is {behind} migrations behind; `moneta migrate` applies them."
        )
    return settings


def add_decisions(commands: Any) -> None:
    """Add what an owner decides."""
    _add_attribute(commands)
    _add_unfreeze(commands)
    _add_refill(commands)
    _add_resolve(commands)


def _add_attribute(commands: Any) -> None:
    command = add_command(
        commands,
        "attribute",
        _attribute,
        "after a restore: list the payments on chain that these books do not know, or explain one",
    )
    command.add_argument("payment", type=number, nargs="?", help="its number; without one all are listed")
    command.add_argument("--account", type=number, help="whose it was: a user's id, or -1 for BOT_TREASURY")
    command.add_argument(
        "--amount", type=number, help="how much of it, in base units (default: all that is left)"
    )
    command.add_argument("--accept", action="store_true", help="nobody's: SYSTEM_RESERVE keeps bearing it")
    command.add_argument("--reason", default="", help="who found out, and how")


def _add_unfreeze(commands: Any) -> None:
    command = add_command(
        commands, "unfreeze", _unfreeze, "list what keeps withdrawals from being signed, or lift one"
    )
    reasons = [each.value for each in FreezeReason]
    command.add_argument("why", nargs="?", choices=reasons, help="which; without one all are listed")
    command.add_argument("--account", type=number, help="the freeze of this account alone")
    command.add_argument("--reason", default="", help="who lifts it, and why that is safe")


def _add_refill(commands: Any) -> None:
    command = add_command(
        commands, "refill", _refill, "show what SYSTEM_RESERVE owes, or refill it from BOT_TREASURY"
    )
    command.add_argument("denom", nargs="?", help="of which asset, such as ujuno; without it all are shown")
    command.add_argument("--amount", type=number, help="how much, in base units (default: all that is owed)")
    command.add_argument("--reason", default="", help="who says so, and whose coins they are")


def _add_resolve(commands: Any) -> None:
    command = add_command(
        commands,
        "resolve",
        _resolve,
        "list the withdrawals that wait for the chain, or end one by an owner's word",
    )
    command.add_argument("withdrawal", type=number, nargs="?", help="its number; without one all are listed")
    command.add_argument(
        "outcome",
        nargs="?",
        choices=[each.value for each in ManualOutcome],
        help="paid: the member has the coins, by a transaction that is not the bot's; returned: nobody paid it",
    )
    command.add_argument("--reason", default="", help="who found out, and how: the transaction that paid it")


def _attribute(options: argparse.Namespace) -> int:
    settings = existing_books(options)
    if options.payment is not None and (options.account is None) is not options.accept:
        return fail(Exit.USAGE, "Say either --account or --accept.")
    said = Explanation(options.payment, options.account, options.amount, options.reason)
    return _at_console(settings, explain, said if said.payment is not None else None)


def _unfreeze(options: argparse.Namespace) -> int:
    settings = existing_books(options)
    lifting = Lifting(FreezeReason(options.why), options.account, options.reason) if options.why else None
    return _at_console(settings, unfreeze, lifting)


def _refill(options: argparse.Namespace) -> int:
    settings = existing_books(options)
    amount = None if options.amount is None else Amount(options.amount)
    order = Refill(CONSOLE, Denom(options.denom), amount, options.reason) if options.denom else None
    return _at_console(settings, refill, order)


def _resolve(options: argparse.Namespace) -> int:
    settings = existing_books(options)
    if options.withdrawal is not None and options.outcome is None:
        return fail(Exit.USAGE, "Say what became of it: paid or returned.")
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
