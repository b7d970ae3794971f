"""Coins for whoever is quick: /giveaway in all its modes, presses by many at once, cancels in time and too late.

The owner gives from the treasury, and so does a deputy who is appointed and dismissed, sometimes in the same moment.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, Final, NamedTuple

from bot.calls import OLD_MS
from bot.giveaways import NAMED
from ledger.accounts import BOT_TREASURY
from sandbox.telegram import Message, SandboxRefused
from tests.simulation.books import Books, shown
from tests.simulation.city import JUNO, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import People, Person

MODES: Final = ("", " first", " equal", " equal", " random", " random")
LASTS: Final = {" 1m": 60, " 2m": 120, " 10m": 600, " 1h": 3600, "": 86_400}
LATE_PRESSES: Final = 12
LOOKS_EVERY_SECONDS: Final = 0.5
_CARD: Final = re.compile(r"🎁 Giveaway (\d+) by (.+?)(, from the treasury)?\n")
_DIGITS: Final = re.compile(r"[0-9a-f]{64}")
_CLOCKS_MS: Final = 120_000
"""How far the program's clock may be off: it is moved by hand."""
_ALWAYS: Final = ("too_many",)
_GIVEAWAYS: Final = """
SELECT giveaways.*, entries.key FROM giveaways JOIN entries ON entries.id = funding ORDER BY giveaways.id
"""
_CLAIMS: Final = "SELECT giveaway, number, claimant, at FROM giveaway_claims ORDER BY giveaway, number"
_JAILED: Final = "SELECT 1 FROM jails WHERE person = ? AND from_at <= ? AND ifnull(ended_at, until_at) >= ?"
_CLAIMANTS: Final = "SELECT claimant FROM giveaway_claims WHERE giveaway = ? ORDER BY number"
_IN_JAIL: Final = (
    "SELECT 1 FROM jails WHERE person = ? AND from_at < ? AND min(ifnull(ended_at, until_at), until_at) > ?"
)
_RANK_BEFORE: Final = """
SELECT json_extract(after, '$.role') AS role FROM admin_audit
WHERE action = 'role.changed' AND target = ? AND id < ? ORDER BY id DESC LIMIT 1
"""
_DEAREST: Final = "SELECT ifnull(max(fee), 0) AS fee FROM signed_transactions"
"""What the treasury must have beside what it gives, at most: the fee that open bytes may cost."""
_RANKS: Final = """
SELECT at, json_extract(after, '$.role') AS role FROM admin_audit
WHERE action = 'role.changed' AND target = ? ORDER BY id
"""


@dataclass(slots=True)
class Gift:
    """A ``/giveaway`` as it was meant."""

    message: Message
    creator: int
    total: int
    slots: int
    mode: str
    seconds: int
    treasury: bool = False

    @property
    def funder(self) -> int:
        """Who pays."""
        return BOT_TREASURY if self.treasury else self.creator


class Press(NamedTuple):
    """A press of a card's button: whose, of which giveaway, and the query."""

    number: int
    person: int
    query: str


class Card(NamedTuple):
    """A card that can be pressed. ``until`` is the end that it shows, in whole seconds."""

    message: Message
    number: int
    creator: str
    until: int


class Giveaways(Flow):
    """Each gives what it promised to those who pressed, once each, and the rest back: to the last base unit."""

    unrest: ClassVar = {
        "expired": "SELECT id FROM giveaways WHERE state = 'active' AND expires_at <= :now LIMIT 1",
    }

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._gifts: list[Gift] = []
        self._presses: list[Press] = []
        self._cancels: set[tuple[int, int]] = set()
        self._promises: dict[int, set[str]] = {}
        """By card, the hashes of seeds that stood on it."""
        self._deputy = people.all[0]
        city.telegram.followers.append(self._follow)

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._give, 7),
            Act(self._claim, 20),
            Act(self._cancel, 3),
            Act(self._press_elsewhere, 2),
            Act(self._give_the_treasurys, 2),
            Act(self._appoint, 2),
        )

    def _give(self) -> None:
        person = self.people.one(self.rng)
        total = self.rng.choice((self.rng.randrange(2, 40), self.rng.randrange(1, 20 * JUNO)))
        self._say_give(person, total, self.rng.randrange(1, min(total, 12) + 1))

    def _say_give(self, person: Person, total: int, slots: int, *, treasury: bool = False) -> None:
        mode, lasts = self.rng.choice(MODES), self.rng.choice((" 1m", " 1m", *LASTS))
        amount = f"{total // JUNO}.{total % JUNO:06d}"
        source, reason = (" treasury", " for everybody") if treasury else ("", "")
        text = f"/giveaway{source} {amount} {slots}{mode}{lasts}{reason}"
        message = self.people.say(person, self.people.plaza, text)
        gift = Gift(message, person.id, total, slots, mode.strip() or "first", LASTS[lasts], treasury)
        self._gifts.append(gift)

    def _give_the_treasurys(self) -> None:
        """Let the owner give, or the deputy, who may be dismissed in that very moment."""
        if self.rng.random() < 0.3:
            self._say_give(self.people.owner, self.rng.randrange(3, JUNO), 3, treasury=True)
            return
        dismissed = self.rng.random()
        if dismissed < 0.3:
            self._order("member")
        self._say_give(self._deputy, self.rng.randrange(3, JUNO), 3, treasury=True)
        if dismissed > 0.7:
            self._order("member")

    def _appoint(self) -> None:
        self._order("admin")

    def _order(self, role: str) -> None:
        owner = self.people.owner
        self.people.say(owner, owner.chat, f"/role @{self._deputy.user.username} {role} as agreed")

    # Cards

    def _cards(self) -> list[Card]:
        """Return the cards that can be pressed."""
        return [
            Card(message, int(card[1]), card[2], _shown_end(message))
            for message in self.people.questions(self.people.plaza)
            if (card := _CARD.match(message.text))
        ]

    def _follow(self, message: Message) -> None:
        """Write down what each card of the plaza promises, whenever it is shown."""
        is_card = message.chat == self.people.plaza.key and _CARD.match(message.text)
        if is_card and (promised := _DIGITS.findall(message.text)):
            self._promises.setdefault(message.id, set()).add(promised[-1])

    async def attend(self) -> None:
        """Let people press in the second in which a giveaway ends, one after another."""
        pressed: set[int] = set()
        while True:
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
            now = self.city.clock.now() / 1000
            late = [card for card in self._cards() if 0 <= now - card.until < LOOKS_EVERY_SECONDS]
            for card in late:
                if card.message.id not in pressed:
                    pressed.add(card.message.id)
                    await self._press_late(card)

    async def _press_late(self, card: Card) -> None:
        for _ in range(LATE_PRESSES):
            with suppress(SandboxRefused):
                self._press(card, 1)
            await asyncio.sleep(1 / LATE_PRESSES)

    def _claim(self) -> None:
        """Let some people press a card at once, some of them more than once."""
        if cards := self._cards()[-4:]:
            self._press(self.rng.choice(cards), self.rng.randrange(1, 5))

    def _press(self, card: Card, count: int) -> None:
        for person in self.rng.sample(self.people.all, count):
            for _ in range(self.rng.choice((1, 1, 2))):
                query = self.people.tap(person, card.message)
                self._presses.append(Press(card.number, person.id, query))

    def _press_elsewhere(self) -> None:
        """Press a card's button in a chat where it is not."""
        person = self.people.one(self.rng)
        shown, cards = self.city.telegram.replies(person.chat), self._cards()
        if shown and cards:
            forged = f"giveaway:{self.rng.choice(cards).number}.0"
            self.city.telegram.tap(person.user, shown[-1], forged=forged)

    def _cancel(self) -> None:
        """Cancel one: its creator, sometimes twice, or somebody who may not; sometimes while others press."""
        cards = self._cards()
        if not cards:
            return
        card = self.rng.choice(cards)
        everybody = (self.people.owner, *self.people.all)
        creator = next(person for person in everybody if person.user.first_name == card.creator)
        person = self.rng.choice((creator, creator, creator, self.people.owner, self.people.one(self.rng)))
        if self.rng.random() < 0.5:
            self._press(card, 2)
        for _ in range(self.rng.choice((1, 1, 2))):
            chat = self.people.place(self.rng, person)
            self.people.say(person, chat, f"/cancelgiveaway {card.number} as agreed")
            # At once: the second may be refused, where the person is muted, and the first counts all the same.
            self._cancels.add((card.number, person.id))

    # What came of it

    def problems(self, books: Books) -> Iterator[str]:
        """Compare what stands with what was meant, and what is shown with what stands."""
        gifts = {books.key(gift.message, self.people.plaza): gift for gift in self._gifts}
        begun = {row["key"]: row for row in books.select(_GIVEAWAYS)}
        for key, gift in gifts.items():
            yield from (self._begun(gift, begun[key]) if key in begun else self._unbegun(books, gift, key))
        for key in begun.keys() - gifts.keys():
            yield f"nobody meant the giveaway {key}"
        yield from self._claims(books, {row["id"]: row for row in begun.values()})
        for row in begun.values():
            yield from self._over(row)
            yield from self._told(books, row)
            yield from self._shown(books, row)
        yield from self._from_the_treasury(books, begun)

    def _begun(self, gift: Gift, row: Any) -> Iterator[str]:
        words = repr(gift.message.text)
        meant = (gift.creator, gift.funder, gift.total, gift.slots, gift.mode, self.people.plaza.id)
        if tuple(row[name] for name in ("creator", "funder", "total", "slots", "mode", "chat")) != meant:
            yield f"{words} became {tuple(row)}"
        if row["expires_at"] - row["created_at"] != 1000 * gift.seconds:
            yield f"{words} lasts {row['expires_at'] - row['created_at']} ms"

    def _unbegun(self, books: Books, gift: Gift, key: str) -> Iterator[str]:
        command = books.command(key)
        if command is None:
            if not books.losses.has_key(key):
                yield f"{gift.message.text!r} ({key}) never came in"
            return
        since, until = command["received_at"], command["done_at"]
        was_asked = command["state"] == "done" and until - gift.message.at * 1000 > OLD_MS
        if was_asked or command["code"] in _ALWAYS:
            return
        if command["code"] in ("insufficient_balance", "treasury_too_low"):
            (dearest,) = books.select(_DEAREST) if gift.treasury else (None,)
            needed = gift.total + (dearest["fee"] if dearest else 0)
            if not books.was_short(gift.funder, needed, since, until):
                yield f"{gift.message.text!r} was refused although the money was there"
        elif command["code"] != "role_too_low" or not self._was_no_admin(books, gift, since, until):
            yield f"{gift.message.text!r} ended as {command['state']} {command['code']}"

    def _was_no_admin(self, books: Books, gift: Gift, since: int, until: int) -> bool:
        """Tell whether the deputy may have been none at some moment between ``since`` and ``until``."""
        if not gift.treasury or gift.creator != self._deputy.id:
            return False
        ranks = books.select(_RANKS, (gift.creator,))
        before = [row["role"] for row in ranks if row["at"] < since - _CLOCKS_MS]
        meanwhile = [row["role"] for row in ranks if since - _CLOCKS_MS <= row["at"] <= until + _CLOCKS_MS]
        return any(role != "admin" for role in [before[-1] if before else "member", *meanwhile])

    def _claims(self, books: Books, begun: Mapping[int, Any]) -> Iterator[str]:
        claims = books.select(_CLAIMS)
        claimed = {(row["giveaway"], row["claimant"]) for row in claims}
        if len(claimed) != len(claims):
            yield "somebody claimed twice"
        pressed = {(press.number, press.person) for press in self._presses}
        for row in claims:
            giveaway = begun[row["giveaway"]]
            if (row["giveaway"], row["claimant"]) not in pressed:
                yield f"{row['claimant']} never pressed giveaway {row['giveaway']}"
            if row["at"] >= giveaway["expires_at"]:
                yield f"claim {row['number']} of giveaway {row['giveaway']} came after its end"
            if row["number"] > giveaway["slots"]:
                yield f"giveaway {row['giveaway']} has claim {row['number']}"
            if row["claimant"] == giveaway["creator"]:
                yield f"{row['claimant']} claimed of their own giveaway {row['giveaway']}"
            if books.select(
                _IN_JAIL, (row["claimant"], row["at"] - self.city.moved_ms, row["at"] + self.city.moved_ms)
            ):
                yield f"{row['claimant']} claimed of giveaway {row['giveaway']} while in jail"
        for press in self._presses:
            yield from self._pressed(books, press, begun, claimed)

    def _pressed(
        self, books: Books, press: Press, begun: Mapping[int, Any], claimed: set[tuple[int, int]]
    ) -> Iterator[str]:
        row = books.press(press.person, press.query)
        if row is None:
            if not books.losses.has_press(press.query):
                yield f"the press {press} never came in"
            return
        code, giveaway = row["code"], begun.get(press.number)
        if code in (None, "giveaway_claimed"):
            right = (press.number, press.person) in claimed
        elif code == "giveaway_jailed":
            moved = self.city.moved_ms
            times = (press.person, row["done_at"] + moved, row["received_at"] - moved)
            right = bool(books.select(_JAILED, times) or list(books.losses))
        elif code in ("giveaway_unknown", "button_unknown"):
            # The card is of books that are lost.
            right = bool(list(books.losses))
        else:
            right = code in _ALWAYS or (giveaway is not None and _explains(giveaway, press, row))
        if not right:
            yield f"{press} was answered {code}"

    def _over(self, row: Any) -> Iterator[str]:
        entitled = {row["creator"], self.people.owner.id, *(each.id for each in self.people.deputies)}
        if row["state"] == "cancelled" and not any((row["id"], each) in self._cancels for each in entitled):
            yield f"nobody cancelled giveaway {row['id']}"

    def _told(self, books: Books, row: Any) -> Iterator[str]:
        """Who gave reads what came back when it ended by itself."""
        claimed = len(books.select("SELECT 1 FROM giveaway_claims WHERE giveaway = ?", (row["id"],)))
        rest = row["total"] - sum(_amounts(row, claimed))
        words = f"Your giveaway {row['id']} is over: {claimed} of {row['slots']} were taken, and {shown(rest)} came back"
        if row["state"] == "ended" and rest and not books.was_told(row["creator"], words):
            yield f"{row['creator']} was never told: {words}"

    def _shown(self, books: Books, row: Any) -> Iterator[str]:
        """Some card of the group says how it stands; none ever said another seed than the one that is used."""
        (claimed,) = books.select(
            "SELECT count(*) AS n FROM giveaway_claims WHERE giveaway = ?", (row["id"],)
        )
        progress = {
            "active": f"{claimed['n']} of {row['slots']} taken · until ",
            "ended": f"It is over: {claimed['n']} of {row['slots']} taken.",
            "cancelled": f"It was cancelled: {claimed['n']} of {row['slots']} had been taken.",
        }[row["state"]]
        begins = f"🎁 Giveaway {row['id']} by "
        cards = [
            each for each in self.city.telegram.replies(self.people.plaza) if each.text.startswith(begins)
        ]
        standing = [card for card in cards if progress in card.text]
        if not standing:
            yield f"no card says of giveaway {row['id']}: {progress}"
        yield from self._listed(books, row, standing)
        commitment = row["seed"] and sha256(row["seed"].encode()).hexdigest()
        for card in standing if row["seed"] else ():
            if books.losses.have_shown(card.changed):
                # The card of a giveaway that is lost, whose number another one has by now.
                continue
            told = _DIGITS.findall(card.text)
            expected = [commitment] if row["state"] == "active" else [row["seed"], commitment]
            if told != expected or self._promises[card.id] != {commitment}:
                yield f"card of giveaway {row['id']} says {told}, promised was {self._promises[card.id]}"

    def _listed(self, books: Books, row: Any, standing: Sequence[Message]) -> Iterator[str]:
        """The card of one that is over says who got how much, and what went back."""
        claims = books.select(_CLAIMANTS, (row["id"],))
        amounts = _amounts(row, len(claims))
        rest = row["total"] - sum(amounts)
        said = [f"{shown(rest)} went back."] if rest else []
        said += [
            f"{self.people.by_id(claim['claimant']).user.first_name} {shown(amount)}"
            for claim, amount in zip(claims[:NAMED], amounts, strict=False)
            if amount
        ]
        over = [card for card in standing if not books.losses.have_shown(card.changed)]
        for card in over if row["state"] != "active" else ():
            if missing := [each for each in said if each not in card.text]:
                yield f"card of giveaway {row['id']} does not say {missing}"

    def _from_the_treasury(self, books: Books, begun: Mapping[str, Any]) -> Iterator[str]:
        """Whoever gave from the treasury had the rank then, in the order of the log itself."""
        logged = books.select("SELECT id, actor FROM admin_audit WHERE action = 'giveaway.created'")
        if len(logged) != sum(row["funder"] == BOT_TREASURY for row in begun.values()):
            yield "a giveaway from the treasury is not in the log of orders, or another is"
        for row in logged:
            rank = books.select(_RANK_BEFORE, (row["actor"], row["id"]))
            if row["actor"] != self.people.owner.id and (not rank or rank[0]["role"] != "admin"):
                yield f"{row['actor']} gave from the treasury and was no admin"

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what funders gave, what those who claimed got by the promise, and what the escrows hold."""
        own: Counter[int] = Counter()
        claims: dict[int, list[int]] = {}
        for row in books.select(_CLAIMS):
            claims.setdefault(row["giveaway"], []).append(row["claimant"])
        for row in books.select(_GIVEAWAYS):
            claimants = claims.get(row["id"], [])
            paid = dict(zip(claimants, _amounts(row, len(claimants)), strict=True))
            own[row["funder"]] -= row["total"]
            own.update(paid)
            rest = row["total"] - sum(paid.values())
            own[-1000 - row["id"] if row["state"] == "active" else row["funder"]] += rest
        return own


def _shown_end(message: Message) -> int:
    """Return the time that the card shows, 0 without one."""
    times = (each["unix_time"] for each in message.content.get("entities", ()) if "unix_time" in each)
    return int(next(times, 0))


def _explains(giveaway: Any, press: Press, row: Any) -> bool:
    """Tell whether ``giveaway`` is a reason for the refusal that ``row`` tells of."""
    if row["code"] == "giveaway_own":
        return bool(giveaway["creator"] == press.person)
    over = min(giveaway["ended_at"] or giveaway["expires_at"], giveaway["expires_at"])
    return bool(row["code"] == "giveaway_over" and row["done_at"] >= over - _CLOCKS_MS)


def _amounts(row: Any, claimed: int) -> list[int]:
    """Return what each claim is worth now, worked out from the promise alone."""
    total, slots = row["total"], row["slots"]
    if row["mode"] == "equal":
        return [total // claimed if row["state"] == "ended" else 0 for _ in range(claimed)]
    if row["mode"] == "first":
        return [total // slots] * claimed
    spare = total - slots
    hashes = [sha256(f"{row['seed']}:{number}".encode()).hexdigest() for number in range(1, slots)]
    cuts = [0, *sorted(int(each, 16) % (spare + 1) for each in hashes), spare]
    return [1 + cuts[place + 1] - cuts[place] for place in range(claimed)]
