"""The declaration of a command, and the list of all: /help, menus and roles are made from it; README.md must name each.

Adding a command is adding one file to bot/commands/ with a module-level ``COMMAND`` (or ``COMMANDS``, several):

    async def balance(context: Context) -> Result:
        '''Return what the asker owns.'''
        return Answer("balance.shown", {...}, private=True)

    COMMAND = Command("balance", "what you own", balance)
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

from bot.context import Bank, Context
from bot.intents import Chat
from bot.results import Answer, Result
from ledger.roles import Role

V = TypeVar("V")

Act = Callable[[Context], Awaitable[Result]]
Card = Callable[[Bank, Mapping[str, Any]], Answer | None]
"""Returns what a subject looks like now, from the facts of its row; None: there is nothing to show any more."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as people know it.

    ``act`` gets a Context and answers with a Result. ``actions`` are what its buttons do, by name
    (``withdraw.confirm``); each is allowed to whom the command is.
    """

    name: str
    summary: str
    """One line for /help and for Telegram's menu, beginning in lower case."""
    act: Act
    arguments: str = ""
    """As shown in /help: ``<amount> <who> [note]``."""
    aliases: tuple[str, ...] = ()
    role: Role = Role.MEMBER
    in_private: bool = True
    in_group: bool = True
    moves_money: bool = False
    """True: it rests while an admin paused (ledger.pauses), and ``asks_when_old`` holds too."""
    asks_when_old: bool = False
    """True: an old message asks before it acts, instead of acting: its sender may mean it no more."""
    examples: tuple[str, ...] = ()
    actions: Mapping[str, Act] = field(default_factory=dict)
    action_roles: Mapping[str, Role] = field(default_factory=dict)
    """Of actions that take a higher role than the command itself."""
    lasting: frozenset[str] = frozenset()
    """Actions below messages that go on telling something: a refusal is told over the chat and leaves them alone."""
    goes_on: frozenset[str] = frozenset()
    """Actions that a pause does not stop: they move no coin, or only give back to the presser what waits."""
    hears: Callable[[str], bool] | None = None
    """Tells of a text without a command, said in private, whether it is meant for this command."""
    cards: Mapping[str, "Card"] = field(default_factory=dict)
    """What live rows of the outbox show, by event: see `ledger.outbox.live`."""

    @property
    def usage(self) -> str:
        """The command as one types it."""
        return f"/{self.name} {self.arguments}".rstrip()

    @property
    def waits_when_old(self) -> bool:
        """Tell whether an old message of it is asked about."""
        return self.moves_money or self.asks_when_old

    def role_of(self, action: str) -> Role:
        """Return the role that a press of ``action`` takes."""
        return max(self.role, self.action_roles.get(action, self.role))

    def rests(self, action: str | None, needs: Role) -> bool:
        """Tell whether a pause stops this command, or a press of ``action`` of it that takes the role ``needs``.

        Admins go on: they may have to mend what the pause is about.
        """
        return self.moves_money and needs < Role.ADMIN and action not in self.goes_on

    def fits(self, chat: Chat) -> bool:
        """Tell whether it may be used in ``chat``."""
        return self.in_private if chat.private else self.in_group


class Registry:
    """All commands of the program; raises ValueError when two claim one name, action or card."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._commands = tuple(sorted(commands, key=lambda command: command.name))
        self._by_name: dict[str, Command] = {}
        self._by_action: dict[str, tuple[Command, Act]] = {}
        self.cards: dict[str, Card] = {}
        for command in self._commands:
            for name in (command.name, *command.aliases):
                _claim(self._by_name, name, command)
            for action, act in command.actions.items():
                _claim(self._by_action, action, (command, act))
            for event, card in command.cards.items():
                _claim(self.cards, event, card)
            spoken_of = command.action_roles.keys() | command.lasting | command.goes_on
            if unknown := spoken_of - command.actions.keys():
                raise ValueError(f"{command.name} says something of actions that it does not have: {unknown}")

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands)

    def named(self, name: str) -> Command | None:
        """Return the command called ``name`` (lower case, without slash), by name or alias."""
        return self._by_name.get(name)

    def heard(self, text: str) -> Command | None:
        """Return the command that ``text``, which begins with none, is meant for."""
        return next((each for each in self._commands if each.hears is not None and each.hears(text)), None)

    def action(self, name: str) -> tuple[Command, Act] | None:
        """Return the command that owns button action ``name``, and what the press does."""
        return self._by_action.get(name)

    def allowed(self, role: Role, chat: Chat) -> list[Command]:
        """Return what a person of ``role`` may use in ``chat``, by name: what /help and the menu list."""
        return [command for command in self._commands if command.role <= role and command.fits(chat)]


def _claim(table: dict[str, V], name: str, value: V) -> None:
    if name in table:
        raise ValueError(f"two commands claim {name}")
    table[name] = value


def discover(package: ModuleType) -> Registry:
    """Import every module of ``package`` (bot.commands) and return the commands they declare."""
    found: list[Command] = []
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        namespace = vars(importlib.import_module(module.name))
        found += namespace.get("COMMANDS", ())
        found += [namespace["COMMAND"]] if "COMMAND" in namespace else []
    return Registry(found)
