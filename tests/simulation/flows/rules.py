"""Rules of a group: merchants post links and floods, edit, and come again; the model says who is warned and who is fined.

They are people of their own, in a group of their own: nobody else is silent or poorer for what they do.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sandbox.telegram import Fault, Message, SandboxRefused
from tests.simulation.books import Books
from tests.simulation.city import DENOM, JUNO, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import People, Person

MERCHANTS: Final = 4
FINE: Final = JUNO // 2
FINED_FROM: Final = 3
WITHIN_MS: Final = 300_000
FLOOD: Final = 6
FLOOD_SECONDS: Final = 10
ORDERS: Final = (
    "/rules links delete warn then fine 0.5 after 3 in 5m",
    f"/rules flood {FLOOD} in {FLOOD_SECONDS}s delete",
)
LINK: Final = "https://evil.example/x"
CLEAN: Final = ("fresh fish", "good morning", "two for one", "mail me: a@example.org")
LOOKS_EVERY_SECONDS: Final = 10.0
REMEMBERED: Final = 30

_BROKEN: Final = """
SELECT v.rule, v.message, v.person, v.said_at, v.penalty, r.kind FROM rule_violations AS v
JOIN chat_rules AS r ON r.rule = v.rule AND r.version = v.version ORDER BY v.id
"""
_PUNISHED: Final = """
SELECT v.person, v.message, v.kind, f.amount, f.denom FROM violations AS v LEFT JOIN fines AS f USING (id)
WHERE v.rule IS NOT NULL ORDER BY v.id
"""


class Breach(NamedTuple):
    """When a message bore a link, in Telegram's seconds, and which change of the chats that was."""

    at: int
    change: int


@dataclass(slots=True)
class Post:
    """A message as it was meant. ``command``: it asks the bot for something."""

    message: Message
    author: Person
    order: str
    """The key of the order under which it was written."""
    at: int
    breaches: list[Breach] = field(default_factory=list)
    command: bool = False


class Rules(Flow):
    """Each message that breaks a rule is punished once, by what came before it; whoever leads the group is free."""

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._posts: list[Post] = []
        self._orders: list[Message] = []
        self._ordered = False
        self.merchants = [self._merchant(number) for number in range(MERCHANTS)]
        self.leader = self.merchants[-1]
        users = [merchant.user for merchant in self.merchants]
        self.market = city.telegram.group("Market", city.owner, [*users, city.account])
        city.telegram.promote(city.account, self.market)
        city.telegram.promote(self.leader.user, self.market)

    def _merchant(self, number: int) -> Person:
        user = self.city.telegram.person(f"Merchant {number}", f"m{number}x", user_id=2000 + number)
        return Person(user, self.city.telegram.private(user))

    def begin(self) -> None:
        """Let everybody open an account, and the owner set the rules."""
        for merchant in self.merchants:
            self.city.telegram.say(merchant.user, merchant.chat, "/start")

    async def attend(self) -> None:
        """Have the rules stand: after a restore they may have to be set again."""
        while True:
            if not self._rules_stand():
                self._ordered = False
                self._orders = [
                    self.city.telegram.say(self.people.owner.user, self.market, order) for order in ORDERS
                ]
                await self._answered()
                self._ordered = True
            await asyncio.sleep(LOOKS_EVERY_SECONDS)

    def _rules_stand(self) -> bool:
        return self._ordered and not any(self.people.losses.has_key(self._key(each)) for each in self._orders)

    async def _answered(self) -> None:
        """Wait until each order was answered; one whose answer is lost is given again by `attend`."""
        for _ in range(60):
            answered = {shown.reply_to for shown in self.city.telegram.replies(self.market)}
            if all(order.id in answered for order in self._orders):
                return
            await asyncio.sleep(LOOKS_EVERY_SECONDS)

    def _key(self, message: Message) -> str:
        return f"m:{self.city.account.user.id}:{self.market.id}:{message.id}"

    # Acts

    def acts(self) -> Sequence[Act]:
        """Return what merchants do."""
        return (
            Act(self._post, 12),
            Act(self._edit, 8),
            Act(self._repeat, 3),
            Act(self._ask, 2),
            Act(self._flood, 1),
            Act(self._refuse, 3),
        )

    def _post(self) -> None:
        self._say(self.rng.choice(self.merchants), linked=self.rng.random() < 0.5)

    def _flood(self) -> None:
        merchant = self.rng.choice(self.merchants)
        for _ in range(self.rng.randrange(FLOOD - 1, 2 * FLOOD)):
            self._say(merchant, linked=False)

    def _ask(self) -> None:
        """Ask the bot for something in a message that breaks a rule: it is done all the same."""
        self._say(self.rng.choice(self.merchants), linked=True, command=True)

    def _say(self, author: Person, *, linked: bool, command: bool = False) -> None:
        if not self._rules_stand():
            return
        text = f"/start {LINK}" if command else self._text(linked=linked)
        if not command and self.rng.random() < 0.2:
            message = self.city.telegram.send_media(author.user, self.market, "photo", caption=text)
        else:
            message = self.city.telegram.say(author.user, self.market, text)
        post = Post(message, author, self._key(self._orders[0]), message.at, command=command)
        if linked:
            post.breaches.append(Breach(message.at, message.changed))
        self._posts.append(post)

    def _text(self, *, linked: bool) -> str:
        words = self.rng.choice(CLEAN)
        return f"{words} {LINK}" if linked else words

    def _edit(self) -> None:
        """Change a message, perhaps again and again."""
        recent = [post for post in self._posts[-REMEMBERED:] if not post.command]
        if not recent or not self._rules_stand():
            return
        post = self.rng.choice(recent)
        if post.message.id not in self.market.messages:
            raise SandboxRefused("it is gone")
        for _ in range(self.rng.randrange(1, 3)):
            linked = self.rng.random() < 0.6
            self.city.telegram.edit(post.author.user, post.message, self._text(linked=linked))
            assert post.message.edited_at is not None
            if linked:
                post.breaches.append(Breach(post.message.edited_at, post.message.changed))

    def _repeat(self) -> None:
        if self._posts:
            post = self.rng.choice(self._posts[-REMEMBERED:])
            self.city.telegram.repeat(post.message)
            # It comes with the words of its last edit and the time at which it was written.
            if LINK in post.message.text:
                post.breaches.append(Breach(post.message.at, post.message.changed))

    def _refuse(self) -> None:
        """Let Telegram refuse to delete for a while."""
        self.city.telegram.faults.add(Fault("refuse", "deleteMessage", self.rng.randrange(1, 4), 500))

    # Checks

    def problems(self, books: Books) -> Iterator[str]:
        """Compare what was broken with what was meant, and the penalties with what came before."""
        rows = [dict(row) for row in books.select(_BROKEN)]
        broken = {(row["kind"], row["message"]): row for row in rows}
        if len(broken) != len(rows):
            yield "a message was punished twice by one rule"
        for post in self._posts:
            yield from self._judged(books, post, broken.get(("links", post.message.id)))
            if post.command:
                yield from self._answer(books, post)
        yield from self._floods(row for row in rows if row["kind"] == "flood")
        yield from self._penalties(books, [row for row in rows if row["kind"] == "links"])

    def _judged(self, books: Books, post: Post, row: Any) -> Iterator[str]:
        name = f"message {post.message.id} of {post.author.id}"
        guilty = bool(post.breaches) and post.author is not self.leader
        if row is not None:
            if not guilty:
                yield f"{name} was punished though it broke nothing, or {post.author.id} leads the group"
            elif row["said_at"] // 1000 not in [breach.at for breach in post.breaches]:
                yield f"{name} was punished as of {row['said_at']}, when it had no link"
            if post.message.id in self.market.messages:
                yield f"{name} broke a rule and still stands"
        elif guilty and not self._excused(books, post):
            yield f"{name} broke a rule, and nothing came of it"
        elif not guilty and not self._flooded(post) and not self._stands(post) and not list(books.losses):
            yield f"{name} broke nothing and is gone"

    def _stands(self, post: Post) -> bool:
        return post.message.id in self.market.messages

    def _excused(self, books: Books, post: Post) -> bool:
        """Tell whether lost books may have judged it, or the rules were lost before it was."""
        seen = max((breach.change for breach in post.breaches), default=post.message.changed)
        return any(loss.span.last >= seen for loss in books.losses) or books.losses.has_key(post.order)

    def _flooded(self, post: Post) -> bool:
        """Tell whether ``post`` came with so many others that it may be taken for a flood."""
        near = [
            other
            for other in self._posts
            if other.author is post.author and post.at - FLOOD_SECONDS < other.at <= post.at
        ]
        return len(near) >= FLOOD

    def _floods(self, rows: Iterator[Any]) -> Iterator[str]:
        posts = {post.message.id: post for post in self._posts}
        for row in rows:
            post = posts.get(row["message"])
            if post is None or not self._flooded(post) or post.author is self.leader:
                yield f"message {row['message']} was taken for a flood"

    def _penalties(self, books: Books, rows: list[Any]) -> Iterator[str]:
        """Each violation brings what those before it, in its time, say; and that stands in the books of penalties."""
        before: dict[int, list[int]] = defaultdict(list)
        meant = []
        for row in rows:
            earlier = before[row["person"]]
            at = row["said_at"]
            number = 1 + sum(at - WITHIN_MS < each <= at for each in earlier)
            earlier.append(at)
            penalty = "fine" if number >= FINED_FROM else "warn"
            if row["penalty"] != penalty:
                yield f"message {row['message']} brought {row['penalty']}, not {penalty}: it was number {number}"
            fined = (FINE, DENOM) if penalty == "fine" else (None, None)
            meant.append((row["person"], row["message"], penalty, *fined))
        given = [tuple(row) for row in books.select(_PUNISHED)]
        if sorted(given, key=str) != sorted(meant, key=str):
            yield f"penalties are {sorted(set(given) ^ set(meant), key=str)[:3]} otherwise than meant"

    def _answer(self, books: Books, post: Post) -> Iterator[str]:
        command = books.command(self._key(post.message))
        if command is None and not self._excused(books, post):
            yield f"the command in message {post.message.id} never came in"
        if command is not None and command["code"] not in (None, "too_many"):
            yield f"the command in message {post.message.id} ended as {command['code']}"
