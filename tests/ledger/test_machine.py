"""A model predicts the outcome of every act; the ledger must do exactly that, in whatever company and after restarts."""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger.accounts import AccountId
from ledger.audit import audit
from ledger.errors import Conflict, Refused
from ledger.money import Amount, Denom
from ledger.service import LedgerService
from ledger.units import Receipt
from tests.blank import lay_blank
from tests.ledger.desk import ASSETS, UATOM, UJUNO, StoppedClock, funding, inline

PEOPLE = st.integers(1, 5)
DENOMS = st.sampled_from([UJUNO, UATOM])
AMOUNTS = st.integers(-1, 60)
KEYS = st.sampled_from([f"k{number}" for number in range(12)])


class Asked(NamedTuple):
    """A transfer that somebody asks for."""

    source: int
    destination: int
    amount: int
    denom: Denom
    key: str
    note: str = ""


TRANSFERS = st.builds(Asked, PEOPLE, PEOPLE, AMOUNTS, DENOMS, KEYS, st.sampled_from(["", "n"]))


class Model:
    """The rules of transfers in a dozen lines: what must come out."""

    def __init__(self) -> None:
        self.people: set[int] = set()
        self.balances: dict[tuple[int, Denom], int] = {}
        self.done: dict[str, tuple[Asked, tuple[int, int]]] = {}

    def balance(self, account: int, denom: Denom) -> int:
        return self.balances.get((account, denom), 0)

    def fund(self, account: int, amount: int, denom: Denom) -> None:
        self.balances[account, denom] = self.balance(account, denom) + amount

    def transfer(self, asked: Asked) -> Any:
        """Return the expected code of a refusal, "conflict", or both balances and whether it was a replay."""
        if asked.key in self.done:
            first, after = self.done[asked.key]
            return (*after, True) if first == asked else "conflict"
        refusal = self._refusal(asked)
        if refusal is not None:
            return refusal
        self.fund(asked.source, -asked.amount, asked.denom)
        self.fund(asked.destination, asked.amount, asked.denom)
        after = (self.balance(asked.source, asked.denom), self.balance(asked.destination, asked.denom))
        self.done[asked.key] = (asked, after)
        return (*after, False)

    def _refusal(self, asked: Asked) -> str | None:
        if asked.amount <= 0:
            return "not_positive"
        if asked.source == asked.destination:
            return "same_account"
        if asked.destination not in self.people:
            return "unknown_account"
        if self.balance(asked.source, asked.denom) < asked.amount:
            return "insufficient_balance"
        return None


def told(result: Any) -> Any:
    """Return an outcome as the model spells it."""
    if isinstance(result, Refused):
        return result.code
    if isinstance(result, Conflict):
        return "conflict"
    if isinstance(result, Receipt):
        return (result.source_after, result.destination_after, result.replayed)
    raise result


class LedgerMachine(RuleBasedStateMachine):
    """Acts one by one and in crowds, with restarts between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "moneta.db"
        self.loop = asyncio.new_event_loop()
        self.model = Model()
        self.clock = StoppedClock()

    def run(self, act: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(act)

    def transfer(self, asked: Asked) -> Coroutine[Any, Any, Receipt]:
        return self.service.transfer_between_users(
            AccountId(asked.source),
            AccountId(asked.destination),
            Amount(asked.amount),
            asked.denom,
            key=asked.key,
            note=asked.note,
        )

    @initialize()
    def open(self) -> None:
        lay_blank(self.path)
        self.service: LedgerService = self.run(
            LedgerService.open(self.path, clock=self.clock, blocking=inline, assets=ASSETS)
        )

    @rule(account=PEOPLE)
    def register(self, account: int) -> None:
        self.run(self.service.users.register(AccountId(account), f"person {account}"))
        self.model.people.add(account)

    @precondition(lambda self: self.model.people)
    @rule(amount=st.integers(1, 100), denom=DENOMS, data=st.data())
    def fund(self, amount: int, denom: Denom, data: st.DataObject) -> None:
        account = data.draw(st.sampled_from(sorted(self.model.people)))
        self.run(self.service.journal.submit(funding(AccountId(account), amount, denom)))
        self.model.fund(account, amount, denom)

    @rule(asked=TRANSFERS)
    def send(self, asked: Asked) -> None:
        (result,) = self.run(_all([self.transfer(asked)]))
        assert told(result) == self.model.transfer(asked)

    @rule(crowd=st.lists(TRANSFERS, min_size=2, max_size=12))
    def send_at_once(self, crowd: list[Asked]) -> None:
        """In one batch, callers are answered as if they had come one after another."""
        results = self.run(_all([self.transfer(asked) for asked in crowd]))
        assert [told(result) for result in results] == [self.model.transfer(asked) for asked in crowd]

    @rule()
    def restart(self) -> None:
        self.run(self.service.close())
        self.open()

    @rule(minutes=st.integers(-5, 5))
    def time_passes(self, minutes: int) -> None:
        self.clock.time += 60_000 * minutes

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        for account in range(1, 6):
            for denom in (UJUNO, UATOM):
                assert self.service.reader.balance(AccountId(account), denom) == self.model.balance(
                    account, denom
                )

    def teardown(self) -> None:
        if hasattr(self, "service"):
            self.run(self.service.close())
            report = audit(self.path)
            assert report.problems == ()
            assert sum(report.totals.values()) == sum(self.model.balances.values())
        self.loop.close()
        self.folder.cleanup()


async def _all(acts: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    return await asyncio.gather(*acts, return_exceptions=True)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=25, stateful_step_count=30)
