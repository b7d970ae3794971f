"""The bank behind the targets: the real schema and the real path of a command, with neither Telegram nor a chain."""

import asyncio
import json
import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import bot.commands as bot_commands
from bot import inbox
from bot.context import Bank, Me, PublicWallet
from bot.dispatch import Dispatch, Toast
from bot.groups import Sight, Standing
from bot.intents import Intent
from bot.names import NameBook, learn
from bot.registry import discover
from bot.replies import Reply
from bot.rules.court import Court
from bot.speech import Sentences
from bot.transport import read_update
from ledger.accounts import AccountId
from ledger.jails import BailTerms
from ledger.migrate import released, statements
from ledger.money import Amount, Asset, Denom
from ledger.ports import Millis
from ledger.service import LedgerService
from ledger.terms import Terms
from ledger.units import Decision, Entry, Posting, Row, Unit, View
from tests.blank import lay_blank

T = TypeVar("T")

JUNO: Final = Asset(Denom("ujuno"), "JUNO", 6)
ASSETS: Final = (JUNO,)
TERMS: Final = (Terms(JUNO.denom, Amount(100_000), Amount(20_000)),)
TREASURY: Final = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"
NOW: Final = Millis(1_700_000_000_000)
ME: Final = Me(7, "moneta_bot")
ANA: Final = AccountId(11)
BEN: Final = AccountId(22)
FUNDS: Final = 10**9


class StandingClock:
    """Always the same moment."""

    def now(self) -> Millis:
        return NOW


async def run_inline(call: Callable[[], T]) -> T:
    return call()


class NoGroups:
    """A Telegram in which nobody leads a group, and the bot sees and may do nothing."""

    async def standing(self, _chat: int, _person: int) -> Standing:
        return Standing(leads=False)

    async def sight(self, _chat: int) -> Sight:
        return Sight(reads=False, deletes=False)


class Schema:
    """The schema in memory: what is asked is answered, what is written is taken back. A `ledger.units.View`."""

    now = NOW
    next_transaction_id = 1

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for migration in released():
            for statement in statements(migration.sql):
                self._connection.execute(statement)

    def exists(self, account: AccountId) -> bool:
        return bool(self.select("SELECT 1 FROM users WHERE id = ?", (account,)))

    def balance(self, _account: AccountId, _denom: Denom) -> Amount:
        return Amount(0)

    def total(self, _denom: Denom) -> Amount:
        return Amount(0)

    def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        return self._connection.execute(sql, parameters).fetchall()

    def keep(self, rows: Iterable[Row]) -> None:
        """Write ``rows`` for good."""
        for row in rows:
            self._connection.execute(row.sql, row.parameters)

    def accept(self, rows: Iterable[Row]) -> None:
        """Raise whatever the database has against ``rows``; nothing of them stays."""
        self._connection.execute("BEGIN")
        try:
            self.keep(rows)
        finally:
            self._connection.execute("ROLLBACK")


class Counter:
    """The program's side of a conversation: an update goes in, words come out, and the books stay whole."""

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._rng = random.Random(1)
        self._speech = Sentences(ASSETS)
        self._told = 0
        self._run(self._open(path))

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    async def _open(self, path: Path) -> None:
        clock = StandingClock()
        lay_blank(path)
        self.service = await LedgerService.open(
            path, clock=clock, blocking=run_inline, assets=ASSETS, terms=TERMS
        )
        for account, name in ((ANA, "Ana"), (BEN, "Ben")):
            await self.service.users.register(account, name)
        registry = discover(bot_commands)
        bank = Bank(
            service=self.service,
            names=NameBook(self.service.reader),
            commands=registry,
            assets=ASSETS,
            wallet=PublicWallet("testing-1", TREASURY, "juno"),
            me=ME,
            owners=frozenset((ANA,)),
            random=self._rng,
            groups=NoGroups(),
            bail=BailTerms(JUNO.denom, Amount(1_000_000), Amount(10_000)),
        )
        self._dispatch = Dispatch(
            bank,
            registry,
            clock,
            read=read_update,
            new_question=lambda: f"{self._rng.getrandbits(96):024x}",
            toast=self._toast,
            committed=lambda: None,
            judged=Court(bank),
        )
        await self.service.journal.submit(Unit(_funds))

    def _toast(self, toast: Toast) -> None:
        assert len(self._speech.toast(toast.say, toast.facts)) <= 200

    def answer(self, raw: dict[str, Any], intent: Intent) -> None:
        """Answer what came in as ``raw``, put every word of it into a sentence, and count the coins."""
        self._run(self._answer(raw, intent))

    async def _answer(self, raw: dict[str, Any], intent: Intent) -> None:
        key = inbox.key_of(intent, ME.id)
        arrival = inbox.Arrival(key, intent.update, json.dumps(raw), intent)

        def decide(view: View) -> Decision[list[inbox.Item]]:
            items, rows = inbox.store(view, [arrival])
            return Decision(items, rows=(*rows, *learn(intent.people, view.now)))

        for item in await self.service.journal.submit(Unit(decide)):
            await self._dispatch(item)
            assert not inbox.is_new(self.service.reader, item), "an item was left unanswered"
        self._read_out()
        assert self.service.reader.total(JUNO.denom) == FUNDS, "coins were made or lost"
        assert self.service.reader.balance(BEN, JUNO.denom) >= 0

    def _read_out(self) -> None:
        """Make the message of everything that was written for people to read."""
        sql = "SELECT id, event, facts FROM outbox WHERE id > ? ORDER BY id"
        for number, event, facts in self.service.reader.select(sql, (self._told,)):
            self._told = number
            if event == "reply":
                reply = Reply.read(json.loads(facts))
                self._speech.render(reply.say, {**reply.facts, "reference": reply.reference})
            else:
                self._speech.render(event, json.loads(facts))

    def close(self) -> None:
        self._run(self.service.close())
        self._loop.close()


def _funds(_view: View) -> Decision[None]:
    posting = Posting(None, ANA, Amount(FUNDS), JUNO.denom)
    return Decision(None, (Entry("dep:ana", b"", "deposit", (posting,)),))
