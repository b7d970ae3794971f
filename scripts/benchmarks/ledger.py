"""How much of the disk's speed the ledger keeps: the service beside simpler ways to write the same rows.

Every path writes the same rows into the same tables with the same indexes and pragmas, synchronous=FULL. The paths
below the service have no triggers, no checks, no idempotency and no hash chain: they are limits, not rivals.
The machine is never quiet, so what is compared runs in many short turns, one right after the other: each figure is the
median of the rounds, and each ratio the median of the rounds' own ratios.
"""

import argparse
import asyncio
import json
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import aiosqlite

from ledger.accounts import AccountId
from ledger.connect import CHECKPOINT_PAGES, open_writer
from ledger.money import Amount
from ledger.service import LedgerService
from ledger.store import Store
from ledger.world import SystemClock, ThreadRunner, calm_collector
from scripts.benchmarks.databases import ASSETS, MEMBERS, UJUNO, Moves, check_conservation, prepare, strip

INSERT_ENTRY = "INSERT INTO entries VALUES (?, ?, ?, ?)"
INSERT_TRANSACTION = "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Work(NamedTuple):
    """How many transfers each path makes in one round."""

    alone: int
    together: int
    crowd: int


class Way(NamedTuple):
    """A way to write: its name, and a round of it, which returns transfers a second."""

    name: str
    run: Callable[["Books"], float]


def _bare(path: Path, reserved_pages: int = 0) -> sqlite3.Connection:
    connection = open_writer(path, reserved_pages=reserved_pages)
    connection.set_authorizer(None)
    return connection


def raw_executemany(path: Path, number: int) -> float:
    """All rows in one transaction: nothing that uses SQLite from Python is faster."""
    rows = list(Moves(path, "raw").rows(number))
    entries, transactions = [entry for entry, _ in rows], [row for _, row in rows]
    connection = _bare(path)
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT_ENTRY, entries)
    connection.executemany(INSERT_TRANSACTION, transactions)
    connection.execute("COMMIT")
    rate = number / (time.perf_counter() - started)
    connection.close()
    return rate


def _commit_row(connection: sqlite3.Connection, entry: tuple[Any, ...], row: tuple[Any, ...]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(INSERT_ENTRY, entry)
    connection.execute(INSERT_TRANSACTION, row)
    connection.execute("COMMIT")


def raw_commits(path: Path, number: int) -> float:
    """One commit per row, no event loop anywhere."""
    rows = list(Moves(path, "commits").rows(number))
    connection = _bare(path)
    started = time.perf_counter()
    for entry, row in rows:
        _commit_row(connection, entry, row)
    rate = number / (time.perf_counter() - started)
    connection.close()
    return rate


def thread_hops(path: Path, number: int) -> float:
    """One hop to a thread and one commit there per row: the least that an event loop does by itself."""
    rows = list(Moves(path, "hops").rows(number))
    connection = _bare(path)
    with ThreadPoolExecutor(max_workers=1) as thread:

        def hop(call: Callable[[], None]) -> Awaitable[None]:
            return asyncio.get_running_loop().run_in_executor(thread, call)

        rate = asyncio.run(_hop_by_hop(hop, connection, rows))
    connection.close()
    return rate


async def _hop_by_hop(
    hop: Callable[[Callable[[], None]], Awaitable[None]],
    connection: sqlite3.Connection,
    rows: list[tuple[tuple[Any, ...], tuple[Any, ...]]],
) -> float:
    started = time.perf_counter()
    for entry, row in rows:
        await hop(partial(_commit_row, connection, entry, row))
    return len(rows) / (time.perf_counter() - started)


def statement_per_await(path: Path, callers: int, number: int) -> float:
    """What most write: aiosqlite, a lock, and an await for each statement of a transfer."""

    async def run() -> float:
        moves, numbers = Moves(path, "await"), count(1)
        connection = aiosqlite.Connection(lambda: _bare(path), iter_chunk_size=64)
        async with connection as database:
            lock = asyncio.Lock()

            async def caller() -> None:
                while next(numbers) <= number:
                    async with lock:
                        await _transfer_by_statements(database, *moves.pair())

            started = time.perf_counter()
            await asyncio.gather(*(caller() for _ in range(callers)))
            return number / (time.perf_counter() - started)

    return asyncio.run(run())


async def _transfer_by_statements(database: aiosqlite.Connection, source: int, destination: int) -> None:
    await database.execute("BEGIN IMMEDIATE")
    tails = []
    for account in (source, destination):
        cursor = await database.execute(
            "SELECT balance, last_tx FROM user_balances WHERE user_id = ? AND denom = ?", (account, UJUNO)
        )
        tails.append(await cursor.fetchone())
    cursor = await database.execute("SELECT max(id) + 1 FROM transactions")
    (last,) = await cursor.fetchone() or (1,)
    (paid, paid_prev), (got, got_prev) = tails  # type: ignore[misc] # both rows exist
    await database.execute(INSERT_ENTRY, (last, f"m:7:-100:{last}", bytes(32), 1))
    await database.execute(
        INSERT_TRANSACTION,
        (last, last, "transfer", UJUNO, 1, source, destination,
         paid_prev, paid - 1, got_prev, got + 1, None, source, "", 1_800_000_000_000),
    )  # fmt: skip
    for account, change in ((source, -1), (destination, 1)):
        await database.execute(
            "UPDATE user_balances SET balance = balance + ?, last_tx = ? WHERE user_id = ? AND denom = ?",
            (change, last, account, UJUNO),
        )
    await database.commit()


async def _transfers(service: LedgerService, moves: Moves, callers: int, number: int, name: str) -> float:
    asked = iter([(*moves.pair(), f"m:7:{name}:{message}") for message in range(number)])

    async def caller() -> None:
        for source, destination, key in asked:
            await service.transfer_between_users(source, destination, Amount(1), UJUNO, key=key)

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return number / (time.perf_counter() - started)


class Books:
    """The ledger with ``rows`` rows, open as in the bot for as long as the bench takes, and bare copies beside it.

    ``bare`` has no triggers; one more such copy is open with a log as long as the ledger's.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self.full, self.bare, reserved = (
            folder / f"{kind}-{rows}.db" for kind in ("full", "bare", "reserved")
        )
        prepare(self.full, rows)
        shutil.copy(self.full, self.bare)
        strip(self.bare)
        shutil.copy(self.bare, reserved)
        self._reserved_path, self._reserved = reserved, _bare(reserved, CHECKPOINT_PAGES)
        self._thread = ThreadRunner()
        self._loop = asyncio.Runner()
        self._service = self._loop.run(self._open())
        self._asked = count()

    async def _open(self) -> LedgerService:
        store = partial(Store, reserved_pages=CHECKPOINT_PAGES)  # as bot.cli does
        return await LedgerService.open(
            self.full, clock=SystemClock(), blocking=self._thread, assets=ASSETS, store=store
        )

    def close(self) -> None:
        """Close what is open."""
        self._loop.run(self._service.close())
        self._loop.close()
        self._thread.close()
        self._reserved.close()

    def transfers(self, callers: int, number: int) -> float:
        """The ledger as the bot uses it."""
        moves = Moves(self.full, f"service {callers}")
        rate = self._loop.run(_transfers(self._service, moves, callers, number, self._name()))
        check_conservation(self.full)
        return rate

    def reads_under_load(self, number: int) -> dict[str, float]:
        """Read balances on the loop's thread while a thousand callers write; microseconds."""
        moves = Moves(self.full, "reads")

        async def look() -> list[int]:
            writing = asyncio.ensure_future(_transfers(self._service, moves, 1_000, number, self._name()))
            took: list[int] = []
            while not writing.done():
                account = AccountId(len(took) % MEMBERS + 1)
                started = time.perf_counter_ns()
                self._service.reader.balance(account, UJUNO)
                took.append(time.perf_counter_ns() - started)
                await asyncio.sleep(0)
            await writing
            return took

        took = sorted(self._loop.run(look()))
        return {"p50": took[len(took) // 2] / 1000, "p99": took[len(took) * 99 // 100] / 1000}

    def lean_hops(self, number: int) -> float:
        """The hop and the log that the ledger has, and bare rows."""
        rows = list(Moves(self._reserved_path, "lean hops").rows(number))
        return self._loop.run(_hop_by_hop(self._thread, self._reserved, rows))

    def _name(self) -> str:
        """Return what makes the keys of one turn its own."""
        return f"-{time.perf_counter_ns()}-{next(self._asked)}"


HOPS, LONE = "thread hop and commit per row", "service, 1 caller"
AWAITS, SOME = "statement per await, 32 callers", "service, 32 callers"
RAW, CROWD = "raw executemany, one transaction", "service, 1000 callers"


def ways(work: Work) -> list[Way]:
    """Return every way to write; those that are compared stand side by side."""
    return [
        Way("raw commit per row", lambda books: raw_commits(books.bare, work.alone)),
        Way("the ledger's hop and log, commit per row", lambda books: books.lean_hops(work.alone)),
        Way(HOPS, lambda books: thread_hops(books.bare, work.alone)),
        Way(LONE, lambda books: books.transfers(1, work.alone)),
        Way("statement per await, 1 caller", lambda books: statement_per_await(books.bare, 1, work.alone)),
        Way(AWAITS, lambda books: statement_per_await(books.bare, 32, work.alone)),
        Way(SOME, lambda books: books.transfers(32, work.together)),
        Way(RAW, lambda books: raw_executemany(books.bare, work.crowd)),
        Way(CROWD, lambda books: books.transfers(1_000, work.crowd)),
    ]


class Figures(NamedTuple):
    """What the rounds gave on a log of ``rows`` rows: rates per way, and what a balance read took."""

    rows: int
    rates: dict[str, list[float]]
    reads: list[dict[str, float]]

    def shown(self) -> dict[str, Any]:
        """Return the medians."""
        return {
            "rows": self.rows,
            "transfers_per_second": {name: statistics.median(rates) for name, rates in self.rates.items()},
            "balance_read_under_load_us": {
                point: statistics.median(read[point] for read in self.reads) for point in self.reads[0]
            },
        }


def measure(sizes: list[int], rounds: int, work: Work) -> list[Figures]:
    """Return the figures of all ways on databases of ``sizes`` rows, which take turns too."""
    figures = [Figures(rows, {}, []) for rows in sizes]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        places = [opened.enter_context(closing(Books(Path(folder), rows))) for rows in sizes]
        for _ in range(rounds):
            for way in ways(work):
                for books, each in zip(places, figures, strict=True):
                    each.rates.setdefault(way.name, []).append(way.run(books))
            for books, each in zip(places, figures, strict=True):
                each.reads.append(books.reads_under_load(work.crowd))
    return figures


def judge(figures: list[Figures]) -> list[dict[str, Any]]:
    """Return the ratios that the ledger promises, and whether each holds."""
    small, large = figures[0], figures[-1]
    found = [
        (f"{LONE} / {HOPS}", _ratio(small.rates[LONE], small.rates[HOPS]), 0.8),
        (f"{SOME} / {AWAITS}", _ratio(small.rates[SOME], small.rates[AWAITS]), 15.0),
        (f"{CROWD} / {RAW}", _ratio(small.rates[CROWD], small.rates[RAW]), 0.22),
    ]
    if large is not small:
        found += [
            (
                f"{name}: {large.rows:,} rows / {small.rows:,} rows",
                _ratio(large.rates[name], small.rates[name]),
                0.9,
            )
            for name in (SOME, CROWD)
        ]
    slowest = max(each.shown()["balance_read_under_load_us"]["p50"] for each in figures)
    found.append(("50 us / balance read under write load, p50", 50 / slowest, 1.0))
    return [
        {"ratio": name, "reached": reached, "wanted": wanted, "holds": reached >= wanted}
        for name, reached, wanted in found
    ]


def _ratio(rates: list[float], limits: list[float]) -> float:
    return statistics.median(rate / limit for rate, limit in zip(rates, limits, strict=True))


def show(results: list[dict[str, Any]], verdicts: list[dict[str, Any]]) -> None:
    """Print tables for people."""
    for each in results:
        print(f"\n{each['rows']:,} rows in the log at first, synchronous=FULL{'transfers/s':>17}")
        for name, rate in each["transfers_per_second"].items():
            print(f"  {name:<40}{rate:>20,.0f}")
        read = each["balance_read_under_load_us"]
        print(
            f"  {'balance read under write load':<40}{read['p50']:>13.1f} us p50{read['p99']:>10.1f} us p99"
        )
    print()
    for verdict in verdicts:
        mark = "ok  " if verdict["holds"] else "FAIL"
        print(f"  {mark} {verdict['ratio']:<60}{verdict['reached']:>8.2f}  (wanted {verdict['wanted']})")


def main(argv: list[str]) -> int:
    """Measure, print, and return 1 when a promised ratio was missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench ledger", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000], help="sizes of the log")
    parser.add_argument("--rounds", type=int, default=21, help="rounds, of which the median counts")
    parser.add_argument("--quick", action="store_true", help="10,000 rows alone, nine rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    chosen = parser.parse_args(argv)
    calm_collector()  # as bot.main does
    sizes, rounds = ([10_000], 9) if chosen.quick else (sorted(chosen.rows), chosen.rounds)
    figures = measure(sizes, rounds, Work(alone=200, together=2_000, crowd=6_000))
    results, verdicts = [each.shown() for each in figures], judge(figures)
    show(results, verdicts)
    if chosen.json is not None:
        chosen.json.write_text(
            json.dumps({"results": results, "verdicts": verdicts}, indent=2) + "\n", encoding="utf-8"
        )
    return 0 if all(verdict["holds"] for verdict in verdicts) else 1
