"""From a trusted header to a later one: the decisions of a light client, without the asking (chain.md, Deposits 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from chain.light import reading
from chain.light.commit import Commit, ValidatorSet, verify_commit, verify_trusting
from chain.light.errors import Unproven
from chain.light.header import Header
from chain.verified import TrustedHeader
from ledger.ports import Millis


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """A header and the commit that is claimed for it."""

    header: Header
    commit: Commit

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read the answer of ``/commit``; raises Malformed."""
        signed = reading.member(document, "signed_header")
        return cls(Header.from_json(signed.get("header")), Commit.from_json(signed.get("commit")))


def trusted(header: Header) -> TrustedHeader:
    """Return what is kept of a header that was accepted."""
    return TrustedHeader(
        height=header.height,
        block_id=header.hash(),
        time=Millis(header.time.millis()),
        validators_hash=header.validators_hash,
        next_validators_hash=header.next_validators_hash,
        app_hash=header.app_hash,
    )


def accept(
    known: TrustedHeader,
    known_next: ValidatorSet | None,
    signed: SignedHeader,
    validators: ValidatorSet,
    chain_id: str,
) -> TrustedHeader:
    """Return the header of ``signed`` as trusted, going out from ``known``.

    ``known_next`` is the set that ``known.next_validators_hash`` names; None where it need not be known, because
    the new header has that very set. ``validators`` is the set of the new header. Raises TooFewSigned when
    ``known_next`` signed too little of a header that is not the very next one (then take a smaller step), Unproven
    when the header cannot be believed.
    """
    header = signed.header
    _require_successor(known, header, chain_id)
    if validators.hash() != header.validators_hash:
        raise Unproven(f"the validators of height {header.height} are not those that its header names")
    if header.validators_hash != known.next_validators_hash:
        if header.height == known.height + 1:
            raise Unproven(f"height {header.height} has other validators than the header before it named")
        assert known_next is not None, "a changed set is checked against the one before"
        assert known_next.hash() == known.next_validators_hash, "the earlier set is the one that is trusted"
        verify_trusting(chain_id, known_next, header.height, header.hash(), signed.commit)
    self_signed(signed, validators, chain_id)
    return trusted(header)


def self_signed(signed: SignedHeader, validators: ValidatorSet, chain_id: str) -> None:
    """Check that more than 2/3 of ``validators`` signed this header. Raises Unproven: no smaller step mends it."""
    header = signed.header
    try:
        verify_commit(chain_id, validators, header.height, header.hash(), signed.commit)
    except Unproven as error:
        raise Unproven(f"its own validators did not sign: {error}") from error


def link_back(top: Header, headers: Sequence[Header], known: TrustedHeader) -> None:
    """Check that ``headers`` are those between ``known`` and the accepted ``top``, in ascending order. Raises Unproven."""
    below = link_range(headers, known.height + 1, top.height - 1, top.last_block_id.hash)
    require_same_history(below, known)


def link_range(headers: Sequence[Header], low: int, high: int, block_id: bytes) -> bytes:
    """Check that ``headers`` are ``low`` to ``high``, the last of them being block ``block_id``; raises Unproven.

    Returns the id of the block below ``low``.
    """
    if [header.height for header in headers] != list(range(low, high + 1)):
        raise Unproven(f"these are not the headers from {low} to {high}")
    for header in reversed(headers):
        if header.hash() != block_id:
            raise Unproven(f"header {header.height} is not the one that its successor names")
        block_id = header.last_block_id.hash
    return block_id


def require_same_history(block_id: bytes, known: TrustedHeader) -> None:
    """Check that linking back arrived at ``known``. Raises Unproven."""
    if block_id != known.block_id:
        raise Unproven(f"the signed chain has another block at the trusted height {known.height}")


def _require_successor(known: TrustedHeader, header: Header, chain_id: str) -> None:
    if header.chain_id != chain_id:
        raise Unproven(f"the header is of chain {header.chain_id[:50]!r}")
    if header.height <= known.height:
        raise Unproven(f"height {header.height} does not follow {known.height}")
    if header.time.millis() < known.time:
        raise Unproven(f"height {header.height} is older than {known.height}")
