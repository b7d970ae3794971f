"""kill -9 at each commit of what leaves UNCLAIMED: an assignment, a text to sign and a claim are whole or absent."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.audit import audit
from tests.ledger.desk import ledger_at, rows_of, settle_people
from tests.ledger.unclaimedload import COINS, COMMITS

LISTING = 1
OWNED = 1_000
"""What people have before."""


@pytest.fixture
async def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two books with people in them."""
    paths = (tmp_path / "before.db", tmp_path / "after.db")
    for path in paths:
        async with ledger_at(path) as service:
            await settle_people(service)
    return paths


def lived_until(path: Path, point: str, count: int) -> set[str]:
    """Return what was acknowledged before the process died."""
    command = [sys.executable, "-m", "tests.ledger.unclaimedload", str(path), point, str(LISTING + count)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -9, ended.stderr
    return set(ended.stdout.split())


def standing(path: Path) -> set[str]:
    return {key for (key,) in rows_of(path, "SELECT key FROM entries WHERE key LIKE 'k:%'")}


@pytest.mark.slow
@pytest.mark.parametrize("count", range(1, COMMITS + 1))
def test_every_act_is_whole_or_absent(two: tuple[Path, Path], count: int) -> None:
    before, after = two
    assert lived_until(before, "before-commit", count) <= standing(before)
    assert lived_until(after, "after-commit", count) <= standing(after)
    for path in two:
        report = audit(path)
        assert report.problems == ()
        assert report.totals["ujuno"] in (OWNED, OWNED + 2 * COINS)
    assert _steps(after) == _steps(before) + 1


def _steps(path: Path) -> int:
    """Return how many acts of the life stand: the arrival, two assignments, a text, its answer."""
    ((steps,),) = rows_of(
        path,
        "SELECT (SELECT count(*) > 0 FROM unclaimed) + (SELECT count(*) FROM wallet_challenges)"
        " + (SELECT count(*) FROM entries WHERE key LIKE 'k:%')",
    )
    return int(steps)
