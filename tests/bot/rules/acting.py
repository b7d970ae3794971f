"""What people do in a group with rules."""

from sandbox.telegram import Chat, Message, User
from tests.bot.stage import Stage


async def order(bot: Stage, who: User, chat: Chat, text: str) -> Message:
    """Let ``who`` type ``text`` and return the answer."""
    before = len(bot.said(who, chat))
    bot.clock.pass_seconds(5)
    bot.telegram.say(who, chat, text)
    await bot.until(lambda: len(bot.said(who, chat)) > before)
    return bot.said(who, chat)[-1]


def stands(chat: Chat, message: Message) -> bool:
    """Tell whether ``message`` is still there."""
    return message.id in chat.messages


async def gone(bot: Stage, chat: Chat, message: Message) -> None:
    """Wait until ``message`` is deleted."""
    await bot.until(lambda: not stands(chat, message))


async def quiet(bot: Stage) -> None:
    """Wait until everything that came in is decided and everything that is due is sent."""
    await bot.settled()


def violations(bot: Stage) -> list[tuple[int, int, str]]:
    """Return what was broken: by whom, in which message, and the penalty."""
    found = bot.rows("SELECT person, message, penalty FROM rule_violations ORDER BY id")
    return [(person, message, penalty) for person, message, penalty in found]


def later(bot: Stage) -> bool:
    """Let time pass while a condition is waited for; always true."""
    bot.clock.pass_seconds(20)
    return True
