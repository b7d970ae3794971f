"""The HTTP API that plays with the chain: wallets, faucet, time, and what goes wrong on purpose."""

from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from chain import address
from ledger.errors import Refused
from sandbox.node import iavl, state
from sandbox.node.blockchain import Happening
from sandbox.node.blocks import Block, spell_hex, spell_time
from sandbox.node.decoding import Coin
from sandbox.node.execute import Result
from sandbox.node.faults import FaultTable
from sandbox.node.mempool import MempoolError
from sandbox.node.node import JunoNode
from sandbox.node.people import FAUCET, Output, Purse, SpelledCoin
from sandbox.node.validators import Seat

_MOST_BLOCKS = 1_000
_NAME = r"^[a-zA-Z0-9 _.-]{1,64}$"


class SomeCoins(BaseModel):
    """Base units of a denom; below zero takes away where that is allowed."""

    denom: str = "ujuno"
    amount: int

    def coin(self) -> Coin:
        """Return it as the chain's own."""
        return Coin(self.denom, self.amount)


class Gift(BaseModel):
    """Coins for an address."""

    address: str
    coins: list[SomeCoins] = Field(min_length=1, max_length=16)


class OddCoin(BaseModel):
    """A coin whose amount may be spelled as nobody should."""

    denom: str = "ujuno"
    amount: str = Field(max_length=100, examples=["1000000", "010", "0x7", "1_000"])


class Payment(BaseModel):
    """One output."""

    to: str
    coins: list[OddCoin] = Field(min_length=1, max_length=16)


class Send(BaseModel):
    """What a person sends, and with which memo: text, or any bytes."""

    outputs: list[Payment] = Field(min_length=1, max_length=200)
    memo: str = ""
    memo_hex: str | None = Field(default=None, pattern=r"^([0-9a-fA-F]{2})*$", description="Instead of memo.")
    multi: bool = Field(default=False, description="One MsgMultiSend instead of a MsgSend for each output.")


class Receipt(BaseModel):
    """The mempool's answer to a transaction."""

    hash: str
    code: int
    codespace: str
    log: str


class PurseView(BaseModel):
    """A person's wallet."""

    name: str
    address: str
    balances: dict[str, str]
    sequence: int | None = Field(description="None before the first coin.")


class TxView(BaseModel):
    """One transaction in a block, as the chain executed it."""

    height: int
    index: int
    hash: str
    time: str
    code: int
    log: str
    transfers: list[dict[str, str]]


class ChainView(BaseModel):
    """How the chain stands."""

    chain_id: str
    height: int
    waiting: int
    block_seconds: float
    halted: bool
    faucet: str
    faces: list[str]


class Pace(BaseModel):
    """Seconds from block to block; 0 waits for POST /blocks."""

    block_seconds: float = Field(ge=0, le=3600)


class Trouble(BaseModel):
    """What goes wrong for the whole chain; left out means unchanged."""

    halted: bool | None = None
    duplicate_next: int | None = Field(default=None, ge=0, le=1000)
    rehash_next: int | None = Field(default=None, ge=0, le=1000)


class OtherChain(BaseModel):
    """Another chain to show from ``height`` on, with coins planted in its first block."""

    kind: Literal["fork", "false_chain"]
    height: int = Field(ge=2)
    planted: list[Gift] = []
    txs_hex: list[Annotated[str, Field(pattern=r"^([0-9a-fA-F]{2})+$")]] = []


class Raw(BaseModel):
    """Bytes of a transaction that a proposer includes unchecked."""

    tx_hex: str = Field(pattern=r"^([0-9a-fA-F]{2})+$")


class SeatModel(BaseModel):
    """A validator by name, and its power."""

    name: str = Field(pattern=_NAME)
    power: int = Field(ge=1)


class Control:
    """The endpoints; each acts on the one node."""

    def __init__(self, node: JunoNode) -> None:
        self._node = node

    # Reading

    async def chain(self) -> ChainView:
        """Tell how the chain stands."""
        chain = self._node.chain
        return ChainView(
            chain_id=chain.parameters.chain_id,
            height=chain.height,
            waiting=len(chain.mempool.waiting()),
            block_seconds=self._node.block_seconds,
            halted=chain.mischief.halted,
            faucet=self._node.faucet_purse.address,
            faces=list(self._node.faults),
        )

    async def balances(self, address: str) -> dict[str, str]:
        """Return what an address holds."""
        return self._balances(self._raw(address))

    async def txs(self, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> list[TxView]:
        """Return the newest transactions, newest first."""
        found: list[TxView] = []
        for height in range(self._node.height, self._node.chain.base - 1, -1):
            block = self._node.chain.block(height)
            found += [_tx_view(block, index) for index in reversed(range(len(block.txs)))]
            if len(found) >= limit or self._node.height - height >= _MOST_BLOCKS:
                break
        return found[:limit]

    # People

    async def purse(self, name: str) -> PurseView:
        """Return somebody's wallet; the first look makes it."""
        purse = self._node.purse(name)
        account = state.account(self._node.chain.latest(), purse.raw_address)
        return PurseView(
            name=name,
            address=purse.address,
            balances=self._balances(purse.raw_address),
            sequence=account.sequence if account else None,
        )

    async def purses(self) -> list[PurseView]:
        """Return all wallets that were looked at."""
        return [await self.purse(name) for name in self._node.purses]

    async def faucet(self, gift: Gift) -> Receipt:
        """Give play money away."""
        coins = [
            OddCoin(denom=each.denom, amount=str(each.amount)) for each in sorted(gift.coins, key=_denom)
        ]
        return await self.send(FAUCET, Send(outputs=[Payment(to=gift.address, coins=coins)]))

    async def send(self, name: str, order: Send) -> Receipt:
        """Send from somebody's own wallet."""
        outputs = [
            Output(each.to, tuple(SpelledCoin(coin.denom, coin.amount) for coin in each.coins))
            for each in order.outputs
        ]
        return self._broadcast(self._node.purse(name), outputs, order)

    # Time

    async def produce(self, count: Annotated[int, Query(ge=1, le=_MOST_BLOCKS)] = 1) -> ChainView:
        """Make blocks now."""
        await self._node.produce_blocks(count)
        return await self.chain()

    async def pace(self, pace: Pace) -> ChainView:
        """Set the time between blocks."""
        self._node.set_block_seconds(pace.block_seconds)
        return await self.chain()

    # Trouble

    async def trouble(self, trouble: Trouble) -> dict[str, Any]:
        """Let things go wrong for the whole chain."""
        mischief = self._node.chain.mischief
        for name, value in trouble.model_dump(exclude_none=True).items():
            setattr(mischief, name, value)
        return {name: getattr(mischief, name) for name in Trouble.model_fields}

    async def forget(self) -> dict[str, int]:
        """Empty the mempool, as a restart does."""
        dropped = len(self._node.chain.mempool.waiting())
        self._node.chain.mempool.forget()
        return {"dropped": dropped}

    async def force(self, raw: Raw) -> dict[str, str]:
        """Put bytes into the next block without any check."""
        encoded = bytes.fromhex(raw.tx_hex)
        self._node.chain.forced.append(encoded)
        return {"hash": spell_hex(sha256(encoded).digest())}

    async def happen(self, gift: Gift) -> Gift:
        """Change a balance at the end of the next block, outside its transactions."""
        self._raw(gift.address)
        self._node.happen(gift.address, [each.coin() for each in gift.coins])
        return gift

    async def elect(
        self, seats: Annotated[list[SeatModel], Field(min_length=1, max_length=200)]
    ) -> list[SeatModel]:
        """Let other validators sign, from the third block on."""
        self._node.chain.elect([Seat(each.name, each.power) for each in seats])
        return seats

    async def faults(self, face: str) -> FaultTable:
        """Return what a face does wrong; the first look makes the face."""
        self._node.face(face)
        return self._node.faults[face].table

    async def switch(self, face: str, changes: dict[str, Any]) -> FaultTable:
        """Switch faults of a face on or off; the names are those of the fault table."""
        self._node.face(face)
        try:
            return self._node.faults[face].switch(**changes)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error

    async def clear(self, face: str) -> FaultTable:
        """Switch all faults of a face off."""
        self._node.face(face)
        self._node.faults[face].clear()
        return self._node.faults[face].table

    async def show(self, face: str, other: OtherChain) -> OtherChain:
        """Let a face show another chain, until its faults are cleared."""
        if other.height > self._node.height + 1:
            raise HTTPException(422, f"the chain is at height {self._node.height}")
        self._node.face(face)
        faults = self._node.faults[face]
        planted = [
            Happening(self._raw(gift.address), tuple(each.coin() for each in gift.coins))
            for gift in other.planted
        ]
        begin = faults.fork if other.kind == "fork" else faults.false_chain
        txs = [bytes.fromhex(each) for each in other.txs_hex]
        begin(self._node.chain, other.height, txs=txs, planted=planted)
        return other

    def _broadcast(self, purse: Purse, outputs: list[Output], order: Send) -> Receipt:
        memo = order.memo.encode() if order.memo_hex is None else bytes.fromhex(order.memo_hex)
        try:
            encoded, result = self._node.send(purse, outputs, memo=memo, multi=order.multi)
        except KeyError as error:
            raise HTTPException(409, f"{purse.name} has no coins yet: use the faucet") from error
        except ValueError as error:
            raise HTTPException(422, f"a multi-send needs amounts in plain digits: {error}") from error
        except MempoolError as error:
            raise HTTPException(503, str(error)) from error
        return _receipt(encoded, result)

    def _raw(self, text: str) -> bytes:
        try:
            return address.decode(text, self._node.chain.parameters.prefix)
        except Refused as refused:
            raise HTTPException(422, f"no address: {refused}") from refused

    def _balances(self, raw: bytes) -> dict[str, str]:
        prefix = state.balances_prefix(raw)
        held = iavl.prefixed(self._node.chain.latest().trees["bank"], prefix)
        return {key[len(prefix) :].decode(errors="replace"): value.decode() for key, value in held}


def _denom(coins: SomeCoins) -> str:
    return coins.denom


def _receipt(encoded: bytes, result: Result) -> Receipt:
    return Receipt(
        hash=spell_hex(sha256(encoded).digest()),
        code=result.outcome.code,
        codespace=result.codespace,
        log=result.log,
    )


def _tx_view(block: Block, index: int) -> TxView:
    result = block.results[index]
    return TxView(
        height=block.height,
        index=index,
        hash=spell_hex(sha256(block.txs[index]).digest()),
        time=spell_time(block.header.time),
        code=result.outcome.code,
        log=result.log,
        transfers=[dict(event.attributes) for event in result.told if event.type == "transfer"],
    )


def control_router(node: JunoNode) -> APIRouter:
    """Return the API of ``node``, to be included in a FastAPI application."""
    control = Control(node)
    router = APIRouter(tags=["chain"])
    router.get("/status")(control.chain)
    router.get("/balances/{address}")(control.balances)
    router.get("/txs")(control.txs)
    router.get("/purses")(control.purses)
    router.get("/purses/{name}")(control.purse)
    router.post("/purses/{name}/send")(control.send)
    router.post("/faucet")(control.faucet)
    router.post("/blocks")(control.produce)
    router.put("/pace")(control.pace)
    router.patch("/trouble")(control.trouble)
    router.post("/mempool/forget")(control.forget)
    router.post("/txs/force")(control.force)
    router.post("/happenings")(control.happen)
    router.put("/validators")(control.elect)
    router.get("/faces/{face}/faults")(control.faults)
    router.patch("/faces/{face}/faults")(control.switch)
    router.delete("/faces/{face}/faults")(control.clear)
    router.post("/faces/{face}/other-chain")(control.show)
    return router
