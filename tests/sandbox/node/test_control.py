"""The HTTP API behind the sandbox's page: what a person can do to the chain."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from sandbox.node import JunoNode
from sandbox.node.control import control_router
from tests.sandbox.node.conftest import RICHES
from tests.sandbox.node.drafts import draft, send


@pytest.fixture
async def desk(node: JunoNode) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the control API."""
    app = FastAPI()
    app.include_router(control_router(node), prefix="/chain")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk/chain") as client:
        yield client


async def body(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def payment(to: str, amount: str = "5", **more: Any) -> dict[str, Any]:
    return {"outputs": [{"to": to, "coins": [{"amount": amount}]}], **more}


async def test_the_api_documents_itself(node: JunoNode) -> None:
    app = FastAPI()
    app.include_router(control_router(node), prefix="/chain")
    assert "/chain/purses/{name}/send" in app.openapi()["paths"]


async def test_the_chain_tells_how_it_stands(node: JunoNode, desk: httpx.AsyncClient) -> None:
    standing = await body(await desk.get("/status"))
    assert (standing["chain_id"], standing["height"]) == ("sandbox-1", node.height)


async def test_the_faucet_gives(node: JunoNode, desk: httpx.AsyncClient) -> None:
    bob = await body(await desk.get("/purses/bob"))
    gift = {"address": bob["address"], "coins": [{"amount": 7}, {"denom": "uother", "amount": 10**25}]}
    receipt = await body(await desk.post("/faucet", json=gift))
    await body(await desk.post("/blocks"))
    assert receipt["code"] == 0
    assert (await body(await desk.get("/purses/bob")))["balances"] == {"ujuno": "7", "uother": str(10**25)}


async def test_a_person_sends_with_a_memo(node: JunoNode, desk: httpx.AsyncClient) -> None:
    order = payment(node.purse("bob").address, memo="1001")
    receipt = await body(await desk.post("/purses/alice/send", json=order))
    await desk.post("/blocks", params={"count": 2})
    (newest, *_) = await body(await desk.get("/txs"))
    assert (newest["hash"], newest["code"], newest["height"]) == (receipt["hash"], 0, 3)


async def test_a_memo_may_be_any_bytes(node: JunoNode, desk: httpx.AsyncClient) -> None:
    order = payment(node.purse("bob").address, memo_hex="fffe")
    assert (await body(await desk.post("/purses/alice/send", json=order)))["code"] == 0


async def test_amounts_may_be_spelled_oddly(node: JunoNode, desk: httpx.AsyncClient) -> None:
    bob = node.purse("bob").address
    await body(await desk.post("/purses/alice/send", json=payment(bob, "010")))
    await desk.post("/blocks")
    assert await body(await desk.get(f"/balances/{bob}")) == {"ujuno": "8"}


async def test_several_outputs_may_go_in_one_message(node: JunoNode, desk: httpx.AsyncClient) -> None:
    bob, carol = node.purse("bob").address, node.purse("carol").address
    order = {"multi": True, "outputs": payment(bob, "5")["outputs"] + payment(carol, "6")["outputs"]}
    await body(await desk.post("/purses/alice/send", json=order))
    await desk.post("/blocks")
    held = [(await body(await desk.get(f"/balances/{each}")))["ujuno"] for each in (bob, carol)]
    assert held == ["5", "6"]


async def test_a_purse_without_coins_cannot_send(node: JunoNode, desk: httpx.AsyncClient) -> None:
    response = await desk.post("/purses/pauper/send", json=payment(node.purse("bob").address))
    assert response.status_code == 409


async def test_a_full_mempool_answers_503(node: JunoNode, desk: httpx.AsyncClient) -> None:
    node.chain.mempool.max_txs = 0
    response = await desk.post("/purses/alice/send", json=payment(node.purse("bob").address))
    assert response.status_code == 503


@pytest.mark.parametrize(
    "path", ["/balances/nobody", "/balances/cosmos1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqnrql8a"]
)
async def test_what_is_no_address_is_refused(desk: httpx.AsyncClient, path: str) -> None:
    assert (await desk.get(path)).status_code == 422


async def test_a_multi_send_of_odd_amounts_is_refused(node: JunoNode, desk: httpx.AsyncClient) -> None:
    order = payment(node.purse("bob").address, "ten", multi=True)
    assert (await desk.post("/purses/alice/send", json=order)).status_code == 422


async def test_blocks_are_paced(node: JunoNode, desk: httpx.AsyncClient) -> None:
    assert (await body(await desk.put("/pace", json={"block_seconds": 5})))["block_seconds"] == 5


async def test_the_chain_can_be_halted(node: JunoNode, desk: httpx.AsyncClient) -> None:
    trouble = await body(await desk.patch("/trouble", json={"halted": True, "duplicate_next": 2}))
    assert trouble == {"halted": True, "duplicate_next": 2, "rehash_next": 0}
    assert (await body(await desk.get("/status")))["halted"] is True


async def test_the_mempool_can_be_emptied(node: JunoNode, desk: httpx.AsyncClient) -> None:
    await desk.post("/purses/alice/send", json=payment(node.purse("bob").address))
    assert await body(await desk.post("/mempool/forget")) == {"dropped": 1}


async def test_bytes_can_be_forced_into_a_block(node: JunoNode, desk: httpx.AsyncClient) -> None:
    alice = node.purse("alice")
    encoded = draft(node.chain, alice, send(alice, alice.address)).but(sequence=9).sign()
    await body(await desk.post("/txs/force", json={"tx_hex": encoded.hex()}))
    await desk.post("/blocks")
    (newest, *_) = await body(await desk.get("/txs"))
    assert newest["code"] == 32


async def test_coins_can_appear_and_be_taken(node: JunoNode, desk: httpx.AsyncClient) -> None:
    alice = node.purse("alice").address
    happening = {"address": alice, "coins": [{"amount": -5}, {"denom": "factory/x/y", "amount": 7}]}
    await body(await desk.post("/happenings", json=happening))
    await desk.post("/blocks")
    assert await body(await desk.get(f"/balances/{alice}")) == {"ujuno": str(RICHES - 5), "factory/x/y": "7"}


async def test_validators_can_change(node: JunoNode, desk: httpx.AsyncClient) -> None:
    await body(await desk.put("/validators", json=[{"name": "solo", "power": 1}]))
    await desk.post("/blocks", params={"count": 3})
    assert len(node.chain.block(5).validators) == 1


async def test_faults_are_switched(node: JunoNode, desk: httpx.AsyncClient) -> None:
    await body(await desk.patch("/faces/liar/faults", json={"lag": 2}))
    assert (await body(await desk.get("/faces/liar/faults")))["lag"] == 2
    assert (await body(await desk.delete("/faces/liar/faults")))["lag"] == 0
    assert (await body(await desk.get("/status")))["faces"] == ["main", "liar"]


async def test_an_unknown_fault_is_refused(desk: httpx.AsyncClient) -> None:
    assert (await desk.patch("/faces/liar/faults", json={"lga": 2})).status_code == 422


@pytest.mark.parametrize("kind", ["fork", "false_chain"])
async def test_another_chain_can_be_shown(node: JunoNode, desk: httpx.AsyncClient, kind: str) -> None:
    planted = [{"address": node.purse("bob").address, "coins": [{"amount": 5}]}]
    other = {"kind": kind, "height": 2, "planted": planted}
    await body(await desk.post("/faces/liar/other-chain", json=other))
    shown = node.faults["liar"].shown
    assert shown is not None
    assert shown.block(2).block_id != node.chain.block(2).block_id


async def test_another_chain_begins_not_in_the_future(desk: httpx.AsyncClient) -> None:
    response = await desk.post("/faces/liar/other-chain", json={"kind": "fork", "height": 99})
    assert response.status_code == 422
