"""Who is registered: people with a role, and the accounts of the system."""

from typing import Final, NamedTuple

from ledger.accounts import AccountId
from ledger.adminaudit import Order, checked_reason, logged
from ledger.alerts import alert
from ledger.errors import Refused
from ledger.journal import Journal, Lane
from ledger.outbox import news
from ledger.reader import Reader
from ledger.roles import Actor, Role, require_role, role_named
from ledger.units import Beside, Decision, Row, Unit, View

MAX_NAME: Final = 128
"""Characters of a name that are kept; Telegram's own limits are below it."""

REGISTER: Final = """
INSERT INTO users (id, role, name, created_at) VALUES (:id, :role, :name, :at)
ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE name <> excluded.name
"""
APPOINT: Final = "UPDATE users SET role = :role WHERE id = :id"
_ROLE: Final = "SELECT role FROM users WHERE id = ? AND id > 0"
_APPOINTED: Final = """
SELECT id, role FROM users WHERE id > 0 AND role <> 'member'
ORDER BY role = 'elevated', id LIMIT ?
"""


class Appointment(NamedTuple):
    """What became of a person's role."""

    account: AccountId
    before: Role
    after: Role


def registration(account: AccountId, name: str, at: int, role: Role = Role.MEMBER) -> Row:
    """Return the row that registers person ``account``, or renames one who is; a role that stands is kept.

    Raises ValueError for an id that no person has.
    """
    if account <= 0:
        raise ValueError(f"{account} is no person")
    return Row(REGISTER, {"id": account, "role": role.word, "name": name[:MAX_NAME], "at": at})


def decide_appointment(
    view: View, by: Actor, account: AccountId, role: Role, reason: str
) -> Decision[Appointment]:
    """Give person ``account`` another role; nothing that they own is touched. Owners alone appoint (product.md).

    Raises Refused: ``role_too_low``, ``role_by_settings`` (nobody is made an owner here), ``unknown_account``,
    ``role_same``, ``reason_missing``, ``reason_too_long``.
    """
    own = require_role(view, by, Role.OWNER)
    if role is Role.OWNER:
        raise Refused("role_by_settings")
    rows = view.select(_ROLE, (account,))
    if not rows:
        raise Refused("unknown_account", account=account)
    before = role_named(rows[0]["role"])
    if before is role:
        raise Refused("role_same", account=account, role=role.word)
    reason = checked_reason(reason)
    changed = {"before": before.word, "after": role.word}
    order = Order("role.changed", reason, account, before={"role": before.word}, after={"role": role.word})
    facts = {"account": account, "actor": by.account, "reason": reason, **changed}
    written = (
        Row(APPOINT, {"id": account, "role": role.word}, changes=1),
        logged(by, own, order, view.now),
        news("role.changed", account, {"role": role.word, **changed}, view.now),
        alert("role.changed", facts, view.now),
    )
    return Decision(Appointment(account, before, role), rows=written)


class Users:
    """The registry of accounts. Names and roles never touch a balance."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    async def register(self, account: AccountId, name: str, role: Role = Role.MEMBER) -> None:
        """Register person ``account`` under ``name``; again with another name renames, and keeps the role."""
        if self._reader.name(account) == name[:MAX_NAME]:
            return

        def decide(view: View) -> Decision[None]:
            return Decision(None, rows=(registration(account, name, view.now, role),))

        await self._journal.submit(Unit(decide))

    async def appoint(
        self, by: Actor, account: AccountId, role: Role, reason: str, beside: Beside | None = None
    ) -> Appointment:
        """Give person ``account`` another role; raises what `decide_appointment` raises."""
        unit = Unit(lambda view: decide_appointment(view, by, account, role, reason), beside=beside)
        return await self._journal.submit(unit, Lane.SYSTEM)

    def appointed(self, limit: int = 100) -> list[tuple[AccountId, Role]]:
        """Return who has a role above member, admins first; owners are named in the settings."""
        return [(row["id"], role_named(row["role"])) for row in self._reader.select(_APPOINTED, (limit,))]

    def role(self, account: AccountId) -> Role | None:
        """Return the role of person ``account``, or None when nobody is registered under it."""
        found = self._reader.role(account) if account > 0 else None
        return None if found is None else role_named(found)
