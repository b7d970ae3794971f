"""/reconcile: the books against the chain, at the last height that was read (chain.md, Reconciliation).

The comparison itself is made at every scanned height, in the block's own unit; this shows what came of it. What no node
proved is unknown, never zero.
"""

from typing import Any

from bot.context import Bank, Context
from bot.registry import Command
from bot.results import Answer, Result
from ledger.ports import Millis
from ledger.reconciliation import compared
from ledger.roles import Role


async def reconcile(context: Context) -> Result:
    """Show books and chain of each asset, the height and its age."""
    return Answer("reconcile.shown", comparison(context.bank, context.now), private=True)


def comparison(bank: Bank, now: Millis) -> dict[str, Any]:
    """Return the comparison as facts; ``age_ms`` is None where no block was read yet."""
    lines = compared(bank.service.reader, bank.wallet.chain_id)
    height, block_time = (lines[0].height, lines[0].block_time) if lines else (None, None)
    return {
        "height": height,
        "age_ms": None if block_time is None else max(0, now - block_time),
        "lines": [
            {
                "denom": line.denom,
                "books": line.books,
                "chain": line.chain,
                "proved_height": line.proved_height,
                "difference": line.difference,
                "owed": max(0, -line.reserve),
            }
            for line in lines
        ],
    }


COMMAND = Command("reconcile", "the books against the chain", reconcile, role=Role.ADMIN)
