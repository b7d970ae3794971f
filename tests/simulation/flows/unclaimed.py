"""What arrived for nobody: the owner assigns it, whole and in parts, and whoever sent it claims it by a signature."""

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from bot.calls import OLD_MS
from chain import cosmos
from chain.adr36 import KEY_TYPE, signed_bytes
from ledger.accounts import UNCLAIMED
from ledger.challenges import LATEST
from sandbox.telegram import Chat, Message
from tests.simulation.books import Books
from tests.simulation.city import JUNO, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import PRESSES, YES, People, Person, Stray

_CLOCKS_MS: Final = 120_000
"""How far apart two moments must be to be compared, where the clock was moved by hand."""
_LATE: Final = 15
"""Strays that people still care for: the latest ones."""
_ASSIGNED: Final = """
SELECT t.*, u.tx_hash, a.challenge, a.reason, w.document
FROM transactions AS t LEFT JOIN unclaimed AS u ON u.id = t.reference LEFT JOIN assignments AS a ON a.id = t.id
    LEFT JOIN wallet_challenges AS w ON w.nonce = a.challenge
WHERE t.kind = 'assignment' ORDER BY t.id
"""
_MISCOUNTED: Final = """
SELECT id, amount, remaining FROM unclaimed
WHERE remaining <> amount
    - (SELECT ifnull(sum(t.amount), 0) FROM transactions AS t WHERE t.kind = 'assignment' AND t.reference = unclaimed.id)
"""
_FOUND: Final = "SELECT id, remaining, created_at FROM unclaimed WHERE tx_hash = ?"
_GIVEN_BY: Final = """
SELECT ifnull(sum(amount), 0) AS given FROM assignments
WHERE unclaimed IN (SELECT id FROM unclaimed WHERE tx_hash = ?) AND at <= ?
"""
_CHALLENGE: Final = "SELECT * FROM wallet_challenges WHERE document = ?"
_LATER: Final = "SELECT count(*) AS number FROM wallet_challenges WHERE account = ? AND created_at >= ?"


@dataclass(slots=True)
class Order:
    """An ``/assign``; ``amount`` None is all that waits. The reason is no other order's."""

    message: Message
    chat: Chat
    stray: Stray
    target: int
    amount: int | None
    reason: str
    allowed: bool = True
    taps: list[str] = field(default_factory=list)
    confirmed: bool = False
    changed_mind: bool = False
    """Pressed were a no first, and a yes after it."""
    shown: int = 0


class Signature(NamedTuple):
    """What a wallet gave: a text, the person it was shown to, and whose purse signed."""

    document: str
    person: int
    signer: int
    given: str


class Paste(NamedTuple):
    """A signature that ``person`` sent to the bot; theirs, or one that they have seen."""

    message: Message
    chat: Chat
    person: int
    signature: Signature


class Unclaimed(Flow):
    """What waits goes to whom the owner names or to its sender, once, and never more than it is."""

    receipts = frozenset({"assignment"})

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._orders: list[Order] = []
        self._signatures: list[Signature] = []
        self._pastes: list[Paste] = []

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._assign, 10),
            Act(self._answer, 14),
            Act(self._usurp, 1.5),
            Act(self._ask, 8),
            Act(self._sign, 8),
            Act(self._paste_again, 3),
            Act(self._insist, 10),
            Act(self._look, 1),
        )

    def _stray(self) -> Stray | None:
        strays = self.people.strays[-_LATE:]
        return self.rng.choice(strays) if strays else None

    # The owner's word

    def _assign(self) -> None:
        owner = self.people.owner
        self._order(owner, self.people.plaza if self.rng.random() < 0.3 else owner.chat, allowed=True)

    def _usurp(self) -> None:
        """Let a member write what only admins may."""
        member = self.people.one(self.rng)
        if member in self.people.deputies:
            return
        self._order(member, member.chat, allowed=False)

    def _order(self, by: Person, chat: Chat, *, allowed: bool) -> None:
        stray = self._stray()
        if stray is None:
            return
        target = self.people.one(self.rng)
        amount = None if self.rng.random() < 0.4 else self.rng.randrange(1, stray.amount * 5 // 4 + 2)
        spelled = "" if amount is None else f" {amount // JUNO}.{amount % JUNO:06d}"
        reason = f"case {len(self._orders)}"
        text = f"/assign {stray.tx_hash} @{target.user.username}{spelled} {reason}"
        message = self.people.say(by, chat, text)
        self._orders.append(Order(message, chat, stray, target.id, amount, reason, allowed))

    def _answer(self) -> None:
        """Press a button below a question: once, or many times as the clumsy do."""
        chat = self.people.owner.chat
        for order in reversed(self._orders[-_LATE:]):
            question = self.people.shown(chat, "Assign ", f"“{order.reason}”")
            if question is None or order.taps:
                continue
            pressed = self.rng.choice(PRESSES)
            order.taps = self.people.press(self.people.owner, question, pressed)
            order.confirmed = pressed[0] == YES
            order.changed_mind = not order.confirmed and YES in pressed
            order.shown = question.changed
            return

    # The sender's signature

    def _ask(self) -> None:
        """Let the sender, or somebody else, ask for the text to sign."""
        stray = self._stray()
        if stray is not None:
            sender = self.people.by_id(stray.sender)
            person = sender if self.rng.random() < 0.8 else self.people.one(self.rng)
            self.people.say(person, person.chat, f"/claimdeposit {stray.tx_hash}")

    def _sign(self) -> None:
        """Let somebody sign what they were shown with their own purse, and send it."""
        asked = [
            (person, shown)
            for person in self.people.all
            if (shown := self.people.shown(person.chat, "Sign this text with "))
            and _document(shown) not in {each.document for each in self._signatures}
        ]
        if not asked:
            return
        person, shown = self.rng.choice(asked)
        purse = self.city.node.purse(str(person.id))
        text = _document(shown)
        address = text.partition(" address ")[2].partition(",")[0]
        signature = cosmos.sign(purse.key, signed_bytes(address, text))
        key, given = (base64.b64encode(each).decode() for each in (purse.public_key, signature))
        as_json = json.dumps({"pub_key": {"type": KEY_TYPE, "value": key}, "signature": given})
        words = self.rng.choice((as_json, f"/claimdeposit {given} {key}", f"/claimdeposit {as_json}"))
        self._signatures.append(Signature(text, person.id, person.id, words))
        self._paste(person, self._signatures[-1])

    def _paste_again(self) -> None:
        """Let somebody send a signature again, or one that was another's."""
        if self._signatures:
            signature = self.rng.choice(self._signatures[-_LATE:])
            other = self.people.one(self.rng)
            self._paste(self.people.by_id(signature.person) if self.rng.random() < 0.6 else other, signature)

    def _paste(self, person: Person, signature: Signature) -> None:
        message = self.people.say(person, person.chat, signature.given)
        self._pastes.append(Paste(message, person.chat, person.id, signature))

    def _insist(self) -> None:
        """Let whoever is asked about something old say that they still want it."""
        for person in (self.people.owner, *self.people.all):
            for words in ("You sent /assign", "You sent /claimdeposit"):
                question = self.people.shown(person.chat, words)
                if question is not None:
                    self.people.press(person, question, [YES])

    def _look(self) -> None:
        person = self.people.one(self.rng)
        self.people.say(person, self.people.place(self.rng, person), "/unclaimed")

    # What must have come of it

    def problems(self, books: Books) -> Iterator[str]:
        """Compare every assignment that stands with one that was meant, and the other way round."""
        entries: dict[str, set[int]] = defaultdict(set)
        for row in books.select(_ASSIGNED):
            yield from self._meant(books, row)
            entries[row["document"] or row["note"]].add(row["entry_id"])
        for words, standing in entries.items():
            if len(standing) > 1:
                yield f"{words!r} was done {len(standing)} times"
        for order in self._orders:
            if order.reason not in entries:
                yield from self._undone(books, order)
        for paste in self._pastes:
            yield from self._pasted(books, paste)
        for row in books.select(_MISCOUNTED):
            yield f"{row['remaining']} of unclaimed deposit {row['id']} over {row['amount']} is miscounted"

    def _meant(self, books: Books, row: Any) -> Iterator[str]:
        words = f"assignment {row['id']} of {row['amount']} to {row['to_id']}"
        stray = next((each for each in self.people.strays if each.tx_hash == row["tx_hash"]), None)
        if stray is None:
            yield f"{words} is of no deposit that was sent for nobody"
        elif row["document"] is None:
            yield from self._ordered(books, row, words, stray)
        else:
            yield from self._proved(row, words, stray)
        if row["to_id"] not in books.told.get(row["entry_id"], ()):
            yield f"{row['to_id']} was never told of {words}"

    def _ordered(self, books: Books, row: Any, words: str, stray: Stray) -> Iterator[str]:
        order = next((each for each in self._orders if each.reason == row["note"]), None)
        if order is None or not order.allowed or not self._was_confirmed(books, order):
            yield f"nobody who may meant {words}"
        elif (order.target, order.stray) != (row["to_id"], stray):
            yield f"{words} was meant for {order.target}, of {order.stray}"
        elif order.amount not in (None, row["amount"]):
            yield f"{words} was meant to be {order.amount}"

    def _was_confirmed(self, books: Books, order: Order) -> bool:
        """Tell whether it was done unasked, or the first press that counted may have been a yes."""
        owner = self.people.owner.id
        changed_mind = order.changed_mind and books.forgot(owner, order.taps[0])
        return order.amount is None or order.confirmed or changed_mind

    def _proved(self, row: Any, words: str, stray: Stray) -> Iterator[str]:
        signature = next((each for each in self._signatures if each.document == row["document"]), None)
        if signature is None or signature.signer != stray.sender:
            yield f"{words} was not signed by its sender"
        elif signature.person != row["to_id"]:
            yield f"{words} was signed for {signature.person}"

    def _undone(self, books: Books, order: Order) -> Iterator[str]:
        """Tell what is wrong with an order of which nothing came: only a good reason is none."""
        if not order.allowed:
            return
        told = repr(order.message.text)
        key = books.key(order.message, order.chat)
        command = books.command(key)
        if command is None:
            if not books.losses.has_key(key):
                yield f"{told} ({key}) never came in"
        elif command["state"] == "new":
            yield f"{told} waits still"
        elif command["code"] is not None:
            yield from self._refused(books, order, command, told)
        elif order.amount is None and not _was_old(order.message, command):
            yield f"{told} was answered, and nothing came of it"
        elif order.confirmed:
            yield from self._unpressed(books, order, told)

    def _unpressed(self, books: Books, order: Order, told: str) -> Iterator[str]:
        press = books.press(self.people.owner.id, order.taps[0])
        if press is None:
            if not books.losses.has_press(order.taps[0]):
                yield f"the yes to {told} never came in"
        elif press["state"] == "new":
            yield f"the yes to {told} waits still"
        elif press["code"] == "button_unknown" and books.losses.have_shown(order.shown):
            return
        elif press["code"] != "button_expired":
            yield from self._refused(books, order, press, f"the yes to {told}")

    def _refused(self, books: Books, order: Order, deed: Any, told: str) -> Iterator[str]:
        rows = books.select(_FOUND, (order.stray.tx_hash,))
        if deed["code"] == "too_many":
            return
        if deed["code"] == "unknown_transaction":
            if any(row["created_at"] + _CLOCKS_MS < deed["received_at"] for row in rows):
                yield f"{told} was refused although the deposit was known"
        elif deed["code"] in ("deposit_taken", "assignment_too_large"):
            until = deed["done_at"] + self.city.moved_ms
            (given,) = books.select(_GIVEN_BY, (order.stray.tx_hash, until))
            if order.stray.amount - given["given"] >= (order.amount or 1):
                yield f"{told} was refused although so much waited"
        else:
            yield f"{told} ended as {deed['state']} {deed['code']}"

    def _pasted(self, books: Books, paste: Paste) -> Iterator[str]:
        """Tell what is wrong with what became of a signature that should have been taken."""
        key = books.key(paste.message, paste.chat)
        command = books.command(key)
        told = f"the signature in {key}"
        challenges = books.select(_CHALLENGE, (paste.signature.document,))
        if command is None:
            if not books.losses.has_key(key):
                yield f"{told} never came in"
        elif command["state"] == "new":
            yield f"{told} waits still"
        elif command["code"] is None:
            used = challenges[0]["used_at"] if challenges else None
            if used is None and not _was_old(paste.message, command):
                yield f"{told} was answered, and nothing came of it"
        elif challenges and paste.person == paste.signature.person and command["code"] != "too_many":
            yield from self._unaccepted(books, paste, command, challenges[0])

    def _unaccepted(self, books: Books, paste: Paste, command: Any, challenge: Any) -> Iterator[str]:
        told = f"the signature in {books.key(paste.message, paste.chat)} ended as {command['code']}"
        sender = self.city.node.purse(str(paste.signature.signer)).address
        later = books.select(_LATER, (paste.person, challenge["created_at"]))[0]["number"]
        if challenge["address"] != sender or later > LATEST:
            return
        used, code = challenge["used_at"], command["code"]
        if used is not None and used + self.city.moved_ms < command["received_at"]:
            if code != "challenge_used":
                yield f"{told} though it had been used"
        elif code == "challenge_expired":
            # A clock that was set back comes before the text that it is to judge.
            early = self.city.moved_ms and command["done_at"] < challenge["created_at"]
            if not early and challenge["expires_at"] > command["done_at"] + _CLOCKS_MS:
                yield f"{told} before its time"
        elif code not in ("challenge_used", "deposit_taken"):
            yield told

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what those assignments that stand moved out of UNCLAIMED."""
        own: Counter[int] = Counter()
        for row in books.select(_ASSIGNED):
            own[UNCLAIMED] -= row["amount"]
            own[row["to_id"]] += row["amount"]
        return own


def _document(shown: Message) -> str:
    """Return the text to sign, as the copy button gives it."""
    return str(next(key["copy_text"]["text"] for row in shown.buttons for key in row if "copy_text" in key))


def _was_old(message: Message, command: Any) -> bool:
    """Tell whether the sender was asked first because what they wrote was old."""
    return bool(command["done_at"] - message.at * 1000 > OLD_MS)
