"""What of a transaction's result validators vouch for, in the next header's ``last_results_hash``."""

from collections.abc import Sequence
from typing import Any

from chain.light import merkle, reading, wire
from chain.light.errors import Malformed
from chain.verified import TxOutcome

_UINT32_MAX = 2**32 - 1


def outcome_from_json(document: Any) -> TxOutcome:
    """Read one element of ``txs_results``; raises Malformed."""
    source = reading.mapping(document, "result")
    code = reading.natural(source, "code")
    if code > _UINT32_MAX:
        raise Malformed("code is no 32-bit integer")
    content = reading.base64_octets(source.get("data"), "data")
    return TxOutcome(
        code, content, reading.integer(source, "gas_wanted"), reading.integer(source, "gas_used")
    )


def encoded(outcome: TxOutcome) -> bytes:
    """Return the leaf of one outcome. Events, log, info and codespace are not hashed (chain.md, Deposits 2)."""
    return (
        wire.integer(1, outcome.code)
        + wire.octets(2, outcome.data)
        + wire.integer(5, outcome.gas_wanted)
        + wire.integer(6, outcome.gas_used)
    )


def results_hash(outcomes: Sequence[TxOutcome]) -> bytes:
    """Return ``last_results_hash`` of the header after the block with these outcomes."""
    return merkle.root([encoded(outcome) for outcome in outcomes])
