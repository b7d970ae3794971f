"""What may go wrong between the bot and Telegram, told apart by what the caller does next.

In the library ``TimedOut`` and ``BadRequest`` are both ``NetworkError``, so its errors are translated once, here.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)


class TransportError(Exception):
    """Anything that may go wrong between the bot and Telegram; a subclass tells what to do."""


class Unreachable(TransportError):  # noqa: N818 - the field's word
    """This chat cannot be written to: blocked, never begun, kicked, gone."""


class Throttled(TransportError):  # noqa: N818
    """Wait ``seconds`` before this chat is written to again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


class Rejected(TransportError):  # noqa: N818
    """Telegram will never take this call as it is."""


class MessageGone(Rejected):
    """The message was deleted, or is too old to be edited."""


class Moved(TransportError):  # noqa: N818
    """The group became a supergroup with id ``chat``."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"moved to {chat}")
        self.chat = chat


class Offline(TransportError):  # noqa: N818
    """No answer came; the call may have been carried out."""


class SecondPoller(TransportError):  # noqa: N818
    """Somebody else polls with this token."""


class BadToken(TransportError):  # noqa: N818
    """Telegram does not know this token."""


class CannotParse(Rejected):
    """Telegram does not accept the markup."""


class ShownToAll(Rejected):
    """What one person alone was to see went out to everybody; it was deleted again."""


class Unchanged(Rejected):
    """The message says so already."""


_SAYINGS: Final[Sequence[tuple[str, type[TransportError]]]] = (
    # BadRequest differs by its words alone; the first that is found tells.
    ("can't parse entities", CannotParse),
    ("message is not modified", Unchanged),
    ("message to edit not found", MessageGone),
    ("message can't be edited", MessageGone),
    ("message to delete not found", MessageGone),
    ("message_id_invalid", MessageGone),
    ("chat not found", Unreachable),
    ("user not found", Unreachable),
    ("not enough rights", Unreachable),
)


def _throttled(error: Any) -> Throttled:
    wait: timedelta = error.retry_after
    return Throttled(wait.total_seconds())


def _rejected(error: Any) -> TransportError:
    words = str(error).lower()
    return next((kind for saying, kind in _SAYINGS if saying in words), Rejected)(str(error))


_TRANSLATIONS: Final[Sequence[tuple[type[TelegramError], Callable[[Any], TransportError]]]] = (
    # In this order: BadRequest is a NetworkError, and all are TelegramErrors.
    (RetryAfter, _throttled),
    (Forbidden, lambda error: Unreachable(str(error))),
    (ChatMigrated, lambda error: Moved(error.new_chat_id)),
    (Conflict, lambda error: SecondPoller(str(error))),
    (InvalidToken, lambda _: BadToken("Telegram does not know this token")),
    (BadRequest, _rejected),
    (NetworkError, lambda error: Offline(str(error))),
    (EndPointNotFound, _rejected),
    # An answer that is no JSON: the call may have been carried out.
    (TelegramError, lambda error: Offline(str(error))),
)


def translated(error: TelegramError) -> TransportError:
    """Return our word for ``error`` of the library."""
    return next(word(error) for kind, word in _TRANSLATIONS if isinstance(error, kind))
