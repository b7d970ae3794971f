"""The log of what admins and owners ordered: who, as what, why, and what was before and after.

It is written in the transaction of the act itself, and only grows. `audit` checks the books; this tells about people.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.ports import Millis
from ledger.reader import Reader
from ledger.roles import CONSOLE, Actor, Role
from ledger.units import Row

MAX_REASON: Final = 300
"""Characters of a reason: a sentence or two."""

_INSERT: Final = """
INSERT INTO admin_audit (id, actor, role, action, target, chat, before, after, reason, at)
VALUES ((SELECT ifnull(max(id), 0) + 1 FROM admin_audit), :actor, :role, :action, :target, :chat, :before, :after, :reason, :at)
"""
_PAGE: Final = """
SELECT * FROM admin_audit
WHERE id < :before AND (:about IS NULL OR actor = :about OR target = :about) ORDER BY id DESC LIMIT :limit
"""
_END: Final = 2**62


class Order(NamedTuple):
    """What was ordered. ``action`` is ``noun.verb_past``; ``target`` the account that it is about, if any.

    ``before`` and ``after`` (JSON) are what it changed.
    """

    action: str
    reason: str
    target: AccountId | None = None
    chat: int | None = None
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}


class Logged(NamedTuple):
    """A line of the log."""

    id: int
    actor: AccountId
    role: str
    action: str
    target: AccountId | None
    chat: int | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str
    at: Millis


def checked_reason(reason: str) -> str:
    """Return ``reason`` without surrounding space. Raises Refused ``reason_missing`` and ``reason_too_long``."""
    reason = reason.strip()
    if not reason:
        raise Refused("reason_missing")
    if len(reason) > MAX_REASON:
        raise Refused("reason_too_long", limit=MAX_REASON, length=len(reason))
    return reason


def logged(actor: Actor, role: Role, order: Order, at: Millis) -> Row:
    """Return the row that logs ``order``, to be written with the act; ``role`` is what the actor is at ``at``.

    Raises Refused ``reason_missing`` and ``reason_too_long``.
    """
    facts = {
        "actor": actor.account,
        "role": "console" if actor == CONSOLE else role.word,
        "action": order.action,
        "target": order.target,
        "chat": order.chat,
        "before": json.dumps(order.before, sort_keys=True),
        "after": json.dumps(order.after, sort_keys=True),
        "reason": checked_reason(order.reason),
        "at": at,
    }
    return Row(_INSERT, facts, changes=1)


def page(
    reader: Reader, *, before: int | None = None, about: AccountId | None = None, limit: int = 10
) -> list[Logged]:
    """Return the newest lines before line ``before``, all or those that ``about`` ordered or is the target of."""
    wanted = {"before": _END if before is None else before, "about": about, "limit": limit}
    return [_line(row) for row in reader.select(_PAGE, wanted)]


def _line(row: Any) -> Logged:
    return Logged(
        **{name: row[name] for name in Logged._fields if name not in ("before", "after")},
        before=json.loads(row["before"]),
        after=json.loads(row["after"]),
    )
