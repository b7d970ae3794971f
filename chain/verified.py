"""What the rest of the program may believe of the chain: only what consensus hashed and validators signed.

The light client produces these; the scanner turns them into postings. Claims that no hash covers (events, logs,
codespaces) travel apart, as evidence for people, and never decide about money (chain.md, Deposits).
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from ledger.money import Denom
from ledger.ports import Millis


class TxOutcome(NamedTuple):
    """The part of a transaction's result that ``last_results_hash`` covers."""

    code: int
    data: bytes
    gas_wanted: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class TrustedHeader:
    """A header that the light client accepted; enough to accept the next one, and stored beside the cursor."""

    height: int
    block_id: bytes
    time: Millis
    validators_hash: bytes
    next_validators_hash: bytes
    app_hash: bytes
    """The state after block ``height - 1``."""


@dataclass(frozen=True, slots=True)
class VerifiedBlock:
    """Block ``header.height`` with results that header ``height + 1`` proved."""

    header: TrustedHeader
    txs: tuple[bytes, ...]
    outcomes: tuple[TxOutcome, ...]
    app_hash: bytes
    """The state after this block, from the next header: what balances and accounts are proved against."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Unproved answers of the node (events, logs), kept as evidence only."""
    source: str = ""
    """Which node told, for alerts about what it claims."""


class AccountState(NamedTuple):
    """The treasury's account as proved at a height."""

    account_number: int
    sequence: int


class ChainView(Protocol):
    """Verified reading of the chain, whatever number of nodes stands behind it.

    Every method raises `chain.errors.NodeUnavailable` when no configured node can give a proved answer now, and
    subclasses of it where the caller acts differently (`NotYet`, `Pruned`, `Lied`).
    """

    async def block(self, height: int, trusted: TrustedHeader) -> VerifiedBlock:
        """Return block ``height``, where ``trusted`` is the accepted header of ``height - 1``."""
        ...

    async def balance(self, block: VerifiedBlock, address: bytes, denom: Denom) -> int:
        """Return what ``address`` holds after ``block``, proved against its ``app_hash``; 0 needs its proof too."""
        ...

    async def account(self, block: VerifiedBlock, address: bytes) -> AccountState | None:
        """Return the account of ``address`` after ``block``, proved; None when its absence is proved."""
        ...
