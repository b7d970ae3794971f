"""What arrives, and whose it is: each row reads like a bank slip."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.accounts import BOT_TREASURY, REWARDS_POOL, UNCLAIMED, AccountId
from ledger.blocks import decide_foresight, listed_denoms
from ledger.deposits import Arrival, Reason, addressee, spelled_amount
from ledger.errors import Refused
from ledger.money import Asset, Denom
from ledger.outbox import OPERATORS
from ledger.shared import decide_close, decide_create
from tests.ledger.bank import ALICE, ATOM, BOB, JUNO, Bank, arrival


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    bank = Bank(tmp_path / "books.db")
    bank.open()
    return bank


@pytest.mark.parametrize(
    ("memo", "whose"),
    [
        ("11", ALICE),
        (" \r\n\t11\t\n\r ", ALICE),
        ("topup", BOT_TREASURY),
        ("donate", REWARDS_POOL),
        ("shared:100", -100),
        ("shared:999", -999),
        ("9999999999999999", 9999999999999999),
        ("", Reason.NO_MEMO),
        (" \t", Reason.NO_MEMO),
        ("shared:99", Reason.UNUSABLE_MEMO),
        ("shared:1000", Reason.UNUSABLE_MEMO),
        ("Topup", Reason.UNUSABLE_MEMO),
        ("id 11", Reason.UNUSABLE_MEMO),
        ("11.", Reason.UNUSABLE_MEMO),
        ("011", Reason.UNUSABLE_MEMO),
        ("0", Reason.UNUSABLE_MEMO),
        ("-11", Reason.UNUSABLE_MEMO),
        ("+11", Reason.UNUSABLE_MEMO),
        ("1_1", Reason.UNUSABLE_MEMO),
        ("\uff11\uff11", Reason.UNUSABLE_MEMO),
        ("\u00a011", Reason.UNUSABLE_MEMO),
        ("11\n11", Reason.UNUSABLE_MEMO),
        ("10000000000000000", Reason.UNUSABLE_MEMO),
    ],
)
def test_a_memo_names_one_account_or_none(memo: str, whose: object) -> None:
    assert addressee(memo) == whose


@pytest.mark.parametrize(
    ("spelling", "amount"),
    [
        ("1", 1),
        ("1000000", 1_000_000),
        (str(2**62 - 1), 2**62 - 1),
        (str(2**62), None),
        ("9" * 78, None),
        ("", None),
        ("0", None),
        ("010", None),
        ("0x7", None),
        ("0b11", None),
        ("1_000", None),
        ("+7", None),
        ("-7", None),
        ("7 ", None),
        ("7\n", None),
        ("\uff17", None),
        ("1e3", None),
        ("1.0", None),
    ],
)
def test_an_amount_counts_only_in_the_one_spelling_that_means_the_same_to_all(
    spelling: str, amount: int | None
) -> None:
    assert spelled_amount(spelling) == amount


@given(st.text())
def test_no_text_breaks_memo_or_amount(text: str) -> None:
    addressee(text)
    amount = spelled_amount(text)
    assert amount is None or str(amount) == text


@pytest.mark.parametrize(
    ("memo", "account", "reason"),
    [
        ("11", ALICE, None),
        ("topup", BOT_TREASURY, None),
        ("donate", REWARDS_POOL, None),
        ("", UNCLAIMED, "no_memo"),
        ("hello", UNCLAIMED, "unusable_memo"),
        ("4711", UNCLAIMED, "unknown_user"),
        ("shared:100", UNCLAIMED, "unknown_shared_account"),
    ],
)
def test_a_deposit_goes_where_its_memo_says(bank: Bank, memo: str, account: int, reason: str | None) -> None:
    bank.block(arrival("700", memo))
    assert bank.balance(account) == 700
    assert [row["reason"] for row in bank.read("SELECT reason FROM unclaimed")] == (
        [reason] if reason else []
    )


def test_a_deposit_to_a_shared_account_that_exists(bank: Bank) -> None:
    bank.decide(lambda view: decide_create(view, ALICE, "savings"))
    bank.block(arrival("700", "shared:100"))
    assert bank.balance(-100) == 700


def test_the_members_of_a_shared_account_are_told_of_a_credited_deposit(bank: Bank) -> None:
    bank.decide(lambda view: decide_create(view, ALICE, "savings"))
    bank.block(arrival("700", "shared:100"), arrival("7", "shared:100", output=1))
    (told,) = bank.news("shared.arrived")
    assert (told["recipient"], told["amount"], told["name"]) == (ALICE, 707, "savings")
    assert bank.news("deposit.credited") == []


def test_a_deposit_to_a_closed_shared_account_is_unclaimed(bank: Bank) -> None:
    bank.decide(lambda view: decide_create(view, ALICE, "savings"))
    bank.decide(lambda view: decide_close(view, ALICE, AccountId(-100), {}))
    bank.block(arrival("700", "shared:100"))
    assert (bank.balance(-100), bank.balance(UNCLAIMED)) == (0, 700)
    assert bank.read("SELECT reason FROM unclaimed") == [{"reason": "closed_shared_account"}]


def test_the_member_is_told_of_a_credited_deposit(bank: Bank) -> None:
    bank.block(arrival("700", "11"))
    (told,) = bank.news("deposit.credited")
    assert (told["recipient"], told["amount"], told["denom"]) == (ALICE, 700, JUNO)


def dust(memo: str, outputs: int = 300) -> list[Arrival]:
    """Return a transaction that pays one unit by each of many outputs."""
    return [arrival("1", memo, output=number) for number in range(outputs)]


def test_dust_by_many_outputs_is_told_once_with_its_sum(bank: Bank) -> None:
    bank.block(*dust("11"), arrival("5", "11", tx="T2"))
    told = bank.news("deposit.credited")
    assert [(each["recipient"], each["amount"], each["parts"]) for each in told] == [
        (ALICE, 300, 300),
        (ALICE, 5, 1),
    ]
    assert len(bank.read("SELECT 1 FROM processed_deposits")) == 301


def test_dust_for_nobody_is_told_once_and_waits_in_its_parts(bank: Bank) -> None:
    bank.block(*dust("nobody"))
    (told,) = bank.news("deposit.unclaimed")
    assert (told["recipient"], told["amount"], told["parts"]) == (OPERATORS, 300, 300)
    assert len(bank.read("SELECT 1 FROM unclaimed")) == 300


def test_dust_is_announced_once(bank: Bank) -> None:
    arrivals = (*dust("11"), *dust("nobody"), arrival("0x7", "11", tx="odd"))
    bank.decide(lambda view: decide_foresight(view, bank.scanner, arrivals, bank.listed))
    (told,) = bank.news("deposit.seen")
    assert (told["recipient"], told["amount"]) == (ALICE, 300)


def test_every_coin_and_output_is_a_deposit_of_its_own(bank: Bank) -> None:
    bank.block(
        arrival("1", "11", output=0),
        arrival("2", "11", output=1),
        arrival("4", "11", path="1"),
        arrival("8", "11", path="1.0"),
    )
    assert bank.balance(ALICE) == 15


def test_the_same_coin_twice_in_a_block_counts_once(bank: Bank) -> None:
    bank.block(arrival("5", "11"), arrival("5", "11"), arrived=5)
    assert bank.balance(ALICE) == 5
    assert bank.balance(UNCLAIMED) == 0


def test_the_same_coin_in_a_later_block_counts_once(bank: Bank) -> None:
    bank.block(arrival("5", "11"))
    bank.block(arrival("5", "11"), arrived=0)
    assert bank.balance(ALICE) == 5


def test_an_unlisted_denom_is_written_down_as_text_and_not_posted(bank: Bank) -> None:
    huge = "9" * 70
    bank.block(arrival(huge, "11", denom=ATOM))
    (row,) = bank.read("SELECT amount, state FROM processed_deposits")
    assert row == {"amount": huge, "state": "unlisted"}
    assert bank.total() == 0


def test_an_odd_amount_goes_to_unclaimed_with_what_the_proved_balance_says(bank: Bank) -> None:
    bank.block(arrival("0100000000", "11"), arrived=16_777_216)
    assert (bank.balance(ALICE), bank.balance(UNCLAIMED)) == (0, 16_777_216)
    (row,) = bank.read("SELECT reason, evidence FROM unclaimed")
    assert row["reason"] == "residue"
    assert "0100000000" in row["evidence"]


def test_an_odd_amount_leaves_its_neighbours_alone(bank: Bank) -> None:
    bank.block(arrival("0x7", "11", tx="odd"), arrival("5", "22", tx="plain"), arrived=12)
    assert (bank.balance(BOB), bank.balance(UNCLAIMED)) == (5, 7)


def test_a_deposit_row_is_never_changed(bank: Bank) -> None:
    bank.block(arrival("5", "11"))
    with pytest.raises(Exception, match="a deposit is written once"):
        bank.write("UPDATE processed_deposits SET account = 22")


def test_a_listed_denom_that_can_be_taken_back_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="take them back"):
        listed_denoms([Asset(Denom("factory/juno1x/gold"), "GOLD", 6)])


def test_unclaimed_money_cannot_be_refused_by_the_ledger(bank: Bank) -> None:
    """A deposit is never lost to a Refused: the sum of the books is what arrived."""
    try:
        bank.block(arrival("1", "\x00"), arrival("2", "'; DROP TABLE users", tx="T2"))
    except Refused:  # pragma: no cover - the failure that this test names
        pytest.fail("a deposit was refused")
    assert bank.balance(UNCLAIMED) == 3
