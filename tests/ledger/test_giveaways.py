"""Giveaways: decisions on real books, and what the database itself refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.accounts import BOT_TREASURY, AccountId, escrow_account
from ledger.audit import audit
from ledger.claims import Claim, Eligibility, Over, Press, decide_cancel, decide_claim, decide_end
from ledger.errors import BrokenInvariant, Refused
from ledger.giveaways import decide_create, moved_rows
from ledger.money import Amount
from ledger.offers import DEFAULT_SECONDS, MOST_SLOTS, Giveaway, Mode, Offer
from ledger.packets import packets_of
from ledger.roles import Actor
from ledger.units import Decision, Entry, Posting, Row, Unit, View
from tests.ledger.bank import ALICE, BOB, CAROL, JUNO, Bank
from tests.ledger.court import SUPERGROUP, case, jail

PLAZA, ELSEWHERE = -500, -600
SEED = "ab" * 32
DAY_MS = 1000 * DEFAULT_SECONDS
ADMIN = Actor(CAROL)
OWNER = Actor(BOB, owner=True)


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice has 100,000, the treasury 50,000; Carol is an admin."""
    bank = Bank(tmp_path / "books.db")
    bank.open(held=50_000)
    bank.deposit(ALICE, 100_000)
    bank.write("UPDATE users SET role = 'admin' WHERE id = ?", CAROL)
    return bank


def offer(total: int = 100, slots: int = 4, mode: Mode = Mode.FIRST, **more: Any) -> Offer:
    funder = more.pop("funder", ALICE)
    return Offer(more.pop("creator", ALICE), funder, PLAZA, JUNO, Amount(total), slots, mode, **more)


def create(bank: Bank, wanted: Offer, by: Actor | None = None, key: str = "g1") -> Giveaway:
    begun: Giveaway = bank.decide(
        lambda view: decide_create(view, key, wanted, by or Actor(wanted.creator), SEED)
    )
    return begun


def claim(
    bank: Bank, who: int, giveaway: int = 1, chat: int = PLAZA, rules: Eligibility | None = None
) -> Claim:
    press = Press(giveaway, AccountId(who), chat)
    claimed: Claim = bank.decide(
        lambda view: decide_claim(view, f"c{giveaway}:{who}", press, lambda _: rules or Eligibility())
    )
    return claimed


def end(bank: Bank, giveaway: int = 1) -> Over:
    over: Over = bank.decide(lambda view: decide_end(view, giveaway))
    return over


def cancel(bank: Bank, by: Actor, giveaway: int = 1, reason: str = "") -> Over:
    over: Over = bank.decide(lambda view: decide_cancel(view, giveaway, by, reason))
    return over


def code(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def state(bank: Bank, giveaway: int = 1) -> str:
    found: str = bank.read("SELECT state FROM giveaways WHERE id = ?", giveaway)[0]["state"]
    return found


def clean(bank: Bank, tmp_path: Path) -> bool:
    """Tell whether the audit of the file finds nothing."""
    bank.writer.close()
    return audit(tmp_path / "books.db").problems == ()


# Beginning


def test_the_total_waits_in_an_escrow_of_its_own(bank: Bank, tmp_path: Path) -> None:
    begun = create(bank, offer())
    assert (begun.id, begun.escrow, begun.claimed) == (1, -1001, 0)
    assert (bank.balance(ALICE), bank.balance(-1001)) == (99_900, 100)
    assert create(bank, offer(), key="g2").escrow == -1002
    assert bank.read("SELECT id, role, name FROM users WHERE id < -1000 ORDER BY id DESC") == [
        {"id": -1001, "role": "escrow", "name": "giveaway 1"},
        {"id": -1002, "role": "escrow", "name": "giveaway 2"},
    ]
    assert clean(bank, tmp_path)


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        (offer(2**62), "amount_too_large"),
        (offer(slots=0), "giveaway_slots"),
        (offer(slots=-1), "giveaway_slots"),
        (offer(total=100_000, slots=MOST_SLOTS + 1), "giveaway_slots"),
        (offer(total=3, slots=4), "giveaway_small"),
        (offer(total=0, slots=1), "giveaway_small"),
        (offer(lasts_seconds=59), "giveaway_lasts"),
        (offer(lasts_seconds=30 * 86400 + 1), "giveaway_lasts"),
        (offer(100_001), "insufficient_balance"),
        (offer(funder=BOT_TREASURY, creator=ALICE, reason="why"), "role_too_low"),
        (offer(funder=BOT_TREASURY, creator=CAROL), "reason_missing"),
        (offer(funder=BOT_TREASURY, creator=CAROL, reason="x" * 301), "reason_too_long"),
        (offer(50_001, funder=BOT_TREASURY, creator=CAROL, reason="why"), "treasury_too_low"),
    ],
)
def test_what_cannot_begin(bank: Bank, wanted: Offer, refused: str) -> None:
    assert code(lambda: create(bank, wanted)) == refused
    assert bank.read("SELECT * FROM giveaways") == []
    assert bank.read("SELECT * FROM admin_audit") == []


@pytest.mark.parametrize("wanted", [offer(1, 1), offer(10_000, MOST_SLOTS), offer(lasts_seconds=60)])
def test_the_smallest_and_the_largest(bank: Bank, wanted: Offer) -> None:
    assert create(bank, wanted).slots == wanted.slots


@pytest.mark.parametrize(("by", "role"), [(ADMIN, "admin"), (OWNER, "owner")])
def test_the_treasury_gives_at_an_admins_word(bank: Bank, by: Actor, role: str, tmp_path: Path) -> None:
    create(bank, offer(creator=by.account, funder=BOT_TREASURY, reason="for the helpers"), by)
    assert (bank.balance(BOT_TREASURY), bank.balance(-1001)) == (49_900, 100)
    (line,) = bank.read("SELECT actor, role, action, target, chat, after, reason FROM admin_audit")
    assert json.loads(line.pop("after")) == {"giveaway": 1, "total": 100, "denom": JUNO, "slots": 4}
    assert line == {
        "actor": by.account,
        "role": role,
        "action": "giveaway.created",
        "target": BOT_TREASURY,
        "chat": PLAZA,
        "reason": "for the helpers",
    }
    assert clean(bank, tmp_path)


def test_the_role_is_the_one_at_the_commit(bank: Bank) -> None:
    bank.write("UPDATE users SET role = 'elevated' WHERE id = ?", CAROL)
    wanted = offer(creator=CAROL, funder=BOT_TREASURY, reason="why")
    assert code(lambda: create(bank, wanted)) == "role_too_low"


def test_a_command_that_met_a_migration_begins_where_the_group_is_now(bank: Bank) -> None:
    bank.write(
        "INSERT INTO chats (id, kind, migrated_to, seen_at) VALUES (?, 'group', ?, 0)", PLAZA, SUPERGROUP
    )
    assert create(bank, offer()).chat == SUPERGROUP
    assert claim(bank, BOB, chat=SUPERGROUP).amount == 25


def test_a_group_that_moves_takes_along_what_is_under_way(bank: Bank) -> None:
    create(bank, offer())
    create(bank, offer(), key="g2")
    cancel(bank, Actor(ALICE), 2)

    def move(view: View) -> Decision[list[Giveaway]]:
        moved, rows = moved_rows(view, PLAZA, SUPERGROUP)
        return Decision(moved, rows=tuple(rows))

    assert [(each.id, each.chat) for each in bank.decide(move)] == [(1, SUPERGROUP)]
    assert code(lambda: claim(bank, BOB)) == "giveaway_elsewhere"
    assert claim(bank, BOB, chat=SUPERGROUP).amount == 25
    assert bank.read("SELECT chat FROM giveaways WHERE id = 2") == [{"chat": PLAZA}]


# Claims


def test_a_claim_is_a_share(bank: Bank) -> None:
    create(bank, offer(103))
    claimed = claim(bank, BOB)
    assert (claimed.number, claimed.amount, claimed.giveaway.claimed) == (1, 25, 1)
    assert (bank.balance(BOB), bank.balance(-1001)) == (25, 78)


@pytest.mark.parametrize(
    ("who", "chat", "rules", "refused"),
    [
        (BOB, ELSEWHERE, Eligibility(), "giveaway_elsewhere"),
        (AccountId(999), PLAZA, Eligibility(), "unknown_account"),
        (ALICE, PLAZA, Eligibility(), "giveaway_own"),
        (AccountId(44), PLAZA, Eligibility(newcomer_hours=2), "giveaway_newcomer"),
    ],
)
def test_who_may_not_claim(bank: Bank, who: AccountId, chat: int, rules: Eligibility, refused: str) -> None:
    bank.write("INSERT INTO users VALUES (44, 'member', 'New', ?)", bank.clock.time - 2 * 3_600_000 + 1)
    create(bank, offer())
    assert code(lambda: claim(bank, who, chat=chat, rules=rules)) == refused
    assert bank.balance(-1001) == 100


@pytest.mark.parametrize(
    ("who", "rules"),
    [(ALICE, Eligibility(creator=True)), (AccountId(44), Eligibility(newcomer_hours=2))],
)
def test_who_may_claim_where_it_is_set(bank: Bank, who: AccountId, rules: Eligibility) -> None:
    bank.write("INSERT INTO users VALUES (44, 'member', 'Old', ?)", bank.clock.time - 2 * 3_600_000)
    create(bank, offer())
    assert claim(bank, who, rules=rules).amount == 25


@pytest.mark.parametrize("mode", list(Mode))
def test_everybody_claims_once(bank: Bank, mode: Mode) -> None:
    create(bank, offer(mode=mode))
    claim(bank, BOB)
    assert code(lambda: claim(bank, BOB)) == "giveaway_claimed"


def test_the_jailed_wait_unless_the_chat_lets_them(bank: Bank) -> None:
    create(bank, offer())
    jail(bank, of=case(BOB, chat=PLAZA))
    assert code(lambda: claim(bank, BOB)) == "giveaway_jailed"
    assert claim(bank, BOB, rules=Eligibility(jailed=True)).amount == 25
    jail(bank, of=case(ALICE, chat=ELSEWHERE))
    assert claim(bank, ALICE, rules=Eligibility(creator=True)).amount == 25


def test_a_giveaway_that_never_was(bank: Bank) -> None:
    assert code(lambda: claim(bank, BOB)) == "giveaway_unknown"
    assert code(lambda: end(bank)) == "giveaway_unknown"
    assert code(lambda: cancel(bank, ADMIN)) == "giveaway_unknown"


@pytest.mark.parametrize("mode", list(Mode))
def test_the_last_claim_ends_it_and_the_escrow_is_empty(bank: Bank, mode: Mode, tmp_path: Path) -> None:
    create(bank, offer(101, 2, mode))
    claim(bank, BOB)
    over = claim(bank, CAROL).giveaway
    assert (over.state.value, state(bank), bank.balance(-1001)) == ("ended", "ended", 0)
    assert bank.balance(ALICE) + bank.balance(BOB) + bank.balance(CAROL) == 100_000
    assert bank.balance(BOB) > 0 < bank.balance(CAROL)
    assert code(lambda: claim(bank, ALICE, rules=Eligibility(creator=True))) == "giveaway_over"
    assert clean(bank, tmp_path)


def test_a_remainder_stays_in_the_escrow_to_the_end(bank: Bank) -> None:
    create(bank, offer(5, 2))
    claim(bank, BOB)
    assert bank.balance(-1001) == 3
    claim(bank, CAROL)
    assert (bank.balance(BOB), bank.balance(CAROL), bank.balance(ALICE)) == (2, 2, 99_996)
    assert bank.news("giveaway.ended")[0]["returned"] == 1


def test_packets_are_handed_out_in_the_order_of_claims(bank: Bank) -> None:
    create(bank, offer(1_000, 3, Mode.RANDOM))
    assert (claim(bank, CAROL).amount, claim(bank, BOB).amount) == packets_of(SEED, 1_000, 3)[:2]


def test_an_expired_one_cannot_be_claimed_though_nobody_has_ended_it(bank: Bank) -> None:
    create(bank, offer())
    bank.clock.time += DAY_MS
    assert code(lambda: claim(bank, BOB)) == "giveaway_over"
    bank.clock.time -= 1
    assert claim(bank, BOB).amount == 25


# The end


@pytest.mark.parametrize("mode", list(Mode))
def test_what_nobody_claimed_goes_back_when_the_time_has_come(bank: Bank, mode: Mode, tmp_path: Path) -> None:
    create(bank, offer(mode=mode))
    bank.clock.time += DAY_MS
    assert end(bank).returned == 100
    assert (bank.balance(ALICE), bank.balance(-1001), state(bank)) == (100_000, 0, "ended")
    assert clean(bank, tmp_path)


def test_equal_shares_are_of_those_who_joined(bank: Bank, tmp_path: Path) -> None:
    create(bank, offer(101, 4, Mode.EQUAL))
    claim(bank, BOB)
    claim(bank, CAROL)
    assert bank.balance(BOB) == 0
    bank.clock.time += DAY_MS
    assert end(bank).returned == 1
    assert (bank.balance(BOB), bank.balance(CAROL), bank.balance(ALICE)) == (50, 50, 99_900)
    assert clean(bank, tmp_path)


def test_it_ends_neither_early_nor_twice(bank: Bank) -> None:
    create(bank, offer())
    bank.clock.time += DAY_MS - 1
    assert code(lambda: end(bank)) == "giveaway_early"
    bank.clock.time += 1
    end(bank)
    assert code(lambda: end(bank)) == "giveaway_over"
    assert bank.balance(ALICE) == 100_000


@pytest.mark.parametrize("mode", list(Mode))
def test_a_cancel_gives_back_exactly_the_rest(bank: Bank, mode: Mode, tmp_path: Path) -> None:
    create(bank, offer(103, 4, mode))
    claim(bank, BOB)
    got = bank.balance(BOB)
    assert cancel(bank, Actor(ALICE)).returned == 103 - got
    assert (bank.balance(ALICE), bank.balance(-1001), state(bank)) == (100_000 - got, 0, "cancelled")
    assert code(lambda: claim(bank, CAROL)) == "giveaway_over"
    assert code(lambda: cancel(bank, Actor(ALICE))) == "giveaway_over"
    assert clean(bank, tmp_path)


@pytest.mark.parametrize(
    ("by", "reason", "refused"),
    [
        (Actor(BOB), "why", "giveaway_not_yours"),
        (ADMIN, "", "reason_missing"),
        (OWNER, "  ", "reason_missing"),
    ],
)
def test_who_may_not_cancel(bank: Bank, by: Actor, reason: str, refused: str) -> None:
    create(bank, offer())
    assert code(lambda: cancel(bank, by, reason=reason)) == refused
    assert (state(bank), bank.balance(-1001)) == ("active", 100)


def test_an_admins_cancel_is_logged_and_told_to_the_creator(bank: Bank) -> None:
    create(bank, offer())
    cancel(bank, ADMIN, reason="wrong group")
    (line,) = bank.read("SELECT actor, action, target, reason FROM admin_audit")
    assert line == {"actor": CAROL, "action": "giveaway.cancelled", "target": ALICE, "reason": "wrong group"}
    assert [(told["recipient"], told["returned"]) for told in bank.news("giveaway.ended")] == [(ALICE, 100)]


def test_the_treasurys_goes_back_to_the_treasury_with_a_reason(bank: Bank, tmp_path: Path) -> None:
    create(bank, offer(creator=CAROL, funder=BOT_TREASURY, reason="why"), ADMIN)
    assert code(lambda: cancel(bank, ADMIN)) == "reason_missing"
    cancel(bank, ADMIN, reason="enough")
    assert bank.balance(BOT_TREASURY) == 50_000
    assert clean(bank, tmp_path)


def test_who_joined_an_expired_one_is_not_robbed_by_a_late_cancel(bank: Bank) -> None:
    create(bank, offer(mode=Mode.EQUAL))
    claim(bank, BOB)
    bank.clock.time += DAY_MS
    assert code(lambda: cancel(bank, Actor(ALICE))) == "giveaway_over"
    end(bank)
    assert bank.balance(BOB) == 100


def test_no_seed_is_in_any_row_but_its_own(bank: Bank) -> None:
    create(bank, offer(mode=Mode.RANDOM))
    claim(bank, BOB)
    for table in ("outbox", "entries", "transactions", "users", "admin_audit"):
        assert SEED not in str(bank.read(f"SELECT * FROM {table}"))


# What the database refuses, whatever a book decides


COPIED = """
INSERT INTO giveaways SELECT id + {}, funding, creator, funder, chat, denom, total, slots, mode, seed,
    state, created_at, expires_at, ended_at FROM giveaways WHERE id = 1
"""
LATE = """
INSERT INTO giveaway_claims SELECT 1, 2, 33, posting, expires_at FROM giveaway_claims JOIN giveaways ON id = giveaway
"""


def break_in(bank: Bank, sql: str, *entries: Entry) -> str:
    """Return what the database says to ``sql``, written beside ``entries`` in one unit."""
    with pytest.raises(BrokenInvariant) as refused:
        bank.do(Unit(lambda _: Decision(None, entries, (Row(sql),))))
    return str(refused.value)


def out(amount: int, to: int, kind: str = "giveaway_claim", key: str = "forged") -> Entry:
    return Entry(key, b"", kind, (Posting(escrow_account(1), AccountId(to), Amount(amount), JUNO),))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE giveaways SET state = 'ended', ended_at = 1 WHERE id = 1", "holds nothing"),
        ("UPDATE giveaways SET state = 'cancelled', ended_at = 1 WHERE id = 1", "holds nothing"),
        ("UPDATE giveaways SET total = 99 WHERE id = 1", "does not change"),
        ("UPDATE giveaways SET slots = 5 WHERE id = 1", "does not change"),
        ("UPDATE giveaways SET seed = replace(seed, 'a', 'b') WHERE id = 3", "does not change"),
        ("UPDATE giveaways SET expires_at = expires_at + 1 WHERE id = 1", "does not change"),
        ("UPDATE giveaways SET state = 'active', ended_at = NULL WHERE id = 2", "does not change"),
        ("UPDATE giveaways SET state = 'ended' WHERE id = 2", "does not change"),
        ("UPDATE giveaways SET chat = 7 WHERE id = 2", "does not change"),
        ("DELETE FROM giveaways WHERE id = 2", "never deleted"),
        ("UPDATE giveaway_claims SET claimant = 33 WHERE giveaway = 1", "append-only"),
        ("DELETE FROM giveaway_claims WHERE giveaway = 1", "append-only"),
        (
            COPIED.format(5),
            "numbered without gaps",
        ),
        (
            COPIED.format(3),
            "what was posted into its escrow",
        ),
        ("INSERT INTO giveaway_claims VALUES (1, 2, 22, NULL, 1)", "claims are numbered"),
        ("INSERT INTO giveaway_claims VALUES (1, 3, 33, 1, 1)", "claims are numbered"),
        ("INSERT INTO giveaway_claims VALUES (1, 2, 33, 1, 1)", "what was posted out of its escrow"),
        ("INSERT INTO giveaway_claims VALUES (2, 1, 33, 1, 1)", "claims are numbered"),
        (
            LATE,
            "claims are numbered",
        ),
    ],
)
def test_what_was_written_stands(bank: Bank, sql: str, said: str) -> None:
    create(bank, offer())
    claim(bank, BOB)
    create(bank, offer(), key="g2")
    cancel(bank, Actor(ALICE), 2)
    create(bank, offer(mode=Mode.RANDOM), key="g3")
    assert said in break_in(bank, sql)


def test_nobody_is_claimed_for_twice(bank: Bank) -> None:
    create(bank, offer())
    claim(bank, BOB)
    last = bank.read("SELECT max(id) AS id FROM transactions")[0]["id"]
    sql = f"INSERT INTO giveaway_claims VALUES (1, 2, {BOB}, {last + 1}, 1)"
    assert "UNIQUE" in break_in(bank, sql, out(25, BOB))


@pytest.mark.parametrize(("kind", "to"), [("giveaway_claim", -1), ("transfer", BOB), ("giveaway", BOB)])
def test_an_escrow_pays_claims_and_returns_alone(bank: Bank, kind: str, to: int) -> None:
    create(bank, offer())
    with pytest.raises(BrokenInvariant, match="no such kind"):
        bank.do(Unit(lambda _: Decision(None, (out(1, to, kind),))))


def test_more_than_the_slots_cannot_be_written(bank: Bank) -> None:
    create(bank, offer(2, 2))
    claim(bank, BOB)
    claim(bank, CAROL)
    said = break_in(bank, "INSERT INTO giveaway_claims VALUES (1, 3, 11, 1, 1)")
    assert "claims are numbered" in said
