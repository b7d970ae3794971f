"""Coins in and out, booked from what the node's validators signed: books and chain agree after each."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chain import cosmos
from chain.address import encode, module_address
from chain.endpoints import Broadcast
from chain.sender import Broadcaster
from ledger.accounts import BOT_TREASURY, UNCLAIMED
from tests.contract.books import FEE, MEMBER, PARAMETERS, Books, books
from tests.contract.conftest import RICHES
from tests.contract.node import DENOM, UNLISTED, Node
from tests.contract.signing import (
    PREFIX,
    Draft,
    Person,
    body_of,
    execute,
    multi_send,
    rewritten,
    spelled_send,
    with_memo_bytes,
)

MEMO = str(MEMBER)
BLOCKED = encode(PREFIX, module_address("bonded_tokens_pool"))
NETWORK_FEE = PARAMETERS.fee(PARAMETERS.gas_limit(1))


@pytest.fixture
def treasury(rich: Callable[[], Person]) -> Person:
    """Return whose address everybody pays to."""
    return rich()


@pytest.fixture
async def open_books(node: Node, treasury: Person, tmp_path: Path) -> AsyncIterator[Books]:
    """Return books that were just opened with what the treasury held."""
    async with books(node, treasury, tmp_path / "books.db") as opened:
        yield opened


async def test_books_open_with_what_the_treasury_holds(open_books: Books) -> None:
    assert open_books.balance(BOT_TREASURY) == RICHES
    open_books.assert_agreed()


async def test_deposits_end_where_their_memos_say(open_books: Books, draft: Draft) -> None:
    to = open_books.treasury.address
    with_memo, without = draft.send(to, 7_000, memo=MEMO), draft.next().send(to, 300)
    assert await open_books.receive(with_memo, without) == [0, 0]
    assert (open_books.balance(MEMBER), open_books.balance(UNCLAIMED)) == (7_000, 300)
    open_books.assert_agreed()


async def test_every_way_that_a_body_shows_is_credited(open_books: Books, draft: Draft) -> None:
    sender, to = draft.signer.address, open_books.treasury.address
    send = cosmos.msg_send(sender, to, [(DENOM, 10)])
    many = multi_send(sender, [(to, 200), (sender, 5), (to, 3_000)])
    body = body_of(send, many, execute(sender, [execute(sender, [send])]), memo=MEMO)
    assert await open_books.receive(draft.but(gas=400_000).sign(body)) == [0]
    assert open_books.balance(MEMBER) == 3_220
    open_books.assert_agreed()


async def test_what_no_body_shows_is_unclaimed(open_books: Books, draft: Draft) -> None:
    """An odd spelling and a memo that is no text: only the proved balance tells of them."""
    sender, to = draft.signer.address, open_books.treasury.address
    odd = draft.sign(body_of(spelled_send(sender, to, "0100000000"), memo=MEMO))
    no_text = draft.next().sign(with_memo_bytes(body_of(spelled_send(sender, to, "500")), b"\xff"))
    assert await open_books.receive(odd, no_text) == [0, 0]
    assert (open_books.balance(MEMBER), open_books.balance(UNCLAIMED)) == (0, 16_777_716)
    open_books.assert_agreed()


async def test_a_deposit_that_failed_credits_nothing(open_books: Books, draft: Draft) -> None:
    assert await open_books.receive(draft.send(open_books.treasury.address, RICHES, memo=MEMO)) == [5]
    assert open_books.balance(MEMBER) == 0
    open_books.assert_agreed()


async def test_an_unlisted_denom_is_written_down_only(open_books: Books, node: Node) -> None:
    faucet = Draft(node.faucet, node.chain_id, node.account(node.faucet.raw_address))
    raw = faucet.send(open_books.treasury.address, 10**25, UNLISTED, memo=MEMO)
    assert await open_books.receive(raw) == [0]
    assert open_books.select("SELECT state, amount FROM processed_deposits") == [
        {"state": "unlisted", "amount": str(10**25)}
    ]
    open_books.assert_agreed()


async def _pay_in(opened: Books, draft: Draft) -> None:
    assert await opened.receive(draft.send(opened.treasury.address, 1_000_000, memo=MEMO)) == [0]


async def test_withdrawals_land_together(
    open_books: Books, node: Node, draft: Draft, rich: Callable[[], Person]
) -> None:
    await _pay_in(open_books, draft)
    friends = [rich(), rich()]
    ended = await open_books.withdraw(*(friend.address for friend in friends))
    assert [each.state.value for each in ended] == ["confirmed", "confirmed"]
    assert [node.balance(friend.raw_address) for friend in friends] == [RICHES + 5_000] * 2
    assert open_books.balance(MEMBER) == 1_000_000 - 2 * (5_000 + FEE)
    open_books.assert_agreed()


async def test_a_withdrawal_that_fails_in_its_block_returns_less_the_network_fee(
    open_books: Books, draft: Draft
) -> None:
    await _pay_in(open_books, draft)
    (ended,) = await open_books.withdraw(BLOCKED)
    assert ended.state.value == "returned"
    assert open_books.balance(MEMBER) == 1_000_000 - NETWORK_FEE
    open_books.assert_agreed()


class Stranger:
    """Rewrites what the sender signed, and is faster."""

    def __init__(self, sight: Broadcaster) -> None:
        self._sight = sight

    async def broadcast(self, raw: bytes) -> Broadcast:
        await self._sight.broadcast(rewritten(raw))
        return await self._sight.broadcast(raw)


class Gap:
    """Swallows what the sender signed, and says that no node answered."""

    def __init__(self, _: Broadcaster) -> None:
        pass

    async def broadcast(self, raw: bytes) -> Broadcast:  # noqa: ARG002 - the port's shape
        return Broadcast(())


async def test_a_withdrawal_that_a_stranger_rewrote_is_confirmed_once(
    node: Node, treasury: Person, draft: Draft, bob: Person, tmp_path: Path
) -> None:
    async with books(node, treasury, tmp_path / "books.db", Stranger) as opened:
        await _pay_in(opened, draft)
        (ended,) = await opened.withdraw(bob.address)
        assert ended.state.value == "confirmed"
        assert node.balance(bob.raw_address) == RICHES + 5_000
        opened.assert_agreed()


async def test_a_withdrawal_that_no_block_took_returns_after_its_timeout(
    node: Node, treasury: Person, draft: Draft, bob: Person, tmp_path: Path
) -> None:
    async with books(node, treasury, tmp_path / "books.db", Gap) as opened:
        await _pay_in(opened, draft)
        (ended,) = await opened.withdraw(bob.address)
        assert ended.state.value == "returned"
        assert (opened.balance(MEMBER), node.balance(bob.raw_address)) == (1_000_000, RICHES)
        opened.assert_agreed()
