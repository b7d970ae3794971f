"""Coins in: with a good memo, with a bad one, spelled oddly, failing, or appearing out of nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from chain import cosmos
from chain.light import wire
from chain.wallet import tx_hash
from ledger.accounts import BOT_TREASURY, UNCLAIMED
from sandbox.node.decoding import Coin
from sandbox.node.node import UNLISTED
from sandbox.node.people import Output, SpelledCoin
from tests.simulation.books import Books, shown
from tests.simulation.city import DENOM, JUNO, TREASURY, City
from tests.simulation.flow import Act, Flow
from tests.simulation.people import OPENING, People, Person, Stray
from tests.simulation.witness import canonical

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
TOO_MUCH: Final = 10**14

_POSTED: Final = """
SELECT to_id, sum(t.amount) AS amount
FROM transactions AS t LEFT JOIN processed_deposits AS d ON d.transaction_id = t.id
WHERE kind IN ('deposit', 'residue') AND ifnull(d.memo, '') NOT LIKE 'shared:%'
GROUP BY to_id
"""
"""What comes for a shared account is looked at by its own flow."""
_WAITING: Final = """
SELECT tx_hash, sum(amount) AS amount FROM unclaimed WHERE tx_hash IS NOT NULL GROUP BY tx_hash
"""


class Arrival(NamedTuple):
    """Coins sent to the treasury: by which transaction, to the account that must get them, and how many base units."""

    canonical: bytes
    account: int
    amount: int


class Deposits(Flow):
    """Every arrival that executed is credited once, to its member or to UNCLAIMED."""

    def __init__(self, city: City, people: People) -> None:
        super().__init__(city, people)
        self._arrivals: list[Arrival] = []
        self._minted = 0

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        return (
            Act(self._deposit, 14),
            Act(self._odd_deposit, 5),
            Act(self._stray_deposit, 8),
            Act(self._failing_deposit, 2),
            Act(self._two_bodies, 2),
            Act(self._mint, 1),
        )

    def begin(self) -> None:
        """Let everybody bring money to begin with."""
        for person in self.people.all:
            amount = self.rng.randrange(20 * JUNO, 400 * JUNO)
            self._pay_in(person, [str(amount)], str(person.id).encode(), [(person.id, amount)])

    def _deposit(self) -> None:
        person = self.people.one(self.rng)
        amount = self.rng.randrange(1, 50 * JUNO)
        memo = str(person.id).encode()
        if self.rng.random() < 0.15:
            memo = b" " + memo + b"\n"
        self._pay_in(person, [str(amount)], memo, [(person.id, amount)])

    def _stray_deposit(self) -> None:
        """Send coins with a memo that names nobody."""
        person = self.people.one(self.rng)
        amount = self.rng.randrange(1, JUNO)
        encoded = self._pay_in(person, [str(amount)], self.rng.choice(BAD_MEMOS), [(UNCLAIMED, amount)])
        self.people.strays.append(Stray(person.id, tx_hash(encoded), amount))

    def _odd_deposit(self) -> None:
        person = self.people.one(self.rng)
        amount = self.rng.randrange(1, JUNO)
        memo = str(person.id).encode()
        kind = self.rng.randrange(3)
        if kind == 0:
            spelling = self.rng.choice(list(ODD_AMOUNTS))
            self._pay_in(person, [spelling], memo, [(UNCLAIMED, ODD_AMOUNTS[spelling])])
        elif kind == 1:
            self._pay_in(person, [str(amount)], b"\xff\xfe", [(UNCLAIMED, amount)])
        else:
            wanted = [(person.id, amount), (person.id, amount + 1)]
            self._pay_in(person, [str(amount), str(amount + 1)], memo, wanted)

    def _failing_deposit(self) -> None:
        """Send more than there is: the transaction stands in a block, and nothing moved."""
        person = self.people.one(self.rng)
        amount = self.rng.randrange(1, JUNO)
        wanted = [(person.id, amount), (person.id, TOO_MUCH)]
        self._pay_in(person, [str(amount), str(TOO_MUCH)], str(person.id).encode(), wanted)

    def _pay_in(
        self, person: Person, spelled: Sequence[str], memo: bytes, wanted: Sequence[tuple[int, int]]
    ) -> bytes:
        """Send coins that ``wanted`` tells the accounts of; return the transaction."""
        outputs = [Output(TREASURY, (SpelledCoin(DENOM, amount),)) for amount in spelled]
        encoded, result = self.city.node.send(self.city.node.purse(str(person.id)), outputs, memo=memo)
        if result.outcome.code == 0:
            self._sent(encoded, wanted)
        return encoded

    def _sent(self, encoded: bytes, wanted: Sequence[tuple[int, int]]) -> None:
        self.people.deposits.append(encoded)
        key = canonical(encoded)
        self._arrivals += [Arrival(key, account, amount) for account, amount in wanted]

    def _two_bodies(self) -> None:
        """Write a richer body before the one that was signed: of two fields the chain reads the last."""
        person = self.people.one(self.rng)
        amount = self.rng.randrange(1, JUNO)
        richer = cosmos.TxRaw.FromString(self.people.signed_deposit(person, 1000 * amount)).body_bytes
        encoded = wire.octets(1, richer) + self.people.signed_deposit(person, amount)
        if self.city.node.chain.mempool.add(encoded).outcome.code == 0:
            self._sent(encoded, [(person.id, amount)])

    def _mint(self) -> None:
        """Let coins come to the treasury outside of every transaction, and coins nobody listed."""
        amount = self.rng.randrange(1, 1000)
        self.city.node.happen(TREASURY, [Coin(DENOM, amount)])
        self.city.node.happen(TREASURY, [Coin(UNLISTED, amount)])
        self._minted += amount

    def _credited(self, books: Books) -> Counter[int]:
        sums: Counter[int] = Counter({UNCLAIMED: self._minted})
        for arrival in self._arrivals:
            if arrival.canonical in books.chain.executed:
                sums[arrival.account] += arrival.amount
        return sums

    def problems(self, books: Books) -> Iterator[str]:
        """Compare the credits with what was sent and executed."""
        posted = {row["to_id"]: row["amount"] for row in books.select(_POSTED)}
        wanted = self._credited(books)
        for account in sorted({*posted, *wanted}):
            if posted.get(account, 0) != wanted[account]:
                yield f"account {account} was credited {posted.get(account, 0)} of deposits, not {wanted[account]}"
        yield from self._told(books)

    def _told(self, books: Books) -> Iterator[str]:
        """Each transaction is told once, with all that it brought: to its member, or to the office."""
        brought: Counter[tuple[bytes, int]] = Counter()
        for arrival in self._arrivals:
            if arrival.account > 0 and arrival.canonical in books.chain.executed:
                brought[arrival.canonical, arrival.account] += arrival.amount
        for (_, account), amount in brought.items():
            if not books.was_told(account, f"{shown(amount)} arrived and is yours"):
                yield f"{account} was never told that {shown(amount)} arrived"
        for row in books.select(_WAITING):
            if not books.says(self.people.office, f"{shown(row['amount'])} arrived for nobody"):
                yield f"the office was never told of {row['tx_hash']}, which came for nobody"

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return what was paid in, and what the treasury held from the beginning."""
        own = self._credited(books)
        own[BOT_TREASURY] += OPENING
        return own
