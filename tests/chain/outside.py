"""What is outside the process, scripted: a chain as the light client would hand it over, and nodes that take bytes.

Nothing here is proved or signed; that is the light client's business and has its own tests. Everything here can be
copied, so that a test can go on from any instant as if the process had been killed there.
"""

import hashlib
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from chain import address, cosmos
from chain.client import BroadcastAnswer, Verdict
from chain.endpoints import Broadcast
from chain.errors import ChainError, Lied, NodeUnavailable, NotYet, Pruned
from chain.inbound import WatchedWallet
from chain.parameters import ChainParameters
from chain.scanner import Scanner, ScannerRules
from chain.sender import Sender, SenderRules
from chain.tenure import Tenure
from chain.verified import AccountState, TrustedHeader, TxOutcome, VerifiedBlock
from chain.wallet import Wallet
from ledger.accounts import AccountId
from ledger.money import Amount, Asset, Denom
from ledger.ports import Millis
from ledger.service import LedgerService
from ledger.store import Store
from ledger.terms import Terms
from ledger.withdrawals import Request, Withdrawal
from tests.blank import lay_blank

T = TypeVar("T")

PARAMETERS = ChainParameters("testing-1", Denom("ujuno"), timeout_blocks=10)
JUNO = PARAMETERS.fee_denom
ASSETS = (Asset(JUNO, "JUNO", 6),)
TERMS = (Terms(JUNO, minimum=Amount(1_000), fee=Amount(12_000)),)
NETWORK_FEE = PARAMETERS.fee(PARAMETERS.gas_limit(1))
WALLET = Wallet(b"\x01" * 32, PARAMETERS)
TREASURY = WatchedWallet(WALLET.raw_address, "juno")
FRIEND = address.encode("juno", b"\x07" * 20)
ALICE, BOB = AccountId(11), AccountId(22)
BLOCK_MS = 3_000
TTL_MS = 30_000
"""Of roles: whoever begins 40 s later inherits them, at blocks that are still fresh."""
START_MS = 1_700_000_000_000


class Sent(NamedTuple):
    """A payment that the chain made for us."""

    recipient: str
    amount: int
    memo: str


@dataclass
class Outside:
    """A chain that grows when told to. ``holds`` and ``sequence`` are the treasury's."""

    height: int = 100
    holds: dict[Denom, int] = field(default_factory=lambda: {JUNO: 0})
    sequence: int = 0
    blocks: dict[int, VerifiedBlock] = field(default_factory=dict)
    states: dict[int, tuple[dict[Denom, int], int]] = field(default_factory=dict)
    mempool: list[bytes] = field(default_factory=list)
    offered: list[bytes] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    answers: list[BroadcastAnswer] = field(default_factory=list)
    """What nodes say of the next offers; none: the one node accepts."""
    faults: list[ChainError] = field(default_factory=list)
    """What the next questions for a block meet."""
    state_fault: ChainError | None = None
    lies: list[Lied] = field(default_factory=list)
    explanation: dict[str, Any] = field(default_factory=dict)
    coming: tuple[bytes, ...] = ()
    """What the block ahead holds, which nothing proves yet."""
    events: dict[str, Any] = field(default_factory=dict)
    """What the node claims of the next block."""
    at_offer: Callable[[], None] | None = None
    asked: list[int] = field(default_factory=list)
    """Heights of the blocks that were asked for."""

    def __post_init__(self) -> None:
        self.grow()
        self.grow()

    # The world's side

    def grow(self, *txs: tuple[bytes, int]) -> int:
        """Make a block of ``txs`` with their codes; what else changed is already in ``holds``."""
        self.height += 1
        header = TrustedHeader(
            self.height, _hash(self.height), Millis(START_MS + self.height * BLOCK_MS), b"v", b"v", b"a"
        )
        outcomes = tuple(TxOutcome(code, b"", 0, 0) for _, code in txs)
        events, self.events = self.events, {}
        self.blocks[self.height] = VerifiedBlock(
            header, tuple(raw for raw, _ in txs), outcomes, b"s", events, "node 1"
        )
        self.states[self.height] = (dict(self.holds), self.sequence)
        return self.height

    def tell_events(self, amount: str) -> None:
        """Let the next block's events tell of ``amount`` for the treasury."""
        attributes = [{"key": "receiver", "value": TREASURY.address}, {"key": "amount", "value": amount}]
        self.events = {"block_events": [{"type": "coin_received", "attributes": attributes}]}

    def grow_by(self, count: int) -> None:
        """Make blocks without transactions."""
        for _ in range(count):
            self.grow()

    def include(self, *, code: int = 0, rehash: bool = False) -> None:
        """Make a block of what the mempool holds, as the chain would: ``code`` is what valid ones of it end with."""
        txs = []
        for raw in self.mempool:
            result = self._run(raw, code)
            txs.append((_rehashed(raw) if rehash else raw, result))
        self.mempool = []
        self.grow(*txs)

    def _run(self, raw: bytes, code: int) -> int:
        decoded = cosmos.decode(cosmos.TxRaw, raw)
        body = cosmos.decode(cosmos.TxBody, decoded.body_bytes)
        auth = cosmos.decode(cosmos.AuthInfo, decoded.auth_info_bytes)
        if body.timeout_height and self.height + 1 > body.timeout_height:
            return 30
        if auth.signer_infos[0].sequence != self.sequence:
            return 32
        self.sequence += 1
        self.holds[JUNO] -= int(auth.fee.amount[0].amount)
        if code == 0:
            for packed in body.messages:
                self._pay(cosmos.decode(cosmos.MsgSend, packed.value), body.memo)
        return code

    def _pay(self, message: Any, memo: str) -> None:
        self.holds[JUNO] -= int(message.amount[0].amount)
        self.sent.append(Sent(message.to_address, int(message.amount[0].amount), memo))

    def deposit(self, amount: int, memo: str) -> None:
        """Make a block with a friend's send to the treasury."""
        self.holds[JUNO] += amount
        self.grow((deposit_tx(amount, memo, number=self.height), 0))

    # The program's side

    async def opening(self) -> TrustedHeader:
        return self.blocks[min(self.blocks)].header

    async def block(self, height: int, trusted: TrustedHeader) -> VerifiedBlock:
        assert trusted.height == height - 1
        self.asked.append(height)
        if self.faults:
            raise self.faults.pop(0)
        if height > self.height:
            raise NotYet("the chain is not there yet")
        return self.blocks[height]

    async def preview(self, trusted: TrustedHeader) -> tuple[bytes, ...]:
        if not self.coming:
            raise NotYet("nothing new")
        assert trusted.height == self.height
        return self.coming

    async def balance(self, block: VerifiedBlock, address: bytes, denom: Denom) -> int:
        assert address == TREASURY.raw
        if self.state_fault is not None:
            raise self.state_fault
        if block.header.height not in self.states:
            raise Pruned("no such state")
        return self.states[block.header.height][0][denom]

    async def account(self, block: VerifiedBlock, address: bytes) -> AccountState | None:
        assert address == TREASURY.raw
        return AccountState(7, self.states[block.header.height][1])

    async def claims(self, height: int) -> dict[str, Any]:
        if not self.explanation or height > self.height:
            raise NodeUnavailable("nobody knows")
        return self.explanation

    async def broadcast(self, raw: bytes) -> Broadcast:
        if self.at_offer is not None:
            self.at_offer()
        self.offered.append(raw)
        if self.answers:
            return Broadcast(tuple(self.answers))
        if raw not in self.mempool:
            self.mempool.append(raw)
        return Broadcast((BroadcastAnswer("node 1", Verdict.ACCEPTED),))

    def take_lies(self) -> tuple[Lied, ...]:
        lies, self.lies = tuple(self.lies), []
        return lies


@dataclass
class OutsideClock:
    """The chain's time, and what a test adds to it."""

    outside: Outside
    later: int = 0

    def now(self) -> Millis:
        return Millis(START_MS + self.outside.height * BLOCK_MS + self.later)


async def run_inline(call: Callable[[], T]) -> T:
    return call()


class Program:
    """The program's parts over one database and one outside; ``settle`` runs them until nothing is left to do."""

    def __init__(self, service: LedgerService, outside: Outside, clock: OutsideClock, holder: str) -> None:
        self.service = service
        self.outside = outside
        self.clock = clock
        self.scanner = Scanner(
            outside,
            service.blocks,
            Tenure(service.leases, "scanner", holder, clock=clock, ttl_ms=TTL_MS),
            alerts=service.alerts,
            chain_id=PARAMETERS.chain_id,
            treasury=TREASURY,
            clock=clock,
            take_lies=outside.take_lies,
            rules=ScannerRules(blocks_per_step=5),
        )
        self.sender = Sender(
            WALLET,
            outside,
            Tenure(service.leases, "signer", holder, clock=clock, ttl_ms=TTL_MS),
            alerts=service.alerts,
            blocks=service.blocks,
            payments=service.payments,
            withdrawals=service.withdrawals,
            reader=service.reader,
            parameters=PARAMETERS,
            clock=clock,
            rules=SenderRules(),
        )

    async def scan(self) -> None:
        """Post every block that is there."""
        for _ in range(100):
            if await self.scanner.step() > 0:
                return
        raise AssertionError("the scanner never came to rest")

    async def round(self, *, code: int = 0, rehash: bool = False) -> None:
        """Sign or offer, let the chain include what it was given, and scan."""
        await self.scan()
        await self.sender.step()
        self.outside.include(code=code, rehash=rehash)
        await self.scan()

    async def settle(self) -> None:
        """Go on until every withdrawal ended; the chain works all the while."""
        for _ in range(60):
            await self.round()
            if not self.waiting():
                return
        raise AssertionError("withdrawals never came to an end")

    def waiting(self) -> list[Any]:
        """Return the withdrawals that have not ended."""
        return self.select("SELECT id FROM withdrawals WHERE resolution IS NULL")

    async def fund(self, account: AccountId = ALICE, amount: int = 1_000_000) -> None:
        """Open the books, register ``account``, and let it deposit."""
        await self.service.users.register(account, "someone")
        await self.scan()
        self.outside.deposit(amount, str(account))
        await self.scan()

    async def ask(
        self,
        key: str,
        amount: int = 5_000,
        memo: str = "",
        *,
        account: AccountId = ALICE,
        fee: int = TERMS[0].fee,
    ) -> Withdrawal:
        """Request a withdrawal."""
        request = Request(account, JUNO, Amount(amount), Amount(fee), FRIEND, memo)
        return await self.service.withdrawals.request(key, request)

    def select(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Read what is committed."""
        return [dict(row) for row in self.service.reader.select(sql, parameters)]

    def state(self, asked: Withdrawal) -> str:
        """Return where a withdrawal stands."""
        found = self.service.withdrawals.get(asked.id)
        assert found is not None
        return found.state.value

    def balance(self, account: int) -> int:
        """Return what an account owns."""
        return self.service.reader.balance(AccountId(account), JUNO)

    def alerts(self) -> list[str]:
        """Return the codes of all alerts, oldest first."""
        rows = self.select(
            "SELECT json_extract(facts, '$.alert') AS alert FROM outbox WHERE event = 'alert.raised'"
        )
        return [row["alert"] for row in rows]

    def cursor_height(self) -> int | None:
        """Return how far the books are."""
        cursor = self.service.blocks.cursor(PARAMETERS.chain_id)
        return cursor.height if cursor else None


@asynccontextmanager
async def program(
    path: Path,
    outside: Outside,
    *,
    holder: str = "one",
    later: int = 0,
    store: Callable[[Path], Store] = Store,
    terms: Sequence[Terms] = TERMS,
) -> AsyncIterator[Program]:
    """Start the program's parts on the database at ``path``, and close it at the end."""
    clock = OutsideClock(outside, later)
    lay_blank(path)
    service = await LedgerService.open(
        path, clock=clock, blocking=run_inline, assets=ASSETS, terms=terms, store=store
    )
    try:
        yield Program(service, outside, clock, holder)
    finally:
        await service.close()


@dataclass
class Instant:
    """The disk and the world at one instant of a run."""

    name: str
    database: Path
    outside: Outside


class Recorder:
    """Keeps a copy of disk and world around every commit: what a kill there would leave."""

    def __init__(self, folder: Path, outside: Outside) -> None:
        self.folder = folder
        self.outside = outside
        self.instants: list[Instant] = []

    def store(self, path: Path) -> Store:
        """Return a store that tells of its commits."""
        recorder = self

        class Recording(Store):
            def commit(self) -> None:
                recorder.keep(path, "before")
                super().commit()
                recorder.keep(path, "after")

        return Recording(path)

    def keep(self, path: Path, when: str) -> None:
        """Copy the files as they are; a copying program of its own leaves SQLite's locks alone."""
        name = f"{len(self.instants)}-{when}"
        target = self.folder / name
        target.mkdir(parents=True)
        files = [found for found in (path, path.with_name(path.name + "-wal")) if found.exists()]
        subprocess.run(["cp", *files, target], check=True)
        self.instants.append(Instant(name, target / path.name, deepcopy(self.outside)))


def deposit_tx(amount: int | str, memo: str, *, number: int = 0, denom: str = "ujuno") -> bytes:
    """Return a friend's send to the treasury; ``number`` makes it one of its own."""
    message = cosmos.MsgSend(
        from_address=FRIEND, to_address=WALLET.address, amount=[cosmos.Coin(denom=denom, amount=str(amount))]
    )
    body = cosmos.TxBody(messages=[cosmos.pack(cosmos.MSG_SEND_URL, message)], memo=memo)
    signature = number.to_bytes(8, "big")
    return cosmos.encode(cosmos.TxRaw(body_bytes=cosmos.encode(body), signatures=[signature]))


def rejected(*codes: int) -> list[BroadcastAnswer]:
    """Return the answers of nodes that refuse with these codes."""
    return [BroadcastAnswer(f"node {i}", Verdict.REJECTED, code, "sdk", "no") for i, code in enumerate(codes)]


def silent(nodes: Iterable[int] = (1,)) -> list[BroadcastAnswer]:
    """Return the answers of nodes that did not answer."""
    return [BroadcastAnswer(f"node {i}", Verdict.UNKNOWN) for i in nodes]


def _rehashed(raw: bytes) -> bytes:
    """Write the body twice: the same signature holds, the hash is another."""
    decoded = cosmos.decode(cosmos.TxRaw, raw)
    return cosmos.encode(cosmos.TxRaw(body_bytes=decoded.body_bytes)) + raw


def _hash(height: int) -> bytes:
    return hashlib.sha256(str(height).encode()).digest()
