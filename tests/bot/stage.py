"""A stage for the bot's core: the sandbox's Telegram over the library's real HTTP client, and real books on a file.

The commands are small ones of the tests' own, so that what is shown is the one path and not a sentence.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bot.context import Bank, Context, Me, PublicWallet
from bot.front import Front, assemble
from bot.names import NameBook
from bot.outgoing import Message, Press, Speech
from bot.prices import Prices
from bot.registry import Command, Registry
from bot.results import Answer, Choice, Effect, Result
from bot.supervisor import Supervisor
from bot.transport import Telegram as Transport
from chain.tenure import Tenure
from ledger.accounts import AccountId
from ledger.connect import copy_database
from ledger.errors import Refused
from ledger.jails import BailTerms
from ledger.money import Amount, Asset, Denom
from ledger.outbox import live
from ledger.pauses import pause_unit
from ledger.ports import Millis
from ledger.roles import CONSOLE, Role
from ledger.service import LedgerService
from ledger.terms import Terms
from ledger.units import Beside, Decision, Entry, Posting, Unit, View
from sandbox.telegram import BotAccount, Chat, Query, Telegram, User, create_app
from sandbox.telegram import Message as Shown
from tests.blank import lay_blank
from tests.jumping import HoldingRunner

T = TypeVar("T")

JUNO = Asset(Denom("ujuno"), "JUNO", 6)
DEADLINE_SECONDS = 60.0
"""Of the loop's time: a machine that is slow does not come nearer to it while the program runs."""


class ManualClock:
    """Time that goes on with the loop's, and that tests may push."""

    def __init__(self) -> None:
        self.pushed = 1_700_000_000_000
        self._loop = asyncio.get_running_loop()

    def now(self) -> Millis:
        return Millis(self.pushed + int(self._loop.time() * 1000))

    def pass_seconds(self, seconds: float) -> None:
        self.pushed += int(seconds * 1000)


class PlainSpeech:
    """Sentences without charm: the name of the sentence and its facts."""

    def render(self, say: str, facts: Mapping[str, Any]) -> Message:
        if say == "broken.words":
            raise KeyError(say)
        told = {name: value for name, value in facts.items() if name not in {"choices", "html"}}
        keyboard = tuple((Press(choice["action"], choice["token"]),) for choice in facts.get("choices", ()))
        return Message(facts.get("html") or f"{say} {json.dumps(told)}", keyboard)

    def toast(self, say: str, facts: Mapping[str, Any]) -> str:
        return f"{say} {json.dumps(dict(facts))}"


async def hello(_context: Context) -> Result:
    return Answer("hello")


async def secret(_context: Context) -> Result:
    return Answer("secret", {"balance": 42}, private=True)


def pay(context: Context, destination: int, amount: int) -> Effect[Any]:
    """Move ``amount`` to ``destination``, as a command of the program would."""
    books = context.bank.service.transfers
    return Effect(
        lambda beside: books.between_users(
            context.account,
            AccountId(destination),
            Amount(amount),
            JUNO.denom,
            key=context.key,
            beside=beside,
        ),
        lambda receipt: Answer("paid", {"receipt": receipt.entry_id, "amount": amount}, toast="paid"),
    )


async def give(context: Context) -> Result:
    destination, amount = context.args.split()
    return pay(context, int(destination), int(amount))


async def ask(context: Context) -> Result:
    destination, amount = context.args.split()
    arguments = {"to": int(destination), "amount": int(amount)}
    return Answer("asked", choices=(Choice("ask.yes", arguments), Choice("ask.no")))


async def yes(context: Context) -> Result:
    return pay(context, context.arguments["to"], context.arguments["amount"])


async def no(_context: Context) -> Result:
    return Answer("kept")


async def gift(context: Context) -> Result:
    return Answer("gift", choices=(Choice("gift.take", {"from": context.who.id}, anyone=True),))


async def take(context: Context) -> Result:
    books = context.bank.service.transfers
    return Effect(
        lambda beside: books.between_users(
            AccountId(context.arguments["from"]),
            context.account,
            Amount(1),
            JUNO.denom,
            key=context.key,
            beside=beside,
        ),
        lambda _receipt: Answer("taken", replace=False, toast="taken"),
    )


async def boast(_context: Context) -> Result:
    return Answer("boast")


async def fail(_context: Context) -> Result:
    raise ZeroDivisionError


async def mumble(_context: Context) -> Result:
    return Answer("broken.words")


async def bold(_context: Context) -> Result:
    return Answer("bold", {"html": "<b>receipt 7"})


async def follow(_context: Context) -> Result:
    return Answer("followed", track="withdrawal:7")


async def refuse(_context: Context) -> Result:
    raise Refused("insufficient_balance", balance=0)


async def demote(context: Context) -> Result:
    """Pay, though the role is lost on the way to the books."""
    destination, amount = context.args.split()
    paid = pay(context, int(destination), int(amount))

    async def perform(beside: Beside) -> Any:
        users = context.bank.service.users
        await users.appoint(CONSOLE, context.account, Role.MEMBER, "she left")
        return await paid.perform(beside)

    return Effect(perform, paid.answer)


async def hush(context: Context) -> Result:
    """Pay, though a pause comes on the way to the books."""
    destination, amount = context.args.split()
    paid = pay(context, int(destination), int(amount))

    async def perform(beside: Beside) -> Any:
        await context.bank.service.journal.submit(pause_unit(CONSOLE, "we look"))
        return await paid.perform(beside)

    return Effect(perform, paid.answer)


async def vault(_context: Context) -> Result:
    return Answer("vault", choices=(Choice("vault.open", anyone=True),))


async def opened(_context: Context) -> Result:
    return Answer("opened", replace=False, toast="opened")


TALLY = "tally:1"


async def tally(_context: Context) -> Result:
    return Answer(
        "tally", {"taps": 0}, choices=(Choice("tally.tap", anyone=True),), track=TALLY, question=TALLY
    )


async def tap(context: Context) -> Result:
    """Change what the card shows, by a unit of its own."""

    def perform(beside: Beside) -> Awaitable[None]:
        def decide(view: View) -> Decision[None]:
            return Decision(None, rows=(live("tally.changed", context.chat.id, TALLY, {}, view.now),))

        return context.bank.service.journal.submit(Unit(decide, beside=beside))

    return Effect(perform, lambda _: Answer("tapped", replace=False, toast="tapped", private=True))


def shown_tally(bank: Bank, _facts: Mapping[str, Any]) -> Answer:
    rows = bank.service.reader.select(
        "SELECT count(*) FROM inbox WHERE code IS NULL AND id > 1 AND state = 'done'"
    )
    return Answer("tally", {"taps": rows[0][0]}, choices=(Choice("tally.tap", anyone=True),))


COMMANDS = (
    Command("demote", "pay as an admin", demote, role=Role.ADMIN),
    Command("hush", "pay while a pause comes", hush, moves_money=True),
    Command("bless", "pay as an admin, also while a pause comes", hush, role=Role.ADMIN, moves_money=True),
    Command(
        "vault",
        "for admins to open",
        vault,
        actions={"vault.open": opened},
        action_roles={"vault.open": Role.ADMIN},
    ),
    Command("tally", "count", tally, actions={"tally.tap": tap}, cards={"tally.changed": shown_tally}),
    Command("hello", "say hello", hello),
    Command("secret", "what you own", secret),
    Command("give", "pay", give, "<id> <amount>", aliases=("tip",), moves_money=True),
    Command("ask", "pay after a question", ask, actions={"ask.yes": yes, "ask.no": no}),
    Command("gift", "pay whoever presses", gift, actions={"gift.take": take}),
    Command("boast", "for admins", boast, role=Role.ADMIN),
    Command("whisper", "for private chats", hello, in_group=False),
    Command("fail", "has a mistake", fail),
    Command("mumble", "has no words", mumble),
    Command("bold", "has bad markup", bold),
    Command("follow", "is edited later", follow),
    Command("refuse", "is refused", refuse),
)


@dataclass
class Stage:
    """One Telegram, one bot account, one database; the program on it can be started and killed."""

    path: Path
    telegram: Telegram
    account: BotAccount
    clock: ManualClock
    runner: HoldingRunner
    owners: frozenset[int] = frozenset()
    registry: Registry = field(default_factory=lambda: Registry(COMMANDS))
    speech: Speech = field(default_factory=PlainSpeech)
    assets: tuple[Asset, ...] = (JUNO,)
    terms: tuple[Terms, ...] = ()
    wallet: PublicWallet = field(default_factory=lambda: PublicWallet("testing-1", "juno1treasury", "juno"))
    bail: BailTerms = field(default_factory=lambda: BailTerms(JUNO.denom, Amount(1_000_000), Amount(10_000)))
    prices: Prices | None = None
    service: LedgerService = field(init=False)
    front: Front = field(init=False)
    alerts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _transport: Transport | None = None
    _program: int = 0

    async def start(self, *, only: str | tuple[str, ...] = "") -> None:
        """Start the program: all its loops, or those whose name begins with ``only``."""
        self._program += 1
        lay_blank(self.path)
        self.service = await LedgerService.open(
            self.path, clock=self.clock, blocking=self.runner, assets=self.assets, terms=self.terms
        )
        self._transport = Transport(
            self.account.token,
            "http://telegram.test/bot",
            httpx.ASGITransport(create_app(self.telegram), raise_app_exceptions=False),
        )
        me = await self._transport.open()
        self.front = assemble(
            self._transport,
            self._bank(me),
            self.registry,
            self.speech,
            clock=self.clock,
            random=random.Random(self._program),
            polling=Tenure(self.service.leases, "poller", "stage", clock=self.clock),
            telling=Tenure(self.service.leases, "notifier", "stage", clock=self.clock),
            ticking=Tenure(self.service.leases, "ticker", "stage", clock=self.clock),
            operators=tuple(self.owners),
            poll_seconds=1,
        )
        self._tasks = [
            asyncio.create_task(Supervisor(name, loop, random.Random(3), self._alert).run(), name=name)
            for name, loop in self.front.loops()
            if name.startswith(only)
        ]

    def _bank(self, me: Me) -> Bank:
        assert self._transport is not None
        return Bank(
            service=self.service,
            names=NameBook(self.service.reader),
            commands=self.registry,
            assets=self.assets,
            wallet=self.wallet,
            me=me,
            owners=self.owners,
            random=random.Random(f"bank {self._program}"),
            groups=self._transport,
            bail=self.bail,
            prices=self.prices,
        )

    async def _alert(self, code: str, facts: Mapping[str, Any]) -> None:
        self.alerts.append((code, facts))

    async def stop(self) -> None:
        """Stop the program."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._transport is not None:
            await self._transport.close()
            self._transport = None
            await self.service.close()

    def copy(self) -> Path:
        """Return a copy of the books as they are now."""
        copy = self.path.with_name("copy.sqlite3")
        copy.touch()
        copy_database(self.path, copy)
        return copy

    async def put_back(self, copy: Path) -> None:
        """Go on with ``copy`` in the place of the books: what was done since is lost to them, and stands in the chats."""
        await self.settled()
        await self.stop()
        _replace(self.path, copy)
        await self.start()

    async def fund(self, person: User, amount: int) -> None:
        """Give ``person`` coins from the chain."""
        account = AccountId(person.id)
        await self.service.users.register(account, person.first_name)

        def decide(_view: View) -> Decision[None]:
            posting = Posting(None, account, Amount(amount), JUNO.denom)
            return Decision(None, (Entry(f"dep:{account}", b"", "deposit", (posting,)),))

        await self.service.journal.submit(Unit(decide))

    async def appoint(self, person: User, role: Role) -> None:
        """Make ``person`` known, and give them ``role``."""
        await self.service.users.register(AccountId(person.id), person.first_name)
        await self.service.users.appoint(CONSOLE, AccountId(person.id), role, "a test")

    def balance(self, person: User) -> int:
        return self.service.reader.balance(AccountId(person.id), JUNO.denom)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.service.reader.select(sql, parameters)]

    async def until(self, condition: Callable[[], T]) -> T:
        """Wait until ``condition`` holds, for Telegram or for the books."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not (found := condition()):  # noqa: ASYNC110 - the books tell nobody that they changed
                await asyncio.sleep(0.005)
        return found

    async def heard(self, who: User, chat: Chat, saying: str, times: int = 1) -> Shown:
        """Wait until ``who`` sees the bot say something that begins with ``saying`` in ``chat``."""
        found = await self.until(lambda: self.said(who, chat, saying)[times - 1 :])
        return found[0]

    def said(self, who: User | None, chat: Chat, saying: str = "") -> list[Shown]:
        """Return what the bot said in ``chat``."""
        return [shown for shown in self.telegram.replies(chat, who) if shown.text.startswith(saying)]

    async def answered(self, query: Query) -> str:
        """Wait until ``query`` was answered, and return the words over the chat."""
        await self.until(lambda: query.answered)
        return str((query.answer or {}).get("text", ""))

    async def settled(self) -> None:
        """Wait until nothing is left to do: no row waits in the inbox or is due in the outbox."""
        queue = self.telegram.queues[self.account.user.id]
        await self.until(
            lambda: not queue.waiting and not self.rows("SELECT 1 FROM inbox WHERE state = 'new'")
        )
        await self.until(lambda: not self.rows("SELECT 1 FROM outbox WHERE state = 'pending'"))


@contextlib.asynccontextmanager
async def stage(path: Path, owner: int | None = None) -> AsyncIterator[Stage]:
    """Set a stage with its database at ``path``; the program is not started yet."""
    clock = ManualClock()
    telegram = Telegram(clock=clock, rng=random.Random(7))
    account = telegram.bot("Moneta", "moneta_test_bot")
    runner = HoldingRunner()
    set_up = Stage(path, telegram, account, clock, runner, frozenset({owner} if owner else ()))
    try:
        yield set_up
    finally:
        await set_up.stop()
        runner.close()


def _replace(books: Path, copy: Path) -> None:
    for suffix in ("-wal", "-shm"):
        books.with_name(f"{books.name}{suffix}").unlink(missing_ok=True)
    copy.replace(books)
