"""A process that moves coins until it is killed, and says on stdout what was acknowledged to its callers.

Usage: python -m tests.ledger.load DATABASE POINT COUNT: the process kills itself at the COUNT-th time it comes to
POINT (``before-begin``, ``before-commit``, ``after-commit``, ``after-answer``), under load.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from ledger.accounts import AccountId
from ledger.errors import LedgerError
from ledger.money import Amount
from ledger.service import LedgerService
from ledger.store import Store
from ledger.world import SystemClock, ThreadRunner
from tests.ledger.desk import ASSETS, UJUNO

POINTS = ("before-begin", "before-commit", "after-commit", "after-answer")
CALLERS = 40


class Deadly:
    """Counts down to a kill."""

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._left = count

    def at(self, point: str) -> None:
        """Die here, when it is time."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class DeadlyStore(Store):
    """A store that dies on cue."""

    def __init__(self, path: Path, deadly: Deadly) -> None:
        super().__init__(path)
        self._deadly = deadly

    def begin(self) -> None:
        self._deadly.at("before-begin")
        super().begin()

    def commit(self) -> None:
        self._deadly.at("before-commit")
        super().commit()
        self._deadly.at("after-commit")


async def main(path: Path, point: str, count: int) -> None:
    """Move coins around and around."""
    deadly = Deadly(point, count)
    service = await LedgerService.open(
        path,
        clock=SystemClock(),
        blocking=ThreadRunner(),
        assets=ASSETS,
        store=lambda where: DeadlyStore(where, deadly),
    )

    async def caller(number: int) -> None:
        source, destination = AccountId(number + 1), AccountId((number + 1) % CALLERS + 1)
        for step in range(1_000):
            key = f"k:{os.getpid()}:{number}:{step}"
            try:
                await service.transfer_between_users(
                    source, destination, Amount(1 + step % 7), UJUNO, key=key
                )
            except LedgerError:
                continue
            # One write, straight to the pipe: said is said, also when the next instruction is the last.
            os.write(1, f"{key}\n".encode())
            deadly.at("after-answer")

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
