"""Telegram's own part: where messages lie, and which bot gets to know of what."""

import random
from collections.abc import Callable, Iterable
from typing import Any, Final

from ledger.ports import Clock
from sandbox.telegram.faults import FaultTable
from sandbox.telegram.flood import FloodGate, FloodLimits
from sandbox.telegram.model import (
    CHANNEL_BOT,
    GROUP_ANONYMOUS_BOT,
    TELEGRAM,
    BotAccount,
    Chat,
    File,
    Member,
    Message,
    Query,
    State,
    User,
)
from sandbox.telegram.refusals import bad_request, forbidden
from sandbox.telegram.render import ALL_PERMISSIONS, chat_json, member_json, message_json, user_json
from sandbox.telegram.signal import Signal
from sandbox.telegram.updates import UpdateQueue

_MOST_MESSAGES_A_CHAT: Final = 2_000
_MOST_QUERIES: Final = 10_000
CALLBACK_SECONDS: Final = 15
"""How long a tap waits for its answer."""


class World:
    """The state of Telegram and the rules of delivery; what bots and people do is built on top of it."""

    def __init__(self, *, clock: Clock, rng: random.Random, flood: FloodLimits | None = None) -> None:
        self.clock = clock
        self.rng = rng
        self.shift_seconds = 0
        """How far Telegram's clock is ahead of ours: below zero, messages look old to the bot."""
        self.ignores_ephemeral = False
        """True: as a server that knows such messages, but not the parameter that asks for one, and shows them to all."""
        self.state = State()
        self.queues: dict[int, UpdateQueue] = {}
        self.changes = Signal()
        self.followers: list[Callable[[Message], None]] = []
        """Called with each message when it is posted and when it changes."""
        self.faults = FaultTable()
        self.flood = FloodGate(clock, flood)
        for user, name, username in (
            (GROUP_ANONYMOUS_BOT, "Group", "GroupAnonymousBot"),
            (CHANNEL_BOT, "Channel", "Channel_Bot"),
        ):
            self.state.users[user] = User(user, name, username, is_bot=True)
        self.state.users[TELEGRAM] = User(TELEGRAM, "Telegram")

    def now(self) -> int:
        """Return Telegram's time in whole seconds, as the Bot API counts it."""
        return self.clock.now() // 1000 + self.shift_seconds

    # Who and where

    def user(self, user: int) -> dict[str, Any] | None:
        """Return the User object of ``user``, None for somebody who does not exist."""
        known = self.state.users.get(user)
        return None if known is None else user_json(known)

    def bots_in(self, chat: Chat) -> list[BotAccount]:
        """Return the bots that take part in ``chat``."""
        return [bot for bot in self.state.bots.values() if chat.has(bot.user.id)]

    def standing(self, chat: Chat, user: int) -> Member:
        """Return the standing of ``user``, with restrictions and bans that have run out ended."""
        member = chat.member(user)
        if member.until and member.until <= self.now() and member.status in {"restricted", "kicked"}:
            member = Member("member" if member.status == "restricted" else "left")
            chat.members[user] = member
        return member

    def may(self, chat: Chat, user: int, right: str) -> bool:
        """Tell whether ``user`` may do in ``chat`` what the permission ``right`` allows."""
        member = self.standing(chat, user)
        if chat.type == "private" or member.status in {"creator", "administrator"}:
            return True
        own = member.rights.get(right, False) if member.status == "restricted" else True
        return own and (chat.permissions or ALL_PERMISSIONS).get(right, False)

    def chat_for(self, bot: BotAccount, chat_id: str) -> Chat:
        """Return the chat that ``bot`` means. Raises ApiError 400 (unknown, migrated) or 403 (never spoken)."""
        if chat_id.startswith("@"):
            return self._by_username(chat_id[1:])
        try:
            number = int(chat_id)
        except ValueError:
            raise bad_request("chat not found") from None
        if number > 0:
            return self._private_for(bot, number)
        chat = self.state.chats.get(f"g:{number}")
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise bad_request(
                "group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.migrated_to,
            )
        return chat

    def _by_username(self, username: str) -> Chat:
        for chat in self.state.chats.values():
            if chat.username and chat.username.lower() == username.lower():
                return chat
        raise bad_request("chat not found")

    def _private_for(self, bot: BotAccount, person: int) -> Chat:
        chat = self.state.chats.get(f"p:{bot.user.id}:{person}")
        if chat is not None and chat.started:
            return chat
        met = any(
            other.type != "private" and bot.user.id in other.members and person in other.members
            for other in self.state.chats.values()
        )
        if not met:
            raise bad_request("chat not found")
        if self.state.users[person].is_bot:
            raise forbidden("bots can't send messages to bots")
        raise forbidden("bot can't initiate conversation with a user")

    # Messages

    def post(self, chat: Chat, sender: int, content: dict[str, Any], **more: Any) -> Message:
        """Put a message into ``chat`` and tell the bots that may read it."""
        message = Message(chat.next_message_id, chat.key, sender, self.now(), content, **more)
        chat.next_message_id += 1
        self._number(message)
        chat.messages[message.id] = message
        while len(chat.messages) > _MOST_MESSAGES_A_CHAT:
            del chat.messages[next(iter(chat.messages))]
        if sender in self.state.bots:
            chat.last_bot = sender
        self.touched(message)
        self.tell(message, "channel_post" if chat.type == "channel" else "message")
        return message

    def post_ephemeral(
        self, chat: Chat, sender: int, receiver: int, content: dict[str, Any], **more: Any
    ) -> Message:
        """Put a message into ``chat`` that only ``sender`` and ``receiver`` see."""
        number = self.state.next_ephemeral_id
        self.state.next_ephemeral_id += 1
        message = Message(
            0, chat.key, sender, self.now(), content, receiver=receiver, ephemeral_id=number, **more
        )
        self._number(message)
        chat.ephemeral[number] = message
        while len(chat.ephemeral) > _MOST_MESSAGES_A_CHAT:
            del chat.ephemeral[next(iter(chat.ephemeral))]
        self.touched(message)
        if receiver in self.state.bots:
            self.queues[receiver].put("message", message_json(self.state, message))
        return message

    def _number(self, message: Message) -> None:
        self.state.posted += 1
        message.order = self.state.posted

    def touched(self, message: Message | None = None) -> None:
        """Note that something changed, for those who look at chats."""
        self.changes.touch()
        if message is not None:
            message.changed = self.changes.version
            for follow in self.followers:
                follow(message)

    def tell(self, message: Message, kind: str) -> None:
        """Queue ``message`` as an update of ``kind`` for every bot that may read it."""
        chat = self.state.chats[message.chat]
        for bot in self.bots_in(chat):
            if bot.user.id != message.sender and self._reads(bot, chat, message):
                self.queues[bot.user.id].put(kind, message_json(self.state, message))

    def _reads(self, bot: BotAccount, chat: Chat, message: Message) -> bool:
        """Privacy mode: commands, answers to the bot, messages via it, and what Telegram itself writes."""
        author = self.state.users[message.sender]
        if author.is_bot and message.sender_chat is None:
            return False
        if chat.type in {"private", "channel"} or not bot.privacy or chat.is_admin(bot.user.id):
            return True
        original = chat.messages.get(message.reply_to or 0)
        if message.is_service or (original is not None and original.sender == bot.user.id):
            return True
        if message.content.get("via_bot", {}).get("id") == bot.user.id:
            return True
        return self._commanded(bot, chat, message.text)

    def _commanded(self, bot: BotAccount, chat: Chat, text: str) -> bool:
        """A bare command goes to the bot that wrote last, or to the only one there."""
        if not text.startswith("/"):
            return bot.user.username is not None and f"@{bot.user.username}".lower() in text.lower()
        _, addressed, name = text.split(maxsplit=1)[0].partition("@")
        if addressed:
            return name.lower() == (bot.user.username or "").lower()
        return chat.last_bot == bot.user.id or len(self.bots_in(chat)) == 1

    def change_member(self, chat: Chat, user: int, member: Member, by: int) -> None:
        """Set the standing of ``user`` and tell the bots: ``my_chat_member`` to itself, ``chat_member`` to others."""
        before = member_json(self.state, user, chat.member(user))
        chat.members[user] = member
        change = {
            "chat": chat_json(self.state, chat),
            "from": user_json(self.state.users[by]),
            "date": self.now(),
            "old_chat_member": before,
            "new_chat_member": member_json(self.state, user, member),
        }
        self.touched()
        for bot in self.state.bots.values():
            if bot.user.id == user:
                self.queues[user].put("my_chat_member", change)
            elif chat.is_admin(bot.user.id):
                self.queues[bot.user.id].put("chat_member", change)

    # Small things

    def keep_file(self, name: str, mime: str, content: bytes) -> File:
        """Keep an uploaded file and give it its ids."""
        unique = f"{self.rng.getrandbits(64):016x}"
        file = File(f"AgACAg{unique}", unique, name, mime, content)
        self.state.files[file.id] = file
        return file

    def keep_query(self, query: Query) -> None:
        """Keep a tap until it is answered; the oldest go first."""
        self.state.queries[query.id] = query
        while len(self.state.queries) > _MOST_QUERIES:
            del self.state.queries[next(iter(self.state.queries))]

    def fresh_id(self, draw: Callable[[], int], taken: Iterable[int]) -> int:
        """Return a number from ``draw`` that is not in ``taken``."""
        used = set(taken)
        number = draw()
        while number in used:
            number = draw()
        return number
