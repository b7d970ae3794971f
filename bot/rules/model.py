"""A rule as it stands in ``chat_rules``: what it looks for, whom it is for, and what follows."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple


class Kind(StrEnum):
    """What a rule looks for; `ALLOWED` is no rule, it lists where links may lead."""

    LINKS = "links"
    MEDIA = "media"
    STICKERS = "stickers"
    FORWARDS = "forwards"
    WORDS = "words"
    PATTERN = "pattern"
    FLOOD = "flood"
    ALLOWED = "allowed"


class Penalty(StrEnum):
    """What happens to whoever broke a rule, mildest first."""

    NONE = "none"
    WARN = "warn"
    FINE = "fine"
    JAIL = "jail"


SEVERITY: Final = tuple(Penalty)


class State(StrEnum):
    """Whether a rule holds."""

    ON = "on"
    OFF = "off"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a rule looks for, by kind.

    ``items`` are media kinds, words, domains, or one pattern; ``count`` messages in ``seconds`` are a flood.
    """

    items: tuple[str, ...] = ()
    count: int = 0
    seconds: int = 0

    def text(self) -> str:
        """Return it as it is stored."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Step:
    """What the ``after``-th violation within ``seconds`` brings (the first: whenever it is).

    ``amount`` (of a fine) and ``bail`` are base units of ``denom``, ``minutes`` is how long a jail lasts: all fixed when
    the rule is set.
    """

    penalty: Penalty = Penalty.NONE
    after: int = 1
    seconds: int = 0
    amount: int = 0
    minutes: int = 0
    bail: int = 0
    denom: str = ""

    @property
    def severity(self) -> tuple[int, int, int]:
        """Return what steps are compared by: the penalty, then how much of it."""
        return SEVERITY.index(self.penalty), self.minutes, self.amount


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows: whether the message is deleted, and the steps, mildest first."""

    deletes: bool = False
    steps: tuple[Step, ...] = ()

    def text(self) -> str:
        """Return it as it is stored."""
        return json.dumps(asdict(self), sort_keys=True)


class Rule(NamedTuple):
    """A version of a rule."""

    number: int
    version: int
    chat: int
    kind: Kind
    person: int | None
    state: State
    parameters: Parameters
    consequence: Consequence

    @property
    def holds(self) -> bool:
        """Tell whether messages are judged by it."""
        return self.state is State.ON


class Broken(NamedTuple):
    """A version of a rule that a message breaks."""

    rule: int
    version: int


@lru_cache(maxsize=1024)
def parameters_of(text: str) -> Parameters:
    """Return what `Parameters.text` wrote."""
    stored = json.loads(text)
    return Parameters(tuple(stored["items"]), stored["count"], stored["seconds"])


@lru_cache(maxsize=1024)
def consequence_of(text: str) -> Consequence:
    """Return what `Consequence.text` wrote."""
    stored = json.loads(text)
    return Consequence(stored["deletes"], tuple(_step(step) for step in stored["steps"]))


def _step(stored: Mapping[str, Any]) -> Step:
    return Step(**{**stored, "penalty": Penalty(stored["penalty"])})
