"""The kill matrix: the real process, under load, is killed at each point of each flow, again and again, in one town.

After some kills the program is left alone until everything has come to rest, is stopped, and all is looked at. What is
wrong then counts for every point since the last look.
"""

import argparse
import asyncio
import contextlib
import random
import signal
import sqlite3
import sys
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import bot
from ledger.reader import Reader
from sandbox.node.decoding import Coin
from tests.scenarios.crowd import PARAMETERS, Crowd
from tests.scenarios.finding import Finding
from tests.scenarios.killable import CANCELLED, POINTS, REPLACED, TAKEN_OVER, Point
from tests.scenarios.nursery import Life, Nursery, nursery
from tests.scenarios.town import DENOM, JUNO, TREASURY, Town, served, town

ROOT: Final = Path(bot.__file__).parents[1]
TABLE: Final = Path("docs/kill-matrix.md")
LIMIT_SECONDS: Final = 120.0
VOLLEY_SECONDS: Final = 0.5
ANSWERS_IN_A_VOLLEY: Final = 5
"""People press what they are shown at once, and do something new with each volley."""
BETWEEN_LOOKS: Final = 12
TIMEOUT_BLOCKS: Final = 25
MOST_WAITING: Final = 20
MOST_UNTOLD: Final = 150
"""So much may wait to be answered or told: on a busy machine people would act faster than anybody can be served."""
REPLACE_AFTER_BLOCKS: Final = 8
UNTAKEN: Final = (REPLACED, "a payment has expired")
"""Steps of payments that no block takes."""
RARE: Final = ("a payment has failed", "a batch is taken apart", *UNTAKEN)
"""Steps that take the chain a while each time. A life is ended at the first; at others at the first, second or third."""
ONCE: Final = ("start", "stop")
"""Flows of which one life may have one transaction only."""

_BACKLOG: Final = """
SELECT (SELECT count(*) FROM inbox WHERE state = 'new') + (SELECT count(*) FROM outbox WHERE state = 'pending')
"""
_REST: Final = (
    "SELECT 1 FROM inbox WHERE state = 'new'",
    """
    SELECT 1 FROM withdrawals WHERE state NOT IN ('confirmed', 'returned', 'cancelled')
    AND NOT EXISTS (SELECT 1 FROM freezes WHERE lifted_at IS NULL)
    """,
    "SELECT 1 FROM outbox WHERE state = 'pending'",
)
"""What there is to do: nothing of it is left at a quiet point. A freeze is a finding, nothing would be paid under it."""


class Unreached(Exception):  # noqa: N818 - it says what is the matter
    """A life did not pass its point, or ended in another way."""


class Matrix:
    """One long-living town in which the program dies again and again."""

    def __init__(
        self, place: Town, lives: Nursery, url: str, seed: str, limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self.crowd = Crowd(place, seed)
        self.kills: Counter[Point] = Counter()
        self.lost: Counter[Point] = Counter()
        self.doubled: Counter[Point] = Counter()
        self.findings: list[Finding] = []
        self._limit_seconds = limit_seconds
        self._since: set[Point] = set()
        self._cards = 0
        self._lots = 0
        self._place = place
        self._lives = lives
        self._settings = {
            **place.settings(url),
            "timeout_blocks": str(TIMEOUT_BLOCKS),
            "replace_after_blocks": str(REPLACE_AFTER_BLOCKS),
        }

    @property
    def log(self) -> Path:
        """What the lives wrote."""
        return self._place.directory / "log"

    @property
    def _waiting(self) -> deque[dict[str, Any]]:
        """What people did and the program did not fetch."""
        return self._place.telegram.queues[self._place.account.user.id].waiting

    def _backlog(self) -> int:
        books = self._opened()
        if books is None:
            return 0
        with contextlib.closing(books):
            return int(books.select(_BACKLOG)[0][0])

    def _last_words(self) -> str:
        return "\n" + self.log.read_text(encoding="utf-8")[-3_000:]

    async def begin(self) -> None:
        """Open the books, and let people come with money."""
        self._place.node.faucet(TREASURY, [Coin(DENOM, 1_000 * JUNO)])
        life = await self._start()
        while not self._stand():
            await self._breath(life)
        self.crowd.arrive()
        await self._rest(life)

    async def _start(self, point: Point | None = None, passes: int = 0) -> Life:
        return await self._lives.start(self._settings, self.log, "run", point=str(point or ""), passes=passes)

    # Dying

    async def kill_at(self, point: Point, passes: int = 0) -> None:
        """Start the program, press it until it dies at ``point``. Raises Unreached."""
        self._cards = self._lots = 0
        with self._conditions(point):
            dying = await self._begun(point, passes)
            code = await self._pressed(dying, point)
        if code != -signal.SIGKILL:
            raise Unreached(f"{point}: ended with {code}{self._last_words()}")
        self.kills[point] += 1
        self._since.add(point)

    async def _begun(self, point: Point, passes: int) -> Life:
        if point.step.name != TAKEN_OVER:
            return await self._start(point, passes)
        first = await self._start()
        await self._serving(first)
        second = await self._start(point, passes)
        self._press(point)
        await asyncio.sleep(VOLLEY_SECONDS)
        first.send(signal.SIGKILL)
        await first.ended(self._limit_seconds)
        return second

    async def _serving(self, life: Life) -> None:
        before = self.crowd.newest()
        self.crowd.bustle()
        async with asyncio.timeout(self._limit_seconds):
            while self.crowd.newest() == before and life.exit_code is None:  # noqa: ASYNC110 - the chats are polled
                await asyncio.sleep(0.02)

    async def _pressed(self, life: Life, point: Point) -> int:
        if point.step.flow == "stop":
            await self._serving(life)
            life.send(signal.SIGTERM)
            return await life.ended(self._limit_seconds)
        try:
            async with asyncio.timeout(self._limit_seconds):
                while life.exit_code is None:
                    self._press(point)
                    for _ in range(ANSWERS_IN_A_VOLLEY):
                        self.crowd.confirm()
                        with contextlib.suppress(TimeoutError):
                            await life.ended(VOLLEY_SECONDS / ANSWERS_IN_A_VOLLEY)
                            break
                    await self._hurry_blocks(point)
        except TimeoutError:
            life.send(signal.SIGKILL)
            why = f"{point}: not passed in {self._limit_seconds} s, {len(self._waiting)} wait{self._last_words()}"
            raise Unreached(why) from None
        assert life.exit_code is not None
        return life.exit_code

    def _press(self, point: Point) -> None:
        """Do what leads to ``point``, among other things; not more than the program takes from one person at once."""
        crowd, step = self.crowd, point.step
        if len(self._waiting) > MOST_WAITING or self._backlog() > MOST_UNTOLD:
            return
        crowd.bustle()
        first, second, third, *_ = crowd.members
        if step.flow == "deposit":
            # A card must be there before the deposit that changes it, and any deposit before that ends it.
            self._cards += 1
            if self._cards % 8 == 1:
                crowd.show_card(first)
            if self._cards % 8 == 5:
                crowd.deposit(first, JUNO)
            crowd.deposit(second, JUNO, memo=False)
        if step.name in ("a payment has failed", "a batch is taken apart"):
            # Each costs a block of its own in the end: a new lot only when the last one should be through.
            self._lots += 1
            for member in (first, second, third) if self._lots % 30 == 1 else ():
                crowd.withdraw(member, closed=True)
        if step.flow == "unclaimed":
            crowd.deposit(second, JUNO, memo=False)
        if step.flow in crowd.company.flows:
            crowd.company.play(step.flow)
        if step.name == CANCELLED:
            crowd.withdraw(first)
            crowd.cancel()

    @contextlib.contextmanager
    def _conditions(self, point: Point) -> Iterator[None]:
        """Let the node take payments and forget them where no block shall take them."""
        faults = self._place.node.faults["main"]
        if point.step.name in UNTAKEN:
            faults.switch(drop_broadcasts=True)
        try:
            yield
        finally:
            faults.clear()

    async def _hurry_blocks(self, point: Point) -> None:
        if point.step.name in UNTAKEN:
            await self._place.node.produce_blocks(TIMEOUT_BLOCKS // 4)

    # Coming to rest

    async def look(self) -> list[Finding]:
        """Let a healthy program finish everything, stop it, and count what is wrong."""
        life = await self._start()
        await self._rest(life)
        found = self.crowd.problems()
        self._count(found)
        return found

    async def _rest(self, life: Life) -> None:
        books: Reader | None = None
        chain = self._place.node.chain
        try:
            async with asyncio.timeout(self._limit_seconds):
                while self._waiting:
                    await self._breath(life)
                while chain.mempool.waiting():
                    await self._breath(life)
                while (books := self._opened()) is None:
                    await self._breath(life)
                height = chain.height
                while self._busy(books, height):
                    await self._breath(life)
        except TimeoutError:
            self._count([Finding(lost=True, text="it never came to rest")])
        finally:
            if books is not None:
                books.close()
        life.send(signal.SIGTERM)
        code = await life.ended(self._limit_seconds)
        if code != 0:
            self._count([Finding(lost=True, text=f"it stopped with {code}")])

    def _stand(self) -> bool:
        """Tell whether the books stand at a block: what came before is the treasury's own."""
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(Reader(self._place.database)) as books,
        ):
            return bool(books.select("SELECT 1 FROM cursor"))
        return False

    def _opened(self) -> Reader | None:
        """Open the books; None while the program that starts has them for itself."""
        try:
            return Reader(self._place.database)
        except sqlite3.OperationalError:
            return None

    async def _breath(self, life: Life) -> None:
        if life.exit_code is not None:
            raise Unreached(f"a healthy life ended with {life.exit_code}{self._last_words()}")
        await asyncio.sleep(0.05)

    def _busy(self, books: Reader, height: int) -> bool:
        behind = books.select("SELECT 1 FROM cursor WHERE height < ?", (height,))
        return bool(behind) or any(books.select(sql) for sql in _REST)

    def _count(self, found: Sequence[Finding]) -> None:
        self.findings += found
        for point in self._since:
            self.lost[point] += sum(each.lost for each in found)
            self.doubled[point] += sum(not each.lost for each in found)
        self._since = set()


@contextlib.asynccontextmanager
async def matrix(
    directory: Path, seed: str, limit_seconds: float = LIMIT_SECONDS, root: Path = ROOT
) -> AsyncIterator[Matrix]:
    """Found a town for the matrix; ``limit_seconds`` is how long a point, or rest, is waited for."""
    async with town(directory, PARAMETERS) as place, served(place) as url, nursery(root) as lives:
        opened = Matrix(place, lives, url, seed, limit_seconds)
        await opened.begin()
        yield opened


async def kill(
    directory: Path,
    points: Sequence[Point],
    seed: str,
    *,
    tell: Callable[[str], None] = lambda _: None,
    limit_seconds: float = LIMIT_SECONDS,
    root: Path = ROOT,
) -> Matrix:
    """Kill once at each of ``points``, in a drawn order, and look now and then; return what was counted.

    ``root`` is where the source of the program is that dies.
    """
    order = [*points]
    random.Random(seed).shuffle(order)
    async with matrix(directory, seed, limit_seconds, root) as running:
        for start in range(0, len(order), BETWEEN_LOOKS):
            try:
                for point in order[start : start + BETWEEN_LOOKS]:
                    await running.kill_at(point, _passes(point, running.kills[point]))
            except Unreached as error:
                running.findings.append(Finding(lost=True, text=str(error)))
            found = await running.look()
            tell(f"{sum(running.kills.values())} kills, {len(found)} findings")
            for each in running.findings[:20]:
                tell(f"  {'lost' if each.lost else 'doubled'}: {each.text}")
            if running.findings:
                break
    return running


def _passes(point: Point, kills: int) -> int:
    """Return how often ``point`` is passed before it kills, in the life after so many ``kills`` there."""
    return 0 if point.step.name in RARE or point.step.flow in ONCE else kills % 3


def table(counted: Matrix) -> str:
    """Return the page of the documentation."""
    lines = [_HEAD]
    for flow, points in groupby(POINTS.values(), lambda point: point.step.flow):
        lines += [_line(flow, point, counted) for point in points]
    sums = [sum(counter.values()) for counter in (counted.kills, counted.lost, counted.doubled)]
    lines.append(f"| **all** | {len(counted.kills)} points | {sums[0]} | {sums[1]} | {sums[2]} |\n")
    return "\n".join(lines)


def _line(flow: str, point: Point, counted: Matrix) -> str:
    numbers = [counter[point] for counter in (counted.kills, counted.lost, counted.doubled)]
    name = point.step.name if " " in point.step.name else f"`{point.step.name}`"
    return f"| {flow} | {name}: {point.moment} | {numbers[0]} | {numbers[1]} | {numbers[2]} |"


_HEAD: Final = """# Killed at each point of these flows

Written by `scripts/killmatrix`: the real process, against the sandbox's Telegram and Juno over HTTP, is ended with
`kill -9` at the point named, while six people send, pay in and take out at once. It is started again, killed again, and
now and then left alone until all has come to rest. Then the audit must be clean, the sum of all balances what the
treasury holds at the scanned height, each command done once, each withdrawal paid or given back once, each balance what
people's acts make it, and each receipt told. *Lost* also counts whatever else is wrong. A finding counts for every point
since the look before.

A transaction is cut off before BEGIN (what it does is known only when it is about to commit, so it is rolled back
first), behind its last row, and right behind COMMIT, before anybody in the process knows. A call is cut off before its
first byte, and when its answer has come and nobody has read it.

Not in the table: approvals, verdicts of a group's rules, `/claimdeposit`, `/limits`, freezes and pauses, `/unjail`, the end of
a shared account, and a restore. The simulation kills there too, at commits and requests that it draws.

| flow | point | kills | lost | doubled |
|---|---|---:|---:|---:|"""


def main(argv: Sequence[str]) -> int:
    """Run the matrix; 1 when something was lost or doubled."""
    parser = argparse.ArgumentParser(prog="scripts/killmatrix", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--kills", type=int, default=3 * len(POINTS), help="how many at least, all points in turn"
    )
    parser.add_argument("--seed", default="1", help="draws the order and what people do")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=POINTS,
        metavar="POINT",
        help="these points, and no table (all: see --list)",
    )
    parser.add_argument(
        "--limit", type=float, default=LIMIT_SECONDS, help="seconds that a point, or rest, is waited for"
    )
    parser.add_argument("--list", action="store_true", help="print the points")
    options = parser.parse_args(argv)
    if options.list:
        print(*POINTS, sep="\n")
        return 0
    chosen = [POINTS[name] for name in options.only or POINTS]
    rounds = -(-options.kills // len(chosen))
    with tempfile.TemporaryDirectory() as directory:
        work = kill(
            Path(directory),
            chosen * rounds,
            options.seed,
            tell=print,
            limit_seconds=options.limit,
        )
        counted = asyncio.run(work)
    if options.only is None:
        TABLE.write_text(table(counted), encoding="utf-8")
    return 1 if counted.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
