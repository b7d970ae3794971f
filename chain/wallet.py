"""The treasury's key: derived once, never shown, signing the same bytes for the same facts."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self

from bip_utils import Bip32Slip10Secp256k1, Bip39Languages, Bip39MnemonicValidator, Bip39SeedGenerator
from bip_utils.bip.bip32 import Bip32KeyError, Bip32PathError

from chain import address, cosmos
from chain.coins import ChainCoin
from chain.parameters import ChainParameters


class WrongMnemonic(ValueError):  # noqa: N818 - says what is the case
    """The words are no BIP-39 mnemonic, or the path is none. Never quotes the words."""


class Payment(NamedTuple):
    """One send: to whom (lower-case bech32) and what."""

    recipient: str
    coins: tuple[ChainCoin, ...]


class SigningFacts(NamedTuple):
    """Everything beside the payments that the signature covers."""

    account_number: int
    sequence: int
    gas_limit: int
    fee: ChainCoin
    timeout_height: int
    memo: str = ""


class SignedTx(NamedTuple):
    """Bytes ready to be stored, then broadcast, and the hash by which blocks are searched for them."""

    raw: bytes
    canonical_hash: str


class Wallet:
    """Signs for the treasury. ``address`` and ``raw_address`` are its spelling and bytes; the key stays inside."""

    __slots__ = ("_chain_id", "_private_key", "_public_key", "address", "raw_address")

    def __init__(self, private_key: bytes, parameters: ChainParameters) -> None:
        self._private_key: Final = private_key
        self._public_key: Final = cosmos.public_key(private_key)
        self._chain_id: Final = parameters.chain_id
        self.raw_address: Final = address.key_address(self._public_key)
        self.address: Final = address.encode(parameters.prefix, self.raw_address)

    @classmethod
    def from_mnemonic(cls, mnemonic: str, parameters: ChainParameters) -> Self:
        """Derive the key at ``parameters.derivation_path``; raises WrongMnemonic, also for a wrong checksum."""
        words = " ".join(mnemonic.split())
        if not Bip39MnemonicValidator(Bip39Languages.ENGLISH).IsValid(words):
            raise WrongMnemonic("the mnemonic is no valid BIP-39 mnemonic in English")
        seed = Bip39SeedGenerator(words, Bip39Languages.ENGLISH).Generate()
        try:
            node = Bip32Slip10Secp256k1.FromSeed(seed).DerivePath(parameters.derivation_path)
        except (Bip32PathError, Bip32KeyError) as error:
            raise WrongMnemonic(f"no derivation path: {parameters.derivation_path}") from error
        return cls(node.PrivateKey().Raw().ToBytes(), parameters)

    def __repr__(self) -> str:
        return f"Wallet({self.address})"

    def __reduce__(self) -> Any:
        raise TypeError("a wallet is never written out")

    def sign_sends(self, payments: Sequence[Payment], facts: SigningFacts) -> SignedTx:
        """Return the transaction that makes all ``payments`` (at least one) from the treasury, or none of them.

        The same arguments give the same bytes.
        """
        body = cosmos.TxBody(
            messages=[cosmos.msg_send(self.address, each.recipient, _pairs(each.coins)) for each in payments],
            memo=facts.memo,
            timeout_height=facts.timeout_height,
        )
        return self._signed(cosmos.encode(body), cosmos.encode(self._auth_info(facts)), facts.account_number)

    def _auth_info(self, facts: SigningFacts) -> Any:
        key = cosmos.pack(cosmos.SECP256K1_URL, cosmos.Secp256k1PubKey(key=self._public_key))
        mode = cosmos.ModeInfo(single=cosmos.ModeInfo.Single(mode=cosmos.SIGN_MODE_DIRECT))
        signer = cosmos.SignerInfo(public_key=key, mode_info=mode, sequence=facts.sequence)
        fee = cosmos.Fee(amount=cosmos.coins(_pairs((facts.fee,))), gas_limit=facts.gas_limit)
        return cosmos.AuthInfo(signer_infos=[signer], fee=fee)

    def _signed(self, body: bytes, auth_info: bytes, account_number: int) -> SignedTx:
        document = cosmos.SignDoc(
            body_bytes=body, auth_info_bytes=auth_info, chain_id=self._chain_id, account_number=account_number
        )
        signature = cosmos.sign(self._private_key, cosmos.encode(document))
        raw = cosmos.encode(cosmos.TxRaw(body_bytes=body, auth_info_bytes=auth_info, signatures=[signature]))
        return SignedTx(raw, canonical_hash(raw))


def canonical_hash(raw: bytes) -> str:
    """Return the hash by which our own transactions are recognised, in upper-case hexadecimal.

    A stranger can write the same signed parts differently (a field twice) and so change sha256 of the bytes, but
    not what they decode to. Raises `chain.cosmos.Undecodable`.
    """
    decoded = cosmos.decode(cosmos.TxRaw, raw)
    return sha256(cosmos.encode(decoded)).hexdigest().upper()


def tx_hash(raw: bytes) -> str:
    """Return the hash by which nodes and explorers name these very bytes."""
    return sha256(raw).hexdigest().upper()


def _pairs(coins: Sequence[ChainCoin]) -> list[tuple[str, int]]:
    """Return coins in the order that the chain demands: by denom, and none of zero."""
    return sorted((coin.denom, coin.amount) for coin in coins if coin.amount)
