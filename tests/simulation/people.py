"""People of the city, drawn from the seed: honest ones, clumsy ones and hostile ones, and what each of them meant.

Whatever a person does is written down as an intent, from which `checks` tells what must and what must not have come of
it. A step is one act of a person.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from chain import cosmos
from chain.light import wire
from chain.wallet import Wallet
from sandbox.node.decoding import Coin
from sandbox.node.mempool import MempoolError
from sandbox.node.node import SANDBOX_PARAMETERS, UNLISTED
from sandbox.node.people import Output, SpelledCoin
from sandbox.scene import MNEMONIC
from sandbox.telegram import Chat, Message, SandboxRefused, User
from tests.simulation.city import DENOM, JUNO, City

TREASURY: Final = Wallet.from_mnemonic(MNEMONIC, SANDBOX_PARAMETERS).address
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
BAD_MEMOS: Final = (
    b"",
    b"0123",
    "١٢".encode(),
    b"+5",
    b"1_000",
    b"hello 5",
    b"for 1003",
    b"1004x",
    b"#1005",
    b"99999999999999999999",
    b"77000001",
)
ODD_AMOUNTS: Final = {"010": 8, "0x7": 7, "0b11": 3, "1_000": 1000, "+7": 7}
"""Spellings that the chain reads in base 0, and what they move (chain.md, Deposits)."""


@dataclass(slots=True)
class Person:
    """Somebody with a chat and a wallet."""

    user: User
    chat: Chat
    questions: list["Payment"] = field(default_factory=list)

    @property
    def id(self) -> int:
        """The Telegram id, which is the account."""
        return self.user.id


@dataclass(slots=True)
class Transfer:
    """A ``/send`` as it was meant; ``amount`` None is ``all``, ``valid`` False must never move anything."""

    message: Message
    chat: Chat
    source: int
    destination: int
    amount: int | None
    valid: bool = True


@dataclass(slots=True)
class Payment:
    """A ``/withdraw``: each goes to an address of its own, so that paying twice shows on the chain."""

    message: Message
    source: int
    address: str
    amount: int
    confirmed: bool = False
    taps: list[str] = field(default_factory=list)
    """The callback data of what was pressed under the question, in order."""


@dataclass(slots=True)
class Deposit:
    """Coins sent to the treasury: the account that must get them, None for UNCLAIMED, and how many base units."""

    canonical: bytes
    account: int | None
    amount: int


@dataclass(slots=True)
class Intents:
    """Everything that anybody meant to do."""

    transfers: list[Transfer] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    happened: int = 0
    """Base units that came to the treasury outside of transactions."""


class People:
    """Twenty people in a group; ``act`` lets one of them do something."""

    def __init__(self, city: City, count: int = 20) -> None:
        self._city = city
        self._rng: random.Random = city.random("people")
        self.intents = Intents()
        self.deposits: list[bytes] = []
        """Transactions that paid in, as they were sent."""
        self._refused = list(city.refused)
        self._absent: list[Person] = []
        self.people = [self._newcomer(number) for number in range(count)]
        members = [person.user for person in self.people]
        self.plaza = city.telegram.group("Plaza", city.owner, [*members, city.account])
        self._acts: list[tuple[Callable[[], object], int]] = [
            (self._deposit, 14),
            (self._odd_deposit, 6),
            (self._failing_deposit, 2),
            (self._two_bodies, 2),
            (self._send, 36),
            (self._send_badly, 8),
            (self._withdraw, 16),
            (self._tap, 20),
            (self._cancel, 6),
            (self._block, 4),
            (self._hammer, 1),
            (self._look, 8),
            (self._repeat, 6),
            (self._edit, 3),
            (self._forward, 3),
            (self._forge, 8),
            (self._gossip, 2),
            (self._mint, 1),
        ]

    def _newcomer(self, number: int) -> Person:
        name = f"p{number}x"
        user = self._city.telegram.person(f"Person {number}", name, user_id=1000 + number)
        return Person(user, self._city.telegram.private(user))

    def greet(self) -> None:
        """Let everybody open an account and get coins of their own."""
        self._city.telegram.say(self._city.owner, self._city.telegram.private(self._city.owner), "/start")
        for person in self.people:
            self._city.telegram.say(person.user, person.chat, "/start")
            self._city.give(self._city.node.purse(str(person.id)).address, 10_000 * JUNO)

    def pay_in_first(self) -> None:
        """Let everybody bring money to begin with; their purses must be filled."""
        for person in self.people:
            amount = self._rng.randrange(20 * JUNO, 400 * JUNO)
            self._pay_in(person, [(DENOM, str(amount))], str(person.id).encode(), [(person.id, amount)])

    def come_back(self) -> None:
        """Let everybody who blocked the bot write to it again: what they missed must reach them now."""
        for person in self._absent:
            self._city.telegram.say(person.user, person.chat, "/start")
        self._absent = []

    def act(self) -> str:
        """Let somebody do one thing; return its name. What Telegram or the mempool refuses simply did not happen."""
        (chosen,) = self._rng.choices([act for act, _ in self._acts], [weight for _, weight in self._acts])
        try:
            chosen()
        except (SandboxRefused, MempoolError, KeyError):
            return f"{chosen.__name__} refused"
        return chosen.__name__

    # Coins in

    def _deposit(self) -> None:
        person = self._rng.choice(self.people)
        amount = self._rng.randrange(1, 50 * JUNO)
        owner, memo = person.id, str(person.id).encode()
        if self._rng.random() < 0.15:
            memo = b" " + memo + b"\n"
        self._pay_in(person, [(DENOM, str(amount))], memo, [(owner, amount)])

    def _odd_deposit(self) -> None:
        person = self._rng.choice(self.people)
        amount = self._rng.randrange(1, JUNO)
        kind = self._rng.randrange(4)
        if kind == 0:
            self._pay_in(person, [(DENOM, str(amount))], self._rng.choice(BAD_MEMOS), [(None, amount)])
        elif kind == 1:
            spelling = self._rng.choice(list(ODD_AMOUNTS))
            self._pay_in(
                person, [(DENOM, spelling)], str(person.id).encode(), [(None, ODD_AMOUNTS[spelling])]
            )
        elif kind == 2:
            self._pay_in(person, [(DENOM, str(amount))], b"\xff\xfe", [(None, amount)])
        else:
            several = [(DENOM, str(amount)), (DENOM, str(amount + 1))]
            wanted = [(person.id, amount), (person.id, amount + 1)]
            self._pay_in(person, several, str(person.id).encode(), wanted)

    def _pay_in(
        self,
        person: Person,
        coins: Sequence[tuple[str, str]],
        memo: bytes,
        wanted: Sequence[tuple[int | None, int]],
    ) -> None:
        outputs = [Output(TREASURY, (SpelledCoin(denom, amount),)) for denom, amount in coins]
        purse = self._city.node.purse(str(person.id))
        encoded, result = self._city.node.send(purse, outputs, memo=memo)
        if result.outcome.code == 0:
            self._sent(encoded, wanted)

    def _sent(self, encoded: bytes, wanted: Sequence[tuple[int | None, int]]) -> None:
        self.deposits.append(encoded)
        key = canonical(encoded)
        self.intents.deposits += [Deposit(key, account, amount) for account, amount in wanted]

    def _failing_deposit(self) -> None:
        """Send more than there is: the transaction stands in a block, and nothing moved."""
        person = self._rng.choice(self.people)
        amount = self._rng.randrange(1, JUNO)
        coins = [(DENOM, str(amount)), (DENOM, str(10**14))]
        self._pay_in(person, coins, str(person.id).encode(), [(person.id, amount), (person.id, 10**14)])

    def _two_bodies(self) -> None:
        """Write a richer body before the one that was signed: of two fields the chain reads the last."""
        person = self._rng.choice(self.people)
        amount = self._rng.randrange(1, JUNO)
        richer = cosmos.TxRaw.FromString(self._signed_deposit(person, 1000 * amount)).body_bytes
        encoded = wire.octets(1, richer) + self._signed_deposit(person, amount)
        if self._city.node.chain.mempool.add(encoded).outcome.code == 0:
            self._sent(encoded, [(person.id, amount)])

    def _signed_deposit(self, person: Person, amount: int) -> bytes:
        purse = self._city.node.purse(str(person.id))
        messages = purse.send([Output(TREASURY, (SpelledCoin(DENOM, str(amount)),))])
        return purse.sign(self._city.node.chain, messages, str(person.id).encode())

    def unsent_deposit(self) -> list[bytes]:
        """Return a deposit that is signed and never sent, for a false history; none while nobody could send it."""
        try:
            return [self._signed_deposit(self._rng.choice(self.people), self._rng.randrange(1, JUNO))]
        except KeyError:
            return []

    def _mint(self) -> None:
        """Let coins come to the treasury outside of every transaction, and coins nobody listed."""
        amount = self._rng.randrange(1, 1000)
        self._city.node.happen(TREASURY, [Coin(DENOM, amount)])
        self._city.node.happen(TREASURY, [Coin(UNLISTED, amount)])
        self.intents.happened += amount

    # Coins between people

    def _send(self) -> None:
        source, destination = self._two()
        amount = None if self._rng.random() < 0.04 else self._rng.randrange(1, 30 * JUNO)
        spelled = "all" if amount is None else f"{amount // JUNO}.{amount % JUNO:06d}"
        words = [spelled, f"@{destination.user.username}"]
        if self._rng.random() < 0.3:
            words.reverse()
        note = self._rng.choice(("", "", " thanks", " <b>bold</b> & \u202e more"))
        chat = self._city_chat(source)
        command = self._rng.choice(("/send", "/tip"))
        message = self._city.telegram.say(source.user, chat, f"{command} {' '.join(words)}{note}")
        self.intents.transfers.append(Transfer(message, chat, source.id, destination.id, amount))

    def _send_badly(self) -> None:
        source, destination = self._two()
        bad = self._rng.choice(BAD_AMOUNTS)
        who = self._rng.choice(
            (f"@{destination.user.username}", "@nobody_here", f"@{source.user.username}", "")
        )
        amount = bad if who.startswith("@p") and who[1:] == destination.user.username else "1"
        message = self._city.telegram.say(source.user, source.chat, f"/send {amount} {who}")
        self.intents.transfers.append(
            Transfer(message, source.chat, source.id, destination.id, 0, valid=False)
        )

    def _city_chat(self, person: Person) -> Chat:
        return self.plaza if self._rng.random() < 0.5 else person.chat

    def _two(self) -> tuple[Person, Person]:
        first, second = self._rng.sample(self.people, 2)
        return first, second

    # Coins out

    def _withdraw(self) -> None:
        person = self._rng.choice(self.people)
        amount = self._rng.randrange(1, 40) * JUNO // 2
        address = self._city.node.purse(f"abroad {len(self.intents.payments)}").address
        if self._refused and self._rng.random() < 0.12:
            address = self._refused.pop().address
        spelled = f"{amount // JUNO}.{amount % JUNO:06d}"
        memo = self._rng.choice(("", "", " memo 7"))
        message = self._city.telegram.say(person.user, person.chat, f"/withdraw {spelled} {address}{memo}")
        payment = Payment(message, person.id, address, amount)
        self.intents.payments.append(payment)
        person.questions.append(payment)

    def _tap(self) -> None:
        """Press a button that somebody was shown: once, or many times as the clumsy do."""
        asked = [
            (person, payment, question)
            for person in self.people
            for payment in person.questions
            if (question := self._shown(person, payment, "Withdraw "))
        ]
        if not asked:
            return
        person, payment, question = self._rng.choice(asked)
        person.questions.remove(payment)
        yes, no = 0, 1
        pressed = self._rng.choice(
            ((yes,), (yes,), (yes, yes), (yes,) * 3, (no,), (no, no), (no, yes), (yes, no))
        )
        for column in pressed:
            query = self._city.telegram.tap(person.user, question, row=0, column=column)
            payment.taps.append(query.id)
        payment.confirmed = pressed[0] == yes

    def _shown(self, person: Person, payment: Payment, words: str) -> Message | None:
        """Return the newest message with buttons about ``payment`` that begins with ``words``."""
        return next(
            (
                shown
                for shown in reversed(self._city.telegram.replies(person.chat))
                if payment.address in shown.text and shown.buttons and shown.text.startswith(words)
            ),
            None,
        )

    def _cancel(self) -> None:
        """Press Cancel under a withdrawal of late, in time or too late."""
        confirmed = [payment for payment in self.intents.payments[-12:] if payment.confirmed]
        if confirmed:
            payment = self._rng.choice(confirmed)
            person = next(each for each in self.people if each.id == payment.source)
            tracker = self._shown(person, payment, "Withdrawal ")
            if tracker is not None:
                self._city.telegram.tap(person.user, tracker, row=0, column=0)

    def _block(self) -> None:
        person = self._rng.choice(self.people)
        self._city.telegram.block(person.user)
        if person not in self._absent:
            self._absent.append(person)

    def _hammer(self) -> None:
        """Let one person write far more than their share at once."""
        source, destination = self._two()
        for number in range(60):
            amount = self._rng.randrange(1, 100)
            message = self._city.telegram.say(
                source.user, source.chat, f"/send 0.{amount:06d} @{destination.user.username} {number}"
            )
            self.intents.transfers.append(Transfer(message, source.chat, source.id, destination.id, amount))

    # Looking, and what must change nothing

    def _look(self) -> None:
        person = self._rng.choice(self.people)
        command = self._rng.choice(("/balance", "/history", "/help", "/deposit", "/start", "/foo", "hello"))
        self._city.telegram.say(person.user, self._city_chat(person), command)

    def _repeat(self) -> None:
        """Deliver something again: a message in a new update, or the last updates as they were."""
        if self.intents.transfers and self._rng.random() < 0.5:
            self._city.telegram.repeat(self._rng.choice(self.intents.transfers[-20:]).message)
        else:
            self._city.telegram.queues[self._city.account.user.id].redeliver(self._rng.randrange(1, 6))

    def _edit(self) -> None:
        if self.intents.transfers:
            old = self._rng.choice(self.intents.transfers[-20:])
            self._city.telegram.edit(old.source, old.message, old.message.text)

    def _forward(self) -> None:
        """Forward somebody's command: it must do nothing, in whoever's name."""
        if self.intents.transfers:
            old = self._rng.choice(self.intents.transfers[-20:])
            thief = self._rng.choice(self.people)
            if self._city.telegram.sees(thief.user, old.message):
                self._city.telegram.forward(thief.user, old.message, self.plaza)

    def _forge(self) -> None:
        """Press a button with made-up data, or with that of somebody else's button."""
        thief, victim = self._two()
        shown = self._city.telegram.replies(thief.chat)
        stolen = [
            button["callback_data"]
            for message in self._city.telegram.replies(victim.chat)
            for row in message.buttons
            for button in row
            if "callback_data" in button
        ]
        if shown and stolen:
            forged = self._rng.choice([*stolen, "nonsense", ""])
            self._city.telegram.tap(thief.user, shown[-1], forged=forged)

    def _gossip(self) -> None:
        """Send something that no library can parse, or talk that is none of the bot's business."""
        if self._rng.random() < 0.5:
            self._city.telegram.poison(self._city.account)
        else:
            person = self._rng.choice(self.people)
            self._city.telegram.say(person.user, self.plaza, "did you hear?")


def canonical(encoded: bytes) -> bytes:
    """Return the hash of a transaction that no stranger can change."""
    return sha256(cosmos.encode(cosmos.TxRaw.FromString(encoded))).digest()
