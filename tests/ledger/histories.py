"""Histories that a seed draws: a small chain runs what books sign, while copies of these books take their place.

The books are real, with their blocks, backups and restores; nobody proves the state of many blocks. Whatever was lost,
in the end they agree with the chain (smallchain.py), and a withdrawal is confirmed exactly if it was paid exactly once.
``python -m tests.ledger.histories ordinary --seeds 500`` goes on for longer than a suite should.
"""

import argparse
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Final

from ledger.accounts import SYSTEM_RESERVE
from ledger.audit import audit
from ledger.backup import back_up, restore
from ledger.blocks import Cursor, read_cursor
from ledger.errors import BrokenInvariant, LedgerError, Refused
from ledger.freezes import Freeze, FreezeReason, decide_lift, standing
from ledger.payments import (
    OpenTransaction,
    SignedTransaction,
    StalePlan,
    decide_replace,
    decide_store,
    paid_by,
    unresolved,
)
from ledger.reserve import Refill, decide_refill
from ledger.roles import CONSOLE, Actor
from ledger.units import Decision
from ledger.withdrawals import ManualOutcome, Withdrawal, WithdrawalState, decide_manual, withdrawal_of
from tests.ledger.bank import ALICE, BOB, CHAIN, JUNO, NETWORK_FEE, Bank
from tests.ledger.smallchain import BLOCK_MS, OPENING, THIEF, Block, Chain, Odds, Payment, Transaction

LIFE_BLOCKS: Final = 5
"""For how long signed bytes live at most."""
STEPS: Final = 45
LAST_STEPS: Final = 400
"""Within which all that is open must end, once nothing is asked, lost or stolen any more."""
LAST_EVENTS: Final = 100
SMALLEST: Final = 2_000
"""What is asked for, to which a number is added that tells one withdrawal from the others."""
BOSS: Final = Actor(BOB, owner=True)

VARIANTS: Final[Mapping[str, Odds]] = MappingProxyType(
    {
        "ordinary": Odds(),
        "unpaid": Odds(fee_unpaid=0.15),
        "equal": Odds(fee_unpaid=0.15, equal_amounts=True),
        "unproved": Odds(fee_unpaid=0.07, proved=0.2),
        # No books are lost: of several attempts whose fee may have been paid, the proved balance tells the one.
        "bumped": Odds(fee_unpaid=0.4, any_unpaid=True, restored=0.0),
        "strangers": Odds(spent=0.06, used=0.02, stolen=0.02),
        # Nothing fails past the ante: whether ours or a stranger's did would be a guess.
        "rivals": Odds(failed=0.0, fee_unpaid=0.3, spent=0.15),
    }
)


class Failed(AssertionError):  # noqa: N818 - a verdict, not an error of the program
    """A history ended badly; the message tells how, how to see it again, and what happened last."""


class Books(Bank):
    """The books of one life."""

    def cursor(self) -> Cursor:
        """Return where they stand."""
        cursor = self._see(lambda view: read_cursor(view, CHAIN))
        assert isinstance(cursor, Cursor)
        return cursor

    def standing(self) -> list[FreezeReason]:
        """Return why nothing is signed, the replay of restored books included."""
        return [each.reason for each in self._see(standing)]

    def is_replaying(self) -> bool:
        """Tell whether they have still to meet what the lost ones did."""
        return FreezeReason.RESTORED in self.standing()

    def attempts(self) -> list[OpenTransaction]:
        """Return what the chain has not decided."""
        found: list[OpenTransaction] = self._see(unresolved)
        return found

    def paid_by(self, transaction: str) -> list[Withdrawal]:
        """Return the withdrawals that a signed transaction pays."""
        found: list[Withdrawal] = self._see(lambda view: paid_by(view, transaction))
        return found

    def withdrawals(self, *states: WithdrawalState) -> list[Withdrawal]:
        """Return those in one of ``states``, of all if none is named."""
        rows = self._see(lambda view: view.select("SELECT * FROM withdrawals ORDER BY id"))
        return [each for each in map(withdrawal_of, rows) if not states or each.state in states]

    def _see(self, look: Any) -> Any:
        return self.decide(lambda view: Decision(look(view)))


class Course:
    """What a seed draws, numbers that nobody has had, and what has happened."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.events: list[str] = []
        self._number = 0

    def draw(self, chance: float) -> bool:
        """Tell whether something happens that does with this ``chance``."""
        return self.random.random() < chance

    def number(self) -> int:
        """Return the next number."""
        self._number += 1
        return self._number


class Member:
    """Asks for withdrawals."""

    def __init__(self, course: Course, odds: Odds) -> None:
        self._course = course
        self._odds = odds

    def ask(self, books: Books) -> None:
        """Ask for one, unless the balance is too low or withdrawals are frozen."""
        random, number = self._course.random, self._course.number()
        amount = SMALLEST + (random.randrange(2) if self._odds.equal_amounts else number)
        account, memo = random.choice((ALICE, BOB)), random.choice(("", "", "m"))
        try:
            asked = books.ask(f"ask{number}", amount, account, memo)
        except Refused:
            return
        self._course.events.append(f"asked {asked.id}: {amount} {memo}")


class Sender:
    """Signs what waits, alone or in a batch, and signs it again at a higher fee."""

    def __init__(self, course: Course, chain: Chain) -> None:
        self._course = course
        self._chain = chain

    def step(self, books: Books) -> None:
        """Sign something if the account is proved where the books stand."""
        cursor = books.cursor()
        if not cursor.is_proved or cursor.account is None:
            return
        books.height, books.sequence = cursor.height, cursor.account.sequence
        attempts = books.attempts()
        if not attempts:
            self._pay(books, self._batch(books.withdrawals(WithdrawalState.QUEUED)))
        elif attempts[0].signed.sequence == books.sequence and self._course.draw(0.3):
            self._replace(books, attempts)

    def _batch(self, queued: list[Withdrawal]) -> list[Withdrawal]:
        if queued and (queued[0].alone or queued[0].memo):
            return queued[:1]
        together = [each for each in queued if not each.alone and not each.memo]
        return together[: self._course.random.randrange(1, 4)]

    def _pay(self, books: Books, batch: list[Withdrawal]) -> None:
        if batch:
            signed = self._signed(books, NETWORK_FEE)
            ids = tuple(each.id for each in batch)
            self._commit(books, signed, lambda view: decide_store(view, books.signer, signed, ids))

    def _replace(self, books: Books, attempts: list[OpenTransaction]) -> None:
        signed = self._signed(books, max(each.signed.fee for each in attempts) + 10)
        replaced = frozenset(each.signed.hash for each in attempts)
        self._commit(books, signed, lambda view: decide_replace(view, books.signer, signed, replaced))

    def _signed(self, books: Books, fee: int) -> SignedTransaction:
        life = self._course.random.randrange(1, LIFE_BLOCKS + 1)
        return books.signed(f"T{self._course.number()}", fee, life)

    def _commit(self, books: Books, signed: SignedTransaction, decide: Any) -> None:
        """Commit bytes, and send them, unless that is lost."""
        try:
            books.decide(decide)
        except StalePlan:
            return
        paid = books.paid_by(signed.hash)
        payments = tuple(Payment(each.address, each.amount) for each in paid)
        name, memo = signed.bytes.decode(), paid[0].memo
        sent = Transaction(name, signed.sequence, signed.fee, payments, memo, signed.timeout_height)
        self._course.events.append(f"signed {sent} until {sent.timeout_height}")
        if self._course.draw(0.95):
            self._chain.send(sent)


class Owner:
    """Makes good what is missing, ends by hand what a stranger left open, and lifts freezes."""

    def __init__(self, course: Course, chain: Chain, odds: Odds) -> None:
        self._course = course
        self._chain = chain
        self._strangers = odds.has_strangers

    def mend(self, books: Books) -> None:
        """Do all of it, once the books have met what the lost ones did."""
        if books.is_replaying():
            return
        if books.balance(SYSTEM_RESERVE) < 0:
            key, refill = f"refill{self._course.number()}", Refill(BOSS, JUNO, None, "made good")
            books.decide(lambda view: decide_refill(view, key, refill))
        reasons = books.standing()
        if FreezeReason.STRANGER in reasons:
            self._end_paid(books)
        if self._strangers:
            self._end_abandoned(books)
        for reason in reasons:
            self._lift(books, Freeze(reason, None))

    def _lift(self, books: Books, freeze: Freeze) -> None:
        # Where there are no strangers, no other freeze is in order.
        if self._strangers or freeze.reason is FreezeReason.SHORTFALL:
            books.decide(lambda view: decide_lift(view, CONSOLE, freeze, "looked at"))

    def _end_paid(self, books: Books) -> None:
        """End what waits to be signed although a stranger has paid it: what was signed before a restore may do so."""
        for each in books.withdrawals(WithdrawalState.QUEUED):
            if self._was_paid(each):
                self._end(books, each)

    def _end_abandoned(self, books: Books) -> None:
        """End what stays signed since a stranger used its sequence."""
        cursor, attempts = books.cursor(), books.attempts()
        if not attempts or not cursor.is_proved or cursor.account is None:
            return
        if cursor.account.sequence <= attempts[0].signed.sequence:
            return
        for each in books.paid_by(attempts[0].signed.hash):
            if each.state is WithdrawalState.SIGNED:
                self._end(books, each)

    def _end(self, books: Books, asked: Withdrawal) -> None:
        """End it as the chain tells, which a person looks at."""
        outcome = ManualOutcome.PAID if self._was_paid(asked) else ManualOutcome.RETURNED
        self._course.events.append(f"ended {asked.id} by hand: {outcome}")
        books.decide(lambda view: decide_manual(view, CONSOLE, asked.id, outcome, "the chain"))

    def _was_paid(self, asked: Withdrawal) -> bool:
        return self._chain.paid[Payment(asked.address, asked.amount)] > 0


class Stranger:
    """Has the key, and uses it: openly, in a way that blocks do not tell of, or by taking coins."""

    def __init__(self, course: Course, chain: Chain, odds: Odds) -> None:
        self._course = course
        self._chain = chain
        self._odds = odds

    def step(self) -> None:
        """Do any of it."""
        draw, events = self._course.draw, self._course.events
        if draw(self._odds.spent):
            self._chain.send(self._transaction())
        if draw(self._odds.used):
            events.append("a stranger used a sequence")
            self._chain.use_sequence()
        if draw(self._odds.stolen):
            events.append("coins are gone")
            self._chain.steal(500)

    def _transaction(self) -> Transaction:
        """Return bytes that pay the thief, or the very withdrawals that ours are to pay."""
        number = self._course.number()
        name = f"{THIEF}{number}"
        waiting = self._chain.waiting()
        if waiting and self._course.draw(0.5):
            return waiting[0]._replace(name=name)
        sequence = self._chain.sequence + self._course.draw(0.2)
        fee = self._course.random.choice((0, NETWORK_FEE))
        return Transaction(name, sequence, fee, (Payment(THIEF, number),), "", self._chain.height + 2)


class History:
    """One history; the same ``seed`` and ``odds`` are the same history again."""

    def __init__(self, seed: int, odds: Odds, directory: Path) -> None:
        self._directory = directory
        self._odds = odds
        self._course = Course(seed)
        self._chain = Chain(self._course.random, odds)
        self._member = Member(self._course, odds)
        self._sender = Sender(self._course, self._chain)
        self._owner = Owner(self._course, self._chain, odds)
        self._stranger = Stranger(self._course, self._chain, odds)
        self._path = self._new_path()
        self._copy: Path | None = None
        self._books = self._opened()
        self._books.open(held=OPENING)

    @property
    def last_events(self) -> list[str]:
        """Return what happened last."""
        return self._course.events[-LAST_EVENTS:]

    def live(self) -> list[str]:
        """Live it to its end, and return what is wrong then, or what broke on the way."""
        try:
            self._live()
            self._come_to_rest()
            found = problems(self._books, self._chain, self._odds)
        except (AssertionError, LedgerError, BrokenInvariant, sqlite3.Error) as error:
            found = [f"{type(error).__name__}: {error}"]
        finally:
            self._books.writer.close()
        return [*found, *audit(self._path).problems]

    def _live(self) -> None:
        draw = self._course.draw
        for _ in range(STEPS):
            if draw(0.5):
                self._member.ask(self._books)
            self._stranger.step()
            self._step(self._odds.proved)
            if draw(self._odds.copied):
                self._copy_books()
            if draw(0.5):
                self._owner.mend(self._books)
            if self._copy is not None and draw(self._odds.restored):
                self._put_back(self._copy)

    def _come_to_rest(self) -> None:
        for step in range(LAST_STEPS):
            self._step(self._odds.proved)
            self._owner.mend(self._books)
            if step > 4 * LIFE_BLOCKS and not self._books.is_replaying() and not unfinished(self._books):
                break
        self._step(proved=1.0)
        self._owner.mend(self._books)

    def _step(self, proved: float) -> None:
        block = self._chain.make_block()
        self._books.clock.time = block.time
        self._course.events += (f"code {each.code}: {each.transaction}" for each in block.included)
        for height in range(self._books.cursor().height + 1, block.height + 1):
            self._read(self._chain.blocks[height], proved=self._course.draw(proved))
        self._sender.step(self._books)

    def _read(self, block: Block, *, proved: bool) -> None:
        before, replaying = self._books.cursor().proved_height, self._books.is_replaying()
        how = ", proved" if proved else ""
        self._course.events.append(f"read {block.height}{how}: sequence {block.sequence}")
        self._books.post(block.facts(proved=proved))
        strange = any(self._chain.blocks[height].strange for height in range(before + 1, block.height + 1))
        # In a replay a stranger's transaction passes for one of lost books.
        if strange and proved and not replaying:
            assert self._books.standing(), f"nothing is frozen after a stranger by {block.height}"

    def _copy_books(self) -> None:
        self._copy = self._new_path()
        back_up(self._path, self._copy)
        self._course.events.append("copied the books")

    def _put_back(self, copy: Path) -> None:
        """Let the copy take the place of the books, or go on with it where nothing tells how far these had come."""
        self._books.writer.close()
        if self._course.draw(0.5):
            self._path = self._new_path()
        restore(copy, self._path, clock=self._books.clock, identity={}, quiet_blocks=LIFE_BLOCKS)
        self._books = self._opened()
        self._course.events.append(f"put back the books of {self._books.cursor().height}")

    def _opened(self) -> Books:
        books = Books(self._path)
        books.clock.time = self._chain.height * BLOCK_MS
        return books

    def _new_path(self) -> Path:
        return self._directory / f"books{self._course.number()}.db"


def problems(books: Books, chain: Chain, odds: Odds) -> list[str]:
    """Return in what ``books`` at rest do not agree with the chain."""
    found = unfinished(books)
    if books.total() != chain.balance:
        found.append(f"the books hold {books.total()}, the chain {chain.balance}")
    if books.standing():
        found.append(f"frozen: {', '.join(books.standing())}")
    # What a stranger took is missing; coins that nobody sent are never there.
    wrong = ("residue",) if odds.has_strangers else ("residue", "adjustment")
    rows = books.read("SELECT kind, amount FROM transactions ORDER BY id")
    found += (f"{row['kind']} of {row['amount']}" for row in rows if row["kind"] in wrong)
    if not odds.has_strangers:
        found += _wrongly_counted(books, chain)
    if not odds.equal_amounts:
        found += _wrongly_paid(books, chain)
    return found


def unfinished(books: Books) -> list[str]:
    """Return what waits for the chain."""
    waiting = books.withdrawals(WithdrawalState.QUEUED, WithdrawalState.SIGNED)
    attempts = [each.signed.bytes.decode() for each in books.attempts()]
    return [f"{each.id} is {each.state}" for each in waiting] + [f"{each} is open" for each in attempts]


def _wrongly_counted(books: Books, chain: Chain) -> Iterator[str]:
    """Compare how often each amount was paid, and how often by the books: to a member, or to nobody they know."""
    known = Counter(int(each.amount) for each in books.withdrawals(WithdrawalState.CONFIRMED))
    known.update(row["amount"] for row in books.read("SELECT amount FROM unknown_payments"))
    paid = Counter(each.amount for each in chain.paid.elements())
    if paid != known:
        yield f"paid and not in the books: {paid - known}, in the books and not paid: {known - paid}"


def _wrongly_paid(books: Books, chain: Chain) -> Iterator[str]:
    """Compare each withdrawal with how often it was paid, as its amount tells."""
    by_hand = "SELECT id FROM withdrawals WHERE json_extract(evidence, '$.outcome') = 'paid'"
    known = {row["id"] for row in books.read(by_hand)}
    known |= {each.id for each in books.withdrawals(WithdrawalState.CONFIRMED)}
    for each in books.withdrawals():
        times = chain.paid[Payment(each.address, each.amount)]
        if times != (each.id in known):
            yield f"{each.id} ({each.amount}) is {each.state}, and was paid {times} times"


def live(seed: int, variant: str) -> None:
    """Live the history of ``seed``. Raises Failed for whatever is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="moneta-history-") as directory:
        history = History(seed, VARIANTS[variant], Path(directory))
        found = history.live()
    if found:
        again = f"again: python -m tests.ledger.histories {variant} --first {seed} --seeds 1"
        raise Failed("\n    ".join([*found, again, "last events:", *history.last_events]))


def failures(seeds: Sequence[int], variant: str) -> Iterator[str]:
    """Yield what those of ``seeds`` say that end badly."""
    for seed in seeds:
        try:
            live(seed, variant)
        except Failed as failure:
            yield f"{variant} {seed}: {failure}"


def main(argv: Sequence[str]) -> int:
    """Live many histories, and tell which end badly."""
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.histories")
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=100, help="how many of them")
    options = parser.parse_args(argv)
    failed = 0
    for told in failures(range(options.first, options.first + options.seeds), options.variant):
        sys.stdout.write(f"{told}\n")
        failed += 1
    sys.stdout.write(f"{failed} of {options.seeds} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
