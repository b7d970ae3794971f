from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.service import LedgerService
from tests.ledger.desk import StoppedClock, ledger_at, settle_people


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "moneta.db"


@pytest.fixture
async def ledger(path: Path, clock: StoppedClock) -> AsyncIterator[LedgerService]:
    """A ledger on disk, where Ann has 1,000 and Ben and Cat nothing."""
    async with ledger_at(path, clock=clock) as service:
        await settle_people(service)
        yield service
