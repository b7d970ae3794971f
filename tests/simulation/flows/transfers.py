"""Coins between people: /send and /tip, as they should be written and as they should not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.calls import OLD_MS
from sandbox.telegram import Chat, Message
from tests.simulation.books import Books
from tests.simulation.city import JUNO, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import People, Person

BAD_AMOUNTS: Final = (
    "-1",
    "1e3",
    "1,5",
    "0",
    "abc",
    "1.1234567",
    "١٢",
    "1_000",
    "+5",
    "0x7",
    "1" * 30,
    "NaN",
    "",
)
SENT_INTO_A_PAUSE: Final = 8
PAUSE_TAKES_SECONDS: Final = 0.4
COMES_BACK_AFTER_SECONDS: Final = 10.0
REFUSAL_TAKES_SECONDS: Final = 1.0
_LATE_MS: Final = 120_000
"""How much later than the limit of its age a command may still be executed: clocks jump, and books are busy."""
_SHORT: Final = ("insufficient_balance", "nothing_to_send", "amount_nothing")
_POSTED: Final = """
SELECT e.key FROM transactions AS t JOIN entries AS e ON e.id = t.entry_id WHERE t.kind = 'transfer'
"""


@dataclass(slots=True)
class Transfer:
    """A ``/send`` as it was meant; ``amount`` None is ``all``, ``valid`` False must never move anything."""

    message: Message
    chat: Chat
    source: int
    destination: int
    amount: int | None
    valid: bool = True
    note: str = ""


class Transfers(Flow):
    """Each good one moves exactly what it says, once; each bad one moves nothing."""

    receipts = frozenset({"transfer"})

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._transfers: list[Transfer] = []
        self._absent: Person | None = None
        """Who blocked the bot, and comes back when it cannot reach them."""
        city.network.forbidden = self._come_back
        city.telegram.followers.append(self._follow)

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._send, 36),
            Act(self._send_badly, 8),
            Act(self._send_in_the_office, 2),
            Act(self._hammer, 1),
        )

    def _send(self) -> None:
        source, destination = self.people.two(self.rng)
        amount = None if self.rng.random() < 0.04 else self.rng.randrange(1, 30 * JUNO)
        words = ["all" if amount is None else _spelled(amount), f"@{destination.user.username}"]
        if self.rng.random() < 0.3:
            words.reverse()
        note = self.rng.choice(("", "", " thanks", " <b>bold</b> & \u202e more"))
        command = self.rng.choice(("/send", "/tip"))
        chat = self.people.place(self.rng, source)
        self._say(source, chat, f"{command} {' '.join(words)}", destination, amount, note=note)

    def _send_badly(self) -> None:
        source, destination = self.people.two(self.rng)
        whose = (f"@{destination.user.username}", "@nobody_here", f"@{source.user.username}", "")
        who = self.rng.choice(whose)
        amount = self.rng.choice(BAD_AMOUNTS) if who == whose[0] else "1"
        self._say(source, source.chat, f"/send {amount} {who}", destination, 0, valid=False)

    def _send_in_the_office(self) -> None:
        """Pay somebody in a group that few of those who are paid are in."""
        source, destination = self.rng.choice(self.people.deputies), self.people.one(self.rng)
        amount = self.rng.randrange(1, JUNO)
        if source.id != destination.id:
            text = f"/send {_spelled(amount)} @{destination.user.username}"
            self._say(source, self.people.office, text, destination, amount)

    def _hammer(self) -> None:
        """Let one person write far more than their share at once."""
        source, destination = self.people.two(self.rng)
        for number in range(60):
            amount = self.rng.randrange(1, 100)
            text = f"/send {_spelled(amount)} @{destination.user.username}"
            self._say(source, source.chat, text, destination, amount, note=f" {number}")

    def _follow(self, message: Message) -> None:
        """Let some people write just as somebody has money commands rest: theirs may be on their way to the books."""
        if message.text.startswith("/pause"):
            for _ in range(SENT_INTO_A_PAUSE):
                self.city.loop.call_later(self.rng.uniform(0.0, PAUSE_TAKES_SECONDS), self._send_a_little)

    def _send_a_little(self) -> None:
        source, destination = self.people.two(self.rng)
        self._say(source, source.chat, f"/send 0.000002 @{destination.user.username}", destination, 2)

    def calm(self) -> None:
        """Let somebody be away as coins come, and come back at the moment in which the bot cannot tell them."""
        source, self._absent = self.people.two(self.rng)
        self.city.telegram.block(self._absent.user)
        text = f"/send 0.000001 @{self._absent.user.username}"
        self._say(source, source.chat, text, self._absent, 1)
        self.city.loop.call_later(COMES_BACK_AFTER_SECONDS, self._come_back, str(self._absent.id).encode())

    def _come_back(self, forbidden: bytes) -> float:
        """Let who blocked the bot write to it, if what was forbidden was for them; return how long the refusal takes."""
        if self._absent is None or str(self._absent.id).encode() not in forbidden:
            return 0.0
        back, self._absent = self._absent, None
        self.city.telegram.say(back.user, back.chat, "/start")
        return REFUSAL_TAKES_SECONDS

    def _say(
        self,
        source: Person,
        chat: Chat,
        text: str,
        destination: Person,
        amount: int | None,
        *,
        valid: bool = True,
        note: str = "",
    ) -> None:
        message = self.people.say(source, chat, text + note)
        self._transfers.append(Transfer(message, chat, source.id, destination.id, amount, valid, _kept(note)))

    def problems(self, books: Books) -> Iterator[str]:
        """Compare every transfer that stands with one that was meant, and the other way round."""
        keys = set()
        for transfer in self._transfers:
            key = books.key(transfer.message, transfer.chat)
            keys.add(key)
            rows = books.postings(key)
            yield from (
                self._moved(books, transfer, rows[0]) if rows else self._unmoved(books, transfer, key)
            )
        posted = [row["key"] for row in books.select(_POSTED)]
        for key in posted:
            if key not in keys:
                yield f"nobody meant the transfer {key}"
        if len(posted) != len(set(posted)):
            yield "a transfer was posted twice"

    def _moved(self, books: Books, transfer: Transfer, row: Any) -> Iterator[str]:
        words = repr(transfer.message.text)
        if not transfer.valid:
            yield f"{words} must never move anything"
        if (row["from_id"], row["to_id"]) != (transfer.source, transfer.destination):
            yield f"{words} moved from {row['from_id']} to {row['to_id']}"
        if transfer.amount is None and row["from_after"]:
            yield f"{words} left {row['from_after']}"
        if row["at"] - transfer.message.at * 1000 > OLD_MS + _LATE_MS:
            yield f"{words} was executed though it was old and nobody was asked"
        if transfer.amount not in (None, row["amount"]):
            yield f"{words} moved {row['amount']}"
        if row["note"] != transfer.note:
            yield f"{words} has the note {row['note']!r}"
        # Who is not where they were paid reads of it in a chat of their own.
        told = books.told.get(row["entry_id"], ())
        if not transfer.chat.has(transfer.destination) and transfer.destination not in told:
            yield f"{transfer.destination} was never told of {words}"

    def _unmoved(self, books: Books, transfer: Transfer, key: str) -> Iterator[str]:
        command = books.command(key)
        if command is None:
            if not books.losses.has_key(key):
                yield f"{transfer.message.text!r} ({key}) never came in"
            return
        if not transfer.valid or command["code"] in ("too_many", "self_transfer"):
            return
        was_asked = command["state"] == "done" and command["done_at"] - transfer.message.at * 1000 > OLD_MS
        if was_asked:
            return
        if command["code"] not in _SHORT:
            yield f"{transfer.message.text!r} ended as {command['state']} {command['code']}"
        elif not books.was_short(
            transfer.source, transfer.amount or 1, command["received_at"], command["done_at"]
        ):
            yield f"{transfer.message.text!r} was refused although the money was there"

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what those that stand moved."""
        own: Counter[int] = Counter()
        for transfer in self._transfers:
            for row in books.postings(books.key(transfer.message, transfer.chat)):
                own[transfer.source] -= row["amount"]
                own[transfer.destination] += row["amount"]
        return own


def _kept(note: str) -> str:
    """Return ``note`` as it is kept: what turns the writing around is not."""
    return " ".join(note.replace("\u202e", "").split())


def _spelled(amount: int) -> str:
    return f"{amount // JUNO}.{amount % JUNO:06d}"
