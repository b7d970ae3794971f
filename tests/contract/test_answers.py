"""What a node answers to questions that have no good answer, and the forms that clients stumble over."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from chain import cosmos
from chain.wallet import tx_hash
from tests.contract.node import Node, RpcError, account_key, balance_key
from tests.contract.signing import Draft, Person

BATCH_LIMIT = 10


def _calls(count: int) -> list[dict[str, Any]]:
    return [{"jsonrpc": "2.0", "id": number, "method": "status", "params": {}} for number in range(count)]


def test_heights_are_strings(node: Node) -> None:
    assert isinstance(node.call("status")["sync_info"]["latest_block_height"], str)


def test_the_status_names_the_chain(node: Node) -> None:
    status = node.call("status")
    assert status["node_info"]["network"] == node.chain_id
    assert status["sync_info"]["catching_up"] is False
    assert status["sync_info"]["earliest_block_height"] == "1"


def test_a_height_asked_as_a_number_is_refused(node: Node) -> None:
    with pytest.raises(RpcError) as refused:
        node.call("block", height=1)
    assert refused.value.code == -32602


def test_a_batch_of_ten_is_answered_in_order(node: Node) -> None:
    answers = node.post(_calls(BATCH_LIMIT)).json()
    assert [answer["id"] for answer in answers] == list(range(BATCH_LIMIT))


def test_a_batch_of_eleven_is_one_error(node: Node) -> None:
    response = node.post(_calls(BATCH_LIMIT + 1))
    answer = response.json()
    assert response.status_code == 200
    assert isinstance(answer, dict)
    assert answer["error"]["code"] == -32600


def test_a_batch_answers_each_call_by_itself(node: Node) -> None:
    calls = _calls(2)
    calls[0] |= {"method": "block", "params": {"height": str(node.height() + 1000)}}
    failed, good = node.post(calls).json()
    assert "error" in failed
    assert "result" in good


def test_a_future_block_must_be_waited_for(node: Node) -> None:
    with pytest.raises(RpcError) as refused:
        node.call("block", height=str(node.height() + 1000))
    assert refused.value.code == -32603
    assert "must be less than or equal to the current blockchain height" in refused.value.reason


@pytest.mark.parametrize("method", ["block_results", "commit", "validators"])
def test_what_belongs_to_a_future_block_must_be_waited_for(node: Node, method: str) -> None:
    with pytest.raises(RpcError) as refused:
        node.call(method, height=str(node.height() + 1000))
    assert "must be less than or equal to" in refused.value.reason


def test_height_zero_is_no_height(node: Node) -> None:
    with pytest.raises(RpcError) as refused:
        node.call("block", height="0")
    assert refused.value.reason == "height must be greater than 0, but got 0"


def test_results_of_the_latest_block_come_in_the_end(node: Node) -> None:
    """They may be asked for too early, which is an error of the waiting kind, never another answer."""
    height = node.height() + 1
    node.wait(lambda: node.height() >= height or None, f"height {height}")
    assert node.wait(lambda: _results(node, height), "results")["height"] == str(height)


def _results(node: Node, height: int) -> Any:
    answer = node.answer("block_results", height=str(height))
    if "error" in answer:
        assert "could not find results" in answer["error"]["data"], answer
        return None
    return answer["result"]


def test_an_empty_block_has_no_results(node: Node) -> None:
    results = node.call("block_results", height="1")
    assert results["txs_results"] is None


def test_get_turns_errors_into_500(node: Node) -> None:
    response = node.get(f"/block?height={node.height() + 1000}")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == -32603


def test_get_answers_what_is_there(node: Node) -> None:
    assert node.get("/block?height=1").json()["result"] == node.call("block", height="1")


def test_an_unknown_method(node: Node) -> None:
    with pytest.raises(RpcError) as refused:
        node.call("no_such_method")
    assert refused.value.code == -32601


def test_what_is_no_json(node: Node) -> None:
    answer = node.post_bytes(b"{").json()
    assert answer["error"]["code"] == -32700


def test_validators_are_paged(node: Node) -> None:
    answer = node.call("validators", height="1", page="2", per_page="3")
    assert (answer["total"], answer["count"]) == ("4", "1")


def test_a_validators_page_beyond_the_last_is_an_error(node: Node) -> None:
    with pytest.raises(RpcError) as refused:
        node.call("validators", height="1", page="9", per_page="100")
    assert "page should be within [1, 1] range, given 9" in refused.value.reason


# abci_query


def test_a_proof_of_the_future_is_refused(node: Node) -> None:
    response = node.query("/store/bank/key", b"\x02", height=node.height() + 1000, prove=True)
    assert (response["codespace"], response["code"]) == ("store", 7)
    assert response["log"].startswith("proof is unexpectedly empty; ensure height has not been pruned")


def test_without_a_proof_the_future_looks_like_nothing_owned(node: Node) -> None:
    """Why balances are never read without a proof: code 0, no value, and the height that was asked for."""
    height = node.height() + 1000
    response = node.query("/store/bank/key", balance_key(node.faucet.raw_address, "ujuno"), height=height)
    assert (response["code"], response["value"], response["height"]) == (0, None, str(height))


def test_nothing_is_proved_of_the_first_height(node: Node) -> None:
    response = node.query("/store/bank/key", b"\x02", height=1, prove=True)
    assert (response["codespace"], response["code"]) == ("sdk", 18)


def test_the_service_refuses_the_future(node: Node) -> None:
    request = cosmos.QueryBalanceRequest(address=node.faucet.address, denom="ujuno")
    response = node.query(
        "/cosmos.bank.v1beta1.Query/Balance", cosmos.encode(request), height=node.height() + 1000
    )
    assert (response["codespace"], response["code"]) == ("sdk", 26)


def test_height_zero_is_the_latest_and_the_answer_says_which(node: Node) -> None:
    before = node.height()
    response = node.query("/store/bank/key", balance_key(node.faucet.raw_address, "ujuno"))
    assert before - 1 <= int(response["height"]) <= node.height()


def test_a_store_that_is_not_there(node: Node) -> None:
    response = node.query("/store/nothing/key", b"\x01")
    assert (response["codespace"], response["code"]) == ("store", 4)


def test_a_path_that_is_not_there(node: Node) -> None:
    response = node.query("/nothing", b"\x01")
    assert (response["codespace"], response["code"]) == ("sdk", 6)


def test_an_absent_key_has_no_value(node: Node) -> None:
    response = node.query("/store/acc/key", account_key(bytes(20)))
    assert (response["code"], response["value"]) == (0, None)


def test_the_service_answers_an_unknown_account_with_22(node: Node) -> None:
    request = cosmos.QueryAccountRequest(address=Person.named("never seen").address)
    response = node.query("/cosmos.auth.v1beta1.Query/Account", cosmos.encode(request))
    assert (response["codespace"], response["code"]) == ("sdk", 22)


def test_the_service_answers_an_unknown_denom_with_nothing_owned(node: Node) -> None:
    request = cosmos.QueryBalanceRequest(address=node.faucet.address, denom="unobody")
    response = node.query("/cosmos.bank.v1beta1.Query/Balance", cosmos.encode(request))
    answer = cosmos.decode(cosmos.QueryBalanceResponse, _value(response))
    assert (response["code"], answer.balance.amount) == (0, "0")


def test_the_service_agrees_with_the_store(node: Node, bob: Person) -> None:
    request = cosmos.QueryBalanceRequest(address=bob.address, denom="ujuno")
    response = node.query("/cosmos.bank.v1beta1.Query/Balance", cosmos.encode(request))
    answer = cosmos.decode(cosmos.QueryBalanceResponse, _value(response))
    assert int(answer.balance.amount) == node.balance(bob.raw_address)


def test_simulation_needs_no_signature(node: Node, draft: Draft, bob: Person) -> None:
    tx = cosmos.decode(cosmos.TxRaw, draft.send(bob.address, 1))
    tx.signatures[0] = b""
    request = cosmos.SimulateRequest(tx_bytes=cosmos.encode(tx))
    response = node.query("/cosmos.tx.v1beta1.Service/Simulate", cosmos.encode(request))
    simulated = cosmos.decode(cosmos.SimulateResponse, _value(response)).gas_info.gas_used
    used = node.include(draft.send(bob.address, 1)).gas_used
    assert 0.85 * used < simulated < 1.05 * used


def _value(response: dict[str, Any]) -> bytes:
    return b64decode(response["value"] or "")


# Looking for transactions


def test_tx_finds_what_was_included(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, 1)
    inclusion = node.include(raw)
    hash_ = b64encode(bytes.fromhex(tx_hash(raw))).decode()
    found = node.wait(lambda: _tx(node, hash_), "the index")
    assert (int(found["height"]), found["tx"]) == (inclusion.height, b64encode(raw).decode())


def test_tx_does_not_find_what_never_was(node: Node) -> None:
    with pytest.raises(RpcError) as refused:
        node.call("tx", hash=b64encode(bytes(32)).decode())
    assert f"tx ({bytes(32).hex().upper()}) not found" in refused.value.reason


def test_search_by_hash_finds_one(node: Node, draft: Draft, bob: Person) -> None:
    """What CosmJS does to wait for a transaction."""
    raw = draft.send(bob.address, 1)
    node.include(raw)
    query = f"tx.hash='{tx_hash(raw)}'"
    found = node.wait(lambda: node.call("tx_search", query=query)["txs"] or None, "the index")
    assert [each["hash"] for each in found] == [tx_hash(raw)]


def _tx(node: Node, hash_: str) -> Any:
    try:
        return node.call("tx", hash=hash_)
    except RpcError:
        return None


def test_answers_are_json(node: Node) -> None:
    response = node.post(_calls(1)[0])
    assert response.headers["content-type"].startswith("application/json")
    assert json.loads(response.content)["jsonrpc"] == "2.0"
