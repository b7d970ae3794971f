"""What goes out first, and who waits for whom."""

import json
from typing import Any

import pytest

from bot.outbox import Desk, Pending, subject_of
from bot.pacing import Pacer
from bot.transport import Sent
from ledger.ports import Millis

START = 1_700_000_000_000
DAY_MS = 86_400_000


class StoppedClock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> Millis:
        return Millis(self.time)


class Table:
    """The outbox as a list of rows, all of them due."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, int, str, int]] = []
        self.tracked: dict[str, tuple[int, int, int]] = {}

    def add(self, event: str, recipient: int, **facts: Any) -> None:
        self.rows.append((len(self.rows) + 1, event, recipient, json.dumps(facts), 0))

    def select(self, sql: str, parameters: Any = ()) -> list[Any]:
        if "tracked_messages" in sql:
            found = self.tracked.get(parameters[0])
            return [found] if found else []
        if "WHERE id = ?" in sql:
            return [(row[3], 0) for row in self.rows if row[0] == parameters[0]]
        return [(*row, None) for row in self.rows]


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def desk(table: Table, clock: StoppedClock) -> Desk:
    return Desk(table, clock, Pacer())


def order(desk: Desk, clock: StoppedClock, table: Table, seconds: int = 60) -> list[int]:
    """Take everything, one second after the other; return the numbers in order."""
    taken = []
    for _ in range(seconds):
        desk.changed()
        desk.load()
        pending: Pending | None = desk.take()
        if pending is not None:
            taken.append(pending.id)
            table.rows = [row for row in table.rows if row[0] != pending.id]
            desk.done(pending)
        clock.time += 1000
    return taken


def test_answers_go_before_edits_and_edits_before_notices(
    desk: Desk, clock: StoppedClock, table: Table
) -> None:
    table.tracked["withdrawal:7"] = (11, 5, 0)
    table.add("transfer.received", 11)
    table.add("withdrawal.confirmed", 11, withdrawal=7)
    table.add("reply", 11, chat=11, say="x")
    assert order(desk, clock, table) == [3, 2, 1]


def test_a_chats_messages_keep_their_order(desk: Desk, clock: StoppedClock, table: Table) -> None:
    for _ in range(5):
        table.add("reply", 11, chat=11, say="x")
    assert order(desk, clock, table) == [1, 2, 3, 4, 5]


def test_chats_take_turns(desk: Desk, clock: StoppedClock, table: Table) -> None:
    """Who has many groups answered at once must not keep somebody waiting for the answer to one command."""
    for chat in (11, 11, 11, 22):
        table.add("reply", chat, chat=chat, say="x")
    assert order(desk, clock, table) == [1, 4, 2, 3]


def test_one_message_of_a_chat_is_on_its_way_at_a_time(desk: Desk, table: Table) -> None:
    for chat in (11, 11, 22):
        table.add("reply", chat, chat=chat, say="x")
    desk.load()
    first, second, third = desk.take(), desk.take(), desk.take()
    assert (first and first.id, second and second.id, third) == (1, 3, None)


def test_what_another_process_told_meanwhile_is_not_told_again(desk: Desk, table: Table) -> None:
    table.add("transfer.received", 7)
    desk.load()
    table.rows.clear()
    assert desk.take() is None


def test_what_is_hidden_from_a_group_waits_for_its_readers_own_chat(desk: Desk, table: Table) -> None:
    table.add("reply", 11, chat=-100, say="x", group=True, private=True)
    desk.load()
    pending = desk.take()
    assert pending is not None
    assert pending.chat == 11


def test_nothing_to_do_lasts_until_the_table_is_read_again(desk: Desk) -> None:
    desk.load()
    assert 0 < desk.pause_seconds() <= 0.5


def test_a_clock_that_was_ahead_makes_nobody_wait_until_then(
    desk: Desk, clock: StoppedClock, table: Table
) -> None:
    clock.time += DAY_MS
    for chat in (*range(100, 128), 11, 11):
        table.add("reply", chat, chat=chat, say="x")
    assert len(order(desk, clock, table)) == 30
    desk.pacer.pause(22, clock.now(), 5_000)
    clock.time -= DAY_MS
    for chat in (11, 22):
        table.add("reply", chat, chat=chat, say="x")
    assert order(desk, clock, table, seconds=2) == [1, 2]


def test_a_table_that_was_read_by_a_clock_that_was_ahead_is_read_again(
    desk: Desk, clock: StoppedClock, table: Table
) -> None:
    clock.time += DAY_MS
    desk.load()
    clock.time -= DAY_MS
    table.add("reply", 11, chat=11, say="x")
    assert desk.pause_seconds() <= 0.5
    desk.load()
    assert desk.take() is not None


def test_news_belong_to_their_subject() -> None:
    assert subject_of("withdrawal.confirmed", 11, {"withdrawal": 7}) == "withdrawal:7"
    assert subject_of("deposit.credited", 11, {}) == "deposit:11"
    assert subject_of("transfer.received", 11, {}) is None


def test_news_edit_what_was_shown_after_they_were_loaded(desk: Desk, table: Table) -> None:
    """The tracker may be on its way while its first news wait behind it: they must find it once it is there."""
    table.add("withdrawal.signed", 5, withdrawal=7)
    desk.load()
    table.tracked["withdrawal:7"] = (5, 99, 0)
    pending = desk.take()
    assert pending is not None
    assert pending.tracked == ("withdrawal:7", Sent(5, 99))
