"""Looking, and whatever must change nothing: repeated, edited, forwarded and forged, poison, gossip, blocking the bot."""

from collections.abc import Sequence
from typing import Final

from tests.simulation.city import City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import Forgery, People, Person

LOOKS: Final = ("/balance", "/history", "/help", "/deposit", "/start", "/foo", "hello")


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
