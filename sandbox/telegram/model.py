"""What Telegram remembers: users, bots, chats, members, messages, files and taps."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from pydantic import ConfigDict

GROUP_ANONYMOUS_BOT: Final = 1087968824
"""The user that anonymous admins appear as."""
CHANNEL_BOT: Final = 136817688
"""The user that channels appear as when they write in a group."""
TELEGRAM: Final = 777000
"""The service account; also the sender of posts that a linked channel forwards to its group."""

Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]
ChatType = Literal["private", "group", "supergroup", "channel"]


@dataclass
class User:
    """A person or a bot."""

    id: int
    first_name: str
    username: str | None = None
    last_name: str | None = None
    is_bot: bool = False
    language_code: str | None = "en"

    @property
    def name(self) -> str:
        """The full name as apps show it."""
        return f"{self.first_name} {self.last_name}" if self.last_name else self.first_name


@dataclass
class BotAccount:
    """What a bot has beside being a user; ``privacy`` is the mode that hides ordinary group talk from it."""

    user: User
    token: str
    privacy: bool = True
    webhook: str = ""
    commands: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By scope and language, as `setMyCommands` left them."""


@dataclass
class Member:
    """Somebody's standing in a chat; ``rights`` are Telegram's own field names."""

    status: Status = "member"
    rights: dict[str, bool] = field(default_factory=dict)
    until: int = 0
    anonymous: bool = False
    title: str | None = None


@dataclass
class Message:
    """A message; ``content`` are its API fields that no other field here holds.

    An ephemeral message has id 0, an ``ephemeral_id`` and a ``receiver``: nobody else ever sees it.
    """

    id: int
    chat: str
    sender: int
    at: int
    content: dict[str, Any]
    sender_chat: int | None = None
    reply_to: int | None = None
    thread: int | None = None
    edited_at: int | None = None
    receiver: int | None = None
    ephemeral_id: int | None = None
    reactions: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    order: int = 0
    changed: int = 0

    @property
    def text(self) -> str:
        """The text, or the caption, or nothing."""
        return str(self.content.get("text", self.content.get("caption", "")))

    @property
    def is_service(self) -> bool:
        """Whether Telegram wrote it by itself (somebody joined, a topic was made)."""
        return not _SPOKEN.intersection(self.content)

    @property
    def buttons(self) -> list[list[dict[str, Any]]]:
        """The rows of inline buttons under it."""
        rows: list[list[dict[str, Any]]] = self.content.get("reply_markup", {}).get("inline_keyboard", [])
        return rows


_SPOKEN: Final = {
    "text", "animation", "audio", "contact", "dice", "document", "location", "photo", "poll", "sticker", "video",
    "video_note", "voice",
}  # fmt: skip


@dataclass
class Chat:
    """A conversation. ``key`` names it here; in the Bot API a private chat's id is the other side's user id."""

    key: str
    id: int
    type: ChatType
    title: str | None = None
    bot: int | None = None
    person: int | None = None
    username: str | None = None
    is_forum: bool = False
    permissions: dict[str, bool] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    ephemeral: dict[int, Message] = field(default_factory=dict)
    topics: dict[int, str] = field(default_factory=dict)
    next_message_id: int = 1
    migrated_to: int | None = None
    pinned: int | None = None
    started: bool = False
    blocked: bool = False
    last_bot: int | None = None
    actions: dict[int, str] = field(default_factory=dict)

    def member(self, user: int) -> Member:
        """Return the standing of ``user``; somebody never seen has left."""
        return self.members.get(user, Member("left"))

    def has(self, user: int) -> bool:
        """Tell whether ``user`` takes part now."""
        if self.type == "private":
            return user in {self.bot, self.person}
        return self.member(user).status not in {"left", "kicked"}

    def is_admin(self, user: int) -> bool:
        """Tell whether ``user`` is the chat's creator or an administrator."""
        return self.member(user).status in {"creator", "administrator"}


@dataclass
class File:
    """An uploaded file, kept in memory."""

    __pydantic_config__: ClassVar[ConfigDict] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    id: str
    unique_id: str
    name: str
    mime: str
    content: bytes


@dataclass
class Query:
    """A tap that waits for its answer; ``answer`` is what the person saw, None until then."""

    id: str
    bot: int
    person: int
    chat: str
    message: int
    at: int
    ephemeral: bool = False
    answered: bool = False
    answer: dict[str, Any] | None = None


@dataclass
class State:
    """All of it; serializable."""

    users: dict[int, User] = field(default_factory=dict)
    bots: dict[int, BotAccount] = field(default_factory=dict)
    chats: dict[str, Chat] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    next_ephemeral_id: int = 1
    posted: int = 0
