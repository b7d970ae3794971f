"""A text is signed by an address or it is not: nothing between, whatever a wallet or a stranger writes."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import cosmos
from chain.address import encode, key_address
from chain.adr36 import KEY_TYPE, LONGEST_TYPED, Proof, canonical_json, proves, read_proof, signed_bytes
from ledger.errors import Refused
from tests.contract.signing import PREFIX, Person

ANA, BEN = Person.named("Ana"), Person.named("Ben")
TEXT = "Moneta: deposit 7 goes to Telegram account 11."
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def signed(who: Person = ANA, text: str = TEXT) -> Proof:
    return Proof(who.public_key, cosmos.sign(who.key, signed_bytes(who.address, text)))


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def of_wallet(proof: Proof, **kept: Any) -> dict[str, Any]:
    """Return ``proof`` as Keplr gives it."""
    key = {"type": KEY_TYPE, "value": b64(proof.public_key)}
    return {"pub_key": key, "signature": b64(proof.signature), **kept}


def holds(proof: Proof, address: str = ANA.address, text: str = TEXT) -> bool:
    return proves(proof, PREFIX, address, text)


# What is signed


def test_the_document_is_the_one_of_the_specification() -> None:
    assert signed_bytes("juno1abc", "hi") == (
        b'{"account_number":"0","chain_id":"","fee":{"amount":[],"gas":"0"},"memo":"","msgs":[{"type":"sign/MsgSignData",'
        b'"value":{"data":"aGk=","signer":"juno1abc"}}],"sequence":"0"}'
    )


def test_what_go_escapes_is_escaped() -> None:
    document = {"b": "<a> & \u2028\u2029 \u00e4", "a": 1}
    assert canonical_json(document) == (
        '{"a":1,"b":"\\u003ca\\u003e \\u0026 \\u2028\\u2029 \u00e4"}'.encode()
    )


def test_a_signature_of_the_address_proves_it() -> None:
    assert holds(signed())


@given(st.text(max_size=200))
def test_any_text_can_be_signed(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert holds(signed(text=text), text=text)


# What proves nothing


def test_another_text_is_not_proved() -> None:
    assert not holds(signed(), text=TEXT.replace("11", "22"))


def test_another_key_is_not_the_addresss() -> None:
    assert not holds(signed(BEN))
    assert not holds(signed(BEN)._replace(public_key=ANA.public_key))


def test_the_signer_within_the_document_counts() -> None:
    """Ana's key over a document that says Ben signs it."""
    proof = Proof(ANA.public_key, cosmos.sign(ANA.key, signed_bytes(BEN.address, TEXT)))
    assert not holds(proof)
    assert not holds(proof, BEN.address)


def test_the_twin_of_a_signature_is_refused() -> None:
    """With order - s instead of s it holds as well: only the lower one is a signature here."""
    r, s = signed().signature[:32], int.from_bytes(signed().signature[32:], "big")
    twin = r + (ORDER - s).to_bytes(32, "big")
    assert cosmos.signature_holds(ANA.public_key, signed_bytes(ANA.address, TEXT), twin)
    assert not holds(Proof(ANA.public_key, twin))


@pytest.mark.parametrize(
    "signature", [b"", b"\0" * 64, b"\xff" * 64, b"\1" * 63, b"\1" * 65, ORDER.to_bytes(32, "big") * 2]
)
def test_what_is_no_signature_proves_nothing(signature: bytes) -> None:
    assert not holds(Proof(ANA.public_key, signature))


@pytest.mark.parametrize("prefix", [0, 1, 4, 5, 255])
def test_a_key_that_is_no_point_proves_nothing(prefix: int) -> None:
    key = bytes([prefix]) + ANA.public_key[1:]
    assert not proves(Proof(key, signed().signature), PREFIX, encode(PREFIX, key_address(key)), TEXT)


def test_a_signed_transaction_is_no_signed_text() -> None:
    """A wallet that signs for the chain covers the chain's id: such a signature never passes here."""
    document = json.loads(signed_bytes(ANA.address, TEXT))
    document["chain_id"] = "juno-1"
    assert not holds(Proof(ANA.public_key, cosmos.sign(ANA.key, canonical_json(document))))


@given(st.integers(0, 63), st.integers(1, 255))
def test_one_changed_byte_proves_nothing(place: int, change: int) -> None:
    changed = bytearray(signed().signature)
    changed[place] ^= change
    assert not holds(Proof(ANA.public_key, bytes(changed)))


# What wallets give


@pytest.mark.parametrize(
    "typed",
    [
        json.dumps(of_wallet(signed())),
        json.dumps(of_wallet(signed()), indent=2),
        json.dumps(of_wallet(signed(), extra=[1, {"signature": "x"}])),
        json.dumps({"signed": {"memo": ""}, "signature": of_wallet(signed())}),
        f"{b64(signed().signature)} {b64(signed().public_key)}",
        f"  {b64(signed().public_key)}\n{b64(signed().signature)} ",
    ],
)
def test_the_forms_that_wallets_give_are_read(typed: str) -> None:
    assert read_proof(typed) == signed()


WITHOUT_TYPE = {"pub_key": {"value": b64(signed().public_key)}, "signature": b64(signed().signature)}


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "signature_unreadable"),
        ("hello there", "signature_unreadable"),
        (b64(signed().signature), "signature_unreadable"),
        (f"{b64(signed().signature)} {b64(signed().signature)}", "signature_unreadable"),
        (f"{b64(signed().signature)} {b64(signed().public_key)} x", "signature_unreadable"),
        (f"{b64(signed().signature)[:-1]} {b64(signed().public_key)}", "signature_unreadable"),
        ("{", "signature_unreadable"),
        ("{" * 2_000, "signature_unreadable"),
        ('{"signature":' * 150, "signature_unreadable"),
        ("{}", "signature_unreadable"),
        ('{"pub_key": 5, "signature": "x"}', "signature_unreadable"),
        ('{"pub_key": {"type": "x", "value": 7}, "signature": "x"}', "signature_unreadable"),
        ('{"signature": {"signature": {}}}', "signature_unreadable"),
        (json.dumps(of_wallet(signed(), more="x" * LONGEST_TYPED)), "signature_unreadable"),
        (json.dumps(of_wallet(signed())) + " " * 10 + "x", "signature_unreadable"),
        (json.dumps(WITHOUT_TYPE), "signature_key_type"),
        (
            json.dumps(of_wallet(signed())).replace("PubKeySecp256k1", "PubKeyEd25519"),
            "signature_key_type",
        ),
        (json.dumps(of_wallet(Proof(b"\2" * 32, b"\1" * 64))), "signature_unreadable"),
        (json.dumps(of_wallet(Proof(b"\2" * 33, sha256(b"").digest()))), "signature_unreadable"),
    ],
    ids=lambda given: given[:24],
)
def test_what_cannot_be_read_is_refused(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_proof(typed)
    assert refused.value.code == code


def test_what_is_kept_is_read_again() -> None:
    kept = json.loads(signed().text())
    assert read_proof(f"{kept['pub_key']} {kept['signature']}") == signed()
