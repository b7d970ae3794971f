"""The databases that are measured: a log of any length between members, the moves to come, and what must stay true."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.accounts import SYSTEM_RESERVE, AccountId
from ledger.migrate import migrate
from ledger.money import Amount, Asset, Denom
from ledger.store import Store
from ledger.transfers import transfer_unit
from ledger.units import Decision, Entry, Posting, Row, Unit, View
from ledger.users import registration
from ledger.world import SystemClock
from ledger.writer import Writer

UJUNO = Denom("ujuno")
ASSETS = (Asset(UJUNO, "JUNO", 6),)
MEMBERS = 2_000
FUNDS = Amount(1_000_000_000)
BATCH = 500


class Moves:
    """An endless, seeded stream of transfers between members, and the rows that the journal would write for them."""

    def __init__(self, path: Path, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a repeatable load, no secret
        connection = sqlite3.connect(path)
        self._tails = {
            account: (balance, last)
            for account, balance, last in connection.execute(
                "SELECT user_id, balance, last_tx FROM user_balances"
            )
        }
        (self._last,) = connection.execute("SELECT max(id) FROM transactions").fetchone()
        connection.close()

    def pair(self) -> tuple[AccountId, AccountId]:
        """Return who pays whom."""
        source = self._random.randrange(1, MEMBERS + 1)
        return AccountId(source), AccountId(source % MEMBERS + 1)

    def rows(self, number: int) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """Yield an entry and its posting, ``number`` times."""
        for _ in range(number):
            self._last += 1
            last, (source, destination) = self._last, self.pair()
            paid, paid_prev = self._tails[source]
            got, got_prev = self._tails[destination]
            self._tails[source], self._tails[destination] = (paid - 1, last), (got + 1, last)
            yield (
                (last, f"m:7:-100:{last}", bytes(32), 1),
                (
                    last, last, "transfer", UJUNO, 1, source, destination,
                    paid_prev, paid - 1, got_prev, got + 1, None, source, "", 1_800_000_000_000,
                ),
            )  # fmt: skip


def prepare(path: Path, rows: int) -> None:
    """Make a database of ``rows`` transfers between members, by the ledger itself."""
    clock = SystemClock()
    migrate(path, clock.now())
    store = Store(path)
    writer = Writer(store, clock)
    asset = Row("INSERT INTO assets (denom, symbol, decimals) VALUES (?, ?, ?)", ASSETS[0])
    _commit(writer, [Unit(lambda _: Decision(None, rows=(asset,)))])
    _commit(writer, [_member(AccountId(number)) for number in range(1, MEMBERS + 1)])
    chooser = random.Random("prepare")  # noqa: S311 - a repeatable load, no secret
    for start in range(0, rows, BATCH):
        units = []
        for number in range(start, min(start + BATCH, rows)):
            source = chooser.randrange(1, MEMBERS + 1)
            destination = AccountId(source % MEMBERS + 1)
            units.append(
                transfer_unit(AccountId(source), destination, Amount(1), UJUNO, key=f"m:7:-1:{number}")
            )
        _commit(writer, units)
    writer.close()


def _member(account: AccountId) -> Unit[None]:
    def decide(view: View) -> Decision[None]:
        postings = (
            Posting(None, SYSTEM_RESERVE, FUNDS, UJUNO),
            Posting(SYSTEM_RESERVE, account, FUNDS, UJUNO),
        )
        entry = Entry(f"fund:{account}", b"", "adjustment", postings)
        return Decision(None, (entry,), (registration(account, f"member {account}", view.now),))

    return Unit(decide)


def _commit(writer: Writer, units: list[Unit[Any]]) -> None:
    for _, error in writer.commit(units):
        if error is not None:
            raise error


def strip(path: Path) -> None:
    """Remove the triggers: what is left are the same tables with the same indexes."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    for name in names:
        connection.execute(f"DROP TRIGGER {name}")
    connection.close()


def check_conservation(path: Path) -> None:
    """Raise when the balances are not what came in."""
    connection = sqlite3.connect(path)
    (balances,) = connection.execute("SELECT sum(balance) FROM user_balances").fetchone()
    (total,) = connection.execute("SELECT total FROM assets WHERE denom = ?", (UJUNO,)).fetchone()
    connection.close()
    if not balances == total == MEMBERS * FUNDS:
        raise AssertionError(f"balances {balances}, total {total}, funded {MEMBERS * FUNDS}")
