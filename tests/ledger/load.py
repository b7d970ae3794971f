"""Forty callers that move coins around and around until killing.py ends them, and tell what was acknowledged to them."""

import asyncio
import os

from ledger.accounts import AccountId
from ledger.errors import LedgerError
from ledger.money import Amount
from tests.ledger.desk import UJUNO
from tests.ledger.killing import Stage

POINTS = ("before-begin", "before-commit", "after-commit", "after-answer")
CALLERS = 40


async def live(stage: Stage) -> None:
    """Move coins."""

    async def caller(number: int) -> None:
        source, destination = AccountId(number + 1), AccountId((number + 1) % CALLERS + 1)
        for step in range(1_000):
            key = f"k:{os.getpid()}:{number}:{step}"
            try:
                await stage.service.transfer_between_users(
                    source, destination, Amount(1 + step % 7), UJUNO, key=key
                )
            except LedgerError:
                continue
            stage.tell(key)
            stage.deadly.at("after-answer")

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
