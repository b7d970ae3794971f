"""The block id, against leaves that the library's protobuf classes encode."""

import contextlib
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

import pytest
from cosmpy.protos.tendermint.types.types_pb2 import Header as TendermintHeader
from google.protobuf.timestamp_pb2 import Timestamp as ProtoTimestamp
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value, StringValue
from hypothesis import given
from hypothesis import strategies as st

from chain.light import merkle
from chain.light.errors import Malformed
from chain.light.header import BlockId, Header, Version, data_hash
from chain.light.reading import Timestamp
from tests.chain.fakechain import FakeChain, header_json


def digest(mark: str) -> bytes:
    return sha256(mark.encode()).digest()


HEADER = Header(
    version=Version(11, 3),
    chain_id="juno-1",
    height=12_345_678,
    time=Timestamp(1_700_000_000, 987_654_321),
    last_block_id=BlockId(digest("last"), 300, digest("parts")),
    last_commit_hash=digest("commit"),
    data_hash=digest("data"),
    validators_hash=digest("validators"),
    next_validators_hash=digest("next"),
    consensus_hash=digest("consensus"),
    app_hash=digest("app"),
    last_results_hash=digest("results"),
    evidence_hash=digest("evidence"),
    proposer_address=digest("proposer")[:20],
)

hashes = st.binary(max_size=32)
times = st.builds(Timestamp, st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 999_999_999))
naturals = st.integers(0, 2**63 - 1)
headers = st.builds(
    Header,
    version=st.builds(Version, naturals, naturals),
    chain_id=st.text(max_size=50),
    height=naturals,
    time=times,
    last_block_id=st.builds(BlockId, hashes, st.integers(0, 2**32 - 1), hashes),
    **{field.name: hashes for field in fields(Header)[5:]},
)


def library_hash(header: Header) -> bytes:
    """The block id with every leaf encoded by the protobuf library."""
    message = TendermintHeader(time=ProtoTimestamp(seconds=header.time.seconds, nanos=header.time.nanos))
    message.version.block, message.version.app = header.version
    message.last_block_id.hash = header.last_block_id.hash
    message.last_block_id.part_set_header.total = header.last_block_id.parts_total
    message.last_block_id.part_set_header.hash = header.last_block_id.parts_hash
    message.last_block_id.part_set_header.SetInParent()
    leaves = [message.version, StringValue(value=header.chain_id), Int64Value(value=header.height)]
    leaves += [message.time, message.last_block_id]
    leaves += [BytesValue(value=getattr(header, field.name)) for field in fields(Header)[5:]]
    return merkle.root([leaf.SerializeToString() for leaf in leaves])


@given(headers)
def test_hash_is_over_the_librarys_encodings(header: Header) -> None:
    assert header.hash() == library_hash(header)


@pytest.mark.parametrize("name", [field.name for field in fields(Header)])
def test_every_field_is_covered(name: str) -> None:
    changes: dict[str, Any] = {
        "version": Version(11, 4),
        "chain_id": "juno-2",
        "height": 12_345_679,
        "time": Timestamp(1_700_000_000, 987_654_322),
        "last_block_id": BlockId(digest("last"), 301, digest("parts")),
    }
    change = {name: changes.get(name, digest("forged"))}
    assert replace(HEADER, **change).hash() != HEADER.hash()


def test_json_is_read_back() -> None:
    header = FakeChain().grow().header
    assert Header.from_json(header_json(header)) == header


def test_an_omitted_app_version_is_zero() -> None:
    document = header_json(FakeChain().grow().header)
    assert Header.from_json(document).version == Version(11, 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("height", "-1"),
        ("height", "9223372036854775808"),
        ("height", "\uff11"),
        ("chain_id", "\ud800"),
        ("height", None),
        ("height", 1.0),
        ("height", True),
        ("chain_id", 5),
        ("app_hash", "abc"),
        ("app_hash", "ZZ"),
        ("app_hash", 7),
        ("time", "2023-11-14"),
        ("time", "2023-13-14T00:00:00Z"),
        ("time", "2023-11-14T24:00:00Z"),
        ("time", "2023-11-14T00:00:00+01:00"),
        ("time", "2023-11-14T00:00:00.1234567890Z"),
        ("version", None),
        ("version", {"block": "x"}),
        ("last_block_id", {"hash": ""}),
        ("last_block_id", []),
    ],
)
def test_a_field_of_another_form_is_malformed(key: str, value: Any) -> None:
    document = header_json(FakeChain().grow().header) | {key: value}
    with pytest.raises(Malformed):
        Header.from_json(document)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([field.name for field in fields(Header)]), json_values)
def test_no_json_raises_anything_else(key: str, value: Any) -> None:
    document = header_json(FakeChain().grow().header) | {key: value}
    with contextlib.suppress(Malformed):
        Header.from_json(document).hash()


@given(json_values)
def test_no_document_raises_anything_else(document: Any) -> None:
    with pytest.raises(Malformed):
        Header.from_json(document)


def test_no_transactions_have_the_empty_root() -> None:
    assert data_hash([]) == sha256(b"").digest()


def test_transactions_are_hashed_before_they_are_leaves() -> None:
    assert data_hash([b"tx"]) == merkle.leaf(sha256(b"tx").digest())
