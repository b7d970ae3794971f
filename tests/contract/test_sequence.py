"""Which of several transactions with one sequence is executed, under which hash."""

from chain import cosmos
from chain.light import wire
from chain.wallet import canonical_hash, tx_hash
from tests.contract.conftest import RICHES
from tests.contract.node import Node
from tests.contract.signing import Draft, Person, rewritten

JUNO = 1_000_000


def test_rewritten_bytes_are_executed_under_another_hash(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, JUNO)
    inclusion = node.include(rewritten(raw))
    assert inclusion.code == 0
    assert tx_hash(node.txs(inclusion.height)[inclusion.position]) != tx_hash(raw)
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + JUNO


def test_rewritten_bytes_keep_their_canonical_hash(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, JUNO)
    inclusion = node.include(rewritten(raw))
    assert (
        canonical_hash(node.txs(inclusion.height)[inclusion.position]) == canonical_hash(raw) == tx_hash(raw)
    )


def test_the_original_behind_its_rewriting_has_a_wrong_sequence(
    node: Node, draft: Draft, bob: Person
) -> None:
    raw = draft.send(bob.address, JUNO)
    node.include(rewritten(raw))
    assert node.broadcast(raw)["code"] == 32


def test_a_rewriting_behind_the_original_has_a_wrong_sequence(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, JUNO)
    node.accepted(raw)
    assert node.broadcast(rewritten(raw))["code"] == 32


def test_auth_info_may_stand_twice_too(node: Node, draft: Draft, bob: Person) -> None:
    tx = cosmos.decode(cosmos.TxRaw, draft.send(bob.address, JUNO))
    auth_info = wire.octets(2, tx.auth_info_bytes)
    raw = wire.octets(1, tx.body_bytes) + auth_info + auth_info + wire.octets(3, tx.signatures[0])
    assert node.include(raw).code == 0


def test_of_two_with_one_sequence_the_first_wins(
    node: Node, draft: Draft, alice: Person, bob: Person
) -> None:
    first, second = draft.send(bob.address, 1), draft.send(bob.address, 2)
    before = node.accepted(first)
    assert node.broadcast(second)["code"] == 32
    inclusion = node.find(first, before)
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + 1


def test_a_replacement_with_a_higher_fee_does_not_push_out_what_waits(
    node: Node, draft: Draft, bob: Person
) -> None:
    before = node.accepted(raw := draft.send(bob.address, 1))
    assert node.broadcast(draft.but(fee=50_000).send(bob.address, 1))["code"] == 32
    assert node.find(raw, before).code == 0


def test_several_may_wait_with_sequences_that_follow_each_other(
    node: Node, draft: Draft, alice: Person, bob: Person
) -> None:
    drafts = [draft, draft.next(), draft.next().next()]
    raws = [each.send(bob.address, amount) for amount, each in enumerate(drafts, start=1)]
    before = node.accepted(*raws)
    inclusions = [node.find(raw, before) for raw in raws]
    assert [inclusion.code for inclusion in inclusions] == [0, 0, 0]
    assert node.balance(bob.raw_address, height=inclusions[-1].height) == RICHES + 6
