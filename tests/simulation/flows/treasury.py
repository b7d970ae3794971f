"""What people with a rank order: ranks given and taken, pauses, freezes, terms, and payments of the treasury.

Two stewards are made admins and let go again, often while they act; a deputy is an owner until the settings name her no more.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

from ledger.accounts import BOT_TREASURY
from ledger.reader import Reader
from sandbox.telegram import Message
from tests.simulation.books import Books
from tests.simulation.city import JUNO, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import PRESSES, YES, People, Person

STEWARDS: Final = 2
FIRST_STEWARD: Final = 9001
DEPUTY: Final = 9009
LOOKS_EVERY_SECONDS: Final = 15.0

_ORDERS: Final = """
SELECT id, actor, role, action, target, reason, json_extract(before, '$.role') AS was, json_extract(after, '$.role') AS is_now
FROM admin_audit ORDER BY id
"""
_MOVED_IN_A_PAUSE: Final = """
WITH turns AS MATERIALIZED (
    SELECT id, facts ->> '$.alert' = 'commands.paused' AS pauses FROM outbox
    WHERE event = 'alert.raised' AND facts ->> '$.alert' IN ('commands.paused', 'commands.resumed')
),
moves AS (
    SELECT o.id, i.key FROM outbox AS o JOIN inbox AS i ON i.id = o.facts ->> '$.reference' JOIN entries AS e ON e.key = i.key
    JOIN transactions AS t ON t.entry_id = e.id
    WHERE o.event = 'reply' AND t.kind IN ('transfer', 'shared_deposit', 'shared_spend', 'giveaway', 'fine', 'bail')
    UNION ALL
    SELECT id, 'withdrawal ' || (facts ->> '$.withdrawal') FROM outbox WHERE event = 'withdrawal.requested'
)
SELECT key FROM moves WHERE (SELECT pauses FROM turns WHERE turns.id < moves.id ORDER BY turns.id DESC LIMIT 1) LIMIT 1
"""
"""In the order of commits, which is that of the outbox: clocks are moved."""
_WENT_ON_IN_A_FREEZE: Final = """
WITH turns AS MATERIALIZED (
    SELECT id, facts ->> '$.account' AS account, facts ->> '$.alert' = 'withdrawals.frozen' AS freezes FROM outbox
    WHERE event = 'alert.raised' AND facts ->> '$.alert' IN ('withdrawals.frozen', 'withdrawals.unfrozen')
)
SELECT went.facts ->> '$.withdrawal' AS id, event FROM outbox AS went
WHERE event IN ('withdrawal.requested', 'withdrawal.signed') AND (
    (SELECT freezes FROM turns WHERE turns.id < went.id AND account IS NULL ORDER BY turns.id DESC LIMIT 1)
    OR (
        SELECT freezes FROM turns WHERE turns.id < went.id AND account = went.facts ->> '$.account'
        ORDER BY turns.id DESC LIMIT 1
    )
)
LIMIT 1
"""
_SIGNED_IN_A_FREEZE: Final = """
SELECT w.id FROM signed_transactions AS s JOIN payouts AS p USING (hash) JOIN withdrawals AS w ON w.id = p.withdrawal
JOIN freezes AS f ON f.reason = 'ordered' AND ifnull(f.account, w.account) = w.account
    AND f.frozen_at + :moved < s.signed_at AND (f.lifted_at IS NULL OR s.signed_at < f.lifted_at - :moved)
LIMIT 1
"""
_GRANTED: Final = "SELECT actor, note, amount, to_id FROM transactions WHERE kind = 'grant'"
_STANDING: Final = "SELECT account FROM freezes WHERE reason = 'ordered' AND lifted_at IS NULL"
_PAUSED: Final = "SELECT 1 FROM pauses WHERE lifted_at IS NULL"

_RIGHTLY: Final[Mapping[str, frozenset[str]]] = {
    "role.changed": frozenset({"role_same", "unknown_account"}),
    "commands.paused": frozenset({"already_paused"}),
    "commands.resumed": frozenset({"not_paused"}),
    "withdrawals.frozen": frozenset({"already_frozen", "unknown_account"}),
    "withdrawals.unfrozen": frozenset({"not_frozen"}),
    "limits.changed": frozenset({"limit_same"}),
}
"""By action, why an order may have come to nothing though its giver has the rank."""
_OWNERS_ALONE: Final = frozenset({"role.changed", "limits.changed", "treasury.sent"})


class Order(NamedTuple):
    """Something that somebody ordered; its reason is no other's."""

    by: Person
    action: str
    message: Message


@dataclass(slots=True)
class Grant:
    """A ``/treasury send``; it moves when the first press under its question says yes."""

    by: Person
    reason: str
    message: Message
    recipient: Person
    amount: int
    taps: list[str] = field(default_factory=list)
    confirmed: bool = False
    changed_mind: bool = False
    """Pressed were a no first, and a yes after it."""
    shown: int = 0


class Treasury(Flow):
    """An order stands once or not at all, in the name of somebody who had the rank when it was committed."""

    receipts = frozenset({"grant"})
    unrest: ClassVar = {"paused": "SELECT id FROM pauses WHERE lifted_at IS NULL"}

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._stewards = [self._person(FIRST_STEWARD + number) for number in range(STEWARDS)]
        self._deputy = self._person(DEPUTY)
        city.owners.append(DEPUTY)
        self._kept: frozenset[str] | None = None
        """Of the deputy's grants those that stood when she was let go; None: she is an owner."""
        self._orders: dict[str, Order] = {}
        self._grants: list[Grant] = []
        self._unanswered: list[Grant] = []
        self._calm = False

    def _person(self, number: int) -> Person:
        user = self.city.telegram.person(f"Official {number}", f"o{number}x", user_id=number)
        return Person(user, self.city.telegram.private(user))

    def begin(self) -> None:
        """Open accounts for those who will have a rank."""
        for person in (*self._stewards, self._deputy):
            self.people.say(person, person.chat, "/start")

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._appoint, 3),
            Act(self._race, 3),
            Act(self._pause, 1),
            Act(self._resume, 1.5),
            Act(self._freeze, 5),
            Act(self._unfreeze, 2),
            Act(self._limit, 1),
            Act(self._ask, 4),
            Act(self._answer, 5),
            Act(self._depose, 3),
        )

    # Orders

    def _order(self, by: Person, action: str, words: str) -> None:
        self._calm = False
        reason = f"reason {len(self._orders)} of {by.id}"
        self._orders[reason] = Order(by, action, self.people.say(by, by.chat, f"{words} {reason}"))

    def _someone(self) -> Person:
        return self.rng.choice((self.people.owner, *self._stewards))

    def _appoint(self) -> None:
        role = self.rng.choice(("admin", "admin", "elevated", "member"))
        self._order(self.people.owner, "role.changed", f"/role {self.rng.choice(self._stewards).id} {role}")

    def _race(self) -> None:
        """Take a rank from somebody who acts in this very moment."""
        steward = self.rng.choice(self._stewards)
        both = [
            (self.people.owner, "role.changed", f"/role {steward.id} member"),
            (steward, "withdrawals.frozen", f"/freeze {self.people.one(self.rng).id}"),
        ]
        self.rng.shuffle(both)
        for order in both:
            self._order(*order)

    def _pause(self) -> None:
        self._order(self._someone(), "commands.paused", "/pause")

    def _resume(self) -> None:
        self._order(self._someone(), "commands.resumed", "/resume")

    def _freeze(self) -> None:
        # Whoever is about to take something out, often.
        asked = [person for person in self.people.all if self.people.shown(person.chat, "Withdraw ")]
        some = self.rng.choice(asked if asked and self.rng.random() < 0.6 else self.people.all)
        whose = "all" if self.rng.random() < 0.2 else str(some.id)
        self._order(self._someone(), "withdrawals.frozen", f"/freeze {whose}")

    def _unfreeze(self) -> None:
        whose = "all" if self.rng.random() < 0.4 else str(self.people.one(self.rng).id)
        self._order(self._someone(), "withdrawals.unfrozen", f"/unfreeze {whose}")

    def _limit(self) -> None:
        """Change the least that can be withdrawn: nobody here asks for so little."""
        self._order(self.people.owner, "limits.changed", f"/limits minimum 0.{self.rng.randrange(1, 5)}")

    # Payments

    def _ask(self) -> None:
        by = self.rng.choice((self.people.owner, self._deputy))
        recipient, amount = self.people.one(self.rng), self.rng.randrange(1, 3 * JUNO)
        reason = f"grant {len(self._grants)}"
        spelled = f"{amount // JUNO}.{amount % JUNO:06d}"
        words = f"/treasury send {spelled} @{recipient.user.username} {reason}"
        grant = Grant(by, reason, self.people.say(by, by.chat, words), recipient, amount)
        self._grants.append(grant)
        self._unanswered.append(grant)

    def _answer(self) -> None:
        asked = [grant for grant in self._unanswered if self._question(grant)]
        if asked:
            self._press(self.rng.choice(asked), self.rng.choice(PRESSES))

    def _question(self, grant: Grant) -> Message | None:
        return self.people.shown(grant.by.chat, "Send ", f"“{grant.reason}”")

    def _press(self, grant: Grant, pressed: Sequence[int]) -> None:
        question = self._question(grant)
        if question is None:
            return
        self._unanswered.remove(grant)
        grant.taps = self.people.press(grant.by, question, pressed)
        grant.confirmed = pressed[0] == YES
        grant.changed_mind = not grant.confirmed and YES in pressed
        grant.shown = question.changed

    def _depose(self) -> None:
        """Name the deputy no more in the settings, and start the program anew: what she pressed before may still wait."""
        asked = [grant for grant in self._unanswered if grant.by is self._deputy and self._question(grant)]
        if self._kept is not None or not asked or not self.city.disk.path.exists():
            return
        self.city.kill()
        books = Reader(self.city.disk.copy())
        self._kept = frozenset(row["note"] for row in books.select(_GRANTED) if row["actor"] == DEPUTY)
        books.close()
        self.city.owners.remove(DEPUTY)
        for grant in asked:
            self._press(grant, (YES,))

    # Coming to rest

    def calm(self) -> None:
        """Have everything go on again; who was away for restored books is not."""
        self._calm = True
        self.begin()

    async def attend(self) -> None:
        """Let the owner end what rests before a quiet point, however late an order before it comes in."""
        while True:
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
            if self._calm and self.city.disk.path.exists():
                books = self.city.reader()
                paused, frozen = books.select(_PAUSED), books.select(_STANDING)
                for words, action in self._ends(bool(paused), [row["account"] for row in frozen]):
                    self._order(self.people.owner, action, words)
                    self._calm = True

    def _ends(self, paused: bool, frozen: Sequence[int | None]) -> Iterator[tuple[str, str]]:
        if paused:
            yield "/resume", "commands.resumed"
        for account in frozen:
            yield f"/unfreeze {'all' if account is None else account}", "withdrawals.unfrozen"

    # What must be so

    def problems(self, books: Books) -> Iterator[str]:
        """Replay the log of orders, and compare each order and each payment with what was meant."""
        stands = yield from self._replayed(books)
        for reason, order in self._orders.items():
            yield from self._ordered(books, order, stands[reason])
            if stands[reason] and not books.alerted(reason):
                yield f"the office was not alerted to {order.message.text!r}"
        yield from self._payments(books)
        moved = {"moved": self.city.moved_ms}
        for row in books.select(_MOVED_IN_A_PAUSE):
            yield f"{row['key']} moved coins while money commands rested"
        for row in books.select(_WENT_ON_IN_A_FREEZE):
            yield f"{row['event']}, though those of withdrawal {row['id']}'s member were frozen"
        for row in books.select(_SIGNED_IN_A_FREEZE, moved):
            yield f"withdrawal {row['id']} was signed while its member's were frozen"

    def _replayed(self, books: Books) -> Any:
        """Yield what is wrong with the log, line by line; return how often each reason stands in it."""
        ranks = {person.id: "member" for person in self._stewards}
        stands: Counter[str] = Counter()
        officials = {*ranks, DEPUTY, self.people.owner.id}
        for row in books.select(_ORDERS):
            if row["actor"] in officials and row["action"] in {*_RIGHTLY, "treasury.sent"}:
                stands[row["reason"]] += 1
                rank = ranks.get(row["actor"], "owner")
                if row["role"] != rank or (
                    rank != "owner" and (rank != "admin" or row["action"] in _OWNERS_ALONE)
                ):
                    yield f"order {row['id']} ({row['reason']}) was given as {row['role']} by whoever was {rank}"
            if row["action"] == "role.changed" and row["target"] in ranks:
                if row["was"] != ranks[row["target"]]:
                    yield f"order {row['id']} took the rank {row['was']} from whoever was {ranks[row['target']]}"
                ranks[row["target"]] = row["is_now"]
        return stands

    def _ordered(self, books: Books, order: Order, stands: int) -> Iterator[str]:
        key = books.key(order.message, order.by.chat)
        command = books.command(key)
        words = repr(order.message.text)
        if command is None:
            if stands or not books.losses.has_key(key):
                yield f"{words} never came in, and stands {stands} times"
            return
        was_asked = command["say"] == "command.old"
        done = command["state"] == "done" and command["code"] is None and not was_asked
        if stands != done:
            yield f"{words} ended as {command['state']} {command['code']}, and stands {stands} times"
        code = command["code"]
        below = code == "role_too_low" and order.by in self._stewards
        if not (done or was_asked or below or code == "too_many" or code in _RIGHTLY[order.action]):
            yield f"{words} ended as {command['state']} {code}"

    def _payments(self, books: Books) -> Iterator[str]:
        posted: dict[str, list[Any]] = {}
        for row in books.select(_GRANTED):
            posted.setdefault(row["note"], []).append(row)
        for grant in self._grants:
            rows = posted.pop(grant.reason, [])
            if rows:
                yield from self._paid(books, grant, rows)
            elif grant.confirmed:
                yield from self._unpaid(books, grant)
        for note in posted:
            yield f"nobody meant the payment {note!r}"

    def _paid(self, books: Books, grant: Grant, rows: Sequence[Any]) -> Iterator[str]:
        words = repr(grant.message.text)
        confirmed = grant.confirmed or (grant.changed_mind and books.forgot(grant.by.id, grant.taps[0]))
        if len(rows) > 1 or not confirmed:
            yield f"{words} was paid {len(rows)} times, and {'was' if confirmed else 'never was'} confirmed"
        row = rows[0]
        if (row["actor"], row["to_id"], row["amount"]) != (grant.by.id, grant.recipient.id, grant.amount):
            yield f"{words} became {row['amount']} to {row['to_id']} by {row['actor']}"
        if grant.by is self._deputy and self._kept is not None and grant.reason not in self._kept:
            yield f"{words} was paid by somebody who was no owner any more"
        if not books.was_told(grant.recipient.id, f"“{grant.reason}”"):
            yield f"{grant.recipient.id} was never told of {words}"
        if not books.alerted(grant.reason):
            yield f"the office was not alerted to {words}"

    def _unpaid(self, books: Books, grant: Grant) -> Iterator[str]:
        press = books.press(grant.by.id, grant.taps[0])
        words = repr(grant.message.text)
        if press is None:
            if not books.losses.has_press(grant.taps[0]):
                yield f"the yes to {words} never came in"
            return
        code = press["code"]
        was_let_go = code == "role_too_low" and grant.by is self._deputy and self._kept is not None
        is_gone = code == "button_unknown" and books.losses.have_shown(grant.shown)
        if not (was_let_go or is_gone or code in ("too_many", "button_expired")):
            yield f"the yes to {words} ended as {press['state']} {code}"

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what the treasury gave."""
        own: Counter[int] = Counter()
        notes = {row["note"] for row in books.select(_GRANTED)}
        for grant in self._grants:
            if grant.reason in notes:
                own[grant.recipient.id] += grant.amount
                own[BOT_TREASURY] -= grant.amount
        return own
