"""Ranks: the owner appoints and demotes, others try to. Never a coin moves."""

from collections.abc import Iterator, Sequence
from typing import Final

from tests.simulation.books import Books
from tests.simulation.city import OWNER
from tests.simulation.flow import Act, Flow
from tests.simulation.people import Person

RANKS: Final = ("admin", "admin", "elevated", "member")
_CHANGES: Final = """
SELECT actor, target, before ->> '$.role' AS was, after ->> '$.role' AS role FROM admin_audit WHERE action = 'role.changed'
"""


class Roles(Flow):
    """Whoever has a rank was given it by the owner; other flows let the owner appoint, too."""

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (Act(self._appoint, 2), Act(self._usurp, 1))

    def begin(self) -> None:
        """Let the owner appoint the deputies."""
        for person in self.people.deputies:
            self._say(person, "admin")

    def _appoint(self) -> None:
        self._say(self.rng.choice(self.people.deputies), self.rng.choice(RANKS))

    def _say(self, person: Person, rank: str) -> None:
        owner = self.people.owner
        self.people.say(owner, owner.chat, f"/role @{person.user.username} {rank} it is my wish")

    def _usurp(self) -> None:
        """Let somebody try to give themselves, or a friend, a rank."""
        thief, friend = self.people.two(self.rng)
        who = self.rng.choice((thief, friend))
        self.people.say(thief, thief.chat, f"/role @{who.user.username} admin why not")

    def problems(self, books: Books) -> Iterator[str]:
        """Nobody else appoints, and whose rank it is reads of it."""
        members = {person.id for person in self.people.all}
        for row in books.select(_CHANGES):
            if row["actor"] != OWNER:
                yield f"{row['actor']} made {row['target']} {row['role']}"
            words = f"Your role here is {row['role']} now; it was {row['was']}"
            if row["target"] in members and not books.was_told(row["target"], words):
                yield f"{row['target']} was never told: {words}"
