"""Events against proofs: a claim is compared, never believed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.crosscheck import claimed_changes
from ledger.money import Denom

US = "juno1us"
JUNO = Denom("ujuno")


def event(kind: str, party: str, who: str, amount: str) -> dict[str, Any]:
    return {"type": kind, "attributes": [{"key": party, "value": who}, {"key": "amount", "value": amount}]}


def received(amount: str, who: str = US) -> dict[str, Any]:
    return event("coin_received", "receiver", who, amount)


def spent(amount: str, who: str = US) -> dict[str, Any]:
    return event("coin_spent", "spender", who, amount)


@pytest.mark.parametrize(
    ("claims", "change"),
    [
        ({}, 0),
        ({"txs": [{"events": [received("5ujuno")]}]}, 5),
        ({"txs": [{"events": [received("5ujuno"), spent("2ujuno")]}, {"events": [spent("1ujuno")]}]}, 2),
        ({"txs": [{}], "block_events": [received("7ujuno")]}, 7),
        ({"txs": [{"events": [received("5ujuno", who="juno1other")]}]}, 0),
        ({"txs": [{"events": [received("5uatom,7ujuno")]}]}, 7),
        ({"txs": [{"events": [received("")]}]}, 0),
        ({"txs": [{"events": [event("transfer", "recipient", US, "5ujuno")]}]}, 0),
    ],
)
def test_what_events_claim(claims: dict[str, Any], change: int) -> None:
    assert claimed_changes(claims, US, [JUNO]) == {JUNO: change}


@pytest.mark.parametrize(
    "claims",
    [
        {"txs": [7]},
        {"txs": [{"events": [{}]}]},
        {"txs": [{"events": [received("five")]}]},
        {"block_events": ["x"]},
        {"txs": [{"events": [{"type": "coin_received", "attributes": [{"key": []}]}]}]},
    ],
)
def test_events_in_no_known_form_claim_nothing(claims: dict[str, Any]) -> None:
    assert claimed_changes(claims, US, [JUNO]) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["txs", "events", "block_events", "type", "attributes", "key", "value"]),
            inner,
            max_size=4,
        )
    ),
)


@given(claims=st.dictionaries(st.sampled_from(["txs", "block_events"]), _JSON))
def test_no_claims_stop_the_scanner(claims: dict[str, Any]) -> None:
    claimed_changes(claims, US, [JUNO])
