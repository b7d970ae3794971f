"""Backups, and one of them put back later: the chat's acts since are lost, and nobody is paid twice.

What only the lost books knew of is met in the blocks: SYSTEM_RESERVE bears it until the owner, at the console, says whose
it was.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from bot.upkeep import Explanation, Lifting, explain, refill, unfreeze
from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, AccountId
from ledger.attributions import UnknownPayment, unknown_payments
from ledger.backup import back_up, restore
from ledger.connect import open_reader
from ledger.errors import BrokenInvariant, Refused, Unavailable
from ledger.freezes import Freeze, FreezeReason, is_replaying, standing
from ledger.money import Amount
from ledger.reader import Reader
from ledger.reserve import Refill
from ledger.roles import CONSOLE
from sandbox.node.node import SANDBOX_PARAMETERS
from tests.simulation.books import Books
from tests.simulation.censor import Verdict
from tests.simulation.city import DENOM, TIMEOUT_BLOCKS, TREASURY, City, OneAfterAnother
from tests.simulation.flow import Act, Flow
from tests.simulation.losses import Loss, Span, read_deeds
from tests.simulation.people import People

KEPT: Final = 4
ACCEPTED: Final = 0.25
"""How many of the unknown payments the owner accepts without naming anybody; the bot pays for them."""
LOOKS_EVERY_SECONDS: Final = 20
BACKED_UP_WHILE_ONE_WAITS: Final = 0.05
"""How likely in each second."""
_REPLACED: Final = """
SELECT 1 FROM signed_transactions AS dead JOIN signed_transactions AS paid ON paid.sequence >= dead.sequence
WHERE dead.hash = ? AND dead.state = 'expired' AND paid.state = 'confirmed' LIMIT 1
"""
_NEWEST_UNPAID: Final = "SELECT max(id) AS id FROM withdrawals WHERE state IN ('queued', 'signed')"
_ATTRIBUTED: Final = """
SELECT p.address, t.from_id AS account, t.amount
FROM attributions AS a JOIN unknown_payments AS p ON p.id = a.payment JOIN transactions AS t ON t.id = a.posting
"""
_ACCEPTED: Final = "SELECT address, remaining AS amount FROM unknown_payments WHERE accepted = 1"
_REFILLED: Final = "SELECT ifnull(sum(amount), 0) AS amount FROM transactions WHERE kind = 'refill'"


class Copy(NamedTuple):
    """A backup, how much Telegram's chats had changed when it was made, and which of our transactions it knows."""

    path: Path
    change: int
    signed: frozenset[bytes]
    open: tuple[str, ...]
    """The hashes of those that may still execute."""


class Restores(Flow):
    """Somebody copies the books now and then, and sometimes has to put a copy back."""

    unrest: ClassVar = {
        "replay": "SELECT id FROM restores WHERE replayed_height IS NULL",
        "unexplained": "SELECT id FROM unknown_payments WHERE remaining > 0 AND accepted = 0",
        "frozen": "SELECT reason FROM freezes WHERE lifted_at IS NULL",
    }

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._copies: list[Copy] = []
        self._made = 0
        self._copied_of = 0
        """The newest withdrawal that was not paid yet when books were copied because of it."""
        self._before_payout: Copy | None = None
        """What is put back as soon as a payout is on its way that it does not know."""
        self._restored = False
        self._at_the_console = False
        """Somebody explains something now: a restore is refused."""
        self._unsound: list[str] = []
        """What the audit of a backup found: the books it was made of are wrong."""

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._back_up, 3),
            Act(self._restore, 0.5),
            Act(self._restore_at_a_payout, 2),
            Act(self._restore_what_was_replaced, 6),
        )

    def _back_up(self) -> None:
        if not self.city.disk.path.exists():
            return
        self._made += 1
        path = self.city.disk.path.with_name(f"backup-{self._made}.sqlite3")
        try:
            back_up(self.city.disk.path, path)
        except BrokenInvariant as error:
            self._unsound.append(str(error))
            return
        with closing(open_reader(path)) as books:
            known = books.execute("SELECT bytes, hash, ended_height FROM signed_transactions").fetchall()
        signed = frozenset(raw for raw, _, _ in known)
        still_open = tuple(name for _, name, ended_height in known if ended_height is None)
        self._copies.append(Copy(path, self.city.telegram.changes.version, signed, still_open))
        if len(self._copies) > KEPT:
            self._copies.pop(0).path.unlink()

    def _restore(self) -> None:
        """Lose the books that run, and put one of the copies in their place."""
        if self._copies:
            self._put_back(self.rng.choice(self._copies))

    def _put_back(self, copy: Copy) -> None:
        """Lose the books that run, and put ``copy`` in their place. Later copies are of a time that never was."""
        if self._at_the_console:
            return
        self._copies = self._copies[: self._copies.index(copy) + 1]
        self._copied_of = 0
        self.city.kill()
        self.city.move_clock(-self.city.clock.offset_ms)
        lost = read_deeds(Reader(self.city.disk.copy()))
        identity = {
            "chain_id": SANDBOX_PARAMETERS.chain_id,
            "address": TREASURY,
            "bot_id": str(self.city.account.user.id),
        }
        restore(
            copy.path,
            self.city.disk.path,
            clock=self.city.clock,
            identity=identity,
            quiet_blocks=TIMEOUT_BLOCKS,
            clock_is_right=True,
        )
        kept = read_deeds(Reader(self.city.disk.copy()))
        self._restored = True
        self.city.excuses += kept.untold
        span = Span(copy.change, self.city.telegram.changes.version, self.city.changes_to_come())
        self.people.losses.add(Loss(lost, kept, span, self.city.clock.now()))

    def _restore_at_a_payout(self) -> None:
        """Lose the books while validators hold back a payout of theirs: it may come when the new ones pay again."""
        self._back_up()
        if self._copies:
            self.city.censor.begin(Verdict.LAST_BLOCK)
            self._before_payout = self._copies[-1]

    def _restore_what_was_replaced(self) -> None:
        """Put back a copy for which bytes may still execute whose sequence others have used since, if there is one."""
        replaced = (copy for copy in self._copies if any(map(self._was_replaced, copy.open)))
        if (copy := next(replaced, None)) is not None:
            self._put_back(copy)

    def calm(self) -> None:
        """Let everybody write once after a restore: who was away when the backup was made is away for the books again."""
        if self._restored:
            for person in (self.people.owner, *self.people.all):
                self.city.telegram.say(person.user, person.chat, "/start")
        self._restored, self._before_payout = False, None

    async def attend(self) -> None:
        """Let the owner look after restored books until nothing is open any more, and copy what is not paid yet."""
        while True:
            for _ in range(LOOKS_EVERY_SECONDS):
                await asyncio.sleep(1.0)
                waits = self._newest_unpaid()
                if waits > self._copied_of and self.rng.random() < BACKED_UP_WHILE_ONE_WAITS:
                    self._copied_of = waits
                    self._back_up()
                self._lose_a_payout()
            open_losses = [loss for loss in self.people.losses if loss.over is None]
            if open_losses and await self._look_after():
                for loss in open_losses:
                    loss.over = self.city.clock.now()

    def _lose_a_payout(self) -> None:
        """Put back the copy that was made for it, if a payout that it does not know is held back now."""
        copy = self._before_payout
        if copy in self._copies and not copy.signed.issuperset(self.city.censor.held()):
            self._before_payout = None
            self._put_back(copy)

    def _was_replaced(self, name: str) -> bool:
        return bool(self._look(_REPLACED, name))

    def _newest_unpaid(self) -> int:
        """Return the newest withdrawal that is not paid yet, or 0: a copy of it may meet its payment later."""
        rows = self._look(_NEWEST_UNPAID)
        return rows[0]["id"] or 0 if rows else 0

    def _look(self, sql: str, *parameters: Any) -> list[Any]:
        """Run a SELECT over the books as they are; nothing is found where there are none yet."""
        try:
            return self.city.reader().select(sql, parameters)
        except sqlite3.OperationalError:
            return []

    async def _look_after(self) -> bool:
        """Explain payments and lift the freeze; tell whether nothing is open any more."""
        path = self.city.disk.path
        books = self.city.reader()
        replaying, frozen = is_replaying(books), standing(books)
        unknown = [] if replaying else unknown_payments(books)
        balances = {each.id: self._payer_of(books, each) for each in unknown}
        self._at_the_console = True
        try:
            for payment in unknown:
                accepts = self.rng.random() < ACCEPTED
                await self._explain(payment, (None, None) if accepts else balances[payment.id])
            if not replaying and not unknown and books.balance(SYSTEM_RESERVE, DENOM) < 0:
                order = Refill(CONSOLE, DENOM, None, "what was accepted")
                await refill(self.city.settings(), order, self.city.clock, OneAfterAnother())
            if not replaying and not unknown and Freeze(FreezeReason.SHORTFALL, None) in frozen:
                lifting = Lifting(FreezeReason.SHORTFALL, None, "all is explained")
                await unfreeze(self.city.settings(), lifting, self.city.clock, OneAfterAnother())
        except (Refused, Unavailable):
            # The books changed, or went, meanwhile; the owner looks again.
            return False
        finally:
            self._at_the_console = False
        return not replaying and not frozen and path == self.city.disk.path

    def _payer_of(self, books: Reader, payment: UnknownPayment) -> tuple[AccountId, Amount]:
        """Return who pays for it, and how much: the member as far as they can, then the bot."""
        member = AccountId(self.people.payees[payment.address])
        has = min(books.balance(member, payment.denom), payment.remaining)
        return (member, Amount(has)) if has > 0 else (BOT_TREASURY, payment.remaining)

    async def _explain(self, payment: UnknownPayment, payer: tuple[AccountId | None, Amount | None]) -> None:
        """Say who pays for it, and how much; nobody: it is accepted."""
        said = Explanation(payment.id, *payer, "their receipt")
        await explain(self.city.settings(), said, self.city.clock, OneAfterAnother())

    def problems(self, books: Books) -> Iterator[str]:
        """Each payment of lost books is explained once, and by nobody but who asked for it, or the bot."""
        yield from self._unsound
        explained = _accepted(books)
        (refilled,) = books.select(_REFILLED)
        if explained.total() != refilled["amount"]:
            yield f"{explained.total()} was accepted, and {refilled['amount']} refilled"
        for row in books.select(_ATTRIBUTED):
            explained[row["address"]] += row["amount"]
            if row["account"] not in (self.people.payees[row["address"]], BOT_TREASURY):
                yield f"{row['account']} paid for what went to {row['address']}"
        for address, amount in explained.items():
            if amount != books.chain.balance(address):
                yield f"{amount} was explained of what went to {address}, which got {books.chain.balance(address)}"

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what members and the bot gave for payments of lost books."""
        accepted = _accepted(books).total()
        own: Counter[int] = Counter({BOT_TREASURY: -accepted, SYSTEM_RESERVE: accepted})
        for row in books.select(_ATTRIBUTED):
            own[row["account"]] -= row["amount"]
            own[SYSTEM_RESERVE] += row["amount"]
        return own


def _accepted(books: Books) -> Counter[str]:
    """Return how much of what went to each address the owner accepted without naming anybody."""
    accepted: Counter[str] = Counter()
    for row in books.select(_ACCEPTED):
        accepted[row["address"]] += row["amount"]
    return accepted
