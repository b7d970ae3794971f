"""Transactions for the contract suite, down to spellings that no decent client would write."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple

from chain import address, cosmos
from chain.light import wire

PREFIX: Final = "juno"
FEE_DENOM: Final = "ujuno"
GAS: Final = 150_000


class Account(NamedTuple):
    """What the chain keeps of a signer."""

    number: int
    sequence: int


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    key: bytes

    @classmethod
    def named(cls, name: str) -> "Person":
        """Return the one person of this name."""
        return cls(sha256(name.encode()).digest())

    @cached_property
    def public_key(self) -> bytes:
        """The compressed key."""
        return cosmos.public_key(self.key)

    @cached_property
    def raw_address(self) -> bytes:
        """The address's bytes."""
        return address.key_address(self.public_key)

    @cached_property
    def address(self) -> str:
        """The address as it is written."""
        return address.encode(PREFIX, self.raw_address)


@dataclass(frozen=True)
class Draft:
    """Who signs, as which account state, at what price; ``fee`` None is exactly the floor."""

    signer: Person
    chain_id: str
    account: Account
    gas: int = GAS
    fee: int | None = None

    def but(self, **changes: Any) -> "Draft":
        """Return this draft with other facts."""
        return replace(self, **changes)

    def next(self) -> "Draft":
        """Return the draft of the transaction after this one."""
        return self.but(account=Account(self.account.number, self.account.sequence + 1))

    @property
    def fee_amount(self) -> int:
        """The fee in ujuno."""
        return floor(self.gas) if self.fee is None else self.fee

    def auth_info(self) -> bytes:
        """Return the signed part that is not the body."""
        key = cosmos.pack(cosmos.SECP256K1_URL, cosmos.Secp256k1PubKey(key=self.signer.public_key))
        mode = cosmos.ModeInfo(single=cosmos.ModeInfo.Single(mode=cosmos.SIGN_MODE_DIRECT))
        signer = cosmos.SignerInfo(public_key=key, mode_info=mode, sequence=self.account.sequence)
        amounts = cosmos.coins([(FEE_DENOM, self.fee_amount)]) if self.fee_amount else []
        return cosmos.encode(
            cosmos.AuthInfo(signer_infos=[signer], fee=cosmos.Fee(amount=amounts, gas_limit=self.gas))
        )

    def sign(self, body: bytes) -> bytes:
        """Return the transaction with this body."""
        auth_info = self.auth_info()
        document = cosmos.SignDoc(
            body_bytes=body,
            auth_info_bytes=auth_info,
            chain_id=self.chain_id,
            account_number=self.account.number,
        )
        signature = cosmos.sign(self.signer.key, cosmos.encode(document))
        return cosmos.encode(cosmos.TxRaw(body_bytes=body, auth_info_bytes=auth_info, signatures=[signature]))

    def send(self, recipient: str, amount: int, denom: str = FEE_DENOM, **body: Any) -> bytes:
        """Return a signed transaction with one plain send; ``body`` as in `body_of`."""
        return self.sign(body_of(cosmos.msg_send(self.signer.address, recipient, [(denom, amount)]), **body))


def floor(gas: int) -> int:
    """Return the least fee for this much gas: 0.075 ujuno each, rounded up."""
    return -(-gas * 75 // 1000)


def body_of(*messages: Any, memo: str = "", timeout_height: int = 0) -> bytes:
    """Return a body with packed messages."""
    return cosmos.encode(cosmos.TxBody(messages=messages, memo=memo, timeout_height=timeout_height))


def multi_send(sender: str, outputs: Iterable[tuple[str, int]], denom: str = FEE_DENOM) -> Any:
    """Return a packed ``MsgMultiSend`` from one sender to (recipient, amount) pairs."""
    given = list(outputs)
    total = cosmos.coins([(denom, sum(amount for _, amount in given))])
    message = cosmos.MsgMultiSend(
        inputs=[cosmos.Input(address=sender, coins=total)],
        outputs=[cosmos.Output(address=to, coins=cosmos.coins([(denom, amount)])) for to, amount in given],
    )
    return cosmos.pack(cosmos.MSG_MULTI_SEND_URL, message)


def grant(granter: str, grantee: str, type_url: str) -> Any:
    """Return a packed ``MsgGrant`` that lets ``grantee`` send any message of one type for ``granter``."""
    authorization = cosmos.GenericAuthorization(msg=type_url)
    packed = cosmos.pack("/cosmos.authz.v1beta1.GenericAuthorization", authorization)
    message = cosmos.MsgGrant(granter=granter, grantee=grantee, grant=cosmos.Grant(authorization=packed))
    return cosmos.pack(cosmos.MSG_GRANT_URL, message)


def execute(grantee: str, messages: Sequence[Any]) -> Any:
    """Return a packed ``MsgExec``."""
    return cosmos.pack(cosmos.MSG_EXEC_URL, cosmos.MsgExec(grantee=grantee, msgs=messages))


def spelled_send(sender: str, recipient: str, amount: str, denom: str = FEE_DENOM) -> Any:
    """Return a packed ``MsgSend`` whose amount is any text at all."""
    coin = cosmos.Coin(denom=denom, amount=amount)
    message = cosmos.MsgSend(from_address=sender, to_address=recipient, amount=[coin])
    return cosmos.pack(cosmos.MSG_SEND_URL, message)


def with_memo_bytes(body: bytes, memo: bytes) -> bytes:
    """Return ``body`` with a memo field of any bytes behind it; written by hand, as Python's protobuf refuses them."""
    return body + wire.octets(2, memo)


def rewritten(raw: bytes) -> bytes:
    """Return other bytes of the same signed transaction: its body stands in it twice (chain.md, Withdrawals)."""
    tx = cosmos.decode(cosmos.TxRaw, raw)
    return wire.octets(1, tx.body_bytes) + raw
