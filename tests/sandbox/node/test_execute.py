"""Each wrong transaction gets the chain's own code, before the messages and in them (chain.md, Withdrawals)."""

from collections.abc import Callable
from typing import Any

import pytest

from chain import address, cosmos
from sandbox.node import iavl, state
from sandbox.node.blockchain import Blockchain
from sandbox.node.execute import Result
from sandbox.node.people import Purse
from tests.sandbox.node.conftest import RICHES, START, ManualClock, grow
from tests.sandbox.node.drafts import FEE, Draft, draft, execute, grant, multi_send, send

Change = Callable[[Draft], Draft]


@pytest.fixture
def alice(chain: Blockchain, clock: ManualClock, faucet: Purse) -> Purse:
    """Return somebody with RICHES."""
    alice = Purse("alice", chain.parameters)
    chain.mempool.add(draft(chain, faucet, send(faucet, alice.address, RICHES)).sign())
    grow(chain, clock)
    return alice


@pytest.fixture
def bob(chain: Blockchain) -> Purse:
    """Return somebody whom the chain never saw."""
    return Purse("bob", chain.parameters)


def module(chain: Blockchain, name: str) -> str:
    return address.encode(chain.parameters.prefix, address.module_address(name))


Include = Callable[[bytes], Result]


@pytest.fixture
def include(chain: Blockchain, clock: ManualClock) -> Include:
    """Return what puts a transaction into the next block unchecked, and tells what became of it."""

    def included(encoded: bytes) -> Result:
        chain.forced.append(encoded)
        grow(chain, clock)
        return chain.block(chain.height).results[-1]

    return included


def code_of(result: Result) -> tuple[str, int]:
    return result.codespace, result.outcome.code


def sequence(chain: Blockchain, purse: Purse) -> int:
    account = state.account(chain.latest(), purse.raw_address)
    return account.sequence if account else -1


def held(chain: Blockchain, raw: bytes, denom: str = "ujuno") -> int:
    return state.balance(chain.latest(), raw, denom)


ANTE: dict[str, tuple[int, Change]] = {
    "a memo of 257 bytes": (12, lambda d: d.but(memo=b"m" * 257)),
    "a wrong chain id": (4, lambda d: d.but(chain_id="another-1")),
    "a wrong account number": (4, lambda d: d.but(number=d.number + 1)),
    "a used sequence": (32, lambda d: d.but(sequence=d.sequence - 1, memo=b"again")),
    "a later sequence": (32, lambda d: d.but(sequence=d.sequence + 1)),
    "a fee that nobody could pay": (5, lambda d: d.but(fee=(("ujuno", RICHES * 2),))),
    "a fee in another denom": (5, lambda d: d.but(fee=(("ujuno", FEE), ("unone", 1)))),
    "somebody else's key": (8, lambda d: d.but(key=Purse("mallory", d.signer._parameters).public_key)),
    "no gas": (11, lambda d: d.but(gas=0)),
    "too little gas to begin": (11, lambda d: d.but(gas=20_000)),
    "a timeout that is over": (30, lambda d: d.but(timeout_height=1)),
    "a payer who did not sign": (4, lambda d: d.but(payer=Purse("faucet", d.signer._parameters).address)),
}
CHECK_ONLY: dict[str, tuple[int, Change]] = {
    "a fee below the floor": (13, lambda d: d.but(fee=(("ujuno", FEE - 1),))),
    "no fee": (13, lambda d: d.but(fee=())),
}


@pytest.fixture
def right(chain: Blockchain, include: Include, alice: Purse, bob: Purse) -> Draft:
    """Return a transaction that would pass; alice signed one before."""
    include(draft(chain, alice, send(alice, bob.address)).sign())
    return draft(chain, alice, send(alice, bob.address))


@pytest.mark.parametrize("what", ANTE | CHECK_ONLY)
def test_the_mempool_refuses(chain: Blockchain, right: Draft, what: str) -> None:
    code, change = (ANTE | CHECK_ONLY)[what]
    assert code_of(chain.mempool.add(change(right).sign())) == ("sdk", code)
    assert chain.mempool.waiting() == ()


@pytest.mark.parametrize("what", ANTE)
def test_a_block_that_holds_it_leaves_no_trace(
    chain: Blockchain, include: Include, right: Draft, what: str
) -> None:
    code, change = ANTE[what]
    before = (sequence(chain, right.signer), held(chain, right.signer.raw_address))
    assert code_of(include(change(right).sign())) == ("sdk", code)
    assert (sequence(chain, right.signer), held(chain, right.signer.raw_address)) == before


@pytest.mark.parametrize("what", CHECK_ONLY)
def test_a_block_does_not_ask_for_the_floor(
    chain: Blockchain, include: Include, right: Draft, what: str
) -> None:
    assert code_of(include(CHECK_ONLY[what][1](right).sign())) == ("", 0)


def test_a_wrong_signature_byte(chain: Blockchain, right: Draft) -> None:
    encoded = bytearray(right.sign())
    encoded[-1] ^= 1
    assert code_of(chain.mempool.add(bytes(encoded))) == ("sdk", 4)


def test_no_signature(chain: Blockchain, right: Draft) -> None:
    assert code_of(chain.mempool.add(right.sign()[:-66])) == ("sdk", 15)


def test_an_unknown_signer_cannot_pay(chain: Blockchain, bob: Purse) -> None:
    assert code_of(chain.mempool.add(draft(chain, bob, send(bob, bob.address)).sign())) == ("sdk", 9)


def test_no_bytes_of_a_transaction(chain: Blockchain) -> None:
    result = chain.mempool.add(b"\xff\xff")
    assert (*code_of(result), result.outcome.gas_wanted) == ("sdk", 2, 0)


def test_the_timeout_height_itself_is_in_time(chain: Blockchain, include: Include, right: Draft) -> None:
    assert code_of(include(right.but(timeout_height=chain.height + 1).sign())) == ("", 0)


def test_the_same_bytes_can_succeed_after_their_fee_could_not_be_paid(
    chain: Blockchain, clock: ManualClock, include: Include, alice: Purse, faucet: Purse
) -> None:
    late = draft(chain, alice, send(alice, faucet.address)).but(fee=(("ujuno", RICHES + 1),)).sign()
    assert code_of(include(late)) == ("sdk", 5)
    chain.mempool.add(draft(chain, faucet, send(faucet, alice.address, RICHES)).sign())
    grow(chain, clock)
    assert code_of(include(late)) == ("", 0)


Message = Callable[[Blockchain, Purse], Any]
BAD_CHECKSUM = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcg"


def _without_output(alice: Purse) -> Any:
    return multi_send(alice, [], 1)


MESSAGES: dict[str, tuple[tuple[str, int], Message]] = {
    "more than there is": (("sdk", 5), lambda _, a: send(a, a.address, RICHES * 2)),
    "a denom that is not there": (("sdk", 5), lambda _, a: send(a, a.address, 1, "unone")),
    "a module account": (("sdk", 4), lambda c, a: send(a, module(c, "distribution"))),
    "a broken address": (("sdk", 7), lambda _, a: send(a, BAD_CHECKSUM)),
    "another chain's address": (("sdk", 7), lambda _, a: send(a, address.encode("cosmos", bytes(20)))),
    "no amount": (("sdk", 10), lambda _, a: send(a, a.address, 0)),
    "less than nothing": (("sdk", 10), lambda _, a: send(a, a.address, -1)),
    "sums that differ": (("bank", 4), lambda _, a: multi_send(a, [(a.address, 1)], 2)),
    "no outputs": (("bank", 3), lambda _, a: _without_output(a)),
    "an output to a module account": (("sdk", 4), lambda c, a: multi_send(a, [(module(c, "mint"), 1)])),
    "an output to a broken address": (("sdk", 7), lambda _, a: multi_send(a, [(BAD_CHECKSUM, 1)])),
    "without a grant": (
        ("authz", 2),
        lambda c, a: execute(a, send(Purse("faucet", c.parameters), a.address)),
    ),
    "a grant to oneself": (("authz", 7), lambda _, a: grant(a, a)),
    "a grant of the past": (("authz", 3), lambda _, a: grant(a, Purse("x", a._parameters), expires=1)),
}


@pytest.mark.parametrize("what", MESSAGES)
def test_a_failed_message_costs_fee_and_sequence(
    chain: Blockchain, include: Include, alice: Purse, what: str
) -> None:
    code, message = MESSAGES[what]
    assert code_of(include(draft(chain, alice, message(chain, alice)).sign())) == code
    assert (sequence(chain, alice), held(chain, alice.raw_address)) == (1, RICHES - FEE)


def test_out_of_gas_in_the_messages_costs_fee_and_sequence(
    chain: Blockchain, include: Include, alice: Purse, bob: Purse
) -> None:
    result = include(draft(chain, alice, send(alice, bob.address)).but(gas=60_000).sign())
    assert (code_of(result), sequence(chain, alice)) == (("sdk", 11), 1)
    assert result.outcome.gas_used > result.outcome.gas_wanted
    assert held(chain, bob.raw_address) == 0


def test_one_failed_message_undoes_the_others(
    chain: Blockchain, include: Include, alice: Purse, bob: Purse
) -> None:
    both = draft(chain, alice, send(alice, bob.address), send(alice, bob.address, RICHES))
    assert code_of(include(both.sign())) == ("sdk", 5)
    assert held(chain, bob.raw_address) == 0


@pytest.mark.parametrize("name", ["gov", "feepay"])
def test_some_module_accounts_keep_what_they_get(
    chain: Blockchain, include: Include, alice: Purse, name: str
) -> None:
    assert code_of(include(draft(chain, alice, send(alice, module(chain, name))).sign())) == (
        "",
        0,
    )


def test_an_upper_case_address_is_paid(chain: Blockchain, include: Include, alice: Purse, bob: Purse) -> None:
    include(draft(chain, alice, send(alice, bob.address.upper(), 7)).sign())
    assert held(chain, bob.raw_address) == 7


def test_a_multi_send_pays_each_output(chain: Blockchain, include: Include, alice: Purse, bob: Purse) -> None:
    outputs = [(bob.address, 2), (bob.address, 3), (alice.address, 4)]
    include(
        draft(chain, alice, multi_send(alice, outputs)).but(gas=300_000, fee=(("ujuno", 22_500),)).sign(),
    )
    assert held(chain, bob.raw_address) == 5


def test_a_grant_lets_another_send(
    chain: Blockchain, include: Include, alice: Purse, bob: Purse, faucet: Purse
) -> None:
    include(draft(chain, alice, grant(alice, faucet)).sign())
    include(draft(chain, faucet, execute(faucet, send(alice, bob.address, 9))).sign())
    assert held(chain, bob.raw_address) == 9


def test_a_spend_limit_is_used_up(
    chain: Blockchain, include: Include, *, alice: Purse, bob: Purse, faucet: Purse
) -> None:
    include(draft(chain, alice, grant(alice, faucet, limit=9)).sign())
    seen = [
        code_of(include(draft(chain, faucet, execute(faucet, send(alice, bob.address, amount))).sign()))
        for amount in (5, 5, 4, 1)
    ]
    assert seen == [("", 0), ("sdk", 5), ("", 0), ("authz", 2)]


def test_a_grant_expires(
    chain: Blockchain, clock: ManualClock, include: Include, *, alice: Purse, bob: Purse, faucet: Purse
) -> None:
    include(draft(chain, alice, grant(alice, faucet, expires=START // 1000 + 60)).sign())
    clock.pass_seconds(120)
    grow(chain, clock, 2)
    result = include(draft(chain, faucet, execute(faucet, send(alice, bob.address))).sign())
    assert code_of(result) == ("authz", 6)


def test_inner_messages_may_be_nested(chain: Blockchain, include: Include, alice: Purse, bob: Purse) -> None:
    nested = execute(alice, execute(alice, send(alice, bob.address, 3)))
    include(draft(chain, alice, nested).sign())
    assert held(chain, bob.raw_address) == 3


GAS_SEEN = {"to somebody": 72_000, "to a new address": 86_000}


@pytest.mark.parametrize("what", GAS_SEEN)
def test_a_send_takes_about_what_it_takes_on_juno(
    chain: Blockchain, include: Include, *, alice: Purse, bob: Purse, faucet: Purse, what: str
) -> None:
    to = faucet if what == "to somebody" else bob
    used = include(draft(chain, alice, send(alice, to.address)).sign()).outcome.gas_used
    assert abs(used - GAS_SEEN[what]) < 0.05 * GAS_SEEN[what]


MULTI_GAS_SEEN = {
    2: (80_000, 107_000),
    10: (149_000, 284_000),
    50: (496_000, 1_168_000),
    100: (929_000, 2_275_000),
}


@pytest.mark.parametrize("outputs", MULTI_GAS_SEEN)
@pytest.mark.parametrize("new", [False, True])
def test_a_multi_send_takes_about_what_it_takes_on_juno(
    chain: Blockchain, include: Include, *, alice: Purse, faucet: Purse, outputs: int, new: bool
) -> None:
    to = [Purse(f"new {n}", chain.parameters).address if new else faucet.address for n in range(outputs)]
    message = multi_send(alice, [(each, 1) for each in to])
    used = include(draft(chain, alice, message).but(gas=3_000_000).sign()).outcome.gas_used
    assert abs(used - MULTI_GAS_SEEN[outputs][new]) < 0.06 * MULTI_GAS_SEEN[outputs][new]


def test_the_answer_names_what_each_message_did(
    chain: Blockchain, include: Include, alice: Purse, bob: Purse
) -> None:
    result = include(draft(chain, alice, send(alice, bob.address)).sign())
    answers = cosmos.decode(cosmos.TxMsgData, result.outcome.data).msg_responses
    assert [answer.type_url for answer in answers] == ["/cosmos.bank.v1beta1.MsgSendResponse"]


def test_a_failed_transaction_tells_of_its_fee_alone(
    chain: Blockchain, include: Include, alice: Purse
) -> None:
    result = include(draft(chain, alice, send(alice, alice.address, RICHES * 2)).sign())
    assert [event.type for event in result.told][:5] == [
        "coin_spent",
        "coin_received",
        "transfer",
        "message",
        "tx",
    ]
    assert not any(key == "msg_index" for event in result.told for key, _ in event.attributes)


def test_coins_are_never_made_nor_lost(chain: Blockchain, include: Include, alice: Purse, bob: Purse) -> None:
    include(draft(chain, alice, send(alice, bob.address, 5)).sign())
    bank = chain.latest().trees["bank"]
    total = sum(int(value) for key, value in iavl.prefixed(bank, b"\x02") if key.endswith(b"ujuno"))
    assert total == state.supply(chain.latest(), "ujuno")
