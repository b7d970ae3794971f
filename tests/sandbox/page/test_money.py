"""Wallets and the ledger as the page shows them."""

from pathlib import Path

import pytest

from ledger.money import Amount
from ledger.service import LedgerService
from ledger.world import SystemClock, ThreadRunner
from sandbox.cli import anchor
from sandbox.page.books import Books, account_name
from sandbox.scene import PLAY_ASSET
from tests.sandbox.page.conftest import ANA, Desk

WALLET = f"/api/people/{ANA}/wallet"


async def test_everybody_begins_with_play_money(desk: Desk) -> None:
    wallet = (await desk.get(WALLET)).json()
    assert (wallet["shown"], wallet["address"][:5]) == ("1000 JUNO", "juno1")


async def test_a_deposit_arrives_with_its_memo(desk: Desk) -> None:
    sent = (await desk.post(f"{WALLET}/deposits", json={"amount": 5_000_000, "memo": "hi é"})).json()
    await desk.node.produce_block()
    assert (await desk.get("/api/chain")).json()["on_chain_shown"] == "5 JUNO"
    tx = (await desk.get(f"/api/txs/{sent['tx_hash']}")).json()
    assert (tx["code"], tx["memo"], tx["height"]) == (0, "hi é", desk.node.height)


async def test_the_chain_refuses_what_is_not_there(desk: Desk) -> None:
    sent = (await desk.post(f"{WALLET}/deposits", json={"amount": 10**12})).json()
    await desk.node.produce_block()
    assert (await desk.get(f"/api/txs/{sent['tx_hash']}")).json()["code"] == 5


async def test_a_wallet_without_coins_says_so(desk: Desk) -> None:
    refusal = await desk.post("/api/people/77/wallet/deposits", json={"amount": 1})
    assert (refusal.status_code, refusal.json()["detail"][:24]) == (409, "this wallet has no coins")


async def test_an_address_is_checked(desk: Desk) -> None:
    refusal = await desk.post(f"{WALLET}/deposits", json={"amount": 1, "to": "juno1nobody"})
    assert refusal.status_code == 422


async def test_the_books_open_at_the_first_block(desk: Desk) -> None:
    """A deposit that came while the bot was still starting went to its treasury, as coins from before the books."""
    settings = anchor(desk.node)
    assert settings["MONETA_TRUST_HEIGHT"] == "1"
    assert bytes.fromhex(settings["MONETA_TRUST_HASH"]) == desk.node.chain.block(1).header.hash()


async def test_the_faucet_gives_more(desk: Desk) -> None:
    await desk.post(f"{WALLET}/alms", json={"amount": 1_000_000})
    await desk.node.produce_block()
    assert (await desk.get(WALLET)).json()["shown"] == "1001 JUNO"


async def test_without_books_nothing_is_claimed(desk: Desk) -> None:
    assert (await desk.get("/api/ledger")).json()["open"] is False
    assert (await desk.get("/api/chain")).json()["agrees"] is None


async def test_the_nodes_own_control_is_there(desk: Desk) -> None:
    assert (await desk.post("/api/node/blocks")).json()["height"] == desk.node.height


async def test_books_show_who_owns_what(tmp_path: Path) -> None:
    path, runner = tmp_path / "moneta.sqlite3", ThreadRunner()
    service = await LedgerService.open(path, clock=SystemClock(), blocking=runner, assets=[PLAY_ASSET])
    books = Books(path)
    view = await books.view()
    assert (view.open, view.transactions, books.total("ujuno")) == (True, [], Amount(0))
    books.close()
    await service.close()
    runner.close()


@pytest.mark.parametrize(
    ("account", "name"),
    [
        (None, "Chain"),
        (-1, "Bot treasury"),
        (-100, "Shared -100"),
        (-1001, "Escrow -1001"),
        (5, "Ana"),
        (6, "User 6"),
    ],
)
def test_accounts_have_names(account: int | None, name: str) -> None:
    assert account_name(account, {5: "Ana"}) == name
