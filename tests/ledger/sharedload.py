"""The life of a shared account, from opening to closing, which killing.py ends at a commit."""

from ledger.memberships import Change, Terms
from ledger.money import Amount
from ledger.shared import NO_LIMITS, MemberRole, SpendLimits
from ledger.sharedmoney import Fill, Spend
from tests.ledger.desk import ANN, BEN, CAT, UJUNO
from tests.ledger.killing import Stage

COINS = 7
COMMITS = 15
"""Of one life: what it does, one after another."""


async def live(stage: Stage) -> None:
    """Live it; payments are acknowledged by their keys."""
    books = stage.service.shared
    account = (await books.create(ANN, "picnic")).id
    for person in (BEN, CAT):
        terms = Terms(MemberRole.SPEND, SpendLimits(UJUNO, Amount(4), None))
        invited = await books.invite(ANN, account, person, terms)
        await books.answer(person, invited.id, accepted=True)
    await _told(stage, "k:fill", Fill(account, ANN, Amount(COINS), UJUNO))
    for by in (BEN, CAT, ANN):
        await _told(stage, f"k:spend{by}", Spend(account, by, BEN, Amount(2), UJUNO))
    await books.change(ANN, account, Change(BEN, MemberRole.ADMIN, NO_LIMITS))
    await books.revoke(BEN, account, CAT)
    await books.rename(BEN, account, "feast")
    await _told(stage, "k:rest", Spend(account, BEN, ANN, None, UJUNO))
    await books.leave(BEN, account)
    await books.close(ANN, account)


async def _told(stage: Stage, key: str, act: Fill | Spend) -> None:
    """Move coins, and say so once it is on disk."""
    books = stage.service.shared
    await (books.fill(key, act) if isinstance(act, Fill) else books.spend(key, act))
    stage.tell(key)
