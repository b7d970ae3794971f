"""/history: what moved the asker's balance. Never shown to a group."""

from bot import pages
from bot.context import Context
from bot.pages import Pages
from bot.registry import Command
from bot.results import Result


async def history(context: Context) -> Result:
    """Return the newest page. Raises Refused ``amount_symbol`` for an asset that is not listed."""
    return pages.first_page(context, _own(context), context.args)


async def older(context: Context) -> Result:
    """Turn to the page before ``before``."""
    return pages.turned(context, _own(context))


async def statement(context: Context) -> Result:
    """Have the whole history sent as a document; the page stays, with new buttons."""
    return pages.statement(context, _own(context))


def _own(context: Context) -> Pages:
    return Pages(context.account, "history")


COMMAND = Command(
    "history",
    "what moved your balance",
    history,
    "[symbol]",
    actions={"history.older": older, "history.newer": older, "history.statement": statement},
)
