"""What was said or pressed, understood: which command or action, by whom, where, and under which key."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from bot import inbox
from bot.buttons import Button
from bot.context import Bank, Context
from bot.inbox import Item
from bot.intents import Called, Chat, ChatKind, Intent, Person, Said, Tapped, called
from bot.registry import Act, Command, Registry
from bot.results import Answer, Choice
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.ports import Clock
from ledger.roles import Actor, Role, role_of

OLD_MS: Final = 3 * 60 * 1000
"""A command older than this may ask before it acts: its sender may have given up on it (telegram.md)."""
AGAIN: Final = "command.again"
DISMISS: Final = "command.dismiss"


class Call(NamedTuple):
    """A command or a button's action, understood and allowed to nobody yet."""

    command: Command | None
    act: Act
    context: Context
    needs: Role = Role.MEMBER
    asks_first: bool = False
    lasting: bool = False
    """It was pressed below a message that goes on telling something."""
    typed: bool = False
    rests: bool = False
    """A pause of money commands stops it."""


class Calls:
    """Understands what people want. ``read`` reads a kept update again."""

    def __init__(
        self, bank: Bank, registry: Registry, clock: Clock, read: Callable[[Mapping[str, Any]], Intent]
    ) -> None:
        self._bank = bank
        self._registry = registry
        self._clock = clock
        self._read = read

    def said(self, item: Item, said: Said, *, old_asks: bool) -> Call | None:
        """Return what ``said`` asks for, None when it asks for nothing; raises Refused."""
        if said.sender is None or not said.sender.can_own or said.forwarded or said.via_bot:
            return None
        typed = called(said)
        if said.edited:
            self._edited(typed)
            return None
        typed = typed or self._heard(said)
        if typed is None:
            self._talk(said.chat)
            return None
        command = self._registry.named(typed.name)
        if command is None:
            self._unknown(typed, said.chat)
            return None
        context = self._context(said.sender, said.chat, item.key)
        context = replace(
            context,
            args=typed.args,
            entities=typed.entities,
            reply=said.reply,
            ephemeral=said.ephemeral is not None,
        )
        context = replace(context, arguments={"inbox": item.id, "typed": typed.name})
        old = old_asks and command.waits_when_old and self._clock.now() - said.at > OLD_MS
        rests = command.rests(None, command.role)
        return Call(command, command.act, context, command.role, asks_first=old, typed=True, rests=rests)

    def _heard(self, said: Said) -> Called | None:
        """Return the command that understands what was said in private without naming it."""
        command = self._registry.heard(said.text) if said.chat.private else None
        return Called(command.name, None, said.text, said.entities) if command else None

    def _talk(self, chat: Chat) -> None:
        """Talk is the group's own; in private somebody waits for an answer."""
        if chat.private:
            raise Refused("command_missing")

    def _edited(self, typed: Called | None) -> None:
        """Edited messages never act; whoever edited a command expects a word about it."""
        if typed is not None and self._registry.named(typed.name):
            raise Refused("command_edited", command=typed.name)

    def _unknown(self, typed: Called, chat: Chat) -> None:
        """In a group an unknown command is another bot's, unless it names this one."""
        if chat.private or typed.bot is not None:
            raise Refused("command_unknown", command=typed.name)

    def pressed(self, button: Button, tapped: Tapped) -> Call:
        """Return what ``button`` does for whoever pressed it; raises Refused."""
        chat = tapped.chat or Chat(tapped.sender.id, ChatKind.PRIVATE)
        context = self._context(tapped.sender, chat, button.key(tapped.sender.id))
        context = replace(context, arguments=button.arguments, ephemeral=tapped.ephemeral is not None)
        if button.action == AGAIN:
            return self._again(button, tapped)
        if button.action == DISMISS:
            return Call(None, _dismissed, context)
        found = self._registry.action(button.action)
        if found is None:
            raise Refused("button_unknown")
        command, act = found
        needs = command.role_of(button.action)
        lasting = button.action in command.lasting
        rests = command.rests(button.action, needs)
        return Call(command, act, context, needs, lasting=lasting, rests=rests)

    def _again(self, button: Button, tapped: Tapped) -> Call:
        """Return the old command that its sender wants after all, under the key of its message.

        Where the question was asked apart from the group, nobody there sees the answer either.
        """
        item = inbox.find(self._bank.service.reader, self._read, int(button.arguments["inbox"]))
        deed = item.intent.deed if item else None
        if item is None or not isinstance(deed, Said) or deed.sender is None:
            raise Refused("button_unknown")
        call = self.said(item, deed, old_asks=False) if deed.sender.id == tapped.sender.id else None
        if call is None:
            raise Refused("button_unknown")
        apart = tapped.ephemeral is not None or tapped.chat is None or tapped.chat.id != deed.chat.id
        return call._replace(context=replace(call.context, ephemeral=call.context.ephemeral or apart))

    def _context(self, who: Person, chat: Chat, key: str) -> Context:
        if not who.can_own:
            raise Refused("command_not_for_bots")
        actor = Actor(AccountId(who.id), owner=who.id in self._bank.owners)
        role = role_of(self._bank.service.reader, actor)
        return Context(self._bank, who, role, chat, key, self._clock.now())


def allow(call: Call) -> None:
    """Check role and scope, at the moment of the act (telegram.md, Who is who)."""
    if call.command is None:
        return
    if call.context.role < call.needs:
        raise Refused("role_too_low", needed=call.needs.word)
    if not call.command.fits(call.context.chat):
        raise Refused("command_elsewhere", command=call.command.name, private=call.command.in_private)


def ask(context: Context, command: Command) -> Answer:
    """Return the question whether an old command is still meant."""
    facts = {"command": command.name, "typed": f"/{command.name} {context.args}".rstrip()}
    inbox_id = {"inbox": context.arguments["inbox"]}
    return Answer("command.old", facts, choices=(Choice(AGAIN, inbox_id), Choice(DISMISS)), private=True)


async def _dismissed(_context: Context) -> Answer:
    return Answer("command.dismissed")
