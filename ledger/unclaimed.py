"""UNCLAIMED: what waits there, and an admin's word on whose it is (product.md, Unclaimed).

A row is assigned whole or in parts; the database counts it down with every part, and lets none exceed it. That a sender
proves an ownership by a signature is in challenges.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ledger.accounts import UNCLAIMED, AccountId
from ledger.adminaudit import Order, checked_reason, logged
from ledger.deposits import Reason
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.journal import Journal, Lane
from ledger.money import Amount, Denom
from ledger.outbox import OPERATORS, news
from ledger.ports import Millis, Selects
from ledger.queries import queries
from ledger.reader import Reader
from ledger.roles import Actor, Role, require_role
from ledger.units import Beside, Decision, Entry, Posting, Receipt, Row, Unit, View

KIND: Final = "assignment"
MOST_OF_ONE_TRANSACTION: Final = 50
"""Rows of one transaction of the chain that are looked at together; it may have brought thousands."""

_END: Final = 2**62

_SQL: Final = queries("unclaimed")


class Unclaimed(NamedTuple):
    """A row of UNCLAIMED: ``remaining`` of ``amount`` waits. ``tx_hash`` is None for a residue."""

    id: int
    chain_id: str
    height: int
    denom: Denom
    amount: Amount
    remaining: Amount
    reason: Reason
    tx_hash: str | None
    sender: str
    memo: str
    evidence: str
    created_at: Millis


class Waiting(NamedTuple):
    """How much of a denom waits, in how many rows."""

    denom: Denom
    amount: Amount
    rows: int


class Assignment(NamedTuple):
    """What an admin orders: ``amount`` of row ``deposit`` (None: all that remains) goes to ``account``.

    ``chat`` is where it was ordered.
    """

    deposit: int
    account: AccountId
    amount: Amount | None
    reason: str
    chat: int | None = None


class Assigned(NamedTuple):
    """What was assigned of a row, and what ``remaining`` waits still."""

    receipt: int
    deposit: int
    account: AccountId
    amount: Amount
    denom: Denom
    remaining: Amount


class Part(NamedTuple):
    """What one posting takes from a row, and on whose word: ``challenge`` names the signed one, else it is an admin's."""

    row: Unclaimed
    amount: Amount
    account: AccountId
    actor: AccountId
    reason: str = ""
    challenge: str | None = None


def unclaimed_of(row: Any) -> Unclaimed:
    """Return the row of UNCLAIMED that the database gave."""
    return Unclaimed(**{name: row[name] for name in Unclaimed._fields})._replace(reason=Reason(row["reason"]))


def find(books: Selects, deposit: int) -> Unclaimed:
    """Return row ``deposit``. Raises Refused ``unknown_deposit``."""
    rows = books.select(_SQL["find"], (deposit,)) if 0 < deposit < _END else []
    if not rows:
        raise Refused("unknown_deposit", deposit=deposit)
    return unclaimed_of(rows[0])


def of_transaction(books: Selects, tx_hash: str) -> list[Unclaimed]:
    """Return the first rows that transaction ``tx_hash`` of the chain brought; ones with nothing left among them."""
    return [
        unclaimed_of(row)
        for row in books.select(_SQL["of_transaction"], (tx_hash.upper(), MOST_OF_ONE_TRANSACTION))
    ]


def page(books: Selects, before: int | None, limit: int) -> list[Unclaimed]:
    """Return up to ``limit`` rows that wait, newest first, from before row ``before``."""
    wanted = {"before": _END if before is None else before, "limit": limit}
    return [unclaimed_of(row) for row in books.select(_SQL["page"], wanted)]


def waiting(books: Selects) -> list[Waiting]:
    """Return what waits of each denom."""
    return [Waiting(*row) for row in books.select(_SQL["waiting"])]


def post_parts(draft: Draft, entry: Entry, parts: Sequence[Part]) -> int:
    """Post ``parts`` as one entry with ``entry``'s key, write down each, and return the receipt.

    Raises BrokenInvariant when UNCLAIMED does not own what its rows say.
    """
    postings = tuple(
        Posting(UNCLAIMED, part.account, part.amount, part.row.denom, reference=part.row.id) for part in parts
    )
    receipt = draft.post(entry._replace(postings=postings))
    for number, part in enumerate(parts, receipt):
        draft.write(Row(_SQL["assign"], _row_of(part, number, draft.view.now), changes=1))
    return receipt


def _row_of(part: Part, posting: int, at: Millis) -> dict[str, Any]:
    return {
        "id": posting,
        "unclaimed": part.row.id,
        "account": part.account,
        "amount": part.amount,
        "how": "admin" if part.challenge is None else "signature",
        "actor": part.actor,
        "reason": part.reason,
        "challenge": part.challenge,
        "at": at,
    }


def decide_assignment(
    view: View, key: str, by: Actor, order: Assignment, told: Mapping[str, Any]
) -> Decision[Assigned]:
    """Give a part of UNCLAIMED to a person, tell them and the operators, and log who ordered it.

    ``told`` are facts for the news: names. Raises Refused: ``role_too_low`` (the role is looked up now),
    ``reason_missing``, ``reason_too_long``, ``unknown_deposit``, ``deposit_taken``, ``not_positive``,
    ``assignment_too_large``, ``not_a_user``, ``unknown_account``, ``assignment_own`` (an admin to themselves).
    """
    role = require_role(view, by, Role.ADMIN)
    reason = checked_reason(order.reason)
    row = find(view, order.deposit)
    part = Part(row, part_of(row, order.amount), order.account, by.account, reason)
    require_recipient(view, by, role, order.account)
    draft = Draft(view)
    inputs = _inputs(by, order)
    receipt = post_parts(draft, Entry(key, digest_of(inputs), KIND, (), by.account, reason), [part])
    outcome = Assigned(
        receipt, row.id, order.account, part.amount, row.denom, Amount(row.remaining - part.amount)
    )
    facts = {**outcome._asdict(), "reason": reason, "actor": by.account, **told}
    draft.write(
        logged(by, role, _logged(row, outcome, order, reason), view.now),
        news("deposit.assigned", order.account, facts, view.now),
        news("unclaimed.assigned", OPERATORS, facts, view.now),
    )
    return Decision(outcome, tuple(draft.entries), tuple(draft.rows))


def require_recipient(books: Selects, by: Actor, role: Role, account: AccountId) -> None:
    """Refuse who cannot be assigned anything: accounts of the system, and an admin who would help themselves.

    Only an owner may assign to their own account: somebody must be able to where there is no second admin. Raises
    Refused ``not_a_user``, ``unknown_account``, ``assignment_own``.
    """
    if account <= 0:
        raise Refused("not_a_user", account=account)
    if not books.select("SELECT 1 FROM users WHERE id = ?", (account,)):
        raise Refused("unknown_account", account=account)
    if account == by.account and role < Role.OWNER:
        raise Refused("assignment_own")


def part_of(row: Unclaimed, amount: Amount | None) -> Amount:
    """Return how much of ``row`` is meant, all that remains for None. Raises Refused ``deposit_taken``, ``not_positive``, ``assignment_too_large``."""
    if not row.remaining:
        raise Refused("deposit_taken", deposit=row.id)
    part = row.remaining if amount is None else amount
    if part <= 0:
        raise Refused("not_positive", amount=part)
    if part > row.remaining:
        raise Refused("assignment_too_large", deposit=row.id, remaining=row.remaining, denom=row.denom)
    return part


def _logged(row: Unclaimed, outcome: Assigned, order: Assignment, reason: str) -> Order:
    before = {"deposit": row.id, "denom": row.denom, "remaining": row.remaining}
    after = {**before, "remaining": outcome.remaining, "assigned": outcome.amount}
    return Order("unclaimed.assigned", reason, order.account, order.chat, before, after)


def _inputs(by: Actor, order: Assignment) -> dict[str, Any]:
    return {"actor": by.account, **order._asdict()}


class UnclaimedDeposits:
    """The book of what waits in UNCLAIMED."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    def page(self, before: int | None = None, limit: int = 10) -> list[Unclaimed]:
        """Return what waits, newest first, from before row ``before``."""
        return page(self._reader, before, limit)

    def waiting(self) -> list[Waiting]:
        """Return what waits of each denom."""
        return waiting(self._reader)

    def find(self, deposit: int) -> Unclaimed:
        """Return row ``deposit``. Raises Refused ``unknown_deposit``."""
        return find(self._reader, deposit)

    def of_transaction(self, tx_hash: str) -> list[Unclaimed]:
        """Return the first rows that transaction ``tx_hash`` of the chain brought."""
        return of_transaction(self._reader, tx_hash)

    async def assign(
        self,
        key: str,
        by: Actor,
        order: Assignment,
        beside: Beside | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> Assigned:
        """Assign under ``key``; raises what `decide_assignment` raises."""
        unit = Unit(
            lambda view: decide_assignment(view, key, by, order, told or {}),
            key=key,
            digest=digest_of(_inputs(by, order)),
            recall=_recall,
            beside=beside,
        )
        return await self._journal.submit(unit, Lane.SYSTEM)


def _recall(view: View, receipt: Receipt) -> Assigned:
    (row,) = view.select(_SQL["assigned"], (receipt.entry_id,))
    rest = find(view, row["unclaimed"])
    return Assigned(
        receipt.entry_id, rest.id, AccountId(row["account"]), row["amount"], rest.denom, rest.remaining
    )
