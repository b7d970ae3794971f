"""The audit finds what somebody did to the file behind the program's back."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.audit import audit
from ledger.money import Amount
from tests.ledger.desk import ANN, BEN, CAT, UJUNO, ledger_at, rows_of, settle_people

UNLOCK = """
DROP TRIGGER transactions_no_update; DROP TRIGGER transactions_no_delete; DROP TRIGGER transactions_checked;
DROP TRIGGER transactions_apply; DROP TRIGGER transactions_open_balances; DROP TRIGGER transactions_resolve;
DROP TRIGGER transactions_total; DROP TRIGGER entries_no_update; DROP TRIGGER entries_no_delete;
DROP TRIGGER links_no_update; DROP TRIGGER links_no_delete; DROP TRIGGER links_join;
DROP TRIGGER user_balances_kept;
"""
"""Somebody with the file and a shell has no triggers to fear."""

FALSE_POSTING = """
INSERT INTO entries VALUES (6, 'forged', x'00', 1);
INSERT INTO transactions VALUES (6, 6, 'transfer', 'ujuno', 5, 11, 22, 5, 960, 5, 30, NULL, 11, '', 0);
UPDATE user_balances SET balance = 960, last_tx = 6 WHERE user_id = 11;
UPDATE user_balances SET balance = 30, last_tx = 6 WHERE user_id = 22;
"""

PLANTED = {
    "a balance raised": (
        "UPDATE user_balances SET balance = balance + 1 WHERE user_id = 22",
        "account 22 is booked",
    ),
    "two balances shifted": (
        (
            "UPDATE user_balances SET balance = balance - 1 WHERE user_id = 11;"
            "UPDATE user_balances SET balance = balance + 1 WHERE user_id = 22"
        ),
        "account 22 is booked",
    ),
    "a tail turned": ("UPDATE user_balances SET last_tx = 1 WHERE user_id = 22", "account 22 is booked"),
    "a balance lost": ("DELETE FROM user_balances WHERE user_id = 33", "account 33 has no balance"),
    "an amount changed": ("UPDATE transactions SET amount = 11 WHERE id = 3", "link"),
    "a note changed": (
        "UPDATE transactions SET note = 'other' WHERE id = 3",
        "are not those that were committed",
    ),
    "a time changed": ("UPDATE transactions SET at = 1 WHERE id = 3", "are not those that were committed"),
    "a key changed": ("UPDATE entries SET key = 'other' WHERE id = 3", "are not those that were committed"),
    "a digest changed": (
        "UPDATE entries SET digest = x'00' WHERE id = 3",
        "are not those that were committed",
    ),
    "a recipient changed": ("UPDATE transactions SET to_id = 33 WHERE id = 3", "account 33 had row"),
    "a kind changed": (
        "UPDATE transactions SET kind = 'gift' WHERE id = 3",
        "no gift goes from user to user",
    ),
    "a row lost in the middle": ("DELETE FROM transactions WHERE id = 4", "transaction 4 is missing"),
    "the newest row lost": ("DELETE FROM transactions WHERE id = 5", "are not those that were committed"),
    "an entry lost": ("DELETE FROM entries WHERE id = 4", "entry 4 does not hold"),
    "an entry without postings": ("INSERT INTO entries VALUES (9, 'x', x'00', 1)", "entries goes on to 9"),
    "a posting beyond the links": (FALSE_POSTING, "transactions goes on to 6"),
    "a link changed": ("UPDATE links SET hash = zeroblob(32) WHERE id = 2", "link 2"),
    "a link lost": ("DELETE FROM links WHERE id = 2", "does not follow"),
    "the newest link lost": ("DELETE FROM links WHERE id = (SELECT max(id) FROM links)", "the links end at"),
    "a total changed": ("UPDATE assets SET total = 999", "the total is 999"),
    "an account lost": (
        "PRAGMA foreign_keys = OFF; DROP TRIGGER users_kept; DELETE FROM users WHERE id = 22",
        "refers",
    ),
}


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Books of five postings in four commits: Ann 965, Ben 25, Cat 10."""
    path = tmp_path / "moneta.db"
    async with ledger_at(path) as service:
        await settle_people(service)
        for number, (source, destination, amount) in enumerate(
            [(ANN, BEN, 15), (ANN, CAT, 10), (ANN, BEN, 10)]
        ):
            await service.transfer_between_users(source, destination, Amount(amount), UJUNO, key=f"k{number}")
    return path


def plant(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(UNLOCK + script)
    connection.close()


def test_honest_books_are_clean(path: Path) -> None:
    report = audit(path)
    assert (report.clean, report.transactions, report.entries, report.links) == (True, 5, 4, 4)
    assert report.totals == {"ujuno": 1_000}


def test_a_shell_that_only_looks_leaves_them_clean(path: Path) -> None:
    plant(path, "")
    assert audit(path).clean


@pytest.mark.parametrize(("script", "finding"), PLANTED.values(), ids=PLANTED.keys())
def test_finds(path: Path, script: str, finding: str) -> None:
    plant(path, script)
    assert finding in "\n".join(audit(path).problems)


def test_the_head_tells_when_the_end_was_cut_off_cleanly(path: Path) -> None:
    """A cut that takes the newest commit with all its traces leaves books that agree; the head kept elsewhere does not."""
    before = audit(path)
    plant(
        path,
        """
        DELETE FROM links WHERE id = 4; DELETE FROM transactions WHERE id = 5; DELETE FROM entries WHERE id = 5;
        UPDATE user_balances SET balance = 975, last_tx = 4 WHERE user_id = 11;
        UPDATE user_balances SET balance = 15, last_tx = 3 WHERE user_id = 22;
        """,
    )
    after = audit(path)
    assert after.clean
    assert after.head != before.head


def overwrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def test_finds_a_damaged_page(path: Path) -> None:
    """The page that holds the log is overwritten."""
    ((page,),) = rows_of(path, "SELECT rootpage FROM sqlite_master WHERE name = 'transactions'")
    start = (page - 1) * 4096
    overwrite(path, lambda content: content[:start] + b"\x5a" * 4096 + content[start + 4096 :])
    assert any(problem.startswith("file: ") for problem in audit(path).problems)


def test_finds_a_file_that_is_no_database(path: Path) -> None:
    overwrite(path, lambda _: b"moneta" * 1000)
    assert audit(path).problems[0].startswith("file: ")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        audit(tmp_path / "nowhere.db")
