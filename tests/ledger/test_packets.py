"""How a total is cut: nothing is lost, nothing made up, and everybody can do it again."""

import re
from pathlib import Path

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


def test_the_recipe_of_the_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """What docs/giveaways.md gives people to check with gives what was paid."""
    text = (Path(__file__).parents[2] / "docs/giveaways.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(recipe, {})
    told = capsys.readouterr().out.splitlines()
    assert told == [commitment_of(SEED), str(list(packets_of(SEED, 1_000_000, 4)))]


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
