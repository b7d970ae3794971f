"""What moves money, and what is taken for it."""

from collections.abc import Callable

import pytest

from chain import cosmos
from chain.coins import ChainCoin
from chain.parameters import ChainParameters
from chain.wallet import Payment, SigningFacts, Wallet
from ledger.money import Denom
from tests.contract.conftest import RICHES
from tests.contract.node import DENOM, UNLISTED, Node
from tests.contract.signing import Account, Draft, Person, body_of, execute, floor, grant, multi_send

JUNO = 1_000_000


def test_send_moves_the_amount_and_takes_the_fee(
    node: Node, draft: Draft, alice: Person, bob: Person
) -> None:
    inclusion = node.include(draft.send(bob.address, JUNO, memo="12345"))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + JUNO
    assert node.balance(alice.raw_address, height=inclusion.height) == RICHES - JUNO - draft.fee_amount


def test_send_uses_one_sequence(node: Node, draft: Draft, alice: Person, bob: Person) -> None:
    inclusion = node.include(draft.send(bob.address, JUNO))
    assert node.account(alice.raw_address, height=inclusion.height).sequence == draft.account.sequence + 1


def test_memo_stands_in_the_block_as_it_was_signed(node: Node, draft: Draft, bob: Person) -> None:
    raw = draft.send(bob.address, JUNO, memo=" 12345\n")
    inclusion = node.include(raw)
    stored = cosmos.decode(cosmos.TxRaw, node.txs(inclusion.height)[inclusion.position])
    assert cosmos.decode(cosmos.TxBody, stored.body_bytes).memo == " 12345\n"


def test_upper_case_recipient_is_the_same_account(node: Node, draft: Draft, bob: Person) -> None:
    inclusion = node.include(draft.send(bob.address.upper(), JUNO))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + JUNO


def test_send_to_oneself_costs_only_the_fee(node: Node, draft: Draft, alice: Person) -> None:
    inclusion = node.include(draft.send(alice.address, JUNO))
    assert node.balance(alice.raw_address, height=inclusion.height) == RICHES - draft.fee_amount


def test_send_makes_the_recipients_account(node: Node, draft: Draft) -> None:
    newcomer = Person.named("nobody yet")
    inclusion = node.include(draft.send(newcomer.address, 1))
    assert node.account(newcomer.raw_address, height=inclusion.height).sequence == 0


def test_multi_send_pays_every_output(node: Node, draft: Draft, rich: Callable[[], Person]) -> None:
    friends = [rich() for _ in range(3)]
    outputs = [(friend.address, number * JUNO) for number, friend in enumerate(friends, start=1)]
    inclusion = node.include(draft.sign(body_of(multi_send(draft.signer.address, outputs), memo="1")))
    gains = [node.balance(friend.raw_address, height=inclusion.height) - RICHES for friend in friends]
    assert gains == [JUNO, 2 * JUNO, 3 * JUNO]


def test_multi_send_may_name_a_recipient_twice(node: Node, draft: Draft, bob: Person) -> None:
    outputs = [(bob.address, 3), (bob.address, 4)]
    inclusion = node.include(draft.sign(body_of(multi_send(draft.signer.address, outputs))))
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + 7


def test_several_sends_share_a_transaction(node: Node, draft: Draft, bob: Person) -> None:
    sends = [cosmos.msg_send(draft.signer.address, bob.address, [(DENOM, amount)]) for amount in (5, 6)]
    inclusion = node.include(draft.but(gas=190_000).sign(body_of(*sends)))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + 11


def test_a_failing_message_undoes_those_before_it(
    node: Node, draft: Draft, alice: Person, bob: Person
) -> None:
    sends = [cosmos.msg_send(alice.address, bob.address, [(DENOM, amount)]) for amount in (5, 10 * RICHES)]
    inclusion = node.include(draft.but(gas=190_000).sign(body_of(*sends)))
    assert inclusion.code == 5
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES
    assert node.balance(alice.raw_address, height=inclusion.height) == RICHES - floor(190_000)


def test_exec_moves_the_granters_money(node: Node, draft: Draft, alice: Person, bob: Person) -> None:
    granted = node.include(draft.sign(body_of(grant(alice.address, bob.address, cosmos.MSG_SEND_URL))))
    assert granted.code == 0
    send = cosmos.msg_send(alice.address, bob.address, [(DENOM, JUNO)])
    friend = Draft(bob, node.chain_id, node.account(bob.raw_address), gas=250_000)
    inclusion = node.include(friend.sign(body_of(execute(bob.address, [send]))))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + JUNO - friend.fee_amount


def test_exec_needs_no_grant_for_ones_own_message(
    node: Node, draft: Draft, alice: Person, bob: Person
) -> None:
    inner = execute(alice.address, [cosmos.msg_send(alice.address, bob.address, [(DENOM, 3)])])
    inclusion = node.include(draft.but(gas=250_000).sign(body_of(execute(alice.address, [inner]))))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES + 3


def test_exec_without_a_grant_moves_nothing(node: Node, alice: Person, draft: Draft, bob: Person) -> None:
    theft = cosmos.msg_send(bob.address, alice.address, [(DENOM, JUNO)])
    inclusion = node.include(draft.but(gas=250_000).sign(body_of(execute(alice.address, [theft]))))
    assert (inclusion.codespace, inclusion.code) == ("authz", 2)
    assert node.balance(bob.raw_address, height=inclusion.height) == RICHES


def test_an_amount_may_exceed_64_bits(node: Node, bob: Person) -> None:
    faucet = Draft(node.faucet, node.chain_id, node.account(node.faucet.raw_address))
    inclusion = node.include(faucet.send(bob.address, 10**25, UNLISTED))
    assert node.balance(bob.raw_address, UNLISTED, height=inclusion.height) == 10**25


def test_coins_of_several_denoms_travel_in_one_send(node: Node, bob: Person) -> None:
    faucet = Draft(node.faucet, node.chain_id, node.account(node.faucet.raw_address))
    send = cosmos.msg_send(node.faucet.address, bob.address, [(DENOM, 1), (UNLISTED, 2)])
    inclusion = node.include(faucet.sign(body_of(send)))
    assert inclusion.code == 0
    assert node.balance(bob.raw_address, UNLISTED, height=inclusion.height) == 2


@pytest.mark.parametrize("recipients", [1, 3])
def test_the_treasurys_wallet_signs_what_the_chain_takes(
    node: Node, alice: Person, rich: Callable[[], Person], recipients: int
) -> None:
    parameters = ChainParameters(node.chain_id, Denom(DENOM))
    account: Account = node.account(alice.raw_address)
    paid = [rich() for _ in range(recipients)]
    gas = parameters.gas_limit(recipients)
    facts = SigningFacts(
        account.number,
        account.sequence,
        gas,
        ChainCoin(Denom(DENOM), parameters.fee(gas)),
        node.height() + 100,
        "note",
    )
    payments = [Payment(person.address, (ChainCoin(Denom(DENOM), JUNO),)) for person in paid]
    signed = Wallet(alice.key, parameters).sign_sends(payments, facts)
    inclusion = node.include(signed.raw)
    assert inclusion.code == 0
    assert {node.balance(person.raw_address, height=inclusion.height) for person in paid} == {RICHES + JUNO}
