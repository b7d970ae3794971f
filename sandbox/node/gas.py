"""What a transaction costs. The model is linear and close to what was measured on Juno (chain.md, Withdrawals)."""

from typing import Final

from sandbox.node.refusal import OUT_OF_GAS, Refusal

TX_BYTE: Final = 10
SIGNATURE: Final = 1_000
ANTE: Final = 45_000
"""Reading parameters and the account, taking the fee, writing the sequence."""
MESSAGE: Final = 13_000
MOVE: Final = 8_000
"""One output of one coin, without the bytes that it adds to the transaction."""
NEW_ACCOUNT: Final = 13_450
GRANT: Final = 12_000


class Meter:
    """Counts gas up to ``limit``, None for no limit."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.used = 0

    def spend(self, amount: int, where: str) -> None:
        """Count ``amount``; refuses with code 11 past the limit, and what was used stays above it."""
        self.used += amount
        if self._limit is not None and self.used > self._limit:
            raise Refusal(
                OUT_OF_GAS,
                f"out of gas in location: {where}; gasWanted: {self._limit}, gasUsed: {self.used}",
            )
