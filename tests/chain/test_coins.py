"""Spellings of amounts: one reading or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.coins import ChainCoin, format_coins, parse_coins, stored_amount, strict_amount
from ledger.money import Denom

coins = st.builds(
    ChainCoin,
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}", fullmatch=True).map(Denom),
    st.integers(1, 10**78 - 1),
)


@pytest.mark.parametrize(
    ("spelling", "amount"), [("1", 1), ("10", 10), ("9" * 78, 10**78 - 1), (str(2**256 - 1), 2**256 - 1)]
)
def test_the_plain_spelling_is_believed(spelling: str, amount: int) -> None:
    assert strict_amount(spelling) == amount


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "0",
        "010",
        "0x7",
        "0b11",
        "0o7",
        "1_000",
        "+7",
        "-7",
        " 7",
        "7 ",
        "7\n",
        "1e3",
        "1.0",
        "\uff11",
        "\u0661",
    ],
)
def test_a_spelling_that_the_chain_may_read_differently_is_not(spelling: str) -> None:
    assert strict_amount(spelling) is None


def test_more_digits_than_an_amount_can_have_are_not_believed() -> None:
    assert strict_amount("1" + "0" * 78) is None


@given(st.text())
def test_what_is_believed_is_spelled_back_the_same(spelling: str) -> None:
    amount = strict_amount(spelling)
    assert amount is None or str(amount) == spelling


@pytest.mark.parametrize(("value", "amount"), [(b"", 0), (b"0", 0), (b"120", 120)])
def test_a_stored_amount(value: bytes, amount: int) -> None:
    assert stored_amount(value) == amount


@pytest.mark.parametrize("value", [b"012", b"-1", b"1 ", b"x", b"\xff", b"1" * 79])
def test_what_the_bank_never_stores_is_no_amount(value: bytes) -> None:
    with pytest.raises(ValueError, match="no amount"):
        stored_amount(value)


@given(st.lists(coins, max_size=4, unique_by=lambda coin: coin.denom))
def test_coins_are_read_back(some: list[ChainCoin]) -> None:
    assert parse_coins(format_coins(tuple(some))) == tuple(some)


@pytest.mark.parametrize(
    "spelling", ["ujuno", "5", "5 ujuno", "05ujuno", "5ujuno,", "5ujuno,6ujuno", "-5ujuno", "5uj"]
)
def test_another_list_of_coins_is_refused(spelling: str) -> None:
    with pytest.raises(ValueError, match="no list"):
        parse_coins(spelling)
