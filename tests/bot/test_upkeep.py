"""What the operator does at the console: freezes, payments that nobody knows, a clock that cannot be right."""

import asyncio
import json
from pathlib import Path

import pytest

from bot.cli import main
from bot.exits import Exit
from bot.settings import Books
from bot.upkeep import Explanation, explain, restored_lines
from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE
from ledger.audit import audit
from ledger.backup import RESTORING, Restored
from ledger.presence import Presence
from ledger.world import SystemClock
from tests.jumping import HoldingRunner
from tests.ledger.bank import ALICE, Bank, arrival, canonical
from tests.ledger.test_replay import lost, restored

LISTED_AT_ONCE = 100


@pytest.fixture(autouse=True)
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bank:
    """Books in use that were restored and met a payment of 9,000 that they do not know."""
    bank = Bank(tmp_path / "books.db")
    bank.open(held=1_000)
    bank.deposit(ALICE, 50_000)
    restored(bank)
    bank.block(spends=[lost(bank, ("juno1elsewhere", 9_000), memo="a memo")])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONETA_DATABASE", str(tmp_path / "books.db"))
    return bank


def payment(bank: Bank) -> str:
    (row,) = bank.read("SELECT id FROM unknown_payments")
    return str(row["id"])


def test_what_is_not_explained_is_listed_with_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attribute"]) == Exit.DONE
    told = capsys.readouterr().out
    assert "0.009 JUNO to juno1elsewhere with memo 'a memo'" in told
    assert canonical("shown-L") in told


def test_a_payment_is_attributed_beside_a_running_bot(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attribute", payment(bank), "--account", "11", "--reason", "she says so"]) == Exit.DONE
    assert "No payment is unexplained." in capsys.readouterr().out
    bank.deposit(ALICE, 1)
    assert (bank.balance(ALICE), bank.balance(SYSTEM_RESERVE)) == (41_001, 0)


def test_a_part_of_a_payment_leaves_the_rest(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["attribute", payment(bank), "--account", "11", "--amount", "1000", "--reason", "x"]
    assert main(arguments) == Exit.DONE
    assert "0.008 JUNO left" in capsys.readouterr().out


def test_parts_of_a_payment_are_told_apart_however_many_are_unexplained(bank: Bank) -> None:
    bank.block(spends=[lost(bank, *[("juno1elsewhere", 10)] * LISTED_AT_ONCE, name="L2")])
    (row,) = bank.read("SELECT max(id) AS id FROM unknown_payments")
    arguments = ["attribute", str(row["id"]), "--account", "11", "--amount", "3", "--reason", "x"]
    assert [main(arguments), main(arguments)] == [Exit.DONE, Exit.DONE]
    assert bank.balance(ALICE) == 50_000 - 6


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--account", "11", "--accept", "--reason", "x"],
        ["--account", "11"],
        ["--account", "22", "--reason", "x"],
    ],
)
def test_an_explanation_that_explains_nothing_is_wrong_use(bank: Bank, arguments: list[str]) -> None:
    assert main(["attribute", payment(bank), *arguments]) == Exit.USAGE
    assert bank.balance(SYSTEM_RESERVE) == -9_000


async def test_two_operators_explain_a_payment_once(bank: Bank) -> None:
    said = Explanation(int(payment(bank)), ALICE, None, "x")
    blocking = HoldingRunner()
    acts = [explain(Books(), said, SystemClock(), blocking) for _ in range(2)]
    results = await asyncio.gather(*acts, return_exceptions=True)
    blocking.close()
    assert sorted(type(each).__name__ for each in results) in (["Refused", "list"], ["list", "list"])
    assert bank.balance(ALICE) == 41_000


@pytest.mark.parametrize("order", [["attribute", "1", "--accept", "--reason", "ours"], ["migrate"]])
def test_an_order_waits_for_a_restore(bank: Bank, order: list[str], tmp_path: Path) -> None:
    """It would stand in the books that are replaced, and be gone."""
    restoring = Presence(tmp_path / "books.db", RESTORING)
    assert main(order) == Exit.BUSY
    restoring.close()


def test_a_shortfall_stays_frozen_until_the_reserve_is_whole(
    bank: Bank, capsys: pytest.CaptureFixture[str]
) -> None:
    lift = ["unfreeze", "shortfall", "--reason", "whole again"]
    assert main(lift) == Exit.USAGE
    assert "SYSTEM_RESERVE still owes something" in capsys.readouterr().err
    main(["attribute", payment(bank), "--account", "11", "--reason", "she says so"])
    capsys.readouterr()
    assert main(lift) == Exit.DONE
    assert capsys.readouterr().out == "restored: everyone\n"


def test_a_replay_is_not_lifted_by_hand() -> None:
    assert main(["unfreeze", "restored", "--reason", "hurry"]) == Exit.USAGE


def test_what_is_frozen_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unfreeze"]) == Exit.DONE
    assert capsys.readouterr().out == "restored: everyone\nshortfall: everyone\n"


def test_whoever_restored_reads_what_is_lost(tmp_path: Path) -> None:
    lines = restored_lines(Restored(audit(tmp_path / "books.db"), tmp_path / "old"), Books(), 100)
    assert "Telegram does not send again" in lines[1]
    assert "100 blocks" in lines[2]


# The reserve


def test_what_the_reserve_owes_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refill"]) == Exit.DONE
    assert capsys.readouterr().out == "SYSTEM_RESERVE owes 0.009 JUNO (ujuno).\n"


def test_a_reserve_is_refilled_from_the_treasury(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    bank.block(arrival("20000", "topup", tx="T"))
    before = bank.balance(BOT_TREASURY)
    assert main(["refill", "ujuno", "--reason", "my own coins"]) == Exit.DONE
    assert capsys.readouterr().out == "SYSTEM_RESERVE owes nothing.\n"
    bank.deposit(ALICE, 1)
    assert (bank.balance(SYSTEM_RESERVE), bank.balance(BOT_TREASURY)) == (0, before - 9_000)


@pytest.mark.parametrize(
    "arguments", [["uother", "--reason", "x"], ["ujuno"], ["ujuno", "--amount", "9001", "--reason", "x"]]
)
def test_a_refill_that_cannot_be_is_wrong_use(bank: Bank, arguments: list[str]) -> None:
    assert main(["refill", *arguments]) == Exit.USAGE
    assert bank.balance(SYSTEM_RESERVE) == -9_000


# Books and chain, and the whole log


@pytest.fixture
def testing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name the chain that these books are of."""
    for name, value in (("CHAIN_ID", "testing-1"), ("DENOM", "ujuno"), ("ASSETS", "ujuno:JUNO:6")):
        monkeypatch.setenv(f"MONETA_{name}", value)


@pytest.mark.usefixtures("testing")
def test_books_and_chain_are_shown_and_agree(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    bank.block()
    assert main(["reconcile"]) == Exit.DONE
    told = capsys.readouterr().out
    assert f"Height {bank.height}, read " in told
    assert "they agree. SYSTEM_RESERVE owes 0.009 JUNO." in told


@pytest.mark.usefixtures("testing")
def test_what_no_node_proved_is_unknown(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    bank.block(proved=False)
    assert main(["reconcile"]) == Exit.UNREACHABLE
    assert "what the chain holds is unknown; it was 0.04197 JUNO at height" in capsys.readouterr().out


def test_the_log_is_written_out_whole(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export"]) == Exit.DONE
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in lines] == [row["id"] for row in bank.read("SELECT id FROM transactions")]
    assert (lines[0]["kind"], lines[0]["amount"], lines[0]["to_id"]) == ("opening", 1_000, BOT_TREASURY)
    assert lines[0]["key"].startswith("open:")


def test_what_is_done_at_the_console_is_in_the_admin_audit(bank: Bank) -> None:
    assert main(["attribute", payment(bank), "--account", "11", "--reason", "she says so"]) == Exit.DONE
    assert main(["unfreeze", "shortfall", "--reason", "whole again"]) == Exit.DONE
    orders = bank.read("SELECT actor, role, action, reason FROM admin_audit ORDER BY id")
    assert [tuple(order.values()) for order in orders] == [
        (0, "console", "payment.attributed", "she says so"),
        (0, "console", "withdrawals.unfrozen", "whole again"),
    ]


# Withdrawals that an owner ends


@pytest.fixture
def blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Bank, str]:
    """Books with a signed withdrawal of Alice's whose sequence somebody else used, and its number."""
    bank = Bank(tmp_path / "blocked.db")
    bank.open(held=1_000)
    bank.deposit(ALICE, 50_000)
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    bank.sequence += 1
    bank.block()
    monkeypatch.setenv("MONETA_DATABASE", str(tmp_path / "blocked.db"))
    return bank, str(asked.id)


def test_what_waits_for_the_chain_is_listed(
    blocked: tuple[Bank, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["resolve"]) == Exit.DONE
    assert capsys.readouterr().out == f"{blocked[1]}: signed, 0.004 JUNO of account 11 to juno1abroad\n"


def test_what_nobody_paid_comes_back(blocked: tuple[Bank, str], capsys: pytest.CaptureFixture[str]) -> None:
    bank, number = blocked
    assert main(["resolve", number, "returned", "--reason", "I signed a test"]) == Exit.DONE
    assert capsys.readouterr().out == "No withdrawal waits.\n"
    bank.deposit(ALICE, 1)
    assert bank.balance(ALICE) == 50_001


def test_what_was_paid_by_hand_is_made_good_by_its_hold(blocked: tuple[Bank, str]) -> None:
    bank, number = blocked
    bank.chain["ujuno"] -= 4_000  # type: ignore[index] # a denom
    bank.block()
    assert bank.balance(SYSTEM_RESERVE) == -4_000
    assert main(["resolve", number, "paid", "--reason", "see ABCD"]) == Exit.DONE
    bank.deposit(ALICE, 1)
    assert (bank.balance(SYSTEM_RESERVE), bank.balance(ALICE)) == (0, 45_951)


@pytest.mark.parametrize(
    "arguments", [["{}"], ["{}", "paid"], ["4711", "paid", "--reason", "x"], ["{}", "lost", "--reason", "x"]]
)
def test_an_end_that_cannot_be_is_wrong_use(blocked: tuple[Bank, str], arguments: list[str]) -> None:
    bank, number = blocked
    try:
        code = main(["resolve", *(each.format(number) for each in arguments)])
    except SystemExit as error:
        code = Exit(int(error.code or 0))
    assert code == Exit.USAGE
    assert bank.read("SELECT state FROM withdrawals") == [{"state": "signed"}]


def test_what_may_still_be_paid_is_not_ended_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Bank(tmp_path / "open.db")
    bank.open(held=1_000)
    bank.deposit(ALICE, 50_000)
    asked = bank.ask("k", 4_000)
    bank.sign(asked)
    monkeypatch.setenv("MONETA_DATABASE", str(tmp_path / "open.db"))
    assert main(["resolve", str(asked.id), "returned", "--reason", "hurry"]) == Exit.USAGE
    assert bank.state(asked) == "signed"


@pytest.mark.usefixtures("testing")
def test_books_that_differ_from_the_chain_have_an_exit_code_of_their_own(bank: Bank) -> None:
    bank.block()
    bank.write("UPDATE settled SET balance = balance + 1")
    assert main(["reconcile"]) == Exit.APART
