"""kill -9 at each commit in the life of a shared account: what was acknowledged stands, every act is whole or absent."""

from pathlib import Path

import pytest

from ledger.audit import audit
from tests.ledger.desk import rows_of
from tests.ledger.killing import AT_COMMIT, LISTING, killed, settled, standing
from tests.ledger.sharedload import COMMITS, live


@pytest.mark.slow
@pytest.mark.parametrize("count", range(1, COMMITS + 1))
async def test_every_act_is_whole_or_absent(tmp_path: Path, count: int) -> None:
    before, after = [await settled(tmp_path / f"{point}.db") for point in AT_COMMIT]
    for path in (before, after):
        assert killed(path, live, path.stem, LISTING + count) <= standing(path)
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
