"""kill -9 at each commit of a giveaway's life: every act is whole or absent, and the next run finishes it, once."""

from pathlib import Path

import pytest

from ledger.audit import audit
from ledger.packets import packets_of
from tests.ledger.desk import ANN, BEN, CAT, rows_of
from tests.ledger.giving import COMMITS, SEED, live
from tests.ledger.killing import AT_COMMIT, killed, lived, settled

OWNED = 1_000


def balances(path: Path) -> dict[int, int]:
    return dict(
        rows_of(path, "SELECT user_id, balance FROM user_balances WHERE user_id <> -2 AND balance <> 0")
    )


def whole(path: Path) -> None:
    """Nothing is half done, and no coin is lost."""
    report = audit(path)
    assert report.problems == ()
    assert sum(balances(path).values()) == OWNED


@pytest.mark.slow
@pytest.mark.parametrize("point", AT_COMMIT)
@pytest.mark.parametrize("count", range(1, COMMITS + 2))
async def test_a_killed_giveaway_is_finished_by_the_next_run(tmp_path: Path, point: str, count: int) -> None:
    path = await settled(tmp_path / "books.db")
    killed(path, live, point, count)
    whole(path)
    lived(path, live)
    whole(path)
    packet = packets_of(SEED, 100, 3)[0]
    ben, cat = 33 + 50 + packet, 33 + 50
    assert balances(path) == {ANN: OWNED - ben - cat - 5, BEN: ben, CAT: cat, -1004: 5}
    assert rows_of(path, "SELECT state FROM giveaways ORDER BY id") == [
        ("cancelled",),
        ("ended",),
        ("ended",),
        ("active",),
    ]
