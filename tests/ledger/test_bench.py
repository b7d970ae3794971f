"""The bench runs, keeps the books, and says whether its promises hold; how fast it is no test can tell."""

import json
from pathlib import Path

import pytest

from scripts.benchmarks.ledger import Figures, Work, judge, main, measure

TINY = Work(alone=3, together=40, crowd=120)


@pytest.fixture(scope="module")
def measured() -> list[Figures]:
    return measure([100, 200], 1, TINY)


def test_every_way_to_write_is_measured(measured: list[Figures]) -> None:
    for each in measured:
        assert len(each.rates) == 9
        assert all(rate > 0 for (rate,) in each.rates.values())


def test_each_promise_is_judged(measured: list[Figures]) -> None:
    assert len(judge(measured)) == 6


def test_figures_are_written_for_machines(
    measured: list[Figures],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("scripts.benchmarks.ledger.measure", lambda *_: measured)
    monkeypatch.setattr("scripts.benchmarks.ledger.calm_collector", lambda: None)
    code = main(["--quick", "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert code == (0 if all(verdict["holds"] for verdict in figures["verdicts"]) else 1)
    assert "synchronous=FULL" in capsys.readouterr().out
