"""Buttons backed by rows: Telegram carries an opaque id, everything that it means stays here.

Callback data can be forged (telegram.md, Who is who), so a press proves nothing but who pressed. Buttons of one
question are closed together, in the unit of the act that the press asked for.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from bot.results import Choice
from ledger.errors import Refused
from ledger.ports import Millis, Selects
from ledger.units import Row

INSERT: Final = """
INSERT INTO buttons (id, owner, action, arguments, question, created_at, expires_at)
VALUES (:id, :owner, :action, :arguments, :question, :at, :expires_at)
"""
FIND: Final = "SELECT id, owner, action, arguments, question, expires_at, state FROM buttons WHERE id = ?"
IS_OPEN: Final = "SELECT 1 FROM buttons WHERE id = ? AND state = 'open'"
CLOSE: Final = "UPDATE buttons SET state = 'used' WHERE question = ? AND state = 'open'"
EXPIRED: Final = "SELECT id FROM buttons WHERE state = 'open' AND expires_at <= :now LIMIT :limit"
EXPIRE: Final = "UPDATE buttons SET state = 'expired' WHERE id IN (SELECT value FROM json_each(?))"

LONGEST_TOKEN: Final = 64
"""Telegram's limit for callback data, in bytes."""


class Button(NamedTuple):
    """What a button means. ``owner`` None: anyone may press it, each once."""

    id: str
    owner: int | None
    action: str
    arguments: Mapping[str, Any]
    question: str
    expires_at: Millis
    state: str

    def key(self, presser: int) -> str:
        """Return the idempotency key of its act: taps are many, the intent is one."""
        return f"b:{self.id}" if self.owner is not None else f"b:{self.id}:{presser}"


def open_rows(choices: Sequence[Choice], owner: int, question: str, at: Millis) -> list[Row]:
    """Return the rows behind ``choices``; the id of each is `token`."""
    return [
        Row(
            INSERT,
            {
                "id": token(question, number),
                "owner": None if choice.anyone else owner,
                "action": choice.action,
                "arguments": json.dumps(choice.arguments, sort_keys=True),
                "question": question,
                "at": at,
                "expires_at": at + choice.seconds * 1000,
            },
            changes=1,
        )
        for number, choice in enumerate(choices)
    ]


def token(question: str, number: int) -> str:
    """Return the id of button ``number`` of ``question``: what Telegram carries."""
    return f"{question}.{number}"


def find(reader: Selects, pressed: str) -> Button | None:
    """Return the button whose id was ``pressed``; None for a forged or forgotten one."""
    if len(pressed) > LONGEST_TOKEN or not pressed.isascii():
        return None
    rows = reader.select(FIND, (pressed,))
    if not rows:
        return None
    number, owner, action, arguments, question, expires_at, state = rows[0]
    return Button(number, owner, action, json.loads(arguments), question, expires_at, state)


def pressed_by(button: Button | None, presser: int, now: Millis) -> Button:
    """Return ``button`` if ``presser`` may press it now.

    Raises Refused ``button_unknown``, ``button_not_yours``, ``button_used`` or ``button_expired``.
    """
    if button is None:
        raise Refused("button_unknown")
    if button.owner not in (None, presser):
        raise Refused("button_not_yours")
    if button.state == "used":
        raise Refused("button_used")
    if button.state == "expired" or button.expires_at <= now:
        raise Refused("button_expired")
    return button


def is_open(reader: Selects, button: Button) -> bool:
    """Tell whether the question of ``button`` still waits for its answer."""
    return bool(reader.select(IS_OPEN, (button.id,)))


def close(button: Button) -> Row:
    """Return the row that answers the question of ``button``: none of its buttons works again."""
    return Row(CLOSE, (button.question,))
