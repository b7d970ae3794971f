"""The operator's page knows every code that the program can end with or alert."""

from pathlib import Path

import pytest

from bot import sentences
from bot.exits import Exit

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_says_what_to_do(code: Exit) -> None:
    assert f"\n| {code.value} | " in PAGE


@pytest.mark.parametrize("alert", sorted(sentences.ALERTS))
def test_every_alert_says_what_to_do(alert: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert any(f"`{alert}`" in row.split("|")[1] for row in rows)
