"""What waits in UNCLAIMED, from its arrival to its last assignment: a life that killing.py ends at a commit."""

from ledger.challenges import Claim, Question
from ledger.deposits import Arrival, Place, post_arrivals
from ledger.drafts import Draft
from ledger.money import Amount
from ledger.roles import Actor
from ledger.unclaimed import Assignment
from ledger.units import Decision, Unit, View
from tests.ledger.desk import ANN, BEN, UJUNO
from tests.ledger.killing import Stage

COINS = 7
COMMITS = 5
"""Of one life: two outputs arrive, one goes in parts by an owner's word, what is left by a signature."""
OWNER = Actor(ANN, owner=True)
NONCE = "c" * 24
TX = "AB12" * 16


async def live(stage: Stage) -> None:
    """Live it; what was assigned is acknowledged by its key."""
    service = stage.service
    await service.journal.submit(Unit(_arrive))
    deposit = service.unclaimed.of_transaction(TX)[0].id
    for number, amount in enumerate((3, 2)):
        order = Assignment(deposit, BEN, Amount(amount), "showed it to me")
        await service.unclaimed.assign(f"k:assign{number}", OWNER, order)
        stage.tell(f"k:assign{number}")
    await service.challenges.ask(Question(BEN, deposit, "juno1friend", 777, NONCE))
    await service.challenges.claim("k:claim", Claim(BEN, NONCE, "{}"))
    stage.tell("k:claim")


def _arrive(view: View) -> Decision[None]:
    draft = Draft(view)
    arrivals = [Arrival(TX, "0", output, UJUNO, str(COINS), "", "juno1friend") for output in range(2)]
    post_arrivals(draft, Place("testing-1", 100), arrivals, frozenset({UJUNO}))
    return Decision(None, tuple(draft.entries), tuple(draft.rows))
