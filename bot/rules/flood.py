"""Flooding: more messages of one person than a rule lets pass in a span of time, told by the messages' own times.

Messages that break nothing are not stored, so the last few of each person are remembered in memory alone, without their
words. A restart forgets them: whoever floods across one may write so many messages more, and nobody is punished for
what was not seen. A batch that comes again finds its messages remembered, and is judged as before.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.intents import Said

MOST_PEOPLE: Final = 10_000
"""People, by rule, whose last messages are remembered; beyond it the longest silent is forgotten."""
LONGEST_SECONDS: Final = 3600
MOST_MESSAGES: Final = 50
"""How far a rule may look back."""


class Seen(NamedTuple):
    """A message: when it was written, and what makes it one (an album is one message)."""

    at: int
    name: str


def floods(before: Sequence[Seen], this: Seen, count: int, seconds: int) -> bool:
    """Tell whether ``this`` is at least the ``count``-th message within ``seconds``, counting those ``before`` it."""
    since = this.at - 1000 * seconds
    names = {each.name for each in before if since < each.at <= this.at}
    return len(names | {this.name}) >= count


class Watch:
    """Who wrote when, as far back as rules look."""

    def __init__(self, most: int = MOST_PEOPLE) -> None:
        self._most = most
        self._seen: OrderedDict[tuple[int, int], tuple[Seen, ...]] = OrderedDict()

    def floods(self, rule: int, said: Said, count: int, seconds: int) -> bool:
        """Remember ``said`` and tell whether it is one too many for ``rule``; edits are no messages of their own."""
        if said.edited or said.sender is None:
            return False
        key = (rule, said.sender.id)
        this = Seen(said.at, said.album or str(said.message))
        before = self._seen.pop(key, ())
        known = before if this in before else (*before, this)[-MOST_MESSAGES:]
        self._seen[key] = known
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return floods([each for each in known if each.at <= this.at], this, count, seconds)
