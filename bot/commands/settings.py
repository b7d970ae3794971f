"""/settings: what is set for this group; everybody may read it, admins change it by its buttons."""

from collections.abc import Awaitable
from typing import Final

from bot.chatsettings import ChatSettings, decide_setting, settings_of
from bot.context import Context
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from ledger.roles import Role
from ledger.units import Beside, Unit

NEWCOMER_HOURS: Final = (0, 1, 24, 168)
"""What the button goes through."""


async def settings(context: Context) -> Result:
    """Show what is set."""
    return _menu(settings_of(context.bank.service.reader, context.chat.id), context.role)


async def change(context: Context) -> Result:
    """Set what was pressed."""
    name, value = context.arguments["name"], context.arguments["value"]

    def perform(beside: Beside) -> Awaitable[ChatSettings]:
        unit = Unit(
            lambda view: decide_setting(view, context.actor, context.chat, name, value), beside=beside
        )
        return context.bank.service.journal.submit(unit)

    return Effect(perform, lambda after: _menu(after, context.role))


def _menu(shown: ChatSettings, role: Role) -> Answer:
    return Answer("settings.shown", shown._asdict(), choices=_choices(shown) if role >= Role.ADMIN else ())


def _choices(shown: ChatSettings) -> tuple[Choice, ...]:
    hours = shown.giveaway_newcomer_hours
    later = next((each for each in NEWCOMER_HOURS if each > hours), NEWCOMER_HOURS[0])
    creator = {"name": "giveaway_creator", "value": not shown.giveaway_creator}
    jailed = {"name": "giveaway_jailed", "value": not shown.giveaway_jailed}
    return (
        Choice("settings.forbid_creator" if shown.giveaway_creator else "settings.allow_creator", creator),
        Choice("settings.forbid_jailed" if shown.giveaway_jailed else "settings.allow_jailed", jailed, row=1),
        Choice(
            "settings.newcomers", {"name": "giveaway_newcomer_hours", "value": later, "hours": later}, row=2
        ),
    )


ACTIONS: Final = (
    "settings.allow_creator",
    "settings.forbid_creator",
    "settings.allow_jailed",
    "settings.forbid_jailed",
    "settings.newcomers",
)

COMMAND = Command(
    "settings",
    "what is set for this group",
    settings,
    in_private=False,
    actions=dict.fromkeys(ACTIONS, change),
    action_roles=dict.fromkeys(ACTIONS, Role.ADMIN),
)
