"""How a total is cut: nothing is lost, nothing made up, and everybody can do it again."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.packets import SEED_BITS, commitment_of, equal_shares, packets_of, seed_of

SEED = "ab" * 32
SEEDS = st.integers(0, 2**SEED_BITS - 1).map(seed_of)
SLOTS = st.integers(1, 300)


@given(st.integers(0, 2**62), st.integers(1, 10_000))
def test_equal_shares_conserve(total: int, parts: int) -> None:
    share, remainder = equal_shares(total, parts)
    assert share * parts + remainder == total
    assert 0 <= remainder < parts


@given(SEEDS, SLOTS, st.integers(0, 2**61))
def test_packets_conserve_and_are_never_empty(seed: str, slots: int, spare: int) -> None:
    packets = packets_of(seed, slots + spare, slots)
    assert len(packets) == slots
    assert sum(packets) == slots + spare
    assert min(packets) >= 1


@given(SEEDS, SEEDS)
def test_another_seed_gives_other_packets(one: str, other: str) -> None:
    if one != other:
        assert packets_of(one, 10**12, 20) != packets_of(other, 10**12, 20)
        assert commitment_of(one) != commitment_of(other)


def test_the_recipe_of_the_documents() -> None:
    """The ten lines that docs/giveaways.md gives people, and they give what was paid."""
    total, slots = 1_000_000, 4
    spare = total - slots
    cuts = sorted(
        int(sha256(f"{SEED}:{number}".encode()).hexdigest(), 16) % (spare + 1) for number in range(1, slots)
    )
    edges = [0, *cuts, spare]
    assert packets_of(SEED, total, slots) == tuple(
        1 + edges[place + 1] - edges[place] for place in range(slots)
    )


def test_packets_do_not_change_with_a_release() -> None:
    """Running giveaways were promised these."""
    assert packets_of(SEED, 1_000_000, 4) == (738_827, 71_282, 5_436, 184_455)


@pytest.mark.parametrize(("total", "slots"), [(0, 1), (3, 4), (5, 0), (5, -1)])
def test_less_than_a_base_unit_for_each_is_no_packet(total: int, slots: int) -> None:
    with pytest.raises(ValueError, match="packets"):
        packets_of(SEED, total, slots)


def test_a_seed_is_64_digits() -> None:
    assert seed_of(1) == "0" * 63 + "1"
    assert len(seed_of(2**SEED_BITS - 1)) == 64
