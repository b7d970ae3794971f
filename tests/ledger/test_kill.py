"""kill -9 under load: what was acknowledged stands, what was not is whole or absent, and the books are clean."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.accounts import AccountId
from ledger.audit import audit
from tests.ledger.desk import funding, ledger_at, rows_of
from tests.ledger.load import CALLERS, POINTS

COINS = 10


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Forty people with ten coins each."""
    path = tmp_path / "moneta.db"
    async with ledger_at(path) as service:
        for number in range(1, CALLERS + 1):
            await service.users.register(AccountId(number), f"person {number}")
            await service.journal.submit(funding(AccountId(number), COINS))
    return path


def run_until_killed(path: Path, point: str, count: int) -> set[str]:
    """Return the keys that the killed process acknowledged."""
    command = [sys.executable, "-m", "tests.ledger.load", str(path), point, str(count)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -9, ended.stderr
    lines = ended.stdout.split("\n")
    return set(lines[:-1])


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_no_acknowledged_act_is_lost(path: Path, point: str) -> None:
    acknowledged: set[str] = set()
    for count in (3, 4, 9):
        acknowledged |= run_until_killed(path, point, count)
        report = audit(path)
        assert report.problems == ()
        assert report.totals == {"ujuno": CALLERS * COINS}
    stand = {key for (key,) in rows_of(path, "SELECT key FROM entries WHERE key LIKE 'k:%'")}
    assert acknowledged
    assert acknowledged <= stand
