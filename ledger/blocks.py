"""A whole block in one unit: what arrived, what became of ours, and the books against the proved balance.

The chain layer brings `BlockFacts`: verified, but not judged. What they mean is decided here, inside the writer, so
a replay, a second scanner or a crash between two blocks can neither lose nor repeat anything (chain.md, Deposits 5).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ledger.alerts import alert
from ledger.deposits import Arrival, Place, destination, post_arrivals, spelled_amount
from ledger.drafts import Draft
from ledger.errors import BrokenInvariant, Unavailable
from ledger.freezes import FreezeReason, freeze_everyone, is_replaying
from ledger.inclusions import Inclusion, Ours, resolve_ours
from ledger.journal import Journal, Lane
from ledger.leases import Fence, require
from ledger.money import Asset, Denom
from ledger.outbox import news
from ledger.ports import Millis
from ledger.queries import queries
from ledger.reader import Reader
from ledger.reconciliation import Hints, evidence_row, open_books, settle
from ledger.replay import advance_replay, meet_lost
from ledger.spends import SequenceProof, Spend, keep_foreign
from ledger.units import Decision, Row, Unit, View

FACTORY: Final = "factory/"
"""Denoms whose admin can take them back by force: never listed (chain.md, Deposits 6)."""

_SELECT: Final = "SELECT * FROM cursor WHERE chain_id = ?"
_SQL: Final = queries("blocks")
_INSERT: Final = _SQL["insert"]
_ADVANCE: Final = _SQL["advance"]
_SETTLED: Final = "SELECT denom, height, balance FROM settled WHERE chain_id = ? ORDER BY denom"


class TreasuryAccount(NamedTuple):
    """The treasury's account on chain."""

    account_number: int
    sequence: int


@dataclass(frozen=True, slots=True)
class ProvedState:
    """What is proved after a block: each listed denom's balance, and the account (None: proved absent)."""

    balances: Mapping[Denom, int]
    account: TreasuryAccount | None


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """Everything that a verified block says about the treasury.

    ``header`` is the light client's own JSON, kept beside the cursor; ``time`` the block's. ``spends`` holds failed ones
    too. ``inclusions`` names
    every transaction of the block: which of them are ours is decided inside the writer. ``state`` is None when no
    node has it any more: this height joins the next settled one. ``claims`` are unproved and for people only; None
    means that nobody asked for them yet.
    """

    chain_id: str
    height: int
    header: str
    time: Millis
    arrivals: tuple[Arrival, ...] = ()
    inclusions: tuple[Inclusion, ...] = ()
    spends: tuple[Spend, ...] = ()
    state: ProvedState | None = None
    claims: Mapping[str, Any] | None = None

    @property
    def place(self) -> Place:
        """Where this was seen."""
        return Place(self.chain_id, self.height)


class Cursor(NamedTuple):
    """The last block in the books. ``account`` follows from what was proved after ``proved_height``.

    ``proved_sequence`` is what was proved there; None: nothing yet.
    """

    chain_id: str
    height: int
    header: str
    block_time: Millis
    proved_height: int
    account: TreasuryAccount | None
    proved_sequence: int | None = None

    @property
    def is_proved(self) -> bool:
        """Tell whether account and balances are proved at the cursor itself."""
        return self.proved_height == self.height


class Settled(NamedTuple):
    """A proved balance that the books agreed with."""

    denom: Denom
    height: int
    balance: int


class WrongHeight(Unavailable):
    """The block does not follow the cursor: read the cursor again."""


def cursor_of(row: Any) -> Cursor:
    """Return the row of ``cursor``."""
    account = None if row["sequence"] is None else TreasuryAccount(row["account_number"], row["sequence"])
    return Cursor(
        row["chain_id"],
        row["height"],
        row["header"],
        row["block_time"],
        row["proved_height"],
        account,
        row["proved_sequence"],
    )


def read_cursor(view: View, chain_id: str) -> Cursor | None:
    """Return where the books stand on ``chain_id``, None before they were opened."""
    rows = view.select(_SELECT, (chain_id,))
    return cursor_of(rows[0]) if rows else None


def decide_opening(view: View, fence: Fence, facts: BlockFacts) -> Decision[bool]:
    """Open the books at a settled height: what the address holds is BOT_TREASURY's.

    The outcome is False when they were open already. Raises LeaseLost.
    """
    require(view, fence)
    if read_cursor(view, facts.chain_id) is not None:
        return Decision(outcome=False)
    if facts.state is None:
        raise BrokenInvariant("books open at a height whose state is proved")
    draft = Draft(view)
    open_books(draft, facts.place, facts.state.balances)
    settle(draft, facts.place, facts.state.balances, Hints(facts.arrivals, facts.claims))
    draft.write(Row(_INSERT, _proved_values(facts, facts.state.account), changes=1))
    return Decision(True, tuple(draft.entries), tuple(draft.rows))


def decide_block(view: View, fence: Fence, facts: BlockFacts, listed: frozenset[Denom]) -> Decision[bool]:
    """Post a whole block and move the cursor onto it.

    The outcome is False when the block is in the books already. Raises LeaseLost; WrongHeight when the block is not
    the next one; ClaimsWanted when books and chain differ and nobody asked nodes why; BrokenInvariant when books and
    chain would not agree after a settled block.
    """
    require(view, fence)
    cursor = read_cursor(view, facts.chain_id)
    # Posted before a crash, or by whoever held the lease in between: that is no mistake.
    if cursor is not None and facts.height <= cursor.height:
        return Decision(outcome=False)
    if cursor is None or facts.height != cursor.height + 1:
        raise WrongHeight(f"block {facts.height} does not follow {cursor.height if cursor else None}")
    draft = Draft(view)
    # The order matters: what came in may pay for what went out in the same block; what ours did tells which sequences
    # are left for bytes of lost books; and balances are compared last, when all that is known is booked.
    post_arrivals(draft, facts.place, facts.arrivals, listed)
    proof = _proof(facts, cursor)
    ours = resolve_ours(draft, facts.place, facts.inclusions, facts.spends, proof)
    if proof.proved is None:
        keep_foreign(draft, facts.place, ours.foreign, proof.expected, replaying=is_replaying(view))
    ours = meet_lost(draft, facts.place, ours, proof, listed)
    explained = _watch_for_strangers(draft, facts, cursor, ours, listed)
    advance_replay(draft, facts.place, facts.time, explained=explained and facts.state is not None)
    if facts.state is not None:
        _check_listed(facts.state, listed)
        settle(draft, facts.place, facts.state.balances, Hints(facts.arrivals, facts.claims))
    draft.write(_advance(facts, cursor, ours))
    return Decision(True, tuple(draft.entries), tuple(draft.rows))


def _proof(facts: BlockFacts, cursor: Cursor) -> SequenceProof:
    proof = SequenceProof(_expected_sequence(cursor), None, cursor.proved_sequence or 0, cursor.proved_height)
    if facts.state is None or facts.state.account is None:
        return proof
    return proof._replace(proved=facts.state.account.sequence, balances=facts.state.balances)


def decide_foresight(
    view: View, fence: Fence, arrivals: tuple[Arrival, ...], listed: frozenset[Denom]
) -> Decision[None]:
    """Announce what would be credited to members, if it succeeds as a node claims; the sum of each transaction.

    Raises LeaseLost.
    """
    require(view, fence)
    sums: Counter[tuple[str, str, Denom]] = Counter()
    for each in arrivals:
        if each.denom in listed:
            sums[each.tx_hash, each.memo, each.denom] += spelled_amount(each.amount) or 0
    rows = []
    for (transaction, memo, denom), amount in sums.items():
        account = destination(view, memo).account
        if amount and account > 0:
            facts = {"account": account, "amount": amount, "denom": denom, "tx": transaction}
            rows.append(news("deposit.seen", account, facts, view.now))
    return Decision(None, rows=tuple(rows))


def _check_listed(state: ProvedState, listed: frozenset[Denom]) -> None:
    if frozenset(state.balances) != listed:
        raise BrokenInvariant(f"balances of {sorted(state.balances)} for the listed {sorted(listed)}")


def _watch_for_strangers(
    draft: Draft, facts: BlockFacts, cursor: Cursor, ours: Ours, listed: frozenset[Denom]
) -> bool:
    """Freeze when somebody else used the treasury's key (chain.md, Withdrawals); tell whether nobody did.

    Only listed denoms count: anyone can mint a factory coin to us and force it back.
    """
    foreign = [
        spend.shown
        for spend in facts.spends
        if spend.code == 0 and spend.canonical not in ours.known and listed.intersection(spend.denoms)
    ]
    expected = _expected_sequence(cursor) + len(ours.sequences)
    proved = facts.state.account.sequence if facts.state and facts.state.account else None
    if foreign or (proved is not None and proved > expected):
        _raise_alarm(
            draft, facts, FreezeReason.STRANGER, {"txs": foreign, "expected": expected, "proved": proved}
        )
    elif proved is not None and proved < expected:
        _raise_alarm(draft, facts, FreezeReason.CONTRADICTION, {"expected": expected, "proved": proved})
    else:
        return True
    return False


def _expected_sequence(cursor: Cursor) -> int:
    return cursor.account.sequence if cursor.account else 0


def _raise_alarm(draft: Draft, facts: BlockFacts, reason: FreezeReason, why: dict[str, Any]) -> None:
    freeze_everyone(draft, reason, f"block {facts.height}")
    draft.write(
        evidence_row(draft, facts.place, reason.value, json.dumps(why, sort_keys=True)),
        alert(f"key.{reason}", {"height": facts.height, **why}, draft.view.now),
    )


def _advance(facts: BlockFacts, cursor: Cursor, ours: Ours) -> Row:
    if facts.state is not None:
        return Row(_ADVANCE, _proved_values(facts, facts.state.account), changes=1)
    account = cursor.account and cursor.account._replace(
        sequence=cursor.account.sequence + len(ours.sequences)
    )
    return Row(
        _ADVANCE, _cursor_values(facts, cursor.proved_height, account, cursor.proved_sequence), changes=1
    )


def _proved_values(facts: BlockFacts, account: TreasuryAccount | None) -> dict[str, Any]:
    return _cursor_values(facts, facts.height, account, account.sequence if account else None)


def _cursor_values(
    facts: BlockFacts, proved_height: int, account: TreasuryAccount | None, proved_sequence: int | None
) -> dict[str, Any]:
    return {
        "proved_sequence": proved_sequence,
        "chain_id": facts.chain_id,
        "height": facts.height,
        "header": facts.header,
        "block_time": facts.time,
        "proved_height": proved_height,
        "sequence": account.sequence if account else None,
        "account_number": account.account_number if account else None,
    }


def listed_denoms(assets: Iterable[Asset]) -> frozenset[Denom]:
    """Return the denoms that are credited; raises ValueError for one that can be taken back by force."""
    denoms = frozenset(asset.denom for asset in assets)
    forceable = sorted(denom for denom in denoms if denom.startswith(FACTORY))
    if forceable:
        raise ValueError(f"never listed, their admin can take them back: {', '.join(forceable)}")
    return denoms


class Blocks:
    """The book of blocks for the listed ``assets``."""

    def __init__(self, journal: Journal, reader: Reader, assets: Iterable[Asset]) -> None:
        self._journal = journal
        self._reader = reader
        self.listed = listed_denoms(assets)

    async def open(self, fence: Fence, facts: BlockFacts) -> bool:
        """Open the books; raises what `decide_opening` raises."""
        return await self._journal.submit(Unit(lambda view: decide_opening(view, fence, facts)), Lane.SYSTEM)

    async def post(self, fence: Fence, facts: BlockFacts) -> bool:
        """Post a block and tell whether it was new; raises what `decide_block` raises."""
        unit = Unit(lambda view: decide_block(view, fence, facts, self.listed))
        return await self._journal.submit(unit, Lane.SYSTEM)

    async def foresee(self, fence: Fence, arrivals: tuple[Arrival, ...]) -> None:
        """Tell members of deposits in a block whose results nothing proves yet; posts nothing. Raises LeaseLost."""
        unit = Unit(lambda view: decide_foresight(view, fence, arrivals, self.listed))
        await self._journal.submit(unit, Lane.SYSTEM)

    def cursor(self, chain_id: str) -> Cursor | None:
        """Return where the books stand, as committed."""
        rows = self._reader.select(_SELECT, (chain_id,))
        return cursor_of(rows[0]) if rows else None

    def settled(self, chain_id: str) -> list[Settled]:
        """Return the newest proved balance of each denom, as committed."""
        return [Settled(*row) for row in self._reader.select(_SETTLED, (chain_id,))]
