"""Who may act: one holder per singleton role, and a lock per withdrawal that is being signed.

A role's lease runs out by the clock, and its fencing token grows with every new holder, so that one who slept through
the end of a lease is found out inside the transaction of the next act. A lock on money never runs out: it ends with
the state change that ends its reason (ledger.md, Model).
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ledger.errors import LeaseLost
from ledger.journal import Journal, Lane
from ledger.ports import Millis
from ledger.reader import Reader
from ledger.units import Decision, Row, Unit, View

LONGEST_MS: Final = 600_000
"""No lease is given for longer: one that ends later was given by a clock that was ahead, and counts as over."""

_FIND: Final = "SELECT holder, fence, expires_at FROM transaction_locks WHERE role = ?"
_TAKE: Final = """
INSERT INTO transaction_locks (role, holder, fence, expires_at) VALUES (:role, :holder, :fence, :expires_at)
ON CONFLICT (role) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, expires_at = excluded.expires_at
"""
_EXTEND: Final = "UPDATE transaction_locks SET expires_at = :expires_at WHERE role = :role AND fence = :fence"
_LOCK: Final = "INSERT INTO transaction_locks (role, holder, fence) VALUES (:role, :holder, 1)"
_UNLOCK: Final = "DELETE FROM transaction_locks WHERE role = :role AND expires_at IS NULL"


class Fence(NamedTuple):
    """Proof of holding ``role``: ``token`` is higher than that of any holder before."""

    role: str
    holder: str
    token: int
    expires_at: Millis


def require(view: View, fence: Fence) -> None:
    """Raise LeaseLost unless ``fence`` is the newest of its role. Every act in a role begins with this.

    A lease that ran out and that nobody took is still good here: the transaction itself keeps others away.
    """
    rows = view.select(_FIND, (fence.role,))
    if not rows or rows[0]["fence"] != fence.token or rows[0]["holder"] != fence.holder:
        raise LeaseLost(f"{fence.holder} no longer holds {fence.role}")


def lock_withdrawal(withdrawal: int, holder: str) -> Row:
    """Return the row that locks withdrawal ``withdrawal``: it stops its cancel and a second signing, nothing else."""
    return Row(_LOCK, {"role": f"withdrawal:{withdrawal}", "holder": holder}, changes=1)


def unlock_withdrawal(withdrawal: int) -> Row:
    """Return the row that ends the lock, to stand beside the state change that ends its reason."""
    return Row(_UNLOCK, {"role": f"withdrawal:{withdrawal}"}, changes=1)


def is_locked(view: View, withdrawal: int) -> bool:
    """Tell whether withdrawal ``withdrawal`` is being signed or on its way."""
    return bool(view.select(_FIND, (f"withdrawal:{withdrawal}",)))


def nobody_is_dead(_holder: str) -> bool:
    """Know of no holder that it has died: each lease is waited for."""
    return False


class Leases:
    """The singleton roles of this instance: poller, scanner, signer.

    ``is_dead`` tells of a holder whether its process has certainly ended, so that a restart need not wait for the
    lease of the one that was killed.
    """

    def __init__(
        self, journal: Journal, reader: Reader, is_dead: Callable[[str], bool] = nobody_is_dead
    ) -> None:
        self._journal = journal
        self._reader = reader
        self._is_dead = is_dead

    async def acquire(self, role: str, holder: str, ttl_ms: int) -> Fence:
        """Take ``role`` for ``ttl_ms`` with a new token, which ends any earlier one of the same holder.

        Raises LeaseLost while another holder's lease runs, unless that holder is dead; ValueError for more than
        LONGEST_MS.
        """
        if ttl_ms > LONGEST_MS:
            raise ValueError(f"a lease of {ttl_ms} ms")
        # Outside the transaction, since it looks at other processes: one that died then stays dead.
        before = self._reader.select(_FIND, (role,))
        heir_of = {each["holder"] for each in before if self._is_dead(each["holder"])} | {holder}

        def decide(view: View) -> Decision[Fence]:
            found = view.select(_FIND, (role,))
            if found and found[0]["holder"] not in heir_of and _runs(found[0]["expires_at"], view.now):
                raise LeaseLost(f"{found[0]['holder']} holds {role}")
            token = found[0]["fence"] + 1 if found else 1
            fence = Fence(role, holder, token, Millis(view.now + ttl_ms))
            facts = {"role": role, "holder": holder, "fence": token, "expires_at": fence.expires_at}
            return Decision(fence, rows=(Row(_TAKE, facts, changes=1),))

        return await self._journal.submit(Unit(decide), Lane.SYSTEM)

    async def renew(self, fence: Fence, ttl_ms: int) -> Fence:
        """Hold on for ``ttl_ms`` from now. Raises LeaseLost when another holder took the role."""

        def decide(view: View) -> Decision[Fence]:
            require(view, fence)
            longer = fence._replace(expires_at=Millis(view.now + ttl_ms))
            return Decision(longer, rows=(_extension(longer),))

        return await self._journal.submit(Unit(decide), Lane.SYSTEM)

    async def release(self, fence: Fence) -> None:
        """Give the role up, so that another need not wait for its end. Raises LeaseLost when it was lost before."""

        def decide(view: View) -> Decision[None]:
            require(view, fence)
            return Decision(None, rows=(_extension(fence._replace(expires_at=Millis(0))),))

        await self._journal.submit(Unit(decide), Lane.SYSTEM)


def _runs(expires_at: Millis, now: Millis) -> bool:
    return now < expires_at <= now + LONGEST_MS


def _extension(fence: Fence) -> Row:
    facts = {"role": fence.role, "fence": fence.token, "expires_at": fence.expires_at}
    return Row(_EXTEND, facts, changes=1)
