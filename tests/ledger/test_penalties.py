"""What holds of penalties whatever a book does: the rules of the database, and any order of acts against a model."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.errors import BrokenInvariant, Refused
from ledger.jails import (
    decide_release,
)
from ledger.units import Decision, Row
from tests.ledger.bank import ALICE, BOB, Bank
from tests.ledger.court import CHAT, HELD, HOUR_MS, a_bank, case, end, fine, free, jail, jailed_now, pay


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice and Bob own 10,000 each; Carol is an admin."""
    return a_bank(tmp_path)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE violations SET reason = 'x'", "append-only"),
        ("DELETE FROM violations", "append-only"),
        (
            "INSERT INTO violations (id, person, chat, kind, reason, actor, at) VALUES (9, 1, 1, 'warn', 'x', 1, 1)",
            "without gaps",
        ),
        ("DELETE FROM fines", "never deleted"),
        ("UPDATE fines SET amount = amount - 1", "does not change"),
        ("UPDATE fines SET state = 'paid', settled_by = 11, settled_at = 1", "a posting of its amount"),
        (
            "UPDATE fines SET state = 'paid', settled_by = 11, settled_at = 1, posting = 1",
            "a posting of its amount",
        ),
        ("INSERT INTO fines (id, person, denom, amount) VALUES (2, 11, 'ujuno', 5)", "begins owed"),
        ("DELETE FROM jails", "never deleted"),
        ("UPDATE jails SET until_at = until_at - 1", "does not change"),
        ("UPDATE jails SET bail = 1", "does not change"),
        ("UPDATE jails SET chat = 5", "moves with its group"),
        ("UPDATE jails SET state = 'served', ended_by = 0, ended_at = until_at - 1", "CHECK"),
        (
            "UPDATE jails SET state = 'bailed', ended_by = 11, ended_at = from_at, posting = 1",
            "a posting of its amount",
        ),
        ("UPDATE jails SET state = 'bailed', ended_by = 11, ended_at = from_at", "a posting of its amount"),
    ],
)
def test_the_database_refuses(bank: Bank, sql: str, why: str) -> None:
    fine(bank)
    jail(bank)
    with pytest.raises(BrokenInvariant, match=why):
        bank.write(sql)


def test_an_ended_jail_stays_ended(bank: Bank) -> None:
    free(bank, "k", jail(bank).id)
    with pytest.raises(BrokenInvariant, match="ends once"):
        bank.write("UPDATE jails SET state = 'serving', posting = NULL, ended_by = NULL, ended_at = NULL")


def test_the_database_knows_that_no_jail_is_shortened(bank: Bank) -> None:
    first = jail(bank)
    rows = (
        Row("UPDATE jails SET state = 'superseded', successor = 2, ended_by = 33, ended_at = from_at"),
        Row(
            "INSERT INTO violations SELECT 2, person, chat, kind, reason, actor, rule, message, at FROM violations"
        ),
        Row(
            "INSERT INTO jails (id, person, chat, from_at, until_at, denom, bail) VALUES (2, 11, ?, ?, ?, 'ujuno', 1)",
            (CHAT, first.from_at, first.until_at - 1),
        ),
    )
    with pytest.raises(BrokenInvariant, match="never shortens"):
        bank.decide(lambda _: Decision(None, rows=rows))


# Any order of acts, against a model

_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["jail", "bail", "release", "wait", "end", "fine", "pay"]),
        st.integers(1, 3),
        st.sampled_from([ALICE, BOB]),
    ),
    max_size=25,
)


@settings(max_examples=40)
@given(acts=_ACTS)
def test_nobody_pays_but_for_what_stands_and_no_sentence_shrinks(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, AccountId]]
) -> None:
    """Alice alone is jailed and fined; Alice and Bob pay. The model says who owns what and until when she serves."""
    bank = a_bank(tmp_path_factory.mktemp("books"))
    owned = {ALICE: HELD, BOB: HELD, BOT_TREASURY: 0}
    until, newest, owed = 0, 0, 0
    for number, (act, size, payer) in enumerate(acts):
        now = bank.clock.time
        try:
            if act == "jail":
                newest = jail(bank, size * HOUR_MS, size * 100).id
                assert now + size * HOUR_MS > until
                until, bail = now + size * HOUR_MS, size * 100
            elif act == "bail" and newest:
                free(bank, f"k{number}", newest, payer)
                assert now < until
                owned[payer] -= bail
                owned[BOT_TREASURY] += bail
                until = 0
            elif act == "release":
                bank.decide(lambda view: decide_release(view, case()))
                until = 0
            elif act == "wait":
                bank.clock.time += size * HOUR_MS // 2
            elif act == "end" and newest:
                end(bank, newest)
                assert until <= now
                until = 0
            elif act == "fine":
                owed += fine(bank, size * 10).amount
            elif act == "pay":
                pay(bank, f"k{number}", None)
                owned[ALICE] -= owed
                owned[BOT_TREASURY] += owed
                owed = 0
        except Refused:
            may_be_refused = {
                "jail": now + size * HOUR_MS <= until,
                "bail": now >= until,
                "release": until == 0,
                "end": now < until or until == 0,
                "pay": owed == 0,
            }
            assert may_be_refused.get(act)
        assert jailed_now(bank) is (bank.clock.time < until)
        assert {account: bank.balance(account) for account in owned} == owned
