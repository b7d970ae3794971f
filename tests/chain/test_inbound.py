"""What bodies say, read as the chain reads them: exactly, and never stopped by a stranger's bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import address, cosmos
from chain.inbound import MAX_EXEC_DEPTH, WatchedWallet, read_arrivals, read_block
from chain.verified import TrustedHeader, TxOutcome, VerifiedBlock
from chain.wallet import canonical_hash, tx_hash
from ledger.errors import Refused
from ledger.ports import Millis

OURS = WatchedWallet(bytes(range(20)), "juno")
US = address.encode("juno", OURS.raw)
FRIEND = address.encode("juno", b"\x07" * 20)
OTHER = address.encode("juno", b"\x08" * 20)


def send(amount: str = "5", denom: str = "ujuno", sender: str = FRIEND, recipient: str = US) -> Any:
    coin = cosmos.Coin(denom=denom, amount=amount)
    return cosmos.pack(
        cosmos.MSG_SEND_URL, cosmos.MsgSend(from_address=sender, to_address=recipient, amount=[coin])
    )


def multi_send(sender: str, *outputs: tuple[str, str]) -> Any:
    coins = [cosmos.Coin(denom="ujuno", amount=amount) for _, amount in outputs]
    message = cosmos.MsgMultiSend(
        inputs=[cosmos.Input(address=sender, coins=coins)],
        outputs=[
            cosmos.Output(address=to, coins=[cosmos.Coin(denom="ujuno", amount=amount)])
            for to, amount in outputs
        ],
    )
    return cosmos.pack(cosmos.MSG_MULTI_SEND_URL, message)


def execute(*messages: Any) -> Any:
    return cosmos.pack(cosmos.MSG_EXEC_URL, cosmos.MsgExec(grantee=FRIEND, msgs=messages))


def tx(*messages: Any, memo: str = "", body: bytes | None = None) -> bytes:
    encoded = cosmos.encode(cosmos.TxBody(messages=messages, memo=memo)) if body is None else body
    return cosmos.encode(cosmos.TxRaw(body_bytes=encoded, auth_info_bytes=b"", signatures=[b"s"]))


def block(*txs: tuple[bytes, int]) -> VerifiedBlock:
    header = TrustedHeader(5, b"id", Millis(0), b"", b"", b"")
    outcomes = tuple(TxOutcome(code, b"", 0, 0) for _, code in txs)
    return VerifiedBlock(header, tuple(raw for raw, _ in txs), outcomes, b"app")


def amounts(raw: bytes) -> list[str]:
    return [each.amount for each in read_arrivals(raw, OURS)]


def test_a_send_to_the_treasury_arrives_with_all_that_names_it() -> None:
    raw = tx(send("5"), memo="11")
    (arrival,) = read_arrivals(raw, OURS)
    assert arrival == (tx_hash(raw), "0", 0, "ujuno", "5", "11", FRIEND)


def test_every_coin_of_a_send_arrives() -> None:
    coins = [cosmos.Coin(denom="uatom", amount="1"), cosmos.Coin(denom="ujuno", amount="2")]
    message = cosmos.MsgSend(from_address=FRIEND, to_address=US, amount=coins)
    raw = tx(cosmos.pack(cosmos.MSG_SEND_URL, message))
    assert [(each.denom, each.amount) for each in read_arrivals(raw, OURS)] == [
        ("uatom", "1"),
        ("ujuno", "2"),
    ]


def test_an_address_in_upper_case_is_the_same_address() -> None:
    assert amounts(tx(send(recipient=US.upper()))) == ["5"]


@pytest.mark.parametrize(
    "recipient",
    [
        OTHER,
        "",
        "juno1",
        US[:-1],
        US + " ",
        US.replace("juno1", "cosmos1"),
        address.encode("cosmos", OURS.raw),
        US[:6].upper() + US[6:],
        address.encode("juno", OURS.raw + b"\x00"),
    ],
)
def test_other_recipients_are_not_the_treasury(recipient: str) -> None:
    assert amounts(tx(send(recipient=recipient))) == []


def test_what_the_treasury_sends_to_itself_is_no_deposit() -> None:
    assert amounts(tx(send(sender=US), send(sender=US.upper()))) == []


def test_each_output_of_a_multi_send_arrives_under_its_own_index() -> None:
    raw = tx(multi_send(FRIEND, (US, "1"), (OTHER, "2"), (US, "4")))
    assert [(each.output, each.amount) for each in read_arrivals(raw, OURS)] == [(0, "1"), (2, "4")]


def test_a_multi_send_that_takes_from_the_treasury_gives_it_nothing() -> None:
    assert amounts(tx(multi_send(US, (US, "1"), (FRIEND, "2")))) == []


def test_a_multi_send_names_who_paid() -> None:
    (arrival,) = read_arrivals(tx(multi_send(FRIEND, (US, "1"))), OURS)
    assert arrival.sender == FRIEND


def test_messages_inside_an_exec_arrive_under_their_path() -> None:
    raw = tx(send("1"), execute(send("2"), execute(send("3"))))
    assert [(each.path, each.amount) for each in read_arrivals(raw, OURS)] == [
        ("0", "1"),
        ("1.0", "2"),
        ("1.1.0", "3"),
    ]


def test_execs_are_followed_so_deep_and_no_deeper() -> None:
    nested = send("1")
    for _ in range(MAX_EXEC_DEPTH):
        nested = execute(nested)
    assert amounts(tx(nested)) == ["1"]
    assert amounts(tx(execute(nested))) == []


@pytest.mark.parametrize(
    "type_url",
    [
        "cosmos.bank.v1beta1.MsgSend",
        "/cosmos.bank.v1beta1.MsgSend ",
        "type.googleapis.com/cosmos.bank.v1beta1.MsgSend",
        "/cosmos.bank.v1beta1.msgsend",
        "/cosmos.staking.v1beta1.MsgDelegate",
        "",
    ],
)
def test_only_the_exact_type_is_a_send(type_url: str) -> None:
    message = cosmos.MsgSend(from_address=FRIEND, to_address=US, amount=cosmos.coins([("ujuno", 5)]))
    assert amounts(tx(cosmos.pack(type_url, message))) == []


def test_of_two_bodies_the_last_counts() -> None:
    """A decoder that takes the first can be fed a false body."""
    false = cosmos.encode(cosmos.TxBody(messages=[send("1000000")], memo="11"))
    true = cosmos.encode(cosmos.TxBody(messages=[send("1")], memo="22"))
    raw = cosmos.encode(cosmos.TxRaw(body_bytes=false)) + cosmos.encode(
        cosmos.TxRaw(body_bytes=true, signatures=[b"s"])
    )
    assert [(each.amount, each.memo) for each in read_arrivals(raw, OURS)] == [("1", "22")]


def test_an_amount_stays_as_it_is_spelled() -> None:
    assert amounts(tx(send("010"), send("0x7"), send("9" * 78))) == ["010", "0x7", "9" * 78]


def test_a_memo_that_is_no_utf8_leaves_the_money_to_the_residue() -> None:
    body = cosmos.encode(cosmos.TxBody(messages=[send()], memo="XY")).replace(b"XY", b"\xff\xfe")
    assert amounts(tx(body=body)) == []


def test_a_poisonous_transaction_leaves_the_ones_around_it_alone() -> None:
    poison = cosmos.encode(cosmos.TxBody(messages=[send()], memo="XY")).replace(b"XY", b"\xff\xfe")
    inbound = read_block(
        block((tx(send("1")), 0), (tx(body=poison), 0), (b"\xff\xff", 0), (tx(send("2")), 0)), OURS
    )
    assert [each.amount for each in inbound.arrivals] == ["1", "2"]
    assert [each.position for each in inbound.inclusions] == [0, 1, 2, 3]


@pytest.mark.parametrize("code", [1, 4, 5, 11])
def test_a_failed_transaction_brings_nothing(code: int) -> None:
    inbound = read_block(block((tx(send(), send(sender=US, recipient=FRIEND)), code)), OURS)
    assert inbound.arrivals == ()
    assert [spend.code for spend in inbound.spends] == [code]
    assert inbound.inclusions[0].code == code


def test_a_rehashed_transaction_is_known_by_its_canonical_hash() -> None:
    raw = tx(send())
    decoded = cosmos.decode(cosmos.TxRaw, raw)
    twice = cosmos.encode(cosmos.TxRaw(body_bytes=decoded.body_bytes)) + raw
    (inclusion,) = read_block(block((twice, 0)), OURS).inclusions
    assert inclusion.shown == tx_hash(twice) != tx_hash(raw)
    assert inclusion.canonical == canonical_hash(raw)


@pytest.mark.parametrize(
    "message",
    [
        send("9", sender=US, recipient=FRIEND),
        send("9", sender=US.upper(), recipient=US),
        multi_send(US, (FRIEND, "9")),
        execute(send("9", sender=US, recipient=FRIEND)),
    ],
)
def test_who_spends_from_the_treasury_is_seen(message: Any) -> None:
    (spend,) = read_block(block((tx(message), 0)), OURS).spends
    assert spend.denoms == ("ujuno",)


def signed_tx(*messages: Any, sequences: tuple[int, ...] = (6,), payer: str = "", memo: str = "") -> bytes:
    fee = cosmos.Fee(amount=[cosmos.Coin(denom="ujuno", amount="30")], gas_limit=1, payer=payer)
    signers = [cosmos.SignerInfo(sequence=sequence) for sequence in sequences]
    body = cosmos.encode(cosmos.TxBody(messages=messages, memo=memo))
    auth = cosmos.encode(cosmos.AuthInfo(signer_infos=signers, fee=fee))
    return cosmos.encode(cosmos.TxRaw(body_bytes=body, auth_info_bytes=auth, signatures=[b"s"]))


def test_what_the_treasury_signed_tells_whom_it_paid_and_what_it_cost() -> None:
    raw = signed_tx(send("9", sender=US, recipient=FRIEND), multi_send(US, (OTHER, "2"), (US, "1")), memo="m")
    (spend,) = read_block(block((raw, 0)), OURS).spends
    assert (spend.signed, spend.sequence, spend.memo) == (True, 6, "m")
    assert spend.payments == ((FRIEND, "ujuno", "9"), (OTHER, "ujuno", "2"))
    assert spend.fees == (("", "ujuno", "30"),)


def test_what_an_exec_spends_the_treasury_did_not_sign() -> None:
    (spend,) = read_block(block((signed_tx(execute(send("9", sender=US, recipient=FRIEND))), 0)), OURS).spends
    assert (spend.signed, spend.payments, spend.fees) == (False, (), ())


def test_a_fee_that_another_paid_is_not_the_treasurys() -> None:
    raw = signed_tx(send("9", sender=US, recipient=FRIEND), payer=FRIEND)
    (spend,) = read_block(block((raw, 0)), OURS).spends
    assert spend.fees == ()


def test_of_several_signers_nobody_can_tell_whose_sequence_is_whose() -> None:
    raw = signed_tx(send("9", sender=US, recipient=FRIEND), sequences=(99, 6))
    (spend,) = read_block(block((raw, 0)), OURS).spends
    assert spend.sequence == 0


def test_who_pays_the_treasury_spends_nothing_of_it() -> None:
    assert read_block(block((tx(send()), 0)), OURS).spends == ()


_TEXT = st.one_of(st.sampled_from([US, FRIEND, US.upper(), "ujuno", "010"]), st.text(max_size=30))
_SENDS = st.builds(send, amount=_TEXT, denom=_TEXT, sender=_TEXT, recipient=_TEXT)
_JUNK = st.builds(
    lambda url, value: cosmos.Packed(type_url=url, value=value),
    st.one_of(
        st.sampled_from([cosmos.MSG_SEND_URL, cosmos.MSG_MULTI_SEND_URL, cosmos.MSG_EXEC_URL]),
        st.text(max_size=20),
    ),
    st.binary(max_size=60),
)
_MESSAGES = st.recursive(
    st.one_of(_SENDS, _JUNK),
    lambda inner: st.lists(inner, max_size=3).map(lambda found: execute(*found)),
    max_leaves=8,
)


def is_decoded_as(raw: bytes, text: str) -> bool:
    try:
        return address.decode(text, "juno") == raw
    except Refused:
        return False


_RAW = st.sampled_from([20, 32]).flatmap(lambda length: st.binary(min_size=length, max_size=length))


@given(raw=_RAW, other=_RAW, text=st.one_of(_TEXT, st.text(alphabet="juno1qpzJUNO1QP", max_size=50)))
def test_an_address_has_two_spellings(raw: bytes, other: bytes, text: str) -> None:
    """The bytes decide, and decoding each text of a megabyte of sends would hold up everything for a second."""
    own = address.encode("juno", raw)
    spellings = [own, own.upper(), own.title(), own[:-1], own + "q", own[:-1] + "q" + own[-1], f" {own}"]
    for spelling in [*spellings, own.replace("j", "J"), address.encode("juno", other), text]:
        assert WatchedWallet(raw, "juno").is_at(spelling) == is_decoded_as(raw, spelling)


@given(raw=st.binary(max_size=300))
def test_no_bytes_stop_the_reading_of_a_block(raw: bytes) -> None:
    inbound = read_block(block((raw, 0), (tx(send("2")), 0)), OURS)
    assert inbound.arrivals[-1].amount == "2"


@given(messages=st.lists(_MESSAGES, max_size=4), memo=st.text(max_size=20), cut=st.integers(0, 400))
def test_no_transaction_stops_the_reading_of_a_block(messages: list[Any], memo: str, cut: int) -> None:
    raw = tx(*messages, memo=memo)
    torn = raw[: min(cut, len(raw) - 1)]
    inbound = read_block(block((raw, 0), (torn, 0), (tx(send("2")), 0)), OURS)
    assert inbound.arrivals[-1].amount == "2"
    identities = [each.identity for each in inbound.arrivals if each.tx_hash == tx_hash(raw)]
    per_coin = {(path, output, denom) for _, path, output, denom in identities}
    assert len(per_coin) == len(identities), "each coin of these messages has an identity of its own"
