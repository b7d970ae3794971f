"""Whatever is spent when: no 24 hours hold more than the limit of a day, what fits is done, and no coin is lost."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.audit import audit
from ledger.errors import Refused
from tests.ledger.bank import ALICE, BOB, CAROL, Bank
from tests.ledger.club import FIRST, SPEND, Club, limits

DAY_MS = 86_400_000
COINS = 500
ONCE, DAY = 40, 60


class Try(NamedTuple):
    """Somebody's spend, so much after the one before; in the same batch when no time passes."""

    after_ms: int
    amount: int


TRIES = st.builds(
    Try,
    st.sampled_from([0, 0, 1, 3_600_000, DAY_MS // 2, DAY_MS - 1, DAY_MS, DAY_MS + 1, -3_600_000]),
    st.integers(1, 45),
)


class Model:
    """The rules of one member in a few lines."""

    def __init__(self) -> None:
        self.spent: list[tuple[int, int]] = []
        self.balance = COINS

    def expected(self, now: int, amount: int) -> str | None:
        lately = sum(spent for at, spent in self.spent if at > now - DAY_MS)
        if amount > ONCE:
            return "shared_over_transaction_limit"
        if lately + amount > DAY:
            return "shared_over_day_limit"
        return "shared_insufficient" if amount > self.balance else None

    def play(self, now: int, amount: int) -> str | None:
        refusal = self.expected(now, amount)
        if refusal is None:
            self.spent.append((now, amount))
            self.balance -= amount
        return refusal


def played(bank: Bank, club: Club, model: Model, batch: list[int]) -> None:
    answers = bank.writer.commit([club.spending(amount, by=BOB, to=CAROL) for amount in batch])
    codes = [error.code if isinstance(error, Refused) else error for _, error in answers]
    assert codes == [model.play(bank.clock.time, amount) for amount in batch]


@settings(max_examples=40)
@given(tries=st.lists(TRIES, max_size=30))
def test_no_24_hours_hold_more_than_a_day_may(tries: list[Try]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bank, model = Bank(Path(folder) / "books.db"), Model()
        bank.open()
        bank.deposit(ALICE, COINS)
        club = Club(bank)
        club.create()
        club.fill(COINS)
        club.join(BOB, SPEND, limits(ONCE, DAY))
        batch: list[int] = []
        for each in tries:
            if each.after_ms:
                played(bank, club, model, batch)
                batch = []
            bank.clock.time += each.after_ms
            batch.append(each.amount)
        played(bank, club, model, batch)
        rows = bank.read("SELECT at, amount FROM shared_spends")
        for start in {row["at"] for row in rows}:
            window = [row["amount"] for row in rows if start <= row["at"] < start + DAY_MS]
            assert sum(window) <= DAY
        assert (bank.balance(FIRST), bank.balance(CAROL)) == (model.balance, COINS - model.balance)
        assert bank.total() == COINS
        bank.writer.close()
        assert audit(Path(folder) / "books.db").problems == ()
