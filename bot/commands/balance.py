"""/balance: what the asker owns, and what of it is on its way out. Never shown to a group."""

from typing import Final

from bot.context import Context
from bot.registry import Command
from bot.results import Answer, Result
from ledger.withdrawals import WithdrawalState

ON_ITS_WAY: Final = (WithdrawalState.AWAITING_APPROVAL, WithdrawalState.QUEUED, WithdrawalState.SIGNED)
NEWEST: Final = 20


async def balance(context: Context) -> Result:
    """Return every balance that is not zero, and the withdrawals that have not ended."""
    service = context.bank.service
    owned = [
        {"amount": amount, "denom": asset.denom}
        for asset in context.bank.assets
        if (amount := service.reader.balance(context.account, asset.denom))
    ]
    waiting = [
        {"withdrawal": each.id, "amount": each.amount, "denom": each.denom}
        for each in service.withdrawals.of_account(context.account, NEWEST)
        if each.state in ON_ITS_WAY
    ]
    return Answer("balance.shown", {"balances": owned, "waiting": waiting}, private=True)


COMMAND = Command("balance", "what you have", balance)
