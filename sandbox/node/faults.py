"""What a face of the chain can be told to do wrong. Each fault is off until it is switched on."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sandbox.node.blockchain import Blockchain, Happening
from sandbox.node.blocks import Block
from sandbox.node.validators import Council, Seat


class OddProof(StrEnum):
    """How a proof fails to prove."""

    NONE = ""
    VALUE = "value"
    """Another value than the one that is proved."""
    PROOF = "proof"
    """Bytes of the proof are changed."""
    STALE = "stale"
    """Value and proof are those of the height before."""
    MISSING = "missing"
    """No proof at all."""


class ForgedTransfer(BaseModel):
    """Coins that only the events of an answer know of."""

    sender: str
    recipient: str
    amount: str
    height: int = 0
    """Of which block's results; 0 for all."""


class FaultTable(BaseModel):
    """The faults of one face."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    lag: int = Field(default=0, ge=0, description="Blocks by which this face is behind.")
    pruned_below: int = Field(default=0, ge=0, description="Heights that it no longer has.")
    hang: bool = Field(default=False, description="Accepts calls and never answers.")
    delay_ms: int = Field(default=0, ge=0, le=600_000, description="Waits before it answers.")
    status: int = Field(default=0, ge=0, le=599, description="Answers every call with this HTTP status.")
    garbage: bool = Field(default=False, description="Answers with bytes that are no JSON.")
    lose_reply: bool = Field(default=False, description="Does what was asked, then answers 502.")
    methods: list[str] = Field(default=[], description="Only these calls hang or fail; empty for all.")
    drop_broadcasts: bool = Field(default=False, description="Accepts transactions and forgets them.")
    chain_id: str = Field(default="", description="Claims to be another chain.")
    catching_up: bool = False
    flip_codes: bool = Field(
        default=False, description="Failed transactions look good, and good ones failed."
    )
    forged_transfers: list[ForgedTransfer] = []
    extra_txs: dict[int, list[str]] = Field(
        default={}, description="Transactions (base64) shown in a block that does not hold them."
    )
    odd_proof: OddProof = OddProof.NONE
    results_lag: bool = Field(default=False, description="Results of the latest block are not there yet.")

    def concerns(self, method: str) -> bool:
        """Tell whether hanging and failing is for ``method``."""
        return not self.methods or method in self.methods


class Faults:
    """The switchboard of one face: its table, and the other chain that it may show instead of the real one."""

    def __init__(self, **table: Any) -> None:
        self.table = FaultTable(**table)
        self.shown: Blockchain | None = None
        self._changed = asyncio.Event()
        self._followed: tuple[Blockchain, Any] | None = None

    def switch(self, **changes: Any) -> FaultTable:
        """Change some faults; raises pydantic's ValidationError for what is no fault."""
        self.table = FaultTable.model_validate(self.table.model_dump() | changes)
        self._wake()
        return self.table

    def clear(self) -> None:
        """Switch everything off, another chain too."""
        self.table = FaultTable()
        if self._followed is not None:
            chain, follow = self._followed
            chain.followers.remove(follow)
        self.shown = self._followed = None
        self._wake()

    async def hanging(self, method: str) -> None:
        """Return when calls of ``method`` are answered."""
        while self.table.hang and self.table.concerns(method):
            await self._changed.wait()

    def fork(
        self, chain: Blockchain, height: int, *, txs: Sequence[bytes] = (), planted: Sequence[Happening] = ()
    ) -> None:
        """Show another block at ``height`` and others after it, signed by too few of the real validators.

        ``txs`` and what is ``planted`` happen in that block, beside what the real one holds.
        """
        seats = chain.council.seats
        absent = frozenset(seat.name for seat in seats[1:])
        self._show(chain, chain.branch(height, Council(seats, absent, turn=1)), txs, planted)

    def false_chain(
        self, chain: Blockchain, height: int, *, txs: Sequence[bytes] = (), planted: Sequence[Happening] = ()
    ) -> None:
        """Show a perfectly consistent chain from ``height`` on that strangers' keys sign."""
        strangers = [Seat(f"stranger {seat.name}", seat.power) for seat in chain.council.seats]
        self._show(chain, chain.branch(height, Council(strangers)), txs, planted)

    def _show(
        self, chain: Blockchain, other: Blockchain, txs: Sequence[bytes], planted: Sequence[Happening]
    ) -> None:
        """Show ``other``, let it catch up and then grow with the real chain."""
        self.clear()
        other.happenings, other.forced = list(planted), list(txs)

        def follow(block: Block) -> None:
            if block.height > other.height:
                other.forced += block.txs
                other.adopt(other.produce())

        for height in range(other.height + 1, chain.height + 1):
            follow(chain.block(height))
        chain.followers.append(follow)
        self.shown, self._followed = other, (chain, follow)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
