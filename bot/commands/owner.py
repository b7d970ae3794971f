"""/owner: what stands for whoever runs this, on one screen: people, pauses, freezes, what is owed, what waits."""

from typing import Final

from bot.commands.freeze import frozen
from bot.commands.reconcile import comparison
from bot.context import Context
from bot.registry import Command
from bot.results import Answer, Result
from ledger.accounts import AccountId
from ledger.attributions import unknown_payments
from ledger.pauses import standing_pause
from ledger.roles import Role

_BOOKS: Final = """
SELECT (SELECT ifnull(max(id), 0) FROM transactions) AS postings, (SELECT ifnull(max(id), 0) FROM links) AS links,
    (SELECT ifnull(max(id), 0) FROM admin_audit) AS orders, (SELECT count(*) FROM schema_migrations) AS migrations,
    (SELECT lower(hex(hash)) FROM links ORDER BY id DESC LIMIT 1) AS newest
"""


async def owner(context: Context) -> Result:
    """Show it."""
    bank = context.bank
    reader = bank.service.reader
    pause = standing_pause(reader)
    (books,) = reader.select(_BOOKS)
    admins = [account for account, role in bank.service.users.appointed() if role >= Role.ADMIN]
    facts = {
        **comparison(bank, context.now),
        "owners": [bank.account_name(AccountId(each)) for each in sorted(bank.owners)],
        "admins": [bank.account_name(each) for each in admins if each not in bank.owners],
        "paused": pause.reason if pause else "",
        "frozen": frozen(bank),
        "unexplained": len(unknown_payments(reader)),
        "waiting": bank.service.approvals.waiting_count(),
        "postings": books["postings"],
        "links": books["links"],
        "newest": books["newest"] or "",
        "orders": books["orders"],
        "migrations": books["migrations"],
    }
    return Answer("owner.shown", facts, private=True)


COMMAND = Command("owner", "what stands here, for owners", owner, role=Role.OWNER)
