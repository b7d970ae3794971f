"""Validators that hold back what the treasury signs, until the worst moment: its last block, one too late, or never."""

import random
from enum import Enum
from typing import Final

from chain import cosmos
from sandbox.node.blockchain import Blockchain
from sandbox.node.blocks import Block
from sandbox.node.execute import Result


class Verdict(Enum):
    """When what was held back is included."""

    LAST_BLOCK = "in the last block that its timeout allows"
    TOO_LATE = "one block too late: the ante fails, and nothing is used"
    NEVER = "never"


class Censor:
    """Stands between the nodes and their mempool. Off until `begin`, and off again when a payout's time has ended."""

    def __init__(self, chain: Blockchain, treasury: str, rng: random.Random) -> None:
        self._chain: Final = chain
        self._treasury: Final = treasury
        self._rng: Final = rng
        self._add = chain.mempool.add
        self._held: dict[bytes, int] = {}
        self.verdict: Verdict | None = None
        chain.mempool.add = self._weigh  # type: ignore[method-assign]
        chain.followers.append(self._follow)

    def held(self) -> list[bytes]:
        """Return what is held back just now."""
        return [] if self.verdict is None else list(self._held)

    def begin(self, verdict: Verdict | None = None) -> None:
        """Hold back what the treasury offers from now on, until ``verdict``, or what the seed draws."""
        if self.verdict is None:
            self.verdict = verdict or self._rng.choice(list(Verdict))
            self._held = {}

    def _weigh(self, encoded: bytes, *, keep: bool = True) -> Result:
        timeout = self._timeout(encoded) if self.verdict is not None else None
        if timeout is None:
            return self._add(encoded, keep=keep)
        self._held[encoded] = timeout
        return self._add(encoded, keep=False)

    def _timeout(self, encoded: bytes) -> int | None:
        """Return the timeout height of a transaction of the treasury's, None for anybody else's."""
        try:
            body = cosmos.decode(cosmos.TxBody, cosmos.decode(cosmos.TxRaw, encoded).body_bytes)
            sends = [cosmos.decode(cosmos.MsgSend, each.value) for each in body.messages]
        except cosmos.Undecodable:
            return None
        return (
            int(body.timeout_height) if any(each.from_address == self._treasury for each in sends) else None
        )

    def _follow(self, block: Block) -> None:
        """Act when the next block is the one that matters."""
        if self.verdict is None or not self._held:
            return
        next_height, end = block.height + 1, max(self._held.values())
        moment = {Verdict.LAST_BLOCK: end, Verdict.TOO_LATE: end + 1, Verdict.NEVER: end + 2}[self.verdict]
        if next_height < moment:
            return
        if self.verdict is not Verdict.NEVER:
            self._chain.forced += [encoded for encoded, timeout in self._held.items() if timeout == end]
        self.verdict = None
