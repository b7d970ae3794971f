"""Which rules a message breaks: a table of detectors, and one judge who asks nobody."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from bot.intents import Said
from bot.rules import links, pattern, shapes, words
from bot.rules.book import rules_of
from bot.rules.flood import Watch
from bot.rules.model import Broken, Kind, Parameters, Rule
from ledger.accounts import AccountId
from ledger.ports import Selects
from ledger.violations import is_immune

Detector = Callable[[Said, Parameters], bool]

DETECTORS: Final[Mapping[Kind, Detector]] = {
    Kind.MEDIA: lambda said, wanted: shapes.is_media(said, wanted.items),
    Kind.STICKERS: lambda said, _: shapes.is_sticker(said),
    Kind.FORWARDS: lambda said, _: shapes.is_forward(said),
    Kind.WORDS: lambda said, wanted: words.breaks(said, wanted.items),
    Kind.PATTERN: lambda said, wanted: pattern.breaks(said, wanted.items[0]),
}
"""Those that look at one message alone; links also ask what is allowed, and floods what came before."""


def judge(rules: Sequence[Rule], said: Said, watch: Watch) -> tuple[Broken, ...]:
    """Return the ``rules`` of its chat that ``said`` breaks.

    Nothing is broken in private, by what only the bot sees, and by those whom nobody can name: bots, anonymous admins,
    the channel that a group belongs to. Another channel's message is judged; there is only nobody to punish for it.
    """
    if said.chat.private or said.ephemeral is not None or not _has_author(said):
        return ()
    allowed = [entry for rule in rules if rule.kind is Kind.ALLOWED for entry in rule.parameters.items]
    holding = [rule for rule in rules if rule.holds and _is_for(rule, said)]
    return tuple(Broken(rule.number, rule.version) for rule in holding if _breaks(rule, said, allowed, watch))


class Judge:
    """Judges what comes in by the rules that hold now. ``owners`` are those of the settings: they and admins are free."""

    def __init__(self, books: Selects, owners: Collection[int]) -> None:
        self._books = books
        self._owners = owners
        self._watch = Watch()

    def __call__(self, said: Said) -> tuple[Broken, ...]:
        """Return the rules that ``said`` breaks."""
        rules = [] if said.chat.private else rules_of(self._books, said.chat.id)
        broken = judge(rules, said, self._watch) if rules else ()
        if broken and said.sender and is_immune(self._books, AccountId(said.sender.id), self._owners):
            return ()
        return broken


def _has_author(said: Said) -> bool:
    return said.channel if said.sender is None else said.sender.can_own


def _is_for(rule: Rule, said: Said) -> bool:
    return rule.person is None or (said.sender is not None and said.sender.id == rule.person)


def _breaks(rule: Rule, said: Said, allowed: Sequence[str], watch: Watch) -> bool:
    if rule.kind is Kind.LINKS:
        return links.breaks(said, allowed)
    if rule.kind is Kind.FLOOD:
        return watch.floods(rule.number, said, rule.parameters.count, rule.parameters.seconds)
    detector = DETECTORS.get(rule.kind)
    return detector is not None and detector(said, rule.parameters)
