"""The one file that imports cosmpy: its protobuf classes and secp256k1 keys behind typed names.

Protobuf here keeps the chain's rule that of duplicate fields the last one wins, so bytes are never taken apart by
hand. The library's classes are untyped: messages travel as Any, and these functions give the rest its types.
"""

from collections.abc import Iterable
from typing import Any, Final

from cosmpy.crypto.keypairs import PrivateKey, PublicKey
from cosmpy.protos.cosmos.auth.v1beta1 import auth_pb2
from cosmpy.protos.cosmos.auth.v1beta1 import query_pb2 as auth_query_pb2
from cosmpy.protos.cosmos.authz.v1beta1 import authz_pb2
from cosmpy.protos.cosmos.authz.v1beta1 import tx_pb2 as authz_tx_pb2
from cosmpy.protos.cosmos.bank.v1beta1 import authz_pb2 as bank_authz_pb2
from cosmpy.protos.cosmos.bank.v1beta1 import bank_pb2
from cosmpy.protos.cosmos.bank.v1beta1 import query_pb2 as bank_query_pb2
from cosmpy.protos.cosmos.bank.v1beta1 import tx_pb2 as bank_tx_pb2
from cosmpy.protos.cosmos.base.abci.v1beta1 import abci_pb2
from cosmpy.protos.cosmos.base.v1beta1 import coin_pb2
from cosmpy.protos.cosmos.crypto.secp256k1 import keys_pb2
from cosmpy.protos.cosmos.ics23.v1 import proofs_pb2
from cosmpy.protos.cosmos.tx.signing.v1beta1 import signing_pb2
from cosmpy.protos.cosmos.tx.v1beta1 import service_pb2, tx_pb2
from cosmpy.protos.cosmos.vesting.v1beta1 import vesting_pb2
from cosmpy.protos.tendermint.abci import types_pb2 as tendermint_abci_pb2
from cosmpy.protos.tendermint.crypto import proof_pb2
from ecdsa.errors import MalformedPointError
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

Tx: Final[Any] = tx_pb2.Tx
TxRaw: Final[Any] = tx_pb2.TxRaw
TxBody: Final[Any] = tx_pb2.TxBody
AuthInfo: Final[Any] = tx_pb2.AuthInfo
SignDoc: Final[Any] = tx_pb2.SignDoc
SignerInfo: Final[Any] = tx_pb2.SignerInfo
ModeInfo: Final[Any] = tx_pb2.ModeInfo
Fee: Final[Any] = tx_pb2.Fee
Coin: Final[Any] = coin_pb2.Coin
Secp256k1PubKey: Final[Any] = keys_pb2.PubKey
SIGN_MODE_DIRECT: Final[int] = signing_pb2.SIGN_MODE_DIRECT

MsgSend: Final[Any] = bank_tx_pb2.MsgSend
MsgMultiSend: Final[Any] = bank_tx_pb2.MsgMultiSend
MsgExec: Final[Any] = authz_tx_pb2.MsgExec
MsgGrant: Final[Any] = authz_tx_pb2.MsgGrant
Grant: Final[Any] = authz_pb2.Grant
GenericAuthorization: Final[Any] = authz_pb2.GenericAuthorization
SendAuthorization: Final[Any] = bank_authz_pb2.SendAuthorization
Input: Final[Any] = bank_pb2.Input
Output: Final[Any] = bank_pb2.Output
BaseAccount: Final[Any] = auth_pb2.BaseAccount
ContinuousVestingAccount: Final[Any] = vesting_pb2.ContinuousVestingAccount
DelayedVestingAccount: Final[Any] = vesting_pb2.DelayedVestingAccount
PeriodicVestingAccount: Final[Any] = vesting_pb2.PeriodicVestingAccount
PermanentLockedAccount: Final[Any] = vesting_pb2.PermanentLockedAccount

MSG_SEND_URL: Final = "/cosmos.bank.v1beta1.MsgSend"
MSG_MULTI_SEND_URL: Final = "/cosmos.bank.v1beta1.MsgMultiSend"
MSG_EXEC_URL: Final = "/cosmos.authz.v1beta1.MsgExec"
MSG_GRANT_URL: Final = "/cosmos.authz.v1beta1.MsgGrant"
BASE_ACCOUNT_URL: Final = "/cosmos.auth.v1beta1.BaseAccount"
SECP256K1_URL: Final = "/cosmos.crypto.secp256k1.PubKey"

_VESTING: Final[dict[str, Any]] = {
    f"/cosmos.vesting.v1beta1.{kind.DESCRIPTOR.name}": kind
    for kind in (
        ContinuousVestingAccount,
        DelayedVestingAccount,
        PeriodicVestingAccount,
        PermanentLockedAccount,
    )
}

QueryAccountRequest: Final[Any] = auth_query_pb2.QueryAccountRequest
QueryAccountResponse: Final[Any] = auth_query_pb2.QueryAccountResponse
QueryBalanceRequest: Final[Any] = bank_query_pb2.QueryBalanceRequest
QueryBalanceResponse: Final[Any] = bank_query_pb2.QueryBalanceResponse
QueryAllBalancesRequest: Final[Any] = bank_query_pb2.QueryAllBalancesRequest
QueryAllBalancesResponse: Final[Any] = bank_query_pb2.QueryAllBalancesResponse
SimulateRequest: Final[Any] = service_pb2.SimulateRequest
SimulateResponse: Final[Any] = service_pb2.SimulateResponse
TxMsgData: Final[Any] = abci_pb2.TxMsgData
ExecTxResult: Final[Any] = tendermint_abci_pb2.ExecTxResult

CommitmentProof: Final[Any] = proofs_pb2.CommitmentProof
ExistenceProof: Final[Any] = proofs_pb2.ExistenceProof
NonExistenceProof: Final[Any] = proofs_pb2.NonExistenceProof
LeafOp: Final[Any] = proofs_pb2.LeafOp
InnerOp: Final[Any] = proofs_pb2.InnerOp
HASH_NONE: Final[int] = proofs_pb2.NO_HASH
HASH_SHA256: Final[int] = proofs_pb2.SHA256
LENGTH_VAR_PROTO: Final[int] = proofs_pb2.VAR_PROTO
ProofOps: Final[Any] = proof_pb2.ProofOps
ProofOp: Final[Any] = proof_pb2.ProofOp

Packed: Final[Any] = AnyMessage


class Undecodable(ValueError):  # noqa: N818 - says what is the case
    """The bytes are no message of the asked type; also a string field that is not UTF-8 (chain.md, Deposits 3)."""


def encode(message: Any) -> bytes:
    """Return the deterministic encoding of a protobuf ``message``."""
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def decode(kind: Any, encoded: bytes) -> Any:
    """Return ``encoded`` as a message of class ``kind``; raises Undecodable and nothing else."""
    try:
        return kind.FromString(encoded)
    except DecodeError as error:
        raise Undecodable(f"these bytes are no {kind.DESCRIPTOR.full_name}") from error


def pack(type_url: str, message: Any) -> Any:
    """Return ``message`` in an ``Any`` under exactly ``type_url``, as the chain names it."""
    return AnyMessage(type_url=type_url, value=encode(message))


def base_account(packed: Any) -> Any:
    """Return the ``BaseAccount`` inside a stored account (an ``Any``), also inside a vesting one.

    Raises Undecodable for any other kind.
    """
    if packed.type_url == BASE_ACCOUNT_URL:
        return decode(BaseAccount, packed.value)
    kind = _VESTING.get(packed.type_url)
    if kind is None:
        raise Undecodable(f"no account with a key of its own: {packed.type_url[:100]}")
    return decode(kind, packed.value).base_vesting_account.base_account


def coins(amounts: Iterable[tuple[str, int]]) -> list[Any]:
    """Return (denom, amount) pairs as ``Coin`` messages in the order given."""
    return [coin_pb2.Coin(denom=denom, amount=str(amount)) for denom, amount in amounts]


def msg_send(sender: str, recipient: str, amounts: Iterable[tuple[str, int]]) -> Any:
    """Return a packed ``MsgSend``."""
    return pack(MSG_SEND_URL, MsgSend(from_address=sender, to_address=recipient, amount=coins(amounts)))


def public_key(private_key: bytes) -> bytes:
    """Return the compressed secp256k1 public key (33 bytes) of a private key of 32 bytes."""
    key: bytes = PrivateKey(private_key).public_key.public_key_bytes
    return key


def sign(private_key: bytes, message: bytes) -> bytes:
    """Return the 64-byte signature (r, low s) of sha256(``message``).

    The nonce follows RFC 6979: signing again gives the same bytes, so a repeated payment stays one payment.
    """
    signature: bytes = PrivateKey(private_key).sign(message, deterministic=True, canonicalise=True)
    return signature


def signature_holds(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether ``signature`` is ``key``'s (compressed) over sha256(``message``); False also for malformed ones."""
    try:
        holds: bool = PublicKey(key).verify(message, signature)
    except (MalformedPointError, ValueError):
        return False
    return holds
