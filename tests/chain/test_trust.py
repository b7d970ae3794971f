"""From a trusted header to a later one: each reason to refuse by itself, with everything else in order."""

from dataclasses import replace
from typing import Any

import pytest

from chain.light.commit import Commit, ValidatorSet
from chain.light.errors import TooFewSigned, Unproven
from chain.light.header import BlockId
from chain.light.reading import Timestamp
from chain.light.trust import SignedHeader, accept, link_back, link_range, self_signed, trusted
from chain.verified import TrustedHeader
from tests.chain.fakechain import CHAIN_ID, FILLER, FakeBlock, FakeChain, resigned, validator_set


def grown(sets: dict[int, tuple[int, ...]] | None = None) -> FakeChain:
    chain = FakeChain(sets=sets or {1: (0, 1, 2, 3)})
    chain.grow_by(12)
    return chain


CHAIN = grown()
CHANGED = grown({1: (0, 1, 2, 3), 6: (2, 3, 4, 5), 9: (6, 7, 8)})


def signed(block: FakeBlock) -> SignedHeader:
    return SignedHeader(block.header, block.commit)


def go(chain: FakeChain, start: int, block: FakeBlock, known: TrustedHeader | None = None) -> TrustedHeader:
    """Accept ``block`` going out from height ``start``, with the sets that the chain really has."""
    earlier = validator_set(chain.numbers(start + 1))
    own = validator_set(block.validators)
    return accept(known or chain.trusted(start), earlier, signed(block), own, CHAIN_ID)


@pytest.mark.parametrize("height", [4, 5, 12])
def test_the_same_validators_are_followed_at_any_distance(height: int) -> None:
    assert go(CHAIN, 3, CHAIN.block(height)) == CHAIN.trusted(height)


def test_a_set_that_kept_more_than_a_third_is_jumped_to() -> None:
    assert go(CHANGED, 3, CHANGED.block(7)) == CHANGED.trusted(7)


def test_a_set_of_strangers_is_too_far() -> None:
    with pytest.raises(TooFewSigned):
        go(CHANGED, 3, CHANGED.block(10))


def test_a_set_of_strangers_that_the_header_before_names_is_followed() -> None:
    assert go(CHANGED, 8, CHANGED.block(9)) == CHANGED.trusted(9)


def test_the_next_header_must_have_the_named_validators() -> None:
    """Even when more than a third of the trusted set signed: the very next set is known exactly."""
    other = FakeChain(sets={1: (0, 1, 2, 9)})
    other.grow_by(12)
    with pytest.raises(Unproven, match="other validators than the header before it named"):
        go(CHAIN, 3, other.block(4))


def test_a_jump_of_two_may_change_the_set() -> None:
    assert go(CHANGED, 4, CHANGED.block(6)) == CHANGED.trusted(6)


def test_validators_that_the_header_does_not_name_are_refused() -> None:
    block = CHAIN.block(5)
    own = ValidatorSet((*validator_set(block.validators).validators[:3], validator_set((9,)).validators[0]))
    with pytest.raises(Unproven, match="not those that its header names"):
        accept(CHAIN.trusted(4), None, signed(block), own, CHAIN_ID)


def refused(changes: dict[str, Any], known: dict[str, Any] | None = None) -> str:
    """What is said to a header with ``changes`` that its validators all signed."""
    block = resigned(CHAIN, CHAIN.block(5), **changes)
    with pytest.raises(Unproven) as caught:
        go(CHAIN, 3, block, replace(CHAIN.trusted(3), **known or {}))
    return str(caught.value)


def test_another_chain_is_refused() -> None:
    assert "chain 'fake-2'" in refused({"chain_id": "fake-2"})


@pytest.mark.parametrize("height", [1, 2, 3])
def test_a_height_that_is_not_above_is_refused(height: int) -> None:
    assert "does not follow" in refused({"height": height})


def test_a_time_before_the_trusted_one_is_refused() -> None:
    earlier = CHAIN.block(3).header.time
    assert "older" in refused({"time": Timestamp(earlier.seconds, earlier.nanos - 1_000_000)})


def test_the_same_time_is_not_refused() -> None:
    block = resigned(CHAIN, CHAIN.block(5), time=CHAIN.block(3).header.time)
    assert go(CHAIN, 3, block).time == CHAIN.trusted(3).time


def test_too_few_of_its_own_is_no_reason_for_smaller_steps() -> None:
    """Otherwise a liar could make the client ask for every height between."""
    block = CHAIN.block(9)
    lame = replace(block, commit=replace(block.commit, signatures=_only_first(block.commit)))
    with pytest.raises(Unproven, match="its own validators did not sign") as caught:
        self_signed(signed(lame), validator_set(block.validators), CHAIN_ID)
    assert not isinstance(caught.value, TooFewSigned)


def _only_first(commit: Commit) -> tuple[Any, ...]:
    return (commit.signatures[0], *(slot._replace(flag=1) for slot in commit.signatures[1:]))


def test_a_commit_of_another_height_is_refused_before_its_signatures() -> None:
    block = CHAIN.block(9)
    later = replace(block, commit=replace(block.commit, height=10))
    with pytest.raises(Unproven, match="commit is of height 10, not 9"):
        go(CHAIN, 3, later)


def headers(chain: FakeChain, first: int, last: int) -> list[Any]:
    return [chain.block(height).header for height in range(first, last + 1)]


def test_headers_between_are_linked() -> None:
    link_back(CHAIN.block(10).header, headers(CHAIN, 4, 9), CHAIN.trusted(3))


def test_an_adjacent_top_needs_none_between() -> None:
    link_back(CHAIN.block(4).header, [], CHAIN.trusted(3))


@pytest.mark.parametrize(("first", "last"), [(4, 8), (5, 9), (3, 9), (4, 10), (5, 4)])
def test_a_gap_is_refused(first: int, last: int) -> None:
    with pytest.raises(Unproven):
        link_back(CHAIN.block(10).header, headers(CHAIN, first, last), CHAIN.trusted(3))


def test_heights_are_checked_before_the_links() -> None:
    with pytest.raises(Unproven, match="not the headers from 4 to 9"):
        link_range(headers(CHAIN, 5, 9), 4, 9, CHAIN.block(10).header.last_block_id.hash)


def test_another_order_is_refused() -> None:
    with pytest.raises(Unproven):
        link_back(CHAIN.block(10).header, headers(CHAIN, 4, 9)[::-1], CHAIN.trusted(3))


@pytest.mark.parametrize("height", range(4, 10))
def test_a_bent_header_between_is_refused(height: int) -> None:
    between = headers(CHAIN, 4, 9)
    between[height - 4] = replace(between[height - 4], app_hash=FILLER)
    with pytest.raises(Unproven, match=f"header {height} is not the one"):
        link_back(CHAIN.block(10).header, between, CHAIN.trusted(3))


def test_another_trusted_block_is_refused() -> None:
    with pytest.raises(Unproven, match="another block at the trusted height 3"):
        link_back(CHAIN.block(10).header, headers(CHAIN, 4, 9), replace(CHAIN.trusted(3), block_id=FILLER))


def test_what_is_kept_of_a_header_is_all_that_the_next_one_needs() -> None:
    header = CHAIN.block(7).header
    assert trusted(header).block_id == header.hash() == CHAIN.block(8).header.last_block_id.hash


def test_block_ids_with_other_parts_are_other_votes() -> None:
    block = CHAIN.block(9)
    moved = replace(block.commit, block_id=BlockId(block.header.hash(), 2, FILLER))
    with pytest.raises(Unproven):
        go(CHAIN, 3, replace(block, commit=moved))
