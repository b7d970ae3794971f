"""Every sentence that people read, in one place: one file for each topic, joined here.

A topic may declare, by name: ``ANSWERS`` (of commands), ``NEWS`` (from the outbox), ``REFUSALS`` (by code), ``ALERTS``
(titles for operators), ``LABELS`` (words on buttons, by action), ``TOASTS`` (words over the chat after a tap), ``MOVES``
(what a line of history says, by kind and whether it came in); ``AMOUNTS`` (facts that are base units); and where one
template is not enough ``COMPOSED`` and ``KEYS``, functions of `bot.words`.

Fields in braces are facts; `bot.words` writes amounts with their symbol, cleans and escapes all text; `bot.speech` adds
what every refusal ends with: that nothing moved, and a reference. A refusal says what was wrong and what to type
instead. Nobody is shamed: what a group may read tells nothing about anybody's money.
"""

import importlib
import pkgutil
from typing import Any, Final

from bot.words import Composed, Keys

_TOPICS: Final = tuple(
    vars(importlib.import_module(module.name)) for module in pkgutil.iter_modules(__path__, f"{__name__}.")
)


def _joined(name: str) -> dict[Any, Any]:
    """Return what all topics declare as ``name``. Raises ValueError when two of them claim one key."""
    joined: dict[Any, Any] = {}
    for topic in _TOPICS:
        declared = topic.get(name, {})
        if twice := joined.keys() & declared.keys():
            raise ValueError(f"two topics claim {sorted(map(str, twice))} of {name}")
        joined |= declared
    return joined


ANSWERS: Final[dict[str, str]] = _joined("ANSWERS")
NEWS: Final[dict[str, str]] = _joined("NEWS")
REFUSALS: Final[dict[str, str]] = _joined("REFUSALS")
ALERTS: Final[dict[str, str]] = _joined("ALERTS")
LABELS: Final[dict[str, str]] = _joined("LABELS")
TOASTS: Final[dict[str, str]] = _joined("TOASTS")
MOVES: Final[dict[tuple[str, bool], str]] = _joined("MOVES")
AMOUNTS: Final[frozenset[str]] = frozenset().union(*(topic.get("AMOUNTS", ()) for topic in _TOPICS))
COMPOSED: Final[Composed] = _joined("COMPOSED")
KEYS: Final[Keys] = _joined("KEYS")
