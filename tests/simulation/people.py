"""The people of the city, and what every flow does with them: choosing who acts, writing, pressing what is shown."""

import random
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from sandbox.node.people import Output, SpelledCoin
from sandbox.telegram import Chat, Message, User
from tests.simulation.city import DENOM, JUNO, TREASURY, City
from tests.simulation.losses import Losses

OPENING: Final = 2_000 * JUNO
"""What the treasury's address holds when the books are opened, in base units: BOT_TREASURY's."""
YES, NO = 0, 1
"""Where the two buttons of a question stand."""
PRESSES: Final = (
    (YES,),
    (YES,),
    (YES, YES),
    (YES,) * 3,
    (NO,),
    (NO, NO),
    (NO, YES),
    (YES, NO),
)
"""How people answer one: once, or many times and both ways as the clumsy do. The first press counts."""
REMEMBERED: Final = 20
PURSE: Final = 10_000 * JUNO
"""What everybody has on chain to begin with, in base units."""


class Person(NamedTuple):
    """Somebody with a private chat with the bot, and a purse on chain named by their id."""

    user: User
    chat: Chat

    @property
    def id(self) -> int:
        """The Telegram id, which is the account."""
        return self.user.id


class Command(NamedTuple):
    """What somebody wrote to the bot."""

    message: Message
    chat: Chat
    source: int


class Stray(NamedTuple):
    """Coins in one output with a memo that names nobody: who sent them, by which transaction, how many base units."""

    sender: int
    tx_hash: str
    amount: int


class Forgery(NamedTuple):
    """Whose app pressed the data of a button that stood under ``text`` and read ``label``, and was somebody else's."""

    thief: int
    text: str
    label: str


class People:
    """Everybody, in a group; the owner is apart. What is chosen comes from the random source that the caller gives."""

    def __init__(self, city: City, count: int = 20) -> None:
        self._city = city
        self.owner = Person(city.owner, city.telegram.private(city.owner))
        self.all = [self._newcomer(number) for number in range(count)]
        self.plaza = city.telegram.group(
            "Plaza", city.owner, [*(person.user for person in self.all), city.account]
        )
        self.deputies = self.all[:3]
        """Whom the owner made admins; sometimes one of them is none."""
        self.clerk = self.all[3]
        """Somebody in the office without a rank."""
        self.office = city.telegram.group(
            "Office",
            city.owner,
            [*(person.user for person in (*self.deputies, self.clerk)), city.account],
        )
        city.admins_chat = self.office.id
        self.losses = Losses()
        """What restores of the books took back."""
        self.payees: dict[str, int] = {}
        """By address, which account wanted it to be paid."""
        self.deposits: list[bytes] = []
        """Transactions that paid in, as they were sent."""
        self.strays: list[Stray] = []
        """What was paid in for nobody."""
        self.forged: list[Forgery] = []
        """What was pressed that nobody was shown, in the order of the presses."""
        self._questions: defaultdict[str, dict[int, Message]] = defaultdict(dict)
        """By chat, what the bot shows there with buttons, by its place: a chat need not be read whole for it."""
        city.telegram.followers.append(self._follow)
        self.said: deque[Command] = deque(maxlen=REMEMBERED)
        """The last commands, for whoever repeats, edits or forwards them."""

    def _newcomer(self, number: int) -> Person:
        name = f"p{number}x"
        user = self._city.telegram.person(f"Person {number}", name, user_id=1000 + number)
        return Person(user, self._city.telegram.private(user))

    def greet(self) -> None:
        """Let everybody open an account and get coins of their own."""
        for person in (self.owner, *self.all):
            self._city.telegram.say(person.user, person.chat, "/start")
        for person in self.all:
            self._city.give(self._city.node.purse(str(person.id)).address, PURSE)

    # Choosing

    def one(self, rng: random.Random) -> Person:
        """Return somebody."""
        return rng.choice(self.all)

    def two(self, rng: random.Random) -> tuple[Person, Person]:
        """Return two different people."""
        first, second = rng.sample(self.all, 2)
        return first, second

    def place(self, rng: random.Random, person: Person) -> Chat:
        """Return where ``person`` writes this time: in the group, or to the bot alone."""
        return self.plaza if rng.random() < 0.5 else person.chat

    def by_id(self, account: int) -> Person:
        """Return the person whose account it is."""
        return next(each for each in (self.owner, *self.all) if each.id == account)

    # Acting

    def say(self, person: Person, chat: Chat, text: str) -> Message:
        """Let ``person`` write ``text`` in ``chat``. Raises SandboxRefused where they cannot."""
        message = self._city.telegram.say(person.user, chat, text)
        self.said.append(Command(message, chat, person.id))
        return message

    def tap(self, person: Person, message: Message, *, row: int = 0, column: int = 0) -> str:
        """Let ``person`` press a button; return the query's id. Raises SandboxRefused when it is not there any more."""
        return self._city.telegram.tap(person.user, message, row=row, column=column).id

    def press(self, person: Person, question: Message, columns: Sequence[int]) -> list[str]:
        """Let ``person`` press the buttons of ``question`` one after another; return the queries' ids."""
        return [self.tap(person, question, column=column) for column in columns]

    def _follow(self, message: Message) -> None:
        questions = self._questions[message.chat]
        if message.sender == self._city.account.user.id and message.buttons:
            questions[message.order] = message
        else:
            questions.pop(message.order, None)

    def questions(self, chat: Chat) -> list[Message]:
        """Return what the bot shows with buttons in ``chat``, in the order in which it came."""
        questions = self._questions[chat.key]
        for gone in [place for place, message in questions.items() if not stands(chat, message)]:
            del questions[gone]
        return [questions[place] for place in sorted(questions)]

    def shown(self, chat: Chat, begins: str, holds: str = "") -> Message | None:
        """Return the newest message with buttons in ``chat`` that begins with ``begins`` and has ``holds`` in it."""
        newest_first = reversed(self.questions(chat))
        return next(
            (each for each in newest_first if each.text.startswith(begins) and holds in each.text), None
        )

    def signed_deposit(self, person: Person, amount: int) -> bytes:
        """Return a deposit of ``amount`` that ``person`` signed, not sent. Raises KeyError while the purse is empty."""
        purse = self._city.node.purse(str(person.id))
        messages = purse.send([Output(TREASURY, (SpelledCoin(DENOM, str(amount)),))])
        return purse.sign(self._city.node.chain, messages, str(person.id).encode())


def stands(chat: Chat, message: Message) -> bool:
    """Tell whether ``message`` is still in ``chat``."""
    if message.ephemeral_id is not None:
        return chat.ephemeral.get(message.ephemeral_id) is message
    return chat.messages.get(message.id) is message
