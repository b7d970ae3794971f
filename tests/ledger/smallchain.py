"""A chain as small as it can be: what the treasury's key signed, the rules of sequence, fee and time-out, and a seed.

It runs bytes as a chain may: in any order, late, twice, under another hash, with a fee that cannot be paid, past the
ante and then failed. Whether it runs them, and how they end, nobody's wishes decide.
"""

import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from ledger.blocks import BlockFacts, ProvedState, TreasuryAccount
from ledger.codes import FUNDS_CODE
from ledger.deposits import Arrival
from ledger.inclusions import Inclusion
from ledger.ports import Millis
from ledger.spends import Spend, SpentCoin
from tests.ledger.bank import ALICE, BOB, CHAIN, FIRST_HEIGHT, JUNO, arrival, canonical

BLOCK_MS: Final = 90_000
"""Longer than a clock may be behind, so the first block after a restore is known to be made after it."""
OPENING: Final = 100_000
THIEF: Final = "juno1thief"
"""Where a stranger sends coins, and how the names of a stranger's transactions begin."""


class Odds(NamedTuple):
    """How likely things are, each time that they could happen.

    ``proved`` is a block's state when books read it; ``failed`` a payment past the ante; ``fee_unpaid`` a fee before it, with
    ``any_unpaid`` of several attempts at one sequence; ``copied`` and ``restored`` are books. With the key a stranger has ``spent`` coins, ``used`` a sequence, or ``stolen`` coins, unseen by blocks.
    """

    proved: float = 0.6
    failed: float = 0.3
    fee_unpaid: float = 0.0
    any_unpaid: bool = False
    equal_amounts: bool = False
    copied: float = 0.12
    restored: float = 0.07
    spent: float = 0.0
    used: float = 0.0
    stolen: float = 0.0

    @property
    def has_strangers(self) -> bool:
        """Tell whether somebody else uses the key."""
        return any((self.spent, self.used, self.stolen))


class Payment(NamedTuple):
    """Coins that a transaction sends."""

    address: str
    amount: int


class Transaction(NamedTuple):
    """Bytes that somebody signed with the treasury's key."""

    name: str
    sequence: int
    fee: int
    payments: tuple[Payment, ...]
    memo: str
    timeout_height: int

    def __str__(self) -> str:
        paid = ", ".join(str(each.amount) for each in self.payments)
        return f"{self.name} (sequence {self.sequence}, fee {self.fee}, pays {paid})"


class Included(NamedTuple):
    """A transaction in a block, under the hash it is ``shown`` by."""

    transaction: Transaction
    shown: str
    code: int

    def inclusion(self, position: int) -> Inclusion:
        """Return what the block says of it."""
        return Inclusion(position, canonical(self.transaction.name), self.shown, self.code)

    def spend(self) -> Spend:
        """Return what its body says."""
        name, sequence, fee, payments, memo, _ = self.transaction
        coins = tuple(SpentCoin(each.address, JUNO, str(each.amount)) for each in payments)
        fees = (SpentCoin("", JUNO, str(fee)),)
        spend = Spend(canonical(name), self.shown, (JUNO,), self.code, signed=True, sequence=sequence)
        return spend._replace(payments=coins, fees=fees, memo=memo)


class Block(NamedTuple):
    """What a block holds, and the treasury after it. ``strange``: a stranger used the key in it."""

    height: int
    arrivals: tuple[Arrival, ...]
    included: tuple[Included, ...]
    balance: int
    sequence: int
    strange: bool

    @property
    def time(self) -> Millis:
        """When it was made."""
        return Millis(self.height * BLOCK_MS)

    def facts(self, *, proved: bool) -> BlockFacts:
        """Return what the scanner says of it."""
        state = ProvedState({JUNO: self.balance}, TreasuryAccount(7, self.sequence))
        return BlockFacts(
            CHAIN,
            self.height,
            json.dumps({"height": self.height}),
            self.time,
            arrivals=self.arrivals,
            inclusions=tuple(each.inclusion(position) for position, each in enumerate(self.included)),
            spends=tuple(each.spend() for each in self.included),
            state=state if proved else None,
            claims={},
        )


class Chain:
    """Blocks that follow the rules of sequence, fee and time-out, and nobody's wishes beyond them."""

    def __init__(self, random: Random, odds: Odds) -> None:
        self._random = random
        self._odds = odds
        self._pool: list[Transaction] = []
        self._strange = False
        self._without_funds: dict[int, str] = {}
        self.height = FIRST_HEIGHT
        self.sequence = 0
        self.balance = OPENING
        self.blocks: dict[int, Block] = {}
        self.paid: Counter[Payment] = Counter()

    def send(self, transaction: Transaction) -> None:
        """Take a transaction, which may wait for a block until its time-out and a little longer."""
        self._pool.append(transaction)

    def waiting(self) -> list[Transaction]:
        """Return those that may still execute next."""
        return [each for each in self._pool if each.sequence == self.sequence]

    def use_sequence(self) -> None:
        """Let a stranger's transaction fail, free of charge, of which blocks do not tell."""
        self.sequence += 1
        self._strange = True

    def steal(self, amount: int) -> None:
        """Let coins be gone without a transaction that blocks tell of."""
        self.balance -= amount
        self._strange = True

    def make_block(self) -> Block:
        """Run what waits, in any order, and let coins arrive."""
        self.height += 1
        arrivals = self._arrivals()
        self._random.shuffle(self._pool)
        included = tuple(each for waiting in self._pool for each in self._run(waiting))
        self._pool = [each for each in self._pool if self.height < each.timeout_height + 2]
        block = Block(self.height, arrivals, included, self.balance, self.sequence, self._strange)
        self._strange = False
        self.blocks[self.height] = block
        return block

    def _arrivals(self) -> tuple[Arrival, ...]:
        if self._random.random() > 0.3 and self.height > FIRST_HEIGHT + 3:
            return ()
        amount = self._random.randrange(10_000, 60_000)
        self.balance += amount
        member = self._random.choice((ALICE, BOB))
        return (arrival(str(amount), memo=str(member), tx=f"gift{self.height}"),)

    def _run(self, transaction: Transaction) -> Iterator[Included]:
        """Include it, also twice: anybody can change the hash that a block shows it by, without the key."""
        for _ in range(self._random.choice((0, 0, 1, 1, 1, 2))):
            shown = canonical(f"{transaction.name}{self._random.choice(('shown', 'seen', 'met'))}")
            code = self._code(transaction)
            if code is not None:
                yield Included(transaction, shown, code)

    def _code(self, transaction: Transaction) -> int | None:
        """Return how it ends, None when no validator takes it into a block."""
        if self.height > transaction.timeout_height:
            return 30 if self._random.random() < 0.2 else None
        if self._random.random() < self._odds.fee_unpaid and self._may_lack_funds(transaction):
            return FUNDS_CODE
        if transaction.sequence != self.sequence:
            return 32 if self._random.random() < 0.5 else None
        self._strange |= transaction.name.startswith(THIEF)
        return self._execute(transaction)

    def _may_lack_funds(self, transaction: Transaction) -> bool:
        """Let only one of those with one sequence end with this code, where some do so after the ante: which, is a guess.

        The proved balance shows a wrong guess, as the difference of two network fees (chain.md, Withdrawals). Books that
        know all attempts guess by the balance, so it is never wrong for them.
        """
        first = self._without_funds.setdefault(transaction.sequence, transaction.name)
        return self._odds.any_unpaid or not self._odds.failed or first == transaction.name

    def _execute(self, transaction: Transaction) -> int:
        """Use fee and sequence; the payments are made unless one of them fails."""
        self.sequence += 1
        self.balance -= transaction.fee
        if self._random.random() < self._odds.failed:
            code = self._random.choice((4, FUNDS_CODE, 11))
            return code if code != FUNDS_CODE or self._may_lack_funds(transaction) else 11
        self.balance -= sum(each.amount for each in transaction.payments)
        self.paid.update(transaction.payments)
        return 0
