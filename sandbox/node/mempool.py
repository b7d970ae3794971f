"""Transactions that wait for a block, by the rules of a real node's mempool."""

from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from typing import Final

from sandbox.node import execute, state
from sandbox.node.execute import Mode, Place, Result, Rules

MAX_TXS: Final = 5_000
MAX_TX_BYTES: Final = 1_048_576
CACHE_TXS: Final = 10_000


class MempoolError(Exception):
    """The node does not look at the transaction; JSON-RPC error -32603 with these words."""


class Mempool:
    """First come, first in; what was seen before is not looked at again."""

    def __init__(self, rules: Rules, max_txs: int = MAX_TXS) -> None:
        self._rules = rules
        self.max_txs = max_txs
        self._waiting: dict[bytes, bytes] = {}
        self._cache: dict[bytes, None] = {}
        self._committed: state.Readable | None = None
        self._checked: state.Layer | None = None
        self._place = Place(0, 0)

    def set_floor(self, gas_price: Fraction) -> None:
        """Take nothing cheaper from now on, as a fee market would; what waits or was included stays."""
        self._rules = replace(self._rules, parameters=replace(self._rules.parameters, gas_price=gas_price))

    def waiting(self) -> tuple[bytes, ...]:
        """Return what waits, in order."""
        return tuple(self._waiting.values())

    def size_bytes(self) -> int:
        """Return the length of all that waits."""
        return sum(map(len, self._waiting.values()))

    @property
    def checked(self) -> state.Layer:
        """The state with the fees and sequences of all that waits."""
        assert self._checked is not None, "a block comes first"
        return self._checked

    def add(self, encoded: bytes, *, keep: bool = True) -> Result:
        """Check ``encoded`` and let it wait if the check passes; raises MempoolError.

        Without ``keep`` the answer is the same, and nothing comes of it.
        """
        if len(self._waiting) >= self.max_txs:
            raise MempoolError(
                f"mempool is full: number of txs {len(self._waiting)} (max: {self.max_txs}), "
                f"total txs bytes {self.size_bytes()} (max: 1073741824)"
            )
        if len(encoded) > MAX_TX_BYTES:
            raise MempoolError(f"Tx too large. Max size is {MAX_TX_BYTES}, but got {len(encoded)}")
        key = sha256(encoded).digest()
        if key in self._cache:
            raise MempoolError("tx already exists in cache")
        layer = state.Layer(self.checked)
        result = execute.run(self._rules, layer, encoded, self._place, Mode.CHECK)
        if keep and result.outcome.code == 0:
            self.checked.keep(layer)
            self._remember(key)
            self._waiting[key] = encoded
        return result

    def forget(self) -> None:
        """Drop everything, as a node does that restarts."""
        self._waiting.clear()
        self._cache.clear()
        if self._committed is not None:
            self._checked = state.Layer(self._committed)

    def drop(self, encoded: bytes) -> None:
        """Drop one transaction, and with it the memory of it."""
        key = sha256(encoded).digest()
        self._waiting.pop(key, None)
        self._cache.pop(key, None)

    def update(self, committed: state.Readable, place: Place, included: dict[bytes, int]) -> None:
        """Start from a new block's state; ``included`` are its transactions and their codes."""
        for encoded, code in included.items():
            key = sha256(encoded).digest()
            self._waiting.pop(key, None)
            if code == 0:
                self._remember(key)
            else:
                self._cache.pop(key, None)
        self._committed, self._place = committed, place
        self._checked = state.Layer(committed)
        for encoded in self.waiting():
            if execute.run(self._rules, self.checked, encoded, place, Mode.RECHECK).outcome.code:
                self.drop(encoded)

    def _remember(self, key: bytes) -> None:
        self._cache[key] = None
        if len(self._cache) > CACHE_TXS:
            del self._cache[next(iter(self._cache))]
