"""A sender proves what they sent, once, for themselves; whose turn it is the writer decides."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.accounts import UNCLAIMED, AccountId
from ledger.audit import audit
from ledger.bookaudit import book_problems
from ledger.challenges import (
    LIFE_MS,
    SHOWN_AGAIN_MS,
    Challenge,
    Claim,
    Claimed,
    Question,
    decide_challenge,
    decide_claim,
    document_of,
)
from ledger.errors import BrokenInvariant, Refused
from ledger.money import Amount
from ledger.outbox import OPERATORS
from ledger.roles import Actor
from ledger.unclaimed import MOST_OF_ONE_TRANSACTION, Assignment, Part, Unclaimed, decide_assignment, find
from ledger.units import Decision, Unit
from tests.ledger.bank import ALICE, ATOM, BOB, CHAIN, JUNO, Bank, arrival
from tests.ledger.test_unclaimed import forced

SENDER = "juno1friend"
BOT = 777
PROOF = '{"signature": "as the chain layer read it"}'


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Books where two outputs of one transaction wait, 9,000 together, and 500 of another one."""
    bank = Bank(tmp_path / "books.db", [JUNO, ATOM])
    bank.open()
    bank.block(arrival("4000", tx="lost"), arrival("5000", tx="lost", output=1))
    bank.block(arrival("500", tx="other"))
    return bank


def deposit_of(bank: Bank, amount: int = 4_000) -> int:
    number: int = bank.read("SELECT id FROM unclaimed WHERE amount = ?", amount)[0]["id"]
    return number


def ask(
    bank: Bank, account: AccountId = ALICE, nonce: str = "a" * 24, deposit: int | None = None
) -> Challenge:
    question = Question(account, deposit or deposit_of(bank), SENDER, BOT, nonce)
    challenge: Challenge = bank.decide(lambda view: decide_challenge(view, question))
    return challenge


def claim(bank: Bank, challenge: Challenge, account: AccountId = ALICE, key: str = "c") -> Claimed:
    answer = Claim(account, challenge.nonce, PROOF)
    outcome: Claimed = bank.decide(lambda view: decide_claim(view, key, answer, {"who": "Alice"}))
    return outcome


def code_of(bank: Bank, challenge: Challenge, account: AccountId = ALICE, key: str = "again") -> str:
    with pytest.raises(Refused) as refused:
        claim(bank, challenge, account, key)
    return refused.value.code


def clean(bank: Bank, path: Path) -> bool:
    bank.writer.close()
    with closing(sqlite3.connect(path)) as connection:
        return [*audit(path).problems, *book_problems(connection)] == []


# The text


def test_the_text_names_all_that_it_is_good_for() -> None:
    question = Question(ALICE, 12, SENDER, BOT, "0123456789abcdef01234567")
    assert document_of(question, CHAIN, 1_700_000_000_000) == (
        "Moneta: deposit 12 goes to Telegram account 11. Bot 777, chain testing-1, address juno1friend, "
        "nonce 0123456789abcdef01234567, until 2023-11-14T22:13:20Z."
    )


def test_the_longest_text_of_a_real_chain_fits_a_copy_button() -> None:
    question = Question(AccountId(2**53), 10**9, f"juno1{'q' * 38}", 10**10, "f" * 24)
    assert len(document_of(question, "juno-1", 1_700_000_000_000)) <= 256


def test_a_text_is_kept_as_it_was_shown(bank: Bank) -> None:
    challenge = ask(bank)
    (row,) = bank.read("SELECT * FROM wallet_challenges")
    assert (row["document"], row["purpose"], row["used_at"]) == (challenge.document, "deposit", None)
    assert challenge.expires_at - challenge.created_at == LIFE_MS


def test_asking_again_shows_the_same_text_while_it_is_good_for_a_while(bank: Bank) -> None:
    first = ask(bank)
    bank.clock.time += SHOWN_AGAIN_MS
    assert ask(bank, nonce="b" * 24) == first
    bank.clock.time += 1
    assert ask(bank, nonce="c" * 24).nonce == "c" * 24


def test_a_text_from_before_the_clock_was_set_back_is_not_shown_again(bank: Bank) -> None:
    """It cannot be answered before the clock has caught up: whoever asks anew needs one that can."""
    first = ask(bank)
    bank.clock.time -= 24 * 3_600_000
    second = ask(bank, nonce="b" * 24, deposit=first.deposit)
    assert second.nonce != first.nonce
    assert claim(bank, second).deposit == first.deposit


def test_two_people_get_two_texts(bank: Bank) -> None:
    assert ask(bank).document != ask(bank, BOB, "b" * 24).document


@pytest.mark.parametrize(
    ("account", "deposit", "code"), [(ALICE, 10_000, "unknown_deposit"), (99, None, "unknown_account")]
)
def test_what_cannot_be_asked(bank: Bank, account: int, deposit: int | None, code: str) -> None:
    with pytest.raises(Refused, match=code):
        ask(bank, AccountId(account), deposit=deposit)


def test_nothing_is_asked_for_what_is_gone(bank: Bank) -> None:
    claim(bank, ask(bank))
    with pytest.raises(Refused, match="deposit_taken"):
        ask(bank, BOB, "b" * 24)


# The claim


def test_a_claim_takes_all_that_its_transaction_brought(bank: Bank, tmp_path: Path) -> None:
    challenge = ask(bank)
    claimed = claim(bank, challenge)
    assert (claimed.sums, claimed.more) == (((JUNO, 9_000),), False)
    assert (bank.balance(ALICE), bank.balance(UNCLAIMED)) == (9_000, 500)
    rows = bank.read("SELECT how, actor, account, challenge FROM assignments")
    assert {tuple(row.values()) for row in rows} == {("signature", ALICE, ALICE, challenge.nonce)}
    (kept,) = bank.read("SELECT used_at, proof FROM wallet_challenges")
    assert kept == {"used_at": bank.clock.time, "proof": PROOF}
    assert clean(bank, tmp_path / "books.db")


def test_the_operators_are_told(bank: Bank) -> None:
    claim(bank, ask(bank))
    (told,) = bank.news("unclaimed.claimed")
    assert (told["recipient"], told["who"], told["address"]) == (OPERATORS, "Alice", SENDER)
    assert told["sums"] == [{"denom": JUNO, "amount": 9_000}]


def test_what_an_admin_gave_away_before_is_not_claimed(bank: Bank) -> None:
    what = Assignment(deposit_of(bank), BOB, None, "his")
    challenge = ask(bank)
    bank.decide(lambda view: decide_assignment(view, "k", Actor(BOB, owner=True), what, {}))
    claim(bank, challenge)
    assert (bank.balance(ALICE), bank.balance(BOB)) == (5_000, 4_000)


def test_only_the_same_address_and_transaction_are_taken(bank: Bank) -> None:
    bank.block(
        arrival("70", tx="mixed"),
        arrival("80", tx="mixed", path="1", sender="juno1other"),
        arrival("90", tx="mixed", output=1, denom=ATOM),
    )
    claimed = claim(bank, ask(bank, deposit=deposit_of(bank, 70)))
    assert claimed.sums == ((ATOM, 90), (JUNO, 70))


def test_a_transaction_of_very_many_outputs_is_taken_in_parts(bank: Bank, tmp_path: Path) -> None:
    outputs = [arrival("1", tx="many", output=number) for number in range(MOST_OF_ONE_TRANSACTION + 3)]
    bank.block(*outputs)
    deposit = deposit_of(bank, 1)
    first = claim(bank, ask(bank, deposit=deposit), key="one")
    rest = claim(bank, ask(bank, nonce="b" * 24, deposit=deposit), key="two")
    assert (first.sums[0].amount, first.more) == (MOST_OF_ONE_TRANSACTION, True)
    assert (rest.sums[0].amount, rest.more) == (3, False)
    assert clean(bank, tmp_path / "books.db")


# What is refused


def test_a_replayed_signature_brings_nothing(bank: Bank) -> None:
    challenge = ask(bank)
    claim(bank, challenge)
    bank.block(arrival("600", tx="lost", output=2))
    assert code_of(bank, challenge) == "challenge_used"
    assert bank.balance(ALICE) == 9_000


def test_anothers_challenge_is_nobodys_to_answer(bank: Bank) -> None:
    challenge = ask(bank)
    assert code_of(bank, challenge, BOB) == "challenge_missing"
    claim(bank, challenge)
    assert code_of(bank, challenge, BOB) == "challenge_missing"


def test_a_challenge_that_nobody_made_is_refused(bank: Bank) -> None:
    assert code_of(bank, ask(bank)._replace(nonce="f" * 24)) == "challenge_missing"


@pytest.mark.parametrize(
    "passed", [LIFE_MS, LIFE_MS + 1, -1], ids=["at its end", "after it", "clock set back"]
)
def test_a_text_is_good_for_its_time_alone(bank: Bank, passed: int) -> None:
    challenge = ask(bank)
    bank.clock.time += passed
    assert code_of(bank, challenge) == "challenge_expired"


def test_the_last_millisecond_counts(bank: Bank) -> None:
    challenge = ask(bank)
    bank.clock.time += LIFE_MS - 1
    assert claim(bank, challenge).sums == ((JUNO, 9_000),)


def test_of_two_who_hold_the_key_one_gets_it(bank: Bank) -> None:
    """Both units are decided in one batch of the writer."""
    mine, theirs = ask(bank), ask(bank, BOB, "b" * 24)

    def unit(key: str, account: AccountId, challenge: Challenge) -> Unit[Claimed]:
        return Unit(lambda view: decide_claim(view, key, Claim(account, challenge.nonce, PROOF), {}))

    (_, first), (_, second) = bank.writer.commit([unit("one", ALICE, mine), unit("two", BOB, theirs)])
    assert first is None
    assert isinstance(second, Refused)
    assert second.code == "deposit_taken"
    assert (bank.balance(ALICE), bank.balance(BOB), bank.balance(UNCLAIMED)) == (9_000, 0, 500)
    assert bank.read("SELECT account FROM wallet_challenges WHERE used_at IS NULL") == [{"account": BOB}]


# What the database itself refuses


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE wallet_challenges SET account = 22", "stays what was shown"),
        ("UPDATE wallet_challenges SET expires_at = expires_at + 1", "stays what was shown"),
        ("UPDATE wallet_challenges SET used_at = NULL, proof = NULL", "stays what was shown"),
        ("DELETE FROM wallet_challenges", "never deleted"),
    ],
)
def test_what_was_proved_stays_proved(bank: Bank, sql: str, message: str) -> None:
    claim(bank, ask(bank))
    with pytest.raises(BrokenInvariant, match=message):
        bank.write(sql)


def test_a_used_challenge_pays_nobody_though_a_book_forgot_to_look(bank: Bank) -> None:
    challenge = ask(bank)
    claim(bank, challenge)
    bank.block(arrival("600", tx="lost", output=2))
    bank.clock.time += 1
    part = Part(row_of(bank, deposit_of(bank, 600)), Amount(600), ALICE, ALICE, challenge=challenge.nonce)
    with pytest.raises(BrokenInvariant, match="a signature gives its signer what they sent"):
        forced(bank, part)


def test_a_signature_pays_nobody_but_its_person_and_nothing_but_their_deposit(bank: Bank) -> None:
    challenge = ask(bank)
    claim(bank, challenge)
    theirs = Part(row_of(bank, deposit_of(bank, 500)), Amount(5), ALICE, ALICE, challenge=challenge.nonce)
    for part in (theirs, theirs._replace(account=BOB, actor=BOB)):
        with pytest.raises(BrokenInvariant, match="a signature gives its signer what they sent"):
            forced(bank, part)


def row_of(bank: Bank, deposit: int) -> Unclaimed:
    row: Unclaimed = bank.decide(lambda view: Decision(find(view, deposit)))
    return row
