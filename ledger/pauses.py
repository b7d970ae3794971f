"""When money commands of members rest, because an admin ordered it (style.md, Words: /pause stops money commands).

Acts of admins and whatever ends by itself (deposits, signed withdrawals, deadlines) go on. Who is stopped is the one
path's question (bot.dispatch), which asks here before a command and again when it commits.
"""

from typing import Final, NamedTuple

from ledger.adminaudit import Order, checked_reason, logged
from ledger.alerts import alert
from ledger.errors import Refused
from ledger.ports import Millis, Selects
from ledger.queries import queries
from ledger.roles import Actor, Role, require_role
from ledger.units import Beside, Decision, Row, Unit, View

_SQL: Final = queries("pauses")


class Pause(NamedTuple):
    """A standing pause; ``reason`` is told to whoever is stopped by it."""

    reason: str
    since: Millis


def standing_pause(books: Selects) -> Pause | None:
    """Return the pause that stands, or None."""
    rows = books.select(_SQL["standing"])
    return Pause(rows[0]["reason"], rows[0]["paused_at"]) if rows else None


def require_running(books: Selects) -> None:
    """Raise Refused ``command_paused`` while money commands rest."""
    pause = standing_pause(books)
    if pause is not None:
        raise Refused("command_paused", reason=pause.reason)


def decide_pause(view: View, by: Actor, reason: str) -> Decision[None]:
    """Let money commands rest.

    Raises Refused: ``role_too_low``, ``already_paused``, ``reason_missing``, ``reason_too_long``.
    """
    role = require_role(view, by, Role.ADMIN)
    if standing_pause(view) is not None:
        raise Refused("already_paused")
    reason = checked_reason(reason)
    facts = {"actor": by.account, "reason": reason}
    rows = (
        Row(_SQL["insert"], (by.account, reason, view.now), changes=1),
        logged(by, role, Order("commands.paused", reason), view.now),
        alert("commands.paused", facts, view.now),
    )
    return Decision(None, rows=rows)


def decide_resume(view: View, by: Actor, reason: str) -> Decision[None]:
    """Let money commands go on.

    Raises Refused: ``role_too_low``, ``not_paused``, ``reason_missing``, ``reason_too_long``.
    """
    role = require_role(view, by, Role.ADMIN)
    pause = standing_pause(view)
    if pause is None:
        raise Refused("not_paused")
    reason = checked_reason(reason)
    facts = {"actor": by.account, "reason": reason}
    rows = (
        Row(_SQL["lift"], (view.now, by.account, reason), changes=1),
        logged(by, role, Order("commands.resumed", reason, before={"paused": pause.reason}), view.now),
        alert("commands.resumed", facts, view.now),
    )
    return Decision(None, rows=rows)


def pause_unit(by: Actor, reason: str, beside: Beside | None = None) -> Unit[None]:
    """Return the unit of `decide_pause`; it guards itself, a second one is refused."""
    return Unit(lambda view: decide_pause(view, by, reason), beside=beside)


def resume_unit(by: Actor, reason: str, beside: Beside | None = None) -> Unit[None]:
    """Return the unit of `decide_resume`."""
    return Unit(lambda view: decide_resume(view, by, reason), beside=beside)
