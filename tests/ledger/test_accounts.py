"""The scheme of ids: Python and the database agree on every edge of it."""

import sqlite3
from pathlib import Path

import pytest

from ledger.accounts import AccountClass, account_class, escrow_account
from tests.blank import lay_blank

EDGES = {
    1: AccountClass.USER,
    2**52: AccountClass.USER,
    0: None,
    -1: AccountClass.TREASURY,
    -2: AccountClass.RESERVE,
    -3: AccountClass.UNCLAIMED,
    -4: AccountClass.WITHDRAWALS,
    -5: AccountClass.REWARDS,
    -6: None,
    -99: None,
    -100: AccountClass.SHARED,
    -999: AccountClass.SHARED,
    -1000: None,
    -1001: AccountClass.ESCROW,
    -(2**40): AccountClass.ESCROW,
}
ROLES = {
    AccountClass.USER: "member",
    AccountClass.SHARED: "shared",
    AccountClass.ESCROW: "escrow",
    None: "system",
}


@pytest.mark.parametrize(("account", "expected"), EDGES.items())
def test_an_id_tells_its_class(account: int, expected: AccountClass | None) -> None:
    assert account_class(account) == expected


def test_no_id_is_the_chain() -> None:
    assert account_class(None) is AccountClass.CHAIN


@pytest.mark.parametrize(("account", "expected"), EDGES.items())
def test_the_database_registers_what_the_scheme_knows(
    path: Path, account: int, expected: AccountClass | None
) -> None:
    lay_blank(path)
    connection = sqlite3.connect(path)
    known = connection.execute("SELECT 1 FROM users WHERE id = ?", (account,)).fetchone() is not None
    if not known:
        try:
            connection.execute("INSERT INTO users VALUES (?, ?, 'x', 0)", (account, ROLES[expected]))
            known = True
        except sqlite3.IntegrityError:
            pass
    connection.close()
    assert known == (expected is not None)


def test_escrows_begin_below_minus_thousand() -> None:
    assert escrow_account(1) == -1001


def test_there_is_no_escrow_of_giveaway_zero() -> None:
    with pytest.raises(ValueError, match="from 1"):
        escrow_account(0)
