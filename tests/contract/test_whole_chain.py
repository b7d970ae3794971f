"""Every block that the suite made, verified by the light client's formulas; runs last of its kind, by its name."""

from base64 import b64decode
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from chain.light.commit import Commit, Flag, Validator, ValidatorSet, verify_commit, vote_sign_bytes
from chain.light.errors import Unproven
from chain.light.header import BlockId, Header, data_hash
from chain.light.results import outcome_from_json, results_hash
from chain.verified import TxOutcome
from tests.contract.node import Node

HEADERS_LIMIT: Final = 20


class Seen(NamedTuple):
    """One block as the node tells it."""

    block_id: BlockId
    header: Header
    last_commit: Commit
    txs: tuple[bytes, ...]
    outcomes: tuple[TxOutcome, ...]
    validators: ValidatorSet


class Chain(NamedTuple):
    """All blocks from the first on, in order."""

    chain_id: str
    blocks: tuple[Seen, ...]

    @property
    def pairs(self) -> Iterator[tuple[Seen, Seen]]:
        """Each block with its successor."""
        return pairwise(self.blocks)


@pytest.fixture(scope="module")
def whole(node: Node) -> Chain:
    """Return all blocks made so far, but the latest, whose results may not be there yet."""
    node.wait_height(HEADERS_LIMIT + 5)
    top = node.height() - 1
    calls = [
        (method, {"height": str(height)})
        for height in range(1, top + 1)
        for method in ("block", "block_results", "validators")
    ]
    answers = node.batch(calls)
    return Chain(node.chain_id, tuple(_seen(*answers[at : at + 3]) for at in range(0, 3 * top, 3)))


def _seen(answer: Any, results: Any, validators: Any) -> Seen:
    block = answer["block"]
    return Seen(
        BlockId.from_json(answer["block_id"]),
        Header.from_json(block["header"]),
        Commit.from_json(block["last_commit"]),
        tuple(b64decode(tx) for tx in block["data"]["txs"]),
        tuple(outcome_from_json(row) for row in results["txs_results"] or ()),
        ValidatorSet(tuple(Validator.from_json(row) for row in validators["validators"])),
    )


def test_the_suite_left_something_to_verify(whole: Chain) -> None:
    assert any(block.txs for block in whole.blocks)
    assert any(not block.txs for block in whole.blocks)


def test_each_header_has_the_hash_that_its_block_is_known_by(whole: Chain) -> None:
    assert [block.header.hash() for block in whole.blocks] == [block.block_id.hash for block in whole.blocks]


def test_each_header_names_the_block_before(whole: Chain) -> None:
    assert all(later.header.last_block_id == earlier.block_id for earlier, later in whole.pairs)


def test_heights_follow_each_other(whole: Chain) -> None:
    assert [block.header.height for block in whole.blocks] == list(range(1, len(whole.blocks) + 1))


def test_time_moves_forward(whole: Chain) -> None:
    assert all(earlier.header.time < later.header.time for earlier, later in whole.pairs)


def test_data_hash_covers_the_transactions(whole: Chain) -> None:
    assert all(data_hash(block.txs) == block.header.data_hash for block in whole.blocks)


def test_the_next_header_covers_the_results(whole: Chain) -> None:
    assert all(
        results_hash(earlier.outcomes) == later.header.last_results_hash for earlier, later in whole.pairs
    )


def test_the_next_header_covers_the_commit(whole: Chain) -> None:
    assert all(block.last_commit.hash() == block.header.last_commit_hash for block in whole.blocks[1:])


def test_headers_name_their_validators(whole: Chain) -> None:
    assert all(block.validators.hash() == block.header.validators_hash for block in whole.blocks)


def test_headers_name_the_next_validators(whole: Chain) -> None:
    assert all(
        earlier.header.next_validators_hash == later.header.validators_hash for earlier, later in whole.pairs
    )


def test_two_thirds_signed_each_block(whole: Chain) -> None:
    for signed, later in whole.pairs:
        header = signed.header
        verify_commit(whole.chain_id, signed.validators, header.height, header.hash(), later.last_commit)


def test_every_single_signature_holds(whole: Chain) -> None:
    """Above the two thirds too: a slot that verification may skip is still true."""
    for signed, later in whole.pairs:
        commit = later.last_commit
        for validator, slot in zip(signed.validators.validators, commit.signatures, strict=True):
            if slot.flag == Flag.ABSENT:
                continue
            block_id = commit.block_id if slot.flag == Flag.COMMIT else None
            message = vote_sign_bytes(whole.chain_id, commit.height, commit.round, block_id, slot.timestamp)
            assert _holds(validator.pub_key, message, slot.signature)


def test_no_block_is_signed_for_another_chain(whole: Chain) -> None:
    signed, later = whole.blocks[:2]
    with pytest.raises(Unproven):
        verify_commit("other-1", signed.validators, 1, signed.header.hash(), later.last_commit)


def test_a_commit_vouches_for_no_other_header(whole: Chain) -> None:
    signed, later = whole.blocks[:2]
    forged = later.header.hash()
    moved = later.last_commit.block_id._replace(hash=forged)
    commit = Commit(1, later.last_commit.round, moved, later.last_commit.signatures)
    with pytest.raises(Unproven):
        verify_commit(whole.chain_id, signed.validators, 1, forged, commit)


def test_an_outcome_that_was_changed_has_another_hash(whole: Chain) -> None:
    earlier, later = next(pair for pair in whole.pairs if pair[0].outcomes)
    flipped = [earlier.outcomes[0]._replace(code=earlier.outcomes[0].code ^ 1), *earlier.outcomes[1:]]
    assert results_hash(flipped) != later.header.last_results_hash


def test_an_empty_block_is_told_by_its_header(whole: Chain) -> None:
    empty = data_hash(())
    assert all((block.header.data_hash == empty) == (not block.txs) for block in whole.blocks)


def test_commit_gives_the_same_header_and_a_commit_for_it(node: Node, whole: Chain) -> None:
    block = whole.blocks[3]
    signed = node.call("commit", height="4")["signed_header"]
    assert Header.from_json(signed["header"]) == block.header
    commit = Commit.from_json(signed["commit"])
    verify_commit(whole.chain_id, block.validators, 4, block.header.hash(), commit)


def test_blockchain_gives_the_newest_twenty_of_a_range(node: Node, whole: Chain) -> None:
    top = HEADERS_LIMIT + 4
    metas = node.call("blockchain", minHeight="1", maxHeight=str(top))["block_metas"]
    headers = [Header.from_json(meta["header"]) for meta in metas]
    assert headers == [block.header for block in reversed(whole.blocks[top - HEADERS_LIMIT : top])]


def test_other_nodes_of_the_chain_tell_the_same(node: Node, whole: Chain) -> None:
    newest = whole.blocks[-1]
    for url in node.urls[1:]:
        other = node.other(url)
        other.wait_height(newest.header.height)
        assert (
            Header.from_json(other.call("block", height=str(newest.header.height))["block"]["header"])
            == newest.header
        )


def _holds(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(key).verify(message, signature)
    except BadSignatureError:
        return False
    return True
