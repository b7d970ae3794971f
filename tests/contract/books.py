"""The program's chain half on a running node: what arrives is booked, what is asked for is paid."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from chain.client import NodeClient
from chain.endpoints import Endpoints
from chain.inbound import WatchedWallet
from chain.lightclient import LightClient
from chain.parameters import ChainParameters
from chain.scanner import Scanner
from chain.sender import Broadcaster, Sender
from chain.tenure import Tenure
from chain.wallet import Wallet
from ledger.accounts import AccountId
from ledger.money import Amount, Asset, Denom
from ledger.ports import Clock
from ledger.service import LedgerService
from ledger.terms import Terms
from ledger.withdrawals import Request, Withdrawal
from tests.blank import lay_blank
from tests.contract.node import DENOM, PATIENCE_SECONDS, Node
from tests.contract.sandbox_program import SystemClock
from tests.contract.signing import Person

T = TypeVar("T")

JUNO: Final = Denom(DENOM)
ASSETS: Final = (Asset(JUNO, "JUNO", 6),)
FEE: Final = Amount(20_000)
MEMBER: Final = AccountId(11)
PARAMETERS: Final = ChainParameters("set by the node", JUNO, timeout_blocks=12, block_ms=200)
PAUSE_SECONDS: Final = 0.05


async def run_inline(call: Callable[[], T]) -> T:
    """Run a blocking call where it stands: the books are small here."""
    return call()


@dataclass
class Books:
    """A ledger whose treasury is some person's address on the node."""

    node: Node
    treasury: Person
    service: LedgerService
    scanner: Scanner
    sender: Sender

    @property
    def height(self) -> int:
        """The height up to which blocks are booked; 0 before the books are open."""
        cursor = self.service.blocks.cursor(self.node.chain_id)
        return cursor.height if cursor else 0

    async def until(self, ready: Callable[[], bool]) -> None:
        """Scan and pay until it is so, or fail after the deadline."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not ready():
                await self.sender.step()
                if await self.scanner.step() > 0:
                    await asyncio.sleep(PAUSE_SECONDS)

    async def receive(self, *raws: bytes) -> list[int]:
        """Broadcast what others sign, and book the blocks that it is in; return the codes."""
        before = self.node.accepted(*raws)
        found = [self.node.find(raw, before) for raw in raws]
        await self.until(lambda: self.height >= max(each.height for each in found))
        return [each.code for each in found]

    async def withdraw(self, *recipients: str, amount: int = 5_000) -> list[Withdrawal]:
        """Let the member ask for withdrawals, and go on until each has ended; return them as they are then."""
        requests = [Request(MEMBER, JUNO, Amount(amount), FEE, recipient, "") for recipient in recipients]
        asked = [
            await self.service.withdrawals.request(f"k{number}", request)
            for number, request in enumerate(requests)
        ]
        await self.until(lambda: not self.select("SELECT id FROM withdrawals WHERE resolution IS NULL"))
        ended = [self.service.withdrawals.get(each.id) for each in asked]
        return [each for each in ended if each is not None]

    def balance(self, account: int) -> int:
        """Return what an account owns."""
        return self.service.reader.balance(AccountId(account), JUNO)

    def select(self, sql: str) -> list[dict[str, Any]]:
        """Read what is committed."""
        return [dict(row) for row in self.service.reader.select(sql, ())]

    def assert_agreed(self) -> None:
        """Books and chain agree at the last settled height, and nothing alarmed anybody."""
        (settled,) = self.service.blocks.settled(self.node.chain_id)
        on_chain = self.node.balance(self.treasury.raw_address, height=settled.height)
        assert settled.balance == self.service.reader.total(JUNO) == on_chain
        assert self.select("SELECT facts FROM outbox WHERE event = 'alert.raised'") == []


@asynccontextmanager
async def books(
    node: Node, treasury: Person, path: Path, between: Callable[[Broadcaster], Broadcaster] = lambda it: it
) -> AsyncIterator[Books]:
    """Open books at the newest block; ``between`` may put something between the sender and the nodes."""
    clock = SystemClock()
    parameters = replace(PARAMETERS, chain_id=node.chain_id)
    clients = [NodeClient(f"node {number}", url) for number, url in enumerate(node.urls)]
    endpoints = Endpoints(clients, node.chain_id, clock=clock, randomness=random.Random(1))
    terms = (Terms(JUNO, minimum=Amount(1_000), fee=FEE),)
    lay_blank(path)
    service = await LedgerService.open(path, clock=clock, blocking=run_inline, assets=ASSETS, terms=terms)
    sight = LightClient(endpoints, parameters, clock=clock)
    wallet = Wallet(treasury.key, parameters)
    scanner = _scanner(sight, service, wallet, parameters, clock)
    sender = _sender(between(sight), service, wallet, parameters, clock)
    opened = Books(node, treasury, service, scanner, sender)
    try:
        await service.users.register(MEMBER, "Member")
        await opened.until(lambda: opened.height > 0)
        yield opened
    finally:
        await endpoints.close()
        await service.close()


def _scanner(
    sight: LightClient, service: LedgerService, wallet: Wallet, parameters: ChainParameters, clock: Clock
) -> Scanner:
    return Scanner(
        sight,
        service.blocks,
        Tenure(service.leases, "scanner", "contract", clock=clock),
        alerts=service.alerts,
        chain_id=parameters.chain_id,
        treasury=WatchedWallet(wallet.raw_address, parameters.prefix),
        clock=clock,
        take_lies=sight.endpoints.take_lies,
    )


def _sender(
    nodes: Broadcaster, service: LedgerService, wallet: Wallet, parameters: ChainParameters, clock: Clock
) -> Sender:
    return Sender(
        wallet,
        nodes,
        Tenure(service.leases, "signer", "contract", clock=clock),
        alerts=service.alerts,
        blocks=service.blocks,
        payments=service.payments,
        withdrawals=service.withdrawals,
        reader=service.reader,
        parameters=parameters,
        clock=clock,
    )
