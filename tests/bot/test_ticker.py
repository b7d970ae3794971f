"""Deadlines: what is due is ended, and one that cannot be ended keeps nothing from the others."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.ticker import Ticker
from chain.tenure import Tenure
from ledger.errors import Refused
from ledger.outbox import OPERATORS, news
from ledger.ports import Millis
from ledger.service import LedgerService
from ledger.units import Decision, Unit, View
from tests.blank import lay_blank
from tests.bot.stage import JUNO, ManualClock
from tests.jumping import HoldingRunner


class Deadlines:
    """A book whose rows are said by their names; the first of them is a mistake of its author's."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def due(self, _now: Millis, limit: int) -> Sequence[Unit[Any]]:
        return [Unit(partial(_end, name=name)) for name in self.names][:limit]

    def next_due(self) -> Millis | None:
        return None


def _end(view: View, name: str) -> Decision[None]:
    if name == "mistake":
        raise ZeroDivisionError(name)
    if name == "late":
        raise Refused("too_late")
    return Decision(None, rows=(news(f"{name}.ended", OPERATORS, {}, view.now),))


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[LedgerService]:
    blocking = HoldingRunner()
    lay_blank(tmp_path / "books.db")
    opened = await LedgerService.open(
        tmp_path / "books.db", clock=ManualClock(), blocking=blocking, assets=[JUNO]
    )
    yield opened
    await opened.close()
    blocking.close()


def ticker(service: LedgerService, *books: Deadlines) -> tuple[Ticker, list[str]]:
    clock, heard = ManualClock(), list[str]()
    tenure = Tenure(service.leases, "ticker", "me", clock=clock)
    return Ticker(books, service.journal, tenure, clock, lambda: heard.append("committed")), heard


def ended(service: LedgerService) -> list[str]:
    return [row["event"] for row in service.reader.select("SELECT event FROM outbox ORDER BY event")]


async def test_one_that_cannot_be_ended_keeps_nothing_from_the_others(service: LedgerService) -> None:
    ticking, heard = ticker(service, Deadlines("mistake", "first"), Deadlines("late", "second"))
    with pytest.raises(ZeroDivisionError):
        await ticking.step()
    assert (ended(service), heard) == (["first.ended", "second.ended"], ["committed", "committed"])


async def test_whoever_is_late_changes_nothing(service: LedgerService) -> None:
    ticking, heard = ticker(service, Deadlines("late"))
    assert await ticking.step() > 0
    assert (ended(service), heard) == ([], [])
