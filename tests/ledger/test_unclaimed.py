"""What waits in UNCLAIMED goes to whom an admin names, in parts that never exceed it, and the books say why."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounts import UNCLAIMED, AccountId
from ledger.adminaudit import MAX_REASON
from ledger.audit import audit
from ledger.bookaudit import book_problems
from ledger.drafts import Draft, digest_of
from ledger.errors import BrokenInvariant, Conflict, Refused
from ledger.money import Amount
from ledger.outbox import OPERATORS
from ledger.roles import Actor
from ledger.unclaimed import (
    KIND,
    Assigned,
    Assignment,
    Part,
    Unclaimed,
    _inputs,
    _recall,
    decide_assignment,
    find,
    of_transaction,
    page,
    post_parts,
    waiting,
)
from ledger.units import Decision, Entry, Unit, View
from tests.ledger.bank import ALICE, BOB, CAROL, JUNO, Bank, arrival, canonical

ADMIN = Actor(ALICE)
OWNER = Actor(CAROL, owner=True)
SENT = 9_000


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Books where Alice is an admin and 9,000 wait, sent without a memo."""
    return opened(tmp_path / "books.db")


def opened(path: Path) -> Bank:
    bank = Bank(path)
    bank.open()
    bank.write("UPDATE users SET role = 'admin' WHERE id = ?", ALICE)
    bank.block(arrival(str(SENT), tx="lost"))
    return bank


def row_of(bank: Bank, tx: str = "lost") -> Unclaimed:
    found: list[Unclaimed] = bank.decide(lambda view: Decision(of_transaction(view, canonical(tx))))
    return found[0]


def order(
    bank: Bank,
    amount: int | None = None,
    *,
    by: Actor = ADMIN,
    account: int = BOB,
    reason: str = "showed me the transfer",
    deposit: int | None = None,
    key: str = "k",
) -> Assigned:
    wanted = None if amount is None else Amount(amount)
    deposit = row_of(bank).id if deposit is None else deposit
    what = Assignment(deposit, AccountId(account), wanted, reason)
    told = {"who": "Bob", "by": "Alice"}
    outcome: Assigned = bank.decide(lambda view: decide_assignment(view, key, by, what, told))
    return outcome


def problems(bank: Bank, path: Path) -> list[str]:
    bank.writer.close()
    with closing(sqlite3.connect(path)) as connection:
        return [*audit(path).problems, *book_problems(connection)]


# What an assignment does


def test_all_that_waits_goes_to_whom_an_admin_names(bank: Bank, tmp_path: Path) -> None:
    assigned = order(bank)
    assert (assigned.account, assigned.amount, assigned.remaining) == (BOB, SENT, 0)
    assert (bank.balance(BOB), bank.balance(UNCLAIMED), row_of(bank).remaining) == (SENT, 0, 0)
    assert problems(bank, tmp_path / "books.db") == []


def test_a_part_leaves_the_rest_for_somebody_else(bank: Bank, tmp_path: Path) -> None:
    order(bank, 4_000, key="one")
    assert order(bank, 3_000, account=CAROL, key="two").remaining == 2_000
    assert (bank.balance(BOB), bank.balance(CAROL), bank.balance(UNCLAIMED)) == (4_000, 3_000, 2_000)
    assert problems(bank, tmp_path / "books.db") == []


def test_the_books_say_who_why_and_for_whom(bank: Bank) -> None:
    assigned = order(bank, 4_000)
    (row,) = bank.read("SELECT * FROM assignments")
    told = {name: row[name] for name in ("id", "unclaimed", "account", "amount", "how", "actor", "reason")}
    assert told == {
        "id": assigned.receipt,
        "unclaimed": row_of(bank).id,
        "account": BOB,
        "amount": 4_000,
        "how": "admin",
        "actor": ALICE,
        "reason": "showed me the transfer",
    }


def test_the_order_is_in_the_log_of_admins(bank: Bank) -> None:
    order(bank, 4_000)
    (line,) = bank.read("SELECT * FROM admin_audit")
    assert (line["action"], line["actor"], line["role"], line["target"]) == (
        "unclaimed.assigned",
        ALICE,
        "admin",
        BOB,
    )
    assert f'"remaining": {SENT}' in line["before"]
    assert '"remaining": 5000' in line["after"]


def test_the_person_and_the_operators_are_told(bank: Bank) -> None:
    order(bank, 4_000)
    (mine,) = bank.news("deposit.assigned")
    (theirs,) = bank.news("unclaimed.assigned")
    assert (mine["recipient"], theirs["recipient"]) == (BOB, OPERATORS)
    assert (mine["amount"], mine["by"], mine["reason"]) == (4_000, "Alice", "showed me the transfer")


def test_the_same_key_assigns_once_and_tells_it_again(bank: Bank) -> None:
    what = Assignment(row_of(bank).id, BOB, Amount(4_000), "a reason")

    def unit(digest: bytes) -> Unit[Assigned]:
        return Unit(lambda view: decide_assignment(view, "k", ADMIN, what, {}), "k", digest, recall=_recall)

    digest = digest_of(_inputs(ADMIN, what))
    first, again = bank.do(unit(digest)), bank.do(unit(digest))
    assert first == again
    assert bank.balance(BOB) == 4_000
    with pytest.raises(Conflict):
        bank.do(unit(b"other"))


# What is refused


@pytest.mark.parametrize(
    ("kept", "code"),
    [
        ({"by": Actor(BOB)}, "role_too_low"),
        ({"reason": "  "}, "reason_missing"),
        ({"reason": "x" * (MAX_REASON + 1)}, "reason_too_long"),
        ({"deposit": 1_000_000}, "unknown_deposit"),
        ({"deposit": -1}, "unknown_deposit"),
        ({"deposit": 2**70}, "unknown_deposit"),
        ({"amount": 0}, "not_positive"),
        ({"amount": -5}, "not_positive"),
        ({"amount": SENT + 1}, "assignment_too_large"),
        ({"account": -1}, "not_a_user"),
        ({"account": 99}, "unknown_account"),
        ({"account": ALICE}, "assignment_own"),
    ],
)
def test_what_cannot_be_assigned_moves_nothing(bank: Bank, kept: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        order(bank, **kept)
    assert refused.value.code == code
    assert (bank.balance(UNCLAIMED), bank.read("SELECT * FROM assignments")) == (SENT, [])


def test_an_owner_may_assign_to_themselves_because_nobody_else_may_be_there(bank: Bank) -> None:
    order(bank, by=OWNER, account=CAROL)
    assert bank.balance(CAROL) == SENT


def test_what_was_assigned_is_gone(bank: Bank) -> None:
    order(bank, key="one")
    with pytest.raises(Refused, match="deposit_taken"):
        order(bank, account=CAROL, key="two")


def test_two_admins_at_once_assign_it_once(bank: Bank) -> None:
    """Both units are decided in one batch of the writer."""
    deposit = row_of(bank).id

    def unit(key: str, account: AccountId) -> Unit[Assigned]:
        what = Assignment(deposit, account, None, "a reason")
        return Unit(lambda view: decide_assignment(view, key, OWNER, what, {}))

    units = [unit("one", ALICE), unit("two", BOB)]
    (_, first), (_, second) = bank.writer.commit(units)
    assert first is None
    assert isinstance(second, Refused)
    assert second.code == "deposit_taken"
    assert (bank.balance(ALICE), bank.balance(BOB)) == (SENT, 0)


# What the database itself refuses


def forced(bank: Bank, *parts: Part) -> None:
    """Post ``parts`` without asking whether they fit."""

    def decide(view: View) -> Decision[None]:
        draft = Draft(view)
        post_parts(draft, Entry("forced", b"", KIND, (), actor=ALICE), parts)
        return Decision(None, tuple(draft.entries), tuple(draft.rows))

    bank.decide(decide)


def test_parts_never_exceed_the_row_though_unclaimed_owns_more(bank: Bank) -> None:
    bank.block(arrival("50000", tx="other"))
    row = row_of(bank)
    with pytest.raises(BrokenInvariant, match="more leaves than was held"):
        forced(
            bank,
            Part(row, Amount(5_000), BOB, ALICE, "a reason"),
            Part(row, Amount(4_001), BOB, ALICE, "a reason"),
        )


def test_an_assignment_without_reason_cannot_be_written(bank: Bank) -> None:
    with pytest.raises(BrokenInvariant, match="CHECK"):
        forced(bank, Part(row_of(bank), Amount(5), BOB, ALICE, ""))


def test_a_signature_that_nobody_gave_moves_nothing(bank: Bank) -> None:
    with pytest.raises(BrokenInvariant, match="a signature gives its signer what they sent"):
        forced(bank, Part(row_of(bank), Amount(5), BOB, BOB, challenge="0" * 24))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE unclaimed SET remaining = remaining - 1", "what remains is what was assigned to nobody"),
        ("UPDATE assignments SET amount = 1", "append-only"),
        ("DELETE FROM assignments", "append-only"),
        (
            "INSERT INTO assignments VALUES (1, 1, 22, 5, 'admin', 11, 'mine', NULL, 0)",
            "an assignment is what was posted for it",
        ),
    ],
)
def test_the_books_of_unclaimed_cannot_be_bent(bank: Bank, sql: str, message: str) -> None:
    order(bank, 4_000)
    with pytest.raises(BrokenInvariant, match=message):
        bank.write(sql)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE unclaimed SET remaining = 0", "has another rest than its assignments leave"),
        ("UPDATE assignments SET amount = amount + 1", "is not what was posted for it"),
        ("UPDATE assignments SET account = 33", "is not what was posted for it"),
        ("DELETE FROM assignments", "left UNCLAIMED, and nobody said why"),
        (
            "UPDATE assignments SET how = 'signature', actor = account, reason = ''",
            "names a signature that its person did not give",
        ),
    ],
)
def test_the_audit_finds_what_was_bent_around_the_program(
    bank: Bank, tmp_path: Path, sql: str, problem: str
) -> None:
    order(bank, 4_000)
    bank.writer.close()
    with closing(sqlite3.connect(tmp_path / "books.db", isolation_level=None)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute("PRAGMA ignore_check_constraints = ON")
        file.execute(sql)
        assert any(problem in found for found in book_problems(file)), book_problems(file)


# What is listed


def test_what_waits_is_listed_newest_first_and_page_by_page(bank: Bank) -> None:
    bank.block(*(arrival("5", tx=f"T{number}", memo="who?") for number in range(5)))
    pages: list[list[int]] = []
    listed: list[int] = []
    before: int | None = None
    while found := bank.decide(lambda view, before=before: Decision(page(view, before, 4))):
        pages.append([each.id for each in found])
        listed += pages[-1]
        before = found[-1].id
    assert [len(each) for each in pages] == [4, 2]
    assert listed == sorted(listed, reverse=True)


def test_the_sum_of_what_waits_counts_down(bank: Bank) -> None:
    order(bank, 4_000)
    (sum_of_juno,) = bank.decide(lambda view: Decision(waiting(view)))
    assert tuple(sum_of_juno) == (JUNO, SENT - 4_000, 1)


def test_a_row_that_is_all_assigned_is_not_listed(bank: Bank) -> None:
    order(bank)
    assert bank.decide(lambda view: Decision((page(view, None, 5), waiting(view)))) == ([], [])


# Whatever the order of parts: the row is never exceeded, and nothing is lost


@settings(max_examples=30)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from([BOB, CAROL]), st.one_of(st.none(), st.integers(1, SENT))), max_size=8
    )
)
def test_parts_are_conserved(tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, Any]]) -> None:
    path = tmp_path_factory.mktemp("books") / "books.db"
    bank = opened(path)
    left = SENT
    owned = dict.fromkeys((BOB, CAROL), 0)
    deposit = row_of(bank).id
    for number, (account, amount) in enumerate(parts):
        part = left if amount is None else amount
        if left == 0 or part > left:
            with pytest.raises(Refused, match="assignment_too_large" if left else "deposit_taken"):
                order(bank, amount, account=account, key=f"k{number}")
        else:
            order(bank, amount, account=account, key=f"k{number}")
            left -= part
            owned[AccountId(account)] += part
        rest = bank.decide(lambda view: Decision(find(view, deposit).remaining))
        assert (rest, bank.balance(UNCLAIMED)) == (left, left)
        assert {account: bank.balance(account) for account in owned} == owned
    assert problems(bank, path) == []
