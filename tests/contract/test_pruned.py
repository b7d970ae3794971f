"""What a node answers that has forgotten the first blocks and states of its chain."""

import pytest

from chain import cosmos
from tests.contract.node import Node, RpcError, balance_key


@pytest.mark.parametrize("method", ["block", "block_results", "commit"])
def test_a_pruned_block_is_named_so(forgetful: Node, method: str) -> None:
    with pytest.raises(RpcError) as refused:
        forgetful.call(method, height="1")
    assert refused.value.code == -32603
    assert "height 1 is not available, lowest height is" in refused.value.reason


def test_a_proof_of_a_pruned_state_is_refused(forgetful: Node) -> None:
    key = balance_key(forgetful.faucet.raw_address, "ujuno")
    response = forgetful.query("/store/bank/key", key, height=2, prove=True)
    assert (response["codespace"], response["code"]) == ("store", 7)


def test_without_a_proof_a_pruned_state_looks_like_nothing_owned(forgetful: Node) -> None:
    response = forgetful.query(
        "/store/bank/key", balance_key(forgetful.faucet.raw_address, "ujuno"), height=2
    )
    assert (response["code"], response["value"]) == (0, None)


def test_the_service_refuses_a_pruned_state(forgetful: Node) -> None:
    request = cosmos.QueryBalanceRequest(address=forgetful.faucet.address, denom="ujuno")
    response = forgetful.query("/cosmos.bank.v1beta1.Query/Balance", cosmos.encode(request), height=2)
    assert (response["codespace"], response["code"]) == ("sdk", 18)
