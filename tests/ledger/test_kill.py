"""kill -9 under load: what was acknowledged stands, what was not is whole or absent, and the books are clean."""

from pathlib import Path

import pytest

from ledger.accounts import AccountId
from ledger.audit import audit
from tests.ledger.desk import funding, ledger_at
from tests.ledger.killing import killed, standing
from tests.ledger.load import CALLERS, POINTS, live

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


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_no_acknowledged_act_is_lost(path: Path, point: str) -> None:
    acknowledged: set[str] = set()
    for count in (3, 4, 9):
        acknowledged |= killed(path, live, point, count)
        report = audit(path)
        assert report.problems == ()
        assert report.totals == {"ujuno": CALLERS * COINS}
    assert acknowledged
    assert acknowledged <= standing(path)
