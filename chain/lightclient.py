"""The chain as validators signed it, read through nodes that may lie (chain.md, Deposits 2).

From the trusted header before the cursor it jumps to a header ahead that enough of the power signed, links the
headers between backwards, and hands out blocks whose transactions and results hash to what those headers say. The
linked headers and some of their blocks are kept ready, so that catching up costs one check of signatures for many
blocks and few round trips.
"""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from chain.client import Body, NodeClient
from chain.endpoints import Broadcast, Endpoint, Endpoints
from chain.errors import Halted, NodeUnavailable, NotYet
from chain.light import merkle, reading, trust
from chain.light.commit import ValidatorSet
from chain.light.errors import TooFewSigned, Unproven
from chain.light.header import Header, data_hash
from chain.light.results import outcome_from_json, results_hash
from chain.light.trust import SignedHeader
from chain.longresults import Thinned
from chain.parameters import ChainParameters
from chain.provedstates import ProvedStates
from chain.rpc import LONG_SECONDS
from chain.verified import AccountState, TrustedHeader, TxOutcome, VerifiedBlock
from ledger.clocks import DRIFT_MS
from ledger.money import Denom
from ledger.ports import Clock

WINDOW_BLOCKS: Final = 500
"""Headers linked ahead: one commit of a hundred validators takes as long as the hashes of fifty blocks."""
_BLOCKS_SECONDS: Final = LONG_SECONDS + 60.0
"""How long a node may take for blocks: it may be the results of one that are long."""
_WALK_SECONDS: Final = 3600.0
"""Four weeks of headers between an anchor and the cursor are some 800,000, in 4,000 requests."""
_SETS_KEPT: Final = 16
_BODIES_AT_ONCE: Final = 20
"""Blocks with transactions fetched ahead: they may be large."""


class Anchor(NamedTuple):
    """A height and its block's hash that the operator vouches for."""

    height: int
    block_id: bytes


@dataclass(frozen=True, slots=True)
class _Ready:
    """A verified block, and the block id before it that it was linked to."""

    after: bytes
    block: VerifiedBlock


class _Ahead(NamedTuple):
    """What one node was asked for: accepted headers in a row, and those of their blocks that came along."""

    headers: list[Header]
    ready: dict[int, _Ready]


class LightClient:
    """A `chain.verified.ChainView` over several nodes. For one reader, which asks for heights in order."""

    def __init__(
        self,
        endpoints: Endpoints,
        parameters: ChainParameters,
        *,
        clock: Clock,
        anchor: Anchor | None = None,
        window_blocks: int = WINDOW_BLOCKS,
    ) -> None:
        self.endpoints: Final = endpoints
        self._parameters: Final = parameters
        self._clock: Final = clock
        self._anchor: Final = anchor
        self._window_blocks: Final = window_blocks
        self._sets: Final[dict[bytes, ValidatorSet]] = {}
        self._states: Final = ProvedStates(endpoints)
        self._linked: list[Header] = []
        self._ready: dict[int, _Ready] = {}
        self._vouched: dict[int, bytes] = {}

    async def opening(self) -> TrustedHeader:
        """Return the header to start from on the first start: the anchor's, or the newest that all nodes agree on.

        Raises Halted when nodes disagree or the anchor is too old to be trusted, Lied when no node has the anchor's
        block, NodeUnavailable; without an anchor every configured node must answer.
        """
        if self._anchor is None:
            return await self._agreed()
        anchor = self._anchor
        header = await self.endpoints.ask(lambda node: self._anchored(node, anchor), height=anchor.height)
        self._require_recent(header)
        return header

    async def block(self, height: int, trusted: TrustedHeader) -> VerifiedBlock:
        """Return block ``height``, where ``trusted`` is the accepted header of ``height - 1``.

        Raises Halted when ``trusted`` is older than the trust period and no newer anchor vouches for it, NotYet while
        ``height + 1`` does not exist, Pruned, Lied, NodeUnavailable; ValueError for another ``trusted``.
        """
        if trusted.height != height - 1:
            raise ValueError(f"height {height} follows {height - 1}, not {trusted.height}")
        # It stays ready: a block that the books could not take yet is asked for again.
        ready = self._ready.get(height)
        if ready is None or ready.after != trusted.block_id:
            await self._read_on(trusted)
            ready = self._ready[height]
        for passed in [each for each in self._ready if each < height]:
            del self._ready[passed]
        return ready.block

    async def preview(self, trusted: TrustedHeader) -> tuple[bytes, ...]:
        """Return the transactions of the block after ``trusted`` that its node claims to have succeeded.

        Validators signed the block, but nothing proves results before the next one: for news, never for money. Raises
        as `block` does, NotYet while there is no such block, Halted also where an anchor would vouch for ``trusted``.
        """
        self._require_recent(trusted)
        height = trusted.height + 1

        async def question(node: Endpoint) -> tuple[bytes, ...]:
            signed = await node.client.signed_header(height)
            await self._accept(node.client, trusted, signed)
            trust.link_back(signed.header, [], trusted)
            (body,) = await node.client.bodies([height])
            return _claimed_good(signed.header, body)

        return await self.endpoints.ask(question, height=height)

    async def balance(self, block: VerifiedBlock, address: bytes, denom: Denom) -> int:
        """Return what ``address`` holds after ``block``, proved; Pruned when no node still has that state."""
        return await self._states.balance(block, address, denom, self._ahead_of(block))

    async def account(self, block: VerifiedBlock, address: bytes) -> AccountState | None:
        """Return the account of ``address`` after ``block``, proved; None when its absence is proved."""
        return await self._states.account(block, address, self._ahead_of(block))

    def _ahead_of(self, block: VerifiedBlock) -> list[VerifiedBlock]:
        return [each.block for height, each in self._ready.items() if height > block.header.height]

    async def claims(self, height: int) -> dict[str, Any]:
        """Return what a node claims of block ``height`` that no hash covers: evidence for people, never for money."""

        async def question(node: Endpoint) -> dict[str, Any]:
            return _claims(await node.client.results(height))

        return await self.endpoints.ask(question, height=height)

    async def broadcast(self, raw: bytes) -> Broadcast:
        """Offer transaction bytes to every node."""
        return await self.endpoints.broadcast(raw)

    async def _read_on(self, known: TrustedHeader) -> None:
        """Make the blocks after ``known`` ready, at least one; link further headers first when these have run out."""
        first = known.height + 1
        await self._require_trust(known)
        self._ready = {}
        if not self._is_linked(known):
            ahead = await self.endpoints.ask(
                lambda node: self._link(node, known), height=first, seconds=_BLOCKS_SECONDS
            )
            self._linked, self._ready = ahead
        if not self._ready:
            headers = _next_headers(self._linked)
            self._ready = await self.endpoints.ask(
                lambda node: self._verified(node.client, known, headers),
                height=first,
                seconds=_BLOCKS_SECONDS,
            )
            del self._linked[: len(headers) - 1]

    def _is_linked(self, known: TrustedHeader) -> bool:
        """Tell whether the next header and its successor are linked to ``known`` already."""
        return len(self._linked) > 1 and self._linked[0].last_block_id.hash == known.block_id

    async def _link(self, node: Endpoint, known: TrustedHeader) -> _Ahead:
        """Return accepted headers after ``known``, as many as one node has and the window holds."""
        client, first = node.client, known.height + 1
        latest = node.status.latest_height if node.status else first
        top_height = self._top(first, latest)
        if top_height == first + 1:
            return await self._next_block(client, known)
        signed, headers = await asyncio.gather(
            _signed_at(client, top_height), client.headers(first, top_height - 1)
        )
        await self._accept(client, known, signed)
        trust.link_back(signed.header, headers, known)
        return _Ahead([*headers, signed.header], {})

    def _top(self, first: int, latest: int) -> int:
        """Return the height to jump to, so that blocks from ``first`` on can be linked back from it."""
        vouched = min((height for height in self._vouched if height > first), default=None)
        return vouched or max(first + 1, min(first + self._window_blocks, latest))

    async def _next_block(self, client: NodeClient, known: TrustedHeader) -> _Ahead:
        """Return the one block after ``known``: in step with the chain, all that it takes is one request."""
        height = known.height + 1
        signed, header, body = await client.next_block(height)
        await self._accept(client, known, signed)
        trust.link_back(signed.header, [header], known)
        block = _block(header, signed.header, body, client.name)
        return _Ahead([], {height: _Ready(known.block_id, block)})

    async def _accept(self, client: NodeClient, known: TrustedHeader, signed: SignedHeader) -> None:
        """Go from ``known`` to the height of ``signed``, in smaller steps where too few of the trusted power signed."""
        if signed.header.time.millis() > self._clock.now() + DRIFT_MS:
            # Not a lie as far as is known: where the clock is behind, honest nodes would be put aside as liars.
            raise NodeUnavailable(
                f"{client.name}: height {signed.header.height} is from the future, or the clock is behind"
            )
        vouched = self._vouched.get(signed.header.height)
        if vouched is not None:
            if vouched != signed.header.hash():
                raise Unproven(
                    f"height {signed.header.height} is another block than the trusted hash goes back to"
                )
            return
        pending = [signed]
        # Each step halves a distance or covers it, so twice the distance is enough.
        for _ in range(2 * (signed.header.height - known.height)):
            target = pending[-1]
            try:
                known = await self._step(client, known, target)
            except TooFewSigned:
                pending.append(await _between(client, known, target))
                continue
            pending.pop()
            if not pending:
                return
        raise Unproven(f"height {signed.header.height} cannot be reached from {known.height}")

    async def _step(self, client: NodeClient, known: TrustedHeader, signed: SignedHeader) -> TrustedHeader:
        header, earlier = signed.header, None
        if header.validators_hash != known.next_validators_hash:
            earlier = await self._validators(client, known.height + 1, known.next_validators_hash)
        own = await self._validators(client, header.height, header.validators_hash)
        return trust.accept(known, earlier, signed, own, self._parameters.chain_id)

    async def _validators(self, client: NodeClient, height: int, expected: bytes) -> ValidatorSet:
        """Return the set with the hash ``expected``, which sits at ``height``; a set once seen is not fetched again."""
        found = self._sets.get(expected)
        if found is None:
            found = await client.validators(height)
            if found.hash() != expected:
                raise Unproven(f"the validators of height {height} are not those that are trusted")
            while len(self._sets) >= _SETS_KEPT:
                del self._sets[next(iter(self._sets))]
            self._sets[expected] = found
        return found

    async def _verified(
        self, client: NodeClient, known: TrustedHeader, headers: Sequence[Header]
    ) -> dict[int, _Ready]:
        """Return the blocks of all ``headers`` but the last, whose own results no header proves yet.

        Bodies are fetched only where the header does not already prove that there are no transactions.
        """
        filled = [header.height for header in headers[:-1] if _is_filled(header)]
        bodies = dict(zip(filled, await client.bodies(filled), strict=True))
        blocks: dict[int, _Ready] = {}
        after = known.block_id
        for header, successor in itertools.pairwise(headers):
            block = _block(header, successor, bodies.get(header.height, _NOTHING), client.name)
            blocks[header.height] = _Ready(after, block)
            after = block.header.block_id
        return blocks

    async def _require_trust(self, known: TrustedHeader) -> None:
        """Let ``known`` be recent, or be what a newer anchor's block goes back to: its validators need no trust then."""
        anchor = self._anchor
        if self._is_recent(known) or anchor is None or anchor.height <= known.height + 1:
            self._vouched = {}
            self._require_recent(known)
        elif not any(height > known.height + 1 for height in self._vouched):
            self._vouched = await self.endpoints.ask(
                lambda node: self._walk_back(node, anchor, known), height=known.height, seconds=_WALK_SECONDS
            )

    async def _walk_back(self, node: Endpoint, anchor: Anchor, known: TrustedHeader) -> dict[int, bytes]:
        """Return block ids on the way from ``known`` to ``anchor``, a window apart, having linked all headers between."""
        self._require_recent(await self._anchored(node, anchor))
        expected, vouched = anchor.block_id, {}
        for high in range(anchor.height, known.height, -self._window_blocks):
            vouched[high] = expected
            low = max(high - self._window_blocks, known.height) + 1
            headers = await node.client.headers(low, high)
            expected = trust.link_range(headers, low, high, expected)
        trust.require_same_history(expected, known)
        return vouched

    def _is_recent(self, known: TrustedHeader) -> bool:
        return self._clock.now() - known.time <= self._parameters.trust_period_ms

    def _require_recent(self, known: TrustedHeader) -> None:
        if not self._is_recent(known):
            raise Halted(
                f"the trusted header {known.height} is older than the trust period and its validators may have left: "
                "set a newer height and block hash that you trust"
            )

    async def _anchored(self, node: Endpoint, anchor: Anchor) -> TrustedHeader:
        signed = await node.client.signed_header(anchor.height)
        header = signed.header
        if header.height != anchor.height or header.hash() != anchor.block_id:
            raise Unproven(f"block {anchor.height} is not the one in the settings")
        if header.chain_id != self._parameters.chain_id:
            raise Halted(f"the block in the settings is of chain {header.chain_id[:50]!r}")
        return trust.trusted(header)

    async def _agreed(self) -> TrustedHeader:
        statuses = await self.endpoints.ask_each(lambda node: node.client.status())
        height = min(status.latest_height for status in statuses) - 1
        if height < 1:
            raise NotYet("the chain has no block to start from")
        found = await self.endpoints.ask_each(lambda node: self._self_signed(node, height))
        if len({header.block_id for header in found}) != 1:
            raise Halted(f"the configured nodes disagree about block {height}: set a trusted height and hash")
        return found[0]

    async def _self_signed(self, node: Endpoint, height: int) -> TrustedHeader:
        """Return the header of ``height`` that the set it names signed: all that can be known without a trusted one."""
        signed = await node.client.signed_header(height)
        if signed.header.height != height or signed.header.chain_id != self._parameters.chain_id:
            raise Unproven(f"the header is not of height {height} of {self._parameters.chain_id}")
        validators = await self._validators(node.client, height, signed.header.validators_hash)
        trust.self_signed(signed, validators, self._parameters.chain_id)
        return trust.trusted(signed.header)


_NOTHING: Final = Body((), {})
_CLAIMED: Final = ("codespace", "log", "info", "events")


async def _between(client: NodeClient, known: TrustedHeader, target: SignedHeader) -> SignedHeader:
    """Return the signed header in the middle; a node that gives another would keep the client busy without end."""
    return await _signed_at(client, (known.height + target.header.height) // 2)


async def _signed_at(client: NodeClient, height: int) -> SignedHeader:
    """Return the signed header of ``height``; the one beside it would pass by what vouches for this one."""
    found = await client.signed_header(height)
    if found.header.height != height:
        raise Unproven(f"height {height} was asked for, not {found.header.height}")
    return found


def _is_filled(header: Header) -> bool:
    return header.data_hash != merkle.EMPTY


def _next_headers(linked: Sequence[Header]) -> list[Header]:
    """Return the headers whose blocks are fetched next, and one more that proves the last one's results."""
    filled = [number for number, header in enumerate(linked[:-1]) if _is_filled(header)]
    last = filled[_BODIES_AT_ONCE - 1] if len(filled) >= _BODIES_AT_ONCE else len(linked) - 2
    return list(linked[: last + 2])


def _block(header: Header, successor: Header, body: Body, source: str) -> VerifiedBlock:
    """Return the block if its transactions and results hash to what the two headers say. Raises Unproven."""
    outcomes = _outcomes(header, body)
    if results_hash(outcomes) != successor.last_results_hash:
        raise Unproven(f"the results of height {header.height} are not those that the next header names")
    claims = _claims(body.results)
    return VerifiedBlock(trust.trusted(header), body.txs, outcomes, successor.app_hash, claims, source)


def _outcomes(header: Header, body: Body) -> tuple[TxOutcome, ...]:
    """Return what the node claims of the transactions, which are those that ``header`` names. Raises Unproven."""
    if data_hash(body.txs) != header.data_hash:
        raise Unproven(f"the transactions of height {header.height} are not those that its header names")
    rows = reading.sequence(body.results.get("txs_results"), "txs_results")
    if len(rows) != len(body.txs):
        raise Unproven(f"height {header.height} has {len(body.txs)} transactions and {len(rows)} results")
    return tuple(outcome_from_json(row) for row in rows)


def _claimed_good(header: Header, body: Body) -> tuple[bytes, ...]:
    outcomes = _outcomes(header, body)
    return tuple(tx for tx, outcome in zip(body.txs, outcomes, strict=True) if outcome.code == 0)


def _claims(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the unproved part of ``/block_results``: per transaction, and of the block itself.

    Of results that were too long to keep none is left; that is not to say that the node claims no events.
    """
    if isinstance(results, Thinned):
        return {}
    rows = [
        reading.mapping(row, "result") for row in reading.sequence(results.get("txs_results"), "txs_results")
    ]
    txs = [{key: row[key] for key in _CLAIMED if row.get(key)} for row in rows]
    events = results.get("finalize_block_events")
    return {"txs": txs, "block_events": events} if txs or events else {}
