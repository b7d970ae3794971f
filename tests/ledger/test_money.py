from hypothesis import given
from hypothesis import strategies as st

from ledger.money import Asset, Denom, format_amount

JUNO = Asset(Denom("ujuno"), "JUNO", 6)


def test_zeros_at_the_end_are_left_out() -> None:
    assert [format_amount(amount, JUNO) for amount in (1_500_000, 1_000_000, 1, 0, -1_500_000)] == [
        "1.5 JUNO",
        "1 JUNO",
        "0.000001 JUNO",
        "0 JUNO",
        "-1.5 JUNO",
    ]


def test_an_asset_may_have_no_decimals() -> None:
    assert format_amount(120, Asset(Denom("x"), "X", 0)) == "120 X"


@given(st.integers(-(2**63), 2**63), st.integers(0, 18))
def test_no_base_unit_is_lost(amount: int, decimals: int) -> None:
    text = format_amount(amount, Asset(Denom("x"), "X", decimals)).removesuffix(" X")
    whole, _, fraction = text.removeprefix("-").partition(".")
    value = int(whole + fraction.ljust(decimals, "0"))
    assert (-value if text.startswith("-") else value) == amount
