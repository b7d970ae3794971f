"""kill -9 at each commit in the life of a shared account: what was acknowledged stands, every act is whole or absent."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.audit import audit
from tests.ledger.desk import ledger_at, rows_of, settle_people
from tests.ledger.sharedload import COMMITS

LISTING = 1


@pytest.fixture
async def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two books in which Ann has coins."""
    paths = (tmp_path / "before.db", tmp_path / "after.db")
    for path in paths:
        async with ledger_at(path) as service:
            await settle_people(service)
    return paths


def lived_until(path: Path, point: str, count: int) -> set[str]:
    """Return what was acknowledged before the process died."""
    command = [sys.executable, "-m", "tests.ledger.sharedload", str(path), point, str(LISTING + count)]
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
        assert report.totals == {"ujuno": 1_000}
    assert _steps(after) == _steps(before) + 1


def _steps(path: Path) -> int:
    """Return how many acts of the life stand: accounts, changes of memberships, payments, the new name, the end."""
    ((steps,),) = rows_of(
        path,
        "SELECT (SELECT count(*) + total(name = 'feast') + total(state = 'closed') FROM shared_accounts)"
        " + (SELECT count(*) FROM shared_changes WHERE id > 1 AND state <> 'closed')"
        " + (SELECT count(*) FROM entries WHERE key LIKE 'k:%')",
    )
    return int(steps)
