"""kill -9 at each commit of what leaves UNCLAIMED: an assignment, a text to sign and a claim are whole or absent."""

from pathlib import Path

import pytest

from ledger.audit import audit
from tests.ledger.desk import rows_of
from tests.ledger.killing import AT_COMMIT, LISTING, killed, settled, standing
from tests.ledger.unclaimedload import COINS, COMMITS, live

OWNED = 1_000
"""What people have before."""


@pytest.mark.slow
@pytest.mark.parametrize("count", range(1, COMMITS + 1))
async def test_every_act_is_whole_or_absent(tmp_path: Path, count: int) -> None:
    before, after = [await settled(tmp_path / f"{point}.db") for point in AT_COMMIT]
    for path in (before, after):
        assert killed(path, live, path.stem, LISTING + count) <= standing(path)
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
