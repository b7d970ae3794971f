"""Votes and sets against the library's encodings, and what a commit must have."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from cosmpy.protos.tendermint.types.types_pb2 import Commit as TendermintCommit
from google.protobuf.timestamp_pb2 import Timestamp as ProtoTimestamp
from hypothesis import given
from hypothesis import strategies as st

from chain.light import merkle
from chain.light.commit import (
    Commit,
    CommitSignature,
    Flag,
    Validator,
    ValidatorSet,
    verify_commit,
    verify_trusting,
    vote_sign_bytes,
)
from chain.light.errors import Malformed, TooFewSigned, Unproven
from chain.light.header import BlockId
from chain.light.reading import Timestamp
from tests.chain.fakechain import (
    CHAIN_ID,
    FILLER,
    FakeChain,
    b64,
    commit_json,
    signing_key,
    validator_json,
    validator_set,
)

BLOCK_ID = BlockId(bytes(range(32)), 1, bytes(range(32, 64)))
TIME = Timestamp(1_700_000_000, 5)


def test_sign_bytes_are_those_written_out_by_hand() -> None:
    parts = "0801" + "1220" + BLOCK_ID.parts_hash.hex()
    block_id = "0a20" + BLOCK_ID.hash.hex() + "1224" + parts
    vote = (
        "0802"  # type: precommit
        "110700000000000000"  # height, fixed
        "190100000000000000"  # round, fixed
        "2248" + block_id + "2a08" + "0880e2cfaa06" + "1005" + "3203" + b"c-1".hex()
    )
    expected = bytes.fromhex(vote)
    assert vote_sign_bytes("c-1", 7, 1, BLOCK_ID, TIME) == bytes((len(expected),)) + expected


def test_round_zero_is_left_out() -> None:
    assert b"\x19" not in vote_sign_bytes("c-1", 7, 0, None, Timestamp(0, 0))


def test_an_empty_time_is_written_all_the_same() -> None:
    expected = bytes.fromhex("0802" + "110700000000000000" + "2a00" + "3203" + b"c-1".hex())
    assert vote_sign_bytes("c-1", 7, 0, None, Timestamp(0, 0)) == bytes((len(expected),)) + expected


times = st.builds(Timestamp, st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 999_999_999))
slots = st.builds(CommitSignature, st.integers(1, 3), st.binary(max_size=20), times, st.binary(max_size=64))


@given(st.lists(slots, max_size=5))
def test_commit_hash_is_over_the_librarys_encodings(signatures: list[CommitSignature]) -> None:
    message = TendermintCommit()
    for slot in signatures:
        time = ProtoTimestamp(seconds=slot.timestamp.seconds, nanos=slot.timestamp.nanos)
        message.signatures.add(
            block_id_flag=slot.flag, validator_address=slot.address, timestamp=time, signature=slot.signature
        )
    expected = merkle.root([each.SerializeToString() for each in message.signatures])
    assert Commit(1, 0, BLOCK_ID, tuple(signatures)).hash() == expected


def test_validators_hash_is_that_written_out_by_hand() -> None:
    key = bytes(range(32))
    leaf = bytes.fromhex("0a22" + "0a20") + key + bytes.fromhex("10e807")
    assert ValidatorSet((Validator(key, 1000),)).hash() == merkle.leaf(leaf)


def test_the_order_of_validators_is_covered() -> None:
    assert validator_set((0, 1)).hash() != validator_set((1, 0)).hash()


def test_power_is_covered() -> None:
    assert validator_set((0, 1), 10).hash() != validator_set((0, 1), 11).hash()


def signed(chain: FakeChain) -> tuple[ValidatorSet, bytes, Commit]:
    block = chain.grow()
    return validator_set(block.validators), block.header.hash(), block.commit


def check(validators: ValidatorSet, block_hash: bytes, commit: Commit, chain_id: str = CHAIN_ID) -> None:
    verify_commit(chain_id, validators, 1, block_hash, commit)


def test_a_full_commit_holds() -> None:
    check(*signed(FakeChain()))


def test_three_of_four_are_enough() -> None:
    check(*signed(FakeChain(absent=frozenset({3}))))


def test_exactly_two_thirds_are_too_few() -> None:
    with pytest.raises(TooFewSigned):
        check(*signed(FakeChain(sets={1: (0, 1, 2)}, absent=frozenset({1}))))


def test_votes_for_nil_do_not_count() -> None:
    validators, block_hash, commit = signed(FakeChain())
    nil = tuple(slot._replace(flag=Flag.NIL) for slot in commit.signatures[:2])
    with pytest.raises(TooFewSigned):
        check(validators, block_hash, replace(commit, signatures=nil + commit.signatures[2:]))


def slots_with(count: int, **changes: Any) -> Commit:
    """A full commit of four with something else in the first slots."""
    commit = FakeChain().grow().commit
    changed = [slot._replace(**changes) for slot in commit.signatures[:count]]
    return replace(commit, signatures=(*changed, *commit.signatures[count:]))


@pytest.mark.parametrize(
    "commit",
    [
        slots_with(1, address=bytes(20)),
        slots_with(1, address=Validator(bytes(signing_key(1).verify_key), 1).address()),
        replace(FakeChain().grow().commit, round=1),
        replace(FakeChain().grow().commit, height=2),
        replace(FakeChain().grow().commit, signatures=FakeChain().grow().commit.signatures[:3]),
        replace(FakeChain().grow().commit, signatures=()),
    ],
    ids=["no address", "other's address", "round", "height", "slots", "none"],
)
def test_any_flipped_part_is_refused(commit: Commit) -> None:
    block = FakeChain().grow()
    with pytest.raises(Unproven):
        check(validator_set(block.validators), block.header.hash(), commit)


WRONG_SIGNATURES = pytest.mark.parametrize(
    "wrong",
    [{"signature": bytes(64)}, {"signature": b""}, {"timestamp": TIME}],
    ids=["forged", "empty", "time"],
)


@WRONG_SIGNATURES
def test_signatures_that_do_not_hold_do_not_count(wrong: dict[str, Any]) -> None:
    block = FakeChain().grow()
    with pytest.raises(TooFewSigned, match="only 20 of 40 power"):
        check(validator_set(block.validators), block.header.hash(), slots_with(2, **wrong))


@WRONG_SIGNATURES
def test_one_that_does_not_hold_leaves_the_others_their_say(wrong: dict[str, Any]) -> None:
    """Consensus takes some odd signatures that this library does not: one validator could make all nodes liars."""
    block = FakeChain().grow()
    check(validator_set(block.validators), block.header.hash(), slots_with(1, **wrong))


def test_an_odd_signature_of_a_trusted_validator_does_not_count() -> None:
    block = FakeChain().grow()
    commit = slots_with(1, signature=bytes(64))
    verify_trusting(CHAIN_ID, validator_set((0, 1, 8)), 1, block.header.hash(), slots_with(0))
    with pytest.raises(TooFewSigned):
        verify_trusting(CHAIN_ID, validator_set((0, 1, 8)), 1, block.header.hash(), commit)


def test_parts_are_signed_too() -> None:
    validators, block_hash, commit = signed(FakeChain())
    other = replace(commit, block_id=commit.block_id._replace(parts_total=2))
    with pytest.raises(Unproven):
        check(validators, block_hash, other)


def test_another_block_is_refused() -> None:
    validators, _, commit = signed(FakeChain())
    with pytest.raises(Unproven):
        check(validators, FILLER, commit)


def test_another_chain_is_refused() -> None:
    with pytest.raises(Unproven):
        check(*signed(FakeChain()), chain_id="fake-2")


def test_other_validators_are_refused() -> None:
    _, block_hash, commit = signed(FakeChain())
    with pytest.raises(Unproven):
        check(validator_set((4, 5, 6, 7)), block_hash, commit)


def trusting(trusted: tuple[int, ...], chain: FakeChain, level: Fraction = Fraction(1, 3)) -> None:
    block = chain.grow()
    verify_trusting(CHAIN_ID, validator_set(trusted), 1, block.header.hash(), block.commit, level=level)


def test_more_than_a_third_of_the_trusted_set_is_enough() -> None:
    trusting((0, 1, 8, 9), FakeChain())


def test_exactly_a_third_is_too_few() -> None:
    with pytest.raises(TooFewSigned):
        trusting((0, 8, 9), FakeChain())


def test_trusted_validators_may_sit_in_other_slots() -> None:
    trusting((3, 2, 1, 0), FakeChain())


def test_a_validator_counts_once() -> None:
    block = FakeChain().grow()
    twice = replace(block.commit, signatures=(block.commit.signatures[0],) * 4)
    with pytest.raises(Unproven, match="twice"):
        verify_trusting(CHAIN_ID, validator_set((0, 8)), 1, block.header.hash(), twice, level=Fraction(2, 3))


def test_json_is_read_back() -> None:
    commit = FakeChain(absent=frozenset({2})).grow().commit
    assert Commit.from_json(commit_json(commit)) == commit


def test_a_validator_is_read_back() -> None:
    validator = validator_set((0,)).validators[0]
    assert Validator.from_json(validator_json(validator)) == validator


@pytest.mark.parametrize(
    "key",
    [
        {"type": "tendermint/PubKeySecp256k1", "value": b64(bytes(32))},
        {"type": "tendermint/PubKeyEd25519", "value": b64(bytes(33))},
        {},
        None,
        "ed25519",
    ],
)
def test_another_kind_of_key_is_malformed(key: Any) -> None:
    document = validator_json(validator_set((0,)).validators[0]) | {"pub_key": key}
    with pytest.raises(Malformed):
        Validator.from_json(document)
