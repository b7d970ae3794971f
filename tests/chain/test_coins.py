"""Spellings of amounts: one reading or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.coins import ChainCoin, parse_coins, stored_amount
from ledger.money import Denom

coins = st.builds(
    ChainCoin,
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}", fullmatch=True).map(Denom),
    st.integers(1, 10**78 - 1),
)


@pytest.mark.parametrize(("value", "amount"), [(b"", 0), (b"0", 0), (b"120", 120)])
def test_a_stored_amount(value: bytes, amount: int) -> None:
    assert stored_amount(value) == amount


@pytest.mark.parametrize("value", [b"012", b"-1", b"1 ", b"x", b"\xff", b"1" * 79])
def test_what_the_bank_never_stores_is_no_amount(value: bytes) -> None:
    with pytest.raises(ValueError, match="no amount"):
        stored_amount(value)


@given(st.lists(coins, max_size=4, unique_by=lambda coin: coin.denom))
def test_coins_are_read_back(some: list[ChainCoin]) -> None:
    assert parse_coins(",".join(f"{coin.amount}{coin.denom}" for coin in some)) == tuple(some)


@pytest.mark.parametrize(
    "spelling", ["ujuno", "5", "5 ujuno", "05ujuno", "5ujuno,", "5ujuno,6ujuno", "-5ujuno", "5uj"]
)
def test_another_list_of_coins_is_refused(spelling: str) -> None:
    with pytest.raises(ValueError, match="no list"):
        parse_coins(spelling)
