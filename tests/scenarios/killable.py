"""``moneta run`` that kills itself (SIGKILL) at a named point, planted from outside: in SQLite's door and in HTTP.

A point is a step of a flow and a moment of it. A step is a transaction, known by what it writes, or a call to the
outside, known by its method; nothing in the program knows of either.
"""

import asyncio
import json
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

import bot.main
from bot import cli, delivery, fetch, notifier, pacing, supervisor
from chain.endpoints import EndpointRules, Endpoints
from chain.scanner import ScannerRules
from chain.sender import Sender, SenderRules
from chain.tenure import Tenure
from ledger.accounts import UNCLAIMED
from ledger.store import EntryRow, Store, TransactionRow
from ledger.units import Row


class Moment(StrEnum):
    """When a step is cut off. The first three are a transaction's, the others those of a call to the outside."""

    BEGIN = "before BEGIN"
    POSTED = "after the postings, before COMMIT"
    COMMITTED = "after COMMIT, before anybody knows"
    ASKED = "before the call"
    ANSWERED = "after the answer, before it is read"


COMMIT: Final = (Moment.BEGIN, Moment.POSTED, Moment.COMMITTED)
CALL: Final = (Moment.ASKED, Moment.ANSWERED)


class Step(NamedTuple):
    """What a flow does at one go: ``name`` is a commit's (`named`), or the method of a call."""

    flow: str
    name: str
    moments: tuple[Moment, ...]


class Point(NamedTuple):
    """Where the process ends; as text ``name/MOMENT``."""

    step: Step
    moment: Moment

    def __str__(self) -> str:
        return f"{self.step.name}/{self.moment.name}"


STORED: Final = "a payment is stored"
REPLACED: Final = "a payment is replaced"

STEPS: Final = (
    Step("start", "getMe", CALL),
    Step("start", "a role is taken", COMMIT),
    Step("start", "a role is taken over", COMMIT),
    Step("start", "a role is renewed", COMMIT),
    Step("updates come in", "getUpdates", CALL),
    Step("updates come in", "updates are kept", COMMIT),
    Step("deposit", "sendPhoto", CALL),
    Step("deposit", "a deposit is foreseen", COMMIT),
    Step("deposit", "block", CALL),
    Step("deposit", "abci_query", CALL),
    Step("deposit", "an empty block is posted", COMMIT),
    Step("deposit", "a deposit is credited", COMMIT),
    Step("deposit", "a deposit is unclaimed", COMMIT),
    Step("deposit", "editMessageCaption", CALL),
    Step("transfer", "a transfer is made", COMMIT),
    Step("transfer", "a transfer is refused", COMMIT),
    Step("withdrawal", "a withdrawal is asked about", COMMIT),
    Step("withdrawal", "a withdrawal is requested", COMMIT),
    Step("withdrawal", "answerCallbackQuery", CALL),
    Step("withdrawal", "a withdrawal is cancelled", COMMIT),
    Step("withdrawal", STORED, COMMIT),
    Step("withdrawal", REPLACED, COMMIT),
    Step("withdrawal", "broadcast_tx_sync", CALL),
    Step("withdrawal", "a payment is accepted", COMMIT),
    Step("withdrawal", "a payment is confirmed", COMMIT),
    Step("withdrawal", "a payment has failed", COMMIT),
    Step("withdrawal", "a batch is taken apart", COMMIT),
    Step("withdrawal", "a payment has expired", COMMIT),
    Step("giveaway", "a giveaway begins", COMMIT),
    Step("giveaway", "a giveaway is claimed", COMMIT),
    Step("giveaway", "a giveaway is joined", COMMIT),
    Step("giveaway", "a giveaway gives back", COMMIT),
    Step("unclaimed", "a deposit is assigned", COMMIT),
    Step("a new shared account", "a shared account is opened", COMMIT),
    Step("shared account", "somebody joins a shared account", COMMIT),
    Step("shared account", "a shared account is filled", COMMIT),
    Step("shared account", "a shared account pays", COMMIT),
    Step("penalties", "somebody is fined", COMMIT),
    Step("penalties", "a fine is paid", COMMIT),
    Step("penalties", "somebody is jailed", COMMIT),
    Step("penalties", "restrictChatMember", CALL),
    Step("penalties", "bail is paid", COMMIT),
    Step("treasury", "the treasury pays somebody", COMMIT),
    Step("treasury", "somebody gets a role", COMMIT),
    Step("people are told", "sendMessage", CALL),
    Step("people are told", "editMessageText", CALL),
    Step("people are told", "a message is settled", COMMIT),
    Step("stop", "a role is given up", COMMIT),
)
POINTS: Final = {
    str(point): point for point in (Point(step, moment) for step in STEPS for moment in step.moments)
}

TAKEN_OVER: Final = "a role is taken over"
RENEWED: Final = "a role is renewed"
CANCELLED: Final = "a withdrawal is cancelled"

_STATEMENT: Final = re.compile(r"(?:\s*--[^\n]*\n)*\s*(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")
_BY_KIND: Final = {
    "transfer": "a transfer is made",
    "giveaway": "a giveaway begins",
    "giveaway_claim": "a giveaway is claimed",
    "giveaway_returned": "a giveaway gives back",
    "assignment": "a deposit is assigned",
    "shared_deposit": "a shared account is filled",
    "shared_spend": "a shared account pays",
    "grant": "the treasury pays somebody",
    "fine": "a fine is paid",
    "bail": "bail is paid",
    "withdrawal": "a withdrawal is requested",
    "withdrawal_cancelled": CANCELLED,
}


def die() -> None:
    """End as the kernel ends a process: nothing is finished, nothing is closed."""
    os.kill(os.getpid(), signal.SIGKILL)


def named(transactions: Iterable[TransactionRow], rows: Iterable[Row]) -> set[str]:
    """Return the names of all that one transaction does."""
    found = {_posting(each) for each in transactions}
    found |= {name for row in rows for name in _written(row)}
    if STORED in found:
        found.discard(REPLACED)
    if "a block is posted" in found and not found & {"", *_BY_KIND.values(), *_ENDS.values()}:
        found.add("an empty block is posted")
    return found


def _posting(transaction: TransactionRow) -> str:
    kind, destination = transaction[2], transaction[6]
    if kind == "deposit":
        return "a deposit is unclaimed" if destination == UNCLAIMED else "a deposit is credited"
    return _BY_KIND.get(kind, "")


_ENDS: Final = {
    "confirmed": "a payment is confirmed",
    "failed": "a payment has failed",
    "expired": "a payment has expired",
}


def _written(row: Row) -> Iterator[str]:
    found = _STATEMENT.match(row.sql)
    assert found is not None, row.sql
    known = _BY_STATEMENT.get(found.groups())
    if known is not None:
        values = row.parameters.values() if isinstance(row.parameters, dict) else row.parameters
        yield known(row.sql, frozenset(each for each in values if isinstance(each, str | int)))


def _if(word: str, name: str) -> Callable[[str, frozenset[Any]], str]:
    """Return what names a row by one of its values."""
    return lambda _, values: name if word in values else ""


def _of_payment(_sql: str, values: frozenset[Any]) -> str:
    return next((name for state, name in _ENDS.items() if state in values), "a payment is accepted")


def _of_withdrawal(sql: str) -> str:
    if "alone" in sql:
        return "a batch is taken apart"
    return STORED if "SET state = 'signed'" in sql else ""


_BY_STATEMENT: Final[Mapping[tuple[str | Any, ...], Callable[[str, frozenset[Any]], str]]] = {
    ("INSERT INTO", "inbox"): lambda *_: "updates are kept",
    ("UPDATE", "inbox"): _if("insufficient_balance", "a transfer is refused"),
    ("INSERT INTO", "buttons"): _if("withdraw.confirm", "a withdrawal is asked about"),
    ("INSERT INTO", "outbox"): _if("deposit.seen", "a deposit is foreseen"),
    ("UPDATE", "outbox"): _if("sent", "a message is settled"),
    ("INSERT INTO", "giveaway_claims"): lambda *_: "a giveaway is joined",
    ("INSERT INTO", "shared_accounts"): lambda *_: "a shared account is opened",
    ("INSERT INTO", "fines"): lambda *_: "somebody is fined",
    ("INSERT INTO", "jails"): lambda *_: "somebody is jailed",
    ("UPDATE", "shared_members"): _if("joined", "somebody joins a shared account"),
    ("UPDATE", "users"): lambda sql, _: "somebody gets a role" if "role" in sql else "",
    ("INSERT INTO", "signed_transactions"): lambda *_: REPLACED,
    ("UPDATE", "signed_transactions"): _of_payment,
    ("UPDATE", "withdrawals"): lambda sql, _: _of_withdrawal(sql),
    ("UPDATE", "cursor"): lambda *_: "a block is posted",
    ("INSERT INTO", "transaction_locks"): lambda sql, _: "a role is taken" if "expires_at" in sql else "",
    ("UPDATE", "transaction_locks"): lambda _, values: "a role is given up" if 0 in values else RENEWED,
}
"""How a row is named, by its statement and table, out of its SQL and its values."""


class _Watch:
    """What the open transaction of the journal does, and where the process dies."""

    def __init__(self, wanted: Callable[[set[str]], bool], moment: Moment) -> None:
        self._wanted = wanted
        self._moment = moment
        self._transactions: list[TransactionRow] = []
        self._rows: list[Row] = []

    def plant(self) -> None:
        """Watch every store of this process."""
        begin, append, write, commit = Store.begin, Store.append, Store.write, Store.commit
        watch = self

        def beginning(store: Store) -> None:
            begin(store)
            watch._transactions, watch._rows = [], []

        def appending(store: Store, entries: Sequence[EntryRow], rows: Sequence[TransactionRow]) -> None:
            append(store, entries, rows)
            watch._transactions += rows

        def writing(store: Store, rows: Iterable[Row]) -> None:
            kept = list(rows)
            write(store, kept)
            watch._rows += kept

        def committing(store: Store) -> None:
            here = watch._wanted(named(watch._transactions, watch._rows))
            if here and watch._moment is Moment.BEGIN:
                store.rollback()  # what it does is only known by now; nothing of it is left
            if here and watch._moment is not Moment.COMMITTED:
                die()
            commit(store)
            if here:
                die()

        for name, planted in (
            ("begin", beginning),
            ("append", appending),
            ("write", writing),
            ("commit", committing),
        ):
            setattr(Store, name, planted)


def _watch_calls(wanted: Callable[[set[str]], bool], moment: Moment) -> None:
    """Die at a call over HTTP, to Telegram or to a node."""
    original = httpx.AsyncHTTPTransport.handle_async_request

    async def asking(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        methods = await _methods(request)
        if moment is Moment.ASKED and wanted(methods):
            die()
        response = await original(transport, request)
        if moment is Moment.ANSWERED and _says_something(response) and wanted(methods):
            die()
        return response

    setattr(httpx.AsyncHTTPTransport, "handle_async_request", asking)  # noqa: B010 - mypy forbids the other spelling


async def _methods(request: httpx.Request) -> set[str]:
    if "/node" not in request.url.path:
        return {request.url.path.rpartition("/")[2]}
    calls = json.loads(await request.aread())
    return {call["method"] for call in (calls if isinstance(calls, list) else [calls])}


def _says_something(response: httpx.Response) -> bool:
    """Tell whether the answer is more than an empty list of updates."""
    return int(response.headers.get("content-length", 1_000)) > len('{"ok":true,"result":[]}')


def plant(point: Point, passes: int) -> None:
    """Let this process die when it passes ``point`` for the time after ``passes`` times."""
    passed = count()
    name = "a role is taken" if point.step.name == TAKEN_OVER else point.step.name

    def wanted(names: set[str]) -> bool:
        return name in names and next(passed) >= passes

    if point.moment in COMMIT:
        _Watch(wanted, point.moment).plant()
    else:
        _watch_calls(wanted, point.moment)
    if name == RENEWED:
        _replace_default(Tenure, "ttl_ms", 600)
    if name == CANCELLED:
        # Payments are signed at once, so that nobody could ever cancel one: in this life the signer sleeps.
        setattr(Sender, "step", _sleep)  # noqa: B010


async def _sleep(_loop: Any) -> float:
    await asyncio.sleep(3600)
    return 0.0


_ENDPOINT_RULES: Final = EndpointRules(
    status_age_limit_ms=200, first_wait_ms=50, longest_wait_ms=100, first_aside_ms=100, longest_aside_ms=200
)


def hurry() -> None:
    """Let nothing wait for the pace of the real chain, nor for that of the real Telegram: hundreds of lives are short."""
    _replace(
        bot.main,
        ScannerRules=partial(
            ScannerRules,
            poll_seconds=0.05,
            retry_seconds=0.1,
            standby_seconds=0.2,
            halted_seconds=0.1,
            silent_ms=0,
        ),
        SenderRules=partial(SenderRules, poll_seconds=0.05, standby_seconds=0.2),
        Endpoints=partial(Endpoints, rules=_ENDPOINT_RULES),
    )
    unlimited = pacing.Limit(1_000, 1)
    _replace(pacing, OVERALL=unlimited, CHAT=unlimited, GROUP=unlimited)
    _replace(fetch, STANDBY_SECONDS=0.2)
    _replace(notifier, STANDBY_SECONDS=0.2)
    _replace(delivery, FIRST_RETRY_MS=100)
    _replace(supervisor, FIRST_PAUSE_SECONDS=0.1)


def _replace(module: Any, **values: Any) -> None:
    for name, value in values.items():
        assert hasattr(module, name), f"{module.__name__} has no {name} any more"
        setattr(module, name, value)


def _replace_default(owner: Any, parameter: str, value: Any) -> None:
    owner.__init__.__kwdefaults__[parameter] = value


def run(arguments: Sequence[str], point: str, passes: int, env_file: Path) -> int:
    """Run the program with ``point`` planted (empty: none) and return its exit code."""
    if point:
        plant(POINTS[point], passes)
    return cli.main([*arguments, "--env-file", str(env_file)])


def as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program with ``settings``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MONETA_")}
    return kept | {f"MONETA_{name.upper()}": value for name, value in settings.items()}
