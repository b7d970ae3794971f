"""What the admins of a group have set for it: a few values in ``chats.settings``, which a migrated group keeps.

A value that is missing, or was written by another version and is not understood, is the default.
"""

import json
from typing import Final, NamedTuple

from bot.intents import Chat
from ledger.adminaudit import Order, logged
from ledger.claims import Eligibility
from ledger.jails import where_now
from ledger.ports import Selects
from ledger.roles import Actor, Role, require_role
from ledger.units import Decision, Row, View

REASON: Final = "in the menu of /settings"
_READ: Final = "SELECT settings FROM chats WHERE id = ?"
_WRITE: Final = """
INSERT INTO chats (id, kind, title, settings, seen_at)
VALUES (:id, :kind, :title, json_object(:name, json(:value)), :at)
ON CONFLICT (id) DO UPDATE SET settings = json_set(settings, '$.' || :name, json(:value))
"""


class ChatSettings(NamedTuple):
    """The settings of one group; the defaults are what a group begins with."""

    giveaway_creator: bool = False
    """Whoever gives away may claim a slot too."""
    giveaway_jailed: bool = False
    """Whoever is jailed in the group may claim too."""
    giveaway_newcomer_hours: int = 0
    """Accounts younger than this may not claim; 0: all may."""

    @property
    def eligibility(self) -> Eligibility:
        """Who may claim a giveaway."""
        return Eligibility(self.giveaway_creator, self.giveaway_jailed, self.giveaway_newcomer_hours)


def settings_of(books: Selects, chat: int) -> ChatSettings:
    """Return what is set for ``chat`` now."""
    rows = books.select(_READ, (chat,))
    stored = json.loads(rows[0]["settings"]) if rows else {}
    defaults = ChatSettings()._asdict()
    understood = {
        name: stored[name]
        for name, default in defaults.items()
        if name in stored and type(stored[name]) is type(default)
    }
    return ChatSettings(**understood)


def decide_setting(view: View, by: Actor, chat: Chat, name: str, value: bool | int) -> Decision[ChatSettings]:
    """Set ``name``, a field of `ChatSettings`, for ``chat`` or the supergroup that it became, and log who did.

    Raises Refused ``role_too_low``.
    """
    role = require_role(view, by, Role.ADMIN)
    place = where_now(view, chat.id)
    before = settings_of(view, place)
    after = ChatSettings(**{**before._asdict(), name: value})
    was, set_to = {name: getattr(before, name)}, {name: value}
    order = Order("chat.configured", REASON, chat=place, before=was, after=set_to)
    facts = {"id": place, "kind": str(chat.kind), "title": chat.title, "at": view.now}
    row = Row(_WRITE, {**facts, "name": name, "value": json.dumps(value)}, changes=1)
    return Decision(after, rows=(row, logged(by, role, order, view.now)))
