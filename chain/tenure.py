"""Holding a singleton role for as long as a loop runs."""

from typing import Final

from ledger.leases import Fence, Leases
from ledger.ports import Clock

TTL_MS: Final = 90_000
"""How long the role stays taken after the holder went silent: what a second instance waits before it takes over.

More than twice the longest step, which is a long poll that hears nothing: it is renewed at half, between two steps."""


class Tenure:
    """Acquires ``role`` when it is first needed, and renews it when half of its time is over, or its clock was set back."""

    def __init__(self, leases: Leases, role: str, holder: str, *, clock: Clock, ttl_ms: int = TTL_MS) -> None:
        self._leases = leases
        self._role = role
        self._holder = holder
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._fence: Fence | None = None

    async def fence(self) -> Fence:
        """Return the proof of holding the role; raises LeaseLost while another holds it."""
        if self._fence is None:
            self._fence = await self._leases.acquire(self._role, self._holder, self._ttl_ms)
        elif not self._ttl_ms // 2 <= self._fence.expires_at - self._clock.now() <= self._ttl_ms:
            self._fence = await self._leases.renew(self._fence, self._ttl_ms)
        return self._fence

    def forget(self) -> None:
        """Acquire anew next time: the role was lost to another instance."""
        self._fence = None

    async def release(self) -> None:
        """Give the role up at shutdown, so that another instance need not wait."""
        if self._fence is not None:
            held, self._fence = self._fence, None
            await self._leases.release(held)
