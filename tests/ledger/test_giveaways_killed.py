"""kill -9 at each commit of a giveaway's life: every act is whole or absent, and the next run finishes it, once."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.audit import audit
from ledger.packets import packets_of
from tests.ledger.desk import ANN, BEN, CAT, ledger_at, rows_of, settle_people
from tests.ledger.giving import COMMITS, POINTS, SEED

OWNED = 1_000
NEVER = 1_000
"""A count that no run reaches."""


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Ann has a thousand."""
    path = tmp_path / "moneta.db"
    async with ledger_at(path) as service:
        await settle_people(service, OWNED)
    return path


def run(path: Path, point: str, count: int) -> int:
    command = [sys.executable, "-m", "tests.ledger.giving", str(path), point, str(count)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode


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
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("count", range(1, COMMITS + 2))
def test_a_killed_giveaway_is_finished_by_the_next_run(path: Path, point: str, count: int) -> None:
    assert run(path, point, count) == -9
    whole(path)
    assert run(path, "never", NEVER) == 0
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
