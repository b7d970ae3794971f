"""What the bot says, as plain values: sentences make them, the notifier sends them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, NamedTuple, Protocol


class Press(NamedTuple):
    """A button that asks the bot for something; ``token`` names its row (bot.buttons)."""

    label: str
    token: str


class Link(NamedTuple):
    """A button that opens ``url``."""

    label: str
    url: str


class Copy(NamedTuple):
    """A button that copies ``text`` (at most 256 characters) to the clipboard."""

    label: str
    text: str


Key = Press | Link | Copy
Keyboard = tuple[tuple[Key, ...], ...]


class Document(NamedTuple):
    """A file that goes with a message."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        return f"Document({self.name}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True)
class Message:
    """A finished message. ``html`` is escaped Telegram HTML; with ``photo`` (PNG) or ``document`` it is the caption."""

    html: str
    keyboard: Keyboard = ()
    photo: bytes | None = field(default=None, repr=False)
    document: Document | None = None


class Address(NamedTuple):
    """Where a message goes. ``ephemeral_to``: this person alone sees it, in a group."""

    chat: int
    reply_to: int | None = None
    thread: int | None = None
    ephemeral_to: int | None = None


class Speech(Protocol):
    """Finds the words: bot.speech does it for the program."""

    def render(self, say: str, facts: Mapping[str, Any]) -> Message:
        """Return the message for sentence or event ``say``; never raises for facts that the ledger wrote.

        ``say`` is an outbox event (``withdrawal.confirmed``), the ``say`` of an `Answer`, or ``refused.<code>``.
        ``facts["choices"]``, if there, are the buttons: ``{"action", "token", "arguments"}`` each.
        """
        ...

    def toast(self, say: str, facts: Mapping[str, Any]) -> str:
        """Return the plain words (at most 200 characters) shown over the chat after a tap."""
        ...


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain(html: str) -> str:
    """Return the text of ``html`` without its markup: what goes out when Telegram refuses to parse it."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)
