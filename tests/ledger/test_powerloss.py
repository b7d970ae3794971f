"""Power fails at any write: the books are whole, and hold everything that was answered for."""

from pathlib import Path

import pytest

pytest.importorskip("apsw", reason="a VFS of our own takes apsw, which has no wheel everywhere")

from tests.ledger.powerloss import violations


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_power_may_fail_at_any_write(tmp_path: Path, seed: int) -> None:
    """With sends in batches of every size, and checkpoints between them; ``python -m tests.ledger.powerloss`` goes on."""
    assert violations(tmp_path, 15, synchronous="FULL", seed=seed) == []


def test_the_same_cuts_find_a_store_that_does_not_sync(tmp_path: Path) -> None:
    """A check that cannot fail is worth nothing."""
    found = violations(tmp_path, 4, synchronous="NORMAL")
    assert any("were answered" in wrong for wrong in found)


def test_power_may_fail_in_a_short_run(tmp_path: Path) -> None:
    assert violations(tmp_path, 4, synchronous="FULL") == []
