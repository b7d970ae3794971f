"""How the command ``moneta`` ends: an exit code, and a sentence in place of a traceback.

Exit codes: 0 done, 1 failed unexpectedly, 2 wrong use or settings, 3 the database belongs to another program, chain or
bot, 4 the books contradict themselves or their file is damaged, 5 Telegram or the nodes cannot be reached or refuse,
6 another process is in the way: try again, 7 the disk is full, failing or read-only, 8 the clock is
behind the books, 9 books and chain differ, 141 nobody read the output to its end. docs/operations.md tells what to do.
"""

import errno
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from bot.settings import SettingsError
from bot.transport import BadToken
from ledger.backup import CannotCopy, ClockBehind
from ledger.errors import BrokenInvariant, Refused, Unavailable, WrongDatabase
from ledger.store import Fault, fault_of


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
    UNREAD = 141
    """As if SIGPIPE had ended it, which a shell expects of ``| head``."""


class NoBooksError(Exception):
    """There are no books where the settings say, or none of this program's schema yet."""


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
    Unavailable: (Exit.BUSY, "The database cannot be used now: {}. Nothing was changed."),
}
"""What ends the program with a sentence instead of a traceback."""

REFUSALS: Final[Mapping[str, str]] = {
    "reason_missing": 'Please say why: --reason "…". It goes into the audit log.',
    "reason_too_long": "The reason is too long: {limit} characters at most.",
    "unknown_payment": "There is no unknown payment {payment}.",
    "payment_explained": "The unknown payment {payment} is explained already.",
    "amount_too_large": "Of that payment {remaining} {denom} are unexplained: name that much at most.",
    "unknown_account": "Nobody has the account {account}.",
    "insufficient_balance": "That account has {balance} {denom}, and {needed} are needed.",
    "reserve_owes_nothing": "SYSTEM_RESERVE owes nothing in {denom}.",
    "not_positive": "An amount has to be above zero.",
    "refill_too_much": "SYSTEM_RESERVE owes {owed} {denom}: refill that much at most.",
    "treasury_too_low": "BOT_TREASURY has {balance} {denom}, and {needed} are needed. A deposit with the memo topup adds to it.",
    "not_frozen": "No such freeze stands. Without a name all of them are listed.",
    "reserve_negative": "SYSTEM_RESERVE still owes something: `moneta refill` comes first.",
    "replay_unfinished": "Restored books are still catching up with the chain; that freeze ends by itself then.",
    "unknown_withdrawal": "There is no withdrawal {withdrawal}. Without a number those that wait are listed.",
    "withdrawal_ended": "Withdrawal {withdrawal} has ended: {state}.",
    "transaction_unresolved": "A signed transaction of withdrawal {withdrawal} may still execute. The chain decides first.",
    "withdrawals_frozen": "Restored books are still catching up with the chain: it decides first.",
}
"""Why an order at the console is refused; amounts are base units, as they are typed there."""

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

EXPECTED: Final[tuple[type[Exception], ...]] = (*FAILURES, Refused, sqlite3.Error, OSError)


def told(error: Exception) -> tuple[Exit, str] | None:
    """Return the exit code and the sentence for ``error``, None for one that nobody expected."""
    if isinstance(error, Refused):
        return Exit.USAGE, f"{_why(error)} Nothing was changed."
    if isinstance(error, BrokenPipeError):
        return Exit.UNREAD, "The output was not read to its end."
    ending = _ending(error)
    return (ending[0], ending[1].format(error)) if ending else None


def _ending(error: Exception) -> tuple[Exit, str] | None:
    if isinstance(error, sqlite3.Error):
        return FAULTS.get(fault_of(error))
    if isinstance(error, Unavailable) and isinstance(error.__cause__, sqlite3.Error):
        return FAULTS.get(fault_of(error.__cause__)) or FAILURES[Unavailable]
    if isinstance(error, OSError):
        return FAULTS[Fault.DISK] if error.errno in _DISK_ERRORS else None
    return next(ending for kind, ending in FAILURES.items() if isinstance(error, kind))


def _why(refusal: Refused) -> str:
    template = REFUSALS.get(refusal.code)
    return template.format_map(defaultdict(str, refusal.facts)) if template else f"Refused: {refusal}."


def fail(code: Exit, why: str) -> int:
    """Say ``why`` on the standard error; return ``code``."""
    print(why, file=sys.stderr)
    return code
