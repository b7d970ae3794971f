"""Coins out: /withdraw, its question pressed once, twice or both ways, and Cancel in time or too late."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE
from sandbox.telegram import Message
from tests.simulation.books import Books, shown
from tests.simulation.city import FEE, JUNO, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import PRESSES, YES, People

_ENDS: Final = ("confirmed", "returned", "cancelled")
_TAKEN: Final = """
SELECT ifnull(sum(w.amount), 0) AS amount
FROM withdrawals AS w LEFT JOIN transactions AS t ON t.id = w.resolution
WHERE w.requested_at <= :to AND (:account IS NULL OR w.account = :account)
    AND (w.state NOT IN ('returned', 'cancelled') OR t.at >= :from)
"""
_LOST_BY_RETURNS: Final = """
SELECT w.account, sum(t.amount) AS fee FROM withdrawals AS w JOIN transactions AS t ON t.reference = w.id
WHERE w.state = 'returned' AND t.to_id IS NULL GROUP BY w.account
"""

_KEPT: Final = "SELECT ifnull(sum(amount), 0) AS fee FROM transactions WHERE reference = ? AND to_id IS NULL"


@dataclass(slots=True)
class Payment:
    """A ``/withdraw``: each goes to an address of its own, so that paying twice shows on the chain."""

    message: Message
    source: int
    address: str
    amount: int
    memo: str = ""
    confirmed: bool = False
    changed_mind: bool = False
    """Pressed were a no first, and a yes after it."""
    taps: list[str] = field(default_factory=list)
    """The queries of what was pressed under the question, in order."""
    shown: int = 0
    """At which change of the chats the question was shown that was pressed."""
    question: str = ""
    """What the question said that was pressed."""


class Withdrawals(Flow):
    """What was confirmed is paid once or given back, never both; what was not confirmed never leaves."""

    unrest: ClassVar = {
        "withdrawal": (
            "SELECT id, state FROM withdrawals WHERE state NOT IN ('confirmed', 'returned', 'cancelled') LIMIT 1"
        ),
        "signed": "SELECT hash, state FROM signed_transactions WHERE state IN ('signed', 'broadcast') LIMIT 1",
    }

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._payments: list[Payment] = []
        self._unanswered: list[Payment] = []
        self._refused = list(city.refused)

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (Act(self._withdraw, 24), Act(self._answer, 30), Act(self._cancel, 6))

    def _withdraw(self) -> None:
        # Deputies often: what they ask for, they may not approve.
        person = (
            self.rng.choice(self.people.deputies) if self.rng.random() < 0.3 else self.people.one(self.rng)
        )
        amount = self.rng.randrange(1, 40) * JUNO // 2
        address = self.city.node.purse(f"abroad {len(self._payments)}").address
        if self._refused and self.rng.random() < 0.12:
            address = self._refused.pop().address
        spelled = f"{amount // JUNO}.{amount % JUNO:06d}"
        memo = self.rng.choice(("", "", " memo 7"))
        message = self.people.say(person, person.chat, f"/withdraw {spelled} {address}{memo}")
        payment = Payment(message, person.id, address, amount, memo.strip())
        self.people.payees[address] = person.id
        self._payments.append(payment)
        self._unanswered.append(payment)

    def _answer(self) -> None:
        """Press a button that somebody was shown: once, or many times as the clumsy do."""
        asked = [
            (payment, question)
            for payment in self._unanswered
            if (question := self._shown(payment, "Withdraw "))
        ]
        if not asked:
            return
        payment, question = self.rng.choice(asked)
        self._unanswered.remove(payment)
        pressed = self.rng.choice(PRESSES)
        payment.taps = self.people.press(self.people.by_id(payment.source), question, pressed)
        payment.confirmed = pressed[0] == YES
        payment.changed_mind = not payment.confirmed and YES in pressed
        payment.shown, payment.question = question.changed, question.text

    def _shown(self, payment: Payment, words: str) -> Message | None:
        return self.people.shown(self.people.by_id(payment.source).chat, words, payment.address)

    def _cancel(self) -> None:
        """Press Cancel under a withdrawal of late, in time or too late."""
        confirmed = [payment for payment in self._payments[-12:] if payment.confirmed]
        if confirmed:
            payment = self.rng.choice(confirmed)
            tracker = self._shown(payment, "Withdrawal ")
            if tracker is not None:
                self.people.tap(self.people.by_id(payment.source), tracker)

    def problems(self, books: Books) -> Iterator[str]:
        """Compare every withdrawal with what was asked for, and with what arrived on the chain."""
        for payment in self._payments:
            yield from self._payment(books, payment)
            yield from _asked_rightly(payment)
        known = {payment.address for payment in self._payments}
        for row in books.select("SELECT address FROM withdrawals"):
            if row["address"] not in known:
                yield f"nobody asked for the withdrawal to {row['address']}"

    def _payment(self, books: Books, payment: Payment) -> Iterator[str]:
        rows = books.select("SELECT * FROM withdrawals WHERE address = ?", (payment.address,))
        received = books.chain.balance(payment.address)
        if len(rows) > 1:
            yield f"{payment.message.text!r} was asked for {len(rows)} times"
        if rows:
            yield from self._asked(books, payment, rows[0], received)
        elif received and (received != payment.amount or not _is_lost(books, payment)):
            yield f"{payment.address} got {received} that no withdrawal explains"
        elif payment.confirmed and not received:
            yield from self._unasked(books, payment)

    def _asked(self, books: Books, payment: Payment, row: Any, received: int) -> Iterator[str]:
        words = repr(payment.message.text)
        told = [f"Withdrawal {row['id']} · {end}" for end in _ends_told(books, row)]
        if not any(books.was_told(payment.source, each, _amount_told(books, row)) for each in told):
            yield f"nobody was told: {told[0]} ({_amount_told(books, row)})"
        if received and books.chain.memos[payment.address] != payment.memo.encode():
            yield f"{words} was paid with the memo {books.chain.memos[payment.address]!r}"
        if not _was_confirmed(books, payment):
            yield f"{words} was never confirmed, and is {row['state']}"
        if (row["account"], row["amount"], row["fee"]) != (payment.source, payment.amount, FEE):
            yield f"{words} became {row['amount']} with {row['fee']} of {row['account']}"
        paid = payment.amount if row["state"] == "confirmed" else 0
        if row["state"] not in _ENDS or received != paid:
            yield f"{words} is {row['state']}, and {received} arrived"

    def _unasked(self, books: Books, payment: Payment) -> Iterator[str]:
        """Tell what is wrong when somebody said yes and no withdrawal was made: only a good reason is none."""
        press = _first_press(books, payment)
        if press is None:
            if not _is_lost(books, payment):
                yield f"the yes to {payment.message.text!r} never came in"
        elif (
            press["code"] in ("too_many", "button_expired")
            or _is_of_a_restore(books, payment, press)
            or (
                press["code"] == "withdrawals_frozen"
                and books.was_frozen(payment.source, press["received_at"], press["done_at"])
            )
        ):
            return
        elif press["code"] in ("withdrawal_over_own_limit", "withdrawal_over_total_limit"):
            if not self._was_over(books, payment, press):
                yield f"{payment.message.text!r} was refused although it was within the limits"
        elif press["code"] != "insufficient_balance":
            yield f"the yes to {payment.message.text!r} ended as {press['state']} {press['code']}"
        elif not books.was_short(
            payment.source, payment.amount + FEE, press["received_at"], press["done_at"]
        ):
            yield f"{payment.message.text!r} was refused although the money was there"

    def _was_over(self, books: Books, payment: Payment, press: Any) -> bool:
        """Tell whether the limit that was named may have been met, counting all that may have counted just then."""
        own = press["code"] == "withdrawal_over_own_limit"
        limit = self.city.limits.user_per_day if own else self.city.limits.instance_per_day
        (taken,) = books.select(
            _TAKEN,
            {
                "account": payment.source if own else None,
                "from": press["received_at"] - self.city.moved_ms,
                "to": press["done_at"] + self.city.moved_ms,
            },
        )
        return limit is not None and taken["amount"] + payment.amount > limit

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what left: amounts and our fees from members; network fees, by which some who got it back are short."""
        own: Counter[int] = Counter({BOT_TREASURY: -books.chain.fees})
        confirmed = books.select("SELECT address FROM withdrawals WHERE state = 'confirmed'")
        paid = {row["address"] for row in confirmed}
        for payment in self._payments:
            if payment.address in paid:
                own[payment.source] -= payment.amount + FEE
                own[BOT_TREASURY] += FEE
            elif books.chain.balance(payment.address) and _is_lost(books, payment):
                own[SYSTEM_RESERVE] -= payment.amount
        for row in books.select(_LOST_BY_RETURNS):
            own[row["account"]] -= row["fee"]
            own[BOT_TREASURY] += row["fee"]
        return own


def _asked_rightly(payment: Payment) -> Iterator[str]:
    """Who is asked reads what arrives, what it costs, and the memo."""
    total, memo = shown(payment.amount + FEE), payment.memo and f"Memo {payment.memo}"
    said = (f"Withdraw {shown(payment.amount)}?", f"Fee {shown(FEE)}, so {total} leaves", memo)
    if payment.question and not all(each in payment.question for each in said):
        yield f"{payment.message.text!r} was asked about as {payment.question!r}"


def _ends_told(books: Books, row: Any) -> tuple[str, ...]:
    """Return the words for how a withdrawal ended, any of which its member may read at last."""
    rejected = "SELECT 1 FROM approvals WHERE withdrawal = ? AND verdict = 'rejected'"
    if row["state"] == "cancelled" and books.select(rejected, (row["id"],)):
        # Who presses Cancel below a rejection reads that all of it is back.
        return ("not approved", "cancelled")
    return ("arrived" if row["state"] == "confirmed" else str(row["state"]),)


def _amount_told(books: Books, row: Any) -> str:
    """Return the words for what arrived, or came back, when a withdrawal ended."""
    if row["state"] == "confirmed":
        return f"{shown(row['amount'])} to {row['address']}"
    (kept,) = books.select(_KEPT, (row["id"],))
    return f"{shown(row['amount'] + row['fee'] - kept['fee'])} is back on your balance"


def _was_confirmed(books: Books, payment: Payment) -> bool:
    """Tell whether the first press that counted may have been a yes."""
    first = _first_press(books, payment)
    passed_over = first is not None and first["code"] == "too_many"
    changed_mind = payment.changed_mind and books.forgot(payment.source, payment.taps[0])
    return payment.confirmed or passed_over or changed_mind


def _is_lost(books: Books, payment: Payment) -> bool:
    """Tell whether the books that knew of the yes are lost: what they paid is known to the chain alone."""
    return bool(payment.taps) and books.losses.has_press(payment.taps[0])


def _is_of_a_restore(books: Books, payment: Payment, press: Any) -> bool:
    """Tell whether ``press`` was refused because the books were put back: the question is gone, or all is frozen."""
    if press["code"] == "button_unknown":
        return books.losses.have_shown(payment.shown)
    return press["code"] == "withdrawals_frozen" and books.losses.froze(press["done_at"])


def _first_press(books: Books, payment: Payment) -> Any:
    """Return what became of the first press under the question."""
    return books.press(payment.source, payment.taps[0]) if payment.taps else None
