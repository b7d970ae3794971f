"""What waits in WITHDRAWALS is resolved once, by one entry, and never with more than was held."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.accounts import BOT_TREASURY, WITHDRAWALS
from ledger.audit import audit
from ledger.errors import BrokenInvariant
from ledger.money import Amount
from ledger.service import LedgerService
from ledger.units import Posting
from tests.ledger.desk import ANN, BEN, UJUNO, ledger_at, posting, settle_people

SETTLED, RETURNED = "withdrawal_settled", "withdrawal_returned"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[LedgerService]:
    """Ann holds 100 in WITHDRAWALS, in the posting ``HOLD``."""
    async with ledger_at(path) as service:
        await settle_people(service)
        hold = await service.journal.submit(
            posting("hold", Posting(ANN, WITHDRAWALS, Amount(100), UJUNO), kind="withdrawal")
        )
        assert hold == HOLD
        yield service
    # These holds are bare postings: that no withdrawal stands behind them is all that an audit may find.
    assert [problem for problem in audit(path).problems if "for no withdrawal" not in problem] == []


HOLD = 3


def leave(amount: int, to: int | None = None, hold: int | None = HOLD) -> Posting:
    return Posting(WITHDRAWALS, to, Amount(amount), UJUNO, hold)  # type: ignore[arg-type] # None is the chain


async def test_is_settled_in_parts_by_one_entry(ledger: LedgerService) -> None:
    await ledger.journal.submit(posting("s", leave(90), leave(10, BOT_TREASURY), kind=SETTLED))
    assert ledger.reader.balance(WITHDRAWALS, UJUNO) == 0
    assert ledger.reader.total(UJUNO) == 910


async def test_is_returned(ledger: LedgerService) -> None:
    await ledger.journal.submit(posting("r", leave(100, ANN), kind=RETURNED))
    assert ledger.reader.balance(ANN, UJUNO) == 1_000


async def test_is_not_settled_after_its_return(ledger: LedgerService) -> None:
    await ledger.journal.submit(posting("r", leave(100, ANN), kind=RETURNED))
    await ledger.journal.submit(
        posting("other", Posting(ANN, WITHDRAWALS, Amount(100), UJUNO), kind="withdrawal")
    )
    with pytest.raises(BrokenInvariant, match="one entry"):
        await ledger.journal.submit(posting("s", leave(100), kind=SETTLED))


async def test_does_not_pay_more_than_was_held(ledger: LedgerService) -> None:
    await ledger.journal.submit(
        posting("other", Posting(ANN, WITHDRAWALS, Amount(100), UJUNO), kind="withdrawal")
    )
    with pytest.raises(BrokenInvariant, match="more leaves than was held"):
        await ledger.journal.submit(posting("s", leave(101), kind=SETTLED))


async def test_does_not_pay_twice_to_one_side(ledger: LedgerService) -> None:
    with pytest.raises(BrokenInvariant, match="UNIQUE"):
        await ledger.journal.submit(posting("s", leave(50), leave(50), kind=SETTLED))


async def test_nothing_leaves_without_a_reason(ledger: LedgerService) -> None:
    with pytest.raises(BrokenInvariant, match="name it"):
        await ledger.journal.submit(posting("s", leave(100, hold=None), kind=SETTLED))


@pytest.mark.parametrize("reference", [1, 99])
async def test_a_reference_names_a_hold(ledger: LedgerService, reference: int) -> None:
    with pytest.raises(BrokenInvariant, match="earlier posting into the account"):
        await ledger.journal.submit(posting("s", leave(100, hold=reference), kind=SETTLED))


async def test_the_audit_counts_what_waits(ledger: LedgerService, path: Path) -> None:
    await ledger.transfer_between_users(ANN, BEN, Amount(1), UJUNO, key="k")
    assert audit(path).held == {"ujuno": 100}
