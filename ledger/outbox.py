"""News for people, committed with the act that made it; the bot's notifier alone sends it.

Calls go down, news comes up only through this table. ``event`` is ``noun.verb_past``, one name in log, outbox and
metric; ``facts`` are JSON, amounts as base units; the sentence is made where it is sent. ``recipient`` is where it goes:
a person, the operators, or a group by the id of its chat (which is never an account's).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from ledger.accounts import AccountId
from ledger.units import Row

OPERATORS: Final = AccountId(0)
"""The recipient of alerts: whoever runs this instance."""

READ_IN: Final = "read_in"
"""The fact that names a group in which the same is said: news with it are for a person who is not there."""

BETWEEN_SHOWINGS_MS: Final = 3_000
"""Changes of a subject that come faster are shown together (telegram.md, What people see)."""

INSERT: Final = """
INSERT INTO outbox (event, recipient, facts, created_at, due_at) VALUES (:event, :recipient, :facts, :at, :at)
"""
SHOW: Final = """
INSERT INTO outbox (event, recipient, facts, subject, created_at, due_at)
SELECT :event, :recipient, :facts, :subject, :at, max(:at, min(:at, ifnull(max(due_at), 0)) + :between)
FROM outbox WHERE subject = :subject AND state <> 'pending'
ON CONFLICT (subject) WHERE subject IS NOT NULL AND state = 'pending'
DO UPDATE SET revision = revision + 1, facts = excluded.facts
"""


def news(event: str, recipient: int, facts: Mapping[str, Any], at: int) -> Row:
    """Return the row that tells ``recipient`` of ``event``; ``at`` is the unit's time (``view.now``)."""
    return Row(INSERT, {"event": event, "recipient": recipient, "facts": _text(facts), "at": at})


def live(event: str, recipient: int, subject: str, facts: Mapping[str, Any], at: int) -> Row:
    """Return the row that has ``subject`` (``giveaway:12``) shown or done anew, as it is when it is sent.

    ``facts`` only say what to look up. One row of a subject waits at a time, and `BETWEEN_SHOWINGS_MS` lie between two.
    """
    facts_text = _text(facts)
    return Row(
        SHOW,
        {
            "event": event,
            "recipient": recipient,
            "subject": subject,
            "facts": facts_text,
            "at": at,
            "between": BETWEEN_SHOWINGS_MS,
        },
    )


def _text(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, separators=(",", ":"), sort_keys=True)
