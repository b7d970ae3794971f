"""Coins in, and what became of ours: one verified block after the other goes into the books (chain.md, Deposits).

The scanner carries; it decides nothing about money. What a block means is decided inside the writer (ledger.blocks),
and what may be believed by the light client behind `Sight`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from chain.alarms import Alarms
from chain.crosscheck import claimed_changes
from chain.errors import ChainError, Halted, Lied, NodeUnavailable, NotYet, Pruned
from chain.inbound import WatchedWallet, read_arrivals, read_block
from chain.tenure import Tenure
from chain.verified import ChainView, TrustedHeader, VerifiedBlock
from ledger.alerts import Alerts
from ledger.blocks import BlockFacts, Blocks, Cursor, ProvedState, TreasuryAccount
from ledger.errors import LeaseLost
from ledger.ports import Clock, Millis
from ledger.reconciliation import ClaimsWanted

MAX_CLAIMS_CHARACTERS: Final = 20_000
"""Of a block's claims kept as evidence: nodes say what they like, and as much."""
BLOCKS_UNTIL_THE_NEXT: Final = 3
"""A header bears the time of the votes for the block before it: so many blocks later stands what proves the next one."""


class Sight(ChainView, Protocol):
    """What the scanner needs beside verified reading: where to begin, and what nodes claim."""

    async def opening(self) -> TrustedHeader:
        """Return the header to start from on the first start."""
        ...

    async def preview(self, trusted: TrustedHeader) -> tuple[bytes, ...]:
        """Return the transactions of the block after ``trusted`` that look good but are not proved to be."""
        ...

    async def claims(self, height: int) -> dict[str, Any]:
        """Return what a node claims of block ``height`` that nothing proves."""
        ...


class ScannerRules(NamedTuple):
    """How long to wait, and how much to do at once."""

    poll_seconds: float = 1.0
    block_ms: int = 0
    """About how long a block takes: in step with the chain, no node is asked for a block that cannot be there yet."""
    retry_seconds: float = 5.0
    standby_seconds: float = 5.0
    halted_seconds: float = 60.0
    blocks_per_step: int = 100
    silent_ms: int = 300_000
    """Nodes that are away this long, or show no new block, are worth an alert."""
    unsettled_blocks: int = 100
    """So many blocks without a proved balance are worth one too: nodes say that they pruned the state of each."""


class Scanner:
    """One reader of one chain. ``step`` is called again and again by whoever supervises it."""

    def __init__(
        self,
        sight: Sight,
        blocks: Blocks,
        tenure: Tenure,
        *,
        alerts: Alerts,
        chain_id: str,
        treasury: WatchedWallet,
        clock: Clock,
        take_lies: Callable[[], Sequence[Lied]] = tuple,
        rules: ScannerRules = ScannerRules(),  # noqa: B008 - immutable
    ) -> None:
        self._sight = sight
        self._blocks = blocks
        self._tenure = tenure
        self._chain_id = chain_id
        self._treasury = treasury
        self._clock = clock
        self._take_lies = take_lies
        self._rules = rules
        self._alarms = Alarms(alerts, clock)
        self._unavailable_since: Millis | None = None
        self._opening: TrustedHeader | None = None
        self._foreseen = -1

    async def step(self) -> float:
        """Post the blocks that are there, up to a limit; return the seconds to wait before the next step.

        Raises what the journal raises. Whatever the chain does is answered here: alert, wait, never skip. While another
        instance scans, this one stands by.
        """
        try:
            return await self._scan()
        except NotYet as error:
            await self._alert_when_silent(error)
            return await self._wait_at_tip()
        except LeaseLost:
            self._tenure.forget()
            return self._rules.standby_seconds
        except ChainError as error:
            return await self._answer(error)
        finally:
            # Steps that end well bring lies to light too: another node told the truth.
            for lie in self._take_lies():
                await self._alert_lie(lie)

    async def _scan(self) -> float:
        # Before any node is asked: who stands by would read all that the other one reads.
        await self._tenure.fence()
        cursor = self._blocks.cursor(self._chain_id)
        if cursor is None:
            return await self._open()
        trusted = header_from_json(cursor.header)
        for _ in range(self._rules.blocks_per_step):
            block = await self._sight.block(trusted.height + 1, trusted)
            state = await self._state(block)
            await self._compare_claims(block, state)
            await self._post(block, state)
            trusted = block.header
            self._recovered()
            if self._early_ms(trusted.time) > 0:
                return await self._wait_at_tip()
        return 0.0

    async def _open(self) -> float:
        """Walk from the first trusted header to a block whose state a node still has, and open the books there."""
        if self._opening is None:
            self._opening = await self._sight.opening()
        for _ in range(self._rules.blocks_per_step):
            block = await self._sight.block(self._opening.height + 1, self._opening)
            state = await self._state(block)
            if state is not None:
                await self._blocks.open(await self._tenure.fence(), self._facts(block, state, {}))
                self._recovered()
                return 0.0
            self._opening = block.header
        return 0.0

    async def _state(self, block: VerifiedBlock) -> ProvedState | None:
        """Return what is proved after ``block``, or None when no node has that state any more.

        A node that cannot answer makes it unknown, never zero: then this raises, and the step is tried again.
        """
        raw = self._treasury.raw
        try:
            balances = {
                denom: await self._sight.balance(block, raw, denom) for denom in sorted(self._blocks.listed)
            }
            account = await self._sight.account(block, raw)
        except Pruned:
            return None
        return ProvedState(balances, TreasuryAccount(*account) if account else None)

    async def _post(self, block: VerifiedBlock, state: ProvedState | None) -> None:
        fence = await self._tenure.fence()
        try:
            await self._blocks.post(fence, self._facts(block, state, None))
        except ClaimsWanted:
            claims = await self._claims(block)
            await self._blocks.post(fence, self._facts(block, state, claims))

    async def _compare_claims(self, block: VerifiedBlock, state: ProvedState | None) -> None:
        """Name a node whose events tell of coins that the proved balances do not know; before the block is posted."""
        height = block.header.height
        settled = {
            each.denom: each for each in self._blocks.settled(self._chain_id) if each.height == height - 1
        }
        if state is None or not block.claims or settled.keys() != state.balances.keys():
            return
        proved = {denom: held - settled[denom].balance for denom, held in state.balances.items()}
        claimed = claimed_changes(block.claims, self._treasury.address, proved)
        if claimed is not None and claimed != proved:
            why = f"its events of height {height} tell of {claimed}, proved is {proved}"
            await self._alert_lie(Lied(block.source, why))

    def _facts(
        self, block: VerifiedBlock, state: ProvedState | None, claims: Mapping[str, Any] | None
    ) -> BlockFacts:
        inbound = read_block(block, self._treasury)
        return BlockFacts(
            chain_id=self._chain_id,
            height=block.header.height,
            header=header_to_json(block.header),
            time=block.header.time,
            arrivals=inbound.arrivals,
            inclusions=inbound.inclusions,
            spends=inbound.spends,
            state=state,
            claims=claims,
        )

    async def _claims(self, block: VerifiedBlock) -> dict[str, Any]:
        """Return what may explain a difference to a person; nothing is better than no posting."""
        try:
            claims = await self._sight.claims(block.header.height)
        except NodeUnavailable:
            return {}
        text = json.dumps(claims, sort_keys=True)
        return claims if len(text) <= MAX_CLAIMS_CHARACTERS else {"cut": text[:MAX_CLAIMS_CHARACTERS]}

    def _recovered(self) -> None:
        self._unavailable_since = None
        self._alarms.cleared("chain.halted", "chain.pruned", "chain.unavailable")

    async def _wait_at_tip(self) -> float:
        """Tell members what is on its way, and operators when nothing was compared for long."""
        cursor = self._blocks.cursor(self._chain_id)
        if cursor is not None:
            await self._alert_when_unsettled(cursor)
            await self._foresee(cursor)
            return max(self._rules.poll_seconds, self._early_ms(cursor.block_time) / 1000)
        return self._rules.poll_seconds

    def _early_ms(self, block_time: Millis) -> int:
        """Return how long the block after that of ``block_time`` cannot be there; a clock that is wrong costs a block's time."""
        due = block_time + BLOCKS_UNTIL_THE_NEXT * self._rules.block_ms
        return min(due - self._clock.now(), self._rules.block_ms)

    async def _foresee(self, cursor: Cursor) -> None:
        """Announce deposits of the block whose results the next one will prove; what cannot be had is no trouble."""
        if self._foreseen == cursor.height:
            return
        try:
            txs = await self._sight.preview(header_from_json(cursor.header))
            arrivals = tuple(arrival for raw in txs for arrival in read_arrivals(raw, self._treasury))
            if arrivals:
                await self._blocks.foresee(await self._tenure.fence(), arrivals)
            self._foreseen = cursor.height
        except (ChainError, LeaseLost):
            return

    async def _answer(self, error: ChainError) -> float:
        """Say how long to wait for what the chain did, and alert where a person must know."""
        if isinstance(error, Lied):
            await self._alert_lie(error)
            return self._rules.retry_seconds
        if isinstance(error, Halted | Pruned):
            # A first start may have begun on a header that cannot be gone on from: let it choose anew.
            self._opening = None
            code = "chain.pruned" if isinstance(error, Pruned) else "chain.halted"
            await self._alarms.tell(code, {"why": str(error)})
            return self._rules.halted_seconds
        await self._alert_when_silent(error)
        return self._rules.retry_seconds

    async def _alert_when_silent(self, error: ChainError) -> None:
        """Alert when no block could be posted for long, whether nodes are away or say that it is not there yet."""
        now = self._clock.now()
        # A clock that was ahead would keep this silent until then.
        if self._unavailable_since is None or self._unavailable_since > now:
            self._unavailable_since = now
        if now - self._unavailable_since >= self._rules.silent_ms:
            await self._alarms.tell("chain.unavailable", {"why": str(error)})

    async def _alert_when_unsettled(self, cursor: Cursor) -> None:
        if cursor.height - cursor.proved_height >= self._rules.unsettled_blocks:
            why = f"no node proves balances since height {cursor.proved_height}"
            await self._alarms.tell("chain.unavailable", {"why": why}, topic="unsettled")

    async def _alert_lie(self, lie: Lied) -> None:
        facts = {"endpoint": lie.endpoint, "why": lie.why}
        await self._alarms.tell("node.lied", facts, topic=f"node.lied {lie.endpoint}")


def header_to_json(header: TrustedHeader) -> str:
    """Return a trusted header as it is kept beside the cursor."""
    fields = {
        "height": header.height,
        "block_id": header.block_id.hex(),
        "time": header.time,
        "validators_hash": header.validators_hash.hex(),
        "next_validators_hash": header.next_validators_hash.hex(),
        "app_hash": header.app_hash.hex(),
    }
    return json.dumps(fields, sort_keys=True)


def header_from_json(text: str) -> TrustedHeader:
    """Return what `header_to_json` wrote."""
    fields = json.loads(text)
    return TrustedHeader(
        height=fields["height"],
        block_id=bytes.fromhex(fields["block_id"]),
        time=Millis(fields["time"]),
        validators_hash=bytes.fromhex(fields["validators_hash"]),
        next_validators_hash=bytes.fromhex(fields["next_validators_hash"]),
        app_hash=bytes.fromhex(fields["app_hash"]),
    )
