"""What strangers' bytes reach of the rules of a group: the talk that is judged, and what is typed after /rules."""

import functools
from typing import Final

from bot.intents import Chat, ChatKind, Entity, Media, Person, Said
from bot.recipients import Word, split_words
from bot.rules import links, shapes
from bot.rules.book import decide_rule
from bot.rules.flood import Watch
from bot.rules.grammar import Terms, read_order
from bot.rules.judge import judge
from bot.rules.model import Consequence, Kind, Parameters, Rule, State, consequence_of, parameters_of
from ledger.errors import Refused
from ledger.jails import BailTerms
from ledger.money import Amount
from ledger.roles import Actor
from tests.hostile.books import ANA, ASSETS, BEN, NOW, Schema

TERMS: Final = Terms(ASSETS, BailTerms(ASSETS[0].denom, Amount(1), Amount(1)))
GROUP: Final = Chat(-100, ChatKind.SUPERGROUP, "Plaza")
_LOOKED_FOR: Final = {
    Kind.LINKS: Parameters(),
    Kind.MEDIA: Parameters(tuple(shapes.NAMES)),
    Kind.STICKERS: Parameters(),
    Kind.FORWARDS: Parameters(),
    Kind.WORDS: Parameters(("scam", "free")),
    Kind.PATTERN: Parameters((r"(a|aa)+b|\w+@\w+",)),
    Kind.FLOOD: Parameters(count=2, seconds=10),
    Kind.ALLOWED: Parameters(("example.org", "t.me/us")),
}
RULES: Final = tuple(
    Rule(number, 1, GROUP.id, kind, None, State.ON, looked_for, Consequence(deletes=True))
    for number, (kind, looked_for) in enumerate(_LOOKED_FOR.items(), 1)
)


def talk(raw: bytes) -> None:
    """A message of a group, with false marks and hidden addresses, judged by every kind of rule."""
    marks, _, rest = raw.partition(b"\n")
    text = rest.decode("utf-8", "replace")
    entities = tuple(
        Entity("url", offset - 8, length) for offset, length in zip(*[iter(marks)] * 2, strict=False)
    )
    media = (None, *Media)[len(raw) % (len(Media) + 1)]
    said = Said(
        GROUP, 1, Person(BEN, "Ben"), text, NOW, entities, media=media, links=tuple(text.split("|")[1:])
    )
    broken = judge(RULES, said, Watch())
    assert broken == judge(RULES, said, Watch()), "the same message is judged otherwise"
    for link in links.links(said):
        host = f"https://{link.host}/"
        assert not link.host or ":" in link.host or links.leads_to(host).host == link.host


def order(raw: bytes) -> None:
    """What an admin types after /rules, as far as the rows that keep it."""
    words = split_words(raw.decode("utf-8", "replace"))
    try:
        read = read_order(words, TERMS, _person)
        decision = decide_rule(_schema(), Actor(ANA, owner=True), GROUP.id, read.wish, read.reason)
    except Refused as refusal:
        _check_code(refusal.code)
        return
    _schema().accept(decision.rows)
    rule = decision.outcome
    assert parameters_of(rule.parameters.text()) == rule.parameters
    assert consequence_of(rule.consequence.text()) == rule.consequence


def _check_code(code: str) -> None:
    assert code.startswith(("rules_", "amount_", "recipient_", "reason_"))


def _person(word: Word) -> int:
    if word.text != "@ben":
        raise Refused("recipient_unknown", name=word.text)
    return BEN


@functools.cache
def _schema() -> Schema:
    return Schema()
