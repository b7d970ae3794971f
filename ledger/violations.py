"""What is held against somebody, by an admin or by a rule of the chat: the record that fines and jails hang on.

It only grows. Owners and admins are immune, and so is whoever has no account: bots, channels and the system.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from ledger.accounts import AccountId
from ledger.adminaudit import Order, checked_reason, logged
from ledger.errors import Refused
from ledger.outbox import news
from ledger.ports import Millis, Selects
from ledger.queries import queries
from ledger.roles import Actor, Role, require_role, role_of
from ledger.units import Beside, Decision, Row, Unit, View

SQL: Final = queries("penalties")

RULE: Final = Actor(AccountId(0))
"""Who acts where a rule of the chat does."""


class Kind(StrEnum):
    """What follows of a violation."""

    WARN = "warn"
    FINE = "fine"
    JAIL = "jail"


class Case(NamedTuple):
    """Who did what, and who says so.

    ``rule`` names the rule of the chat that found it; then ``by`` is `RULE`. ``message`` is what it is about, ``told``
    are facts (JSON) for the news to ``person``, such as what the chat is called.
    """

    person: AccountId
    chat: int
    reason: str
    by: Actor
    rule: str | None = None
    message: int | None = None
    told: Mapping[str, Any] = {}


class Violation(NamedTuple):
    """A line of the record."""

    id: int
    person: AccountId
    chat: int
    kind: Kind
    reason: str
    actor: AccountId
    rule: str | None
    message: int | None
    at: Millis


def record(
    view: View, case: Case, kind: Kind, owners: Collection[int], after: Mapping[str, Any]
) -> tuple[int, list[Row]]:
    """Return the number of the violation and the rows that record it: what an admin says is logged as an order too.

    ``owners`` are those of the settings; ``after`` is what the order brings about.
    Raises Refused: ``role_too_low`` (unless a rule acts), ``reason_missing``, ``reason_too_long``, ``not_a_user``,
    ``penalty_immune``.
    """
    role = Role.MEMBER if case.rule is not None else require_role(view, case.by, Role.ADMIN)
    reason = checked_reason(case.reason)
    if case.person <= 0:
        raise Refused("not_a_user", account=case.person)
    if is_immune(view, case.person, owners):
        raise Refused("penalty_immune", account=case.person)
    number: int = view.select(SQL["next_violation"])[0]["id"]
    facts = {
        "id": number,
        "person": case.person,
        "chat": case.chat,
        "kind": kind.value,
        "reason": reason,
        "actor": case.by.account,
        "rule": case.rule,
        "message": case.message,
        "at": view.now,
    }
    rows = [Row(SQL["record"], facts, changes=1)]
    if case.rule is None:
        order = Order(
            f"person.{_ORDERED[kind]}", reason, case.person, case.chat, after={"violation": number, **after}
        )
        rows.append(logged(case.by, role, order, view.now))
    return number, rows


_ORDERED: Final = {Kind.WARN: "warned", Kind.FINE: "fined", Kind.JAIL: "jailed"}


def is_immune(books: Selects, person: AccountId, owners: Collection[int]) -> bool:
    """Tell whether ``person`` is an owner or an admin now: they are neither fined nor jailed (product.md, Penalties)."""
    return role_of(books, Actor(person, owner=person in owners)) >= Role.ADMIN


def decide_warning(view: View, case: Case, owners: Collection[int]) -> Decision[Violation]:
    """Warn somebody. Raises what `record` raises."""
    number, rows = record(view, case, Kind.WARN, owners, {})
    reason = checked_reason(case.reason)
    facts = {**case.told, "violation": number, "chat": case.chat, "reason": reason}
    rows.append(news("person.warned", case.person, facts, view.now))
    told = Violation(
        number, case.person, case.chat, Kind.WARN, reason, case.by.account, case.rule, case.message, view.now
    )
    return Decision(told, rows=tuple(rows))


def warning_unit(case: Case, owners: Collection[int], beside: Beside | None = None) -> Unit[Violation]:
    """Return the unit of `decide_warning`; what makes it happen once stands in ``beside`` (the inbox row's end)."""
    return Unit(lambda view: decide_warning(view, case, owners), beside=beside)


def violations_of(books: Selects, person: AccountId, limit: int = 20) -> list[Violation]:
    """Return the newest violations of ``person``."""
    return [
        Violation(*row)._replace(kind=Kind(row["kind"]))
        for row in books.select(SQL["violations_of"], (person, limit))
    ]
