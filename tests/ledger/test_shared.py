"""Shared accounts: decisions on real books, and what the database itself refuses."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.accounts import AccountId
from ledger.audit import audit
from ledger.bookaudit import book_problems
from ledger.errors import BrokenInvariant, Conflict, Refused
from ledger.memberships import INVITATIONS_A_DAY, MOST_MEMBERS, decide_revoke
from ledger.shared import MAX_NAME, MOST_CREATED, MemberRole, folded_name
from ledger.transfers import MAX_NOTE
from ledger.units import Decision, Row, Unit
from tests.ledger.bank import ALICE, ATOM, BOB, CAROL, Bank
from tests.ledger.club import ADMIN, FIRST, SPEND, VIEW, Club, limits

DAY_MS = 86_400_000
STRANGER = 999


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice has 100,000."""
    bank = Bank(tmp_path / "books.db")
    bank.open()
    bank.deposit(ALICE, 100_000)
    return bank


@pytest.fixture
def club(bank: Bank) -> Club:
    """Alice has opened picnic, the first shared account, and put 50,000 in."""
    club = Club(bank)
    club.create()
    club.fill(50_000)
    return club


def refusal(act: Callable[[], Any]) -> Refused:
    """Return what ``act`` is refused with."""
    with pytest.raises(Refused) as caught:
        act()
    return caught.value


# The account


def test_numbers_are_given_in_order_and_never_again(club: Club) -> None:
    assert [club.create("b").id, club.create("c").id] == [-101, -102]
    club.close(account=AccountId(-102))
    assert club.create("c").id == -103


def test_when_the_last_number_is_used_there_is_none_left(bank: Bank) -> None:
    numbers = "WITH RECURSIVE numbers (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM numbers WHERE n < 999)"
    bank.write(f"INSERT INTO users {numbers} SELECT -n, 'shared', 'x', 0 FROM numbers")
    bank.write(
        f"INSERT INTO shared_accounts {numbers} SELECT -n, 'x', n || '', ?, 0, 'open', NULL, NULL FROM numbers",
        BOB,
    )
    assert refusal(lambda: Club(bank).create()).code == "shared_numbers_used_up"


def test_a_person_opens_so_many_and_no_more(bank: Bank) -> None:
    club = Club(bank)
    for number in range(MOST_CREATED):
        made = club.create(f"account {number}")
        club.close(account=made.id)
    assert refusal(lambda: club.create("another")).code == "shared_too_many_created"
    assert club.create("another", by=BOB).number == 100 + MOST_CREATED


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "shared_name_missing"),
        ("  ", "shared_name_missing"),
        ("x" * (MAX_NAME + 1), "shared_name_too_long"),
        ("100", "shared_name_reserved"),
        ("@bob", "shared_name_reserved"),
        ("#1", "shared_name_reserved"),
        ("100 days", "shared_name_reserved"),
        ("Shared:100", "shared_name_reserved"),
        ("\uff11\uff10\uff10", "shared_name_reserved"),
        ("/send", "shared_name_reserved"),
        ("New", "shared_name_reserved"),
        ("new york", "shared_name_reserved"),
        ("PICNIC", "shared_name_taken"),
        ("\uff50icnic", "shared_name_taken"),
    ],
)
def test_a_name_is_read_as_a_name(club: Club, name: str, code: str) -> None:
    other = club.create("other").id
    assert refusal(lambda: club.create(name)).code == code
    assert refusal(lambda: club.rename(name, account=other)).code == code


def test_an_account_may_be_called_as_it_was_spelled_otherwise(club: Club) -> None:
    assert club.rename("PICNIC").name == "PICNIC"


def test_a_renamed_account_is_so_in_the_registry(club: Club) -> None:
    club.rename("feast")
    assert club.bank.read("SELECT name FROM users WHERE id = -100") == [{"name": "feast"}]


def test_a_name_is_free_when_its_account_is_closed(club: Club) -> None:
    club.spend(None)
    club.close()
    assert club.create("picnic").id == -101


def test_names_are_the_same_however_they_are_written() -> None:
    assert folded_name("\uff23\uff21\uff26\u00c9") == folded_name("caf\u00e9") == folded_name("Cafe\u0301")


@pytest.mark.parametrize("act", ["rename", "close", "invite", "change", "revoke"])
def test_what_admins_do_others_do_not(club: Club, act: str) -> None:
    club.join(BOB, SPEND)
    acts: dict[str, Callable[[], Any]] = {
        "rename": lambda: club.rename("mine", by=BOB),
        "close": lambda: club.close(by=BOB),
        "invite": lambda: club.invite(CAROL, by=BOB),
        "change": lambda: club.change(BOB, ADMIN, by=BOB),
        "revoke": lambda: club.revoke(ALICE, by=BOB),
    }
    assert refusal(acts[act]).code == "shared_role_too_low"


@pytest.mark.parametrize("act", ["rename", "close", "invite", "leave", "fill", "spend"])
def test_who_has_no_part_is_told_the_same_as_of_none(club: Club, act: str) -> None:
    acts: dict[str, Callable[[AccountId], Any]] = {
        "rename": lambda account: club.rename("mine", by=BOB, account=account),
        "close": lambda account: club.close(by=BOB, account=account),
        "invite": lambda account: club.invite(CAROL, by=BOB, account=account),
        "leave": lambda account: club.leave(BOB, account=account),
        "fill": lambda account: club.fill(1, by=BOB, account=account),
        "spend": lambda account: club.spend(1, by=BOB, account=account),
    }
    there = refusal(lambda: acts[act](FIRST))
    nowhere = refusal(lambda: acts[act](AccountId(-500)))
    assert (there.code, nowhere.code) == ("shared_unknown", "shared_unknown")


def test_who_is_invited_has_no_part_yet(club: Club) -> None:
    club.invite(BOB, ADMIN)
    assert refusal(lambda: club.spend(1, by=BOB)).code == "shared_unknown"
    assert refusal(lambda: club.fill(1, by=BOB)).code == "shared_unknown"


# Closing


def test_an_account_with_coins_is_not_closed(club: Club) -> None:
    refused = refusal(club.close)
    assert (refused.code, refused.facts["left"]) == ("shared_not_empty", 50_000)


def test_a_closed_account_takes_and_does_nothing(club: Club) -> None:
    club.join(BOB, ADMIN)
    club.spend(None)
    club.close()
    acts: tuple[Callable[[], Any], ...] = (
        lambda: club.fill(1),
        lambda: club.spend(1),
        lambda: club.rename("other"),
        lambda: club.invite(CAROL),
        lambda: club.leave(BOB),
        club.close,
    )
    assert [refusal(act).code for act in acts] == ["shared_closed"] * len(acts)
    assert [each["recipient"] for each in club.bank.news("shared.closed")] == [BOB]


def test_a_closed_account_is_seen_by_who_was_in_it(club: Club) -> None:
    club.join(BOB, VIEW)
    club.invite(CAROL)
    club.spend(None)
    club.close()
    assert [share.account.is_open for share in club.shares(BOB)] == [False]
    assert club.shares(CAROL) == []


# People


def test_an_invitation_is_accepted_by_whom_it_is_for(club: Club) -> None:
    invited = club.invite(BOB)
    assert refusal(lambda: club.answer(invited.id, CAROL)).code == "shared_invitation_over"
    assert refusal(lambda: club.answer(10**6, CAROL)).code == "shared_invitation_over"
    assert club.answer(invited.id, BOB).membership.role is SPEND
    assert refusal(lambda: club.answer(invited.id, BOB)).code == "shared_invitation_over"
    assert [each["recipient"] for each in club.bank.news("shared.joined")] == [ALICE]


def test_an_invitation_that_was_taken_back_is_over(club: Club) -> None:
    invited = club.invite(BOB)
    club.revoke(BOB)
    assert refusal(lambda: club.answer(invited.id, BOB)).code == "shared_invitation_over"
    assert club.bank.news("shared.revoked") == []


@pytest.mark.parametrize(
    "lose",
    [
        lambda club: club.revoke(BOB),
        lambda club: club.leave(BOB),
        lambda club: club.change(BOB, SPEND),
    ],
)
def test_an_invitation_ends_with_the_right_of_whoever_sent_it(
    club: Club, lose: Callable[[Club], Any]
) -> None:
    club.join(BOB, ADMIN)
    invited = club.invite(CAROL, ADMIN, by=BOB)
    lose(club)
    assert refusal(lambda: club.answer(invited.id, CAROL)).code == "shared_invitation_over"
    assert club.invite(CAROL, VIEW).role is VIEW


def test_an_invitation_outlives_the_part_of_another_admin(club: Club) -> None:
    club.join(BOB, ADMIN)
    invited = club.invite(CAROL)
    club.revoke(BOB)
    assert club.answer(invited.id, CAROL).membership.is_member


def test_an_invitation_ends_with_its_account(club: Club) -> None:
    invited = club.invite(BOB)
    club.spend(None)
    club.close()
    assert refusal(lambda: club.answer(invited.id, BOB)).code == "shared_invitation_over"


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (ALICE, "shared_member_already"),
        (BOB, "shared_invited_already"),
        (STRANGER, "unknown_account"),
        (-1, "unknown_account"),
    ],
)
def test_not_everybody_can_be_invited(club: Club, person: int, code: str) -> None:
    club.invite(BOB)
    assert refusal(lambda: club.invite(AccountId(person))).code == code


def test_nobody_is_pestered(club: Club) -> None:
    for _ in range(INVITATIONS_A_DAY):
        club.answer(club.invite(BOB).id, accepted=False)
    assert refusal(lambda: club.invite(BOB)).code == "shared_invited_too_often"
    club.bank.clock.time += DAY_MS
    club.invite(BOB)


def test_a_clock_that_was_far_ahead_keeps_nobody_from_being_invited(club: Club) -> None:
    club.bank.clock.time += 300 * DAY_MS
    for _ in range(INVITATIONS_A_DAY):
        club.answer(club.invite(BOB).id, accepted=False)
    club.bank.clock.time -= 300 * DAY_MS
    club.invite(BOB)


def test_an_account_has_so_many_members_and_no_more(club: Club) -> None:
    for number in range(1_000, 1_000 + MOST_MEMBERS - 1):
        club.bank.write("INSERT INTO users VALUES (?, 'member', 'x', 0)", number)
        club.invite(AccountId(number))
    assert refusal(lambda: club.invite(BOB)).code == "shared_too_many_members"


def test_whoever_only_views_has_no_limits(club: Club) -> None:
    assert refusal(lambda: club.invite(BOB, VIEW, limits(5))).code == "shared_limits_for_view"
    club.join(BOB, VIEW)
    assert refusal(lambda: club.change(BOB, None, limits(5))).code == "shared_limits_for_view"


def test_the_last_admin_cannot_go(club: Club) -> None:
    club.join(BOB, SPEND)
    acts: tuple[Callable[[], Any], ...] = (
        lambda: club.leave(ALICE),
        lambda: club.revoke(ALICE),
        lambda: club.change(ALICE, SPEND),
    )
    assert [refusal(act).code for act in acts] == ["shared_last_admin"] * 3
    club.change(BOB, ADMIN)
    club.leave(ALICE)
    assert refusal(lambda: club.leave(BOB)).code == "shared_last_admin"


def test_an_admin_who_is_only_invited_does_not_count(club: Club) -> None:
    club.invite(BOB, ADMIN)
    assert refusal(lambda: club.leave(ALICE)).code == "shared_last_admin"


def test_a_change_of_limits_keeps_the_role_of_that_moment(club: Club) -> None:
    club.join(BOB, ADMIN)
    assert club.change(BOB, None, limits(5, 10)).membership.role is ADMIN
    assert club.change(BOB, SPEND, limits(5)).membership.limits == limits(5)
    told = club.bank.news("shared.changed")
    assert [(each["role"], each["per_transaction"], each["per_day"]) for each in told] == [
        ("admin", 5, 10),
        ("spend", 5, None),
    ]


def test_the_history_of_a_membership_is_kept(club: Club) -> None:
    club.join(BOB, SPEND, limits(5))
    club.change(BOB, VIEW)
    club.revoke(BOB)
    rows = club.bank.read(
        "SELECT noted.state, noted.role, noted.per_transaction, actor FROM shared_changes AS noted"
        " JOIN shared_members ON shared_members.id = membership WHERE person = ? ORDER BY noted.id",
        BOB,
    )
    assert [tuple(row.values()) for row in rows] == [
        ("invited", "spend", 5, ALICE),
        ("joined", "spend", 5, BOB),
        ("joined", "view", None, ALICE),
        ("revoked", "view", None, ALICE),
    ]


# Coins


def test_coins_go_in_and_out(club: Club) -> None:
    receipt = club.spend(20_000, to=BOB, note="ice")
    assert (receipt.amount, receipt.source_after) == (20_000, 30_000)
    assert (club.bank.balance(ALICE), club.bank.balance(FIRST), club.bank.balance(BOB)) == (
        50_000,
        30_000,
        20_000,
    )
    (told,) = club.bank.news("shared.received")
    assert (told["recipient"], told["name"], told["note"]) == (BOB, "picnic", "ice")


def test_all_is_what_there_is_when_it_moves(club: Club) -> None:
    assert club.fill(None).amount == 50_000
    assert club.spend(None).amount == 100_000
    assert refusal(lambda: club.fill(None)).code == "nothing_to_send"
    assert refusal(lambda: club.spend(None)).code == "shared_nothing"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"amount": 0}, "not_positive"),
        ({"amount": 2**62}, "amount_too_large"),
        ({"amount": 1, "note": "x" * (MAX_NOTE + 1)}, "note_too_long"),
        ({"amount": 1, "to": -1}, "not_a_user"),
        ({"amount": 1, "to": FIRST}, "not_a_user"),
        ({"amount": 1, "to": STRANGER}, "unknown_account"),
        ({"amount": 50_001}, "shared_insufficient"),
        ({"amount": 1, "denom": ATOM}, "shared_insufficient"),
    ],
)
def test_a_spend_is_refused(club: Club, asked: dict[str, Any], code: str) -> None:
    assert refusal(lambda: club.spend(**asked)).code == code
    assert club.bank.balance(FIRST) == 50_000


def test_more_than_one_has_does_not_go_in(club: Club) -> None:
    assert refusal(lambda: club.fill(50_001)).code == "insufficient_balance"
    assert refusal(lambda: club.fill(0)).code == "not_positive"


@pytest.mark.parametrize(("role", "code"), [(VIEW, "shared_role_too_low"), (SPEND, None), (ADMIN, None)])
def test_the_role_decides_who_spends(club: Club, role: MemberRole, code: str | None) -> None:
    club.join(BOB, role)
    if code is None:
        assert club.spend(1, by=BOB).amount == 1
    else:
        assert refusal(lambda: club.spend(1, by=BOB)).code == code


def test_the_same_key_spends_once(club: Club) -> None:
    first = club.spend(10, key="k")
    assert club.spend(10, key="k")._replace(replayed=False) == first
    assert club.bank.balance(FIRST) == 49_990
    with pytest.raises(Conflict):
        club.spend(11, key="k")


def test_limits_hold_at_once_and_over_a_day(club: Club) -> None:
    club.join(BOB, SPEND, limits(30, 50))
    assert refusal(lambda: club.spend(31, by=BOB)).code == "shared_over_transaction_limit"
    club.spend(30, by=BOB)
    refused = refusal(lambda: club.spend(21, by=BOB))
    assert (refused.code, refused.facts["left"]) == ("shared_over_day_limit", 20)
    club.spend(20, by=BOB)
    assert refusal(lambda: club.spend(1, by=BOB)).code == "shared_over_day_limit"


def test_a_day_is_24_hours_and_not_the_calendars(club: Club) -> None:
    club.join(BOB, SPEND, limits(day=50))
    club.spend(50, by=BOB)
    club.bank.clock.time += DAY_MS - 1
    assert refusal(lambda: club.spend(1, by=BOB)).code == "shared_over_day_limit"
    club.bank.clock.time += 1
    club.spend(50, by=BOB)


def test_whoever_comes_back_has_no_new_day(club: Club) -> None:
    club.join(BOB, SPEND, limits(day=50))
    club.spend(50, by=BOB)
    club.leave(BOB)
    club.join(BOB, SPEND, limits(day=50))
    assert refusal(lambda: club.spend(1, by=BOB)).code == "shared_over_day_limit"


def test_each_account_has_a_day_of_its_own(club: Club) -> None:
    other = club.create("other").id
    club.fill(100, account=other)
    for account in (FIRST, other):
        club.join(BOB, SPEND, limits(day=50), account=account)
        club.spend(50, by=BOB, account=account)


def test_who_has_limits_spends_that_coin_alone(club: Club) -> None:
    club.join(BOB, SPEND, limits(day=50))
    assert refusal(lambda: club.spend(1, by=BOB, denom=ATOM)).code == "shared_other_coin"


def test_an_admin_has_limits_only_when_they_are_set(club: Club) -> None:
    club.spend(40_000)
    club.change(ALICE, ADMIN, limits(5))
    assert refusal(lambda: club.spend(6)).code == "shared_over_transaction_limit"


def test_of_many_spends_at_once_only_those_that_fit_are_done(club: Club) -> None:
    club.join(BOB, SPEND, limits(day=50))
    answers = club.bank.writer.commit([club.spending(7, by=BOB) for _ in range(20)])
    codes = [error.code if isinstance(error, Refused) else None for _, error in answers]
    assert codes == [None] * 7 + ["shared_over_day_limit"] * 13
    assert club.bank.balance(FIRST) == 50_000 - 49


def test_who_is_revoked_in_the_same_moment_spends_nothing(club: Club) -> None:
    club.join(BOB, SPEND)
    revoking = Unit(lambda view: decide_revoke(view, ALICE, FIRST, BOB, {}))
    before, _, after = club.bank.writer.commit(
        [
            club.spending(10, by=BOB),
            revoking,
            club.spending(10, by=BOB),
        ]
    )
    assert before[1] is None
    assert isinstance(after[1], Refused)
    assert after[1].code == "shared_unknown"


def test_the_other_admins_hear_of_much_of_what_was_there(club: Club) -> None:
    club.join(BOB, ADMIN)
    club.join(CAROL, SPEND)
    club.spend(4_999, to=CAROL)
    assert club.bank.news("shared.spent") == []
    club.spend(5_000, to=CAROL)
    assert [each["recipient"] for each in club.bank.news("shared.spent")] == [BOB]


# What the database refuses whatever the program does


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO shared_accounts VALUES (-103, 'x', 'x', 11, 0, 'open', NULL, NULL)",
        "INSERT OR REPLACE INTO shared_accounts VALUES (-100, 'x', 'x', 22, 0, 'open', NULL, NULL)",
        "UPDATE shared_accounts SET state = 'closed', closed_by = 11, closed_at = 0",
        "UPDATE shared_accounts SET created_by = 22",
        "DELETE FROM shared_accounts",
        "UPDATE shared_members SET state = 'left', changed_by = person WHERE person = 11",
        "UPDATE shared_members SET role = 'spend' WHERE person = 11",
        "UPDATE shared_members SET role = 'king' WHERE person = 22",
        "UPDATE shared_members SET person = 33 WHERE person = 22",
        "UPDATE shared_members SET state = 'joined' WHERE person = 33",
        "UPDATE shared_members SET role = 'admin' WHERE person = 33",
        "UPDATE shared_members SET limit_denom = 'ujuno' WHERE person = 22",
        "DELETE FROM shared_members",
        "INSERT INTO shared_members VALUES (9, -100, 22, 'view', NULL, NULL, NULL, 11, 0, 'invited', 11, 0)",
        "INSERT INTO shared_members VALUES (9, -100, 44, 'admin', NULL, NULL, NULL, 44, 0, 'joined', 44, 0)",
        "UPDATE shared_changes SET role = 'admin'",
        "DELETE FROM shared_changes",
        "INSERT INTO shared_spends VALUES (1, -100, 22, 'ujuno', 1, 0)",
        "UPDATE shared_spends SET at = 0",
        "DELETE FROM shared_spends",
    ],
)
def test_the_database_keeps_the_rules(club: Club, sql: str) -> None:
    """Alice is the admin, Bob spends and has spent, Carol is invited."""
    club.bank.write("INSERT INTO users VALUES (44, 'member', 'someone', 0)")
    club.join(BOB, SPEND)
    club.spend(5, by=BOB)
    club.invite(CAROL)
    with pytest.raises(BrokenInvariant):
        club.bank.decide(lambda _: Decision(None, rows=(Row(sql),)))


def test_a_viewer_spends_nothing_whatever_the_program_believes(club: Club) -> None:
    club.join(BOB, SPEND)
    unit = club.spending(5, by=BOB)
    demotion = Row("UPDATE shared_members SET role = 'view' WHERE person = 22")

    def decide(view: Any) -> Any:
        decision = unit.decide(view)
        return decision._replace(rows=(demotion, *decision.rows))

    with pytest.raises(BrokenInvariant):
        club.bank.do(unit._replace(decide=decide))


def test_a_closed_account_takes_no_coins_whatever_the_program_believes(club: Club) -> None:
    club.spend(None)
    unit = club.filling(5)
    decision = club.bank.decide(lambda view: Decision(unit.decide(view)))
    club.close()
    with pytest.raises(BrokenInvariant):
        club.bank.do(Unit(lambda _: decision._replace(outcome=None)))


# The audit


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE users SET name = 'other' WHERE id = -100", "is not registered under its name"),
        ("INSERT INTO users VALUES (-200, 'shared', 'x', 0)", "registered as shared"),
        ("UPDATE shared_members SET state = 'revoked' WHERE person = 11", "has no admin"),
        ("UPDATE shared_members SET state = 'joined' WHERE account = -101", "part in the closed shared"),
        (
            "UPDATE shared_accounts SET state = 'closed', closed_by = 11, closed_at = 0 WHERE id = -100",
            "the closed shared account -100 owns something",
        ),
        ("UPDATE shared_members SET per_day = 900 WHERE person = 22", "is not what was noted last"),
        ("UPDATE shared_spends SET amount = 1", "is not what was posted for it"),
        ("UPDATE shared_spends SET person = 11", "is not what was posted for it"),
        ("DELETE FROM shared_spends", "nobody spent it"),
    ],
)
def test_what_the_log_does_not_bear_out_is_found(club: Club, tmp_path: Path, sql: str, problem: str) -> None:
    club.join(BOB, SPEND, limits(day=50))
    club.spend(5, by=BOB)
    club.close(account=club.create("short").id)
    club.bank.writer.close()
    assert audit(tmp_path / "books.db").problems == ()
    with closing(sqlite3.connect(tmp_path / "books.db", isolation_level=None)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute(sql)
        assert any(problem in found for found in book_problems(file)), book_problems(file)
