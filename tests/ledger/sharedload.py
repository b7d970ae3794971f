"""The life of a shared account, from opening to closing, in a process that is killed at a commit of it.

Usage: python -m tests.ledger.sharedload DATABASE POINT COUNT: the process kills itself at the COUNT-th time it comes to
POINT of a commit (its listing of assets is the first), and says on stdout which payments were acknowledged.
"""

import asyncio
import os
import sys
from pathlib import Path

from ledger.memberships import Change, Terms
from ledger.money import Amount
from ledger.service import LedgerService
from ledger.shared import NO_LIMITS, MemberRole, SpendLimits
from ledger.sharedmoney import Fill, Spend
from ledger.world import SystemClock, ThreadRunner
from tests.ledger.desk import ANN, ASSETS, BEN, CAT, UJUNO
from tests.ledger.load import Deadly, DeadlyStore

COINS = 7
COMMITS = 15
"""Of one life: what it does, one after another."""


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
    books = service.shared
    account = (await books.create(ANN, "picnic")).id
    for person in (BEN, CAT):
        terms = Terms(MemberRole.SPEND, SpendLimits(UJUNO, Amount(4), None))
        invited = await books.invite(ANN, account, person, terms)
        await books.answer(person, invited.id, accepted=True)
    await _told(service, "k:fill", Fill(account, ANN, Amount(COINS), UJUNO))
    for by in (BEN, CAT, ANN):
        await _told(service, f"k:spend{by}", Spend(account, by, BEN, Amount(2), UJUNO))
    await books.change(ANN, account, Change(BEN, MemberRole.ADMIN, NO_LIMITS))
    await books.revoke(BEN, account, CAT)
    await books.rename(BEN, account, "feast")
    await _told(service, "k:rest", Spend(account, BEN, ANN, None, UJUNO))
    await books.leave(BEN, account)
    await books.close(ANN, account)
    await service.close()


async def _told(service: LedgerService, key: str, act: Fill | Spend) -> None:
    """Move coins, and say so once it is on disk."""
    await (service.shared.fill(key, act) if isinstance(act, Fill) else service.shared.spend(key, act))
    os.write(1, f"{key}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
