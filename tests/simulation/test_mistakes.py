"""The simulation can fail: mistakes that are planted on purpose are caught. The whole table: scripts/simulate --mistakes."""

import pytest

from tests.simulation import planting
from tests.simulation.mistakes import MISTAKES
from tests.simulation.planting import Mistake

QUICK = (
    "no key",
    "inbox row done before the act",
    "marked as sent before sending",
    "residue dropped",
    "edits are not judged",
)
"""What the first seeds catch; the others need more time than a suite should take."""


def _named(name: str) -> Mistake:
    return next(mistake for mistake in MISTAKES if mistake.name == name)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", QUICK)
def test_a_planted_mistake_is_caught(name: str) -> None:
    assert planting.hunt(_named(name)), f"{name} survived"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_copy_is_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATION_WHERE", "1")
    with planting.copy_of_program() as root:
        code, told = planting.run_program(root, 1, 5)
        assert (code, told.splitlines()[0]) == (0, str(root / "bot/__init__.py"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_every_mistake_can_be_planted(mistake: Mistake) -> None:
    """A patch that no longer fits would prove nothing: it must follow the program."""
    planting.applies(mistake)
