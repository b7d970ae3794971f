"""Reading for display: balances, and history as a walk of links."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger.accounts import SYSTEM_RESERVE, AccountId
from ledger.money import Amount
from ledger.service import LedgerService
from tests.blank import lay_blank
from tests.ledger.desk import ANN, ASSETS, BEN, CAT, UATOM, UJUNO, funding


async def send(ledger: LedgerService, number: int, *, source: Any = ANN, destination: Any = BEN) -> None:
    await ledger.transfer_between_users(
        source, destination, Amount(number), UJUNO, key=f"{source}:{number}", note=f"n{number}"
    )


async def test_an_account_without_a_row_owns_nothing(ledger: LedgerService) -> None:
    assert ledger.reader.balance(CAT, UJUNO) == 0


async def test_balances_are_listed_per_denom(ledger: LedgerService) -> None:
    await ledger.journal.submit(funding(ANN, 5, UATOM))
    assert ledger.reader.balances(ANN) == {UATOM: 5, UJUNO: 1_000}


async def test_assets_are_those_of_the_settings(ledger: LedgerService) -> None:
    assert sorted(ledger.reader.assets()) == sorted(ASSETS)


async def test_history_is_newest_first_and_signed(ledger: LedgerService) -> None:
    await send(ledger, 5)
    await send(ledger, 2, source=BEN, destination=ANN)
    lines = ledger.reader.history(ANN, UJUNO)
    assert [(line.change, line.counterparty, line.balance_after) for line in lines] == [
        (2, BEN, 997),
        (-5, BEN, 995),
        (1_000, SYSTEM_RESERVE, 1_000),
    ]


async def test_history_tells_kind_note_actor_and_time(ledger: LedgerService, clock: Any) -> None:
    await send(ledger, 5)
    (line,) = ledger.reader.history(BEN, UJUNO)
    assert (line.kind, line.note, line.actor, line.at) == ("transfer", "n5", ANN, clock.time)


async def test_the_chain_is_a_counterparty_without_a_number(ledger: LedgerService) -> None:
    lines = ledger.reader.history(SYSTEM_RESERVE, UJUNO)
    assert [line.counterparty for line in lines] == [ANN, None]


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
async def test_pages_join_without_gap_or_overlap(ledger: LedgerService, limit: int) -> None:
    for number in range(1, 12):
        await send(ledger, number)
        await send(ledger, number, source=BEN, destination=CAT)
    whole = ledger.reader.history(BEN, UJUNO, limit=100)
    pages, before = [], None
    while page := ledger.reader.history(BEN, UJUNO, before, limit):
        pages += page
        before = page[-1].id
    assert pages == whole
    assert len(whole) == 22


async def test_history_keeps_denoms_apart(ledger: LedgerService) -> None:
    await ledger.journal.submit(funding(ANN, 5, UATOM))
    assert [line.change for line in ledger.reader.history(ANN, UATOM)] == [5]
    assert [line.change for line in ledger.reader.history(ANN, UJUNO)] == [1_000]


async def test_a_page_before_a_stranger_s_row_is_empty(ledger: LedgerService) -> None:
    await send(ledger, 5)
    (line,) = ledger.reader.history(BEN, UJUNO)
    assert ledger.reader.history(CAT, UJUNO, before=line.id) == []
    assert ledger.reader.history(ANN, UATOM, before=line.id) == []


async def test_an_unknown_account_has_no_history(ledger: LedgerService) -> None:
    assert ledger.reader.history(AccountId(404), UJUNO) == []


@pytest.mark.parametrize("limit", [0, -1, 101])
async def test_a_page_has_a_limit(ledger: LedgerService, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        ledger.reader.history(ANN, UJUNO, limit=limit)


TWO_THREADS = """
import sys
from pathlib import Path
from threading import Thread
from ledger.reader import Reader

reader = Reader(Path(sys.argv[1]))

def look(first):
    for number in range(first, first + 20_000):
        reader.select("SELECT role FROM users WHERE id = ?", (number % 50,))
        reader.name(number % 50)

threads = [Thread(target=look, args=(first,)) for first in (0, 25)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_two_threads_never_wait_for_each_other_for_ever(path: Path) -> None:
    """Answers look up names inside the writer: it stopped the whole process, so this looks from another one."""
    lay_blank(path)
    subprocess.run([sys.executable, "-c", TWO_THREADS, str(path)], timeout=120, check=True)
