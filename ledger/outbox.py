"""News for people, committed with the act that made it; the bot's notifier alone sends it.

Calls go down, news comes up only through this table. ``event`` is ``noun.verb_past``, one name in log, outbox and
metric; ``facts`` are JSON, amounts as base units; the sentence is made where it is sent.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from ledger.accounts import AccountId
from ledger.units import Row

OPERATORS: Final = AccountId(0)
"""The recipient of alerts: whoever runs this instance."""

INSERT: Final = """
INSERT INTO outbox (event, recipient, facts, created_at, due_at) VALUES (:event, :recipient, :facts, :at, :at)
"""


def news(event: str, recipient: AccountId, facts: Mapping[str, Any], at: int) -> Row:
    """Return the row that tells ``recipient`` of ``event``; ``at`` is the unit's time (``view.now``)."""
    text = json.dumps(facts, separators=(",", ":"), sort_keys=True)
    return Row(INSERT, {"event": event, "recipient": recipient, "facts": text, "at": at})
