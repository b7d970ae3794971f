"""The card of a giveaway: one message of a group, shown anew as the giveaway changes."""

from collections.abc import Mapping
from typing import Any, Final

from bot.context import Bank
from bot.outbox import UNTRACK
from bot.replies import shown_choices
from bot.results import Answer, Choice
from ledger.giveaways import moved_rows
from ledger.offers import Giveaway, GiveawayState, Mode, facts_of
from ledger.outbox import news
from ledger.units import Row, View

NAMED: Final = 10
"""Claimants that the card of a finished giveaway names."""
AFTERWARDS_SECONDS: Final = 30 * 24 * 3600
"""How long a card's button outlives its giveaway: until then a press is told that it is over."""


def card(bank: Bank, facts: Mapping[str, Any]) -> Answer:
    """Return the card of a giveaway as it stands now."""
    book = bank.service.giveaways
    shown = book.get(int(facts["giveaway"]))
    creator = bank.names.shown(shown.creator)
    if shown.state is GiveawayState.ACTIVE:
        return card_of(shown, creator)
    paid = book.paid(shown, NAMED)
    more = {
        "paid": [{"name": bank.names.shown(who), "amount": amount} for who, amount in paid],
        "returned": book.returned(shown.id),
    }
    return card_of(shown, creator, more)


def card_of(shown: Giveaway, creator: str, over: Mapping[str, Any] | None = None) -> Answer:
    """Return the card of ``shown``; ``over`` are facts of one that is over."""
    facts = {**facts_of(shown), "by": creator, **(over or {})}
    return Answer(
        "giveaway.card", facts, choices=_choices(shown), track=shown.subject, question=shown.subject
    )


def _choices(shown: Giveaway) -> tuple[Choice, ...]:
    if shown.state is not GiveawayState.ACTIVE:
        return ()
    action = "giveaway.join" if shown.mode is Mode.EQUAL else "giveaway.claim"
    seconds = (shown.expires_at - shown.created_at) // 1000 + AFTERWARDS_SECONDS
    return (Choice(action, {"giveaway": shown.id}, seconds=seconds, anyone=True),)


def moved(view: View, bank: Bank, old: int, new: int) -> list[Row]:
    """Return the rows that take what is under way in group ``old`` to the supergroup ``new``, with cards of their own.

    Nobody sees or edits the old cards any more. The rows behind their buttons stand: they bear the giveaway's name.
    """
    giveaways, rows = moved_rows(view, old, new)
    for each in giveaways:
        choices = shown_choices(_choices(each), each.subject)
        facts = {**facts_of(each), "by": bank.names.shown(each.creator), "choices": choices}
        rows += [Row(UNTRACK, (each.subject,)), news("giveaway.moved", new, facts, view.now)]
    return rows
