"""Telegram as the rest of the bot sees it; this package alone knows python-telegram-bot."""

from bot.transport.client import Membership, Sent, Telegram
from bot.transport.errors import (
    BadToken,
    MessageGone,
    Moved,
    Offline,
    Rejected,
    SecondPoller,
    ShownToAll,
    Throttled,
    TransportError,
    Unreachable,
)
from bot.transport.reading import read_update

__all__ = [
    "BadToken",
    "Membership",
    "MessageGone",
    "Moved",
    "Offline",
    "Rejected",
    "SecondPoller",
    "Sent",
    "ShownToAll",
    "Telegram",
    "Throttled",
    "TransportError",
    "Unreachable",
    "read_update",
]
