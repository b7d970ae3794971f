"""What a withdrawal costs and how much may leave: as the settings say, until an owner changes it (product.md, /limits).

A change is a row that only others follow, so what counts is looked up where it is decided: inside the writer.
"""

from enum import StrEnum
from typing import Any, Final, NamedTuple

from ledger.adminaudit import Order, checked_reason, logged
from ledger.alerts import alert
from ledger.errors import Refused
from ledger.limits import UNLIMITED, Limits
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.ports import Selects
from ledger.queries import queries
from ledger.roles import Actor, Role, require_role
from ledger.units import Beside, Decision, Row, Unit, View

_SQL: Final = queries("terms")


class Terms(NamedTuple):
    """What a withdrawal of ``denom`` costs, the least that may be asked for, in base units, and how much may leave."""

    denom: Denom
    minimum: Amount
    fee: Amount
    limits: Limits = UNLIMITED


class Term(StrEnum):
    """What of `Terms` an owner may change; minimum and fee are always numbers, a limit may be none."""

    MINIMUM = "minimum"
    FEE = "fee"
    USER_PER_DAY = "user_per_day"
    INSTANCE_PER_DAY = "instance_per_day"
    APPROVAL_ABOVE = "approval_above"


NUMBERS: Final = frozenset({Term.MINIMUM, Term.FEE})


class Change(NamedTuple):
    """What an owner orders: ``amount`` base units, None for no limit; ``back``: what the settings say counts again."""

    by: Actor
    denom: Denom
    term: Term
    amount: Amount | None
    reason: str
    back: bool = False


def standing_terms(books: Selects, settings: Terms) -> Terms:
    """Return the terms that count now; ``settings`` are what whoever runs this set."""
    rows = books.select(_SQL["standing"], (settings.denom,))
    changed = {row["name"]: row["amount"] for row in rows if not row["back"]}
    return _with(settings, changed)


def value_of(terms: Terms, term: Term) -> Amount | None:
    """Return what ``terms`` say of ``term``; None: there is no such limit."""
    value: Amount | None = getattr(terms if term in NUMBERS else terms.limits, term.value)
    return value


def _with(terms: Terms, changed: dict[str, Any]) -> Terms:
    own = {name: value for name, value in changed.items() if Term(name) in NUMBERS}
    limits = {name: value for name, value in changed.items() if name not in own}
    return terms._replace(limits=terms.limits._replace(**limits), **own)


def decide_change(view: View, change: Change, settings: Terms | None) -> Decision[Terms]:
    """Change a term from now on; the outcome is what counts then. What waits already was asked for under the old ones.

    Raises Refused: ``role_too_low``, ``unlisted_denom``, ``reason_missing``, ``reason_too_long``,
    ``limit_needs_number``, ``amount_too_large``, ``limit_same``.
    """
    role = require_role(view, change.by, Role.OWNER)
    if settings is None:
        raise Refused("unlisted_denom", denom=change.denom)
    reason = checked_reason(change.reason)
    if change.amount is None and not change.back and change.term in NUMBERS:
        raise Refused("limit_needs_number", term=change.term.value)
    if change.amount is not None and not 0 <= change.amount <= MAX_AMOUNT:
        raise Refused("amount_too_large", denom=change.denom)
    before = standing_terms(view, settings)
    wanted = value_of(settings, change.term) if change.back else change.amount
    after = _with(before, {change.term.value: wanted})
    if after == before:
        raise Refused("limit_same", term=change.term.value)
    name, asset = change.term.value, {"denom": change.denom}
    was, now = {name: value_of(before, change.term), **asset}, {name: wanted, **asset}
    facts = {**now, "actor": change.by.account, "reason": reason}
    parameters = {
        "denom": change.denom,
        "name": name,
        "amount": None if change.back else change.amount,
        "back": int(change.back),
        "actor": change.by.account,
        "at": view.now,
    }
    rows = (
        Row(_SQL["change"], parameters, changes=1),
        logged(change.by, role, Order("limits.changed", reason, before=was, after=now), view.now),
        alert("limits.changed", facts, view.now),
    )
    return Decision(after, rows=rows)


def change_unit(change: Change, settings: Terms | None, beside: Beside | None = None) -> Unit[Terms]:
    """Return the unit of `decide_change`; it guards itself, a second one is refused."""
    return Unit(lambda view: decide_change(view, change, settings), beside=beside)
