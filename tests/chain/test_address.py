"""Which addresses may be paid, and what each refusal is called."""

import contextlib

import bech32
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import address
from chain.parameters import JUNO_MODULES
from ledger.errors import Refused

ANCHOR = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"
TREASURY = bytes(range(20))
SOMEONE = bytes(range(20, 40))


def destination(text: str) -> address.Destination:
    return address.destination(text, "juno", TREASURY, JUNO_MODULES)


def spelled(raw: bytes, prefix: str = "juno") -> str:
    return address.encode(prefix, raw)


@given(st.binary(min_size=1, max_size=255))
def test_any_bytes_are_read_back(raw: bytes) -> None:
    assert address.decode(spelled(raw), "juno") == raw


def test_upper_case_is_the_same_address() -> None:
    assert destination(ANCHOR.upper()) == destination(ANCHOR)


@pytest.mark.parametrize("length", [20, 32])
def test_keys_and_contracts_may_be_paid(length: int) -> None:
    raw = bytes(range(100, 100 + length))
    assert destination(spelled(raw)) == (spelled(raw), raw)


def refusal(text: str) -> str:
    with pytest.raises(Refused) as caught:
        destination(text)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_an_address"),
        ("juno", "not_an_address"),
        ("juno1", "not_an_address"),
        ("@someone", "not_an_address"),
        (ANCHOR + " ", "not_an_address"),
        (" " + ANCHOR, "not_an_address"),
        (ANCHOR.replace("9", "\uff19"), "not_an_address"),
        (ANCHOR.replace("q", "b"), "not_an_address"),
        ("juno1" + "q" * 2000, "not_an_address"),
        (ANCHOR[:-1] + "F", "mixed_case"),
        (ANCHOR.capitalize(), "mixed_case"),
        (ANCHOR[:-1] + "g", "bad_checksum"),
        (ANCHOR.replace("rl4", "r4l"), "bad_checksum"),
        (ANCHOR[:-1], "bad_checksum"),
        (spelled(SOMEONE, "cosmos"), "wrong_prefix"),
        (spelled(SOMEONE, "junovaloper"), "wrong_prefix"),
        (spelled(SOMEONE[:19]), "wrong_length"),
        (spelled(bytes(33)), "wrong_length"),
        (spelled(TREASURY), "own_treasury"),
        (spelled(TREASURY).upper(), "own_treasury"),
        (spelled(address.module_address("gov")), "module_account"),
        (spelled(address.module_address("feepay")), "module_account"),
    ],
)
def test_each_refusal_has_its_own_code(text: str, code: str) -> None:
    assert refusal(text) == code


def test_padding_that_is_not_zero_is_refused() -> None:
    """Two spellings of one address would be two addresses in a list of known ones."""
    groups = bech32.convertbits(bytes(32), 8, 5)
    assert groups is not None
    groups[-1] |= 1
    assert refusal(bech32.bech32_encode("juno", groups)) == "wrong_length"


def test_a_known_module_account() -> None:
    """The fee collector has the same bytes on every chain of the SDK."""
    known = "cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta"
    assert spelled(address.module_address("fee_collector"), "cosmos") == known


@pytest.mark.parametrize("module", ["junoburn", "interchainquery", "globalfee"])
def test_accounts_of_juno_s_own_modules_are_known(module: str) -> None:
    """The chain refuses coins for them in a block: the whole batch would fail, and cost its fee."""
    assert refusal(spelled(address.module_address(module))) == "module_account"


def test_the_module_is_named() -> None:
    with pytest.raises(Refused) as caught:
        destination(spelled(address.module_address("gov")))
    assert caught.value.facts == {"module": "gov"}


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(Refused):
        destination(text)


@given(st.integers(5, len(ANCHOR) - 1), st.sampled_from(bech32.CHARSET))
def test_one_wrong_letter_never_passes(position: int, letter: str) -> None:
    bent = ANCHOR[:position] + letter + ANCHOR[position + 1 :]
    assert bent == ANCHOR or refusal(bent) == "bad_checksum"


def test_the_memo_is_measured_in_bytes() -> None:
    with pytest.raises(Refused) as caught:
        address.checked_memo("\u00e4" * 129, 256)
    assert (caught.value.code, caught.value.facts) == ("memo_too_long", {"bytes": 258, "limit": 256})


def test_a_memo_of_256_bytes_fits() -> None:
    assert address.checked_memo("x" * 256, 256) == "x" * 256


def test_half_a_character_is_no_memo() -> None:
    with pytest.raises(Refused, match="memo_not_text"):
        address.checked_memo("\ud83d", 256)
