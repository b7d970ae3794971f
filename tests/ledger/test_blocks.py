"""A block is posted whole: books and chain agree after each settled one."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, UNCLAIMED
from ledger.blocks import ProvedState, WrongHeight, decide_opening
from ledger.deposits import Arrival
from ledger.errors import BrokenInvariant, LeaseLost, Refused
from ledger.freezes import Freeze, FreezeReason, decide_lift
from ledger.inclusions import Inclusion
from ledger.money import Denom
from ledger.reconciliation import ClaimsWanted
from ledger.roles import Actor
from ledger.spends import Spend
from tests.ledger.bank import ALICE, ATOM, CHAIN, FIRST_HEIGHT, JUNO, Bank, arrival, canonical


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    bank = Bank(tmp_path / "books.db")
    bank.open()
    return bank


def test_the_first_start_books_what_the_address_holds_to_the_treasury(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "books.db")
    bank.open(held=5_000)
    assert (bank.balance(BOT_TREASURY), bank.total()) == (5_000, 5_000)


def test_books_are_opened_once(bank: Bank) -> None:
    facts = bank.facts(FIRST_HEIGHT + 7)
    assert bank.decide(lambda view: decide_opening(view, bank.scanner, facts)) is False
    assert bank.cursor_height() == FIRST_HEIGHT


def test_books_do_not_open_on_an_unproved_balance(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "books.db")
    facts = bank.facts(FIRST_HEIGHT, proved=False)
    with pytest.raises(BrokenInvariant):
        bank.decide(lambda view: decide_opening(view, bank.scanner, facts))


def test_a_block_moves_the_cursor_onto_itself(bank: Bank) -> None:
    bank.block()
    assert bank.cursor_height() == FIRST_HEIGHT + 1


def test_a_block_posted_again_changes_nothing(bank: Bank) -> None:
    bank.chain[JUNO] = 5
    facts = bank.facts(FIRST_HEIGHT + 1, arrivals=(arrival("5", "11"),))
    assert bank.post(facts) is True
    assert bank.post(facts) is False
    assert bank.balance(ALICE) == 5


def test_a_block_ahead_of_the_next_is_not_posted(bank: Bank) -> None:
    with pytest.raises(WrongHeight):
        bank.post(bank.facts(FIRST_HEIGHT + 2))


def test_a_scanner_whose_lease_was_taken_posts_nothing(bank: Bank) -> None:
    bank.hold("scanner", token=2)
    with pytest.raises(LeaseLost):
        bank.block(arrival("5", "11"))
    assert bank.cursor_height() == FIRST_HEIGHT


@pytest.mark.parametrize("sql", ["UPDATE cursor SET height = 50", "DELETE FROM cursor"])
def test_the_cursor_never_goes_back(bank: Bank, sql: str) -> None:
    with pytest.raises(BrokenInvariant, match="cursor"):
        bank.write(sql)


def test_what_came_by_no_message_waits_as_one_row_of_unclaimed(bank: Bank) -> None:
    bank.block(arrived=900)
    (row,) = bank.read("SELECT height, denom, amount, remaining, reason FROM unclaimed")
    assert row == {
        "height": FIRST_HEIGHT + 1,
        "denom": JUNO,
        "amount": 900,
        "remaining": 900,
        "reason": "residue",
    }
    assert bank.balance(UNCLAIMED) == 900


def test_a_residue_keeps_what_nodes_claim_as_evidence(bank: Bank) -> None:
    bank.block(arrived=900, claims={"block_events": ["community pool"]})
    (row,) = bank.read("SELECT evidence FROM unclaimed")
    assert json.loads(row["evidence"])["unproved"] == {"block_events": ["community pool"]}


def test_a_difference_is_not_posted_before_nodes_were_asked_why(bank: Bank) -> None:
    bank.chain[JUNO] = 900
    with pytest.raises(ClaimsWanted):
        bank.post(bank.facts(FIRST_HEIGHT + 1, claims=None))
    assert bank.cursor_height() == FIRST_HEIGHT


def test_a_block_that_agrees_needs_no_claims(bank: Bank) -> None:
    assert bank.post(bank.facts(FIRST_HEIGHT + 1, claims=None))


def test_heights_without_state_join_the_next_settled_one(bank: Bank) -> None:
    bank.block(arrival("5", "11", tx="a"), arrived=12, proved=False)
    bank.block(proved=False)
    assert bank.balance(UNCLAIMED) == 0
    bank.block()
    assert (bank.balance(ALICE), bank.balance(UNCLAIMED)) == (5, 7)
    (row,) = bank.read("SELECT height FROM unclaimed")
    assert row["height"] == FIRST_HEIGHT + 3


def test_an_odd_amount_of_an_unsettled_height_is_evidence_of_the_next_settled_one(bank: Bank) -> None:
    bank.block(arrival("010", "11"), arrived=8, proved=False)
    bank.block()
    (row,) = bank.read("SELECT amount, evidence FROM unclaimed")
    assert row["amount"] == 8
    assert [each["amount"] for each in json.loads(row["evidence"])["odd_arrivals"]] == ["010"]


def test_a_shortfall_is_the_reserves_and_freezes_withdrawals(bank: Bank) -> None:
    bank.deposit(ALICE, 1_000)
    bank.block(arrived=-300)
    assert (bank.balance(ALICE), bank.balance(SYSTEM_RESERVE), bank.total()) == (1_000, -300, 700)
    assert bank.freezes() == ["shortfall"]
    assert bank.alerts() == ["reconciliation.shortfall"]


def test_a_shortfall_keeps_its_evidence(bank: Bank) -> None:
    bank.deposit(ALICE, 1_000)
    bank.block(arrived=-300, claims={"txs": ["something"]})
    (row,) = bank.read("SELECT about, denom, facts FROM evidence")
    assert (row["about"], row["denom"]) == ("shortfall", JUNO)
    assert "something" in row["facts"]


def test_a_second_shortfall_adds_no_second_freeze(bank: Bank) -> None:
    bank.deposit(ALICE, 1_000)
    bank.block(arrived=-300)
    bank.block(arrived=-300)
    assert bank.freezes() == ["shortfall"]
    assert bank.balance(SYSTEM_RESERVE) == -600


def test_a_shortfall_in_two_denoms_is_one_freeze(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "books.db", listed=[JUNO, ATOM])
    bank.open()
    bank.block(arrival("50", "11"), arrival("50", "11", denom=ATOM))
    bank.chain = {JUNO: 40, ATOM: 40}
    bank.block()
    assert bank.freezes() == ["shortfall"]
    assert (bank.balance(SYSTEM_RESERVE, JUNO), bank.balance(SYSTEM_RESERVE, ATOM)) == (-10, -10)


def test_a_shortfall_freeze_stays_while_the_reserve_owes(bank: Bank) -> None:
    bank.deposit(ALICE, 1_000)
    bank.block(arrived=-300)
    freeze = Freeze(FreezeReason.SHORTFALL, None)
    with pytest.raises(Refused, match="reserve_negative"):
        bank.decide(lambda view: decide_lift(view, Actor(ALICE, owner=True), freeze, "looked at it"))


def test_a_denom_listed_later_books_its_proved_balance_to_unclaimed(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "books.db")
    bank.open()
    bank.block(arrival("400", "11", denom=ATOM))
    bank.listed = frozenset({JUNO, ATOM})
    bank.write("INSERT INTO assets (denom, symbol, decimals) VALUES ('uatom', 'ATOM', 6)")
    bank.chain[ATOM] = 400
    bank.block()
    assert (bank.balance(UNCLAIMED, ATOM), bank.balance(ALICE, ATOM)) == (400, 0)


def test_balances_must_be_proved_for_every_listed_denom(bank: Bank) -> None:
    bank.listed = frozenset({JUNO, ATOM})
    bank.chain.pop(ATOM, None)
    facts = bank.facts(FIRST_HEIGHT + 1)
    bank.listed = frozenset({JUNO})
    with pytest.raises(BrokenInvariant, match="balances of"):
        bank.post(facts)


def test_a_balance_beyond_what_books_can_hold_stops_the_process(bank: Bank) -> None:
    with pytest.raises(BrokenInvariant):
        bank.block(arrived=2**62)


def test_a_sequence_that_moved_without_us_freezes_and_alerts(bank: Bank) -> None:
    bank.sequence = 1
    bank.block()
    assert bank.freezes() == ["stranger"]
    assert bank.alerts() == ["key.stranger"]


def test_a_stranger_is_reported_once_for_one_use(bank: Bank) -> None:
    bank.sequence = 1
    bank.block()
    bank.block()
    assert bank.alerts() == ["key.stranger"]


def test_a_listed_coin_spent_by_an_unknown_transaction_freezes(bank: Bank) -> None:
    bank.block(spends=[Spend(canonical("X"), canonical("X"), (JUNO,))])
    assert bank.freezes() == ["stranger"]


def test_a_factory_coin_forced_away_does_not_freeze(bank: Bank) -> None:
    bank.block(spends=[Spend(canonical("X"), canonical("X"), (Denom("factory/juno1x/gold"),))])
    assert bank.freezes() == []


def test_a_sequence_that_went_back_is_a_contradiction(bank: Bank) -> None:
    bank.sequence = 3
    bank.block()
    bank.sequence = 2
    bank.block()
    assert bank.freezes() == ["stranger", "contradiction"]


def test_other_peoples_transactions_are_not_ours(bank: Bank) -> None:
    bank.block(ours=[Inclusion(0, canonical("theirs"), canonical("theirs"), 0)])
    assert bank.read("SELECT * FROM inclusions") == []


def test_settled_balances_are_kept_with_their_height(bank: Bank) -> None:
    bank.block(arrival("5", "11"))
    bank.block(proved=False)
    (row,) = bank.read("SELECT chain_id, denom, height, balance FROM settled")
    assert row == {"chain_id": CHAIN, "denom": JUNO, "height": FIRST_HEIGHT + 1, "balance": 5}


def test_an_account_that_does_not_exist_yet_expects_sequence_zero(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "books.db")
    facts = bank.facts(FIRST_HEIGHT)
    absent = ProvedState(facts.state.balances if facts.state else {}, None)
    opening = bank.facts(FIRST_HEIGHT)
    object.__setattr__(opening, "state", absent)
    bank.decide(lambda view: decide_opening(view, bank.scanner, opening))
    bank.block()
    assert bank.freezes() == []


_DEPOSITS = st.builds(
    arrival,
    amount=st.one_of(st.integers(1, 10**6).map(str), st.sampled_from(["010", "0x7", "1_000", "+7"])),
    memo=st.sampled_from(["11", "22", "", "nobody", "4711", "topup", "donate"]),
    tx=st.integers(0, 30).map("tx{}".format),
    path=st.sampled_from(["0", "1", "0.0"]),
    denom=st.sampled_from([JUNO, JUNO, ATOM]),
)
_BLOCKS = st.lists(
    st.tuples(
        st.lists(_DEPOSITS, max_size=4),
        st.integers(-1_000, 10**6),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blocks=_BLOCKS)
def test_books_equal_the_chain_at_every_settled_height(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[tuple[list[Arrival], int, bool]]
) -> None:
    """Whatever arrives, spelled however, with whatever beside it: the sum of the books is the proved balance."""
    bank = Bank(tmp_path_factory.mktemp("books") / "books.db")
    bank.open(held=10_000)
    for arrivals, beside, proved in blocks:
        plain = sum(int(each.amount) for each in arrivals if each.denom == JUNO and each.amount.isdecimal())
        bank.block(*arrivals, arrived=max(plain + beside, -bank.chain[JUNO]), proved=proved)
        if proved:
            assert bank.total() == bank.chain[JUNO]
    credited = bank.read(
        "SELECT count(*) AS n FROM processed_deposits WHERE state IN ('credited', 'unclaimed')"
    )
    posted = bank.read("SELECT count(*) AS n FROM transactions WHERE kind = 'deposit'")
    assert credited == posted
