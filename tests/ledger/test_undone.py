"""A unit that is undone by what stands beside it is undone alone."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.money import Asset, Denom
from ledger.service import LedgerService
from ledger.store import Store
from ledger.units import Decision, Row, Unit, View
from ledger.users import registration
from ledger.world import SystemClock, ThreadRunner


class Counted(Store):
    """Counts what it commits."""

    commits = 0

    def commit(self) -> None:
        super().commit()
        Counted.commits += 1


def naming(who: int) -> Unit[None]:
    return Unit(lambda view: Decision(None, rows=(registration(AccountId(who), "Ana", view.now),)))


def undone(_view: View, _outcome: Any) -> Sequence[Row]:
    raise Refused("button_used")


async def test_a_unit_undone_by_its_rows_costs_the_others_no_commit(tmp_path: Path) -> None:
    runner = ThreadRunner()
    juno = Asset(Denom("ujuno"), "JUNO", 6)
    service = await LedgerService.open(
        tmp_path / "books.db", clock=SystemClock(), blocking=runner, assets=(juno,), store=Counted
    )
    before = Counted.commits
    names = [naming(who) for who in (1, 2, 3)]
    units = [names[0], Unit(lambda _view: Decision(None), beside=undone), *names[1:]]
    answers = await asyncio.gather(*map(service.journal.submit, units), return_exceptions=True)
    committed = Counted.commits - before
    await service.close()
    runner.close()
    assert [type(answer) for answer in answers] == [type(None), Refused, type(None), type(None)]
    assert committed == 1
