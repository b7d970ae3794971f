"""Several people at once, what each of them meant, and whether the books, the chain and the chats agree with it.

Nothing here asks the program: what must be so follows from what people did and from the blocks.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from chain import address
from chain.parameters import ChainParameters
from ledger.accounts import SYSTEM_RESERVE, UNCLAIMED, WITHDRAWALS, AccountId
from ledger.audit import audit
from ledger.reader import Reader
from sandbox.node import state
from sandbox.node.decoding import Coin
from sandbox.node.node import SANDBOX_PARAMETERS
from sandbox.node.people import Output, SpelledCoin
from sandbox.telegram import Chat, Message, User
from tests.scenarios.company import TAPPED, Company
from tests.scenarios.finding import Finding
from tests.scenarios.town import DENOM, JUNO, TREASURY, Town

PEOPLE: Final = 6
FEE: Final = 20_000
FUNDS: Final = 900 * JUNO
MOST_UNPAID: Final = 8
"""Payments of a batch that failed are paid one by one, a block each: more would pile up."""
TOO_MUCH: Final = 900_000_000

_CLOSED: Final = tuple(f"closed {number}" for number in range(500))
"""Module accounts that the program's settings do not know: the chain takes a payment to them and fails it."""

PARAMETERS: Final[ChainParameters] = replace(
    SANDBOX_PARAMETERS, modules=(*SANDBOX_PARAMETERS.modules, *_CLOSED)
)

_RECEIPT: Final = re.compile(r"Receipt (\d+)")
_LOOKED_AT: Final = 60
"""So many of the newest messages of a chat are searched for buttons."""

_FEES_OF_RETURNS: Final = """
SELECT w.account, sum(t.amount) FROM withdrawals AS w JOIN transactions AS t ON t.reference = w.id
WHERE w.state = 'returned' AND t.to_id IS NULL GROUP BY w.account
"""


class Transfer(NamedTuple):
    """A ``/send``; ``amount`` 0 must be refused."""

    message: Message
    source: int
    destination: int
    amount: int

    def key(self, bot: int) -> str:
        """Return the key of its message."""
        return f"m:{bot}:{self.source}:{self.message.id}"


@dataclass(slots=True, eq=False)
class Payment:
    """A ``/withdraw`` to an address of its own; ``closed``: the chain will not pay it; ``token``: the yes, once pressed."""

    source: int
    address: str
    amount: int
    closed: bool
    token: str = ""

    @property
    def pressed(self) -> bool:
        """Whether somebody said yes to it."""
        return bool(self.token)


@dataclass(slots=True, eq=False)
class Member:
    """Somebody with a chat and a wallet."""

    user: User
    chat: Chat
    open: list[Payment] = field(default_factory=list)
    """Asked for, but not confirmed yet."""
    running: list[Payment] = field(default_factory=list)
    """Confirmed, and perhaps to be cancelled."""

    @property
    def id(self) -> int:
        """The account."""
        return self.user.id


class Crowd:
    """The people of a town. What they do is remembered until `problems` has looked at it."""

    def __init__(self, place: Town, seed: str) -> None:
        self._place = place
        self._random = random.Random(seed)
        self.members = [self._newcomer(number) for number in range(PEOPLE)]
        self.company = Company(place, [member.user for member in self.members], seed)
        self._transfers: list[Transfer] = []
        self._payments: list[Payment] = []
        self._made = 0
        self._closed = 0
        self._withdrawals = 0
        self._own: Counter[int] = Counter()
        self._deposits: Counter[int] = Counter()
        self._told: dict[int, set[int]] = defaultdict(set)

    def _newcomer(self, number: int) -> Member:
        user, chat = self._place.person(f"P{number}", user_id=1_000 + number)
        purse = self._place.node.purse(str(user.id))
        self._place.node.faucet(purse.address, [Coin(DENOM, 100_000 * JUNO)])
        return Member(user, chat)

    # What people do

    def arrive(self) -> None:
        """Open an account for everybody, with money in it; the owner hears of what nobody claims."""
        self._place.telegram.say(self._place.owner, self._place.telegram.private(self._place.owner), "/start")
        for member in self.members:
            self._say(member, "/start")
            self.deposit(member, FUNDS)

    def bustle(self) -> None:
        """Let everybody do something at once: transfers, one that cannot be, a deposit, a withdrawal."""
        for member in self.members:
            other = self._random.choice([each for each in self.members if each is not member])
            self.send(member, other, self._random.randrange(1, JUNO // 10))
        first, second, third = self._random.sample(self.members, 3)
        self.send(first, second, TOO_MUCH * JUNO)
        self.deposit(self.members[-1], self._random.randrange(1, JUNO))
        if len(self._unpaid()) < MOST_UNPAID:
            self.withdraw(third)

    def _unpaid(self) -> list[Payment]:
        """Return the payments that have not arrived; those that were cancelled are among them."""
        open_ones = [each for each in self._payments if not each.closed]
        return [each for each in open_ones if not self._place.on_chain(each.address)]

    def send(self, source: Member, destination: Member, amount: int) -> None:
        """Pay somebody; more than `FUNDS` must be refused."""
        spelled = f"{amount // JUNO}.{amount % JUNO:06d}"
        message = self._say(source, f"/send {spelled} @{destination.user.username}")
        meant = amount if amount < FUNDS else 0
        self._transfers.append(Transfer(message, source.id, destination.id, meant))
        self._own[source.id] -= meant
        self._own[destination.id] += meant
        self._made += bool(meant)

    def deposit(self, member: Member, amount: int, *, memo: bool = True) -> None:
        """Pay into the treasury; without a memo it is nobody's."""
        account = member.id if memo else UNCLAIMED
        coins = (SpelledCoin(DENOM, str(amount)),)
        purse = self._place.node.purse(str(member.id))
        _, result = self._place.node.send(
            purse, [Output(TREASURY, coins)], memo=str(member.id).encode() if memo else b""
        )
        assert result.outcome.code == 0, result.log
        self._own[account] += amount
        self._deposits[account] += amount

    def show_card(self, member: Member) -> None:
        """Look at the deposit card, which is then edited with each deposit."""
        self._say(member, "/deposit")

    def withdraw(self, member: Member, *, closed: bool = False) -> None:
        """Ask for coins to go to an address that nobody else uses."""
        amount = self._random.randrange(JUNO // 10, JUNO // 2)
        number = len(self._payments) + self._withdrawals
        to = self._place.node.purse(f"abroad {number}").address
        if closed:
            to = address.encode(PARAMETERS.prefix, address.module_address(_CLOSED[self._closed]))
            self._closed += 1
        self._say(member, f"/withdraw 0.{amount:06d} {to}")
        payment = Payment(member.id, to, amount, closed)
        self._payments.append(payment)
        member.open.append(payment)

    def confirm(self) -> None:
        """Press, twice as the impatient do, every question that is shown."""
        for member in self.members:
            for payment in [*member.open]:
                if token := self._press(member, payment, "Withdraw", times=2):
                    payment.token = token
                    member.open.remove(payment)
                    member.running.append(payment)

    def cancel(self) -> None:
        """Press every button that cancels; for some it is too late."""
        for member in self.members:
            for payment in [*member.running]:
                if self._press(member, payment, "Cancel"):
                    member.running.remove(payment)

    def _press(self, member: Member, payment: Payment, label: str, times: int = 1) -> str:
        """Press the button with ``label`` below ``payment``; return what it holds, nothing where there is none."""
        for message in reversed([*member.chat.messages.values()][-_LOOKED_AT:]):
            buttons = [button for row in message.buttons for button in row]
            shown = next((button for button in buttons if button["text"].startswith(label)), None)
            if shown is not None and payment.address in message.text:
                for _ in range(times):
                    self._place.telegram.tap(member.user, message, label=label)
                return str(shown["callback_data"])
        return ""

    def _say(self, member: Member, text: str) -> Message:
        return self._place.telegram.say(member.user, member.chat, text)

    def newest(self) -> int:
        """Return the number of the newest message that the bot has written; old ones are forgotten by their chats."""
        bot = self._place.account.user.id
        said = (
            next((each.order for each in reversed(member.chat.messages.values()) if each.sender == bot), 0)
            for member in self.members
        )
        return max(said)

    # What must have come of it

    def problems(self) -> list[Finding]:
        """Return all that is not as it was meant, at a quiet point; what was looked at is forgotten."""
        report = audit(self._place.database)
        found = [Finding(lost=True, text=f"audit: {problem}") for problem in report.problems]
        books = Reader(self._place.database)
        try:
            found += self._whole(books)
            found += self._commands(books)
            found += self._made_transfers(books)
            found += self._made_payments(books)
            found += self.company.problems(books)
            found += self._balances(books)
        finally:
            books.close()
        self._withdrawals += len(self._payments) - sum(not each.pressed for each in self._payments)
        self._payments = [each for each in self._payments if not each.pressed]
        self._transfers.clear()
        for member in self.members:
            member.running.clear()
        return found

    def _whole(self, books: Reader) -> Iterator[Finding]:
        """Compare the sum of the books with the treasury at the scanned height."""
        height = int(books.select("SELECT height FROM cursor")[0][0])
        raw = address.decode(TREASURY, PARAMETERS.prefix)
        held = state.balance(self._place.node.chain.version(height), raw, DENOM)
        owned = books.total(DENOM)
        yield from _compared(f"the books at height {height}", owned, held)
        for account in (SYSTEM_RESERVE, WITHDRAWALS):
            yield from _compared(f"account {account}", books.balance(account, DENOM), 0)
        for row in books.select("SELECT reason, note FROM freezes WHERE lifted_at IS NULL"):
            yield Finding(lost=True, text=f"withdrawals are frozen: {row[0]}, {row[1]}")

    def _commands(self, books: Reader) -> Iterator[Finding]:
        for row in books.select("SELECT key, code FROM inbox WHERE state IN ('new', 'poison')"):
            yield Finding(lost=True, text=f"{row[0]} was never answered ({row[1]})")
        for row in books.select("SELECT id, event, state FROM outbox WHERE state <> 'sent'"):
            yield Finding(lost=True, text=f"news {row[0]} ({row[1]}) are {row[2]}")

    def _made_transfers(self, books: Reader) -> Iterator[Finding]:
        self._hear()
        for each in self._transfers:
            key = each.key(self._place.account.user.id)
            rows = books.select(
                "SELECT t.entry_id, t.amount, t.from_id, t.to_id FROM entries AS e"
                " JOIN transactions AS t ON t.entry_id = e.id WHERE e.key = ?",
                (key,),
            )
            wanted = [(each.amount, each.source, each.destination)] if each.amount else []
            moved = [tuple(row[1:]) for row in rows]
            if moved != wanted:
                yield Finding(len(moved) < len(wanted), f"{each.message.text!r} ({key}) moved {moved}")
            if wanted and rows and each.source not in self._told[rows[0][0]]:
                yield Finding(lost=True, text=f"nobody was told of {each.message.text!r} ({key})")
        made = books.select("SELECT count(*) FROM transactions WHERE kind = 'transfer'")[0][0]
        yield from _compared("the number of transfers", made, self._made)

    def _hear(self) -> None:
        for member in self.members:
            for message in self._place.telegram.replies(member.chat):
                for receipt in _RECEIPT.findall(message.text):
                    self._told[int(receipt)].add(member.id)

    def _made_payments(self, books: Reader) -> Iterator[Finding]:
        for each in self._payments:
            rows = books.select("SELECT state FROM withdrawals WHERE address = ?", (each.address,))
            answers = books.select(TAPPED, (each.source, each.token)) if each.pressed else []
            # Who presses too fast is told so, and may press again.
            heard = [row for row in answers if row["code"] != "too_many"]
            if each.pressed and not answers:
                yield Finding(lost=True, text=f"the yes to {each.address} never came in")
            codes = sorted({str(row["code"]) for row in heard})
            yield from _compared(f"the withdrawals to {each.address} ({codes})", len(rows), int(bool(heard)))
            states = {row[0] for row in rows}
            if not states <= {"returned", "cancelled", *(() if each.closed else ("confirmed",))}:
                yield Finding(lost=True, text=f"the withdrawal to {each.address} is {states}")
            arrived = self._place.on_chain(each.address)
            paid = "confirmed" in states
            yield from _compared(f"what {each.address} got", arrived, each.amount if paid else 0)
            self._own[each.source] -= (each.amount + FEE) if paid else 0

    def _balances(self, books: Reader) -> Iterator[Finding]:
        returned = {row[0]: row[1] for row in books.select(_FEES_OF_RETURNS)}
        posted = books.select(
            "SELECT to_id, sum(amount) FROM transactions WHERE kind = 'deposit' GROUP BY to_id"
        )
        credited = {row[0]: row[1] for row in posted}
        moved = self.company.moved(books)
        for account in (*(member.id for member in self.members), int(UNCLAIMED)):
            yield from _compared(
                f"what was paid in for {account}", credited.get(account, 0), self._deposits[account]
            )
            wanted = self._own[account] + moved[account] - returned.get(account, 0)
            yield from _compared(f"account {account}", books.balance(AccountId(account), DENOM), wanted)


def _compared(what: str, found: int, wanted: int) -> Iterator[Finding]:
    if found != wanted:
        yield Finding(found < wanted, f"{what}: {found}, should be {wanted}")
