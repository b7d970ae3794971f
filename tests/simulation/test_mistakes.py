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


def test_the_page_is_read_as_it_was_written() -> None:
    page = planting.PAGE.read_text(encoding="utf-8")
    assert planting.page_of(planting.rows_of(page)) == page


def test_every_row_of_the_page_is_brief_and_of_a_mistake_that_there_is() -> None:
    rows = planting.rows_of(planting.PAGE.read_text(encoding="utf-8"))
    assert rows.keys() <= {mistake.name for mistake in MISTAKES}
    assert {name: planting.brief(found) for name, found in rows.items()} == rows


def test_what_was_found_is_cut_between_words() -> None:
    found = planting.brief(f"{'word ' * 17}| {'f' * 40}\nlast words, and some more")
    assert found.endswith(" / ffffff… last words, …")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_every_mistake_can_be_planted(mistake: Mistake) -> None:
    """A patch that no longer fits would prove nothing: it must follow the program."""
    planting.applies(mistake)
