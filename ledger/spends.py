"""Transactions that spend from the treasury, and which of those of lost books used a sequence (chain.md, Withdrawals).

The code in a block does not tell whether a failed one did. Sequences do: each one below the proved sequence was used
by exactly one transaction, so what failed with one that nothing else used is what used it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ledger.codes import ANTE_ONLY_CODES, FUNDS_CODE
from ledger.deposits import Place
from ledger.drafts import Draft
from ledger.money import Denom
from ledger.queries import queries
from ledger.units import Row

_SQL: Final = queries("spends")
_LARGEST: Final = 2**63 - 1
"""What a column holds; a body may claim a larger sequence, and never uses it."""


class SpentCoin(NamedTuple):
    """One coin that a transaction of the treasury's pays; ``amount`` as it was spelled."""

    address: str
    denom: Denom
    amount: str


class Spend(NamedTuple):
    """A transaction whose body spends from the treasury, ours or not.

    ``signed``: its own messages spend, so it bears the treasury's signature (inside an authz exec somebody else's
    does); ``payments``, ``fees`` and ``sequence`` are read only then. ``code`` is its proved result.
    """

    canonical: str
    shown: str
    denoms: tuple[Denom, ...]
    code: int = 0
    signed: bool = False
    payments: tuple[SpentCoin, ...] = ()
    fees: tuple[SpentCoin, ...] = ()
    memo: str = ""
    sequence: int = 0


class SequenceProof(NamedTuple):
    """What is known of the treasury's sequence at a block.

    ``expected`` follows from the blocks before. ``proved`` is after this one (None: no node had that state), as are
    ``balances``; ``proved_before`` was proved at ``proved_height``, the last one before.
    """

    expected: int
    proved: int | None
    proved_before: int
    proved_height: int
    balances: Mapping[Denom, int] = MappingProxyType({})


class Unproved(NamedTuple):
    """What is kept of the blocks since the last proof: foreign ones, without their payments, and what ours used."""

    foreign: tuple[Spend, ...] = ()
    used_by_ours: frozenset[int] = frozenset()


def keep_foreign(
    draft: Draft, place: Place, foreign: Iterable[Spend], expected: int, *, replaying: bool
) -> None:
    """Keep what used, or may have used, a sequence (from ``expected`` on) in a block whose state nobody proved.

    Outside a replay a failed one is nobody's: anybody can name the treasury in bytes that no key of its signed.
    """
    kept = [each for each in foreign if each.code == 0 or (replaying and _may_use(each, expected))]
    # The same bytes twice in a block are one row: what tells more comes first.
    draft.write(*(_row(place, each) for each in sorted(kept, key=_is_open)))


def read_unproved(draft: Draft, place: Place, proof: SequenceProof) -> Unproved:
    """Return what a proof at ``place`` has to judge of the blocks before it; nothing where the last one was proved."""
    if proof.proved is None or place.height == proof.proved_height + 1:
        return Unproved()
    since = (place.chain_id, proof.proved_height)
    used = frozenset(row["sequence"] for row in draft.view.select(_SQL["used_by_ours"], since))
    return Unproved(tuple(map(_spend_of, draft.view.select(_SQL["since"], since))), used)


def that_used_one(
    lost: Sequence[Spend], unproved: Unproved, used_by_ours: frozenset[int], proof: SequenceProof
) -> list[Spend]:
    """Return those ``lost`` ones that used a sequence, and failed ones since the last proof of which this one tells.

    Without a proof the executed ones did. ``used_by_ours`` are the sequences that ours used in this block.
    """
    executed = [each for each in lost if each.code == 0]
    if proof.proved is None:
        return executed
    failed = [each for each in lost if _may_use(each, proof.expected)]
    taken = {each.sequence for each in (*unproved.foreign, *executed) if each.code == 0}
    taken |= used_by_ours | unproved.used_by_ours
    open_ones = [each for each in (*unproved.foreign, *failed) if each.code and each.sequence < proof.proved]
    return executed + _users(each for each in open_ones if each.sequence not in taken)


def _may_use(spend: Spend, expected: int) -> bool:
    return spend.code not in (0, *ANTE_ONLY_CODES) and expected <= spend.sequence <= _LARGEST


def _is_open(spend: Spend) -> bool:
    """Tell whether nothing but the code tells how far it came, and the code does not."""
    return spend.code == FUNDS_CODE


def _users(failed: Iterable[Spend]) -> list[Spend]:
    """Return one of each sequence: of several, those of code 5 are the likeliest to have failed before they used it."""
    users: dict[int, Spend] = {}
    for each in sorted(failed, key=_is_open):
        users.setdefault(each.sequence, each)
    return list(users.values())


def _row(place: Place, spend: Spend) -> Row:
    fees = json.dumps([(coin.denom, coin.amount) for coin in spend.fees])
    kept = {"shown": spend.shown, "tx": spend.canonical, "code": spend.code, "sequence": spend.sequence}
    return Row(_SQL["insert"], {**place._asdict(), **kept, "fees": fees})


def _spend_of(row: Any) -> Spend:
    fees = tuple(SpentCoin("", denom, amount) for denom, amount in json.loads(row["fees"]))
    return Spend(row["tx"], row["shown"], (), row["code"], signed=True, fees=fees, sequence=row["sequence"])
