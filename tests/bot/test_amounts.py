"""An amount is one spelling or a refusal that names what was wrong."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.amounts import Wanted, looks_like_amount, read_amount, take_amount
from ledger.errors import Refused
from ledger.money import Amount, Asset, Denom

JUNO = Asset(Denom("ujuno"), "JUNO", 6)
USDC = Asset(Denom("ibc/4A4"), "USDC", 6)
WHOLE = Asset(Denom("utile"), "TILE", 0)
ASSETS = (JUNO, USDC)


def refusal(text: str, asset: Asset = JUNO) -> Refused:
    with pytest.raises(Refused) as refused:
        read_amount(text, (asset,))
    return refused.value


def offers(text: str) -> list[str]:
    """What is offered instead of ``text``; nothing when it is accepted."""
    try:
        read_amount(text, (JUNO,))
    except Refused as refused:
        return list(refused.facts["instead"])
    return []


def wanted(units: int | None, asset: Asset = JUNO) -> Wanted:
    return Wanted(None if units is None else Amount(units), asset)


@pytest.mark.parametrize(
    ("typed", "units"),
    [
        ("1", 1_000_000),
        ("1.5", 1_500_000),
        ("0.000001", 1),
        ("010", 10_000_000),
        ("999999999999.999999", 999_999_999_999_999_999),
        ("5JUNO", 5_000_000),
        ("5 JUNO", 5_000_000),
        ("5 juno", 5_000_000),
        ("2.25juno", 2_250_000),
    ],
)
def test_accepted_spellings_are_base_units(typed: str, units: int) -> None:
    assert read_amount(typed, ASSETS) == wanted(units)


@pytest.mark.parametrize("typed", ["all", "ALL", "All", "all JUNO"])
def test_all_is_no_number(typed: str) -> None:
    assert read_amount(typed, ASSETS) == wanted(None)


def test_a_symbol_chooses_the_asset() -> None:
    assert read_amount("3 usdc", ASSETS) == wanted(3_000_000, USDC)


@pytest.mark.parametrize(
    ("typed", "code", "instead"),
    [
        ("", "amount_empty", []),
        ("+5", "amount_signed", ["5"]),
        ("-5", "amount_signed", ["5"]),
        ("\u22125", "amount_signed", ["5"]),
        ("1e5", "amount_exponent", []),
        ("1.5E-3", "amount_exponent", []),
        ("nan", "amount_not_finite", []),
        ("Infinity", "amount_not_finite", []),
        ("-inf", "amount_not_finite", []),
        ("1,000,000", "amount_separated", ["1000000"]),
        ("1.000.000", "amount_separated", ["1000000"]),
        ("1,000.50", "amount_separated", ["1000.50"]),
        ("1.000,50", "amount_separated", ["1000.50"]),
        ("1'000", "amount_separated", ["1000"]),
        ("1\u2019000", "amount_separated", ["1000"]),
        ("1.2.3", "amount_separated", []),
        ("1_000", "amount_underscored", ["1000"]),
        ("\u0967\u0968", "amount_foreign_digits", ["12"]),
        ("\uff11\uff12", "amount_foreign_digits", ["12"]),
        ("1,5", "amount_comma", ["1.5"]),
        ("1,000", "amount_comma", ["1.000", "1000"]),
        (",5", "amount_comma", ["0.5"]),
        ("1.1234567", "amount_too_precise", ["1.123456"]),
        ("0.0000001", "amount_too_precise", []),
        ("1234567890123", "amount_too_long", []),
        ("9" * 500, "amount_too_long", []),
        ("0", "amount_zero", []),
        ("0.000000", "amount_zero", []),
        ("0x7", "amount_hex", []),
        ("0b11", "amount_hex", []),
        ("5 ATOM", "amount_symbol", ["5"]),
        ("5ATOM", "amount_symbol", ["5"]),
        ("5000000ujuno", "amount_base_units", []),
        ("$5", "amount_currency", []),
        ("5€", "amount_currency", []),
        ("1/2", "amount_fraction", []),
        ("½", "amount_fraction", []),
        ("5.", "amount_trailing_dot", ["5"]),
        (".5", "amount_leading_dot", ["0.5"]),
        ("50%", "amount_percent", []),
        ("5k", "amount_abbreviated", []),
        ("five", "amount_unreadable", []),
        ("5\u200b", "amount_unreadable", []),
        ("x" * 500, "amount_unreadable", []),
    ],
)
def test_each_rejected_form_has_its_own_code(typed: str, code: str, instead: list[str]) -> None:
    refused = refusal(typed)
    assert (refused.code, refused.facts["instead"]) == (code, instead)


def test_all_can_be_out_of_place() -> None:
    with pytest.raises(Refused, match="amount_all"):
        read_amount("all", ASSETS, all_allowed=False)


def test_decimals_are_those_of_the_asset() -> None:
    assert refusal("1.5", WHOLE).code == "amount_too_precise"


def test_what_was_typed_is_echoed_short() -> None:
    assert len(refusal("x" * 500).facts["typed"]) == 32


def test_the_words_behind_are_returned() -> None:
    assert take_amount(["5", "juno", "for", "lunch"], ASSETS) == (wanted(5_000_000), ["for", "lunch"])


def test_no_words_are_no_amount() -> None:
    with pytest.raises(Refused, match="amount_missing"):
        take_amount([], ASSETS)


def test_thousands_apart_are_not_one() -> None:
    """``/send 1 000`` would otherwise send 1."""
    with pytest.raises(Refused) as refused:
        take_amount(["1", "000", "@bob"], ASSETS)
    assert (refused.value.code, refused.value.facts["instead"]) == ("amount_separated", ["1000"])


@pytest.mark.parametrize("word", ["5", "-5", "1,5", ".5", "$5", "all", "nan", "१२", "½", "5JUNO"])
def test_words_meant_as_amounts_are_seen(word: str) -> None:
    assert looks_like_amount(word)


@pytest.mark.parametrize("word", ["", "@bob", "bob5", "thanks", "JUNO"])
def test_other_words_are_not(word: str) -> None:
    assert not looks_like_amount(word)


@given(st.one_of(st.text(), st.text("0123456789.,eE+-_xX ٣１½/'kJUNOall", max_size=24)))
def test_nothing_but_the_one_spelling_is_ever_accepted(text: str) -> None:
    """What is accepted matches the pattern of the specification, and its value is exact."""
    try:
        amount = read_amount(text, (JUNO,)).amount
    except Refused:
        return
    if amount is None:
        assert text.strip().lower() in ("all", "all juno")
        return
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?(?:juno)?", text.strip(), re.IGNORECASE | re.ASCII)
    assert match is not None
    assert Decimal(match[1]) * 10**6 == amount


@given(st.text("0123456789.,'_+-\u0967", min_size=1, max_size=24))
def test_what_is_offered_instead_would_be_accepted(text: str) -> None:
    assert all(read_amount(offer, (JUNO,)).amount for offer in offers(text))


@given(st.integers(1, 10**18 - 1))
def test_every_amount_written_out_is_read_back(units: int) -> None:
    whole, fraction = divmod(units, 10**6)
    assert read_amount(f"{whole}.{fraction:06d}", ASSETS).amount == units
