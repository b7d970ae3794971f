"""Who may do what: owner > admin > elevated > member, per instance (product.md, Who may do what).

Owners are named in the settings alone; the roles below are rows of ``users``. Whoever acts is an `Actor`, and the role is
looked up when the act commits: whoever was demoted meanwhile is refused.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.ports import Selects

_ROLE: Final = "SELECT role FROM users WHERE id = ?"


class Role(IntEnum):
    """A rank; each may do what the lower ones may."""

    MEMBER = 0
    ELEVATED = 1
    ADMIN = 2
    OWNER = 3

    @property
    def word(self) -> str:
        """Return what people call it, and what stands in ``users``."""
        return self.name.lower()


class Actor(NamedTuple):
    """Who acts. ``owner``: the settings name them; everybody else's role is a row."""

    account: AccountId
    owner: bool = False


CONSOLE: Final = Actor(AccountId(0), owner=True)
"""Whoever holds the machine: nobody of the chat. The reason given says who and why."""


def role_named(word: str) -> Role:
    """Return the role called ``word``; an unknown word is the lowest: deny by default."""
    try:
        return Role[word.upper()]
    except KeyError:
        return Role.MEMBER


def role_of(books: Selects, actor: Actor) -> Role:
    """Return the role of ``actor`` as it is now; a stored owner is an admin: owners are named in the settings alone."""
    if actor.owner:
        return Role.OWNER
    rows = books.select(_ROLE, (actor.account,)) if actor.account > 0 else []
    return min(role_named(rows[0]["role"]), Role.ADMIN) if rows else Role.MEMBER


def require_role(books: Selects, actor: Actor, needed: Role) -> Role:
    """Return the role of ``actor`` as it is now. Raises Refused ``role_too_low`` when it is below ``needed``."""
    role = role_of(books, actor)
    if role < needed:
        raise Refused("role_too_low", needed=needed.word)
    return role
