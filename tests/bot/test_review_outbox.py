"""A group that floods the bot keeps nobody else waiting."""

import json
from pathlib import Path

from bot.outbox import MOST_LOADED, Desk
from bot.pacing import Pacer
from ledger.connect import open_migrator
from ledger.reader import Reader
from tests.blank import lay_blank
from tests.bot.test_outbox import START, StoppedClock

INSERT = "INSERT INTO outbox (event, recipient, facts, created_at, due_at) VALUES (?, ?, ?, ?, ?)"
FLOODED, QUIET = -100, 7


def test_a_flooded_group_keeps_no_other_chat_waiting(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite3"
    lay_blank(path)
    asked = json.dumps({"chat": FLOODED, "say": "hello", "group": True})
    flood = [("reply", 5, asked, START, START)] * (MOST_LOADED + 1)
    writer = open_migrator(path)
    writer.executemany(INSERT, [*flood, ("transfer.received", QUIET, "{}", START, START)])
    writer.close()
    desk = Desk(Reader(path), StoppedClock(), Pacer())
    desk.load()
    taken = [desk.take(), desk.take()]
    assert {pending.chat for pending in taken if pending} == {FLOODED, QUIET}
