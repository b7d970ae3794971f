"""`Telegram`: the whole of it, with what people do in their apps."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from heapq import merge
from operator import attrgetter
from typing import Any, Literal, TypeVar

from sandbox.telegram.entities import Entity, found_in, parse_html, trimmed, utf16
from sandbox.telegram.keyboards import button_at
from sandbox.telegram.media import WITH_CAPTION, MediaKind, media_of, mime_of
from sandbox.telegram.model import (
    CHANNEL_BOT,
    GROUP_ANONYMOUS_BOT,
    BotAccount,
    Chat,
    Member,
    Message,
    Query,
    User,
)
from sandbox.telegram.refusals import SandboxRefused
from sandbox.telegram.render import ADMIN_RIGHTS, chat_json, message_json, user_json
from sandbox.telegram.updates import UpdateQueue
from sandbox.telegram.world import World

T = TypeVar("T")
Who = User | int
_TOKEN_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"  # noqa: S105 - no secret


class Telegram(World):
    """A whole Telegram for one machine. People act by these methods, bots by the Bot API of `create_app`.

    Where an app would not let a person do a thing (write where they are banned), `SandboxRefused` is raised.
    """

    # Coming into being

    def person(
        self, first_name: str, username: str | None = None, *, user_id: int | None = None, **more: Any
    ) -> User:
        """Register a person; an id is drawn when none is given."""
        taken = self.state.users
        number = user_id or self.fresh_id(lambda: self.rng.randrange(10**8, 8 * 10**9), taken)
        if number in taken:
            raise SandboxRefused(f"user {number} exists already")
        user = self.state.users[number] = User(number, first_name, username, **more)
        self.touched()
        return user

    def bot(
        self, first_name: str, username: str, *, token: str | None = None, privacy: bool = True
    ) -> BotAccount:
        """Make a bot, as BotFather does; a given token decides its id."""
        if token is None:
            number = self.fresh_id(lambda: self.rng.randrange(10**9, 8 * 10**9), self.state.users)
            token = f"{number}:{''.join(self.rng.choices(_TOKEN_ALPHABET, k=35))}"
        user = User(int(token.partition(":")[0]), first_name, username, is_bot=True, language_code=None)
        account = BotAccount(user, token, privacy)
        self.state.users[user.id] = user
        self.state.bots[user.id] = account
        self.queues[user.id] = UpdateQueue(self.rng.randrange(10**8, 10**9))
        self.touched()
        return account

    def private(self, person: Who, bot: BotAccount | None = None) -> Chat:
        """Return the private chat of ``person`` with ``bot`` (the only or first one when not named)."""
        account = bot or next(iter(self.state.bots.values()))
        number = _id(person)
        key = f"p:{account.user.id}:{number}"
        if key not in self.state.chats:
            self.state.chats[key] = Chat(key, account.user.id, "private", bot=account.user.id, person=number)
        return self.state.chats[key]

    def group(
        self,
        title: str,
        creator: Who,
        members: Iterable[Who | BotAccount] = (),
        *,
        kind: Literal["group", "supergroup", "channel"] = "supergroup",
        is_forum: bool = False,
    ) -> Chat:
        """Make a group (or a channel) with ``creator`` and ``members``; their joining is told to its bots."""
        low, high = (
            (10**9, 4 * 10**9)
            if kind == "group"
            else (1_000_000_000_000 + 10**9, 1_000_000_000_000 + 3 * 10**9)
        )
        taken = [chat.id for chat in self.state.chats.values()]
        number = self.fresh_id(lambda: -self.rng.randrange(low, high), taken)
        chat = Chat(f"g:{number}", number, kind, title, is_forum=is_forum)
        chat.members[_id(creator)] = Member("creator")
        self.state.chats[chat.key] = chat
        self.touched()
        joined = [_id(member) for member in members]
        for user in joined:
            self.change_member(chat, user, Member("member"), _id(creator))
        if joined and kind != "channel":
            newcomers = [user_json(self.state.users[user]) for user in joined]
            self.post(chat, _id(creator), {"new_chat_members": newcomers})
        return chat

    # Coming and going

    def join(self, who: Who | BotAccount, chat: Chat, *, by: Who | None = None) -> None:
        """Let somebody (a bot, too) into a group. Raises SandboxRefused for the banned."""
        number = _id(who)
        adder = _id(by) if by is not None else number
        if self.standing(chat, number).status == "kicked":
            raise SandboxRefused("banned from this chat")
        if chat.has(number):
            return
        self.change_member(chat, number, Member("member"), adder)
        if chat.type != "channel":
            newcomer = user_json(self.state.users[number])
            self.post(chat, adder, {"new_chat_members": [newcomer]})

    def leave(self, who: Who, chat: Chat) -> None:
        """Let somebody leave a group."""
        number = _id(who)
        if not chat.has(number):
            raise SandboxRefused("not in this chat")
        if chat.type != "channel":
            self.post(chat, number, {"left_chat_member": user_json(self.state.users[number])})
        self.change_member(chat, number, Member("left"), number)

    def promote(self, who: Who | BotAccount, chat: Chat, *, by: Who | None = None, **options: Any) -> None:
        """Make somebody an administrator; ``anonymous=True`` hides a person behind the group."""
        number = _id(who)
        if not chat.has(number):
            raise SandboxRefused("not in this chat")
        if chat.member(number).status == "creator":
            chat.member(number).anonymous = bool(options.get("anonymous"))
            self.touched()
            return
        rights = options.pop("rights", ADMIN_RIGHTS)
        self.change_member(chat, number, Member("administrator", dict(rights), **options), self._by(chat, by))

    def demote(self, who: Who | BotAccount, chat: Chat, *, by: Who | None = None) -> None:
        """Make an administrator an ordinary member again."""
        if chat.member(_id(who)).status != "administrator":
            raise SandboxRefused("not an administrator")
        self.change_member(chat, _id(who), Member("member"), self._by(chat, by))

    def remove(self, who: Who | BotAccount, chat: Chat, *, by: Who | None = None) -> None:
        """Ban somebody from a group, by hand of an administrator."""
        self.change_member(chat, _id(who), Member("kicked"), self._by(chat, by))

    def block(self, person: Who, bot: BotAccount | None = None, *, blocked: bool = True) -> None:
        """Let a person block the bot, or unblock it."""
        chat = self.private(person, bot)
        if chat.blocked == blocked:
            return
        assert chat.bot is not None
        standing = ("member", "kicked") if blocked else ("kicked", "member")
        chat.blocked = blocked
        me = user_json(self.state.users[chat.bot])
        change = {"chat": chat_json(self.state, chat), "from": self.user(_id(person)), "date": self.now()}
        for name, status in zip(("old_chat_member", "new_chat_member"), standing, strict=True):
            change[name] = {"user": me, "status": status} | ({"until_date": 0} if status == "kicked" else {})
        self.queues[chat.bot].put("my_chat_member", change)
        self.touched()

    def migrate(self, chat: Chat) -> Chat:
        """Turn a basic group into a supergroup: a new id, message numbers from 1 again."""
        number = self.fresh_id(lambda: -self.rng.randrange(1_001_000_000_000, 1_003_000_000_000), ())
        new = Chat(f"g:{number}", number, "supergroup", chat.title, members=dict(chat.members))
        self.state.chats[new.key] = new
        creator = self._by(chat, None)
        self.post(chat, creator, {"migrate_to_chat_id": number})
        chat.migrated_to = number
        self.post(new, GROUP_ANONYMOUS_BOT, {"migrate_from_chat_id": chat.id}, sender_chat=number)
        return new

    def topic(self, who: Who, chat: Chat, title: str) -> Message:
        """Open a forum topic; its thread id is the id of the message that says so."""
        content = {"forum_topic_created": {"name": title, "icon_color": 7322096}}
        message = self.post(chat, _id(who), content, thread=chat.next_message_id)
        chat.topics[message.id] = title
        return message

    # Talking

    def say(
        self,
        who: Who,
        chat: Chat,
        text: str,
        *,
        reply_to: Message | int | None = None,
        mentions: Mapping[str, Who] | None = None,
        thread: int | None = None,
        via_bot: BotAccount | None = None,
        html: bool = False,
        ephemeral: bool = False,
    ) -> Message:
        """Let a person write ``text``.

        ``mentions`` maps words of the text to people who are mentioned without a @name. In a topic an ordinary
        message answers the message that opened the topic, as in Telegram. ``ephemeral``: only the bot sees it.
        Raises SandboxRefused where the app would have no text field.
        """
        number = _id(who)
        self._may_write(chat, number)
        content = self._worded(text, mentions or {}, html=html)
        if via_bot is not None:
            content["via_bot"] = user_json(via_bot.user)
        original = reply_to.id if isinstance(reply_to, Message) else reply_to
        if ephemeral:
            return self.post_ephemeral(chat, number, self._only_bot(chat), content)
        place = {"thread": thread, "reply_to": original or thread}
        return self.post(chat, self._author(chat, number), content, **place, **self._mask(chat, number))

    def say_as_channel(self, channel: Chat, chat: Chat, text: str) -> Message:
        """Let a channel write in a group: it appears as Channel_Bot with ``sender_chat``."""
        return self.post(chat, CHANNEL_BOT, self._worded(text, {}), sender_chat=channel.id)

    def edit(
        self, who: Who, message: Message, text: str, *, mentions: Mapping[str, Who] | None = None
    ) -> Message:
        """Let a person change their own message; bots are told of an ``edited_message``."""
        own = {"text", "entities", "caption", "caption_entities"}
        captioned = bool(WITH_CAPTION.intersection(message.content))
        if message.sender != _id(who) or not ("text" in message.content or captioned):
            raise SandboxRefused("only your own texts and captions can be edited")
        content = {name: value for name, value in message.content.items() if name not in own}
        message.content = content | (
            self._captioned(text) if captioned else self._worded(text, mentions or {})
        )
        message.edited_at = self.now()
        self.touched(message)
        self.tell(message, "edited_message")
        return message

    def forward(self, who: Who, message: Message, chat: Chat) -> Message:
        """Let a person forward a message that they see into another chat."""
        number = _id(who)
        self._may_write(chat, number)
        dropped = {"reply_markup", "forward_origin"}
        content = {name: value for name, value in message.content.items() if name not in dropped}
        author = self.state.users[message.sender]
        origin = {"type": "user", "sender_user": user_json(author), "date": message.at}
        content["forward_origin"] = message.content.get("forward_origin", origin)
        return self.post(chat, number, content)

    def show(
        self, who: Who, chat: Chat, name: str, mime: str, content: bytes, *, caption: str = ""
    ) -> Message:
        """Let a person send a file as a document."""
        number = _id(who)
        self._may_write(chat, number)
        file = self.keep_file(name, mime, content)
        document = {
            "file_id": file.id,
            "file_unique_id": file.unique_id,
            "file_name": name,
            "mime_type": mime,
            "file_size": len(content),
        }
        worded = {"caption": caption} if caption else {}
        return self.post(chat, number, {"document": document, **worded})

    def send_media(
        self, who: Who, chat: Chat, kind: MediaKind, *, caption: str = "", album: str | None = None
    ) -> Message:
        """Let a person send something else than words. ``album``: it belongs together with others of that name."""
        number = _id(who)
        self._may_write(chat, number)
        mime = mime_of(kind)
        content = media_of(kind, self.keep_file(f"{kind}.bin", mime, kind.encode()) if mime else None)
        if caption and kind in WITH_CAPTION:
            content |= self._captioned(caption)
        if album is not None:
            content["media_group_id"] = album
        return self.post(chat, self._author(chat, number), content, **self._mask(chat, number))

    def repeat(self, message: Message) -> None:
        """Deliver ``message`` to its bots once more, in a new update."""
        self.tell(message, "message")

    def poison(self, bot: BotAccount, content: dict[str, Any] | None = None) -> int:
        """Queue an update that no library can parse; return its id."""
        return self.queues[bot.user.id].put_raw(content or {"message": {"message_id": "seven", "chat": 5}})

    def react(self, who: Who, message: Message, emoji: str | None) -> None:
        """Let a person react, or take the reaction back."""
        number = _id(who)
        message.reactions[number] = [{"type": "emoji", "emoji": emoji}] if emoji else []
        self.touched(message)

    # Pressing buttons

    def tap(
        self,
        who: Who,
        message: Message,
        *,
        row: int = 0,
        column: int = 0,
        label: str | None = None,
        forged: str | None = None,
    ) -> Query:
        """Let a person press an inline button, named by its place or its label; every tap is a query of its own.

        ``forged`` sends other callback data than the button has, as a changed app can. Raises SandboxRefused for a
        button that asks no bot, and for a message that this person cannot see.
        """
        number = _id(who)
        if not self.sees(number, message):
            raise SandboxRefused("no such message")
        button = _labelled(message, label) if label is not None else _placed(message, row, column)
        content = forged if forged is not None else (button or {}).get("callback_data")
        if content is None:
            raise SandboxRefused("no such button")
        return self._pressed(number, message, content)

    def _pressed(self, person: int, message: Message, content: str) -> Query:
        ephemeral = message.ephemeral_id is not None
        target = message.ephemeral_id or message.id
        number = str(self.rng.randrange(10**17, 10**18))
        query = Query(number, message.sender, person, message.chat, target, self.now(), ephemeral=ephemeral)
        self.keep_query(query)
        fields = {
            "id": query.id,
            "from": user_json(self.state.users[person]),
            "message": message_json(self.state, message),
            "chat_instance": str(abs(self.state.chats[message.chat].id) * 7919),
            "data": content,
        }
        self.queues[message.sender].put("callback_query", fields)
        return query

    # Looking

    def sees(self, who: Who, message: Message) -> bool:
        """Tell whether a person sees ``message``: they take part, and an ephemeral one is theirs."""
        number, chat = _id(who), self.state.chats[message.chat]
        if message.receiver is not None and number not in {message.receiver, message.sender}:
            return False
        return chat.has(number)

    def chats(self, who: Who) -> list[Chat]:
        """Return the chats of a person, groups and private ones."""
        number = _id(who)
        return [chat for chat in self.state.chats.values() if chat.has(number) and chat.migrated_to is None]

    def messages(self, chat: Chat, who: Who | None = None) -> list[Message]:
        """Return the messages of ``chat`` in the order in which they came, as ``who`` sees them (None: all there are)."""
        found = merge(chat.messages.values(), chat.ephemeral.values(), key=attrgetter("order"))
        return [message for message in found if who is None or self.sees(who, message)]

    def replies(self, chat: Chat, who: Who | None = None) -> list[Message]:
        """Return what bots wrote in ``chat``, as ``who`` sees it."""
        return [message for message in self.messages(chat, who) if message.sender in self.state.bots]

    async def until(self, condition: Callable[[], T], timeout_seconds: float = 5.0) -> T:
        """Wait until ``condition()`` is true and return what it gave. Raises TimeoutError after the deadline."""
        async with asyncio.timeout(timeout_seconds):
            while True:
                version = self.changes.version
                found = condition()
                if found:
                    return found
                await self.changes.after(version)

    # What all of this shares

    def _worded(self, text: str, mentions: Mapping[str, Who], *, html: bool = False) -> dict[str, Any]:
        plain, entities = parse_html(text, self.user) if html else (text, [])
        entities += self._mentioned(plain, mentions)
        plain, entities = trimmed(plain, entities)
        if not plain:
            raise SandboxRefused("there is nothing to send")
        entities = found_in(plain, entities)
        return {"text": plain, "entities": entities} if entities else {"text": plain}

    def _captioned(self, text: str) -> dict[str, Any]:
        worded = self._worded(text, {})
        names = {"text": "caption", "entities": "caption_entities"}
        return {names[name]: value for name, value in worded.items()}

    def _mentioned(self, text: str, mentions: Mapping[str, Who]) -> list[Entity]:
        entities: list[Entity] = []
        for word, who in mentions.items():
            at = text.find(word)
            if at < 0:
                raise SandboxRefused(f"{word!r} is not in the text")
            user = user_json(self.state.users[_id(who)])
            place = {"offset": utf16(text[:at]), "length": utf16(word)}
            entities.append({"type": "text_mention", **place, "user": user})
        return entities

    def _may_write(self, chat: Chat, user: int) -> None:
        if chat.type == "private":
            if chat.blocked:
                self.block(user, self.state.bots[chat.bot or 0], blocked=False)
            chat.started = True
            return
        if chat.migrated_to is not None:
            raise SandboxRefused("this group became a supergroup")
        if not chat.has(user):
            raise SandboxRefused("not in this chat")
        if not self.may(chat, user, "can_send_messages"):
            raise SandboxRefused("restricted from writing here")
        if chat.type == "channel" and not chat.is_admin(user):
            raise SandboxRefused("only administrators write in a channel")

    def _author(self, chat: Chat, user: int) -> int:
        return GROUP_ANONYMOUS_BOT if chat.member(user).anonymous else user

    def _mask(self, chat: Chat, user: int) -> dict[str, Any]:
        masked = chat.member(user).anonymous or chat.type == "channel"
        return {"sender_chat": chat.id} if masked else {}

    def _only_bot(self, chat: Chat) -> int:
        bots = self.bots_in(chat)
        if not bots:
            raise SandboxRefused("no bot is here")
        return bots[0].user.id

    def _by(self, chat: Chat, by: Who | None) -> int:
        if by is not None:
            return _id(by)
        return next(user for user, member in chat.members.items() if member.status == "creator")


def _id(who: Who | BotAccount) -> int:
    if isinstance(who, BotAccount):
        return who.user.id
    return who.id if isinstance(who, User) else who


def _placed(message: Message, row: int, column: int) -> dict[str, Any] | None:
    return button_at({"inline_keyboard": message.buttons}, row, column)


def _labelled(message: Message, label: str) -> dict[str, Any] | None:
    for row in message.buttons:
        for button in row:
            if label.lower() in button["text"].lower():
                return button
    return None
