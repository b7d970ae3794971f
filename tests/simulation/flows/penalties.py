"""Warnings, fines, jails and bail in the group, and what Telegram lets people write there."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bot.calls import OLD_MS
from ledger.accounts import BOT_TREASURY
from sandbox.telegram import Chat, Message
from sandbox.telegram.model import Member
from tests.simulation.books import Books, shown
from tests.simulation.city import JUNO, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import People, Person, stands

MINUTES: Final = (1, 1, 2, 2, 3, 10)
TROUBLEMAKERS: Final = 6
RECENT: Final = 12
"""Jails that somebody still has an eye on."""
_MINUTE_MS: Final = 60_000
_AGREED_MS: Final = 30_000
"""A jail that ends this near may be over for the one and not yet for the other."""
_NOTICE: Final = re.compile(r"🔒.*?Bail is (\S+) JUNO", re.DOTALL)
_PAID: Final = """
SELECT e.key, t.kind, t.amount, t.from_id, t.to_id, t.at FROM transactions AS t JOIN entries AS e ON e.id = t.entry_id
WHERE t.kind IN ('fine', 'bail')
"""
_FINES: Final = """
SELECT fines.amount, fines.person FROM fines JOIN violations USING (id) WHERE violations.rule IS NULL
"""
_WARNINGS: Final = "SELECT reason, person FROM violations WHERE kind = 'warn' AND rule IS NULL"
_LEFT_OWED: Final = """
SELECT fines.id FROM fines JOIN violations USING (id)
WHERE fines.person = ? AND violations.at < ? AND ifnull(settled_at, ?) >= ? LIMIT 1
"""
_LOGGED: Final = """
SELECT v.id FROM violations AS v WHERE v.rule IS NULL AND NOT EXISTS (
    SELECT 1 FROM admin_audit AS a WHERE a.action LIKE 'person.%' AND a.target = v.person AND a.actor = v.actor
        AND a.after ->> '$.violation' = v.id
)
"""
_JAILS: Final = """
SELECT jails.*, successors.until_at AS next_until
FROM jails JOIN violations USING (id) LEFT JOIN jails AS successors ON successors.id = jails.successor
WHERE violations.rule IS NULL
"""


@dataclass(slots=True)
class Sentence:
    """A penalty as it was meant. ``mark`` tells it apart: no two bear the same amount, or the same reason."""

    message: Message
    by: int
    person: int
    mark: Any
    minutes: int = 0
    valid: bool = True


@dataclass(slots=True)
class Payment:
    """Somebody who pays; ``whose`` None: fines of their own. ``query`` is the press, if it was one."""

    payer: int
    whose: int | None
    key: str
    query: str | None = None


class Penalties(Flow):
    """Who is fined or jailed pays what was said, once, or serves until the end; Telegram agrees with the books."""

    unrest: ClassVar = {
        "overdue": "SELECT id FROM jails WHERE state = 'serving' AND until_at <= :now",
    }

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._members = [person for person in people.all if person not in people.deputies]
        self._marks = 0
        self._fines: dict[int, Sentence] = {}
        self._jails: dict[int, Sentence] = {}
        self._warnings: dict[str, Sentence] = {}
        self._releases: dict[str, Sentence] = {}
        self._payments: list[Payment] = []
        self._late: set[int] = set()
        self._notices: dict[str, Message] = {}
        """By bail, as it is shown."""
        self._copies: dict[str, list[Message]] = {}
        """By bail, every message that was ever its notice: an answer in doubt is written again."""
        city.telegram.followers.append(self._follow)
        self._meddled: set[int] = set()
        """Whose rights were changed by hand, or who came back: restored books may not have heard of it."""
        self._promote()

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._fine, 4),
            Act(self._warn, 1),
            Act(self._jail, 14),
            Act(self._jail_as_member, 1),
            Act(self._release, 1),
            Act(self._pay_fines, 4),
            Act(self._pay_bail, 2),
            Act(self._bail, 3),
            Act(self._press_together, 10),
            Act(self._come_back, 1),
            Act(self._change_by_hand, 1),
            Act(self._take_the_right, 3),
            Act(self._promote, 1.5),
        )

    # What admins do

    def _somebody(self) -> Person:
        """Return one of the few who are always in trouble: so that jails and fines of one person meet.

        Deputies are admins at times, and then immune.
        """
        return self.rng.choice(self._members[:TROUBLEMAKERS])

    def _fine(self) -> None:
        person, mark = self._somebody(), self._mark()
        text = f"/fine @{person.user.username} {_spelled(mark)} spam"
        self._fines[mark] = self._order(self.people.owner, person, text, mark)

    def _warn(self) -> None:
        person, mark = self._somebody(), f"w{self._mark()}"
        self._warnings[mark] = self._order(
            self.people.owner, person, f"/warn @{person.user.username} {mark}", mark
        )

    def _jail(self) -> None:
        self._jail_by(self.people.owner, self._somebody())

    def _jail_as_member(self) -> None:
        by, person = self.rng.sample(self._members, 2)
        self._jail_by(by, person, valid=False)

    def _jail_by(self, by: Person, person: Person, *, valid: bool = True) -> None:
        mark, minutes = self._mark(), self.rng.choice(MINUTES)
        text = f"/jail @{person.user.username} {minutes}m {_spelled(mark)} flooding"
        sentence = self._order(by, person, text, mark)
        sentence.minutes, sentence.valid = minutes, valid
        self._jails[mark] = sentence

    def _release(self) -> None:
        sentence = self._some_jail()
        mark = f"u{self._mark()}"
        person = self.people.by_id(sentence.person)
        self._releases[mark] = self._order(
            self.people.owner, person, f"/unjail @{person.user.username} {mark}", mark
        )

    def _order(self, by: Person, person: Person, text: str, mark: Any) -> Sentence:
        return Sentence(self.people.say(by, self.people.plaza, text), by.id, person.id, mark)

    def _mark(self) -> int:
        """Return an amount that nothing else bears: 1 to 3 JUNO and a number."""
        self._marks += 1
        return self.rng.randrange(1, 4) * JUNO + self._marks

    def _some_jail(self) -> Sentence:
        """Return a jail that was meant not long ago. Raises KeyError without one."""
        if not self._jails:
            raise KeyError
        return self.rng.choice(list(self._jails.values())[-6:])

    # What everybody does

    def _pay_fines(self) -> None:
        person = self._somebody()
        self._pay(person, person.chat, "/payfine all", None)

    def _pay_bail(self) -> None:
        person = self.people.by_id(self._some_jail().person)
        self._pay(person, person.chat, "/paybail", person.id)

    def _bail(self) -> None:
        friend, jailed = self.people.one(self.rng), self.people.by_id(self._some_jail().person)
        chat = self.people.place(self.rng, friend)
        self._pay(friend, chat, f"/bail @{jailed.user.username}", jailed.id)

    def _pay(self, payer: Person, chat: Chat, text: str, whose: int | None) -> None:
        message = self.people.say(payer, chat, text)
        self._payments.append(Payment(payer.id, whose, _key(self.city, message, chat)))

    def _press_together(self) -> None:
        """Let several friends press one notice, some twice, as a group does."""
        sentence = self._some_jail()
        notice = self._notice(sentence)
        if notice is None:
            raise KeyError
        token = str(notice.buttons[0][0]["callback_data"])
        for friend in self.rng.choices(self.people.all, k=self.rng.randrange(1, 4)):
            query = self.people.tap(friend, notice)
            self._payments.append(Payment(friend.id, sentence.person, f"b:{token}:{friend.id}", query))

    async def attend(self) -> None:
        """Let friends pay in the very moment in which a jail ends by itself: the notice tells when that is."""
        while True:
            await asyncio.sleep(1.0)
            for sentence in list(self._jails.values())[-RECENT:]:
                if sentence.mark in self._late:
                    continue
                end = self._end_shown(sentence)
                if end is None or self.city.clock.now() < end * 1000:
                    continue
                self._late.add(sentence.mark)
                jailed = self.people.by_id(sentence.person)
                for friend in self.rng.sample(self._members, 4):
                    self._pay(friend, friend.chat, f"/bail @{jailed.user.username}", jailed.id)

    def _end_shown(self, sentence: Sentence) -> int | None:
        """Return until when the notice says that a jail lasts, in Unix time; None where nobody sees it any more."""
        notice = self._notice(sentence)
        entities = notice.content.get("entities", ()) if notice else ()
        return next((each["unix_time"] for each in entities if each["type"] == "date_time"), None)

    def _notice(self, sentence: Sentence) -> Message | None:
        bail = _shown(sentence.mark)
        notice = self._notices.get(bail)
        if notice is None or not notice.buttons or not stands(self.people.plaza, notice):
            return None
        shown = _NOTICE.match(notice.text)
        return notice if shown and shown[1] == bail else None

    def _follow(self, message: Message) -> None:
        """Write down which message of the plaza is the notice of a jail: no two have the same bail."""
        if message.chat == self.people.plaza.key and (bail := _NOTICE.match(message.text)):
            self._notices[bail[1]] = message
            copies = self._copies.setdefault(bail[1], [])
            if all(each is not message for each in copies):
                copies.append(message)

    # What happens in Telegram

    def _come_back(self) -> None:
        person = self.people.by_id(self._some_jail().person)
        if self._may_restrict():
            self._meddled.add(person.id)
            self.city.telegram.leave(person.user, self.people.plaza)
            self.city.telegram.join(person.user, self.people.plaza)

    def _change_by_hand(self) -> None:
        person = self._some_jail().person
        if self._may_restrict() and self.people.plaza.has(person):
            self._meddled.add(person)
            self.city.telegram.change_member(
                self.people.plaza, person, Member("member"), self.people.owner.id
            )

    def _take_the_right(self) -> None:
        if self._may_restrict():
            self.city.telegram.demote(self.city.account, self.people.plaza)

    def _promote(self) -> None:
        if not self._may_restrict():
            self.city.telegram.promote(self.city.account, self.people.plaza)

    def _may_restrict(self) -> bool:
        return self.people.plaza.is_admin(self.city.account.user.id)

    def calm(self) -> None:
        """Let the bot do what it has to."""
        self._promote()

    # What must hold

    def problems(self, books: Books) -> Iterator[str]:
        """Compare what stands with what was meant, what was paid with what was owed, and Telegram with the books."""
        yield from self._recorded(books)
        jails = {row["bail"]: row for row in books.select(_JAILS)}
        for bail, row in jails.items():
            yield from self._served(bail, row)
        yield from self._released(books)
        yield from self._paid(books, jails)
        yield from self._ordered(books, jails)
        yield from self._agreed(books)
        yield from self._heard(books, jails)

    def _heard(self, books: Books, jails: Mapping[int, Any]) -> Iterator[str]:
        """Whoever was punished or freed reads so, and the notice of a jail that is over says it."""
        for row in books.select(_FINES):
            if not books.was_told(row["person"], f"You were fined {shown(row['amount'])}"):
                yield f"{row['person']} was never told of the fine {row['amount']}"
        for row in books.select(_WARNINGS):
            if not books.was_told(row["person"], "You were warned", f"“{row['reason']}”"):
                yield f"{row['person']} was never told of the warning {row['reason']}"
        for bail, row in jails.items():
            if not books.was_told(row["person"], "You are in jail", f"Bail is {shown(bail)}: /paybail"):
                yield f"{row['person']} was never told of the jail {bail}"
            by_friend = row["state"] == "bailed" and row["ended_by"] != row["person"]
            if by_friend and not books.was_told(row["person"], f"paid the bail of {shown(bail)}"):
                yield f"{row['person']} was never told who paid the bail {bail}"
            copies = self._copies.get(_shown(bail), ())
            lost = any(books.losses.have_shown(each.changed) for each in copies)
            if copies and row["state"] != "serving" and not lost and all(map(self._calls_for_bail, copies)):
                yield f"the notice of the jail {bail} still asks for bail, and the jail is {row['state']}"
        for row in books.select(_LOGGED):
            yield f"violation {row['id']} is not in the log of orders"

    def _calls_for_bail(self, notice: Message) -> bool:
        return stands(self.people.plaza, notice) and bool(_NOTICE.match(notice.text))

    def _recorded(self, books: Books) -> Iterator[str]:
        fines = [(row["amount"], row["person"]) for row in books.select(_FINES)]
        jails = [(row["bail"], row["person"]) for row in books.select(_JAILS)]
        warnings = [(row["reason"], row["person"]) for row in books.select(_WARNINGS)]
        for name, standing, meant in (
            ("fine", fines, self._fines),
            ("jail", jails, self._jails),
            ("warning", warnings, self._warnings),
        ):
            for mark, times in Counter(mark for mark, _ in standing).items():
                if times > 1:
                    yield f"the {name} {mark} standing {times} times"
            for mark, person in standing:
                sentence = meant.get(mark)
                if sentence is None or not sentence.valid or sentence.person != person:
                    yield f"nobody who may meant the {name} {mark} of {person}"

    def _served(self, bail: int, row: Any) -> Iterator[str]:
        sentence = self._jails.get(bail)
        if sentence is not None and row["until_at"] - row["from_at"] != sentence.minutes * _MINUTE_MS:
            yield f"the jail {bail} lasts from {row['from_at']} to {row['until_at']}, not {sentence.minutes} minutes"
        if row["state"] == "served" and row["ended_at"] < row["until_at"]:
            yield f"the jail {bail} was over before its end"
        if row["state"] == "superseded" and row["next_until"] <= row["until_at"]:
            yield f"the jail {bail} was shortened"

    def _released(self, books: Books) -> Iterator[str]:
        orders = books.select("SELECT reason FROM admin_audit WHERE action = 'person.released'")
        for row in orders:
            if row["reason"] not in self._releases:
                yield f"nobody meant the release {row['reason']}"
        (freed,) = books.select("SELECT count(*) AS number FROM jails WHERE state = 'released'")
        if freed["number"] != len(orders):
            yield f"{freed['number']} were released by {len(orders)} orders"

    def _paid(self, books: Books, jails: Mapping[int, Any]) -> Iterator[str]:
        meant = {payment.key: payment for payment in self._payments}
        times = Counter((row["kind"], row["amount"]) for row in books.select(_PAID))
        for (kind, amount), number in times.items():
            if number > 1:
                yield f"the {kind} {amount} was paid {number} times"
        for each in self._payments:
            if each.whose is None:
                yield from self._left_owed(books, each)
        for row in books.select(_PAID):
            payment = meant.get(row["key"])
            if payment is None or payment.payer != row["from_id"] or row["to_id"] != BOT_TREASURY:
                yield f"nobody meant to pay {row['amount']} by {row['key']}"
            elif row["kind"] == "fine":
                sentence = self._fines.get(row["amount"])
                if sentence is None or sentence.person != row["from_id"]:
                    yield f"{row['from_id']} paid {row['amount']}, which is no fine of theirs"
            else:
                yield from self._bailed(row, payment, jails.get(row["amount"]))

    def _left_owed(self, books: Books, payment: Payment) -> Iterator[str]:
        """Whoever paid all their fines, or was told that there is none, owed none of before afterwards."""
        row = books.command(payment.key)
        if row is None or row["say"] == "command.old" or row["code"] not in (None, "fines_none"):
            return
        began, done = row["received_at"] - self.city.moved_ms, row["done_at"] + self.city.moved_ms + 1
        for fine in books.select(_LEFT_OWED, (payment.payer, began, done, done)):
            yield f"{payment.payer} paid all, and owed fine {fine['id']} still"

    def _bailed(self, row: Any, payment: Payment, jail: Any) -> Iterator[str]:
        if jail is None or jail["person"] != payment.whose:
            yield f"{payment.payer} paid {row['amount']}, which is no bail of {payment.whose}"
        elif jail["state"] != "bailed" or jail["ended_by"] != payment.payer:
            yield f"the bail {row['amount']} of {payment.payer} freed nobody: the jail is {jail['state']}"
        elif row["at"] >= jail["until_at"]:
            yield f"the bail {row['amount']} was charged after the end"

    def _ordered(self, books: Books, jails: Mapping[int, Any]) -> Iterator[str]:
        """What an admin said in time has come about, unless a longer jail stood."""
        standing = {row["amount"] for row in books.select(_FINES)} | jails.keys()
        standing |= {row["reason"] for row in books.select(_WARNINGS)}
        for sentence in (*self._fines.values(), *self._jails.values(), *self._warnings.values()):
            key = books.key(sentence.message, self.people.plaza)
            command = books.command(key)
            if command is None:
                if not books.losses.has_key(key):
                    yield f"{sentence.message.text!r} ({key}) never came in"
            elif sentence.valid and sentence.mark not in standing:
                yield from self._refused(sentence, command, jails)

    def _refused(self, sentence: Sentence, command: Any, jails: Mapping[int, Any]) -> Iterator[str]:
        was_asked = command["state"] == "done" and command["done_at"] - sentence.message.at * 1000 > OLD_MS
        if was_asked or command["code"] == "too_many":
            return
        until = command["done_at"] + sentence.minutes * _MINUTE_MS
        longer = any(
            row["person"] == sentence.person
            and row["from_at"] <= command["done_at"] + self.city.moved_ms
            and row["until_at"] >= until
            for row in jails.values()
        )
        if command["code"] != "jail_stands" or not longer:
            yield f"{sentence.message.text!r} ended as {command['state']} {command['code']}"

    def _agreed(self, books: Books) -> Iterator[str]:
        """Telegram's own word against the books, of everybody about whom restored books can know."""
        now = self.city.clock.now()
        rows = books.select("SELECT person, until_at FROM jails WHERE state = 'serving'")
        until = {row["person"]: row["until_at"] for row in rows}
        unsure = self._unsure(books)
        for person in self.people.all:
            ends = until.get(person.id, 0)
            if person.id in unsure or abs(ends - now) < _AGREED_MS:
                continue
            speaks = self.city.telegram.may(self.people.plaza, person.id, "can_send_messages")
            if speaks is (ends > now):
                yield f"{person.id} may {'write' if speaks else 'not write'}, but is in jail until {ends} (now {now})"

    def _unsure(self, books: Books) -> set[int]:
        """Return of whom restored books may have lost what Telegram still knows, or the other way round."""
        if not list(books.losses):
            return set()
        sentences = (*self._jails.values(), *self._releases.values())
        lost = {
            each.person
            for each in sentences
            if books.losses.has_key(books.key(each.message, self.people.plaza))
        }
        for payment in self._payments:
            gone = (
                books.losses.has_press(payment.query) if payment.query else books.losses.has_key(payment.key)
            )
            if gone and payment.whose is not None:
                lost.add(payment.whose)
        return lost | self._meddled

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what was paid for fines and bail by whoever meant to."""
        own: Counter[int] = Counter()
        for key in {payment.key for payment in self._payments}:
            for row in books.postings(key):
                own[row["from_id"]] -= row["amount"]
                own[BOT_TREASURY] += row["amount"]
        return own


def _key(city: City, message: Message, chat: Chat) -> str:
    return f"m:{city.account.user.id}:{chat.person or chat.id}:{message.id}"


def _spelled(amount: int) -> str:
    return f"{amount // JUNO}.{amount % JUNO:06d}"


def _shown(amount: int) -> str:
    return _spelled(amount).rstrip("0").rstrip(".")
