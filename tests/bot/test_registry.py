"""Commands are declared once, and everything else is made from that."""

from typing import Any

import pytest

import bot.commands
from bot.context import Context
from bot.intents import Chat, ChatKind
from bot.registry import Command, Registry, discover
from bot.results import Result
from ledger.roles import Role, role_named

PRIVATE = Chat(11, ChatKind.PRIVATE)
GROUP = Chat(-11, ChatKind.SUPERGROUP)


async def act(_context: Context) -> Result:
    return None


def test_every_file_of_commands_is_found() -> None:
    names = {command.name for command in discover(bot.commands)}
    assert {"start", "help", "balance", "deposit", "withdraw", "send", "history"} <= names


def test_an_alias_names_its_command() -> None:
    registry = Registry([Command("send", "pay", act, aliases=("tip",))])
    assert registry.named("tip") is registry.named("send")


def test_a_text_without_a_command_is_heard_by_whom_it_is_meant_for() -> None:
    registry = Registry(
        [Command("deaf", "", act), Command("keen", "", act, hears=lambda text: text.startswith("{"))]
    )
    assert registry.heard("{}") is registry.named("keen")
    assert registry.heard("hello") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Command("send", "", act), Command("send", "", act)),
        (Command("send", "", act, aliases=("tip",)), Command("tip", "", act)),
        (Command("a", "", act, actions={"x": act}), Command("b", "", act, actions={"x": act})),
    ],
)
def test_two_commands_never_share_a_name(one: Command, other: Command) -> None:
    with pytest.raises(ValueError, match="two commands claim"):
        Registry([one, other])


@pytest.mark.parametrize("more", [{"action_roles": {"y": Role.ADMIN}}, {"goes_on": frozenset({"y"})}])
def test_a_command_speaks_of_its_own_actions_alone(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="something of actions"):
        Registry([Command("a", "", act, actions={"x": act}, **more)])


def test_a_pause_stops_what_moves_money_and_takes_no_rank() -> None:
    pays = Command("a", "", act, actions={"x": act}, moves_money=True, goes_on=frozenset({"x"}))
    assert pays.rests(None, Role.ELEVATED)
    assert not pays.rests(None, Role.ADMIN)
    assert not pays.rests("x", Role.MEMBER)
    assert not Command("b", "", act).rests(None, Role.MEMBER)


@pytest.mark.parametrize(
    "name", ["unfreeze", "resume", "limits", "role", "forgive", "unjail", "cancelgiveaway", "send", "fine"]
)
def test_what_gives_way_or_changes_something_is_asked_about_when_it_is_old(name: str) -> None:
    command = discover(bot.commands).named(name)
    assert command is not None
    assert command.waits_when_old


@pytest.mark.parametrize("name", ["freeze", "pause", "balance"])
def test_what_stops_something_or_shows_it_comes_never_too_late(name: str) -> None:
    command = discover(bot.commands).named(name)
    assert command is not None
    assert not command.waits_when_old


def test_a_menu_shows_what_its_reader_may_use_there() -> None:
    registry = Registry(
        [
            Command("all", "", act),
            Command("admins", "", act, role=Role.ADMIN),
            Command("here", "", act, in_private=False),
        ]
    )
    assert [command.name for command in registry.allowed(Role.MEMBER, PRIVATE)] == ["all"]
    assert [command.name for command in registry.allowed(Role.ADMIN, GROUP)] == ["admins", "all", "here"]


def test_an_unknown_role_may_nothing_special() -> None:
    assert [role_named(name) for name in ("owner", "admin", "king", "")] == [
        Role.OWNER,
        Role.ADMIN,
        Role.MEMBER,
        Role.MEMBER,
    ]
