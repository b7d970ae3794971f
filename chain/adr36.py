"""A text signed by the key of an address, as ADR-36 has wallets sign what is no transaction (rewards.md, Wallet proof).

What is signed is a transaction that no chain accepts: no chain id, no fee, account and sequence 0, and one message that
holds the text. So a signature given here can never move coins, and a signed transaction never passes as a text.
"""

import base64
import binascii
import json
import re
from typing import Any, Final, NamedTuple

from chain import cosmos
from chain.address import encode, key_address
from ledger.errors import Refused

KEY_TYPE: Final = "tendermint/PubKeySecp256k1"
KEY_BYTES: Final = 33
SIGNATURE_BYTES: Final = 64
LONGEST_TYPED: Final = 2_048
"""Characters; what wallets give has under 300."""

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of the curve: a signature holds with s and with order - s, and only the lower one is accepted."""
_ESCAPED: Final = re.compile("[<>&\u2028\u2029]")
"""What Go's encoder of JSON never writes as it is, and so neither the chain's own."""


class Proof(NamedTuple):
    """A compressed public key and its signature (r, s), as a wallet gave them."""

    public_key: bytes
    signature: bytes

    def text(self) -> str:
        """Return it as JSON, as it is kept."""
        key, signature = (base64.b64encode(each).decode() for each in self)
        return json.dumps({"pub_key": key, "signature": signature}, sort_keys=True)


def read_proof(typed: str) -> Proof:
    """Read what a wallet gives: its JSON, or the key and the signature as two words of base64 in either order.

    Raises Refused ``signature_unreadable``, and ``signature_key_type`` for a key that is not secp256k1.
    """
    typed = typed.strip()
    if len(typed) > LONGEST_TYPED:
        raise Refused("signature_unreadable")
    words = _words_of_json(typed) if typed.startswith("{") else typed.split()
    parts = {len(part): part for part in map(_decoded, words)}
    if len(words) != 2 or parts.keys() != {KEY_BYTES, SIGNATURE_BYTES}:
        raise Refused("signature_unreadable")
    return Proof(parts[KEY_BYTES], parts[SIGNATURE_BYTES])


def proves(proof: Proof, prefix: str, address: str, text: str) -> bool:
    """Tell whether ``proof`` is the signature of ``address`` (lower-case bech32 of ``prefix``) over ``text``."""
    key, signature = proof
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    if encode(prefix, key_address(key)) != address:
        return False
    if int.from_bytes(signature[32:], "big") > _ORDER // 2:
        return False
    return cosmos.signature_holds(key, signed_bytes(address, text), signature)


def signed_bytes(address: str, text: str) -> bytes:
    """Return the bytes whose SHA-256 a wallet signs when ``address`` signs ``text``."""
    message = {
        "type": "sign/MsgSignData",
        "value": {"data": base64.b64encode(text.encode()).decode(), "signer": address},
    }
    return canonical_json(
        {
            "account_number": "0",
            "chain_id": "",
            "fee": {"amount": [], "gas": "0"},
            "memo": "",
            "msgs": [message],
            "sequence": "0",
        }
    )


def canonical_json(document: Any) -> bytes:
    """Return ``document`` as amino signs it: keys in order, no blanks, and what Go escapes escaped."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _words_of_json(typed: str) -> list[str]:
    """Return key and signature from ``{"pub_key": {"type": ..., "value": ...}, "signature": ...}``.

    Wallets that sign whole documents wrap it once more, beside what was signed.
    """
    try:
        document = json.loads(typed)
    except (ValueError, RecursionError) as error:
        raise Refused("signature_unreadable") from error
    inner = document.get("signature")
    if isinstance(inner, dict):
        document, inner = inner, inner.get("signature")
    key = document.get("pub_key")
    if not isinstance(key, dict) or not isinstance(key.get("value"), str) or not isinstance(inner, str):
        raise Refused("signature_unreadable")
    if key.get("type") != KEY_TYPE:
        raise Refused("signature_key_type")
    return [key["value"], inner]


def _decoded(word: str) -> bytes:
    """Return what ``word`` spells in base64; nothing for what is none."""
    try:
        return base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        return b""
