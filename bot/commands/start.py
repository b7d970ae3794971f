"""/start: the account is open. Whoever is seen gets one (bot.fetch), and what waited for them goes out (bot.dispatch)."""

from bot.context import Context
from bot.html import clean_name
from bot.registry import Command
from bot.results import Answer, Result


async def start(context: Context) -> Result:
    """Welcome a person in private; in a group tell what this bot is, and nothing about anybody."""
    symbol = context.bank.assets[0].symbol
    if context.chat.private:
        return Answer("start.private", {"name": clean_name(context.who.name, "friend"), "symbol": symbol})
    link = f"https://t.me/{context.bank.me.username}?start=hello"
    return Answer("start.group", {"symbol": symbol, "link": link})


COMMAND = Command("start", "open your account", start)
