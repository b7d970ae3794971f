"""A small bank for tests: real migrations, store and writer on a file, acts in one line each."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ledger.accounts import AccountId
from ledger.blocks import (
    BlockFacts,
    ProvedState,
    TreasuryAccount,
    decide_block,
    decide_opening,
    read_cursor,
)
from ledger.deposits import Arrival
from ledger.drafts import digest_of
from ledger.inclusions import Inclusion
from ledger.leases import Fence
from ledger.money import Amount, Denom
from ledger.payments import SignedTransaction, decide_store
from ledger.ports import Millis
from ledger.spends import Spend
from ledger.store import Store
from ledger.terms import Terms
from ledger.units import Decision, Row, Unit, View
from ledger.withdrawals import Request, Withdrawal, decide_request, find
from ledger.writer import Writer
from tests.blank import lay_blank

T = TypeVar("T")

CHAIN = "testing-1"
JUNO = Denom("ujuno")
ATOM = Denom("uatom")
LISTED = frozenset({JUNO})
TERMS = Terms(JUNO, minimum=Amount(1_000), fee=Amount(50))
NETWORK_FEE = Amount(30)
ALICE, BOB, CAROL = AccountId(11), AccountId(22), AccountId(33)
ABROAD = "juno1abroad"
FIRST_HEIGHT = 100


class StoppedClock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.time = 1_700_000_000_000

    def now(self) -> Millis:
        return Millis(self.time)


class Bank:
    """Books on a file, blank ones unless there are some. ``block`` and the rest go through the real writer.

    Errors come as they are.
    """

    def __init__(self, path: Path, listed: Iterable[Denom] = LISTED) -> None:
        self.listed = frozenset(listed)
        self.clock = StoppedClock()
        lay_blank(path)
        self.writer = Writer(Store(path), self.clock)
        self.height = FIRST_HEIGHT
        self.sequence = 0
        self.chain = dict.fromkeys(self.listed, 0)
        for denom in self.listed:
            listing = "INSERT INTO assets (denom, symbol, decimals) VALUES (?, ?, 6) ON CONFLICT DO NOTHING"
            self.write(listing, denom, denom)
        for account in (ALICE, BOB, CAROL):
            self.write("INSERT INTO users VALUES (?, 'member', 'someone', 0) ON CONFLICT DO NOTHING", account)
        self.scanner = self.hold("scanner")
        self.signer = self.hold("signer")

    def hold(self, role: str, token: int = 1) -> Fence:
        """Hold a singleton role, as if taken for the ``token``-th time."""
        self.write(
            "INSERT INTO transaction_locks VALUES (?, 'test', ?, 0) ON CONFLICT DO UPDATE SET fence = excluded.fence",
            role,
            token,
        )
        return Fence(role, "test", token, Millis(0))

    def do(self, unit: Unit[T]) -> T:
        """Commit ``unit`` and return its outcome, or raise its error."""
        ((outcome, error),) = self.writer.commit([unit])
        if error is not None:
            raise error
        answer: T = outcome
        return answer

    def decide(self, decide: Any) -> Any:
        """Commit a decision that guards itself."""
        return self.do(Unit(decide))

    def write(self, sql: str, *parameters: Any) -> None:
        """Write one row of a book."""
        self.decide(lambda _: Decision(None, rows=(Row(sql, parameters),)))

    def read(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Read through the writer's view."""
        rows: list[Any] = self.decide(lambda view: Decision(view.select(sql, parameters)))
        return [dict(row) for row in rows]

    def balance(self, account: int, denom: Denom = JUNO) -> int:
        """Return what an account owns."""
        balance: int = self.decide(lambda view: Decision(view.balance(AccountId(account), denom)))
        return balance

    def total(self, denom: Denom = JUNO) -> int:
        """Return the sum of all balances."""
        total: int = self.decide(lambda view: Decision(view.total(denom)))
        return total

    def news(self, event: str) -> list[dict[str, Any]]:
        """Return the facts of all news of ``event``, each with its recipient."""
        rows = self.read("SELECT recipient, facts FROM outbox WHERE event = ? ORDER BY id", event)
        return [{"recipient": row["recipient"], **json.loads(row["facts"])} for row in rows]

    def alerts(self) -> list[str]:
        """Return the codes of all alerts."""
        return [facts["alert"] for facts in self.news("alert.raised")]

    def freezes(self) -> list[str]:
        """Return the reasons of standing freezes."""
        return [
            row["reason"]
            for row in self.read("SELECT reason FROM freezes WHERE lifted_at IS NULL ORDER BY id")
        ]

    def open(self, held: int = 0) -> None:
        """Open the books with ``held`` on chain."""
        self.chain[JUNO] = held
        facts = self.facts(self.height)
        self.decide(lambda view: decide_opening(view, self.scanner, facts))

    def facts(self, height: int, *, proved: bool = True, **kept: Any) -> BlockFacts:
        """Return the facts of a block as the test's chain stands."""
        account = TreasuryAccount(7, self.sequence)
        state = ProvedState(self.balances(), account) if proved else None
        return BlockFacts(
            CHAIN, height, f'{{"height": {height}}}', Millis(height * 3_000), state=state, **kept
        )

    def balances(self) -> Mapping[Denom, int]:
        """Return what the test's chain holds of each listed denom."""
        return {denom: self.chain.get(denom, 0) for denom in self.listed}

    def block(
        self,
        *arrivals: Arrival,
        ours: Iterable[Inclusion] = (),
        spends: Iterable[Spend] = (),
        proved: bool = True,
        arrived: int | None = None,
        claims: Mapping[str, Any] | None = None,
    ) -> bool:
        """Post the next block. Plain arrivals of listed denoms move the chain's balance; ``arrived`` overrides it."""
        plain = [each for each in arrivals if each.denom in self.listed and each.amount.isdecimal()]
        for each in plain if arrived is None else ():
            self.chain[each.denom] += int(each.amount)
        self.chain[JUNO] += arrived or 0
        self.height += 1
        facts = self.facts(
            self.height,
            proved=proved,
            arrivals=arrivals,
            inclusions=tuple(ours),
            spends=tuple(spends),
            claims=claims or {},
        )
        return self.post(facts)

    def post(self, facts: BlockFacts) -> bool:
        """Post a block made by the test itself."""
        posted: bool = self.decide(lambda view: decide_block(view, self.scanner, facts, self.listed))
        return posted

    def deposit(self, account: int, amount: int) -> None:
        """Give ``account`` coins by a block of its own."""
        self.block(arrival(str(amount), memo=str(account), tx=f"gift{self.height}"))

    def ask(self, key: str, amount: int, account: AccountId = ALICE, memo: str = "") -> Withdrawal:
        """Request a withdrawal under the standing terms."""
        request = Request(account, JUNO, Amount(amount), TERMS.fee, ABROAD, memo)
        unit = Unit(
            lambda view: decide_request(view, key, request, TERMS),
            key=key,
            digest=digest_of(request._asdict()),
            recall=lambda view, receipt: find(view, receipt.entry_id),
        )
        return self.do(unit)

    def signed(self, name: str = "A", fee: int = NETWORK_FEE, timeout: int = 5) -> SignedTransaction:
        """Return a signed transaction at the cursor."""
        return SignedTransaction(
            hash=canonical(name),
            chain_id=CHAIN,
            bytes=name.encode(),
            account_number=7,
            sequence=self.sequence,
            fee=Amount(fee),
            fee_denom=JUNO,
            gas_limit=150_000,
            signed_height=self.height,
            timeout_height=self.height + timeout,
        )

    def sign(
        self, *withdrawals: Withdrawal, name: str = "A", fee: int = NETWORK_FEE, timeout: int = 5
    ) -> None:
        """Store a signed transaction that pays ``withdrawals``."""
        signed = self.signed(name, fee, timeout)
        ids = tuple(each.id for each in withdrawals)
        self.decide(lambda view: decide_store(view, self.signer, signed, ids))

    def executed(
        self, *withdrawals: Withdrawal, name: str = "A", fee: int = NETWORK_FEE, code: int = 0
    ) -> Inclusion:
        """Let the chain run our transaction past the ante: the fee and the sequence are used, on success coins too."""
        self.sequence += 1
        self.chain[JUNO] -= fee + (sum(each.amount for each in withdrawals) if code == 0 else 0)
        return Inclusion(0, canonical(name), canonical(f"shown-{name}"), code)

    def state(self, withdrawal: Withdrawal) -> str:
        """Return where a withdrawal stands."""
        found: Withdrawal = self.decide(lambda view: Decision(find(view, withdrawal.id)))
        return found.state.value

    def transaction_state(self, name: str = "A") -> str:
        """Return where a signed transaction stands."""
        (row,) = self.read("SELECT state FROM signed_transactions WHERE hash = ?", canonical(name))
        state: str = row["state"]
        return state

    def cursor_height(self) -> int:
        """Return the height of the cursor."""
        cursor = self.decide(lambda view: Decision(_cursor(view)))
        height: int = cursor.height
        return height


def _cursor(view: View) -> Any:
    return read_cursor(view, CHAIN)


def canonical(name: str) -> str:
    """Return something that looks like a hash and can be told apart."""
    return name.encode().hex().upper().ljust(64, "0")[:64]


def arrival(
    amount: str,
    memo: str = "",
    *,
    tx: str = "T1",
    path: str = "0",
    output: int = 0,
    denom: Denom = JUNO,
    sender: str = "juno1friend",
) -> Arrival:
    """Return a coin that arrived."""
    return Arrival(canonical(tx), path, output, denom, amount, memo, sender)
