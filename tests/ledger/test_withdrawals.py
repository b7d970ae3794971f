"""Every step in the life of a withdrawal, and every step that must not be."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, WITHDRAWALS
from ledger.errors import BrokenInvariant, Conflict, LeaseLost, Refused
from ledger.freezes import Freeze, FreezeReason, decide_freeze, decide_lift
from ledger.giveaways import decide_create
from ledger.inclusions import Inclusion
from ledger.journal import Journal
from ledger.money import Amount, Denom
from ledger.offers import Offer
from ledger.payments import StalePlan, covers, decide_mark_broadcast
from ledger.reader import Reader
from ledger.reserve import Refill, decide_refill
from ledger.roles import Actor
from ledger.terms import Terms
from ledger.treasury import Grant, decide_grant
from ledger.withdrawals import (
    ManualOutcome,
    Request,
    Withdrawal,
    Withdrawals,
    decide_cancel,
    decide_manual,
    decide_request,
)
from tests.chain.outside import run_inline
from tests.ledger.bank import ABROAD, ALICE, BOB, JUNO, NETWORK_FEE, TERMS, Bank, canonical

HELD = 10_000
AMOUNT = 4_000
FEE = TERMS.fee


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice and Bob own 10,000 each, BOT_TREASURY 100."""
    bank = Bank(tmp_path / "books.db")
    bank.open(held=100)
    bank.deposit(ALICE, HELD)
    bank.deposit(BOB, HELD)
    return bank


def cancel(bank: Bank, asked: Withdrawal, account: int = ALICE) -> Withdrawal:
    outcome: Withdrawal = bank.decide(lambda view: decide_cancel(view, account, asked.id))  # type: ignore[arg-type] # an id
    return outcome


def end_by_hand(bank: Bank, asked: Withdrawal, outcome: ManualOutcome) -> None:
    bank.decide(
        lambda view: decide_manual(view, Actor(BOB, owner=True), asked.id, outcome, "seen in the explorer")
    )


def waiting(bank: Bank, path: Path, limit: int = 3) -> list[int]:
    """Return whose withdrawals are signed next."""
    books = Withdrawals(Journal(bank.writer, run_inline), Reader(path / "books.db"), ())
    return [each.account for each in books.queued(limit)]


# Waiting


def test_accounts_take_turns_in_being_paid(bank: Bank, tmp_path: Path) -> None:
    for number in range(4):
        bank.ask(f"a{number}", 1_000)
    bank.ask("b", 1_000, account=BOB)
    assert waiting(bank, tmp_path) == [ALICE, BOB, ALICE]


def test_who_was_paid_last_is_next_after_the_others(bank: Bank, tmp_path: Path) -> None:
    """Each goes alone, for its memo."""
    of_alice = [bank.ask(f"a{number}", 1_000, memo=f"{number}") for number in range(3)]
    of_bob = [bank.ask(f"b{number}", 1_000, account=BOB, memo=f"{number}") for number in range(2)]
    paid = []
    for number in range(5):
        account = waiting(bank, tmp_path, 1)[0]
        paid.append(account)
        payout = (of_alice if account == ALICE else of_bob).pop(0)
        bank.sign(payout, name=f"T{number}")
        bank.block(ours=[bank.executed(payout, name=f"T{number}")])
    assert paid == [ALICE, BOB, ALICE, BOB, ALICE]


def test_what_is_frozen_hides_nobody(bank: Bank, tmp_path: Path) -> None:
    for number in range(4):
        bank.ask(f"a{number}", 1_000)
    bank.ask("b", 1_000, account=BOB)
    bank.decide(lambda view: decide_freeze(view, Actor(BOB, owner=True), ALICE, "looked into"))
    assert waiting(bank, tmp_path) == [BOB]


# Asking


def test_asking_holds_amount_and_fee_together(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    assert (bank.balance(ALICE), bank.balance(WITHDRAWALS)) == (HELD - AMOUNT - FEE, AMOUNT + FEE)
    assert bank.state(asked) == "queued"


def test_asking_twice_with_one_key_holds_once(bank: Bank) -> None:
    assert bank.ask("k1", AMOUNT) == bank.ask("k1", AMOUNT)
    assert bank.balance(WITHDRAWALS) == AMOUNT + FEE


def test_one_key_for_two_amounts_is_a_conflict(bank: Bank) -> None:
    bank.ask("k1", AMOUNT)
    with pytest.raises(Conflict):
        bank.ask("k1", AMOUNT + 1)


@pytest.mark.parametrize(
    ("request_", "terms", "code"),
    [
        (Request(ALICE, JUNO, Amount(4_000), FEE, ABROAD), None, "unlisted_denom"),
        (Request(ALICE, JUNO, Amount(4_000), Amount(1), ABROAD), TERMS, "withdrawal_fee_changed"),
        (Request(ALICE, JUNO, Amount(999), FEE, ABROAD), TERMS, "withdrawal_below_minimum"),
        (
            Request(ALICE, JUNO, Amount(0), FEE, ABROAD),
            Terms(JUNO, Amount(0), FEE),
            "withdrawal_below_minimum",
        ),
        (
            Request(ALICE, JUNO, Amount(-5), FEE, ABROAD),
            Terms(JUNO, Amount(-9), FEE),
            "withdrawal_below_minimum",
        ),
        (Request(ALICE, JUNO, Amount(2**62), FEE, ABROAD), TERMS, "amount_too_large"),
        (Request(ALICE, JUNO, Amount(4_000), FEE, ABROAD, "\u00e9" * 129), TERMS, "memo_too_long"),
        (Request(ALICE, JUNO, Amount(9_951), FEE, ABROAD), TERMS, "insufficient_balance"),
    ],
)
def test_a_request_that_cannot_be_is_refused(
    bank: Bank, request_: Request, terms: Terms | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        bank.decide(lambda view: decide_request(view, "k1", request_, terms))
    assert refused.value.code == code
    assert bank.balance(ALICE) == HELD


def test_everything_can_be_withdrawn_to_the_last_unit(bank: Bank) -> None:
    bank.ask("k1", HELD - FEE)
    assert bank.balance(ALICE) == 0


def test_a_frozen_member_keeps_the_money_spendable(bank: Bank) -> None:
    bank.decide(lambda view: decide_freeze(view, Actor(BOB, owner=True), ALICE, "under review"))
    with pytest.raises(Refused, match="withdrawals_frozen"):
        bank.ask("k1", AMOUNT)
    assert bank.ask("k2", AMOUNT, account=BOB).state.value == "queued"


def test_a_lifted_freeze_lets_members_ask_again(bank: Bank) -> None:
    bank.decide(lambda view: decide_freeze(view, Actor(BOB, owner=True), None, "looking"))
    bank.decide(
        lambda view: decide_lift(view, Actor(BOB, owner=True), Freeze(FreezeReason.ORDERED, None), "fine")
    )
    assert bank.ask("k1", AMOUNT).state.value == "queued"


# Cancelling


def test_a_cancel_returns_everything(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    cancel(bank, asked)
    assert (bank.balance(ALICE), bank.balance(WITHDRAWALS)) == (HELD, 0)
    assert bank.state(asked) == "cancelled"


def test_a_second_cancel_changes_nothing(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    cancel(bank, asked)
    assert cancel(bank, asked).state.value == "cancelled"
    assert bank.balance(ALICE) == HELD


def test_nobody_cancels_what_another_asked_for(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    with pytest.raises(Refused, match="unknown_withdrawal"):
        cancel(bank, asked, account=BOB)


def test_a_signed_withdrawal_cannot_be_cancelled(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    with pytest.raises(Refused, match="withdrawal_not_cancellable"):
        cancel(bank, asked)


# Signing


def test_signing_locks_the_withdrawal(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    assert bank.state(asked) == "signed"
    assert bank.read("SELECT role FROM transaction_locks WHERE expires_at IS NULL") == [
        {"role": f"withdrawal:{asked.id}"}
    ]


def test_only_one_sequence_is_unresolved(bank: Bank) -> None:
    first, second = bank.ask("k1", AMOUNT), bank.ask("k2", AMOUNT)
    bank.sign(first, name="A")
    with pytest.raises(StalePlan, match="unresolved"):
        bank.sign(second, name="B")


def test_the_database_refuses_a_second_unresolved_sequence(bank: Bank) -> None:
    bank.sign(bank.ask("k1", AMOUNT))
    with pytest.raises(BrokenInvariant, match="another sequence is not resolved yet"):
        bank.write(
            "INSERT INTO signed_transactions SELECT ?, chain_id, bytes, account_number, sequence + 1, fee, fee_denom,"
            " gas_limit, signed_height, timeout_height, 'signed', signed_at, NULL, NULL FROM signed_transactions",
            canonical("B"),
        )


def test_a_cancelled_withdrawal_is_not_signed(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    cancel(bank, asked)
    with pytest.raises(StalePlan, match="not queued"):
        bank.sign(asked)


def test_nothing_is_signed_while_withdrawals_are_frozen(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.decide(lambda view: decide_freeze(view, Actor(BOB, owner=True), None, "looking"))
    with pytest.raises(StalePlan, match="frozen"):
        bank.sign(asked)


def test_nothing_is_signed_on_a_sequence_that_was_not_proved_at_the_cursor(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.block(proved=False)
    with pytest.raises(StalePlan, match="not proved"):
        bank.sign(asked)


def test_nothing_is_signed_on_another_sequence_than_the_proved_one(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sequence = 9
    with pytest.raises(StalePlan, match="not proved"):
        bank.sign(asked)


def test_a_fee_that_nobody_covers_is_not_signed(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    with pytest.raises(StalePlan, match="cannot cover"):
        bank.sign(asked, fee=100 + FEE + 1)


def test_a_signer_whose_lease_was_taken_stores_nothing(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.hold("signer", token=2)
    with pytest.raises(LeaseLost):
        bank.sign(asked)
    assert bank.state(asked) == "queued"


@pytest.mark.parametrize(
    ("treasury", "fees", "fee", "covered"),
    [
        (0, [50], 50, True),
        (0, [50], 51, False),
        (1, [50], 51, True),
        (100, [50, 50], 100, True),
        (99, [50, 50], 100, False),  # a batch that fails brings no fees
    ],
)
def test_what_covers_a_network_fee(treasury: int, fees: list[int], fee: int, covered: bool) -> None:
    withdrawals = [
        Withdrawal(i, ALICE, JUNO, Amount(1), Amount(each), ABROAD, "", "queued", False, 0)  # type: ignore[arg-type] # a state's text
        for i, each in enumerate(fees)
    ]
    assert covers(treasury, fee, JUNO, withdrawals) is covered


def test_a_fee_in_another_denom_covers_nothing(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    assert not covers(0, 1, Denom("uother"), [asked])


# What blocks decide


def test_a_confirmed_withdrawal_pays_amount_fee_and_network_fee(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    bank.block(ours=[bank.executed(asked)])
    assert (bank.state(asked), bank.transaction_state()) == ("confirmed", "confirmed")
    assert bank.balance(WITHDRAWALS) == 0
    assert bank.balance(BOT_TREASURY) == 100 + FEE - NETWORK_FEE
    assert bank.balance(ALICE) == HELD - AMOUNT - FEE
    assert bank.freezes() == []


def test_the_member_is_told_the_hash_that_explorers_know(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    bank.block(ours=[bank.executed(asked)])
    (told,) = bank.news("withdrawal.confirmed")
    assert (told["recipient"], told["tx"], told["withdrawal"]) == (ALICE, canonical("shown-A"), asked.id)


def test_an_inclusion_met_again_settles_once(bank: Bank) -> None:
    """The second copy of a re-hashed transaction fails with code 32."""
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    done = bank.executed(asked)
    bank.block(ours=[done, done._replace(position=1, code=32)])
    bank.block(ours=[done._replace(code=32)])
    assert bank.balance(WITHDRAWALS) == 0
    assert bank.freezes() == []


def test_success_needs_no_proof_of_the_sequence(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    bank.block(ours=[bank.executed(asked)], proved=False)
    assert bank.state(asked) == "confirmed"
    bank.block()
    assert bank.freezes() == []


def test_a_failed_single_returns_all_but_the_network_fee(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    bank.block(ours=[bank.executed(asked, code=5)])
    assert (bank.state(asked), bank.transaction_state()) == ("returned", "failed")
    assert bank.balance(ALICE) == HELD - NETWORK_FEE
    assert bank.balance(BOT_TREASURY) == 100
    (told,) = bank.news("withdrawal.returned")
    assert (told["returned"], told["network_fee"], told["reason"]) == (
        AMOUNT + FEE - NETWORK_FEE,
        NETWORK_FEE,
        "failed",
    )


@pytest.mark.parametrize("code", [5, 13, 30, 32])
def test_an_inclusion_whose_ante_failed_decides_nothing(bank: Bank, code: int) -> None:
    """The same bytes can still succeed in a later block: the proved sequence tells."""
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    bank.block(ours=[Inclusion(0, canonical("A"), canonical("A"), code)])
    assert bank.state(asked) == "signed"
    bank.block(ours=[bank.executed(asked)])
    assert bank.state(asked) == "confirmed"


def test_a_failure_without_a_proved_sequence_waits_for_the_next_proof(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    bank.block(ours=[bank.executed(asked, code=11)], proved=False)
    assert bank.state(asked) == "signed"
    bank.block()
    assert (bank.state(asked), bank.freezes()) == ("returned", [])


def test_nothing_is_returned_at_the_timeout_itself(bank: Bank) -> None:
    """The timeout height is inclusive: the cursor must be past it."""
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked, timeout=2)
    bank.block()
    bank.block()
    assert bank.state(asked) == "signed"


def test_an_expired_single_returns_everything(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked, timeout=2)
    for _ in range(3):
        bank.block()
    assert (bank.state(asked), bank.transaction_state()) == ("returned", "expired")
    assert bank.balance(ALICE) == HELD


def test_nothing_expires_without_a_proved_sequence(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked, timeout=2)
    for _ in range(9):
        bank.block(proved=False)
    assert bank.state(asked) == "signed"


def test_nothing_expires_once_the_sequence_moved(bank: Bank) -> None:
    """A stranger used it: money in doubt is not refunded."""
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked, timeout=2)
    bank.sequence += 1
    for _ in range(4):
        bank.block()
    assert bank.state(asked) == "signed"
    assert bank.freezes() == ["stranger"]


def test_an_inclusion_before_the_last_proof_does_not_explain_a_sequence_that_moved_later(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    bank.block(ours=[Inclusion(0, canonical("A"), canonical("A"), 5)])
    bank.sequence += 1
    bank.block()
    assert (bank.state(asked), bank.freezes()) == ("signed", ["stranger"])


def test_a_batch_is_settled_together(bank: Bank) -> None:
    one, two = bank.ask("k1", AMOUNT), bank.ask("k2", AMOUNT, account=BOB)
    bank.sign(one, two)
    bank.block(ours=[bank.executed(one, two)])
    assert (bank.state(one), bank.state(two)) == ("confirmed", "confirmed")
    assert bank.balance(BOT_TREASURY) == 100 + 2 * FEE - NETWORK_FEE


def test_a_failed_batch_is_paid_one_by_one_at_the_treasurys_cost(bank: Bank) -> None:
    one, two = bank.ask("k1", AMOUNT), bank.ask("k2", AMOUNT, account=BOB)
    bank.sign(one, two)
    bank.block(ours=[bank.executed(one, two, code=4)])
    assert (bank.state(one), bank.state(two)) == ("queued", "queued")
    assert bank.read("SELECT alone FROM withdrawals") == [{"alone": 1}, {"alone": 1}]
    assert bank.balance(BOT_TREASURY) == 100 - NETWORK_FEE
    bank.sign(one, name="B")
    bank.block(ours=[bank.executed(one, name="B")])
    assert bank.state(one) == "confirmed"


def test_an_expired_batch_costs_nothing(bank: Bank) -> None:
    one, two = bank.ask("k1", AMOUNT), bank.ask("k2", AMOUNT, account=BOB)
    bank.sign(one, two, timeout=1)
    bank.block()
    bank.block()
    assert (bank.state(one), bank.state(two)) == ("queued", "queued")
    assert bank.balance(BOT_TREASURY) == 100


def test_a_requeued_withdrawal_can_be_cancelled(bank: Bank) -> None:
    one, two = bank.ask("k1", AMOUNT), bank.ask("k2", AMOUNT, account=BOB)
    bank.sign(one, two)
    bank.block(ours=[bank.executed(one, two, code=4)])
    cancel(bank, one)
    assert bank.balance(ALICE) == HELD


def grant(bank: Bank, amount: int) -> None:
    order = Grant(Actor(BOB, owner=True), ALICE, Amount(amount), JUNO, "well done")
    bank.decide(lambda view: decide_grant(view, f"g{amount}", order))


def give_away(bank: Bank, amount: int) -> None:
    offer = Offer(BOB, BOT_TREASURY, -500, JUNO, Amount(amount), 1, reason="well done")
    by = Actor(BOB, owner=True)
    bank.decide(lambda view: decide_create(view, f"g{amount}", offer, by, "00" * 32))


def refill(bank: Bank, amount: int) -> None:
    bank.block(arrived=-amount)
    order = Refill(Actor(BOB, owner=True), JUNO, Amount(amount), "my own coins")
    bank.decide(lambda view: decide_refill(view, f"r{amount}", order))


@pytest.mark.parametrize("spend", [grant, give_away, refill])
def test_the_fee_of_open_bytes_is_not_given_away(bank: Bank, spend: Callable[[Bank, int], None]) -> None:
    """The batch may fail, and BOT_TREASURY alone pays for that (chain.md, Withdrawals)."""
    one, two = bank.ask("k1", AMOUNT), bank.ask("k2", AMOUNT, account=BOB)
    bank.sign(one, two, fee=60)
    with pytest.raises(Refused, match="treasury_too_low") as refused:
        spend(bank, 41)
    assert (refused.value.facts["balance"], refused.value.facts["needed"]) == (40, 41)
    spend(bank, 40)
    short = bank.balance(SYSTEM_RESERVE)
    bank.block(ours=[bank.executed(one, two, fee=60, code=4)])
    assert (bank.balance(BOT_TREASURY), bank.balance(SYSTEM_RESERVE)) == (0, short)


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "unproved"])
@pytest.mark.parametrize("code", [0, 11])
def test_what_the_chain_paid_of_coins_that_came_unseen_is_booked(bank: Bank, proved: bool, code: int) -> None:
    """Most was stolen after the payout was signed; what no body shows came in the block that made it."""
    one, two = bank.ask("k1", AMOUNT), bank.ask("k2", AMOUNT, account=BOB)
    bank.sign(one, two, fee=60)
    bank.block(arrived=50 - bank.chain[JUNO])
    bank.chain[JUNO] += 9_000
    bank.block(ours=[bank.executed(one, two, fee=60, code=code)], proved=proved)
    bank.block()
    assert bank.state(one) == ("queued" if code else "confirmed")
    assert bank.total() == bank.chain[JUNO]
    bank.writer.close()


def test_an_expired_transaction_that_executes_after_all_is_a_contradiction(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked, timeout=1)
    bank.block()
    bank.block()
    bank.block(ours=[bank.executed(asked)])
    assert "contradiction" in bank.freezes()
    assert bank.balance(ALICE) == HELD


# By an owner's word


def test_money_in_doubt_is_not_touched_by_hand(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    with pytest.raises(Refused, match="transaction_unresolved"):
        end_by_hand(bank, asked, ManualOutcome.RETURNED)


def test_an_owner_returns_what_a_strangers_use_of_the_key_stopped(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    bank.sequence += 1
    bank.block()
    end_by_hand(bank, asked, ManualOutcome.RETURNED)
    assert (bank.state(asked), bank.transaction_state()) == ("manual", "expired")
    assert bank.balance(ALICE) == HELD


def test_a_payment_that_was_not_ours_is_made_good_by_the_hold(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.block(arrived=-AMOUNT)
    end_by_hand(bank, asked, ManualOutcome.PAID)
    assert (bank.balance(SYSTEM_RESERVE), bank.balance(BOT_TREASURY)) == (0, 100 + FEE)


@pytest.mark.parametrize("evidence", ["", "  "])
def test_an_owner_must_say_why(bank: Bank, evidence: str) -> None:
    asked = bank.ask("k1", AMOUNT)
    with pytest.raises(Refused, match="reason_missing"):
        bank.decide(
            lambda view: decide_manual(
                view, Actor(BOB, owner=True), asked.id, ManualOutcome.RETURNED, evidence
            )
        )


def test_what_ended_is_not_ended_again(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    cancel(bank, asked)
    with pytest.raises(Refused, match="withdrawal_ended"):
        end_by_hand(bank, asked, ManualOutcome.PAID)


# In the database itself


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE withdrawals SET state = 'confirmed', resolution = id", "no such step"),
        ("UPDATE withdrawals SET state = 'requested'", "no such step"),
        ("UPDATE withdrawals SET amount = amount + 1", "does not change"),
        ("UPDATE withdrawals SET address = 'juno1thief'", "does not change"),
        ("DELETE FROM withdrawals", "never deleted"),
    ],
)
def test_the_database_refuses_what_no_withdrawal_may_become(bank: Bank, sql: str, why: str) -> None:
    bank.ask("k1", AMOUNT)
    with pytest.raises(BrokenInvariant, match=why):
        bank.write(sql)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE signed_transactions SET bytes = x'00'", "do not change"),
        ("UPDATE signed_transactions SET sequence = 9", "do not change"),
        ("DELETE FROM signed_transactions", "never deleted"),
        ("UPDATE signed_transactions SET state = 'signed'", "no such step"),
    ],
)
def test_the_database_refuses_to_change_signed_bytes(bank: Bank, sql: str, why: str) -> None:
    bank.sign(bank.ask("k1", AMOUNT))
    with pytest.raises(BrokenInvariant, match=why):
        bank.write(sql)


def test_a_broadcast_is_written_down_once(bank: Bank) -> None:
    bank.sign(bank.ask("k1", AMOUNT))
    for _ in range(2):
        bank.decide(lambda view: decide_mark_broadcast(view, bank.signer, canonical("A")))
    assert bank.transaction_state() == "broadcast"


_FATES = st.lists(
    st.tuples(
        st.sampled_from(["confirm", "fail", "expire", "cancel", "ante"]),
        st.integers(1_000, 3_000),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=30)
@given(fates=_FATES)
def test_whatever_becomes_of_withdrawals_books_equal_the_chain(
    tmp_path_factory: pytest.TempPathFactory, fates: list[tuple[str, int, bool]]
) -> None:
    """Each is paid or returned exactly once, and nothing is left in WITHDRAWALS."""
    bank = Bank(tmp_path_factory.mktemp("books") / "books.db")
    bank.open(held=1_000)
    bank.deposit(ALICE, 100_000)
    paid = lost = 0
    for number, (fate, amount, proved) in enumerate(fates):
        asked, name = bank.ask(f"k{number}", amount), f"N{number}"
        if fate == "cancel":
            cancel(bank, asked)
            continue
        bank.sign(asked, name=name, timeout=3)
        if fate == "ante":
            bank.block(ours=[Inclusion(0, canonical(name), canonical(name), 5)], proved=proved)
        if fate in ("confirm", "ante"):
            bank.block(ours=[bank.executed(asked, name=name)], proved=proved)
            paid += amount + FEE
        elif fate == "fail":
            bank.block(ours=[bank.executed(asked, name=name, code=5)], proved=proved)
            lost += NETWORK_FEE
        for _ in range(4 if fate == "expire" else 1):
            bank.block()
        assert bank.total() == bank.chain[JUNO]
    assert bank.balance(WITHDRAWALS) == 0
    assert bank.balance(ALICE) == 100_000 - paid - lost
    assert bank.freezes() == []


# Several attempts at one sequence (a fee bump): one of them at most executes


def second_attempt(bank: Bank, name: str, timeout: int) -> None:
    """Write another attempt at the sequence of A, which pays the same withdrawals."""
    bank.write(
        "INSERT INTO signed_transactions SELECT ?, chain_id, bytes, account_number, sequence, fee + 1, fee_denom,"
        " gas_limit, signed_height, signed_height + ?, 'signed', signed_at, NULL, NULL FROM signed_transactions",
        canonical(name),
        timeout,
    )
    bank.write("INSERT INTO payouts SELECT ?, withdrawal FROM payouts", canonical(name))


def test_the_attempt_that_executes_ends_the_others(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked)
    second_attempt(bank, "B", timeout=5)
    bank.block(ours=[bank.executed(asked, name="B", fee=NETWORK_FEE + 1)])
    assert bank.state(asked) == "confirmed"
    assert (bank.transaction_state("A"), bank.transaction_state("B")) == ("expired", "confirmed")
    assert bank.balance(BOT_TREASURY) == 100 + FEE - NETWORK_FEE - 1


def test_nothing_is_returned_while_one_attempt_may_execute(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked, timeout=1)
    second_attempt(bank, "B", timeout=5)
    for _ in range(4):
        bank.block()
    assert bank.state(asked) == "signed"


def test_what_expired_in_every_attempt_is_returned_once(bank: Bank) -> None:
    asked = bank.ask("k1", AMOUNT)
    bank.sign(asked, timeout=1)
    second_attempt(bank, "B", timeout=3)
    for _ in range(5):
        bank.block()
    assert (bank.state(asked), bank.balance(ALICE)) == ("returned", HELD)
    assert (bank.transaction_state("A"), bank.transaction_state("B")) == ("expired", "expired")
