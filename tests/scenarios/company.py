"""What the group does together while the program dies: it gives away, punishes, assigns and shares.

Each thing that somebody does is a `Deed` with the key that its money act must have. At a quiet point a deed that was
answered has moved money exactly once, one that was refused has moved none, and nothing moved that nobody did.
"""

import contextlib
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from ledger.reader import Reader
from sandbox.telegram import Chat, Message, SandboxRefused, User
from tests.scenarios.finding import Finding
from tests.scenarios.town import Town

SLOTS: Final = 3
FIRST_POTS: Final = 5
MOST_OPEN: Final = 6
"""Cards that are pressed at a time; older ones are left to themselves."""
KINDS: Final = (
    *("giveaway", "giveaway_claim", "giveaway_returned"),
    "assignment",
    *("shared_deposit", "shared_spend"),
    "grant",
    *("fine", "bail"),
)
"""Kinds of postings that only the company causes."""
_OF_ITSELF: Final = ("giveaway:",)
"""How keys begin of what ends by itself, or with the last of several."""

_POSTED: Final = """
SELECT t.kind, t.amount, t.from_id, t.to_id FROM entries AS e JOIN transactions AS t ON t.entry_id = e.id WHERE e.key = ?
"""
TAPPED: Final = "SELECT state, code FROM inbox WHERE sender = ? AND instr(raw, ?) > 0"
_SAID: Final = "SELECT state, code FROM inbox WHERE key = ?"


class Deed(NamedTuple):
    """Something that ``who`` did. ``token``: the button that was pressed; empty for what was typed."""

    who: int
    key: str
    what: str
    token: str = ""
    moves: bool = True
    """False: it moves nothing by a key of its own, only by what ends through it."""


class Company:
    """The group of a town's members. ``play`` lets it do what a flow is about; `flows` names them."""

    def __init__(self, place: Town, members: Sequence[User], seed: str) -> None:
        self._place = place
        self._random = random.Random(f"{seed} company")
        self._members = members
        self._plaza = place.telegram.group("Plaza", place.owner, [*members, place.account])
        place.telegram.promote(place.account, self._plaza)
        self._pots = 0
        self._deeds: list[Deed] = []
        self._keys: set[str] = set()
        self._jailed: set[str] = set()
        self._flows: dict[str, Callable[[], None]] = {
            "giveaway": self._give,
            "unclaimed": self._assign,
            "a new shared account": self._open,
            "shared account": self._share,
            "treasury": self._grant,
            "penalties": self._punish,
        }

    @property
    def flows(self) -> frozenset[str]:
        """Return what can be played."""
        return frozenset(self._flows)

    def play(self, flow: str) -> None:
        """Do what ``flow`` is about, all of it at once; nobody is in jail while it is about something else."""
        if flow != "penalties":
            self._free()
        self._flows[flow]()

    # What people do

    def _say(self, who: User, text: str, chat: Chat | None = None, *, moves: bool = True) -> None:
        """Let somebody say ``text``, in the group without ``chat``; who is in jail there says nothing."""
        try:
            message = self._place.telegram.say(who, chat or self._plaza, text)
        except SandboxRefused:
            return
        place = who.id if chat else self._plaza.id
        self._done(Deed(who.id, f"m:{self._place.account.user.id}:{place}:{message.id}", text, moves=moves))

    def _tap(self, who: User, message: Message, label: str, *, own: bool = False, moves: bool = True) -> None:
        """Let somebody press a button, twice as the impatient do; ``own``: it is theirs alone."""
        button = next(each for row in message.buttons for each in row if label in each["text"])
        token = button["callback_data"]
        for _ in range(2):
            self._place.telegram.tap(who, message, forged=token)
        key = f"b:{token}" if own else f"b:{token}:{who.id}"
        self._done(Deed(who.id, key, f"{label} of {message.text[:40]!r}", token, moves))

    def _done(self, deed: Deed) -> None:
        self._deeds.append(deed)
        self._keys.add(deed.key)

    def _shown(self, label: str, chat: Chat | None = None) -> list[Message]:
        """Return the newest messages of ``chat``, of the group without one, that have a button with ``label``."""
        messages = reversed([*(chat or self._plaza).messages.values()][-120:])
        found = [
            each for each in messages if any(label in key["text"] for row in each.buttons for key in row)
        ]
        return found[:MOST_OPEN]

    def _give(self) -> None:
        """Somebody gives, everybody grabs twice, and what stands long is called off."""
        giver = self._random.choice(self._members)
        mode = self._random.choice(("", " equal", " random"))
        self._say(giver, f"/giveaway 0.{self._random.randrange(100, 900):06d} {SLOTS}{mode}")
        cards = [*self._shown("Claim"), *self._shown("Join")]
        for card in cards:
            label = "Claim" if "Claim" in str(card.buttons) else "Join"
            for who in self._random.sample(list(self._members), 2):
                # Who joins is paid at the end, by no key of their own.
                self._tap(who, card, label, moves=label == "Claim")
        if len(cards) >= MOST_OPEN:
            self._say(self._random.choice(self._members), "/cancelgiveaway", moves=False)

    def _assign(self) -> None:
        """The owner gives what waits longest to somebody, and says it twice as the impatient do."""
        try:
            with contextlib.closing(Reader(self._place.database)) as books:
                waiting = books.select("SELECT id FROM unclaimed WHERE remaining > 0 ORDER BY id LIMIT 2")
        except sqlite3.OperationalError:
            return  # A new life replays the log of the last one: there is another time to look.
        for row in waiting:
            to = self._random.choice(self._members)
            for _ in range(2):
                self._say(self._place.owner, f"/assign {row[0]} @{to.username} shown to me")

    def _open(self) -> None:
        """Everybody in turn opens a shared account: one person may not open many."""
        opener = self._members[self._pots % len(self._members)]
        self._pots += 1
        private = self._place.telegram.private(opener)
        self._say(opener, f"/shared new Pot{self._pots}", private, moves=False)

    def _share(self) -> None:
        """Two put in, spend and invite, where they are members; a third joins."""
        first, second, third = self._random.sample(list(self._members), 3)
        private = self._place.telegram.private
        if self._pots < FIRST_POTS:
            self._open()
        pot = f"Pot{self._random.randrange(1, self._pots + 1)}"
        for who in (first, second):
            self._say(
                who, f"/shared {pot} deposit 0.{self._random.randrange(1_000, 9_000):06d}", private(who)
            )
            self._say(
                who,
                f"/shared {pot} send 0.000{self._random.randrange(100, 999)} @{third.username}",
                private(who),
            )
            self._say(who, f"/shared {pot} invite @{third.username} spend", private(who), moves=False)
        for invitation in self._shown("Join Pot", private(third))[:1]:
            self._tap(third, invitation, "Join Pot", own=True, moves=False)

    def _grant(self) -> None:
        """The owner pays somebody out of the treasury, and gives and takes a role."""
        owner, to = self._place.owner, self._random.choice(self._members)
        private = self._place.telegram.private(owner)
        self._say(
            owner,
            f"/treasury send 0.000{self._random.randrange(100, 999)} @{to.username} for help",
            private,
            moves=False,
        )
        for question in self._shown("Yes, send", private)[:1]:
            self._tap(owner, question, "Yes, send", own=True)
        role = self._random.choice(("elevated", "member"))
        self._say(owner, f"/role @{to.username} {role} as agreed", private, moves=False)

    def _punish(self) -> None:
        """The owner fines and jails; the fined pay twice, and two friends pay one bail."""
        owner, place = self._place.owner, self._place
        fined, jailed, first, second = self._random.sample(list(self._members), 4)
        amount = f"0.000{self._random.randrange(100, 999)}"
        self._say(owner, f"/fine @{fined.username} {amount} spam", moves=False)
        for _ in range(2):
            self._say(fined, "/payfine all", place.telegram.private(fined))
        self._say(owner, f"/jail @{jailed.username} 5m {amount} noise", moves=False)
        self._jailed.add(str(jailed.username))
        for notice in self._shown("Pay bail")[:2]:
            for friend in (first, second):
                self._tap(friend, notice, "Pay bail")

    def _free(self) -> None:
        for name in sorted(self._jailed):
            self._say(self._place.owner, f"/unjail @{name} enough", moves=False)
        self._jailed.clear()

    # What must have come of it

    def problems(self, books: Reader) -> Iterator[Finding]:
        """Yield what is not as it was done, at a quiet point; what was looked at is forgotten."""
        for deed in self._deeds:
            yield from self._judged(books, deed)
        self._deeds.clear()
        yield from self._unmeant(books)

    def _judged(self, books: Reader, deed: Deed) -> Iterator[Finding]:
        posted = books.select(_POSTED, (deed.key,))
        answers = (
            books.select(TAPPED, (deed.who, deed.token)) if deed.token else books.select(_SAID, (deed.key,))
        )
        done = sum(row["state"] == "done" and row["code"] is None for row in answers)
        if not answers:
            yield Finding(lost=True, text=f"{deed.what} ({deed.key}) never came in")
        elif deed.moves and bool(posted) != bool(done):
            yield Finding(
                not posted, f"{deed.what} ({deed.key}) was answered {done} times and moved {len(posted)}"
            )

    def _unmeant(self, books: Reader) -> Iterator[Finding]:
        marks = ", ".join("?" * len(KINDS))
        sql = f"SELECT DISTINCT e.key FROM entries AS e JOIN transactions AS t ON t.id = e.id WHERE t.kind IN ({marks})"
        for row in books.select(sql, KINDS):
            if row["key"] not in self._keys and not row["key"].startswith(_OF_ITSELF):
                yield Finding(lost=False, text=f"nobody did {row['key']}")

    def moved(self, books: Reader) -> Counter[int]:
        """Return by how much the company's acts changed each account, as the log says: the audit vouches for the sums."""
        changes: Counter[int] = Counter()
        marks = ", ".join("?" * len(KINDS))
        rows = books.select(f"SELECT from_id, to_id, amount FROM transactions WHERE kind IN ({marks})", KINDS)
        for source, destination, amount in rows:
            changes[source] -= amount
            changes[destination] += amount
        return changes
