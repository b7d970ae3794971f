"""What of a result is hashed, against the library's encoding of the deterministic part."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.cosmos import ExecTxResult
from chain.light import merkle
from chain.light.errors import Malformed
from chain.light.results import encoded, outcome_from_json, results_hash
from chain.verified import TxOutcome
from tests.chain.fakechain import result

int64 = st.integers(-(2**63), 2**63 - 1)
outcomes = st.builds(TxOutcome, st.integers(0, 2**32 - 1), st.binary(max_size=50), int64, int64)


@given(outcomes)
def test_a_leaf_is_the_librarys_encoding_of_four_fields(outcome: TxOutcome) -> None:
    assert encoded(outcome) == ExecTxResult(**outcome._asdict()).SerializeToString()


def test_a_plain_success_without_gas_is_an_empty_leaf() -> None:
    assert results_hash([TxOutcome(0, b"", 0, 0)]) == merkle.leaf(b"")


@pytest.mark.parametrize(
    "changed",
    [
        TxOutcome(5, b"data", 150_000, 72_000),
        TxOutcome(0, b"", 150_000, 72_000),
        TxOutcome(0, b"data", 150_001, 72_000),
        TxOutcome(0, b"data", 150_000, 72_001),
    ],
)
def test_each_of_the_four_is_covered(changed: TxOutcome) -> None:
    assert results_hash([changed]) != results_hash([TxOutcome(0, b"data", 150_000, 72_000)])


def test_order_is_covered() -> None:
    first, second = TxOutcome(0, b"", 1, 1), TxOutcome(5, b"", 1, 1)
    assert results_hash([first, second]) != results_hash([second, first])


def test_events_and_log_are_not_hashed() -> None:
    """A forged event leaves the hash as it is: nothing may be credited from events."""
    forged = outcome_from_json(result(log="forged", events=[{"type": "transfer"}], info="x", codespace="sdk"))
    assert forged == outcome_from_json(result())


def test_data_is_base64() -> None:
    assert outcome_from_json(result(data=base64.b64encode(b"\x12\x00").decode())).data == b"\x12\x00"


@pytest.mark.parametrize(
    "changes", [{"code": -1}, {"code": 2**32}, {"data": "!"}, {"gas_used": "many"}, {"code": "0x0"}]
)
def test_another_form_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        outcome_from_json(result(**changes))
