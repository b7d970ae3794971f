"""Scanner, sender and light client against the sandbox's node: everything but Telegram, and time that tests move."""

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx

from chain.client import NodeClient
from chain.coins import ChainCoin
from chain.endpoints import Endpoints
from chain.inbound import WatchedWallet
from chain.lightclient import LightClient
from chain.scanner import Scanner
from chain.sender import Sender, SenderRules
from chain.tenure import Tenure
from chain.wallet import Payment, SigningFacts, Wallet
from ledger.accounts import AccountId
from ledger.money import Amount, Asset
from ledger.ports import Millis
from ledger.service import LedgerService
from ledger.terms import Terms
from ledger.withdrawals import Request, Withdrawal
from sandbox.node import SANDBOX_PARAMETERS, JunoNode, state
from sandbox.node.decoding import Coin
from sandbox.node.people import Output, Purse, SpelledCoin
from tests.blank import lay_blank

T = TypeVar("T")

PARAMETERS = replace(SANDBOX_PARAMETERS, timeout_blocks=8)
JUNO = PARAMETERS.fee_denom
UNLISTED = "uother"
ASSETS = (Asset(JUNO, "JUNO", 6),)
FEE = Amount(20_000)
TERMS = (Terms(JUNO, minimum=Amount(1_000), fee=FEE),)
NETWORK_FEE = PARAMETERS.fee(PARAMETERS.gas_limit(1))
WALLET = Wallet(b"\x05" * 32, PARAMETERS)
ALICE = AccountId(11)
HELD = 500_000
"""What the treasury holds before the books are opened."""
FACES = ("main", "second")
RULES = SenderRules()


class HandClock:
    """Time that only the harbour moves."""

    def __init__(self) -> None:
        self.millis = 1_700_000_000_000

    def now(self) -> Millis:
        return Millis(self.millis)


async def run_inline(call: Callable[[], T]) -> T:
    return call()


@dataclass
class Harbour:
    """The program's chain half and the world it looks at."""

    node: JunoNode
    clock: HandClock
    service: LedgerService
    endpoints: Endpoints
    scanner: Scanner
    sender: Sender
    friend: Purse

    async def grow(self, blocks: int = 1) -> None:
        """Let blocks come, a second apart."""
        for _ in range(blocks):
            self.clock.millis += 1_000
            await self.node.produce_block()

    async def scan(self) -> None:
        """Scan until nothing more is there, or nothing may be believed."""
        for _ in range(50):
            if await self.scanner.step() > 0:
                return
        raise AssertionError("the scanner never came to rest")

    async def round(self, blocks: int = 2) -> None:
        """Sign or offer, let blocks come, scan. A block is proved by the one after it."""
        await self.sender.step()
        await self.grow(blocks)
        await self.scan()

    async def reopen(self, path: Path) -> None:
        """Go on with the books at ``path``, as a process that starts anew on the same chain."""
        await self.service.close()
        self.service = await LedgerService.open(
            path, clock=self.clock, blocking=run_inline, assets=ASSETS, terms=TERMS
        )
        sight = LightClient(self.endpoints, PARAMETERS, clock=self.clock)
        self.scanner, self.sender = _loops(sight, self.endpoints, self.service, self.clock)

    async def settle(self) -> None:
        """Go on until every withdrawal has ended."""
        for _ in range(30):
            await self.round()
            if not self.select("SELECT id FROM withdrawals WHERE resolution IS NULL"):
                return
        raise AssertionError("withdrawals never came to an end")

    async def pay_in(
        self, *coins: tuple[str, str], memo: bytes = b"", outputs: int = 1, multi: bool = False
    ) -> None:
        """Let a friend send coins, spelled as given, once per output, and scan what comes of it."""
        spelled = tuple(SpelledCoin(*coin) for coin in coins)
        given = [Output(WALLET.address, spelled)] * outputs
        _, result = self.node.send(self.friend, given, memo=memo, multi=multi)
        assert result.outcome.code == 0, result.log
        await self.grow(2)
        await self.scan()

    async def ask(self, key: str, amount: int = 5_000, *, address: str = "", memo: str = "") -> Withdrawal:
        """Request a withdrawal of Alice's, to the friend unless told otherwise."""
        request = Request(ALICE, JUNO, Amount(amount), FEE, address or self.friend.address, memo)
        return await self.service.withdrawals.request(key, request)

    def state(self, asked: Withdrawal) -> str:
        """Return where a withdrawal stands."""
        found = self.service.withdrawals.get(asked.id)
        assert found is not None
        return found.state.value

    def balance(self, account: int) -> int:
        """Return what an account owns."""
        return self.service.reader.balance(AccountId(account), JUNO)

    def select(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Read what is committed."""
        return [dict(row) for row in self.service.reader.select(sql, parameters)]

    def alerts(self) -> list[dict[str, Any]]:
        """Return code and endpoint of all alerts, oldest first."""
        return self.select(
            "SELECT json_extract(facts, '$.alert') AS alert, json_extract(facts, '$.endpoint') AS endpoint"
            " FROM outbox WHERE event = 'alert.raised' ORDER BY id"
        )

    def holds(self, raw: bytes = WALLET.raw_address) -> int:
        """Return what an address really holds on the chain now."""
        return state.balance(self.node.chain.latest(), raw, JUNO)

    def assert_agreed(self) -> None:
        """Books and chain agree at the cursor."""
        (settled,) = self.service.blocks.settled(PARAMETERS.chain_id)
        assert settled.balance == self.service.reader.total(JUNO) == self.holds()


@asynccontextmanager
async def harbour(
    path: Path, faces: Iterable[str] = FACES, *, rules: SenderRules = RULES
) -> AsyncIterator[Harbour]:
    """Start a chain where the treasury and a friend hold coins, and the program on it, with Alice registered."""
    clock = HandClock()
    node = await JunoNode.open(PARAMETERS, clock=clock, rng=random.Random(7), block_seconds=0)
    friend = node.purse("friend")
    node.faucet(friend.address, [Coin("ujuno", 10**9), Coin(UNLISTED, 10**25)])
    node.faucet(WALLET.address, [Coin("ujuno", HELD)])
    clients = [
        NodeClient(name, "http://node/", transport=httpx.ASGITransport(node.face(name))) for name in faces
    ]
    endpoints = Endpoints(clients, PARAMETERS.chain_id, clock=clock, randomness=random.Random(1))
    lay_blank(path)
    service = await LedgerService.open(path, clock=clock, blocking=run_inline, assets=ASSETS, terms=TERMS)
    sight = LightClient(endpoints, PARAMETERS, clock=clock)
    started = Harbour(
        node, clock, service, endpoints, *_loops(sight, endpoints, service, clock, rules), friend
    )
    try:
        await service.users.register(ALICE, "Alice")
        await started.grow(4)
        await started.scan()
        # Books open at the first proved block after the one that all nodes agreed on.
        await started.grow(2)
        await started.scan()
        yield started
    finally:
        await endpoints.close()
        await started.service.close()
        await node.stop()


def _loops(
    sight: LightClient,
    endpoints: Endpoints,
    service: LedgerService,
    clock: HandClock,
    rules: SenderRules = RULES,
) -> tuple[Scanner, Sender]:
    scanner = Scanner(
        sight,
        service.blocks,
        Tenure(service.leases, "scanner", "harbour", clock=clock),
        alerts=service.alerts,
        chain_id=PARAMETERS.chain_id,
        treasury=WatchedWallet(WALLET.raw_address, PARAMETERS.prefix),
        clock=clock,
        take_lies=endpoints.take_lies,
    )
    sender = Sender(
        WALLET,
        sight,
        Tenure(service.leases, "signer", "harbour", clock=clock),
        alerts=service.alerts,
        blocks=service.blocks,
        payments=service.payments,
        withdrawals=service.withdrawals,
        reader=service.reader,
        parameters=PARAMETERS,
        clock=clock,
        rules=rules,
    )
    return scanner, sender


def strangers_spend(node: JunoNode, recipient: str, amount: int) -> bytes:
    """Return a payment from the treasury that the program never signed: a stranger has the key."""
    account = state.account(node.chain.latest(), WALLET.raw_address)
    assert account is not None
    fee = ChainCoin(JUNO, NETWORK_FEE)
    facts = SigningFacts(account.number, account.sequence, PARAMETERS.gas_first_send, fee, 0)
    return WALLET.sign_sends([Payment(recipient, (ChainCoin(JUNO, amount),))], facts).raw
