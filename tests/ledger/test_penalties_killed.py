"""kill -9 at each commit of a penalty's life: every act is whole or absent, and the next run finishes it, once."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.accounts import BOT_TREASURY
from ledger.audit import audit
from tests.ledger.desk import ANN, ledger_at, rows_of, settle_people
from tests.ledger.punishing import COMMITS, POINTS

OWNED = 1_000
NEVER = 1_000
"""A count that no run reaches."""
PAID_FOR = """
SELECT (SELECT ifnull(sum(amount), 0) FROM fines WHERE state = 'paid')
    + (SELECT ifnull(sum(bail), 0) FROM jails WHERE state = 'bailed')
"""


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Ann has a thousand."""
    path = tmp_path / "moneta.db"
    async with ledger_at(path) as service:
        await settle_people(service, OWNED)
    return path


def run(path: Path, point: str, count: int) -> int:
    command = [sys.executable, "-m", "tests.ledger.punishing", str(path), point, str(count)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode


def whole(path: Path) -> None:
    """Nothing is half done: what the treasury has is what settled fines and jails say, and each change has its news."""
    assert audit(path).problems == ()
    balances = dict(rows_of(path, "SELECT user_id, balance FROM user_balances WHERE user_id IN (-1, 11)"))
    ((paid,),) = rows_of(path, PAID_FOR)
    assert (balances.get(BOT_TREASURY, 0), balances[ANN]) == (paid, OWNED - paid)
    ((set_, told),) = rows_of(
        path,
        "SELECT (SELECT count(*) FROM violations),"
        " (SELECT count(*) FROM outbox WHERE event IN ('person.fined', 'person.jailed'))",
    )
    assert set_ == told


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("count", range(1, COMMITS + 2))
def test_a_killed_penalty_is_finished_by_the_next_run(path: Path, point: str, count: int) -> None:
    assert run(path, point, count) == -9
    whole(path)
    assert run(path, "never", NEVER) == 0
    whole(path)
    assert rows_of(path, "SELECT id, state FROM jails ORDER BY id") == [
        (2, "bailed"),
        (3, "superseded"),
        (4, "released"),
        (5, "served"),
    ]
    assert rows_of(path, "SELECT id, state FROM fines ORDER BY id") == [(1, "paid"), (6, "forgiven")]
    assert rows_of(path, "SELECT balance FROM user_balances WHERE user_id = 11") == [(OWNED - 300,)]
