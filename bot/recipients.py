"""Who is meant: read from what a member typed, marked or answered.

In order of certainty: a ``text_mention`` carries the person, a reply carries the sender, a @name is looked up in the
book of names. Entities count UTF-16 units. Whoever could not own an account is refused (telegram.md, Who is who).
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.amounts import ALL, Wanted, looks_like_amount, read_amount, take_amount
from bot.html import clean_line, clean_name
from bot.intents import NOT_PEOPLE, Entity, Person, ReplyTarget, cut, width
from bot.names import Doubt, NameBook
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.money import Asset
from ledger.ports import Millis

NOTE_LIMIT: Final = 120
"""UTF-16 units of a note: one line under a receipt."""

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,15}")
_TICKER: Final = re.compile(r"[A-Z]{2,8}")

_MENTIONS: Final = ("mention", "text_mention")


class Word(NamedTuple):
    """A word of the arguments; a mention is one word however many it is written with."""

    text: str
    person: Person | None = None
    """Whom a ``text_mention`` carries."""

    @property
    def names_someone(self) -> bool:
        """Tell whether it was meant as a person."""
        return self.person is not None or (self.text.startswith("@") and len(self.text) > 1)


class Payment(NamedTuple):
    """What ``<amount> <who> [note]`` says. ``who`` None: the sender of the answered message is meant."""

    wanted: Wanted
    who: Word | None
    note: str


class Recipient(NamedTuple):
    """A person who can be paid; ``doubt`` says why to ask first."""

    id: AccountId
    name: str
    doubt: Doubt | None = None
    typed: str = ""


def split_words(text: str, entities: Sequence[Entity] = ()) -> list[Word]:
    """Return the words of ``text``; each mention among ``entities`` is one word with whom it carries.

    Entities that overlap or lie outside of the text are left out.
    """
    words: list[Word] = []
    position = 0
    for entity in sorted((e for e in entities if e.kind in _MENTIONS), key=lambda e: e.offset):
        end = entity.offset + entity.length
        if entity.offset < position or entity.length <= 0 or end > width(text):
            continue
        words += _plain_words(cut(text, position, entity.offset - position))
        words.append(Word(cut(text, entity.offset, entity.length), entity.person))
        position = end
    return words + _plain_words(cut(text, position, width(text)))


def read_payment(words: Sequence[Word], reply: ReplyTarget | None, assets: Sequence[Asset]) -> Payment:
    """Read ``<amount> <who> [note]``, ``<who> <amount> [note]``, or ``<amount> [note]`` as a reply.

    Raises Refused ``recipient_missing``, ``recipient_without_at``, ``recipient_two`` when a reply names somebody
    later on, ``amount_or_note``, ``note_too_long``, or a code of `bot.amounts.take_amount`.
    """
    if words and words[0].names_someone:
        wanted, rest = _take_amount(words[1:], assets)
        _refuse_ticker(words[1:], rest, assets)
        return Payment(wanted, words[0], _note(rest))
    if len(words) > 1 and not looks_like_amount(words[0].text) and looks_like_amount(words[1].text):
        raise Refused("recipient_without_at", typed=clean_name(words[0].text))
    wanted, rest = _take_amount(words, assets)
    if rest and rest[0].names_someone:
        return Payment(wanted, rest[0], _note(rest[1:]))
    if not answers_someone(reply):
        if len(rest) > 1 and rest[1].names_someone:
            # Between an amount and a name only a symbol can stand: this raises for one that is not listed.
            read_amount(f"{words[0].text} {rest[0].text}", assets)
        if rest:
            raise Refused("recipient_without_at", typed=clean_name(rest[0].text))
        raise Refused("recipient_missing")
    _refuse_ticker(words, rest, assets)
    if named := next((word for word in rest if word.names_someone), None):
        raise Refused("recipient_two", typed=clean_name(named.text))
    return Payment(wanted, None, _note(rest))


def find_recipient(
    who: Word | None, reply: ReplyTarget | None, asker: Person, names: NameBook, now: Millis
) -> Recipient:
    """Return whom ``who`` means, or the sender of the answered message when ``who`` is None.

    Raises Refused as `find_person` does, and ``recipient_self``.
    """
    found = find_person(who, reply, names, now)
    if found.id == asker.id:
        raise Refused("recipient_self")
    return found


def find_person(who: Word | None, reply: ReplyTarget | None, names: NameBook, now: Millis) -> Recipient:
    """Return whom ``who`` means, or the sender of the answered message when ``who`` is None; the asker too.

    Raises Refused ``recipient_missing``, ``recipient_unknown``, ``recipient_nobody`` or ``recipient_bot``.
    """
    if who is None:
        if reply is None or reply.opens_topic:
            raise Refused("recipient_missing")
        if reply.sender is None:
            raise Refused("recipient_nobody")
        return _person(reply.sender)
    if who.person is not None:
        return _person(who.person)
    return _named(who.text, names, now)


def read_target(
    words: Sequence[Word], reply: ReplyTarget | None, names: NameBook, now: Millis
) -> tuple[Recipient, list[Word]]:
    """Return whom an order is about, and the words after it, as `read_person`; an account may be named by its number."""
    if words and not words[0].names_someone and _NUMBER.fullmatch(words[0].text):
        account = AccountId(int(words[0].text))
        return Recipient(account, names.shown(account)), list(words[1:])
    return read_person(words, reply, names, now)


def read_person(
    words: Sequence[Word], reply: ReplyTarget | None, names: NameBook, now: Millis
) -> tuple[Recipient, list[Word]]:
    """Return who is meant, and the words after it: ``<who> ...``, or all of them as an answer to a message.

    Nobody is asked about a doubtful name: it is refused.
    Raises Refused ``recipient_unnamed``, ``recipient_doubtful``, ``recipient_unknown``, ``recipient_nobody`` or
    ``recipient_bot``.
    """
    if words and words[0].names_someone:
        who = words[0]
        found = _person(who.person) if who.person is not None else _named(who.text, names, now)
        if found.doubt is not None:
            raise Refused("recipient_doubtful", typed=found.typed)
        return found, list(words[1:])
    if reply is None or reply.opens_topic:
        raise Refused("recipient_unnamed")
    if reply.sender is None:
        raise Refused("recipient_nobody")
    return _person(reply.sender), list(words)


def read_reason(words: Sequence[Word]) -> str:
    """Return why something is ordered: the rest of the words, in one clean line."""
    return clean_line(" ".join(word.text for word in words))


def _person(person: Person) -> Recipient:
    if person.id in NOT_PEOPLE:
        raise Refused("recipient_nobody")
    if not person.can_own:
        raise Refused("recipient_bot", name=clean_name(person.name))
    return Recipient(AccountId(person.id), clean_name(person.name, f"member {person.id}"))


def _named(typed: str, names: NameBook, now: Millis) -> Recipient:
    known = names.find(typed, now)
    if known is None:
        looks_like_bot = typed.lower().endswith("bot")
        raise Refused("recipient_bot" if looks_like_bot else "recipient_unknown", name=clean_name(typed))
    return Recipient(known.id, known.name, known.doubt, clean_name(typed))


def answers_someone(reply: ReplyTarget | None) -> bool:
    """A plain message in a topic "answers" the topic's creation message: that is no recipient."""
    return reply is not None and not reply.opens_topic


def _plain_words(text: str) -> list[Word]:
    return [Word(word) for word in text.split()]


def _take_amount(words: Sequence[Word], assets: Sequence[Asset]) -> tuple[Wanted, list[Word]]:
    """Read the amount in front of ``words``; it ends where a person is named."""
    end = next((i for i, word in enumerate(words) if word.names_someone), len(words))
    wanted, rest = take_amount([word.text for word in words[:end]], assets)
    return wanted, list(words[end - len(rest) :])


def _refuse_ticker(words: Sequence[Word], rest: Sequence[Word], assets: Sequence[Asset]) -> None:
    """Refuse ``5 ATOM`` where ATOM is not listed: paying 5 of another coin would be worse than asking about a note.

    ``words`` begin with an amount, ``rest`` is what follows it. With the coin named, what follows is a note.
    """
    number = words[len(words) - len(rest) - 1].text
    names_coin = number.lower() != ALL and not number[-1:].isdigit()
    if rest and not names_coin and _TICKER.fullmatch(rest[0].text):
        facts = {"typed": rest[0].text, "number": number, "symbol": assets[0].symbol}
        raise Refused("amount_or_note", **facts, listed=", ".join(asset.symbol for asset in assets))


def _note(words: Sequence[Word]) -> str:
    note = clean_line(" ".join(word.text for word in words))
    if width(note) > NOTE_LIMIT:
        raise Refused("note_too_long", limit=NOTE_LIMIT)
    return note
