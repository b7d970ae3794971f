"""How much may leave in 24 hours, and what waits for a second admin."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounts import BOT_TREASURY, WITHDRAWALS, AccountId
from ledger.approvals import Verdict, decide_approval
from ledger.errors import BrokenInvariant, Refused
from ledger.limits import DAY_MS, Limits, needs_approval
from ledger.money import Amount
from ledger.roles import Actor
from ledger.terms import Terms
from ledger.units import Decision, Unit
from ledger.withdrawals import (
    ManualOutcome,
    Request,
    Withdrawal,
    decide_cancel,
    decide_manual,
    decide_request,
)
from tests.ledger.bank import ABROAD, ALICE, BOB, CAROL, JUNO, TERMS, Bank

HELD = 100_000
OWNER = AccountId(99)
"""Named in the settings; the books need not know them."""


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice and Bob own 100,000 each; Carol is an admin."""
    return a_bank(tmp_path)


def a_bank(path: Path) -> Bank:
    bank = Bank(path / "books.db")
    bank.open(held=100)
    bank.deposit(ALICE, HELD)
    bank.deposit(BOB, HELD)
    bank.write("UPDATE users SET role = 'admin' WHERE id = ?", CAROL)
    return bank


def terms(own: int | None = None, total: int | None = None, approval: int | None = None) -> Terms:
    limits = Limits(*(None if each is None else Amount(each) for each in (own, total, approval)))
    return TERMS._replace(limits=limits)


def ask(
    bank: Bank, key: str, amount: int, given_terms: Terms, *, account: AccountId = ALICE, fee: int = TERMS.fee
) -> Withdrawal:
    request = Request(account, JUNO, Amount(amount), Amount(fee), ABROAD)
    asked: Withdrawal = bank.do(Unit(lambda view: decide_request(view, key, request, given_terms)))
    return asked


def give(
    bank: Bank, asked: Withdrawal, verdict: Verdict, by: AccountId = CAROL, *, owner: bool = False
) -> None:
    bank.decide(lambda view: decide_approval(view, Actor(by, owner), asked.id, verdict, {}))


# Limits of a day


def test_a_members_day_is_full_to_the_last_unit(bank: Bank) -> None:
    day = terms(own=10_000)
    ask(bank, "k1", 6_000, day)
    ask(bank, "k2", 4_000, day)
    with pytest.raises(Refused) as refused:
        ask(bank, "k3", 1_000, day)
    assert refused.value.code == "withdrawal_over_own_limit"
    assert (refused.value.facts["most"], refused.value.facts["left"]) == (10_000, 0)
    assert bank.balance(WITHDRAWALS) == 10_000 + 2 * TERMS.fee


def test_a_refusal_says_what_is_left_of_the_day(bank: Bank) -> None:
    ask(bank, "k1", 6_000, terms(own=10_000))
    with pytest.raises(Refused) as refused:
        ask(bank, "k2", 4_001, terms(own=10_000))
    assert refused.value.facts["left"] == 4_000


def test_one_members_day_is_not_anothers(bank: Bank) -> None:
    day = terms(own=10_000)
    ask(bank, "k1", 10_000, day)
    assert ask(bank, "k2", 10_000, day, account=BOB).state.value == "queued"


def test_everyone_together_has_a_day_too(bank: Bank) -> None:
    day = terms(total=10_000)
    ask(bank, "k1", 6_000, day)
    with pytest.raises(Refused, match="withdrawal_over_total_limit"):
        ask(bank, "k2", 4_001, day, account=BOB)
    ask(bank, "k3", 4_000, day, account=BOB)


def test_the_treasurys_own_withdrawals_count_for_all_and_have_no_limit_of_their_own(bank: Bank) -> None:
    free = Terms(JUNO, Amount(1), Amount(0), Limits(Amount(10), Amount(100)))
    ask(bank, "k1", 90, free, account=BOT_TREASURY, fee=0)
    with pytest.raises(Refused, match="withdrawal_over_total_limit"):
        ask(bank, "k2", 10 + 1, free._replace(limits=Limits(None, Amount(100))), fee=0)


def test_a_day_is_the_last_24_hours(bank: Bank) -> None:
    day = terms(own=10_000)
    ask(bank, "k1", 10_000, day)
    bank.clock.time += DAY_MS - 1
    with pytest.raises(Refused, match="withdrawal_over_own_limit"):
        ask(bank, "k2", 1_000, day)
    bank.clock.time += 1
    ask(bank, "k3", 10_000, day)


def test_what_a_clock_far_ahead_took_does_not_fill_the_days_until_then(bank: Bank) -> None:
    bank.clock.time += 365 * DAY_MS
    ask(bank, "k1", 10_000, terms(own=10_000))
    bank.clock.time -= 365 * DAY_MS
    ask(bank, "k2", 10_000, terms(own=10_000))


def test_what_a_clock_a_little_ahead_took_counts(bank: Bank) -> None:
    ask(bank, "k1", 10_000, terms(own=10_000))
    bank.clock.time -= 3_600_000
    with pytest.raises(Refused, match="withdrawal_over_own_limit"):
        ask(bank, "k2", 10_000, terms(own=10_000))


def test_what_was_cancelled_does_not_count(bank: Bank) -> None:
    day = terms(own=10_000, total=10_000)
    asked = ask(bank, "k1", 10_000, day)
    bank.decide(lambda view: decide_cancel(view, ALICE, asked.id))
    ask(bank, "k2", 10_000, day)


def test_what_was_returned_does_not_count(bank: Bank) -> None:
    day = terms(own=10_000)
    asked = ask(bank, "k1", 10_000, day)
    bank.sign(asked, timeout=1)
    bank.block()
    bank.block()
    assert bank.state(asked) == "returned"
    ask(bank, "k2", 10_000, day)


@pytest.mark.parametrize(
    ("outcome", "refused"), [(ManualOutcome.RETURNED, False), (ManualOutcome.PAID, True)]
)
def test_what_an_owner_ended_counts_if_it_was_paid(bank: Bank, outcome: ManualOutcome, refused: bool) -> None:
    day = terms(own=10_000)
    asked = ask(bank, "k1", 10_000, day)
    bank.decide(lambda view: decide_manual(view, Actor(OWNER, owner=True), asked.id, outcome, "seen"))
    if refused:
        with pytest.raises(Refused, match="withdrawal_over_own_limit"):
            ask(bank, "k2", 10_000, day)
    else:
        ask(bank, "k2", 10_000, day)


def test_what_was_paid_counts(bank: Bank) -> None:
    day = terms(own=10_000)
    asked = ask(bank, "k1", 10_000, day)
    bank.sign(asked)
    bank.block(ours=[bank.executed(asked)])
    with pytest.raises(Refused, match="withdrawal_over_own_limit"):
        ask(bank, "k2", 1_000, day)


def test_requests_of_one_batch_see_each_other(bank: Bank) -> None:
    """Decided inside the writer: what is asked for at the same moment does not slip through together."""
    day = terms(own=10_000)
    requests = [Request(ALICE, JUNO, Amount(4_000), TERMS.fee, ABROAD, str(i)) for i in range(5)]

    def unit(number: int) -> Unit[Withdrawal]:
        return Unit(lambda view: decide_request(view, f"k{number}", requests[number], day))

    outcomes = bank.writer.commit([unit(number) for number in range(5)])
    assert [error is None for _, error in outcomes] == [True, True, False, False, False]


_ASKS = st.lists(
    st.tuples(
        st.sampled_from([ALICE, BOB]),
        st.integers(1_000, 9_000),
        st.integers(0, DAY_MS),
        st.sampled_from(["keep", "cancel"]),
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(own=st.integers(1_000, 20_000), total=st.integers(1_000, 30_000), asks=_ASKS)
def test_no_24_hours_ever_hold_more_than_the_limits(
    tmp_path_factory: pytest.TempPathFactory,
    own: int,
    total: int,
    asks: list[tuple[AccountId, int, int, str]],
) -> None:
    """Against a model: refused exactly when a limit would be passed, in whatever order people ask and cancel."""
    bank = a_bank(tmp_path_factory.mktemp("books"))
    day = terms(own=own, total=total)
    kept: list[tuple[int, AccountId, int]] = []
    for number, (account, amount, later, fate) in enumerate(asks):
        bank.clock.time += later
        since = bank.clock.time - DAY_MS
        lately = [each for each in kept if each[0] > since]
        fits = (
            sum(each[2] for each in lately) + amount <= total
            and sum(each[2] for each in lately if each[1] == account) + amount <= own
            and bank.balance(account) >= amount + TERMS.fee
        )
        try:
            asked = ask(bank, f"k{number}", amount, day, account=account)
        except Refused:
            assert not fits
            continue
        assert fits
        if fate == "cancel":
            bank.decide(lambda view, asked=asked: decide_cancel(view, asked.account, asked.id))
        else:
            kept.append((bank.clock.time, account, amount))


# A second admin


@pytest.mark.parametrize(
    ("above", "amount", "waits"),
    [(None, 10**9, False), (4_000, 4_000, False), (4_000, 4_001, True), (0, 1, True)],
)
def test_what_waits_for_a_second_admin(above: int | None, amount: int, waits: bool) -> None:
    assert needs_approval(amount, Limits(approval_above=None if above is None else Amount(above))) is waits


def test_above_the_threshold_the_money_is_held_and_waits(bank: Bank) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    assert bank.state(asked) == "awaiting_approval"
    assert bank.balance(WITHDRAWALS) == 5_000 + TERMS.fee


def test_what_waits_is_not_signed(bank: Bank) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    with pytest.raises(Exception, match="not queued"):
        bank.sign(asked)


def test_what_waits_can_be_cancelled(bank: Bank) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    bank.decide(lambda view: decide_cancel(view, ALICE, asked.id))
    assert (bank.state(asked), bank.balance(ALICE)) == ("cancelled", HELD)


@pytest.mark.parametrize(("by", "owner", "role"), [(CAROL, False, "admin"), (OWNER, True, "owner")])
def test_an_approved_one_goes_on_and_who_approved_is_kept(
    bank: Bank, by: AccountId, owner: bool, role: str
) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    give(bank, asked, Verdict.APPROVED, by, owner=owner)
    bank.sign(asked)
    bank.block(ours=[bank.executed(asked)])
    assert bank.state(asked) == "confirmed"
    (row,) = bank.read("SELECT * FROM approvals")
    assert row == {
        "withdrawal": asked.id,
        "verdict": "approved",
        "actor": by,
        "role": role,
        "at": bank.clock.time,
    }


def test_a_rejected_one_gives_everything_back(bank: Bank) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    give(bank, asked, Verdict.REJECTED)
    assert (bank.state(asked), bank.balance(ALICE), bank.balance(WITHDRAWALS)) == ("cancelled", HELD, 0)
    (told,) = bank.news("withdrawal.rejected")
    assert (told["recipient"], told["returned"]) == (ALICE, 5_000 + TERMS.fee)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_nobody_decides_on_their_own_withdrawal(bank: Bank, verdict: Verdict) -> None:
    bank.deposit(CAROL, HELD)
    asked = ask(bank, "k1", 5_000, terms(approval=4_000), account=CAROL)
    with pytest.raises(Refused, match="approval_own"):
        give(bank, asked, verdict)
    with pytest.raises(Refused, match="approval_own"):
        give(bank, asked, verdict, owner=True)
    assert bank.state(asked) == "awaiting_approval"


@pytest.mark.parametrize("role", ["member", "elevated"])
def test_the_role_is_looked_up_when_it_commits(bank: Bank, role: str) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    bank.write("UPDATE users SET role = ? WHERE id = ?", role, CAROL)
    with pytest.raises(Refused, match="role_too_low"):
        give(bank, asked, Verdict.APPROVED)


def test_a_nobody_approves_nothing(bank: Bank) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    with pytest.raises(Refused, match="role_too_low"):
        give(bank, asked, Verdict.APPROVED, AccountId(12345))


@pytest.mark.parametrize("second", list(Verdict))
def test_the_first_verdict_stands(bank: Bank, second: Verdict) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    give(bank, asked, Verdict.APPROVED)
    with pytest.raises(Refused, match="approval_settled"):
        give(bank, asked, second, OWNER, owner=True)
    assert bank.state(asked) == "queued"


def test_a_cancelled_one_is_not_approved(bank: Bank) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    bank.decide(lambda view: decide_cancel(view, ALICE, asked.id))
    with pytest.raises(Refused, match="approval_settled"):
        give(bank, asked, Verdict.APPROVED)


def test_the_member_is_told_of_the_approval(bank: Bank) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    bank.decide(
        lambda view: decide_approval(view, Actor(CAROL), asked.id, Verdict.APPROVED, {"choices": [1]})
    )
    (told,) = bank.news("withdrawal.approved")
    assert (told["recipient"], told["withdrawal"], told["choices"]) == (ALICE, asked.id, [1])


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE withdrawals SET state = 'queued'", "nobody has approved"),
        ("INSERT INTO approvals SELECT id, 'approved', account, 'owner', 0 FROM withdrawals", "asked for"),
        ("INSERT INTO approvals SELECT id, 'approved', 33, 'member', 0 FROM withdrawals", "CHECK"),
    ],
)
def test_the_database_itself_wants_a_second_admin(bank: Bank, sql: str, why: str) -> None:
    ask(bank, "k1", 5_000, terms(approval=4_000))
    with pytest.raises(BrokenInvariant, match=why):
        bank.write(sql)


@pytest.mark.parametrize("sql", ["DELETE FROM approvals", "UPDATE approvals SET actor = 11"])
def test_who_approved_is_never_rewritten(bank: Bank, sql: str) -> None:
    give(bank, ask(bank, "k1", 5_000, terms(approval=4_000)), Verdict.APPROVED)
    with pytest.raises(BrokenInvariant, match="append-only"):
        bank.write(sql)


def test_what_waits_is_listed(bank: Bank) -> None:
    asked = ask(bank, "k1", 5_000, terms(approval=4_000))
    ask(bank, "k2", 3_000, terms(approval=4_000))
    rows = bank.decide(
        lambda view: Decision(view.select("SELECT id FROM withdrawals WHERE state = 'awaiting_approval'"))
    )
    assert [row["id"] for row in rows] == [asked.id]
