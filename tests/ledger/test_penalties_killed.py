"""kill -9 at each commit of a penalty's life: every act is whole or absent, and the next run finishes it, once."""

from pathlib import Path

import pytest

from ledger.accounts import BOT_TREASURY
from ledger.audit import audit
from tests.ledger.desk import ANN, rows_of
from tests.ledger.killing import AT_COMMIT, killed, lived, settled
from tests.ledger.punishing import COMMITS, live

OWNED = 1_000
PAID_FOR = """
SELECT (SELECT ifnull(sum(amount), 0) FROM fines WHERE state = 'paid')
    + (SELECT ifnull(sum(bail), 0) FROM jails WHERE state = 'bailed')
"""


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
@pytest.mark.parametrize("point", AT_COMMIT)
@pytest.mark.parametrize("count", range(1, COMMITS + 2))
async def test_a_killed_penalty_is_finished_by_the_next_run(tmp_path: Path, point: str, count: int) -> None:
    path = await settled(tmp_path / "books.db")
    killed(path, live, point, count)
    whole(path)
    lived(path, live)
    whole(path)
    assert rows_of(path, "SELECT id, state FROM jails ORDER BY id") == [
        (2, "bailed"),
        (3, "superseded"),
        (4, "released"),
        (5, "served"),
    ]
    assert rows_of(path, "SELECT id, state FROM fines ORDER BY id") == [(1, "paid"), (6, "forgiven")]
    assert rows_of(path, "SELECT balance FROM user_balances WHERE user_id = 11") == [(OWNED - 300,)]
