"""Result codes of transactions in blocks, where they mean other things than in an answer to a broadcast (chain.md)."""

from typing import Final

ANTE_ONLY_CODES: Final = frozenset({13, 30, 32})
"""Fee too low, past the timeout, wrong sequence: codes that no message of ours ends with, so the ante failed."""

FUNDS_CODE: Final = 5
"""Something could not be paid: the fee, and the ante failed, or an amount, and it did not."""
