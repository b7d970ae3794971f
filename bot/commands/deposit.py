"""/deposit: where to send coins and which memo makes them the sender's; the card is edited when they arrive."""

from bot.context import Context
from bot.registry import Command
from bot.results import Answer, Result


async def deposit(context: Context) -> Result:
    """Return the card. The memo is the member's id (chain.md, Deposits 4)."""
    facts = {
        "address": context.bank.wallet.address,
        "memo": str(context.account),
        "symbol": " or ".join(asset.symbol for asset in context.bank.assets),
    }
    return Answer("deposit.card", facts, private=True, track=f"deposit:{context.account}")


COMMAND = Command("deposit", "put coins in", deposit)
