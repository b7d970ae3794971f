"""A member who does a thousand things at once: commands of all sorts, and buttons of others."""

from collections.abc import Sequence
from typing import Final

from sandbox.telegram import Chat, User
from tests.scenarios.town import Town

COMMANDS: Final = 1_000
TEXTS: Final = (
    "/send 0.000001 @sink",
    "/balance",
    "/send 99999 @sink",
    "/history",
    "/withdraw 1 juno1",
    "hello",
    "/send 0.00001 @sink",
)


def buttons(place: Town, chats: Sequence[Chat]) -> list[str]:
    """Return what the buttons in ``chats`` send."""
    return [
        button["callback_data"]
        for chat in chats
        for message in place.telegram.replies(chat)
        for row in message.buttons
        for button in row
        if "callback_data" in button
    ]


def hammer(place: Town, who: User, chat: Chat, stolen: Sequence[str], times: int = COMMANDS) -> None:
    """Let ``who`` do ``times`` things at once; every fourth is a press of a ``stolen`` button."""
    shown = place.telegram.replies(chat)[0]
    for number in range(times):
        if number % 4 == 3:
            place.telegram.tap(who, shown, forged=stolen[number // 4 % len(stolen)])
        else:
            place.telegram.say(who, chat, TEXTS[number % len(TEXTS)])
