"""Who is registered: people with a role, and the accounts of the system."""

from typing import Final

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.journal import Journal, Lane
from ledger.reader import Reader
from ledger.roles import Role, role_named
from ledger.units import Decision, Row, Unit, View

MAX_NAME: Final = 128
"""Characters of a name that are kept; Telegram's own limits are below it."""

REGISTER: Final = """
INSERT INTO users (id, role, name, created_at) VALUES (:id, :role, :name, :at)
ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE name <> excluded.name
"""
APPOINT: Final = "UPDATE users SET role = :role WHERE id = :id"


def registration(account: AccountId, name: str, at: int, role: Role = Role.MEMBER) -> Row:
    """Return the row that registers person ``account``, or renames one who is; a role that stands is kept.

    Raises ValueError for an id that no person has.
    """
    if account <= 0:
        raise ValueError(f"{account} is no person")
    return Row(REGISTER, {"id": account, "role": role.word, "name": name[:MAX_NAME], "at": at})


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

    async def appoint(self, account: AccountId, role: Role) -> None:
        """Give person ``account`` another role. Raises Refused ``unknown_account``."""

        def decide(view: View) -> Decision[None]:
            if account <= 0 or not view.exists(account):
                raise Refused("unknown_account", account=account)
            return Decision(None, rows=(Row(APPOINT, {"id": account, "role": role.word}, changes=1),))

        await self._journal.submit(Unit(decide), Lane.SYSTEM)

    def role(self, account: AccountId) -> Role | None:
        """Return the role of person ``account``, or None when nobody is registered under it."""
        found = self._reader.role(account) if account > 0 else None
        return None if found is None else role_named(found)
