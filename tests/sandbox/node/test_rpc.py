"""The form in which a node answers; what it says is compared with a real node by the contract suite."""

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import httpx
import pytest

from chain import cosmos
from chain.light.commit import Commit, Validator
from chain.light.header import Header
from chain.light.proof import ops_from_json, verify_membership, verify_non_membership
from sandbox.node import JunoNode, state
from sandbox.node.decoding import Coin
from sandbox.node.validators import Seat
from tests.sandbox.node.conftest import RICHES, Rpc, RpcError
from tests.sandbox.node.drafts import draft, send


def call(number: Any, method: str = "health", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


async def test_a_batch_is_answered_in_order(rpc: Rpc) -> None:
    answers = (await rpc.post([call(number) for number in range(10)])).json()
    assert [answer["id"] for answer in answers] == list(range(10))


async def test_eleven_calls_are_one_error(rpc: Rpc) -> None:
    response = await rpc.post([call(number) for number in range(11)])
    assert (response.status_code, response.json()["error"]["code"]) == (200, -32600)


async def test_a_batch_of_one_is_answered_without_a_list(rpc: Rpc) -> None:
    assert (await rpc.post([call(7)])).json() == {"jsonrpc": "2.0", "id": 7, "result": {}}


async def test_a_notification_is_not_answered(rpc: Rpc) -> None:
    assert (await rpc.post({"jsonrpc": "2.0", "method": "health"})).content == b""


async def test_an_unknown_method(rpc: Rpc) -> None:
    with pytest.raises(RpcError) as refused:
        await rpc.call("no_such_method")
    assert refused.value.code == -32601


@pytest.mark.parametrize("body", [b"{", b"7", b'["a"]', b""])
async def test_what_is_no_call(rpc: Rpc, body: bytes) -> None:
    response = await rpc.client.post("/", content=body)
    assert (response.status_code, response.json()["error"]["code"]) == (500, -32700)


async def test_parameters_by_place_are_refused(rpc: Rpc) -> None:
    response = await rpc.post({"jsonrpc": "2.0", "id": 1, "method": "block", "params": ["1"]})
    assert response.json()["error"]["code"] == -32602


async def test_a_height_is_a_string(rpc: Rpc) -> None:
    with pytest.raises(RpcError) as refused:
        await rpc.call("block", height=1)
    assert refused.value.code == -32602


WORDS = {
    "0": "height must be greater than 0, but got 0",
    "99": "height 99 must be less than or equal to the current blockchain height 2",
}


@pytest.mark.parametrize("height", WORDS)
@pytest.mark.parametrize("method", ["block", "block_results", "commit", "header"])
async def test_a_height_that_is_not_there(rpc: Rpc, method: str, height: str) -> None:
    with pytest.raises(RpcError) as refused:
        await rpc.call(method, height=height)
    assert (refused.value.code, refused.value.reason) == (-32603, WORDS[height])


async def test_get_answers_errors_with_500(rpc: Rpc) -> None:
    response = await rpc.client.get("/block", params={"height": "99"})
    assert (response.status_code, response.json()["error"]["code"]) == (500, -32603)


async def test_get_takes_quoted_and_hexadecimal_parameters(node: JunoNode, rpc: Rpc) -> None:
    key = state.balance_key(node.purse("alice").raw_address, "ujuno")
    response = await rpc.client.get(
        "/abci_query", params={"path": '"/store/bank/key"', "data": f"0x{key.hex()}"}
    )
    assert b64decode(response.json()["result"]["response"]["value"]) == str(RICHES).encode()


async def test_get_of_nothing_lists_the_methods(rpc: Rpc) -> None:
    assert "broadcast_tx_sync" in (await rpc.client.get("/")).text


async def test_get_of_an_unknown_method_is_not_found(rpc: Rpc) -> None:
    assert (await rpc.client.get("/no_such_method")).status_code == 404


async def test_a_block_reads_back(node: JunoNode, rpc: Rpc) -> None:
    document = await rpc.call("block", height="2")
    header = Header.from_json(document["block"]["header"])
    assert header == node.chain.block(2).header
    assert header.hash().hex().upper() == document["block_id"]["hash"]
    assert Commit.from_json(document["block"]["last_commit"]) == node.chain.block(1).commit


async def test_results_of_an_empty_block_are_null(rpc: Rpc) -> None:
    assert (await rpc.call("block_results", height="1"))["txs_results"] is None


async def test_a_commit_of_the_latest_block_is_not_canonical(rpc: Rpc) -> None:
    seen = [(await rpc.call("commit", height=height))["canonical"] for height in ("1", "2")]
    assert seen == [True, False]


async def test_headers_come_newest_first_and_twenty_at_once(node: JunoNode, rpc: Rpc) -> None:
    await node.produce_blocks(30)
    metas = (await rpc.call("blockchain", minHeight="1", maxHeight="25"))["block_metas"]
    assert [int(meta["header"]["height"]) for meta in metas] == list(range(25, 5, -1))


async def test_headers_of_a_turned_range(rpc: Rpc) -> None:
    with pytest.raises(RpcError) as refused:
        await rpc.call("blockchain", minHeight="2", maxHeight="1")
    assert refused.value.reason == "min height 2 can't be greater than max height 1"


async def test_a_hundred_validators_are_paged(node: JunoNode, rpc: Rpc) -> None:
    node.chain.elect([Seat(f"seat {number}", 1) for number in range(130)])
    await node.produce_blocks(3)
    pages = [await rpc.call("validators", height="5", page=page, per_page="100") for page in ("1", "2")]
    listed = [Validator.from_json(each) for page in pages for each in page["validators"]]
    assert tuple(listed) == node.chain.block(5).validators
    assert [page["count"] for page in pages] == ["100", "30"]


async def test_the_next_heights_validators_are_known(node: JunoNode, rpc: Rpc) -> None:
    answer = await rpc.call("validators", height=str(node.height + 1))
    assert answer["block_height"] == str(node.height + 1)


# abci_query


async def ask(rpc: Rpc, path: str, content: bytes, *, height: int = 0, prove: bool = False) -> dict[str, Any]:
    answer = await rpc.call("abci_query", path=path, data=content.hex(), height=str(height), prove=prove)
    response: dict[str, Any] = answer["response"]
    return response


async def test_a_balance_is_proved_to_the_next_header(node: JunoNode, rpc: Rpc) -> None:
    key = state.balance_key(node.purse("alice").raw_address, "ujuno")
    response = await ask(rpc, "/store/bank/key", key, height=2, prove=True)
    await node.produce_block()
    app_hash = node.chain.block(3).header.app_hash
    verify_membership(ops_from_json(response["proofOps"]), app_hash, "bank", key, str(RICHES).encode())


async def test_an_absent_account_is_proved_to_the_next_header(node: JunoNode, rpc: Rpc) -> None:
    key = state.account_key(bytes(20))
    response = await ask(rpc, "/store/acc/key", key, height=2, prove=True)
    await node.produce_block()
    app_hash = node.chain.block(3).header.app_hash
    assert response["value"] is None
    verify_non_membership(ops_from_json(response["proofOps"]), app_hash, "acc", key)


async def test_the_latest_state_says_which_height_it_is_of(rpc: Rpc) -> None:
    assert (await ask(rpc, "/store/acc/key", b"\x01"))["height"] == "2"


async def test_the_first_height_is_not_proved(rpc: Rpc) -> None:
    response = await ask(rpc, "/store/acc/key", b"\x01", height=1, prove=True)
    assert (response["codespace"], response["code"]) == ("sdk", 18)


QUERIES = {
    "balance": ("/cosmos.bank.v1beta1.Query/Balance", cosmos.QueryBalanceRequest),
    "account": ("/cosmos.auth.v1beta1.Query/Account", cosmos.QueryAccountRequest),
}
CODES = {"future": (99, 26), "pruned": (1, 18)}


@pytest.mark.parametrize("when", CODES)
@pytest.mark.parametrize("what", QUERIES)
async def test_the_modules_answer_for_heights_that_are_there(
    node: JunoNode, rpc: Rpc, *, what: str, when: str
) -> None:
    (path, kind), (height, code) = QUERIES[what], CODES[when]
    node.faults["main"].switch(pruned_below=2)
    request = cosmos.encode(kind(address=node.purse("alice").address))
    assert (await ask(rpc, path, request, height=height))["code"] == code


async def test_an_account_that_nobody_has(node: JunoNode, rpc: Rpc) -> None:
    request = cosmos.QueryAccountRequest(address=node.purse("nobody").address)
    assert (await ask(rpc, QUERIES["account"][0], cosmos.encode(request)))["code"] == 22


async def test_an_account_with_a_key(node: JunoNode, rpc: Rpc) -> None:
    request = cosmos.QueryAccountRequest(address=node.faucet_purse.address)
    response = await ask(rpc, QUERIES["account"][0], cosmos.encode(request))
    answer = cosmos.decode(cosmos.QueryAccountResponse, b64decode(response["value"]))
    account = cosmos.decode(cosmos.BaseAccount, answer.account.value)
    assert (account.sequence, account.pub_key.type_url) == (1, "/cosmos.crypto.secp256k1.PubKey")


async def test_all_balances_are_listed(node: JunoNode, rpc: Rpc) -> None:
    node.faucet(node.purse("alice").address, [Coin("uother", 10**25)])
    await node.produce_block()
    request = cosmos.QueryAllBalancesRequest(address=node.purse("alice").address)
    response = await ask(rpc, "/cosmos.bank.v1beta1.Query/AllBalances", cosmos.encode(request))
    answer = cosmos.decode(cosmos.QueryAllBalancesResponse, b64decode(response["value"]))
    assert [(coin.denom, coin.amount) for coin in answer.balances] == [
        ("ujuno", str(RICHES)),
        ("uother", str(10**25)),
    ]


async def test_a_simulation_reads_a_little_low(node: JunoNode, rpc: Rpc) -> None:
    encoded = draft(
        node.chain, node.purse("alice"), send(node.purse("alice"), node.faucet_purse.address)
    ).sign()
    request = cosmos.SimulateRequest(tx_bytes=encoded)
    response = await ask(rpc, "/cosmos.tx.v1beta1.Service/Simulate", cosmos.encode(request))
    answer = cosmos.decode(cosmos.SimulateResponse, b64decode(response["value"]))
    node.chain.mempool.add(encoded)
    await node.produce_block()
    used = node.chain.block(node.height).results[0].outcome.gas_used
    assert 0.9 * used < answer.gas_info.gas_used < used


@pytest.mark.parametrize("path", ["/nothing", "/store/nothing/key", "/store/bank/subspace"])
async def test_a_path_that_is_not_there(rpc: Rpc, path: str) -> None:
    assert (await ask(rpc, path, b"\x01"))["code"] != 0


# Transactions


async def broadcast(rpc: Rpc, encoded: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = await rpc.call("broadcast_tx_sync", tx=b64encode(encoded).decode())
    return answer


@pytest.fixture
async def included(node: JunoNode, rpc: Rpc) -> bytes:
    """Return a transaction that stands in block 3."""
    encoded = draft(
        node.chain, node.purse("alice"), send(node.purse("alice"), node.faucet_purse.address)
    ).sign()
    assert (await broadcast(rpc, encoded))["code"] == 0
    await node.produce_block()
    return encoded


async def test_a_transaction_is_found_by_its_hash(rpc: Rpc, included: bytes) -> None:
    found = await rpc.call("tx", hash=b64encode(sha256(included).digest()).decode())
    assert (found["height"], found["index"], b64decode(found["tx"])) == ("3", 0, included)


async def test_a_transaction_is_searched_by_its_hash(rpc: Rpc, included: bytes) -> None:
    found = await rpc.call("tx_search", query=f"tx.hash='{sha256(included).hexdigest().upper()}'")
    assert (found["total_count"], found["txs"][0]["height"]) == ("1", "3")


async def test_transactions_are_searched_by_height(rpc: Rpc, included: bytes) -> None:
    counts = [
        (await rpc.call("tx_search", query=f"tx.height={height}"))["total_count"] for height in (1, 3, 9)
    ]
    assert counts == ["0", "1", "0"]


async def test_the_index_knows_the_later_of_two_inclusions(node: JunoNode, rpc: Rpc, included: bytes) -> None:
    node.chain.forced.append(included)
    await node.produce_block()
    found = await rpc.call("tx_search", query=f"tx.hash='{sha256(included).hexdigest().upper()}'")
    assert found["txs"][0]["height"] == "4"


async def test_an_unknown_transaction_is_not_found(rpc: Rpc) -> None:
    with pytest.raises(RpcError, match="not found"):
        await rpc.call("tx", hash=b64encode(bytes(32)).decode())


async def test_a_refused_transaction_has_its_code(rpc: Rpc) -> None:
    assert (await broadcast(rpc, b"\xff"))["code"] == 2


async def test_a_known_transaction_is_an_error_of_rpc(rpc: Rpc, included: bytes) -> None:
    with pytest.raises(RpcError) as refused:
        await broadcast(rpc, included)
    assert (refused.value.code, refused.value.reason) == (-32603, "tx already exists in cache")


async def test_async_answers_without_the_check(rpc: Rpc) -> None:
    assert (await rpc.call("broadcast_tx_async", tx=b64encode(b"\xff").decode()))["code"] == 0


async def test_waiting_transactions_are_counted(node: JunoNode, rpc: Rpc) -> None:
    node.faucet(node.purse("alice").address, [Coin("ujuno", 1)])
    assert (await rpc.call("num_unconfirmed_txs"))["total"] == "1"
    assert len((await rpc.call("unconfirmed_txs"))["txs"]) == 1


async def test_what_clients_ask_at_the_start(node: JunoNode, rpc: Rpc) -> None:
    assert (await rpc.call("status"))["node_info"]["network"] == "sandbox-1"
    assert (await rpc.call("genesis"))["genesis"]["chain_id"] == "sandbox-1"
    assert (await rpc.call("abci_info"))["response"]["last_block_height"] == "2"
    assert (await rpc.call("net_info"))["n_peers"] == "0"
    assert (await rpc.call("consensus_params"))["block_height"] == "2"


async def test_each_face_has_its_address(node: JunoNode) -> None:
    node.face("liar")
    node.faults["liar"].switch(chain_id="another-1")
    transport = httpx.ASGITransport(node.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        networks = [
            (await client.post(path, json=call(1, "status"))).json()["result"]["node_info"]["network"]
            for path in ("/", "/faces/liar", "/faces/liar/")
        ]
        missing = await client.post("/faces/nobody", json=call(1))
        by_url = await client.get("/faces/liar/status")
    assert networks == ["sandbox-1", "another-1", "another-1"]
    assert (missing.status_code, by_url.status_code) == (404, 200)
