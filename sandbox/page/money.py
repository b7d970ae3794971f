"""The sandbox's chain for people: their wallets, deposits into the treasury, and whether the books agree with it."""

from hashlib import sha256
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, Field

from chain import address
from ledger.errors import Refused
from ledger.money import Asset, format_amount
from sandbox.node import state
from sandbox.node.blocks import spell_time
from sandbox.node.decoding import Coin, decode_tx
from sandbox.node.mempool import MempoolError
from sandbox.node.node import JunoNode
from sandbox.node.people import Output, Purse, SpelledCoin
from sandbox.node.refusal import Refusal
from sandbox.page.books import Books

_MOST: Final = 10**15


class ChainView(BaseModel):
    """The chain and the treasury; amounts in base units. ``agrees`` is None while there are no books."""

    chain_id: str
    height: int
    denom: str
    symbol: str
    decimals: int
    treasury: str
    on_chain: int
    on_chain_shown: str
    in_books: int | None
    in_books_shown: str
    agrees: bool | None


class WalletView(BaseModel):
    """A person's own wallet."""

    address: str
    amount: int
    shown: str


class Deposit(BaseModel):
    """Coins to send from a person's wallet; without ``to`` they go to the treasury."""

    amount: int = Field(gt=0, le=_MOST, description="base units: 1000000 is 1 JUNO")
    memo: str = Field(default="", max_length=1024)
    to: str | None = None


class DepositView(BaseModel):
    """What the node said: code 0 means that the transaction waits for a block."""

    tx_hash: str
    code: int
    log: str


class TxView(BaseModel):
    """A transaction that stands in a block."""

    hash: str
    height: int
    time: str
    code: int
    log: str
    memo: str
    transfers: list[dict[str, str]]


class Alms(BaseModel):
    """Coins out of nothing, for a person's wallet."""

    amount: int = Field(gt=0, le=_MOST)


Person = Annotated[int, Path(gt=0)]


class Money:
    """The endpoints about the chain. The wallet of a person is the node's purse with their id as its name."""

    def __init__(self, node: JunoNode, treasury: str, asset: Asset, books: Books) -> None:
        self.node = node
        self.treasury = treasury
        self.asset = asset
        self.books = books

    async def chain(self) -> ChainView:
        """Return height, and what the treasury holds beside what the books say it must hold."""
        parameters = self.node.chain.parameters
        held = self._held(address.decode(self.treasury, parameters.prefix))
        owed = self.books.total(self.asset.denom)
        return ChainView(
            chain_id=parameters.chain_id,
            height=self.node.height,
            denom=self.asset.denom,
            symbol=self.asset.symbol,
            decimals=self.asset.decimals,
            treasury=self.treasury,
            on_chain=held,
            on_chain_shown=format_amount(held, self.asset),
            in_books=owed,
            in_books_shown="-" if owed is None else format_amount(owed, self.asset),
            agrees=None if owed is None else held == owed,
        )

    async def wallet(self, person: Person) -> WalletView:
        """Return a person's wallet."""
        purse = self._purse(person)
        amount = self._held(purse.raw_address)
        return WalletView(address=purse.address, amount=amount, shown=format_amount(amount, self.asset))

    async def deposit(self, person: Person, deposit: Deposit) -> DepositView:
        """Send coins from a person's wallet; signed and checked like any other transaction."""
        recipient = deposit.to or self.treasury
        coin = SpelledCoin(self.asset.denom, str(deposit.amount))
        memo = deposit.memo.encode()
        try:
            address.decode(recipient, self.node.chain.parameters.prefix)
            encoded, result = self.node.send(self._purse(person), [Output(recipient, (coin,))], memo=memo)
        except Refused as error:
            raise HTTPException(422, f"not an address: {error}") from error
        except KeyError as error:
            raise HTTPException(409, "this wallet has no coins yet: ask the faucet") from error
        except MempoolError as error:
            raise HTTPException(503, str(error)) from error
        tx_hash = sha256(encoded).hexdigest().upper()
        return DepositView(tx_hash=tx_hash, code=result.outcome.code, log=result.log)

    async def tx(self, tx_hash: Annotated[str, Path(pattern=r"^[0-9a-fA-F]{64}$")]) -> TxView:
        """Return a transaction by its hash: what an explorer would show."""
        place = self.node.chain.place_of(bytes.fromhex(tx_hash))
        if place is None:
            raise HTTPException(404, "no block holds this transaction yet")
        height, index = place
        block = self.node.chain.block(height)
        result = block.results[index]
        return TxView(
            hash=tx_hash.upper(),
            height=height,
            time=spell_time(block.header.time),
            code=result.outcome.code,
            log=result.log,
            memo=_memo(block.txs[index]),
            transfers=[dict(event.attributes) for event in result.told if event.type == "transfer"],
        )

    async def give(self, person: Person, alms: Alms) -> WalletView:
        """Give a person's wallet coins of the faucet with the next block."""
        try:
            self.node.faucet(self._purse(person).address, [Coin(self.asset.denom, alms.amount)])
        except MempoolError as error:
            raise HTTPException(503, str(error)) from error
        return await self.wallet(person)

    def _purse(self, person: int) -> Purse:
        return self.node.purse(str(person))

    def _held(self, raw: bytes) -> int:
        return state.balance(self.node.chain.latest(), raw, self.asset.denom)


def _memo(encoded: bytes) -> str:
    try:
        return decode_tx(encoded).memo.decode(errors="replace")
    except Refusal:
        return ""  # forced into a block; nobody can read it


def router(money: Money) -> APIRouter:
    """Return the endpoints about the chain."""
    api = APIRouter(prefix="/api", tags=["money"])
    api.add_api_route("/chain", money.chain, methods=["GET"], operation_id="chain")
    api.add_api_route("/txs/{tx_hash}", money.tx, methods=["GET"], operation_id="tx")
    wallet = "/people/{person}/wallet"
    api.add_api_route(wallet, money.wallet, methods=["GET"], operation_id="wallet")
    api.add_api_route(wallet + "/deposits", money.deposit, methods=["POST"], operation_id="deposit")
    api.add_api_route(wallet + "/alms", money.give, methods=["POST"], operation_id="give")
    return api
