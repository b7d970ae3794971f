"""Much at once: a second admin's word above a threshold, and the limits of a day.

The deputies of the owner sit in an office, with somebody who has no rank; some of them take coins out themselves, some
are demoted on the way.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from sandbox.telegram import Chat, Message, SandboxRefused
from tests.simulation.books import Books, shown
from tests.simulation.city import OWNER, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import People, Person

APPROVE, REJECT = "Approve", "Reject"
VERDICTS: Final = {APPROVE: "approved", REJECT: "rejected"}
LOOKS_EVERY_SECONDS: Final = 15.0

_DECIDED: Final = """
SELECT w.id, w.address, w.account, w.amount, w.state, w.evidence ->> '$.replayed' AS replayed, a.verdict, a.actor, a.role, a.at,
    ordered.id AS line, (SELECT after ->> '$.role' FROM admin_audit
     WHERE action = 'role.changed' AND target = a.actor AND id < ordered.id ORDER BY id DESC LIMIT 1) AS rank
FROM withdrawals AS w LEFT JOIN approvals AS a ON a.withdrawal = w.id
LEFT JOIN admin_audit AS ordered
    ON ordered.action = 'withdrawal.' || a.verdict AND ordered.actor = a.actor
    AND ordered.reason = 'asked about withdrawal ' || w.id
ORDER BY w.id
"""
_TAKEN: Final = """
SELECT w.id, w.account, w.amount, w.requested_at, w.state, t.at AS ended_at
FROM withdrawals AS w LEFT JOIN transactions AS t ON t.id = w.resolution ORDER BY w.id
"""
_ADDRESS: Final = re.compile(r"juno1[0-9a-z]+")
_GONE: Final = ("returned", "cancelled")


class Press(NamedTuple):
    """Who said what below which request."""

    address: str
    verdict: str
    actor: int


class Approvals(Flow):
    """Nothing above the threshold leaves without the word of a second admin; no more in a day than the limits say."""

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._pressed: set[Press] = set()
        self._read: defaultdict[str, set[str]] = defaultdict(set)
        """By address, the requests below which somebody pressed."""
        self._calm = False

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (Act(self._decide, 12), Act(self._list, 1))

    def _requests(self, chat: Chat | None = None) -> list[tuple[Message, str]]:
        """Return the requests in ``chat`` (the office) that have buttons, with the address that each names first."""
        return [
            (message, found[0])
            for message in self.people.questions(chat or self.people.office)
            if (found := _ADDRESS.search(message.text)) and found[0] in self.people.payees
        ]

    def _decide(self) -> None:
        """Let somebody in the office press a button, be they allowed to or not, the asker among them."""
        self._calm = False
        if requests := self._requests():
            request, address = self.rng.choice(requests[-4:])
            asker = self.people.by_id(self.people.payees[address])
            presser = self.rng.choice((self.people.owner, *self.people.deputies, self.people.clerk, asker))
            if asker in self.people.deputies and self.rng.random() < 0.5:
                presser = asker
            self._press(presser, request, address, self.rng.choice((APPROVE, APPROVE, REJECT)))

    def _press(self, presser: Person, request: Message, address: str, verdict: str) -> None:
        self.city.telegram.tap(presser.user, request, label=verdict)
        self._pressed.add(Press(address, VERDICTS[verdict], presser.id))
        self._read[address].add(request.text)

    def _list(self) -> None:
        self._calm = False
        person = self.rng.choice((self.people.owner, *self.people.deputies, self.people.clerk))
        self.people.say(person, person.chat, "/approvals")

    def calm(self) -> None:
        """Let the owner decide all that waits, until somebody acts again."""
        self._calm = True

    async def attend(self) -> None:
        """Let the owner look at what is still asked, while it is quiet."""
        while True:
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
            if self._calm:
                owner = self.people.owner
                # Below the oldest of the list, too: the request of books that are lost has no buttons any more.
                for request, address in (*self._requests(owner.chat)[-1:], *self._requests()):
                    try:
                        self._press(owner, request, address, self.rng.choice((APPROVE, REJECT)))
                    except SandboxRefused:
                        continue
                self.people.say(owner, owner.chat, "/approvals")

    def problems(self, books: Books) -> Iterator[str]:
        """Look at every withdrawal: who let it leave, and how much had left before it."""
        pressed = self._pressed | self._forged()
        for row in books.select(_DECIDED):
            yield from self._decided(row, pressed)
            yield from self._asked(row)
        yield from self._within(books.select(_TAKEN))

    def _asked(self, row: Any) -> Iterator[str]:
        """Whoever decided read of what: in the request, or in the list of all that wait."""
        amount, address = shown(row["amount"]), row["address"]
        who = self.people.by_id(row["account"]).user.first_name
        said = (f"{who} wants to take out {amount} to {address}", f"{amount} for {who} to {address}")
        for text in self._read.get(address, ()):
            if not any(each in text for each in said):
                yield f"{amount} to {address} was asked about as {text!r}"

    def _decided(self, row: Any, pressed: AbstractSet[Press]) -> Iterator[str]:
        above = self.city.limits.approval_above
        waits = above is not None and row["amount"] > above
        if row["verdict"] is None:
            if waits and row["state"] != "cancelled" and not row["replayed"]:
                yield f"withdrawal {row['id']} of {row['amount']} is {row['state']}, and nobody approved it"
            return
        if not waits:
            yield f"withdrawal {row['id']} of {row['amount']} was {row['verdict']} for no reason"
        if row["actor"] == row["account"]:
            yield f"{row['actor']} decided on their own withdrawal {row['id']}"
        if row["line"] is None:
            yield f"what {row['actor']} decided on withdrawal {row['id']} is not in the log of orders"
        if row["actor"] != OWNER and row["rank"] != "admin":
            yield f"{row['actor']} decided on withdrawal {row['id']} as {row['rank']}"
        if Press(row["address"], row["verdict"], row["actor"]) not in pressed:
            yield f"{row['actor']} never pressed that {row['address']} be {row['verdict']}"
        if row["verdict"] == "rejected" and row["state"] != "cancelled":
            yield f"withdrawal {row['id']} was rejected, and is {row['state']}"

    def _forged(self) -> set[Press]:
        """Return what was pressed with the data of somebody else's button: who has the rank may decide that way, too."""
        return {
            Press(found[0], VERDICTS[label], forgery.thief)
            for forgery in self.people.forged
            if (label := forgery.label.partition(" ")[0]) in VERDICTS
            and (found := _ADDRESS.search(forgery.text))
        }

    def _within(self, rows: Sequence[Any]) -> Iterator[str]:
        """A run is shorter than a day: each withdrawal must have been within the limits beside those before it."""
        limits = self.city.limits
        for row in rows:
            before = [each for each in rows if each["id"] < row["id"] and _still_counts(each, row)]
            everyone = sum(each["amount"] for each in before) + row["amount"]
            own = sum(each["amount"] for each in before if each["account"] == row["account"]) + row["amount"]
            if limits.user_per_day is not None and own > limits.user_per_day:
                yield f"withdrawal {row['id']} made it {own} of {row['account']} in a day"
            if limits.instance_per_day is not None and everyone > limits.instance_per_day:
                yield f"withdrawal {row['id']} made it {everyone} of all in a day"


def _still_counts(earlier: Any, later: Any) -> bool:
    """Tell whether ``earlier`` had certainly not come back when ``later`` was asked for."""
    return earlier["state"] not in _GONE or earlier["ended_at"] > later["requested_at"]
