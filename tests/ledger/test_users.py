"""The registry of accounts, and what the database belongs to."""

from pathlib import Path

import pytest

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.adminaudit import page
from ledger.errors import Refused, WrongDatabase
from ledger.outbox import OPERATORS
from ledger.roles import CONSOLE, Actor, Role
from ledger.service import LedgerService
from ledger.users import MAX_NAME
from tests.ledger.desk import ANN, BEN, UJUNO, StoppedClock, ledger_at, rows_of

DAN = AccountId(44)
OWNER = Actor(AccountId(77), owner=True)


async def test_a_person_is_a_member_at_first(ledger: LedgerService) -> None:
    await ledger.users.register(DAN, "Dan")
    assert (ledger.users.role(DAN), ledger.reader.name(DAN)) == (Role.MEMBER, "Dan")


async def test_registering_again_renames_and_keeps_role_and_balance(ledger: LedgerService) -> None:
    await ledger.users.appoint(CONSOLE, ANN, Role.ADMIN, "a test")
    await ledger.users.register(ANN, "Anna")
    assert (ledger.users.role(ANN), ledger.reader.name(ANN)) == (Role.ADMIN, "Anna")
    assert ledger.reader.balance(ANN, UJUNO) == 1_000


async def test_a_name_is_cut(ledger: LedgerService) -> None:
    await ledger.users.register(DAN, "D" * 1_000)
    assert ledger.reader.name(DAN) == "D" * MAX_NAME


@pytest.mark.parametrize("account", [0, -1, -1001])
async def test_only_people_are_registered(ledger: LedgerService, account: int) -> None:
    with pytest.raises(ValueError, match="no person"):
        await ledger.users.register(AccountId(account), "x")


async def test_a_stranger_has_no_role(ledger: LedgerService) -> None:
    assert ledger.users.role(AccountId(404)) is None


async def test_an_account_of_the_system_has_no_role(ledger: LedgerService) -> None:
    assert ledger.users.role(BOT_TREASURY) is None


@pytest.mark.parametrize("account", [404, -1])
async def test_only_registered_people_are_appointed(ledger: LedgerService, account: int) -> None:
    with pytest.raises(Refused, match="unknown_account"):
        await ledger.users.appoint(CONSOLE, AccountId(account), Role.ADMIN, "a test")


async def test_an_appointment_touches_no_balance_and_is_told_and_logged(
    ledger: LedgerService, path: Path
) -> None:
    before = rows_of(path, "SELECT * FROM user_balances")
    made = await ledger.users.appoint(OWNER, ANN, Role.ADMIN, "knows the place")
    assert made == (ANN, Role.MEMBER, Role.ADMIN)
    assert ledger.users.appointed() == [(ANN, Role.ADMIN)]
    assert rows_of(path, "SELECT * FROM user_balances") == before
    (line,) = page(ledger.reader)
    assert (line.actor, line.role, line.action, line.target) == (OWNER.account, "owner", "role.changed", ANN)
    assert (line.before, line.after, line.reason) == (
        {"role": "member"},
        {"role": "admin"},
        "knows the place",
    )
    told = rows_of(path, "SELECT event, recipient FROM outbox ORDER BY id")
    assert told == [("role.changed", ANN), ("alert.raised", OPERATORS)]


@pytest.mark.parametrize(
    ("by", "role", "reason", "code"),
    [
        (Actor(BEN), Role.ELEVATED, "why", "role_too_low"),
        (Actor(ANN), Role.ADMIN, "why", "role_too_low"),
        (OWNER, Role.OWNER, "why", "role_by_settings"),
        (OWNER, Role.MEMBER, "why", "role_same"),
        (OWNER, Role.ADMIN, " ", "reason_missing"),
        (OWNER, Role.ADMIN, "x" * 301, "reason_too_long"),
    ],
)
async def test_what_is_no_appointment_changes_nothing(
    ledger: LedgerService, by: Actor, role: Role, reason: str, code: str
) -> None:
    """Ben is an admin: nobody appoints but an owner, and nobody makes an owner."""
    await ledger.users.appoint(CONSOLE, BEN, Role.ADMIN, "a test")
    with pytest.raises(Refused, match=code):
        await ledger.users.appoint(by, ANN, role, reason)
    assert ledger.users.appointed() == [(BEN, Role.ADMIN)]
    assert len(page(ledger.reader)) == 1


def test_an_owner_outranks_everybody() -> None:
    assert sorted(Role) == [Role.MEMBER, Role.ELEVATED, Role.ADMIN, Role.OWNER]


async def test_a_database_is_bound_once(ledger: LedgerService, path: Path, clock: StoppedClock) -> None:
    await ledger.identity.bind(chain_id="juno-1", address="juno1a", bot_id=7)
    async with ledger_at(path, clock=clock) as again:
        await again.identity.bind(chain_id="juno-1", address="juno1a", bot_id=7)
    assert len(rows_of(path, "SELECT * FROM identity")) == 3


@pytest.mark.parametrize("other", [{"chain_id": "uni-7"}, {"address": "juno1b"}, {"bot_id": 8}])
async def test_a_bound_database_refuses_another(ledger: LedgerService, other: dict[str, str]) -> None:
    bound = {"chain_id": "juno-1", "address": "juno1a", "bot_id": 7}
    await ledger.identity.bind(**bound)  # type: ignore[arg-type] # facts of several types
    with pytest.raises(WrongDatabase, match=str(next(iter(other.values())))):
        await ledger.identity.bind(**{**bound, **other})  # type: ignore[arg-type]
