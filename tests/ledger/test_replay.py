"""Books that were restored pay nobody twice, and own up to what the lost ones paid."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, UNCLAIMED
from ledger.attributions import decide_acceptance, decide_attribution, unknown_payments
from ledger.audit import audit
from ledger.errors import BrokenInvariant, Refused
from ledger.freezes import Freeze, FreezeReason, decide_lift, freeze_of
from ledger.inclusions import Inclusion
from ledger.limits import Limits
from ledger.money import Amount
from ledger.payments import StalePlan
from ledger.roles import CONSOLE, Actor
from ledger.spends import Spend, SpentCoin
from ledger.units import Decision
from ledger.withdrawals import (
    ManualOutcome,
    Request,
    Withdrawal,
    decide_cancel,
    decide_manual,
    decide_request,
)
from tests.ledger.bank import ABROAD, ALICE, BOB, JUNO, NETWORK_FEE, TERMS, Bank, arrival, canonical

QUIET = 5
ELSEWHERE = "juno1elsewhere"


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Books in use, where Alice has 50,000 and BOT_TREASURY 1,000."""
    bank = Bank(tmp_path / "books.db")
    bank.open(held=1_000)
    bank.deposit(ALICE, 50_000)
    return bank


def restored(bank: Bank, reach_height: int = 0) -> Bank:
    """Mark the books as restored just now: the tip is the first block after this one."""
    bank.write(
        "INSERT INTO restores (restored_at, reach_height, quiet_blocks, last_tx) VALUES (?, ?, ?, 0)",
        bank.height * 3_000,
        reach_height,
        QUIET,
    )
    return bank


def lost(
    bank: Bank, *payments: tuple[str, int], name: str = "L", memo: str = "", code: int = 0, fee: int = 30
) -> Spend:
    """Let the chain run a transaction that the lost books had signed."""
    used = bank.sequence
    bank.sequence += 1
    bank.chain[JUNO] -= fee + (sum(amount for _, amount in payments) if code == 0 else 0)
    coins = tuple(SpentCoin(address, JUNO, str(amount)) for address, amount in payments)
    fees = (SpentCoin("", JUNO, str(fee)),)
    return Spend(
        canonical(name), canonical(f"shown-{name}"), (JUNO,), code, True, coins, fees, memo, sequence=used
    )


def add_attempt(bank: Bank, asked: Withdrawal) -> None:
    """Sign a second attempt, A2, at the sequence of the first."""
    bank.write(
        "INSERT INTO signed_transactions SELECT ?, chain_id, x'01', account_number, sequence, fee, fee_denom, gas_limit,"
        " signed_height, timeout_height, state, signed_at, NULL, NULL FROM signed_transactions",
        canonical("A2"),
    )
    bank.write("INSERT INTO payouts VALUES (?, ?)", canonical("A2"), asked.id)


def catch_up(bank: Bank, blocks: int = QUIET + 1) -> None:
    for _ in range(blocks):
        bank.block()


def freeze(bank: Bank) -> Any:
    return bank.decide(lambda view: Decision(freeze_of(view, ALICE)))


def payments(bank: Bank) -> list[Any]:
    found: list[Any] = bank.decide(lambda view: Decision(unknown_payments(view)))
    return found


def test_nothing_is_signed_before_the_replay_is_over(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    restored(bank)
    with pytest.raises(StalePlan, match="frozen"):
        bank.sign(asked)
    assert freeze(bank) == Freeze(FreezeReason.RESTORED, None)


def test_what_waited_is_paid_once_the_replay_is_over(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    restored(bank)
    catch_up(bank)
    assert freeze(bank) is None
    assert "restore.replayed" in bank.alerts()
    bank.sign(asked)


def test_the_replay_lasts_as_long_as_lost_bytes_may_live(bank: Bank) -> None:
    restored(bank)
    catch_up(bank, QUIET)
    assert freeze(bank) is not None
    bank.block()
    assert freeze(bank) is None


def test_the_replay_reaches_every_height_that_the_lost_books_had(bank: Bank) -> None:
    """Whatever the clock of the machine said."""
    restored(bank, reach_height=bank.height + 10)
    catch_up(bank, 10 + QUIET - 1)
    assert freeze(bank) is not None
    bank.block()
    assert freeze(bank) is None


def test_the_replay_does_not_end_on_a_block_that_nobody_proves(bank: Bank) -> None:
    restored(bank)
    for _ in range(QUIET + 3):
        bank.block(proved=False)
    assert freeze(bank) is not None
    bank.block()
    assert freeze(bank) is None


def test_old_blocks_do_not_count_as_the_tip(bank: Bank) -> None:
    restored(bank)
    bank.write("UPDATE restores SET replayed_height = NULL WHERE id = 1")
    late = bank.height + 50
    bank.write(
        "INSERT INTO restores (restored_at, reach_height, quiet_blocks, last_tx) VALUES (?, 0, 1, 0)",
        late * 3_000,
    )
    catch_up(bank, 50)
    assert freeze(bank) is not None
    catch_up(bank, 3)
    assert freeze(bank) is None


def test_a_withdrawal_that_the_lost_books_paid_is_settled_and_not_paid_again(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))])
    assert bank.state(asked) == "confirmed"
    assert bank.balance(SYSTEM_RESERVE) == 0
    assert bank.balance(BOT_TREASURY) == 1_000 + TERMS.fee - NETWORK_FEE
    assert bank.news("withdrawal.confirmed")[0]["tx"] == canonical("shown-L")
    assert bank.freezes() == []


def test_what_waited_for_a_second_admin_may_have_been_approved_and_paid(bank: Bank) -> None:
    terms = TERMS._replace(limits=Limits(approval_above=Amount(1)))
    request = Request(ALICE, JUNO, Amount(4_000), TERMS.fee, ABROAD)
    asked = bank.decide(lambda view: decide_request(view, "k", request, terms))
    assert bank.state(asked) == "awaiting_approval"
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))])
    assert bank.state(asked) == "confirmed"


def test_one_lost_payment_settles_one_withdrawal(bank: Bank) -> None:
    first, second = bank.ask("k1", 4_000), bank.ask("k2", 4_000)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))])
    assert (bank.state(first), bank.state(second)) == ("confirmed", "queued")


def test_a_lost_batch_settles_all_that_it_paid(bank: Bank) -> None:
    first, second = bank.ask("k1", 4_000), bank.ask("k2", 4_000)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), (ABROAD, 4_000))])
    assert (bank.state(first), bank.state(second)) == ("confirmed", "confirmed")


@pytest.mark.parametrize(
    ("address", "amount", "memo"), [(ELSEWHERE, 4_000, ""), (ABROAD, 4_001, ""), (ABROAD, 4_000, "9")]
)
def test_a_payment_that_differs_in_anything_settles_nothing(
    bank: Bank, address: str, amount: int, memo: str
) -> None:
    asked = bank.ask("k", 4_000)
    restored(bank)
    bank.block(spends=[lost(bank, (address, amount), memo=memo)])
    assert bank.state(asked) == "queued"
    assert bank.balance(SYSTEM_RESERVE) == -amount


def test_a_memo_that_is_the_same_settles(bank: Bank) -> None:
    asked = bank.ask("k", 4_000, memo="9")
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), memo="9")])
    assert bank.state(asked) == "confirmed"


def test_an_unknown_payment_is_borne_by_the_reserve_with_all_that_is_known(bank: Bank) -> None:
    restored(bank)
    bank.block(spends=[lost(bank, (ELSEWHERE, 9_000), memo="hello")])
    (found,) = payments(bank)
    assert (found.address, found.amount, found.memo) == (ELSEWHERE, 9_000, "hello")
    assert bank.balance(SYSTEM_RESERVE) == -9_000
    assert bank.balance(ALICE) == 50_000
    assert bank.freezes() == ["shortfall"]
    assert "restore.unknown_payment" in bank.alerts()


def test_an_unknown_payment_is_no_stranger_during_a_replay_alone(bank: Bank) -> None:
    bank.block(spends=[lost(bank, (ELSEWHERE, 9_000))])
    assert "stranger" in bank.freezes()
    assert payments(bank) == []


def test_what_an_authz_exec_spends_is_a_strangers_also_during_a_replay(bank: Bank) -> None:
    restored(bank)
    bank.chain[JUNO] -= 9_000
    bank.block(spends=[Spend(canonical("X"), canonical("X"), (JUNO,))])
    assert "stranger" in bank.freezes()


def test_a_sequence_that_nothing_explains_is_a_strangers_also_during_a_replay(bank: Bank) -> None:
    restored(bank)
    bank.sequence += 1
    bank.block()
    assert "stranger" in bank.freezes()


def test_a_failed_lost_transaction_explains_the_sequence_it_used(bank: Bank) -> None:
    restored(bank)
    bank.block(spends=[lost(bank, (ELSEWHERE, 9_000), code=5)])
    assert bank.freezes() == []
    assert payments(bank) == []
    assert bank.balance(BOT_TREASURY) == 1_000 - NETWORK_FEE


def test_a_failed_lost_transaction_that_used_nothing_costs_nothing(bank: Bank) -> None:
    restored(bank)
    spend = lost(bank, (ELSEWHERE, 9_000), code=5, fee=0)._replace(fees=(SpentCoin("", JUNO, "30"),))
    bank.sequence -= 1
    bank.block(spends=[spend])
    assert bank.freezes() == []
    assert bank.balance(BOT_TREASURY) == 1_000


def test_lost_transactions_in_blocks_that_nobody_proves_are_booked(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))], proved=False)
    bank.block(spends=[lost(bank, (ELSEWHERE, 7), name="M")], proved=False)
    bank.block()
    assert bank.state(asked) == "confirmed"
    assert bank.freezes() == ["shortfall"]
    assert bank.balance(SYSTEM_RESERVE) == -7


def test_signed_bytes_that_lost_ones_replaced_are_given_up(bank: Bank) -> None:
    """Ours expired after the backup; the lost books signed the same withdrawal again under the same sequence."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))])
    assert (bank.state(asked), bank.transaction_state()) == ("confirmed", "expired")


def test_bytes_that_a_failed_lost_transaction_replaced_are_given_up(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), code=5)])
    assert (bank.state(asked), bank.transaction_state()) == ("queued", "expired")
    assert bank.freezes() == []


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "unproved"])
@pytest.mark.parametrize("together", [True, False], ids=["in one block", "in the block before"])
@pytest.mark.parametrize("code", [13, 32])
def test_bytes_that_failed_the_ante_beside_lost_ones_are_given_up(
    bank: Bank, *, proved: bool, together: bool, code: int
) -> None:
    """The lost bytes used their sequence; what stays open for ever stops all later payments. A seed found it."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    failed = [Inclusion(0, canonical("A"), canonical("shown-A"), code)]
    if not together:
        bank.block(ours=failed, proved=proved)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))], ours=failed if together else [], proved=proved)
    assert (bank.state(asked), bank.transaction_state()) == ("confirmed", "expired")


@pytest.mark.parametrize("code", [0, 5])
def test_bytes_that_lost_ones_replaced_in_an_unproved_block_are_given_up(bank: Bank, code: int) -> None:
    """Of a failed one only a later proof tells that it used the sequence."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), code=code)], proved=False)
    catch_up(bank, 2 * QUIET)
    assert (bank.state(asked), bank.transaction_state()) == ("queued" if code else "confirmed", "expired")
    assert bank.read("SELECT id FROM restores WHERE replayed_height IS NULL") == []


@pytest.mark.parametrize("codes", [(11,), (11, 11), (0, 11), (11, 0)], ids=str)
def test_failed_lost_transactions_in_blocks_that_nobody_proves_explain_their_sequences(
    bank: Bank, codes: tuple[int, ...]
) -> None:
    """A later proof tells that they used them: no stranger did, and their fees are expenses of BOT_TREASURY."""
    asked = bank.ask("k", 4_000)
    restored(bank)
    for number, code in enumerate(codes):
        bank.block(spends=[lost(bank, (ABROAD, 4_000), name=f"L{number}", code=code)], proved=False)
    bank.block()
    assert bank.freezes() == []
    gained = TERMS.fee if 0 in codes else 0
    assert bank.balance(BOT_TREASURY) == 1_000 + gained - len(codes) * NETWORK_FEE
    assert bank.state(asked) == ("confirmed" if 0 in codes else "queued")


def test_of_failed_bytes_with_one_sequence_one_used_it(bank: Bank) -> None:
    """The fee of the first could not be paid, so its ante failed."""
    restored(bank)
    refused = lost(bank, (ABROAD, 4_000), name="L1", code=5, fee=0)
    bank.sequence -= 1
    refused = refused._replace(fees=(SpentCoin("", JUNO, "900"),))
    bank.block(spends=[refused], proved=False)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), name="L2", code=11)], proved=False)
    bank.block()
    assert bank.freezes() == []
    assert bank.balance(BOT_TREASURY) == 1_000 - NETWORK_FEE


def test_what_a_stranger_used_beside_failed_lost_bytes_is_seen(bank: Bank) -> None:
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), code=11)], proved=False)
    bank.sequence += 1
    bank.block()
    assert bank.freezes() == ["stranger"]


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "unproved"])
def test_members_of_a_failed_batch_that_lost_books_paid_alone_are_settled(bank: Bank, proved: bool) -> None:
    """The batch failed in a block that nobody proves; a later sequence of lost bytes says that it cannot come any more."""
    first, second = bank.ask("k1", 4_000), bank.ask("k2", 5_000)
    bank.sign(first, second)
    restored(bank)
    bank.block(ours=[bank.executed(first, second, code=11)], proved=False)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))], proved=proved)
    catch_up(bank, 2 * QUIET)
    assert (bank.state(first), bank.state(second), bank.transaction_state()) == (
        "confirmed",
        "queued",
        "failed",
    )
    assert (bank.balance(SYSTEM_RESERVE), bank.freezes(), payments(bank)) == (0, [], [])
    assert bank.balance(BOT_TREASURY) == 1_000 + TERMS.fee - 2 * NETWORK_FEE


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "unproved"])
@pytest.mark.parametrize("together", [True, False], ids=["in one block", "in the block before"])
def test_bytes_whose_fee_could_not_be_paid_do_not_fail_by_the_sequence_of_lost_ones(
    bank: Bank, proved: bool, together: bool
) -> None:
    """Of code 5 nothing tells whether the ante failed; that lost bytes executed with that sequence does."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    refused = [Inclusion(0, canonical("A"), canonical("shown-A"), 5)]
    if not together:
        bank.block(ours=refused, proved=False)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))], ours=refused if together else [], proved=proved)
    catch_up(bank, 2 * QUIET)
    assert (bank.state(asked), bank.transaction_state()) == ("confirmed", "expired")
    assert (bank.balance(SYSTEM_RESERVE), bank.freezes()) == (0, [])


@pytest.mark.parametrize("proved", [(True, False), (False, True), (False, False)], ids=str)
@pytest.mark.parametrize("attempts", [1, 2])
def test_a_single_one_that_failed_is_returned_whichever_block_is_proved(
    bank: Bank, proved: tuple[bool, bool], attempts: int
) -> None:
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    if attempts == 2:
        add_attempt(bank, asked)
    restored(bank)
    bank.block(ours=[bank.executed(asked, code=11)], proved=proved[0])
    bank.block(spends=[lost(bank, (ELSEWHERE, 100))], proved=proved[1])
    catch_up(bank, 2 * QUIET)
    assert (bank.state(asked), bank.balance(ALICE)) == ("returned", 50_000 - NETWORK_FEE)
    assert bank.balance(BOT_TREASURY) == 1_000 - NETWORK_FEE
    assert (bank.balance(SYSTEM_RESERVE), bank.freezes()) == (-100, ["shortfall"])


def test_what_has_just_been_returned_is_not_settled_by_a_payment_that_looks_alike(bank: Bank) -> None:
    """The lost books asked for the same again."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    bank.block(ours=[bank.executed(asked, code=11)], proved=False)
    bank.block(spends=[lost(bank, (ELSEWHERE, 100))], proved=False)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), name="M")])
    assert bank.state(asked) == "returned"
    assert bank.balance(SYSTEM_RESERVE) == -4_100


def test_a_lost_payment_brings_the_fee_that_it_cost(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "poor.db")
    bank.open(held=0)
    bank.deposit(ALICE, 50_000)
    asked = bank.ask("k", 4_000)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))])
    assert (bank.state(asked), bank.freezes()) == ("confirmed", [])
    assert bank.balance(BOT_TREASURY) == TERMS.fee - NETWORK_FEE


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "unproved"])
def test_lost_bytes_that_failed_for_certain_are_believed_before_ours_that_may_have(
    bank: Bank, proved: bool
) -> None:
    """Our fee could not be paid; the lost replacement ran out of gas, and its fee is what was paid."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    refused = Inclusion(0, canonical("A"), canonical("shown-A"), 5)
    bank.block(ours=[refused], spends=[lost(bank, (ABROAD, 4_000), code=11, fee=60)], proved=proved)
    bank.block()
    assert (bank.transaction_state(), bank.state(asked)) == ("expired", "queued")
    assert (bank.balance(SYSTEM_RESERVE), bank.balance(BOT_TREASURY)) == (0, 1_000 - 60)


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "unproved"])
def test_what_a_stranger_executed_with_our_sequence_returns_nothing_by_itself(
    bank: Bank, proved: bool
) -> None:
    """Whoever signed by hand may have paid just this: an owner has to say (payout.blocked)."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    refused = Inclusion(0, canonical("A"), canonical("shown-A"), 5)
    bank.block(ours=[refused], spends=[lost(bank, (ABROAD, 4_000))], proved=proved)
    bank.block()
    assert (bank.state(asked), bank.balance(ALICE)) == ("signed", 50_000 - 4_000 - TERMS.fee)
    assert "stranger" in bank.freezes()


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "unproved"])
def test_what_a_stranger_used_before_the_last_proof_returns_nothing_by_itself(
    bank: Bank, proved: bool
) -> None:
    """Our own bytes may stand in blocks for long after it, with codes that tell nothing."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), name="X")])
    bank.block(ours=[Inclusion(0, canonical("A"), canonical("shown-A"), 5)], proved=proved)
    bank.block()
    assert (bank.state(asked), bank.transaction_state()) == ("signed", "signed")
    assert bank.read("SELECT id FROM unclaimed") == []


def test_what_a_stranger_may_have_paid_does_not_wait_again_after_a_restore(bank: Bank) -> None:
    """The copy knew that somebody else had used the sequence; an owner had not said yet what became of it."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), name="X")])
    restored(bank)
    bank.block(spends=[lost(bank, (ELSEWHERE, 100))])
    catch_up(bank, 2 * QUIET)
    assert (bank.state(asked), bank.transaction_state()) == ("signed", "signed")


def test_the_same_lost_bytes_twice_in_a_block_are_kept_as_they_used_their_sequence(bank: Bank) -> None:
    restored(bank)
    spend = lost(bank, (ELSEWHERE, 100), code=11)
    bank.block(spends=[spend._replace(code=5), spend], proved=False)
    bump = spend._replace(canonical=canonical("B"), shown=canonical("shown-B"), code=5)
    bank.block(spends=[bump._replace(fees=(SpentCoin("", JUNO, "90"),))], proved=False)
    bank.block()
    assert (bank.balance(BOT_TREASURY), bank.total()) == (1_000 - NETWORK_FEE, bank.chain[JUNO])
    assert bank.read("SELECT id FROM unclaimed") == []


def test_a_fee_that_names_a_denom_twice_is_one_expense(bank: Bank) -> None:
    restored(bank)
    spend = lost(bank, (ELSEWHERE, 100), code=10)
    coins = (SpentCoin("", JUNO, "10"), SpentCoin("", JUNO, "20"))
    bank.block(spends=[spend._replace(fees=coins)])
    assert bank.balance(BOT_TREASURY) == 1_000 - NETWORK_FEE


def test_nothing_is_returned_while_lost_bytes_of_its_sequence_may_come(bank: Bank) -> None:
    """The lost books signed it again with a higher fee, and so with a later timeout; a seed found it."""
    asked = bank.ask("k", 4_000)
    bank.sign(asked, timeout=2)
    restored(bank)
    catch_up(bank, 4)
    assert bank.state(asked) == "signed"
    bank.block(spends=[lost(bank, (ABROAD, 4_000))])
    assert (bank.state(asked), bank.transaction_state()) == ("confirmed", "expired")
    assert bank.balance(SYSTEM_RESERVE) == 0


def test_what_no_lost_bytes_paid_is_returned_after_the_replay(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    bank.sign(asked, timeout=2)
    restored(bank)
    catch_up(bank, QUIET + 1)
    assert bank.state(asked) == "signed"
    bank.block()
    assert bank.state(asked) == "returned"


def test_several_attempts_at_one_sequence_are_given_up_together(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    add_attempt(bank, asked)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))])
    states = [bank.transaction_state(name) for name in ("A", "A2")]
    assert (bank.state(asked), states) == ("confirmed", ["expired", "expired"])


def test_what_replaced_bytes_were_to_pay_beside_waits_again(bank: Bank) -> None:
    first, second = bank.ask("k1", 4_000), bank.ask("k2", 5_000)
    bank.sign(first, second)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000))])
    assert (bank.state(first), bank.state(second)) == ("confirmed", "queued")
    bank.block(spends=[lost(bank, (ABROAD, 5_000), name="M")])
    assert bank.state(second) == "confirmed"


def test_our_own_bytes_are_settled_as_ever(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    bank.block(ours=[bank.executed(asked)])
    assert (bank.state(asked), bank.transaction_state()) == ("confirmed", "confirmed")


def test_a_payment_after_ours_in_one_block_does_not_end_ours_twice(bank: Bank) -> None:
    asked, other = bank.ask("k1", 4_000), bank.ask("k2", 4_000)
    bank.sign(asked)
    restored(bank)
    bank.block(ours=[bank.executed(asked)], spends=[lost(bank, (ABROAD, 4_000))])
    assert (bank.state(asked), bank.state(other)) == ("confirmed", "confirmed")


def test_what_waits_is_not_cancelled_during_a_replay(bank: Bank) -> None:
    """It may turn out to be paid; the money would be there twice."""
    asked = bank.ask("k", 4_000)
    restored(bank)
    with pytest.raises(Refused, match="withdrawals_frozen"):
        bank.decide(lambda view: decide_cancel(view, ALICE, asked.id))
    with pytest.raises(Refused, match="withdrawals_frozen"):
        bank.decide(
            lambda view: decide_manual(view, Actor(BOB, owner=True), asked.id, ManualOutcome.RETURNED, "why")
        )
    with pytest.raises(Refused, match="withdrawals_frozen"):
        bank.ask("k2", 4_000)


def test_a_person_does_not_end_the_replay(bank: Bank) -> None:
    restored(bank)
    with pytest.raises(Refused, match="replay_unfinished"):
        bank.decide(
            lambda view: decide_lift(
                view, Actor(BOB, owner=True), Freeze(FreezeReason.RESTORED, None), "hurry"
            )
        )


def test_the_database_itself_lets_nothing_be_confirmed_unsigned_outside_a_replay(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    with pytest.raises(BrokenInvariant, match="no such step"):
        bank.write("UPDATE withdrawals SET state = 'confirmed', resolution = id WHERE id = ?", asked.id)


@pytest.mark.parametrize("state", ["returned", "cancelled", "manual"])
def test_the_database_itself_gives_nothing_back_during_a_replay(bank: Bank, state: str) -> None:
    asked = bank.ask("k", 4_000)
    if state == "returned":
        bank.sign(asked)
    restored(bank)
    with pytest.raises(BrokenInvariant, match="lost bytes may pay it"):
        bank.write("UPDATE withdrawals SET state = ?, resolution = id WHERE id = ?", state, asked.id)


def test_what_failed_is_given_back_during_a_replay(bank: Bank) -> None:
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    restored(bank)
    bank.block(ours=[bank.executed(asked, code=5)])
    assert (bank.state(asked), bank.transaction_state()) == ("returned", "failed")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM restores",
        "UPDATE restores SET restored_at = 0",
        "UPDATE restores SET quiet_blocks = 1",
        "UPDATE restores SET replayed_height = 1",
    ],
)
def test_a_replay_is_not_cut_short(bank: Bank, sql: str) -> None:
    restored(bank)
    with pytest.raises(BrokenInvariant):
        bank.write(sql)


def attribute(bank: Bank, payment: int, account: int, amount: int | None = None, key: str = "a") -> None:
    bank.decide(
        lambda view: decide_attribution(
            view,
            key,
            Actor(BOB, owner=True),
            payment,
            account=account,  # type: ignore[arg-type]  # tests name accounts that are none
            amount=None if amount is None else Amount(amount),
            reason="asked on Tuesday",
        )
    )


def orders(bank: Bank) -> list[tuple[str, str, int | None, str]]:
    rows = bank.read("SELECT action, role, target, after FROM admin_audit ORDER BY id")
    return [(row["action"], row["role"], row["target"], row["after"]) for row in rows]


def test_what_an_owner_says_of_a_payment_is_logged(bank: Bank) -> None:
    restored(bank)
    bank.block(spends=[lost(bank, (ELSEWHERE, 9_000))])
    (found,) = bank.decide(lambda view: Decision(unknown_payments(view)))
    attribute(bank, found.id, ALICE, 2_000)
    with pytest.raises(Refused, match="role_too_low"):
        bank.decide(lambda view: decide_acceptance(view, Actor(BOB), found.id, "hurry"))
    bank.decide(lambda view: decide_acceptance(view, CONSOLE, found.id, "nobody knows"))
    left = f'"denom": "ujuno", "left": 7000, "payment": {found.id}'
    assert orders(bank) == [
        ("payment.attributed", "owner", ALICE, f"{{{left}}}"),
        ("payment.accepted", "console", None, f"{{{left}}}"),
    ]


def test_an_owner_says_whose_an_unknown_payment_was(bank: Bank) -> None:
    restored(bank)
    bank.block(spends=[lost(bank, (ELSEWHERE, 9_000))])
    (found,) = payments(bank)
    attribute(bank, found.id, ALICE)
    assert (bank.balance(ALICE), bank.balance(SYSTEM_RESERVE)) == (41_000, 0)
    assert payments(bank) == []
    with pytest.raises(Refused, match="payment_explained"):
        attribute(bank, found.id, ALICE, key="b")


def test_an_unknown_payment_is_attributed_in_parts(bank: Bank) -> None:
    restored(bank)
    bank.block(spends=[lost(bank, (ELSEWHERE, 9_000))])
    (found,) = payments(bank)
    attribute(bank, found.id, ALICE, 8_500)
    attribute(bank, found.id, BOT_TREASURY, 500, key="b")
    assert (bank.balance(ALICE), bank.balance(SYSTEM_RESERVE)) == (41_500, 0)


@pytest.mark.parametrize(
    ("account", "amount", "code"),
    [
        (ALICE, 9_001, "amount_too_large"),
        (ALICE, 0, "amount_too_large"),
        (99, None, "unknown_account"),
        (SYSTEM_RESERVE, None, "unknown_account"),
        (BOB, None, "insufficient_balance"),
    ],
)
def test_an_attribution_that_cannot_be_moves_nothing(
    bank: Bank, account: int, amount: int | None, code: str
) -> None:
    restored(bank)
    bank.block(spends=[lost(bank, (ELSEWHERE, 9_000))])
    (found,) = payments(bank)
    with pytest.raises(Refused, match=code):
        attribute(bank, found.id, account, amount)
    assert bank.balance(SYSTEM_RESERVE) == -9_000


def test_nothing_is_attributed_to_an_account_that_cannot_withdraw(bank: Bank) -> None:
    restored(bank)
    bank.block(arrival("9000", "no memo"), spends=[lost(bank, (ELSEWHERE, 9_000))])
    (found,) = payments(bank)
    with pytest.raises(Refused, match="unknown_account"):
        attribute(bank, found.id, UNCLAIMED)


def test_an_owner_accepts_what_nobody_asked_for(bank: Bank) -> None:
    restored(bank)
    bank.block(spends=[lost(bank, (ELSEWHERE, 9_000))])
    (found,) = payments(bank)
    bank.decide(
        lambda view: decide_acceptance(view, Actor(BOB, owner=True), found.id, "we looked everywhere")
    )
    assert payments(bank) == []
    assert bank.balance(SYSTEM_RESERVE) == -9_000
    with pytest.raises(Refused, match="payment_explained"):
        bank.decide(lambda view: decide_acceptance(view, Actor(BOB, owner=True), found.id, "again"))


def test_a_payment_beyond_what_the_books_hold_freezes_and_stops_nothing(bank: Bank) -> None:
    restored(bank)
    bank.chain[JUNO] += 70_000  # came unseen, in a block whose state nobody has
    bank.block(spends=[lost(bank, (ELSEWHERE, 60_000))], proved=False)
    bank.block()
    assert "contradiction" in bank.freezes()
    assert bank.total() == bank.chain[JUNO]


def test_the_books_are_clean_after_a_replay(bank: Bank, tmp_path: Path) -> None:
    asked, other = bank.ask("k1", 4_000), bank.ask("k2", 5_000)
    bank.sign(asked)
    restored(bank)
    bank.block(spends=[lost(bank, (ABROAD, 4_000), (ELSEWHERE, 6))])
    attribute(bank, payments(bank)[0].id, ALICE)
    catch_up(bank)
    bank.decide(
        lambda view: decide_lift(view, Actor(BOB, owner=True), Freeze(FreezeReason.SHORTFALL, None), "whole")
    )
    bank.sign(other, name="B")
    bank.block(ours=[bank.executed(other, name="B")])
    bank.writer.close()
    report = audit(tmp_path / "books.db")
    assert report.problems == ()


def test_a_backup_and_the_lost_books_end_alike(bank: Bank, tmp_path: Path) -> None:
    """The whole story: a backup with one that waits, both sides go on, and the backup catches up."""
    asked = bank.ask("k", 4_000)
    bank.writer.close()
    shutil.copy(tmp_path / "books.db", tmp_path / "copy.db")
    bank.sign(asked)
    inclusion: Inclusion = bank.executed(asked)
    bank.block(ours=[inclusion])
    expected = bank.balance(ALICE), bank.balance(BOT_TREASURY), bank.total()
    bank.writer.close()

    shutil.copy(tmp_path / "copy.db", tmp_path / "books.db")
    bank.height -= 1
    restored(bank)
    coins = (SpentCoin(ABROAD, JUNO, "4000"),)
    fees = (SpentCoin("", JUNO, str(NETWORK_FEE)),)
    bank.block(
        ours=[inclusion],
        spends=[Spend(inclusion.canonical, inclusion.shown, (JUNO,), 0, True, coins, fees)],
    )
    assert (bank.balance(ALICE), bank.balance(BOT_TREASURY), bank.total()) == expected
    assert bank.state(asked) == "confirmed"
