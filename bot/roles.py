"""Who may do what: owner > admin > elevated > member, per instance."""

from enum import IntEnum


class Role(IntEnum):
    """A rank; each may do what the lower ones may."""

    MEMBER = 0
    ELEVATED = 1
    ADMIN = 2
    OWNER = 3


def role_named(name: str) -> Role:
    """Return the role stored as ``name`` in ``users``; an unknown word is the lowest: deny by default."""
    try:
        return Role[name.upper()]
    except KeyError:
        return Role.MEMBER
