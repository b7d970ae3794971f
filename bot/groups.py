"""What the bot may see and do in a group, and who leads it: asked of Telegram when it matters, never remembered."""

from typing import NamedTuple, Protocol


class Standing(NamedTuple):
    """Somebody's place in a group by Telegram's own word, whatever the books call them."""

    leads: bool
    """They are its creator or one of its administrators."""
    deletes: bool = False
    """They may delete what others write."""


class Sight(NamedTuple):
    """What the bot can do for the rules of a group."""

    reads: bool
    """It sees every message: it is an administrator there, or its privacy mode is off."""
    deletes: bool


class Groups(Protocol):
    """Groups as Telegram knows them; every method may raise a `bot.transport.TransportError`."""

    async def standing(self, chat: int, person: int) -> Standing:
        """Return the place of ``person`` in ``chat``."""
        ...

    async def sight(self, chat: int) -> Sight:
        """Return what the bot can do in ``chat``."""
        ...
