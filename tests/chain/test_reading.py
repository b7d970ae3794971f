"""Strict reading of a node's JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.light import reading
from chain.light.errors import Malformed
from chain.light.reading import Timestamp
from tests.chain.fakechain import b64


@pytest.mark.parametrize("value", ["", "text", {}, {"0": 1}, 0, False])
def test_what_is_no_array_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        reading.sequence(value, "rows")


def test_null_is_an_empty_array() -> None:
    assert reading.sequence(None, "rows") == ()


@pytest.mark.parametrize("value", [5, [], {}, True, "=", "AAA", "A A=", "\u00e4AAA", "AA==AA=="])
def test_what_is_no_base64_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        reading.base64_octets(value, "value")


@given(st.binary(max_size=50))
def test_base64_is_read_back(octets: bytes) -> None:
    assert reading.base64_octets(b64(octets), "value") == octets


@given(st.binary(max_size=50), st.booleans())
def test_hexadecimal_is_read_back_in_either_case(octets: bytes, upper: bool) -> None:
    spelled = octets.hex().upper() if upper else octets.hex()
    assert reading.hexadecimal({"key": spelled}, "key") == octets


@pytest.mark.parametrize("value", ["0", "0g", "00 11", " 00", "0x00", "\uff10\uff10", "00\n"])
def test_what_is_no_hexadecimal_is_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        reading.hexadecimal({"key": value}, "key")


@pytest.mark.parametrize("number", [-(2**63), -1, 0, 2**63 - 1])
@pytest.mark.parametrize("spell", [int, str])
def test_64_bits_are_read(number: int, spell: Any) -> None:
    assert reading.integer({"key": spell(number)}, "key") == number


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, str(2**63), "+1", "1_0", " 1", "1.0", 1.0, True, [], "9" * 20]
)
def test_what_is_no_64_bit_integer_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        reading.integer({"key": value}, "key")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:00Z", Timestamp(0, 0)),
        ("1970-01-01T23:59:59.5Z", Timestamp(86_399, 500_000_000)),
        ("0001-01-01T00:00:00Z", Timestamp(-62_135_596_800, 0)),
        ("2024-02-29T12:00:00.000000001Z", Timestamp(1_709_208_000, 1)),
    ],
)
def test_times_keep_their_nanoseconds(text: str, time: Timestamp) -> None:
    assert reading.timestamp({"key": text}, "key") == time


@pytest.mark.parametrize(
    "text", ["2023-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "1970-01-01T00:00:60Z", "x", ""]
)
def test_what_is_no_time_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        reading.timestamp({"key": text}, "key")


def test_text_beyond_ascii_is_read() -> None:
    assert reading.text({"key": "\u00e4\U0001f600"}, "key") == "\u00e4\U0001f600"


def test_half_a_character_is_malformed() -> None:
    with pytest.raises(Malformed):
        reading.text({"key": "a\ud83d"}, "key")
