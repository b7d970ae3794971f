"""Each act of an admin or owner takes its rank when it commits, and stands in the log, in the unit of the act itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, AccountId
from ledger.approvals import Verdict, decide_approval
from ledger.audit import audit
from ledger.errors import BrokenInvariant, Refused
from ledger.freezes import Freeze, FreezeReason, decide_freeze, decide_lift, standing
from ledger.limits import Limits
from ledger.money import Amount
from ledger.ports import Selects
from ledger.reserve import Refill, decide_refill
from ledger.roles import Actor
from ledger.terms import Change, Term, decide_change, standing_terms
from ledger.treasury import Grant, decide_grant, holdings
from ledger.units import Decision, Unit, View
from ledger.withdrawals import ManualOutcome, Request, decide_manual, decide_request
from tests.ledger.bank import ABROAD, ALICE, BOB, CAROL, JUNO, TERMS, Bank

OWNER = Actor(AccountId(99), owner=True)
ADMIN = Actor(BOB)
MEMBER = Actor(CAROL)
HELD = 100_000
LIMITS = Limits(approval_above=Amount(10_000))


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Alice has 50,000, BOT_TREASURY 100,000; Bob is an admin."""
    bank = Bank(tmp_path / "books.db")
    bank.open(HELD)
    bank.deposit(ALICE, 50_000)
    bank.write("UPDATE users SET role = 'admin' WHERE id = ?", BOB)
    return bank


def nothing(_bank: Bank) -> None:
    """Need no preparation."""


def short(bank: Bank) -> None:
    """Let coins be missing on chain: SYSTEM_RESERVE owes 700."""
    bank.chain[JUNO] -= 700
    bank.block(claims={})


def refilled(bank: Bank) -> None:
    short(bank)
    order = Refill(OWNER, JUNO, None, "from my own pocket")
    bank.do(Unit(lambda view: decide_refill(view, "before", order)))


def frozen(bank: Bank) -> None:
    bank.decide(lambda view: decide_freeze(view, ADMIN, ALICE, "we ask her first"))


def asked(bank: Bank) -> None:
    bank.ask("w", 5_000)


def waiting(bank: Bank) -> None:
    terms = TERMS._replace(limits=LIMITS)
    request = Request(ALICE, JUNO, Amount(20_000), TERMS.fee, ABROAD)
    bank.decide(lambda view: decide_request(view, "w", request, terms))


def newest(books: Selects) -> int:
    (row,) = books.select("SELECT max(id) AS id FROM withdrawals")
    return int(row["id"])


class Act(NamedTuple):
    """An act of somebody with a rank: what it needs before, who may do it, and what the log says."""

    prepare: Callable[[Bank], None]
    decide: Callable[[View, Actor], Decision[Any]]
    by: Actor
    action: str
    target: int | None
    before: dict[str, Any]
    after: dict[str, Any]


ACTS = {
    "freeze one": Act(
        nothing,
        lambda view, by: decide_freeze(view, by, ALICE, "why"),
        ADMIN,
        "withdrawals.frozen",
        ALICE,
        {},
        {"whose": "one account's"},
    ),
    "freeze all": Act(
        nothing,
        lambda view, by: decide_freeze(view, by, None, "why"),
        ADMIN,
        "withdrawals.frozen",
        None,
        {},
        {"whose": "everyone's"},
    ),
    "lift what was ordered": Act(
        frozen,
        lambda view, by: decide_lift(view, by, Freeze(FreezeReason.ORDERED, ALICE), "why"),
        ADMIN,
        "withdrawals.unfrozen",
        ALICE,
        {"frozen for": "ordered", "whose": "one account's"},
        {},
    ),
    "lift a shortfall": Act(
        refilled,
        lambda view, by: decide_lift(view, by, Freeze(FreezeReason.SHORTFALL, None), "why"),
        OWNER,
        "withdrawals.unfrozen",
        None,
        {"frozen for": "shortfall", "whose": "everyone's"},
        {},
    ),
    "refill": Act(
        short,
        lambda view, by: decide_refill(view, "r", Refill(by, JUNO, Amount(300), "why")),
        OWNER,
        "reserve.refilled",
        SYSTEM_RESERVE,
        {"owed": 700, "denom": JUNO},
        {"owed": 400, "denom": JUNO},
    ),
    "grant": Act(
        nothing,
        lambda view, by: decide_grant(view, "g", Grant(by, ALICE, Amount(40_000), JUNO, "why")),
        OWNER,
        "treasury.sent",
        ALICE,
        {},
        {"amount": 40_000, "denom": JUNO},
    ),
    "approve": Act(
        waiting,
        lambda view, by: decide_approval(view, by, newest(view), Verdict.APPROVED, {}),
        ADMIN,
        "withdrawal.approved",
        ALICE,
        {},
        {"amount": 20_000, "denom": JUNO},
    ),
    "reject": Act(
        waiting,
        lambda view, by: decide_approval(view, by, newest(view), Verdict.REJECTED, {}),
        ADMIN,
        "withdrawal.rejected",
        ALICE,
        {},
        {"amount": 20_000, "denom": JUNO},
    ),
    "change a limit": Act(
        nothing,
        lambda view, by: decide_change(
            view, Change(by, JUNO, Term.USER_PER_DAY, Amount(7_000), "why"), TERMS
        ),
        OWNER,
        "limits.changed",
        None,
        {"user_per_day": None, "denom": JUNO},
        {"user_per_day": 7_000, "denom": JUNO},
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_logged_with_what_it_changed(bank: Bank, name: str) -> None:
    act = ACTS[name]
    act.prepare(bank)
    bank.decide(lambda view: act.decide(view, act.by))
    line = bank.read("SELECT * FROM admin_audit ORDER BY id DESC LIMIT 1")[0]
    assert (line["actor"], line["role"]) == (act.by.account, "owner" if act.by.owner else "admin")
    assert (line["action"], line["target"]) == (act.action, act.target)
    assert (json.loads(line["before"]), json.loads(line["after"])) == (act.before, act.after)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_takes_its_rank_when_it_commits(bank: Bank, name: str) -> None:
    act = ACTS[name]
    act.prepare(bank)
    orders = bank.read("SELECT count(*) AS n FROM admin_audit")
    for below in (MEMBER, *([ADMIN] if act.by is OWNER else [])):
        with pytest.raises(Refused, match="role_too_low"):
            bank.decide(lambda view, by=below: act.decide(view, by))
    assert bank.read("SELECT count(*) AS n FROM admin_audit") == orders


def test_an_owner_ends_a_withdrawal_by_hand_and_it_is_logged(bank: Bank) -> None:
    asked(bank)
    withdrawal = bank.decide(lambda view: Decision(newest(view)))
    for below in (MEMBER, ADMIN):
        with pytest.raises(Refused, match="role_too_low"):
            bank.decide(
                lambda view, by=below: decide_manual(view, by, withdrawal, ManualOutcome.RETURNED, "x")
            )
    bank.decide(lambda view: decide_manual(view, OWNER, withdrawal, ManualOutcome.RETURNED, "never sent"))
    line = bank.read("SELECT action, target, reason, after FROM admin_audit")[0]
    assert (line["action"], line["target"], line["reason"]) == ("withdrawal.ended", ALICE, "never sent")
    assert json.loads(line["after"])["outcome"] == "returned"


# Grants


def grant(bank: Bank, key: str, amount: int, account: int = ALICE, reason: str = "stickers") -> None:
    order = Grant(OWNER, AccountId(account), Amount(amount), JUNO, reason)
    bank.do(Unit(lambda view: decide_grant(view, key, order), key=key, digest=order.digest()))


def test_a_grant_moves_from_the_treasury_once_and_is_told(bank: Bank) -> None:
    for _ in range(2):
        grant(bank, "g", 40_000)
    assert (bank.balance(ALICE), bank.balance(BOT_TREASURY)) == (90_000, HELD - 40_000)
    (told,) = bank.news("treasury.sent")
    assert (told["recipient"], told["amount"], told["reason"]) == (ALICE, 40_000, "stickers")
    assert bank.alerts() == ["treasury.sent"]
    assert len(bank.read("SELECT 1 FROM admin_audit")) == 1


@pytest.mark.parametrize(
    ("amount", "account", "reason", "code"),
    [
        (HELD + 1, ALICE, "why", "treasury_too_low"),
        (0, ALICE, "why", "not_positive"),
        (-1, ALICE, "why", "not_positive"),
        (2**62, ALICE, "why", "amount_too_large"),
        (1, 404, "why", "unknown_account"),
        (1, SYSTEM_RESERVE, "why", "not_a_user"),
        (1, ALICE, " ", "reason_missing"),
    ],
)
def test_what_is_no_grant_moves_nothing(
    bank: Bank, amount: int, account: int, reason: str, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        grant(bank, "g", amount, account, reason)
    assert bank.balance(BOT_TREASURY) == HELD


def test_a_grant_without_an_order_is_found_by_the_audit(bank: Bank, tmp_path: Path) -> None:
    grant(bank, "g", 40_000)
    assert audit(tmp_path / "books.db").problems == ()
    order = Grant(OWNER, ALICE, Amount(5), JUNO, "why")

    def forgotten(view: View) -> Decision[Any]:
        return Decision(None, decide_grant(view, "x", order).entries)

    bank.decide(forgotten)
    (problem,) = audit(tmp_path / "books.db").problems
    assert "without an order" in problem


def test_holdings_add_up_to_what_the_treasury_holds(bank: Bank) -> None:
    asked(bank)
    (held,) = bank.decide(lambda view: Decision(holdings(view)))
    assert (held.treasury, held.withdrawals, held.members) == (HELD, 5_050, 50_000 - 5_050)
    assert sum(held[1:]) == bank.total()


# Terms


def change(bank: Bank, term: Term, amount: int | None, *, back: bool = False, by: Actor = OWNER) -> None:
    order = Change(by, JUNO, term, None if amount is None else Amount(amount), "why", back)
    bank.decide(lambda view: decide_change(view, order, TERMS))


def test_the_newest_word_counts_until_the_settings_do_again(bank: Bank) -> None:
    def now() -> Any:
        return bank.decide(lambda view: Decision(standing_terms(view, TERMS)))

    change(bank, Term.FEE, 70)
    change(bank, Term.INSTANCE_PER_DAY, 9_000)
    change(bank, Term.FEE, 80)
    assert (now().fee, now().limits.instance_per_day, now().minimum) == (80, 9_000, TERMS.minimum)
    change(bank, Term.INSTANCE_PER_DAY, None)
    change(bank, Term.FEE, None, back=True)
    assert now() == TERMS


def test_a_request_is_decided_by_what_counts_now(bank: Bank) -> None:
    change(bank, Term.USER_PER_DAY, 4_000)
    with pytest.raises(Refused, match="withdrawal_over_own_limit"):
        bank.ask("w", 5_000)
    change(bank, Term.FEE, 70)
    with pytest.raises(Refused, match="withdrawal_fee_changed"):
        bank.ask("w", 3_000)


@pytest.mark.parametrize(
    ("term", "amount", "back", "code"),
    [
        (Term.FEE, None, False, "limit_needs_number"),
        (Term.MINIMUM, None, False, "limit_needs_number"),
        (Term.FEE, TERMS.fee, False, "limit_same"),
        (Term.APPROVAL_ABOVE, None, True, "limit_same"),
        (Term.FEE, -1, False, "amount_too_large"),
        (Term.USER_PER_DAY, 2**62, False, "amount_too_large"),
    ],
)
def test_what_is_no_change_changes_nothing(
    *, bank: Bank, term: Term, amount: int | None, back: bool, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        change(bank, term, amount, back=back)
    assert bank.read("SELECT 1 FROM terms_changes") == []


@pytest.mark.parametrize("sql", ["UPDATE terms_changes SET amount = 1", "DELETE FROM terms_changes"])
def test_what_was_changed_stays_written(bank: Bank, sql: str) -> None:
    change(bank, Term.FEE, 70)
    with pytest.raises(BrokenInvariant):
        bank.write(sql)


# Adjustments


def test_reconciliation_alone_posts_an_adjustment_with_its_evidence(bank: Bank) -> None:
    """Nobody can order one: the kind is posted in the block's unit alone, out of SYSTEM_RESERVE, and says why."""
    root = Path(__file__).parents[2]
    posting = [
        path.relative_to(root).as_posix()
        for package in ("ledger", "chain", "bot")
        for path in (root / package).rglob("*.py")
        if '"adjustment"' in path.read_text() and "sentences" not in path.parts
    ]
    assert posting == ["ledger/reconciliation.py"]
    short(bank)
    (posted,) = bank.read("SELECT from_id, to_id, amount, actor FROM transactions WHERE kind = 'adjustment'")
    assert posted == {"from_id": SYSTEM_RESERVE, "to_id": None, "amount": 700, "actor": 0}
    (evidence,) = bank.read("SELECT about, height, denom FROM evidence")
    assert evidence == {"about": "shortfall", "height": bank.height, "denom": JUNO}


def test_withdrawals_stay_frozen_while_the_reserve_owes(bank: Bank) -> None:
    short(bank)
    shortfall = Freeze(FreezeReason.SHORTFALL, None)
    with pytest.raises(Refused, match="reserve_negative"):
        bank.decide(lambda view: decide_lift(view, OWNER, shortfall, "hurry"))
    with pytest.raises(Refused, match="withdrawals_frozen"):
        bank.ask("w", 5_000)
    assert bank.decide(lambda view: Decision(standing(view))) == [shortfall]
