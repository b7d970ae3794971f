"""No statement of a book reads through a table that only ever grows: what members can have run must stay short."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot import outbox
from bot.rules import book as rules
from ledger.queries import queries
from tests.blank import lay_blank

BOOKS = sorted(path.stem for path in Path("ledger/sql").glob("*.sql"))
WHOLE = {
    # Audits and backups read everything, a console asks seldom, and a group migrates once.
    "bookaudit",
    "backup newest",
    "approvals waiting",
    "giveaways active_in",
}
SHORT = {"assets", "cursor", "restores", "pauses", "freezes", "CONSTANT", "json_each", "shared_accounts"}
"""What is scanned though it is read through: a few rows, or a list that was given."""
STATEMENTS = {
    f"{name} {each}": sql
    for name in BOOKS
    for each, sql in queries(name).items()
    if not {name, f"{name} {each}"} & WHOLE
} | {
    "rules of a chat": rules._OF_CHAT,
    "messages of one reader": outbox.TOO_MANY,
    "left out": outbox.LEAVE_OUT,
    "shown anew": outbox.SHOW_ANEW,
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("plans") / "books.db"
    lay_blank(path)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_table_that_grows_is_read_through(books: sqlite3.Connection, statement: str) -> None:
    sql = re.sub(r"--.*", "", STATEMENTS[statement])
    named = dict.fromkeys(re.findall(r":([a-z_]+)", sql))
    plan = [row[3] for row in books.execute(f"EXPLAIN QUERY PLAN {sql}", named or (None,) * sql.count("?"))]
    scans = [step.split()[1] for step in plan if step.startswith("SCAN ") and " USING " not in step]
    # What the statement gathers first is as short as what it was gathered from.
    gathered = [step.split()[1] for step in plan if step.startswith(("MATERIALIZE ", "CO-ROUTINE "))]
    grows = [table for table in scans if table not in (*SHORT, *gathered)]
    assert [table for table in grows if not table.startswith("(subquery")] == []
