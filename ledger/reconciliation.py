"""The books against the proved balance, at each height where one is had (chain.md, Reconciliation)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, UNCLAIMED
from ledger.alerts import alert
from ledger.deposits import Arrival, Place, Reason, Waiting, spelled_amount, waiting_row
from ledger.drafts import Draft, digest_of
from ledger.errors import BrokenInvariant, Unavailable
from ledger.freezes import FreezeReason, freeze_everyone
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.outbox import OPERATORS, news
from ledger.ports import Millis, Selects
from ledger.queries import queries
from ledger.units import Entry, Posting, Row

MAX_EVIDENCE_ROWS: Final = 20
"""Odd arrivals named beside a residue; more are in processed_deposits."""

_SQL: Final = queries("reconciliation")
_ODD: Final = _SQL["odd"]
_SETTLE: Final = _SQL["settle"]
_EVIDENCE: Final = _SQL["evidence"]
_COMPARED: Final = _SQL["compared"]


class ClaimsWanted(Unavailable):
    """Books and chain differ: ask nodes what may explain it to a person, and post again with their claims."""


class Hints(NamedTuple):
    """What may explain a difference: this block's arrivals, and unproved ``claims`` of nodes (None: not asked)."""

    arrivals: Sequence[Arrival] = ()
    claims: Mapping[str, Any] | None = None


class Comparison(NamedTuple):
    """Books and chain of one denom, in base units. ``chain`` is what was proved at ``proved_height``; None: never.

    ``height`` is the cursor's and ``block_time`` that block's; None where no block was read yet.
    """

    denom: Denom
    books: Amount
    reserve: Amount
    """Of SYSTEM_RESERVE; negative: what was found missing, and nobody has made good yet."""
    chain: Amount | None
    proved_height: int | None
    height: int | None
    block_time: Millis | None

    @property
    def difference(self) -> int | None:
        """What the chain holds beyond the books at the cursor; None: unknown, no proof is of that height."""
        if self.chain is None or self.proved_height != self.height:
            return None
        return self.chain - self.books


def compared(books: Selects, chain_id: str) -> list[Comparison]:
    """Return the books against what was last proved, by denom. What no node proved is unknown, never zero."""
    return [Comparison(*row) for row in books.select(_COMPARED, {"chain": chain_id})]


def settle(draft: Draft, place: Place, balances: Mapping[Denom, int], hints: Hints) -> None:
    """Make the books equal to the proved ``balances``, and write down why they were not.

    A surplus waits in UNCLAIMED as one row, a shortfall is SYSTEM_RESERVE's: nothing is ever taken from users.
    Raises ClaimsWanted when they differ and no node was asked why, BrokenInvariant for a balance beyond the books.
    """
    for denom, balance in sorted(balances.items()):
        if not 0 <= balance <= MAX_AMOUNT:
            raise BrokenInvariant(f"a listed denom is beyond what the books can hold: {balance} {denom}")
        difference = balance - draft.total(denom)
        if difference and hints.claims is None:
            raise ClaimsWanted(f"{difference} {denom} at {place.height}")
        if difference > 0:
            _post_residue(draft, place, denom, Amount(difference), hints)
        elif difference < 0:
            _post_shortfall(draft, place, denom, Amount(-difference), hints)
        if draft.total(denom) != balance:
            raise BrokenInvariant(f"books {draft.total(denom)}, chain {balance} {denom} at {place.height}")
        draft.write(Row(_SETTLE, (place.chain_id, denom, place.height, balance), changes=1))


def admit_unseen(draft: Draft, place: Place, denom: Denom, amount: int, cause: str) -> None:
    """Book what must have come unseen when the chain pays ``amount`` base units, more than the books hold in all.

    No body shows it, and no balance is proved yet: SYSTEM_RESERVE takes it, which owes then, or the books would hold as
    much. ``cause`` is what paid, once for ever. Without it the block could not be booked, now or later.
    """
    missing = amount - draft.total(denom)
    if missing <= 0:
        return
    facts = {"amount": missing, "denom": denom, "height": place.height, "cause": cause}
    posting = Posting(None, SYSTEM_RESERVE, Amount(missing), denom)
    key = f"unseen:{place.chain_id}:{place.height}:{denom}:{cause}"
    draft.post(Entry(key, digest_of(facts), "adjustment", (posting,)))
    draft.write(evidence_row(draft, place, "residue", json.dumps(facts, sort_keys=True), denom))
    draft.write(alert("reconciliation.unseen", facts, draft.view.now))


def open_books(draft: Draft, place: Place, balances: Mapping[Denom, int]) -> None:
    """Book what the address held before the first block that is watched: it is BOT_TREASURY's."""
    for denom, balance in sorted(balances.items()):
        held = Amount(balance - draft.total(denom))
        if held > 0:
            posting = Posting(None, BOT_TREASURY, held, denom)
            inputs = {"denom": denom, "amount": held, "height": place.height}
            draft.post(Entry(f"open:{place.chain_id}:{denom}", digest_of(inputs), "opening", (posting,)))


def _post_residue(draft: Draft, place: Place, denom: Denom, amount: Amount, hints: Hints) -> None:
    evidence = _evidence(draft, place, denom, hints)
    entry = _adjusting(place, "residue", Posting(None, UNCLAIMED, amount, denom))
    first = draft.post(entry)
    draft.write(waiting_row(draft, place, Waiting(first, denom, amount, Reason.RESIDUE, evidence=evidence)))
    facts = {
        "amount": amount,
        "denom": denom,
        "height": place.height,
        "reason": "residue",
        "transaction": first,
    }
    draft.write(news("deposit.unclaimed", OPERATORS, facts, draft.view.now))


def _post_shortfall(draft: Draft, place: Place, denom: Denom, amount: Amount, hints: Hints) -> None:
    evidence = _evidence(draft, place, denom, hints)
    draft.post(_adjusting(place, "adjustment", Posting(SYSTEM_RESERVE, None, amount, denom)))
    draft.write(evidence_row(draft, place, "shortfall", evidence, denom))
    freeze_everyone(draft, FreezeReason.SHORTFALL, f"{amount} {denom} missing at {place.height}")
    facts = {"amount": amount, "denom": denom, "height": place.height}
    draft.write(alert("reconciliation.shortfall", facts, draft.view.now))


def _adjusting(place: Place, kind: str, posting: Posting) -> Entry:
    inputs = {"amount": posting.amount, "denom": posting.denom, "height": place.height}
    key = f"rec:{place.chain_id}:{place.height}:{posting.denom}"
    return Entry(key, digest_of(inputs), kind, (posting,))


def evidence_row(draft: Draft, place: Place, about: str, facts: str, denom: Denom | None = None) -> Row:
    """Return the row that keeps why something was posted or frozen; ``facts`` is JSON."""
    return Row(_EVIDENCE, (place.chain_id, place.height, about, denom, facts, draft.view.now), changes=1)


def _evidence(draft: Draft, place: Place, denom: Denom, hints: Hints) -> str:
    """Return JSON of what may explain a difference: odd amounts since the last settled height, and claims."""
    parameters = (place.chain_id, denom, place.chain_id, denom, MAX_EVIDENCE_ROWS)
    earlier = [dict(row) for row in draft.view.select(_ODD, parameters)]
    here = [
        each._asdict() for each in hints.arrivals if each.denom == denom and not spelled_amount(each.amount)
    ]
    odd = [*earlier, *here][:MAX_EVIDENCE_ROWS]
    return json.dumps({"odd_arrivals": odd, "unproved": dict(hints.claims or {})}, sort_keys=True)
