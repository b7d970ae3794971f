"""The key and what it signs."""

import pickle
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import cosmos
from chain.coins import ChainCoin
from chain.parameters import JUNO_MAINNET, JUNO_TESTNET
from chain.wallet import Payment, SignedTx, SigningFacts, Wallet, WrongMnemonic, canonical_hash, tx_hash
from ledger.money import Denom

WORDS = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
ANCHOR = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"
UJUNO = Denom("ujuno")
WALLET = Wallet.from_mnemonic(WORDS, JUNO_MAINNET)
FACTS = SigningFacts(7, 3, 150_000, ChainCoin(UJUNO, 11_250), 500, "for \u00e4ll")
PAYMENT = Payment("juno1x5wgh6vwye60wv3dtshs9dmqggwfx2ldk5cvqu", (ChainCoin(UJUNO, 5),))


def signed(facts: SigningFacts = FACTS, payments: tuple[Payment, ...] = (PAYMENT,)) -> SignedTx:
    return WALLET.sign_sends(payments, facts)


def test_the_anchor_that_other_libraries_agree_on() -> None:
    assert WALLET.address == ANCHOR


def test_spaces_and_line_ends_between_words_do_not_matter() -> None:
    assert Wallet.from_mnemonic(f"\n {WORDS.replace(' ', '  ')}\n", JUNO_MAINNET).address == ANCHOR


def test_another_path_is_another_key() -> None:
    other = replace(JUNO_MAINNET, derivation_path="m/44'/118'/0'/0/1")
    assert Wallet.from_mnemonic(WORDS, other).address != ANCHOR


@pytest.mark.parametrize(
    "words", ["", "abandon", WORDS.replace("about", "abandon"), WORDS + " about", "x y z"]
)
def test_words_with_a_wrong_checksum_are_refused(words: str) -> None:
    with pytest.raises(WrongMnemonic):
        Wallet.from_mnemonic(words, JUNO_MAINNET)


def test_the_refusal_does_not_quote_the_words() -> None:
    with pytest.raises(WrongMnemonic) as caught:
        Wallet.from_mnemonic("secretword " * 12, JUNO_MAINNET)
    assert "secretword" not in str(caught.value)


@pytest.mark.parametrize("path", ["nonsense", "m/44'/x"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(WrongMnemonic, match="path"):
        Wallet.from_mnemonic(WORDS, replace(JUNO_MAINNET, derivation_path=path))


def test_the_key_is_never_shown() -> None:
    assert repr(WALLET) == f"Wallet({ANCHOR})"


def test_a_wallet_is_never_written_out() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(WALLET)


def test_the_signature_is_over_the_sign_doc() -> None:
    raw = cosmos.decode(cosmos.TxRaw, signed().raw)
    document = cosmos.SignDoc(
        body_bytes=raw.body_bytes, auth_info_bytes=raw.auth_info_bytes, chain_id="juno-1", account_number=7
    )
    auth_info = cosmos.decode(cosmos.AuthInfo, raw.auth_info_bytes)
    key = cosmos.decode(cosmos.Secp256k1PubKey, auth_info.signer_infos[0].public_key.value).key
    assert cosmos.signature_holds(key, cosmos.encode(document), raw.signatures[0])


def test_signing_again_gives_the_same_bytes() -> None:
    assert signed() == signed()


@pytest.mark.parametrize(
    "changed",
    [
        FACTS._replace(account_number=8),
        FACTS._replace(sequence=4),
        FACTS._replace(gas_limit=150_001),
        FACTS._replace(fee=ChainCoin(UJUNO, 11_251)),
        FACTS._replace(timeout_height=501),
        FACTS._replace(memo=""),
    ],
)
def test_every_fact_is_signed(changed: SigningFacts) -> None:
    first = cosmos.decode(cosmos.TxRaw, signed().raw)
    second = cosmos.decode(cosmos.TxRaw, signed(changed).raw)
    assert first.signatures[0] != second.signatures[0]


def test_another_chain_is_another_signature() -> None:
    other = Wallet.from_mnemonic(WORDS, JUNO_TESTNET).sign_sends((PAYMENT,), FACTS)
    assert other.raw != signed().raw


def test_the_body_says_what_was_asked() -> None:
    body = cosmos.decode(cosmos.TxBody, cosmos.decode(cosmos.TxRaw, signed().raw).body_bytes)
    assert (body.memo, body.timeout_height) == (FACTS.memo, 500)


def test_a_batch_holds_every_payment_in_order() -> None:
    payments = tuple(PAYMENT._replace(coins=(ChainCoin(UJUNO, amount),)) for amount in (3, 1, 2))
    body = cosmos.decode(cosmos.TxBody, cosmos.decode(cosmos.TxRaw, signed(payments=payments).raw).body_bytes)
    sends = [cosmos.decode(cosmos.MsgSend, each.value) for each in body.messages]
    assert [send.amount[0].amount for send in sends] == ["3", "1", "2"]


def test_coins_are_sorted_as_the_chain_demands() -> None:
    payment = PAYMENT._replace(coins=(ChainCoin(UJUNO, 1), ChainCoin(Denom("uatom"), 2)))
    body = cosmos.decode(
        cosmos.TxBody, cosmos.decode(cosmos.TxRaw, signed(payments=(payment,)).raw).body_bytes
    )
    send = cosmos.decode(cosmos.MsgSend, body.messages[0].value)
    assert [coin.denom for coin in send.amount] == ["uatom", "ujuno"]


def test_the_hash_of_our_own_bytes_is_canonical() -> None:
    tx = signed()
    assert tx.canonical_hash == tx_hash(tx.raw) == sha256(tx.raw).hexdigest().upper()


def rehashed(tx: SignedTx) -> bytes:
    """The same signed parts with the body written twice: what a stranger can do without the key."""
    raw = cosmos.decode(cosmos.TxRaw, tx.raw)
    body: bytes = raw.body_bytes
    return b"\x0a" + _length(len(body)) + body + tx.raw


def _length(number: int) -> bytes:
    return bytes((number,)) if number < 0x80 else bytes((number & 0x7F | 0x80, number >> 7))


def test_a_strangers_rewriting_changes_the_nodes_hash() -> None:
    assert tx_hash(rehashed(signed())) != tx_hash(signed().raw)


def test_a_strangers_rewriting_is_recognised() -> None:
    assert canonical_hash(rehashed(signed())) == signed().canonical_hash


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        assert len(canonical_hash(raw)) == 64
    except cosmos.Undecodable:
        return


@pytest.mark.parametrize(("gas", "fee"), [(150_000, 11_250), (1, 1), (14, 2), (0, 0)])
def test_the_fee_is_rounded_up(gas: int, fee: int) -> None:
    assert JUNO_MAINNET.fee(gas) == fee


def test_each_send_of_a_batch_adds_gas() -> None:
    assert [JUNO_MAINNET.gas_limit(sends) for sends in (1, 2, 50)] == [150_000, 190_000, 2_110_000]
