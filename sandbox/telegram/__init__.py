"""Telegram for one machine: a Bot API server for unmodified libraries, and people who talk to its bots.

`Telegram` holds everything and lets people act; `create_app` is the HTTP side that bots see.
"""

from sandbox.telegram.faults import Fault
from sandbox.telegram.flood import FloodLimits
from sandbox.telegram.model import BotAccount, Chat, Message, Query, User
from sandbox.telegram.people import Telegram
from sandbox.telegram.refusals import SandboxRefused
from sandbox.telegram.server import create_app

__all__ = [
    "BotAccount",
    "Chat",
    "Fault",
    "FloodLimits",
    "Message",
    "Query",
    "SandboxRefused",
    "Telegram",
    "User",
    "create_app",
]
