"""Live rows: one of a subject waits, some time after the last, whatever the clock was made to do."""

from pathlib import Path

import pytest

from ledger.outbox import BETWEEN_SHOWINGS_MS, live
from ledger.units import Decision
from tests.ledger.bank import Bank

GROUP = -500


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path / "books.db")


def change(bank: Bank) -> None:
    bank.decide(lambda view: Decision(None, rows=(live("thing.changed", GROUP, "thing:1", {}, view.now),)))


def show(bank: Bank) -> None:
    bank.write("UPDATE outbox SET state = 'sent', due_at = ? WHERE state = 'pending'", bank.clock.time)


def due(bank: Bank) -> list[int]:
    """Return in how many milliseconds what waits is shown."""
    rows = bank.read("SELECT due_at FROM outbox WHERE state = 'pending'")
    return [row["due_at"] - bank.clock.time for row in rows]


def test_the_first_is_shown_at_once_and_the_next_a_little_later(bank: Bank) -> None:
    change(bank)
    assert due(bank) == [0]
    show(bank)
    bank.clock.time += 1_000
    change(bank)
    change(bank)
    assert due(bank) == [BETWEEN_SHOWINGS_MS - 1_000]


def test_after_a_clock_was_set_back_nothing_waits_for_it_to_catch_up(bank: Bank) -> None:
    change(bank)
    show(bank)
    bank.clock.time -= 24 * 3_600_000
    change(bank)
    assert due(bank) == [BETWEEN_SHOWINGS_MS]
