"""A pause stands until it is lifted, once, and says for ever why it was."""

import sqlite3
from pathlib import Path

import pytest

from ledger.adminaudit import page
from ledger.connect import open_writer
from ledger.errors import Refused
from ledger.pauses import pause_unit, require_running, resume_unit, standing_pause
from ledger.roles import CONSOLE, Actor, Role
from ledger.service import LedgerService
from tests.ledger.desk import ANN, BEN


@pytest.fixture
async def admin(ledger: LedgerService) -> Actor:
    await ledger.users.appoint(CONSOLE, BEN, Role.ADMIN, "a test")
    return Actor(BEN)


async def test_an_admin_pauses_and_resumes(ledger: LedgerService, admin: Actor) -> None:
    require_running(ledger.reader)
    await ledger.journal.submit(pause_unit(admin, " we look at something "))
    assert standing_pause(ledger.reader) == ("we look at something", 1_700_000_000_000)
    with pytest.raises(Refused, match="command_paused"):
        require_running(ledger.reader)
    await ledger.journal.submit(resume_unit(admin, "all is well"))
    require_running(ledger.reader)
    ended, begun = page(ledger.reader, limit=2)
    assert (begun.action, begun.actor, begun.role) == ("commands.paused", BEN, "admin")
    assert (ended.action, ended.before) == ("commands.resumed", {"paused": "we look at something"})


async def test_members_pause_nothing(ledger: LedgerService, admin: Actor) -> None:
    with pytest.raises(Refused, match="role_too_low"):
        await ledger.journal.submit(pause_unit(Actor(ANN), "fun"))
    await ledger.journal.submit(pause_unit(admin, "why"))
    with pytest.raises(Refused, match="role_too_low"):
        await ledger.journal.submit(resume_unit(Actor(ANN), "fun"))


async def test_each_is_said_once_and_with_a_reason(ledger: LedgerService, admin: Actor) -> None:
    with pytest.raises(Refused, match="not_paused"):
        await ledger.journal.submit(resume_unit(admin, "why"))
    with pytest.raises(Refused, match="reason_missing"):
        await ledger.journal.submit(pause_unit(admin, " "))
    await ledger.journal.submit(pause_unit(admin, "why"))
    with pytest.raises(Refused, match="already_paused"):
        await ledger.journal.submit(pause_unit(admin, "why"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM pauses",
        "UPDATE pauses SET reason = 'another'",
        "UPDATE pauses SET lifted_note = 'another'",
        "INSERT INTO pauses (actor, reason, paused_at) VALUES (0, 'a', 1), (0, 'b', 1)",
    ],
)
async def test_the_database_keeps_what_was(
    ledger: LedgerService, path: Path, admin: Actor, statement: str
) -> None:
    await ledger.journal.submit(pause_unit(admin, "why"))
    await ledger.journal.submit(resume_unit(admin, "well"))
    connection = open_writer(path)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
