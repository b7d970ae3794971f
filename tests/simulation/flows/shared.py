"""Shared accounts: opened, joined by a press of one's own, filled, spent from within limits, left by order, closed."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, NamedTuple

from ledger.accounts import UNCLAIMED
from sandbox.node.people import Output, SpelledCoin
from sandbox.telegram import Chat, Message
from tests.simulation.books import Books, shown
from tests.simulation.city import DENOM, JUNO, TREASURY, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import NO, YES, People, Person
from tests.simulation.witness import canonical

MOST_CLUBS: Final = 6
AT_ONCE: Final = 3 * JUNO
"""What a member may spend at once when they come in, and (twice as much) in a day; founders have no limits."""
_NEAR_MS: Final = 1_000
_NUMBER: Final = re.compile(r"is open, and its number is (\d+)")
_ACCOUNT: Final = "SELECT id FROM shared_accounts WHERE name = ?"
_POSTED: Final = """
SELECT e.key FROM transactions AS t JOIN entries AS e ON e.id = t.entry_id
WHERE t.kind IN ('shared_deposit', 'shared_spend')
"""
_SPENT: Final = """
SELECT ifnull(sum(t.amount), 0) AS amount FROM transactions AS t JOIN shared_accounts AS a ON a.id = t.from_id
WHERE t.kind = 'shared_spend' AND a.name = ? AND t.actor = ? AND t.at <= ?
"""
_ARRIVED: Final = """
SELECT tx_hash, account, amount, state, seen_at FROM processed_deposits WHERE memo = ? AND sender = ? AND amount = ?
"""
_JOINED: Final = """
SELECT DISTINCT person, name FROM shared_changes JOIN shared_members ON shared_members.id = membership
JOIN shared_accounts ON shared_accounts.id = account
WHERE shared_changes.state = 'joined' AND person <> created_by
"""


class Club(NamedTuple):
    """A shared account as it was meant: ``name`` is no other's."""

    name: str
    founder: Person


@dataclass(slots=True)
class Order:
    """A command about ``club`` by ``who``: ``word`` is what to do, ``whom`` about or to whom, ``amount`` how much."""

    message: Message
    chat: Chat
    who: int
    club: Club
    word: str
    whom: int = 0
    amount: int | None = 0


class Press(NamedTuple):
    """A press below an invitation to ``club``, by whom it is for."""

    who: int
    club: Club
    query: str
    column: int


class Turn(NamedTuple):
    """Somebody came into an account (``here``), or their part in it ended: at which place in the order of commits, and when."""

    place: int
    here: bool
    at: int


Parts = defaultdict[tuple[str, int], list[Turn]]
"""By name of the account and person."""


class Limit(NamedTuple):
    """What a member may spend at once, from a place in the order of commits on, and when that was."""

    place: int
    at: int
    at_once: int

    @property
    def a_day(self) -> int:
        """What they may spend in a day."""
        return 2 * self.at_once


Limits = defaultdict[tuple[str, int], list[Limit]]
"""By name of the account and person."""


class Arrival(NamedTuple):
    """Coins sent from the chain with the memo of a shared account."""

    canonical: bytes
    memo: str
    sender: str
    amount: int


class Shared(Flow):
    """Nobody spends without having joined by a press of their own, after being revoked, or above their limits."""

    receipts = frozenset({"shared_deposit", "shared_spend"})

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._clubs: list[Club] = []
        self._orders: list[Order] = []
        self._presses: list[Press] = []
        self._arrivals: list[Arrival] = []

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._open, 2),
            Act(self._invite, 6),
            Act(self._answer_invitation, 12),
            Act(self._steal_invitation, 2),
            Act(self._fill, 9),
            Act(self._fill_from_chain, 2),
            Act(self._spend, 12),
            Act(self._spend_at_the_limit, 6),
            Act(self._limit, 3),
            Act(self._revoke, 5),
            Act(self._close_club, 0.3),
        )

    def begin(self) -> None:
        """Let some accounts be there from the beginning, and people be invited."""
        for _ in range(2):
            self._open()
        for _ in range(8):
            self._invite()

    def _open(self) -> None:
        if len(self._clubs) < MOST_CLUBS:
            founder = self.people.one(self.rng)
            club = Club(f"Club {len(self._clubs)}x", founder)
            self._clubs.append(club)
            self._say(founder, club, f"new {club.name}")

    def _invite(self) -> None:
        club, person = self.rng.choice(self._clubs), self.people.one(self.rng)
        if person.id != club.founder.id:
            text = f"invite @{person.user.username} spend {_limits(AT_ONCE)}"
            self._say(club.founder, club, text, whom=person)

    def _answer_invitation(self) -> None:
        found = self._invitation()
        if found:
            person, club, shown = found
            column = YES if self.rng.random() < 0.85 else NO
            query = self.people.tap(person, shown, column=column)
            self._presses.append(Press(person.id, club, query, column))

    def _steal_invitation(self) -> None:
        """Let somebody send the press of another's invitation, with the data of its button."""
        found = self._invitation()
        thief = self.people.one(self.rng)
        own = self.people.shown(thief.chat, "")
        if found and own and thief.id != found[0].id:
            forged = found[2].buttons[0][YES]["callback_data"]
            self.city.telegram.tap(thief.user, own, forged=forged)

    def _invitation(self) -> tuple[Person, Club, Message] | None:
        """Return an invitation that somebody is shown and has not answered."""
        invited = [each for each in self._orders if each.word == "invite"]
        if not invited:
            return None
        order = self.rng.choice(invited)
        person = self.people.by_id(order.whom)
        shown = self.people.shown(person.chat, order.club.founder.user.first_name, order.club.name)
        if shown is None or "invites you" not in shown.text:
            return None
        return person, order.club, shown

    def _fill(self) -> None:
        club = self.rng.choice(self._clubs)
        person = club.founder if self.rng.random() < 0.9 else self.people.one(self.rng)
        amount = self.rng.randrange(JUNO, 40 * JUNO)
        self._say(person, club, f"deposit {_spelled(amount)}", amount=amount)

    def _fill_from_chain(self) -> None:
        club, person = self.rng.choice(self._clubs), self.people.one(self.rng)
        told = (_NUMBER.search(shown.text) for shown in self.city.telegram.replies(club.founder.chat))
        numbers = [found[1] for found in told if found]
        if not numbers:
            return
        memo = f"shared:{self.rng.choice(numbers)}"
        # No two arrivals are of one amount, so that each is known again.
        amount = 1_000 * self.rng.randrange(1, 1_000) + len(self._arrivals)
        purse = self.city.node.purse(str(person.id))
        outputs = [Output(TREASURY, (SpelledCoin(DENOM, str(amount)),))]
        encoded, result = self.city.node.send(purse, outputs, memo=memo.encode())
        if result.outcome.code == 0:
            self._arrivals.append(Arrival(canonical(encoded), memo, purse.address, amount))

    def _spend(self) -> None:
        """Let somebody spend: mostly who said yes once, whatever became of it; or the founder; or a stranger."""
        club = self.rng.choice(self._clubs)
        spender = self.rng.choice((club.founder, self.people.one(self.rng)))
        joined = self._joined()
        if joined and self.rng.random() < 0.7:
            press = self.rng.choice(joined)
            club, spender = press.club, self.people.by_id(press.who)
        self._pay(spender, club, self.rng.randrange(1, AT_ONCE * 3 // 2))

    def _joined(self) -> list[Press]:
        return [each for each in self._presses if each.column == YES]

    def _spend_at_the_limit(self) -> None:
        """Let a member write several payments at once, of which one fits at the end of a day."""
        joined = self._joined()
        if joined:
            press = self.rng.choice(joined)
            for _ in range(3):
                self._pay(self.people.by_id(press.who), press.club, AT_ONCE - self.rng.randrange(10))

    def _pay(self, spender: Person, club: Club, amount: int) -> None:
        whom = self.people.one(self.rng)
        text = f"send {_spelled(amount)} @{whom.user.username}"
        self._say(spender, club, text, whom=whom, amount=amount)

    def _limit(self) -> None:
        """Let a founder change a member's limits, or the member, who must not; they spend in the same moment."""
        joined = self._joined()
        if joined:
            press = self.rng.choice(joined)
            member, at_once = self.people.by_id(press.who), self.rng.randrange(1, 6) * JUNO
            by = press.club.founder if self.rng.random() < 0.7 else member
            text = f"limit @{member.user.username} {_limits(at_once)}"
            self._say(by, press.club, text, whom=member, amount=at_once)
            self._pay(member, press.club, at_once - self.rng.randrange(-10, 10))

    def _revoke(self) -> None:
        """Let a founder end somebody's part of late, who spends in the same moment."""
        joined = self._joined()[-4:]
        if joined:
            press = self.rng.choice(joined)
            member = self.people.by_id(press.who)
            if self.rng.random() < 0.3:
                self._pay(member, press.club, self.rng.randrange(1, JUNO))
            self._say(press.club.founder, press.club, f"revoke @{member.user.username}", whom=member)
            self._pay(member, press.club, self.rng.randrange(1, JUNO))

    def _close_club(self) -> None:
        club = self.rng.choice(self._clubs)
        founder = club.founder
        self._say(founder, club, f"send all @{founder.user.username}", whom=founder, amount=None)
        self._say(founder, club, "close")

    def _say(
        self, who: Person, club: Club, text: str, *, whom: Person | None = None, amount: int | None = 0
    ) -> None:
        """Let ``who`` write ``/shared <club> <text>``, of which the first word says what to do."""
        chat = self.people.place(self.rng, who)
        word = text.split(maxsplit=1)[0]
        named = "" if word == "new" else f"{club.name} "
        message = self.people.say(who, chat, f"/shared {named}{text}")
        self._orders.append(Order(message, chat, who.id, club, word, whom.id if whom else 0, amount))

    # What must and must not come of it

    def problems(self, books: Books) -> Iterator[str]:
        """Compare what moved with what was meant, and who moved it with who might."""
        parts, limits = self._parts(books), self._limits(books)
        keys = set()
        for order in self._moving():
            key = books.key(order.message, order.chat)
            keys.add(key)
            rows = books.postings(key)
            yield from (
                self._moved(books, parts, order, rows[0])
                if rows
                else self._unmoved(books, parts, limits, order)
            )
        yield from self._above_limits(books, limits)
        for row in books.select(_POSTED):
            if row["key"] not in keys:
                yield f"nobody meant the shared payment {row['key']}"
        yield from self._members(books, parts)
        for arrival in self._arrivals:
            yield from self._arrived(books, parts, arrival)

    def _moving(self) -> Iterator[Order]:
        return (order for order in self._orders if order.word in ("deposit", "send"))

    def _parts(self, books: Books) -> Parts:
        """Return when (in the order of commits) somebody came into an account, and when their part ended."""
        parts: defaultdict[tuple[str, int], list[Turn]] = defaultdict(list)
        for order in self._orders:
            whom = order.who if order.word == "new" else order.whom
            if order.word in ("new", "revoke"):
                row = books.command(books.key(order.message, order.chat))
                if _was_done(row):
                    here = order.word == "new"
                    parts[order.club.name, whom].append(Turn(row["place"], here, row["done_at"]))
        for press in self._presses:
            row = books.press(press.who, press.query)
            if press.column == YES and _was_done(row):
                parts[press.club.name, press.who].append(Turn(row["place"], True, row["done_at"]))
        return parts

    def _moved(self, books: Books, parts: Parts, order: Order, row: Any) -> Iterator[str]:
        words = repr(order.message.text)
        accounts = [found["id"] for found in books.select(_ACCOUNT, (order.club.name,))]
        source, destination = (row["from_id"], row["to_id"])
        account, person = (destination, source) if order.word == "deposit" else (source, destination)
        meant = order.who if order.word == "deposit" else order.whom
        if [account] != accounts or person != meant or row["actor"] != order.who:
            yield f"{words} moved from {source} to {destination} by {row['actor']}"
        if order.amount not in (None, row["amount"]):
            yield f"{words} moved {row['amount']}"
        if not _had_part(books, parts, order):
            yield f"{order.who} had no part in {order.club.name} at {words}"
        told = books.told.get(row["entry_id"], ())
        if order.word == "send" and order.whom != order.who and order.whom not in told:
            yield f"{order.whom} was never told of {words}"

    def _limits(self, books: Books) -> Limits:
        """Return what each member might spend, in the order of commits: as invited, then as was ordered."""
        limits: Limits = defaultdict(list)
        for press in self._presses:
            row = books.press(press.who, press.query)
            if press.column == YES and _was_done(row):
                limits[press.club.name, press.who].append(Limit(row["place"] or 0, row["done_at"], AT_ONCE))
        for order in self._orders:
            row = books.command(books.key(order.message, order.chat))
            if order.word == "limit" and _was_done(row):
                at_once = order.amount or 0
                limits[order.club.name, order.whom].append(Limit(row["place"] or 0, row["done_at"], at_once))
        for each in limits.values():
            each.sort()
        return limits

    def _above_limits(self, books: Books, limits: Limits) -> Iterator[str]:
        """Compare what members spent, one payment after another, with their limits at each; a run is within a day."""
        paid = [
            (books.command(key)["place"] or 0, rows[0]["amount"], order)
            for order in self._orders
            if order.word == "send" and order.who != order.club.founder.id
            for key in [books.key(order.message, order.chat)]
            if (rows := books.postings(key))
        ]
        spent: Counter[tuple[str, int]] = Counter()
        for place, amount, order in sorted(paid, key=itemgetter(0)):
            whose = (order.club.name, order.who)
            spent[whose] += amount
            # Who spent without a part in the account is found by others.
            for limit in [each for each in limits[whose] if each.place < place][-1:]:
                if amount > limit.at_once or spent[whose] > limit.a_day:
                    yield f"{order.message.text!r} is above {limit.at_once} at once, or makes {spent[whose]} a day"

    def _members(self, books: Books, parts: Parts) -> Iterator[str]:
        for row in books.select(_JOINED):
            if not any(each.here for each in parts[row["name"], row["person"]]):
                yield f"{row['person']} is in {row['name']} without having said yes"
        for order in self._orders:
            if order.word == "revoke":
                yield from self._revoked(books, parts, order)
            elif order.word == "limit":
                yield from self._limited(books, order)

    def _limited(self, books: Books, order: Order) -> Iterator[str]:
        """Whose limits were changed reads so, and nobody changes their own."""
        if not _was_done(books.command(books.key(order.message, order.chat))):
            return
        words = f"changed your part in {order.club.name}"
        if order.who != order.club.founder.id:
            yield f"{order.message.text!r} was done, and not by the founder"
        elif not books.was_told(order.whom, words, shown(order.amount or 0)):
            yield f"{order.whom} was never told of {order.message.text!r}"

    def _revoked(self, books: Books, parts: Parts, order: Order) -> Iterator[str]:
        """Whose part was ended reads so."""
        row = books.command(books.key(order.message, order.chat))
        if not _was_done(row):
            return
        turns = parts[order.club.name, order.whom]
        before = [each for each in turns if each.place < (row["place"] or 0)]
        words = f"ended your part in the shared account {order.club.name}"
        if before and max(before).here and not books.was_told(order.whom, words):
            yield f"{order.whom} was never told of {order.message.text!r}"

    def _unmoved(self, books: Books, parts: Parts, limits: Limits, order: Order) -> Iterator[str]:
        """Tell what is wrong when something did not move: only a good reason is none."""
        words = repr(order.message.text)
        key = books.key(order.message, order.chat)
        row = books.command(key)
        if row is None:
            if not books.losses.has_key(key):
                yield f"{words} ({key}) never came in"
            return
        code = row["code"]
        if row["say"] == "command.old" or code in ("too_many", "shared_closed"):
            return
        if code in ("shared_unknown_name", "shared_not_joined", "shared_unknown"):
            if _had_part(books, parts, order, long=True):
                yield f"{order.who} had a part in {order.club.name}, but {words} was refused"
        elif code in ("insufficient_balance", "shared_insufficient", "shared_nothing"):
            yield from self._short(books, order, row)
        elif code in ("shared_over_transaction_limit", "shared_over_day_limit"):
            yield from self._within(books, limits, order, row)
        else:
            yield f"{words} ended as {row['state']} {code}"

    def _within(self, books: Books, limits: Limits, order: Order, row: Any) -> Iterator[str]:
        """Tell of a payment that was refused below a limit.

        A run is shorter than a day: all that somebody spent before, as far as clocks tell, counts.
        """
        wanted, held = order.amount or 0, self._held(limits, order, row)
        until = row["done_at"] + self.city.moved_ms
        (spent,) = books.select(_SPENT, (order.club.name, order.who, until))
        above = any(wanted > each.at_once for each in held)
        above_in_a_day = any(spent["amount"] + wanted > each.a_day for each in held)
        if not (above if row["code"] == "shared_over_transaction_limit" else above_in_a_day):
            yield f"{order.message.text!r} was refused within the limit"

    def _held(self, limits: Limits, order: Order, row: Any) -> list[Limit]:
        """Return the limits that held for ``order`` at some moment between question and answer; a founder has none."""
        before = [each for each in limits[order.club.name, order.who] if each.place < (row["place"] or 0)]
        since = row["received_at"] - self.city.moved_ms
        until_then = [each for each in before if each.at < since]
        return [*until_then[-1:], *(each for each in before if each.at >= since)]

    def _short(self, books: Books, order: Order, row: Any) -> Iterator[str]:
        accounts = books.select(_ACCOUNT, (order.club.name,))
        source = order.who if order.word == "deposit" else accounts[0]["id"]
        if not books.was_short(source, order.amount or 1, row["received_at"], row["done_at"]):
            yield f"{order.message.text!r} was refused although the money was there"

    def _arrived(self, books: Books, parts: Parts, arrival: Arrival) -> Iterator[str]:
        """Check that what the chain brought is credited once: to its account, or, when it is not open, to UNCLAIMED."""
        rows = self._credits(books, arrival)
        executed = arrival.canonical in books.chain.executed
        if len(rows) != executed:
            yield f"{arrival.amount} for {arrival.memo} was credited {len(rows)} times"
        account = -int(arrival.memo.removeprefix("shared:"))
        for row in rows:
            if row["account"] not in (account, UNCLAIMED):
                yield f"{arrival.amount} for {arrival.memo} went to {row['account']}"
            # Books that were put back may not know the account yet.
            lost = any(True for _ in books.losses)
            closing = any(each.word == "close" for each in self._orders)
            if row["account"] == UNCLAIMED and not lost and not closing:
                yield f"{arrival.amount} for {arrival.memo} was not credited to it"
            if row["account"] == account:
                yield from self._heard(books, parts, arrival, row)

    def _heard(self, books: Books, parts: Parts, arrival: Arrival, row: Any) -> Iterator[str]:
        """Every member reads what arrived; whose part began or ended at about that time may have."""
        (account,) = books.select("SELECT name FROM shared_accounts WHERE id = ?", (row["account"],))
        near = _NEAR_MS + self.city.moved_ms
        for (name, person), turns in parts.items():
            before = [each for each in turns if each.at < row["seen_at"]]
            sure = before and max(before).here and all(abs(each.at - row["seen_at"]) > near for each in turns)
            words = f"{shown(arrival.amount)} arrived in the shared account {name}"
            if name == account["name"] and sure and not books.was_told(person, words):
                yield f"{person} was never told that {words}"

    def _credits(self, books: Books, arrival: Arrival) -> list[Any]:
        return books.select(_ARRIVED, (arrival.memo, arrival.sender, str(arrival.amount)))

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what was put in, spent and brought by the chain."""
        own: Counter[int] = Counter()
        for order in self._moving():
            for row in books.postings(books.key(order.message, order.chat)):
                own[row["from_id"]] -= row["amount"]
                own[row["to_id"]] += row["amount"]
        for arrival in self._arrivals:
            for row in self._credits(books, arrival):
                own[row["account"]] += arrival.amount
        return own


def _was_done(row: Any) -> bool:
    """Tell whether a command or press did what it says: an old command was only asked about."""
    return bool(row and row["state"] == "done" and row["code"] is None and row["say"] != "command.old")


def _had_part(books: Books, parts: Parts, order: Order, *, long: bool = False) -> bool:
    """Tell whether who wrote ``order`` was a member when it was answered, in the order of commits.

    ``long``: and was so already when it came in, so that even who looked at once saw it.
    """
    answered = books.command(books.key(order.message, order.chat))
    before = [each for each in parts[order.club.name, order.who] if each.place < (answered["place"] or 0)]
    if not before:
        return False
    last = max(before)
    return last.here and not (long and last.at >= answered["received_at"])


def _limits(at_once: int) -> str:
    """Return what a member may spend at once and in a day, as it is written."""
    return f"{at_once // JUNO} {2 * at_once // JUNO}"


def _spelled(amount: int) -> str:
    return f"{amount // JUNO}.{amount % JUNO:06d}"
