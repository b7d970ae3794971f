"""What people do in Telegram, as plain values: no framework type goes further than bot.transport.

Everything in here is chosen by whoever sends it, so nothing in here decides about money by itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from ledger.ports import Millis

NOT_PEOPLE: Final = frozenset({1087968824, 136817688, 777000})
"""GroupAnonymousBot, Channel_Bot and Telegram itself: ids behind which no single person stands."""


class Unreadable(Exception):  # noqa: N818 - the field's word
    """An update that cannot be understood: poison, to be stored and told, never to be spun on."""


class ChatKind(StrEnum):
    """Where something was said."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


class Chat(NamedTuple):
    """A conversation. Its id is never an account id (a supergroup's falls into the escrow range)."""

    id: int
    kind: ChatKind
    title: str = ""

    @property
    def private(self) -> bool:
        """Tell whether only one person reads it."""
        return self.kind is ChatKind.PRIVATE


class Person(NamedTuple):
    """Who Telegram says someone is. ``name`` is as they typed it: unsafe to show before it is cleaned."""

    id: int
    name: str
    username: str | None = None
    is_bot: bool = False

    @property
    def can_own(self) -> bool:
        """Tell whether an account may be theirs (telegram.md, Who is who)."""
        return self.id > 0 and not self.is_bot and self.id not in NOT_PEOPLE


class Entity(NamedTuple):
    """A marked part of a text. ``offset`` and ``length`` count UTF-16 code units, as Telegram does."""

    kind: str
    """``bot_command``, ``mention`` (a @name), ``text_mention`` (a person without one, in ``person``), ..."""
    offset: int
    length: int
    person: Person | None = None


class ReplyTarget(NamedTuple):
    """The message that was answered. ``sender`` is None when no person stands behind it."""

    message: int
    sender: Person | None
    opens_topic: bool = False
    """A plain message in a forum topic "answers" the topic's creation: that names nobody."""


class Media(StrEnum):
    """What a message shows beside words, by Telegram's own names."""

    ANIMATION = "animation"
    AUDIO = "audio"
    CONTACT = "contact"
    DICE = "dice"
    DOCUMENT = "document"
    GAME = "game"
    LOCATION = "location"
    PAID = "paid_media"
    PHOTO = "photo"
    POLL = "poll"
    STICKER = "sticker"
    STORY = "story"
    VIDEO = "video"
    VIDEO_NOTE = "video_note"
    VOICE = "voice"


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a person."""

    chat: Chat
    message: int
    """0 for an ephemeral message, which has no number."""
    sender: Person | None
    """None when a channel or an anonymous admin speaks."""
    text: str
    """Of a message with ``media`` the caption: no command is ever read from it."""
    at: Millis
    entities: tuple[Entity, ...] = ()
    reply: ReplyTarget | None = None
    thread: int | None = None
    forwarded: bool = False
    edited: bool = False
    via_bot: bool = False
    ephemeral: int | None = None
    """The number of an ephemeral message: only its sender sees it, and only they see the answer."""
    media: Media | None = None
    album: str = ""
    """The same for all messages that were sent as one."""
    links: tuple[str, ...] = ()
    """Addresses that do not stand in the text: behind words of it, or behind buttons."""
    channel: bool = False
    """A channel speaks, neither the group itself (an anonymous admin) nor the channel that the group belongs to."""


@dataclass(frozen=True, slots=True)
class Tapped:
    """A press of a button under a message. ``token`` is forgeable: it only names a row (bot.buttons)."""

    query: str
    sender: Person
    token: str
    chat: Chat | None = None
    message: int = 0
    photo: bool = False
    """The message bears a photo: its text is a caption."""
    thread: int | None = None
    ephemeral: int | None = None
    stands: bool = True
    """The button stands below ``message``. Not so where it was edited since, is too old to be shown, or the tap is forged."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """A group became a supergroup: its settings go with it, its new id numbers messages from 1 again."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """Somebody came, left, or may do something else than before: ``by`` whom, as Telegram says."""

    chat: int
    person: int
    by: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something understood that asks for nothing."""

    kind: str


Deed = Said | Tapped | Migrated | MemberChanged | Ignored


@dataclass(frozen=True, slots=True)
class Intent:
    """One update: what was done, and every person seen in it (the book of names learns from all)."""

    update: int
    deed: Deed
    people: tuple[Person, ...] = ()


def cut(text: str, offset: int, length: int) -> str:
    """Return ``length`` UTF-16 units of ``text`` from ``offset``; what is out of range is left out.

    A surrogate pair cut in half becomes U+FFFD, never an exception: offsets are given by strangers.
    """
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * max(offset, 0) : 2 * max(offset + length, 0)].decode("utf-16-le", "replace")


def width(text: str) -> int:
    """Return how many UTF-16 units ``text`` takes."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Called(NamedTuple):
    """A command as it was typed: its name in lower case, whom it addresses, and the rest of the text.

    ``entities`` are those of ``args``, with offsets counted from the start of ``args``.
    """

    name: str
    bot: str | None
    args: str
    entities: tuple[Entity, ...]


def called(said: Said) -> Called | None:
    """Return the command that ``said`` begins with, or None. Only an entity at offset 0 counts."""
    head = next((e for e in said.entities if e.kind == "bot_command" and e.offset == 0), None)
    if head is None or said.media is not None:
        return None
    typed = cut(said.text, 1, head.length - 1)
    name, _, bot = typed.partition("@")
    rest = cut(said.text, head.length, width(said.text))
    args = rest.lstrip()
    start = head.length + width(rest) - width(args)
    entities = tuple(e._replace(offset=e.offset - start) for e in said.entities if e.offset >= start)
    return Called(name.lower(), bot.lower() or None, args.rstrip(), entities)
