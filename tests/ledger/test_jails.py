"""Jails: until when, at what bail, and that each ends once, however it ends."""

from pathlib import Path
from typing import Any

import pytest

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.errors import Conflict, Refused
from ledger.fines import Price
from ledger.jails import (
    LONGEST_MS,
    MINUTE_MS,
    BailTerms,
    Jail,
    bail_unit,
    decide_bail,
    decide_end,
    decide_jail,
    decide_release,
    due_jails,
    jail_of,
    moved_rows,
    serving_anywhere,
    serving_in,
)
from ledger.money import Amount
from ledger.roles import Actor
from ledger.units import Decision
from ledger.violations import Case
from tests.ledger.bank import ALICE, BOB, JUNO, Bank
from tests.ledger.court import (
    CHAT,
    ELSEWHERE,
    HELD,
    HOUR_MS,
    OWNERS,
    SUPERGROUP,
    a_bank,
    case,
    end,
    free,
    jail,
    jailed_now,
    live,
    price,
    refusal,
    seen,
    state_of,
)


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice and Bob own 10,000 each; Carol is an admin."""
    return a_bank(tmp_path)


@pytest.mark.parametrize(
    ("duration", "code"),
    [
        (MINUTE_MS - 1, "duration_too_short"),
        (LONGEST_MS + 1, "duration_too_long"),
        (-5, "duration_too_short"),
    ],
)
def test_a_jail_has_limits(bank: Bank, duration: int, code: str) -> None:
    assert refusal(bank, lambda view: decide_jail(view, case(), duration, price(5), OWNERS)).code == code


@pytest.mark.parametrize(
    ("duration", "bail"),
    [(MINUTE_MS, 1_000), (100 * MINUTE_MS, 1_000), (101 * MINUTE_MS, 1_010), (101 * MINUTE_MS + 1, 1_020)],
)
def test_bail_is_a_price_for_each_started_minute_and_a_minimum_at_least(duration: int, bail: int) -> None:
    terms = BailTerms(JUNO, Amount(1_000), Amount(10))
    assert terms.bail(duration) == Price(Amount(bail), JUNO)


def test_a_jailed_person_is_in_jail_there_and_then_only(bank: Bank) -> None:
    jailed = jail(bank)
    assert (jailed.until_at - jailed.from_at, jailed.bail, jailed.state) == (HOUR_MS, 700, "serving")
    assert jailed_now(bank)
    assert not jailed_now(bank, BOB)
    assert not jailed_now(bank, chat=ELSEWHERE)
    bank.clock.time += HOUR_MS
    assert not jailed_now(bank), "the clock frees, whether or not somebody wrote it down"


@pytest.mark.parametrize("payer", [ALICE, BOB])
def test_bail_moves_the_payers_coins_and_frees_in_one_unit(bank: Bank, payer: AccountId) -> None:
    freed = free(bank, "k", jail(bank).id, payer)
    assert (freed.state, freed.ended_by) == ("bailed", payer)
    assert (bank.balance(payer), bank.balance(BOT_TREASURY)) == (HELD - 700, 700)
    assert not jailed_now(bank)


def test_whoever_was_freed_by_a_friend_is_told(bank: Bank) -> None:
    number = jail(bank).id
    bank.do(bail_unit("k", BOB, number, {"by": "Bob"}))
    (told,) = bank.news("person.freed")
    assert (told["recipient"], told["by"], told["state"], told["bail"]) == (ALICE, "Bob", "bailed", 700)


def test_whoever_paid_for_themselves_has_the_answer_already(bank: Bank) -> None:
    free(bank, "k", jail(bank).id)
    assert bank.news("person.freed") == []


def test_of_two_friends_at_once_one_is_charged(bank: Bank) -> None:
    bank.write("INSERT INTO users VALUES (44, 'member', 'Dan', 0)")
    bank.deposit(44, HELD)
    number = jail(bank).id
    outcomes = bank.writer.commit(
        [
            bail_unit("k1", BOB, number, {}),
            bail_unit("k2", AccountId(44), number, {}),
        ]
    )
    assert [type(error) for _, error in outcomes] == [type(None), Refused]
    assert str(outcomes[1][1]).startswith("jail_ended")
    assert (bank.balance(BOB), bank.balance(44), bank.balance(BOT_TREASURY)) == (HELD - 700, HELD, 700)


def test_one_press_that_comes_twice_is_one_bail(bank: Bank) -> None:
    number = jail(bank).id
    assert free(bank, "k", number, BOB) == free(bank, "k", number, BOB)
    assert bank.balance(BOB) == HELD - 700
    with pytest.raises(Conflict):
        free(bank, "k", number, ALICE)


@pytest.mark.parametrize("late", [0, 1, HOUR_MS])
def test_bail_after_the_end_is_refused_before_anybody_is_charged(bank: Bank, late: int) -> None:
    number = jail(bank).id
    bank.clock.time += HOUR_MS + late
    with pytest.raises(Refused, match="jail_over"):
        free(bank, "k", number)
    end(bank, number)
    with pytest.raises(Refused, match="jail_ended"):
        free(bank, "k", number)
    assert bank.balance(ALICE) == HELD


def test_bail_to_the_last_millisecond(bank: Bank) -> None:
    number = jail(bank).id
    bank.clock.time += HOUR_MS - 1
    assert free(bank, "k", number).state == "bailed"


@pytest.mark.parametrize(("number", "code"), [(1, "insufficient_balance"), (2, "jail_unknown")])
def test_bail_refuses(bank: Bank, number: int, code: str) -> None:
    jail(bank, bail=HELD + 1)
    assert refusal(bank, lambda view: decide_bail(view, "k", ALICE, number, {})).code == code
    assert jailed_now(bank)


@pytest.mark.parametrize("second", [MINUTE_MS, HOUR_MS])
def test_a_jail_never_shortens_a_longer_one(bank: Bank, second: int) -> None:
    first = jail(bank)
    assert (
        refusal(bank, lambda view: decide_jail(view, case(), second, price(1), OWNERS)).code == "jail_stands"
    )
    assert seen(bank, lambda view: jail_of(view, CHAT, ALICE)) == first


def test_a_longer_jail_takes_its_place_with_its_own_bail(bank: Bank) -> None:
    first, second = jail(bank), jail(bank, 2 * HOUR_MS, 900)
    assert state_of(bank, first.id) == "superseded"
    with pytest.raises(Refused, match="jail_ended"):
        free(bank, "k", first.id)
    free(bank, "k", second.id)
    assert bank.balance(ALICE) == HELD - 900
    assert not jailed_now(bank)


def test_each_chat_has_its_own_jail(bank: Bank) -> None:
    here, there = jail(bank), jail(bank, of=case(chat=ELSEWHERE))
    assert [each.id for each in seen(bank, lambda view: serving_anywhere(view, ALICE))] == [here.id, there.id]
    free(bank, "k", here.id)
    assert jailed_now(bank, chat=ELSEWHERE)
    assert seen(bank, lambda view: serving_in(view, CHAT)) == []


def test_an_admin_lets_go(bank: Bank) -> None:
    number = jail(bank).id
    bank.decide(lambda view: decide_release(view, case(reason="sorry")))
    assert (state_of(bank, number), bank.balance(ALICE), jailed_now(bank)) == ("released", HELD, False)
    assert bank.read("SELECT action, reason FROM admin_audit ORDER BY id DESC LIMIT 1") == [
        {"action": "person.released", "reason": "sorry"}
    ]


@pytest.mark.parametrize(
    ("of", "code"),
    [
        (case(by=Actor(BOB)), "role_too_low"),
        (case(BOB), "jail_none"),
        (case(chat=ELSEWHERE), "jail_none"),
        (case(reason=""), "reason_missing"),
    ],
)
def test_letting_go_refuses(bank: Bank, of: Case, code: str) -> None:
    jail(bank)
    assert refusal(bank, lambda view: decide_release(view, of)).code == code


def test_the_clock_ends_a_jail_when_its_time_has_come_and_no_sooner(bank: Bank) -> None:
    number = jail(bank).id
    bank.clock.time += HOUR_MS - 1
    assert seen(bank, lambda view: due_jails(view, view.now, 10)) == []
    assert refusal(bank, lambda view: decide_end(view, number)).code == "jail_not_over"
    bank.clock.time += 1
    assert seen(bank, lambda view: due_jails(view, view.now, 10)) == [number]
    assert end(bank, number).state == "served"
    assert refusal(bank, lambda view: decide_end(view, number)).code == "jail_ended"
    assert bank.news("person.freed")[0]["state"] == "served"


@pytest.mark.parametrize("how", ["bail", "release", "end"])
def test_rights_and_notice_follow_each_end(bank: Bank, how: str) -> None:
    number = jail(bank).id
    bank.write("UPDATE outbox SET state = 'sent' WHERE subject IS NOT NULL")
    if how == "bail":
        free(bank, "k", number)
    elif how == "release":
        bank.decide(lambda view: decide_release(view, case()))
    else:
        bank.clock.time += HOUR_MS
        end(bank, number)
    assert live(bank, "rights.due") == {f"rights:{CHAT}:{ALICE}": {"chat": CHAT, "person": ALICE}}
    assert live(bank, "jail.changed") == {f"jail:{number}": {"jail": number}}


def test_rights_that_wait_for_their_next_try_are_tried_at_once_when_the_books_change(bank: Bank) -> None:
    number = jail(bank).id
    bank.write("UPDATE outbox SET due_at = due_at + 300000, attempts = 9 WHERE event = 'rights.due'")
    free(bank, "k", number)
    rows = bank.read("SELECT due_at, attempts FROM outbox WHERE event = 'rights.due'")
    assert rows == [{"due_at": bank.clock.time, "attempts": 0}]


# A group that becomes a supergroup


def migrate_group(bank: Bank) -> list[Jail]:
    bank.write(
        "INSERT INTO chats (id, kind, migrated_to, seen_at) VALUES (?, 'group', ?, 0)", CHAT, SUPERGROUP
    )

    def move(view: Any) -> Decision[list[Jail]]:
        moved, rows = moved_rows(view, CHAT, SUPERGROUP)
        return Decision(moved, rows=tuple(rows))

    moved: list[Jail] = bank.decide(move)
    return moved


def test_whoever_serves_moves_with_the_group(bank: Bank) -> None:
    jailed = jail(bank)
    assert migrate_group(bank) == [jailed._replace(chat=SUPERGROUP)]
    assert jailed_now(bank, chat=SUPERGROUP)
    assert not jailed_now(bank)
    assert list(live(bank, "rights.due")) == [f"rights:{SUPERGROUP}:{ALICE}"]


@pytest.mark.parametrize(("there_ms", "stands"), [(2 * HOUR_MS, 2), (MINUTE_MS, 1)])
def test_of_two_jails_that_meet_the_longer_stands(bank: Bank, there_ms: int, stands: int) -> None:
    jail(bank)
    jail(bank, there_ms, of=case(chat=SUPERGROUP))
    migrate_group(bank)
    assert [each.id for each in seen(bank, lambda view: serving_in(view, SUPERGROUP))] == [stands]
    assert state_of(bank, 3 - stands) == "superseded"


def test_a_jail_that_ends_by_the_move_is_shown_as_it_is(bank: Bank) -> None:
    """Else its notice goes on offering to free whoever serves the longer one."""
    jail(bank)
    there = jail(bank, MINUTE_MS, of=case(chat=SUPERGROUP)).id
    migrate_group(bank)
    assert live(bank, "jail.changed") == {f"jail:{there}": {"jail": there}}


def test_an_order_that_met_the_move_jails_where_the_group_is_now(bank: Bank) -> None:
    migrate_group(bank)
    assert jail(bank).chat == SUPERGROUP
    assert jailed_now(bank, chat=SUPERGROUP)


def test_an_order_that_met_the_move_frees_where_the_group_is_now(bank: Bank) -> None:
    jail(bank)
    migrate_group(bank)
    assert bank.decide(lambda view: decide_release(view, case())).state == "released"
    assert not jailed_now(bank, chat=SUPERGROUP)
