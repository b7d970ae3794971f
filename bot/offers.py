"""What ``/giveaway`` says: ``[treasury] <total> [slots] [mode] [duration] [reason]``.

The words after the total tell by themselves what they are, so they may come in any order, each kind once. What follows
the last of them is the reason; only a giveaway from the treasury has one.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.amounts import Wanted, find_asset, read_amount
from bot.durations import looks_like_duration, read_duration
from ledger.errors import Refused
from ledger.money import Amount, Asset
from ledger.offers import DEFAULT_SECONDS, LONGEST_SECONDS, MOST_SLOTS, SHORTEST_SECONDS, Mode

TREASURY: Final = "treasury"
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LOOKS_LIKE_COUNT: Final = re.compile(r"[-+0-9.,]+", re.ASCII)
_ECHO: Final = 32


class Typed(NamedTuple):
    """A giveaway as it was typed; ``slots`` None: not said."""

    treasury: bool
    total: Amount
    asset: Asset
    slots: int | None
    mode: Mode
    lasts_seconds: int
    reason: str


def read_offer(text: str, assets: Sequence[Asset]) -> Typed:
    """Read the arguments of ``/giveaway``.

    Raises Refused with a code of `bot.amounts.read_amount`, ``giveaway_slots``, ``giveaway_lasts``,
    ``giveaway_word`` for a word that says nothing, ``giveaway_total`` without words, and ``giveaway_treasury`` when
    slots or reason are not said there.
    """
    words = text.split()
    treasury = bool(words) and words[0].lower() == TREASURY
    wanted, rest = _take_total(words[treasury:], assets)
    assert wanted.amount is not None, "all was not allowed"
    said, reason = _options(rest)
    if reason and not treasury:
        raise _unread(reason[0])
    slots = _slots(said["slots"]) if "slots" in said else None
    if treasury and (slots is None or not reason):
        raise Refused("giveaway_treasury")
    return Typed(
        treasury,
        wanted.amount,
        wanted.asset,
        slots,
        Mode(said.get("mode", Mode.FIRST)),
        _lasts(said["lasts"]) if "lasts" in said else DEFAULT_SECONDS,
        " ".join(reason),
    )


def _take_total(words: Sequence[str], assets: Sequence[Asset]) -> tuple[Wanted, Sequence[str]]:
    """Read the total in front of ``words``; a number behind it is not thousands but slots."""
    if not words:
        raise Refused("giveaway_total")
    taken = 2 if len(words) > 1 and find_asset(words[1], assets) else 1
    return read_amount(" ".join(words[:taken]), assets, all_allowed=False), words[taken:]


def _options(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return what ``words`` begin with, by kind, and the words behind it."""
    said: dict[str, str] = {}
    for position, word in enumerate(words):
        kind = _kind(word)
        if kind is None or kind in said:
            return said, list(words[position:])
        said[kind] = word.lower()
    return said, []


def _kind(word: str) -> str | None:
    if _COUNT.fullmatch(word):
        return "slots"
    if read_duration(word) is not None:
        return "lasts"
    return "mode" if word.lower() in set(Mode) else None


def _unread(word: str) -> Refused:
    """Return the refusal of ``word``, which is none of the words that may follow the total, or one too many."""
    typed = word[:_ECHO]
    if looks_like_duration(word) and read_duration(word) is None:
        return _bad_duration(typed)
    if _LOOKS_LIKE_COUNT.fullmatch(word) and not _COUNT.fullmatch(word):
        return _bad_slots(typed)
    return Refused("giveaway_word", typed=typed)


def _slots(word: str) -> int:
    if not 1 <= int(word) <= MOST_SLOTS:
        raise _bad_slots(word)
    return int(word)


def _lasts(word: str) -> int:
    seconds = read_duration(word)
    if seconds is None or not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise _bad_duration(word)
    return seconds


def _bad_slots(typed: str) -> Refused:
    return Refused("giveaway_slots", typed=typed, limit=MOST_SLOTS)


def _bad_duration(typed: str) -> Refused:
    return Refused("giveaway_lasts", typed=typed)
