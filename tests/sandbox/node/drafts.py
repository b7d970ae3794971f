"""Transactions for these tests, right or wrong in one thing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from chain import cosmos
from chain.light import wire
from sandbox.node import state
from sandbox.node.blockchain import Blockchain
from sandbox.node.people import Purse

GAS = 150_000
FEE = 11_250


@dataclass(frozen=True)
class Draft:
    """What a transaction is made of."""

    signer: Purse
    chain_id: str
    number: int
    sequence: int
    messages: tuple[bytes, ...] = ()
    memo: bytes = b""
    timeout_height: int = 0
    gas: int = GAS
    fee: tuple[tuple[str, int], ...] = (("ujuno", FEE),)
    key: bytes | None = None
    payer: str = ""

    def but(self, **changes: Any) -> "Draft":
        return replace(self, **changes)

    def sign(self) -> bytes:
        body = b"".join(wire.message(1, each) for each in self.messages)
        body += wire.octets(2, self.memo) + wire.integer(3, self.timeout_height)
        auth_info = self._auth_info()
        document = cosmos.SignDoc(
            body_bytes=body, auth_info_bytes=auth_info, chain_id=self.chain_id, account_number=self.number
        )
        signature = cosmos.sign(self.signer.key, cosmos.encode(document))
        return wire.octets(1, body) + wire.octets(2, auth_info) + wire.message(3, signature)

    def _auth_info(self) -> bytes:
        public = self.signer.public_key if self.key is None else self.key
        key = cosmos.pack(cosmos.SECP256K1_URL, cosmos.Secp256k1PubKey(key=public)) if public else None
        mode = cosmos.ModeInfo(single=cosmos.ModeInfo.Single(mode=cosmos.SIGN_MODE_DIRECT))
        signer = cosmos.SignerInfo(public_key=key, mode_info=mode, sequence=self.sequence)
        fee = cosmos.Fee(amount=cosmos.coins(self.fee), gas_limit=self.gas, payer=self.payer)
        return cosmos.encode(cosmos.AuthInfo(signer_infos=[signer], fee=fee))


def draft(chain: Blockchain, signer: Purse, *messages: Any) -> Draft:
    """Return what ``signer`` would rightly sign now."""
    account = state.account(chain.mempool.checked, signer.raw_address)
    number, sequence = (account.number, account.sequence) if account else (0, 0)
    packed = tuple(cosmos.encode(message) for message in messages)
    return Draft(signer, chain.parameters.chain_id, number, sequence, packed)


def send(sender: Purse, to: str, amount: int = 1, denom: str = "ujuno") -> Any:
    return cosmos.msg_send(sender.address, to, [(denom, amount)])


def multi_send(sender: Purse, outputs: Iterable[tuple[str, int]], total: int | None = None) -> Any:
    given = list(outputs)
    total = sum(amount for _, amount in given) if total is None else total
    message = cosmos.MsgMultiSend(
        inputs=[cosmos.Input(address=sender.address, coins=cosmos.coins([("ujuno", total)]))],
        outputs=[cosmos.Output(address=to, coins=cosmos.coins([("ujuno", amount)])) for to, amount in given],
    )
    return cosmos.pack(cosmos.MSG_MULTI_SEND_URL, message)


def grant(granter: Purse, grantee: Purse, *, limit: int | None = None, expires: int | None = None) -> Any:
    """Return a grant to send: any amount, or up to ``limit`` ujuno."""
    if limit is None:
        allowed = cosmos.GenericAuthorization(msg=cosmos.MSG_SEND_URL)
        packed = cosmos.pack("/cosmos.authz.v1beta1.GenericAuthorization", allowed)
    else:
        allowed = cosmos.SendAuthorization(spend_limit=cosmos.coins([("ujuno", limit)]))
        packed = cosmos.pack("/cosmos.bank.v1beta1.SendAuthorization", allowed)
    given = cosmos.Grant(authorization=packed, expiration={"seconds": expires} if expires else None)
    message = cosmos.MsgGrant(granter=granter.address, grantee=grantee.address, grant=given)
    return cosmos.pack(cosmos.MSG_GRANT_URL, message)


def execute(grantee: Purse, *messages: Any) -> Any:
    return cosmos.pack(cosmos.MSG_EXEC_URL, cosmos.MsgExec(grantee=grantee.address, msgs=messages))
