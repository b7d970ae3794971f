"""The HTTP API that plays people: whatever they can do in their apps, and what goes wrong on purpose."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, Field

from sandbox.page.views import (
    ChatView,
    MessageView,
    PersonView,
    chat_view,
    message_at,
    message_view,
    person_view,
)
from sandbox.telegram import Chat, Fault, Message, Telegram, User
from sandbox.telegram.faults import FaultKind
from sandbox.telegram.media import MediaKind
from sandbox.telegram.methods.settings import scope_key

_LONGEST_WAIT_SECONDS: Final = 25.0
_OWN_USERS: Final = {1087968824, 136817688, 777000}


class NewPerson(BaseModel):
    """Somebody who joins Telegram."""

    first_name: str = Field(min_length=1, max_length=64)
    username: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]{3,32}$")
    id: int | None = Field(default=None, gt=0)


class NewGroup(BaseModel):
    """A group to make, with people and bots by their ids."""

    title: str = Field(min_length=1, max_length=128)
    creator: int
    members: list[int] = Field(default_factory=list)
    kind: Literal["group", "supergroup", "channel"] = "supergroup"
    is_forum: bool = False


class Standing(BaseModel):
    """What somebody is to become in a chat."""

    status: Literal["member", "administrator", "left", "kicked"]
    anonymous: bool = False


class Mention(BaseModel):
    """Words of a text that mention somebody without a @name."""

    text: str
    user_id: int


class NewMessage(BaseModel):
    """A text to say, or the caption of ``media``."""

    text: str = Field(default="", max_length=4096)
    media: MediaKind | None = Field(default=None, description="to send this instead of words")
    reply_to: int | None = None
    mentions: list[Mention] = Field(default_factory=list, max_length=20)
    thread: int | None = None
    ephemeral: bool = Field(default=False, description="an ephemeral command: only the bot sees it")


class Edit(BaseModel):
    """A new text for an old message."""

    text: str = Field(max_length=4096)


class Tap(BaseModel):
    """A button to press, by place; ``callback_data`` forges what is sent, as a changed app could."""

    row: int = 0
    column: int = 0
    callback_data: str | None = Field(default=None, max_length=64)


class Forward(BaseModel):
    """Where to forward a message."""

    to: str = Field(description="key of a chat")


class Reaction(BaseModel):
    """An emoji, or none to take it back."""

    emoji: str | None = None


class TapView(BaseModel):
    """A tap and what the bot answered, if it did."""

    id: str
    answered: bool
    text: str = ""
    show_alert: bool = False


class CommandView(BaseModel):
    """A line of the menu behind the slash."""

    command: str
    description: str


class Changes(BaseModel):
    """How many changes there were."""

    version: int


class NewFault(BaseModel):
    """What shall go wrong with the next ``times`` calls of ``method`` (``*``: any)."""

    kind: FaultKind
    method: str = "*"
    times: int = Field(default=1, ge=1, le=1000)
    code: int = Field(default=500, ge=400, le=599)
    description: str = "Internal Server Error"
    retry_after: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0, le=600)


class Redelivery(BaseModel):
    """How many confirmed updates shall be delivered again, with their old ids."""

    count: int = Field(default=1, ge=1, le=1000)


class Shift(BaseModel):
    """How far Telegram's clock is ahead of the bot's; below zero, messages look old to the bot."""

    seconds: int = Field(ge=-(10**7), le=10**7)


class People:
    """The endpoints; each acts on the one Telegram."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram

    # Finding what a path names

    def person(self, person: int) -> User:
        """Return a person. Raises HTTPException 404."""
        user = self.telegram.state.users.get(person)
        if user is None or user.is_bot:
            raise HTTPException(404, f"no person {person}")
        return user

    def chat(self, person: int, key: str) -> Chat:
        """Return a chat that a person has. Raises HTTPException 404."""
        chat = self.telegram.state.chats.get(key)
        if chat is None or not chat.has(self.person(person).id):
            raise HTTPException(404, f"person {person} has no chat {key}")
        return chat

    def message(self, person: int, key: str, ref: str) -> Message:
        """Return a message that a person sees. Raises HTTPException 404."""
        message = message_at(self.chat(person, key), ref)
        if message is None or not self.telegram.sees(person, message):
            raise HTTPException(404, f"no message {ref} for person {person}")
        return message

    # Looking

    async def people(self) -> list[PersonView]:
        """List the people that can be played."""
        users = self.telegram.state.users.values()
        return [person_view(user) for user in users if not user.is_bot and user.id not in _OWN_USERS]

    async def bots(self) -> list[PersonView]:
        """List the bots."""
        return [person_view(bot.user) for bot in self.telegram.state.bots.values()]

    async def chats(self, person: int) -> list[ChatView]:
        """List the chats of a person, groups first, then private ones; the one with each bot always exists."""
        user = self.person(person)
        for bot in self.telegram.state.bots.values():
            self.telegram.private(user, bot)
        chats = sorted(self.telegram.chats(user), key=lambda chat: chat.type == "private")
        return [chat_view(self.telegram, chat, person) for chat in chats]

    async def messages(
        self,
        person: int,
        key: str,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[MessageView]:
        """Return the last messages of a chat, oldest first, as this person sees them."""
        found = self.telegram.messages(self.chat(person, key), person)
        return [message_view(self.telegram, message) for message in found[-limit:]]

    async def commands(self, person: int, key: str) -> list[CommandView]:
        """Return the bot's menu in a chat: of the narrowest scope that has one."""
        chat = self.chat(person, key)
        for bot in self.telegram.bots_in(chat):
            for scope in _scopes(chat, person):
                menu = bot.commands.get(scope_key(scope))
                if menu:
                    return [CommandView.model_validate(command) for command in menu]
        return []

    async def changes(
        self,
        after: Annotated[int, Query(description="the version seen last")] = 0,
        timeout_seconds: Annotated[float, Query(ge=0, le=_LONGEST_WAIT_SECONDS)] = 0,
    ) -> Changes:
        """Wait until there were more than ``after`` changes, or the time is over."""
        signal = self.telegram.changes
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await signal.after(after)
        return Changes(version=signal.version)

    async def file(self, file_id: str) -> Response:
        """Return a file that was sent."""
        file = self.telegram.state.files.get(file_id)
        if file is None:
            raise HTTPException(404, f"no file {file_id}")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return Response(file.content, media_type=file.mime, headers=headers)

    # Acting

    async def new_person(self, new: NewPerson) -> PersonView:
        """Add a person."""
        return person_view(self.telegram.person(new.first_name, new.username, user_id=new.id))

    async def new_group(self, new: NewGroup) -> ChatView:
        """Make a group."""
        members = [self._user(member) for member in new.members]
        creator = self.person(new.creator)
        chat = self.telegram.group(new.title, creator, members, kind=new.kind, is_forum=new.is_forum)
        return chat_view(self.telegram, chat, creator.id)

    async def set_member(self, key: str, user: int, standing: Standing) -> ChatView:
        """Let somebody join, be promoted or demoted, leave or be banned."""
        chat, who = self._group(key), self._user(user)
        match standing.status:
            case "left":
                self.telegram.leave(who, chat)
            case "kicked":
                self.telegram.remove(who, chat)
            case "administrator":
                self.telegram.promote(who, chat, anonymous=standing.anonymous)
            case "member" if chat.is_admin(user):
                self.telegram.demote(who, chat)
            case "member":
                self.telegram.join(who, chat)
        return chat_view(self.telegram, chat, user)

    async def migrate(self, key: str) -> dict[str, str]:
        """Turn a basic group into a supergroup; returns the key of the new one."""
        return {"key": self.telegram.migrate(self._group(key)).key}

    async def say(self, person: int, key: str, new: NewMessage) -> MessageView:
        """Say something, or send something else than words."""
        if new.media is not None:
            return message_view(
                self.telegram,
                self.telegram.send_media(
                    self.person(person), self.chat(person, key), new.media, caption=new.text
                ),
            )
        message = self.telegram.say(
            self.person(person),
            self.chat(person, key),
            new.text,
            reply_to=new.reply_to,
            mentions={mention.text: self._user(mention.user_id) for mention in new.mentions},
            thread=new.thread,
            ephemeral=new.ephemeral,
        )
        return message_view(self.telegram, message)

    async def edit(self, person: int, key: str, ref: str, edit: Edit) -> MessageView:
        """Change an own message."""
        message = self.telegram.edit(self.person(person), self.message(person, key, ref), edit.text)
        return message_view(self.telegram, message)

    async def forward(self, person: int, key: str, ref: str, forward: Forward) -> MessageView:
        """Forward a message into another chat of this person."""
        message = self.message(person, key, ref)
        sent = self.telegram.forward(self.person(person), message, self.chat(person, forward.to))
        return message_view(self.telegram, sent)

    async def react(self, person: int, key: str, ref: str, reaction: Reaction) -> MessageView:
        """React to a message."""
        message = self.message(person, key, ref)
        self.telegram.react(self.person(person), message, reaction.emoji)
        return message_view(self.telegram, message)

    async def tap(self, person: int, key: str, ref: str, tap: Tap) -> TapView:
        """Press a button."""
        query = self.telegram.tap(
            self.person(person),
            self.message(person, key, ref),
            row=tap.row,
            column=tap.column,
            forged=tap.callback_data,
        )
        return TapView(id=query.id, answered=False)

    async def tapped(
        self,
        query_id: str,
        timeout_seconds: Annotated[float, Query(ge=0, le=_LONGEST_WAIT_SECONDS)] = 0,
    ) -> TapView:
        """Return what the bot answered to a tap, waiting for it if asked to."""
        query = self.telegram.state.queries.get(query_id)
        if query is None:
            raise HTTPException(404, f"no tap {query_id}")
        with suppress(TimeoutError):
            await self.telegram.until(lambda: query.answered, timeout_seconds)
        return TapView.model_validate({"id": query_id, "answered": query.answered} | (query.answer or {}))

    async def block(self, person: int, bot: int) -> None:
        """Let a person block a bot."""
        self.telegram.block(self.person(person), self._bot(bot))

    async def unblock(self, person: int, bot: int) -> None:
        """Let a person unblock a bot."""
        self.telegram.block(self.person(person), self._bot(bot), blocked=False)

    # Going wrong on purpose

    async def add_fault(self, fault: NewFault) -> None:
        """Let calls of the Bot API go wrong."""
        self.telegram.faults.add(Fault(**fault.model_dump()))

    async def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        self.telegram.faults.clear()

    async def shift_clock(self, shift: Shift) -> None:
        """Set Telegram's clock ahead of the bot's, or behind it."""
        self.telegram.shift_seconds = shift.seconds

    async def redeliver(self, bot: int, redelivery: Redelivery) -> None:
        """Deliver confirmed updates again."""
        self.telegram.queues[self._bot(bot).user.id].redeliver(redelivery.count)

    async def repeat(self, person: int, key: str, ref: str) -> None:
        """Deliver a message once more in a new update."""
        self.telegram.repeat(self.message(person, key, ref))

    async def poison(self, bot: int) -> None:
        """Send an update that no library can parse."""
        self.telegram.poison(self._bot(bot))

    def _user(self, user: int) -> User:
        found = self.telegram.state.users.get(user)
        if found is None:
            raise HTTPException(404, f"no user {user}")
        return found

    def _bot(self, bot: int) -> Any:
        account = self.telegram.state.bots.get(bot)
        if account is None:
            raise HTTPException(404, f"no bot {bot}")
        return account

    def _group(self, key: str) -> Chat:
        chat = self.telegram.state.chats.get(key)
        if chat is None or chat.type == "private":
            raise HTTPException(404, f"no group {key}")
        return chat


def _scopes(chat: Chat, person: int) -> list[dict[str, Any]]:
    """Return the scopes of a menu from the narrowest to the widest, as Telegram looks them up."""
    if chat.type == "private":
        return [{"type": "chat", "chat_id": person}, {"type": "all_private_chats"}, {"type": "default"}]
    admin = chat.is_admin(person)
    named: list[dict[str, Any]] = [{"type": "chat_member", "chat_id": chat.id, "user_id": person}]
    if admin:
        named.append({"type": "chat_administrators", "chat_id": chat.id})
    named.append({"type": "chat", "chat_id": chat.id})
    if admin:
        named.append({"type": "all_chat_administrators"})
    return [*named, {"type": "all_group_chats"}, {"type": "default"}]


def router(telegram: Telegram) -> APIRouter:
    """Return the endpoints under ``/api``."""
    people = People(telegram)
    api = APIRouter(prefix="/api")
    chat = "/people/{person}/chats/{key}"
    message = chat + "/messages/{ref}"
    looking, acting, faults = {"tags": ["look"]}, {"tags": ["act"]}, {"tags": ["faults"]}
    routes: list[tuple[str, str, Any, dict[str, Any]]] = [
        ("GET", "/people", people.people, looking),
        ("GET", "/bots", people.bots, looking),
        ("GET", "/people/{person}/chats", people.chats, looking),
        ("GET", chat + "/messages", people.messages, looking),
        ("GET", chat + "/commands", people.commands, looking),
        ("GET", "/changes", people.changes, looking),
        ("GET", "/taps/{query_id}", people.tapped, looking),
        ("GET", "/files/{file_id}", people.file, looking),
        ("POST", "/people", people.new_person, acting),
        ("POST", "/groups", people.new_group, acting),
        ("PUT", "/groups/{key}/members/{user}", people.set_member, acting),
        ("POST", "/groups/{key}/migrations", people.migrate, acting),
        ("POST", chat + "/messages", people.say, acting),
        ("PATCH", message, people.edit, acting),
        ("POST", message + "/taps", people.tap, acting),
        ("POST", message + "/forwards", people.forward, acting),
        ("PUT", message + "/reaction", people.react, acting),
        ("PUT", "/people/{person}/blocks/{bot}", people.block, acting),
        ("DELETE", "/people/{person}/blocks/{bot}", people.unblock, acting),
        ("POST", "/faults", people.add_fault, faults),
        ("DELETE", "/faults", people.clear_faults, faults),
        ("PUT", "/clock", people.shift_clock, faults),
        ("POST", "/bots/{bot}/redeliveries", people.redeliver, faults),
        ("POST", "/bots/{bot}/poison", people.poison, faults),
        ("POST", message + "/repeats", people.repeat, faults),
    ]
    for method, path, endpoint, options in routes:
        api.add_api_route(path, endpoint, methods=[method], operation_id=endpoint.__name__, **options)
    return api
