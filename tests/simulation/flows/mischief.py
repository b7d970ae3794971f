"""Looking, and whatever must change nothing: repeated, edited, forwarded and forged, poison, gossip, blocking the bot."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.simulation.books import Books, shown
from tests.simulation.city import City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import Forgery, People, Person

LOOKS: Final = ("/balance", "/history", "/help", "/deposit", "/start", "/foo", "hello")
PAGE: Final = 8
"""Lines of a history at once."""
_SHOWN: Final = """
SELECT sender, received_at, done_at, json_extract(outbox.facts, '$.say') AS say, json_extract(outbox.facts, '$.facts') AS facts
FROM outbox JOIN inbox ON inbox.id = json_extract(outbox.facts, '$.reference')
WHERE event = 'reply' AND say IN ('balance.shown', 'history.page')
"""
"""What was asked for and is shown: every answer was sent, or the city is not quiet."""


class Mischief(Flow):
    """Nothing of this moves a coin."""

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._absent: list[Person] = []

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._look, 8),
            Act(self._repeat, 6),
            Act(self._edit, 6),
            Act(self._forward, 6),
            Act(self._forge, 8),
            Act(self._gossip, 2),
            Act(self._block, 4),
            Act(self._come_back, 4),
        )

    def calm(self) -> None:
        """Let everybody who blocked the bot write to it again: what they missed must reach them now."""
        for person in self._absent:
            self.city.telegram.say(person.user, person.chat, "/start")
        self._absent = []

    def problems(self, books: Books) -> Iterator[str]:
        """What somebody was shown of their balance and its history was so at some moment between question and answer."""
        for row in books.select(_SHOWN):
            account, facts = row["sender"], json.loads(row["facts"])
            had = books.owned(account, row["received_at"], row["done_at"])
            if row["say"] == "balance.shown":
                yield from _balance(books, account, had, facts)
            else:
                yield from _history(books, account, had, facts)

    def _block(self) -> None:
        person = self.people.one(self.rng)
        self.city.telegram.block(person.user)
        if person not in self._absent:
            self._absent.append(person)

    def _come_back(self) -> None:
        """Let somebody who blocked the bot write to it again, while news for them may be on their way."""
        if self._absent:
            person = self._absent.pop(self.rng.randrange(len(self._absent)))
            self.city.telegram.say(person.user, person.chat, "/start")

    def _look(self) -> None:
        person = self.people.one(self.rng)
        chat = self.people.place(self.rng, person)
        self.city.telegram.say(person.user, chat, self.rng.choice(LOOKS))

    def _repeat(self) -> None:
        """Deliver something again: a message in a new update, or the last updates as they were."""
        if self.people.said and self.rng.random() < 0.5:
            self.city.telegram.repeat(self.rng.choice(self.people.said).message)
        else:
            self.city.telegram.queues[self.city.account.user.id].redeliver(self.rng.randrange(1, 6))

    def _edit(self) -> None:
        if self.people.said:
            old = self.rng.choice(self.people.said)
            self.city.telegram.edit(old.source, old.message, old.message.text)

    def _forward(self) -> None:
        """Forward somebody's command: it must do nothing, in whoever's name."""
        if self.people.said:
            old = self.rng.choice(self.people.said)
            other = self.people.one(self.rng).id
            thief = other if self.city.telegram.sees(other, old.message) else old.source
            self.city.telegram.forward(thief, old.message, self.people.plaza)

    def _forge(self) -> None:
        """Press a button with made-up data, or with that of somebody else's button."""
        thief, victim = self.people.two(self.rng)
        shown = self.city.telegram.replies(thief.chat)
        stolen = [
            (button["callback_data"], Forgery(thief.id, message.text, button["text"]))
            for message in self.city.telegram.replies(victim.chat)
            for row in message.buttons
            for button in row
            if "callback_data" in button
        ]
        if shown and stolen:
            forged = self.rng.choice([*(data for data, _ in stolen), "nonsense", ""])
            self.city.telegram.tap(thief.user, shown[-1], forged=forged)
            self.people.forged += (forgery for data, forgery in stolen if data == forged)

    def _gossip(self) -> None:
        """Send something that no library can parse, or talk that is none of the bot's business."""
        if self.rng.random() < 0.5:
            self.city.telegram.poison(self.city.account)
        else:
            person = self.people.one(self.rng)
            self.city.telegram.say(person.user, self.people.plaza, "did you hear?")


def _balance(books: Books, account: int, had: Sequence[int], facts: Any) -> Iterator[str]:
    amount = sum(each["amount"] for each in facts["balances"])
    if amount not in had:
        yield f"{account} had {had}, and was shown {amount}"
    elif not books.reads(account, f"You have {shown(amount)}." if amount else "Nothing here yet."):
        yield f"{account} had {amount}, and no message says so"


def _history(books: Books, account: int, had: Sequence[int], facts: Any) -> Iterator[str]:
    moves = books.moves(account)
    lines = [(line["change"], line["after"], line["kind"], line["at"]) for line in facts["lines"]]
    if not any(lines == moves[first : first + PAGE] for first in range(len(moves) + 1)):
        yield f"{account} was shown a history that is no part of theirs: {lines[:2]} and {len(lines) - 2} more lines"
    elif not facts["paged"] and (lines[0][1] if lines else 0) not in had:
        yield f"{account} had {had}, and a history was shown that ends with {lines[:1]}"
    elif not books.reads(account, *(f"then {shown(after)}" for _, after, _, _ in lines)):
        yield f"{account} was shown a history that lacks some of {lines}"
