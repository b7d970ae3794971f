"""What a message is beside its words: media, stickers, forwards."""

from collections.abc import Collection, Mapping
from typing import Final

from bot.intents import Media, Said

NAMES: Final[Mapping[str, Media]] = {
    "photo": Media.PHOTO,
    "video": Media.VIDEO,
    "gif": Media.ANIMATION,
    "audio": Media.AUDIO,
    "file": Media.DOCUMENT,
    "voice": Media.VOICE,
    "round": Media.VIDEO_NOTE,
    "poll": Media.POLL,
    "location": Media.LOCATION,
    "contact": Media.CONTACT,
    "dice": Media.DICE,
    "game": Media.GAME,
    "story": Media.STORY,
    "paid": Media.PAID,
}
"""Media as people name them; stickers have a rule of their own."""


def is_media(said: Said, names: Collection[str]) -> bool:
    """Tell whether ``said`` shows media of one of the ``names``."""
    return any(NAMES.get(name) is said.media for name in names) and said.media is not None


def is_sticker(said: Said) -> bool:
    """Tell whether ``said`` is a sticker."""
    return said.media is Media.STICKER


def is_forward(said: Said) -> bool:
    """Tell whether ``said`` was written elsewhere."""
    return said.forwarded
