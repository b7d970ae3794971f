"""What waits in UNCLAIMED, from its arrival to its last assignment, in a process that is killed at a commit of it.

Usage: python -m tests.ledger.unclaimedload DATABASE POINT COUNT: the process kills itself at the COUNT-th time it comes
to POINT of a commit (its listing of assets is the first), and says on stdout what was acknowledged.
"""

import asyncio
import os
import sys
from pathlib import Path

from ledger.challenges import Claim, Question
from ledger.deposits import Arrival, Place, post_arrivals
from ledger.drafts import Draft
from ledger.money import Amount
from ledger.roles import Actor
from ledger.service import LedgerService
from ledger.unclaimed import Assignment
from ledger.units import Decision, Unit, View
from ledger.world import SystemClock, ThreadRunner
from tests.ledger.desk import ANN, ASSETS, BEN, UJUNO
from tests.ledger.load import Deadly, DeadlyStore

COINS = 7
COMMITS = 5
"""Of one life: two outputs arrive, one goes in parts by an owner's word, what is left by a signature."""
OWNER = Actor(ANN, owner=True)
NONCE = "c" * 24
TX = "AB12" * 16


async def main(path: Path, point: str, count: int) -> None:
    """Live it."""
    deadly = Deadly(point, count)
    service = await LedgerService.open(
        path,
        clock=SystemClock(),
        blocking=ThreadRunner(),
        assets=ASSETS,
        store=lambda where: DeadlyStore(where, deadly),
    )
    await service.journal.submit(Unit(_arrive))
    deposit = service.unclaimed.of_transaction(TX)[0].id
    for number, amount in enumerate((3, 2)):
        order = Assignment(deposit, BEN, Amount(amount), "showed it to me")
        await service.unclaimed.assign(f"k:assign{number}", OWNER, order)
        os.write(1, f"k:assign{number}\n".encode())
    await service.challenges.ask(Question(BEN, deposit, "juno1friend", 777, NONCE))
    await service.challenges.claim("k:claim", Claim(BEN, NONCE, "{}"))
    os.write(1, b"k:claim\n")
    await service.close()


def _arrive(view: View) -> Decision[None]:
    draft = Draft(view)
    arrivals = [Arrival(TX, "0", output, UJUNO, str(COINS), "", "juno1friend") for output in range(2)]
    post_arrivals(draft, Place("testing-1", 100), arrivals, frozenset({UJUNO}))
    return Decision(None, tuple(draft.entries), tuple(draft.rows))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
