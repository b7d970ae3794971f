"""Wallets of the sandbox: people who pay into the treasury, in every way that the chain permits."""

from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple

import coincurve

from chain import address, cosmos
from chain.light import wire
from chain.parameters import ChainParameters
from sandbox.node import state
from sandbox.node.blockchain import Blockchain

FAUCET: Final = "faucet"
_GAS_FIRST: Final = 150_000
_GAS_NEXT: Final = 40_000


class SpelledCoin(NamedTuple):
    """A coin whose amount is any text at all."""

    denom: str
    amount: str

    def encoded(self) -> bytes:
        """Return the protobuf bytes."""
        return wire.octets(1, self.denom.encode()) + wire.octets(2, self.amount.encode())


class Output(NamedTuple):
    """Who gets what."""

    recipient: str
    coins: tuple[SpelledCoin, ...]

    def encoded(self) -> bytes:
        """Return the protobuf bytes of a multi-send's output, or input."""
        coins = b"".join(wire.message(2, coin.encoded()) for coin in self.coins)
        return wire.octets(1, self.recipient.encode()) + coins


class Purse:
    """The wallet of a named person; the same name is the same key everywhere."""

    def __init__(self, name: str, parameters: ChainParameters) -> None:
        self.name: Final = name
        self.key: Final = sha256(b"moneta sandbox purse " + name.encode()).digest()
        self._parameters: Final = parameters

    @cached_property
    def public_key(self) -> bytes:
        """The compressed key."""
        return coincurve.PrivateKey(self.key).public_key.format()

    @cached_property
    def raw_address(self) -> bytes:
        """The address's bytes."""
        return address.key_address(self.public_key)

    @cached_property
    def address(self) -> str:
        """The address as it is written."""
        return address.encode(self._parameters.prefix, self.raw_address)

    def send(self, outputs: Iterable[Output]) -> list[bytes]:
        """Return packed ``MsgSend``, one for each output."""
        return [_packed(cosmos.MSG_SEND_URL, self._send(output)) for output in outputs]

    def multi_send(self, outputs: Iterable[Output]) -> list[bytes]:
        """Return one packed ``MsgMultiSend`` with all outputs; amounts in plain digits."""
        given = list(outputs)
        sums: dict[str, int] = {}
        for coin in (coin for output in given for coin in output.coins):
            sums[coin.denom] = sums.get(coin.denom, 0) + int(coin.amount)
        total = tuple(SpelledCoin(denom, str(amount)) for denom, amount in sorted(sums.items()))
        source = wire.message(1, Output(self.address, total).encoded())
        return [
            _packed(
                cosmos.MSG_MULTI_SEND_URL,
                source + b"".join(wire.message(2, each.encoded()) for each in given),
            )
        ]

    def _send(self, output: Output) -> bytes:
        coins = b"".join(wire.message(3, coin.encoded()) for coin in output.coins)
        return wire.octets(1, self.address.encode()) + wire.octets(2, output.recipient.encode()) + coins

    def sign(
        self, chain: Blockchain, messages: Iterable[bytes], memo: bytes = b"", outputs: int = 1
    ) -> bytes:
        """Return the signed transaction, numbered behind all that waits in the mempool.

        Raises KeyError with the address when the chain does not know it yet.
        """
        account = state.account(chain.mempool.checked, self.raw_address)
        if account is None:
            raise KeyError(self.address)
        body = b"".join(wire.message(1, message) for message in messages) + wire.octets(2, memo)
        auth_info = cosmos.encode(self._auth_info(account.sequence, _GAS_FIRST + _GAS_NEXT * (outputs - 1)))
        document = cosmos.SignDoc(
            body_bytes=body,
            auth_info_bytes=auth_info,
            chain_id=chain.parameters.chain_id,
            account_number=account.number,
        )
        signature = coincurve.PrivateKey(self.key).sign_recoverable(cosmos.encode(document))[:64]
        return cosmos.encode(cosmos.TxRaw(body_bytes=body, auth_info_bytes=auth_info, signatures=[signature]))

    def _auth_info(self, sequence: int, gas_limit: int) -> Any:
        key = cosmos.pack(cosmos.SECP256K1_URL, cosmos.Secp256k1PubKey(key=self.public_key))
        mode = cosmos.ModeInfo(single=cosmos.ModeInfo.Single(mode=cosmos.SIGN_MODE_DIRECT))
        signer = cosmos.SignerInfo(public_key=key, mode_info=mode, sequence=sequence)
        price = [(self._parameters.fee_denom, self._parameters.fee(gas_limit))]
        fee = cosmos.Fee(amount=cosmos.coins(price), gas_limit=gas_limit)
        return cosmos.AuthInfo(signer_infos=[signer], fee=fee)


def _packed(url: str, message: bytes) -> bytes:
    return wire.octets(1, url.encode()) + wire.octets(2, message)
