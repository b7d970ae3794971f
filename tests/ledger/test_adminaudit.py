"""The log of orders: written with the act, never changed, and found again."""

import sqlite3
from pathlib import Path

import pytest

from ledger.accounts import AccountId
from ledger.adminaudit import MAX_REASON, Order, checked_reason, logged, page
from ledger.connect import open_writer
from ledger.errors import Refused
from ledger.roles import CONSOLE, Actor, Role, require_role
from ledger.service import LedgerService
from ledger.units import Decision, Row, Unit
from tests.ledger.desk import ANN, BEN

ORDER = Order(
    "role.appointed", "she knows the place", BEN, before={"role": "member"}, after={"role": "admin"}
)


async def order(ledger: LedgerService, actor: Actor, role: Role, what: Order) -> None:
    await ledger.journal.submit(
        Unit(lambda view: Decision(None, rows=(logged(actor, role, what, view.now),)))
    )


async def test_a_line_tells_who_as_what_and_what_changed(ledger: LedgerService) -> None:
    await order(ledger, Actor(ANN), Role.ADMIN, ORDER)
    (line,) = page(ledger.reader)
    assert (line.actor, line.role, line.action, line.target) == (ANN, "admin", "role.appointed", BEN)
    assert (line.before, line.after) == ({"role": "member"}, {"role": "admin"})


async def test_pages_are_newest_first_and_about_somebody(ledger: LedgerService) -> None:
    await order(ledger, Actor(ANN), Role.ADMIN, ORDER)
    await order(ledger, CONSOLE, Role.OWNER, Order("freeze.lifted", "looked at it"))
    await order(ledger, Actor(BEN), Role.ADMIN, Order("fine.set", "spam", AccountId(33)))
    assert [line.action for line in page(ledger.reader)] == ["fine.set", "freeze.lifted", "role.appointed"]
    assert [line.action for line in page(ledger.reader, about=BEN)] == ["fine.set", "role.appointed"]
    newest = page(ledger.reader, limit=1)[0]
    assert [line.role for line in page(ledger.reader, before=newest.id)] == ["console", "admin"]


@pytest.mark.parametrize(
    ("reason", "code"), [("  ", "reason_missing"), ("x" * (MAX_REASON + 1), "reason_too_long")]
)
def test_an_order_says_why(reason: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        checked_reason(reason)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE admin_audit SET reason = 'other'",
        "DELETE FROM admin_audit",
        "INSERT OR REPLACE INTO admin_audit SELECT id, 0, 'console', action, target, chat, '{}', '{}', 'x', 1 FROM admin_audit",
    ],
)
async def test_the_database_lets_nothing_be_rewritten(
    ledger: LedgerService, path: Path, statement: str
) -> None:
    await order(ledger, Actor(ANN), Role.ADMIN, ORDER)
    connection = open_writer(path)
    with pytest.raises(sqlite3.DatabaseError, match="admin audit"):
        connection.execute(statement)
    connection.close()
    assert [line.reason for line in page(ledger.reader)] == [ORDER.reason]


async def test_a_stored_owner_is_an_admin(ledger: LedgerService) -> None:
    stored = Row("UPDATE users SET role = 'owner' WHERE id = ?", (ANN,), changes=1)
    await ledger.journal.submit(Unit(lambda _: Decision(None, rows=(stored,))))
    assert require_role(ledger.reader, Actor(ANN), Role.ADMIN) is Role.ADMIN
    with pytest.raises(Refused, match="role_too_low"):
        require_role(ledger.reader, Actor(ANN), Role.OWNER)
    assert require_role(ledger.reader, Actor(ANN, owner=True), Role.OWNER) is Role.OWNER
