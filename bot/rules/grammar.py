"""What admins type after /rules, read into a wish; every wrong form has a refusal of its own.

links | stickers | forwards   [on] [@who] [what]         words add | remove <word> ... [@who]
media <kind> ...              [@who] [what]              words [@who] <what>
flood <n> in <time>           [@who] [what]              pattern <pattern> [@who] [what]
allow | disallow <domain> ...                            <kind or number> on | off | remove
what:  [delete] [warn | fine <amount> | jail <time> bail <amount>]
       [then warn | fine ... | jail ...  after <n> in <time>] ...
and at the end of any of them:  because <reason>
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from bot.amounts import take_amount
from bot.durations import read_duration
from bot.recipients import Word
from bot.rules import changes, links, pattern, shapes, words
from bot.rules.changes import Wish
from bot.rules.flood import LONGEST_SECONDS, MOST_MESSAGES
from bot.rules.model import Consequence, Kind, Parameters, Penalty, State, Step
from ledger.adminaudit import MAX_REASON
from ledger.errors import Refused
from ledger.jails import MINUTE_MS, BailTerms
from ledger.money import Amount, Asset

MOST_STEPS: Final = 5
LONGEST_STEP_SECONDS: Final = 90 * 24 * 3600
LONGEST_JAIL_SECONDS: Final = 365 * 24 * 3600
ALL: Final = "all"

_STATES: Final = {"on": State.ON, "off": State.OFF, "remove": State.REMOVED}
_ACTIONS: Final = ("delete", "warn", "fine", "jail")
_PLAIN: Final = (Kind.LINKS, Kind.STICKERS, Kind.FORWARDS)

Find = Callable[[Word], int]
"""Returns the id of the person whom a word names, or refuses."""


class Terms(NamedTuple):
    """What amounts are in: the listed assets, the main one first, and the bail where nobody names it."""

    assets: Sequence[Asset]
    bail: BailTerms


class Order(NamedTuple):
    """What was typed: the wish, and why."""

    wish: Wish
    reason: str


class _Words:
    """The words that are still to be read."""

    def __init__(self, typed: Sequence[Word]) -> None:
        self._left = list(typed)

    def __bool__(self) -> bool:
        return bool(self._left)

    @property
    def next(self) -> str:
        """Return the next word in lower case, nothing behind the last or where it marks a person, whatever they are called."""
        return self._left[0].text.lower() if self._left and not self._left[0].names_someone else ""

    def take(self) -> str:
        """Return the next word as it was typed, nothing behind the last."""
        return self._left.pop(0).text if self._left else ""

    def skip(self, word: str) -> bool:
        """Leave the next word behind if it is ``word``."""
        found = self.next == word
        if found:
            self._left.pop(0)
        return found

    def person(self, find: Find) -> int | None:
        """Return whom the next word names, None when it names nobody."""
        return find(self._left.pop(0)) if self._left and self._left[0].names_someone else None

    def amount(self, assets: Sequence[Asset]) -> tuple[Amount, Asset]:
        """Return the amount that comes next."""
        wanted, rest = take_amount([word.text for word in self._left], assets, all_allowed=False)
        self._left = self._left[len(self._left) - len(rest) :]
        assert wanted.amount is not None, "all was not allowed"
        return wanted.amount, wanted.asset

    def while_plain(self) -> list[str]:
        """Return the words up to the first that names somebody or begins what follows."""
        taken: list[str] = []
        while self._left and not self._left[0].names_someone and self.next not in _ACTIONS:
            taken.append(self.take())
        return taken

    def end(self) -> None:
        """Raise Refused ``rules_unclear`` when something is left."""
        if self._left:
            raise Refused("rules_unclear", typed=self._left[0].text)


def read_order(typed: Sequence[Word], terms: Terms, find: Find) -> Order:
    """Read the words after /rules. Raises Refused with a code that begins with ``rules_``, or of an amount or ``find``."""
    end = next((i for i, word in enumerate(typed) if i > 1 and word.text.lower() == "because"), len(typed))
    reason = " ".join(word.text for word in typed[end + 1 :])
    told = " ".join(word.text for word in typed[:end])
    left = _Words(typed[:end])
    wish = _read(left, terms, find)
    left.end()
    return Order(wish, reason or f"/rules {told}"[:MAX_REASON])


def _read(left: _Words, terms: Terms, find: Find) -> Wish:
    first = left.take().lower()
    if first.isascii() and first.isdigit():
        return changes.turned(int(first[:9]), _state(left))
    if first in ("allow", "disallow"):
        return _allowed(left, first)
    if first not in [kind.value for kind in Kind if kind is not Kind.ALLOWED]:
        raise Refused("rules_unclear", typed=first)
    kind = Kind(first)
    if kind is Kind.WORDS and left.next in ("add", "remove"):
        return _listed(left, find)
    if left.next in ("off", "remove"):
        state = _state(left)
        return changes.kind_turned(kind, left.person(find), state)
    parameters = _looked_for(kind, left)
    left.skip("on")
    person = left.person(find)
    left.skip("on")
    consequence = _consequence(left, terms) if left else None
    return changes.stated(kind, person, parameters, consequence)


def _state(left: _Words) -> State:
    typed = left.take().lower()
    if typed not in _STATES:
        raise Refused("rules_state", typed=typed)
    return _STATES[typed]


def _looked_for(kind: Kind, left: _Words) -> Parameters | None:
    """Return what a rule of ``kind`` looks for, None where that is not typed."""
    match kind:
        case Kind.MEDIA:
            return _media(left)
        case Kind.PATTERN:
            return _pattern(left)
        case Kind.FLOOD:
            return _flood(left)
        case _:
            return None


def _media(left: _Words) -> Parameters | None:
    typed = [
        part.lower()
        for word in left.while_plain()
        if word.lower() != "on"
        for part in word.split(",")
        if part
    ]
    names = tuple(dict.fromkeys(shapes.NAMES if ALL in typed else typed))
    if not names or any(name not in shapes.NAMES for name in names):
        raise Refused("rules_media", kinds=", ".join(shapes.NAMES))
    return Parameters(names)


def _pattern(left: _Words) -> Parameters:
    typed = left.take()
    if not typed:
        raise Refused("rules_pattern_missing")
    if len(typed) > pattern.LONGEST:
        raise Refused("rules_pattern_long", limit=pattern.LONGEST)
    if why := pattern.problem(typed):
        raise Refused("rules_pattern", typed=typed, why=why)
    return Parameters((typed,))


def _flood(left: _Words) -> Parameters:
    count = _count(left, 2, MOST_MESSAGES)
    if not left.skip("in"):
        raise Refused("rules_flood")
    return Parameters(count=count, seconds=_seconds(left, LONGEST_SECONDS))


def _listed(left: _Words, find: Find) -> Wish:
    adds = left.take().lower() == "add"
    typed = [part for word in left.while_plain() for part in word.split(",") if part]
    items = [word for each in typed if (word := words.word(each)) is not None]
    if len(items) < len(typed) or not items:
        raise Refused("rules_word")
    person = left.person(find)
    return (changes.with_items if adds else changes.without_items)(Kind.WORDS, person, items)


def _allowed(left: _Words, verb: str) -> Wish:
    items: list[str] = []
    while left:
        domain = links.allowance(left.take().rstrip(","))
        if domain is None:
            raise Refused("rules_domain")
        items.append(domain)
    if not items:
        raise Refused("rules_domain")
    return (changes.with_items if verb == "allow" else changes.without_items)(Kind.ALLOWED, None, items)


# What follows


def _consequence(left: _Words, terms: Terms) -> Consequence:
    deletes = False
    steps: list[Step] = []
    while left and left.next != "then":
        if left.skip("delete"):
            deletes = True
            continue
        if steps:
            raise Refused("rules_two_penalties")
        steps.append(_penalty(left, terms))
    while left.skip("then"):
        step = _penalty(left, terms)
        if not left.skip("after"):
            raise Refused("rules_after")
        after = _count(left, 2, 100)
        if not left.skip("in"):
            raise Refused("rules_after")
        steps.append(_step_after(step, after, _seconds(left, LONGEST_STEP_SECONDS)))
    _check_steps(steps)
    return Consequence(deletes, tuple(steps))


def _step_after(step: Step, after: int, seconds: int) -> Step:
    return Step(step.penalty, after, seconds, step.amount, step.minutes, step.bail, step.denom)


def _check_steps(steps: Sequence[Step]) -> None:
    counts = [step.after for step in steps]
    if len(steps) > MOST_STEPS:
        raise Refused("rules_steps_many", limit=MOST_STEPS)
    if counts != sorted(set(counts)):
        raise Refused("rules_steps")


def _penalty(left: _Words, terms: Terms) -> Step:
    typed = left.take().lower()
    reader = _PENALTIES.get(typed)
    if reader is None:
        raise Refused("rules_action", typed=typed)
    return reader(left, terms)


def _warn(_left: _Words, _terms: Terms) -> Step:
    return Step(Penalty.WARN)


def _fine(left: _Words, terms: Terms) -> Step:
    amount, asset = left.amount(terms.assets)
    return Step(Penalty.FINE, amount=amount, denom=asset.denom)


def _jail(left: _Words, terms: Terms) -> Step:
    minutes = -(-_seconds(left, LONGEST_JAIL_SECONDS) // 60)
    if left.skip("bail"):
        bail, asset = left.amount(terms.assets)
        return Step(Penalty.JAIL, minutes=minutes, bail=bail, denom=asset.denom)
    usual = terms.bail.bail(minutes * MINUTE_MS)
    return Step(Penalty.JAIL, minutes=minutes, bail=usual.amount, denom=usual.denom)


_PENALTIES: Final[Mapping[str, Callable[[_Words, Terms], Step]]] = {
    "warn": _warn,
    "fine": _fine,
    "jail": _jail,
}


def _count(left: _Words, least: int, most: int) -> int:
    typed = left.take()
    if not re.fullmatch(r"[0-9]{1,4}", typed) or not least <= int(typed) <= most:
        raise Refused("rules_count", least=least, limit=most)
    return int(typed)


def _seconds(left: _Words, most: int) -> int:
    seconds = read_duration(left.take(), "smhd") or 0
    if not 0 < seconds <= most:
        raise Refused("rules_time")
    return seconds
