"""The chain's verdict on what no decent client sends; all of it travels at once, so that it takes some blocks only."""

from collections.abc import Callable

import pytest

from tests.contract.node import Node
from tests.contract.oddities import ODDITIES, Oddity, Verdict
from tests.contract.signing import Draft, Person

BLOCKS = 6


@pytest.fixture(scope="module")
def verdicts(node: Node, rich: Callable[[], Person]) -> dict[str, Verdict | None]:
    """Return what became of each; None for what never was in a block."""
    other, start = rich().address, node.height()
    found: dict[str, Verdict | None] = {}
    waiting: dict[str, bytes] = {}
    for oddity in ODDITIES:
        raw = _composed(node, oddity, rich(), other)
        answer = node.broadcast(raw)
        found[oddity.name] = Verdict(False, answer["code"], answer["codespace"])
        if answer["code"] == 0:
            waiting[oddity.name] = raw
    top = node.height() + BLOCKS
    for name, raw in waiting.items():
        inclusion = node.seek(raw, start, blocks=top - start)
        found[name] = Verdict(True, inclusion.code, inclusion.codespace) if inclusion else None
    return found


def _composed(node: Node, oddity: Oddity, signer: Person, other: str) -> bytes:
    return oddity.compose(Draft(signer, node.chain_id, node.account(signer.raw_address)), other)


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda oddity: oddity.name)
def test_verdict(verdicts: dict[str, Verdict | None], oddity: Oddity) -> None:
    assert verdicts[oddity.name] == oddity.verdict
