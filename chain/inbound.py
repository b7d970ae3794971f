"""What a verified block's transactions did to the treasury, by their bodies (chain.md, Deposits 3).

Pure reading of bytes that strangers chose: whatever is in a transaction, the ones around it are read. What cannot be
read here (a memo that is not UTF-8, contract sends, IBC) still shows in the proved balance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from chain import address, cosmos
from chain.verified import VerifiedBlock
from chain.wallet import canonical_hash, tx_hash
from ledger.deposits import Arrival
from ledger.inclusions import Inclusion
from ledger.money import Denom
from ledger.spends import Spend, SpentCoin

MAX_EXEC_DEPTH: Final = 8
"""MsgExec inside MsgExec that is followed; what lies deeper is left to the residue."""


@dataclass(frozen=True)
class WatchedWallet:
    """Whose coins are looked for: the address's bytes and the chain's prefix."""

    raw: bytes
    prefix: str

    @cached_property
    def address(self) -> str:
        """The address as the chain's events write it."""
        return address.encode(self.prefix, self.raw)

    def is_at(self, text: str) -> bool:
        """Tell whether ``text`` is the treasury's address, in lower or upper case: bytes have no other spelling.

        Nothing is decoded: a block may hold many thousands of addresses.
        """
        return text in self._spellings

    @cached_property
    def _spellings(self) -> frozenset[str]:
        return frozenset((self.address, self.address.upper()))


class Inbound(NamedTuple):
    """What a block holds for the books."""

    arrivals: tuple[Arrival, ...]
    inclusions: tuple[Inclusion, ...]
    spends: tuple[Spend, ...]


class _Located(NamedTuple):
    """A message and where it stands: ``0``, or ``0.2`` inside an exec."""

    path: str
    message: Any


def read_block(block: VerifiedBlock, treasury: WatchedWallet) -> Inbound:
    """Return what arrived, every transaction's identity, and who spent from the treasury; never raises."""
    arrivals: list[Arrival] = []
    inclusions: list[Inclusion] = []
    spends: list[Spend] = []
    for position, (raw, outcome) in enumerate(zip(block.txs, block.outcomes, strict=True)):
        inclusion = _inclusion(position, raw, outcome.code)
        inclusions.append(inclusion)
        spends += _spend(raw, inclusion, treasury)
        if outcome.code == 0:
            arrivals += read_arrivals(raw, treasury)
    return Inbound(tuple(arrivals), tuple(inclusions), tuple(spends))


def _inclusion(position: int, raw: bytes, code: int) -> Inclusion:
    shown = tx_hash(raw)
    try:
        return Inclusion(position, canonical_hash(raw), shown, code)
    except cosmos.Undecodable:
        return Inclusion(position, shown, shown, code)


def read_arrivals(raw: bytes, treasury: WatchedWallet) -> list[Arrival]:
    """Return each coin that an executed transaction carried to the treasury; bytes that cannot be read carry none."""
    body = _body(raw)
    if body is None:
        return []
    shown = tx_hash(raw)
    return [
        Arrival(shown, located.path, output, Denom(coin.denom), coin.amount, body.memo, sender)
        for located in _messages(body.messages)
        for output, sender, coins in _credits(located.message, treasury)
        for coin in coins
    ]


def _spend(raw: bytes, inclusion: Inclusion, treasury: WatchedWallet) -> list[Spend]:
    """Return what a transaction spends, or would have, from the treasury: one `Spend` or none."""
    body = _body(raw)
    if body is None:
        return []
    located = list(_messages(body.messages))
    denoms = {denom for each in located for denom in _spent_denoms(each.message, treasury)}
    if not denoms:
        return []
    spend = Spend(inclusion.canonical, inclusion.shown, tuple(sorted(denoms)), inclusion.code)
    # What an authz exec holds, somebody else signed.
    own = [each.message for each in located if "." not in each.path]
    if not any(denom for message in own for denom in _spent_denoms(message, treasury)):
        return [spend]
    signer, fees = _signer(raw, treasury)
    payments = tuple(coin for message in own for coin in _payments(message, treasury))
    return [spend._replace(signed=True, payments=payments, fees=fees, memo=body.memo, sequence=signer)]


def _payments(message: Any, treasury: WatchedWallet) -> Iterator[SpentCoin]:
    """Yield what ``message`` pays out of the treasury to others; from several purses nobody can tell whose it is."""
    if isinstance(message, cosmos.MsgSend):
        outputs = [(message.to_address, message.amount)] if treasury.is_at(message.from_address) else []
    else:
        ours = len(message.inputs) == 1 and treasury.is_at(message.inputs[0].address)
        outputs = [(each.address, each.coins) for each in message.outputs] if ours else []
    for recipient, coins in outputs:
        if not treasury.is_at(recipient):
            yield from (SpentCoin(recipient, Denom(coin.denom), coin.amount) for coin in coins)


def _signer(raw: bytes, treasury: WatchedWallet) -> tuple[int, tuple[SpentCoin, ...]]:
    """Return the sequence that the treasury used as the only signer, and the fees that it paid, not others for it."""
    try:
        auth = cosmos.decode(cosmos.AuthInfo, cosmos.decode(cosmos.TxRaw, raw).auth_info_bytes)
    except cosmos.Undecodable:
        return 0, ()
    sequence = auth.signer_infos[0].sequence if len(auth.signer_infos) == 1 else 0
    payer = auth.fee.granter or auth.fee.payer
    fees = auth.fee.amount if not payer or treasury.is_at(payer) else ()
    return sequence, tuple(SpentCoin("", Denom(coin.denom), coin.amount) for coin in fees)


def _body(raw: bytes) -> Any | None:
    """Return a transaction's body, None when the library cannot read it as the chain did."""
    try:
        return cosmos.decode(cosmos.TxBody, cosmos.decode(cosmos.TxRaw, raw).body_bytes)
    except cosmos.Undecodable:
        return None


def _messages(packed: Any, prefix: str = "", depth: int = 0) -> Iterator[_Located]:
    """Yield the bank messages in ``packed``, those inside MsgExec too; type URLs are compared exactly."""
    for index, each in enumerate(packed):
        path = f"{prefix}{index}"
        kind = _KINDS.get(each.type_url)
        message = _read(kind, each.value) if kind is not None else None
        if message is None:
            continue
        if kind is not cosmos.MsgExec:
            yield _Located(path, message)
        elif depth < MAX_EXEC_DEPTH:
            yield from _messages(message.msgs, f"{path}.", depth + 1)


_KINDS: Final[dict[str, Any]] = {
    cosmos.MSG_SEND_URL: cosmos.MsgSend,
    cosmos.MSG_MULTI_SEND_URL: cosmos.MsgMultiSend,
    cosmos.MSG_EXEC_URL: cosmos.MsgExec,
}


def _read(kind: Any, encoded: bytes) -> Any | None:
    try:
        return cosmos.decode(kind, encoded)
    except cosmos.Undecodable:
        return None


def _credits(message: Any, treasury: WatchedWallet) -> Iterator[tuple[int, str, Any]]:
    """Yield (output index, sender, coins) of what ``message`` gives the treasury without taking from it."""
    if isinstance(message, cosmos.MsgSend):
        if treasury.is_at(message.to_address) and not treasury.is_at(message.from_address):
            yield 0, message.from_address, message.amount
    elif not any(treasury.is_at(each.address) for each in message.inputs):
        sender = ",".join(each.address for each in message.inputs)
        for index, output in enumerate(message.outputs):
            if treasury.is_at(output.address):
                yield index, sender, output.coins


def _spent_denoms(message: Any, treasury: WatchedWallet) -> Iterator[Denom]:
    if isinstance(message, cosmos.MsgSend):
        if treasury.is_at(message.from_address):
            yield from (Denom(coin.denom) for coin in message.amount)
        return
    for each in message.inputs:
        if treasury.is_at(each.address):
            yield from (Denom(coin.denom) for coin in each.coins)
