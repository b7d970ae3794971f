"""/jail, /unjail and /jails: an admin silences somebody for a time; the notice has a button with which anyone pays bail."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.context import Bank, Context
from bot.durations import read_duration
from bot.notices import bail_choices, bail_question
from bot.penal import NO_REASON, case_of, looks_like_price, noticed, taken_price, whom
from bot.recipients import Word, read_reason
from bot.registry import Command
from bot.results import Answer, Effect, Result
from ledger.errors import Refused
from ledger.jails import CHANGED, Jail, card_subject, facts_of, find_jail, serving_anywhere, serving_in
from ledger.roles import Role

LISTED: Final = 20


async def jail(context: Context) -> Result:
    """Jail somebody. Raises Refused with the codes of `bot.penal`, ``duration_missing`` and ``duration_unreadable``."""
    found, words = whom(context, JAIL)
    duration_ms, words = _duration(words)
    bail = context.bank.bail.bail(duration_ms)
    if words and looks_like_price(words[0].text):
        bail, words = await taken_price(context, words)
    case = case_of(context, found.id, read_reason(words) or NO_REASON)
    bank = context.bank
    return Effect(
        lambda beside: bank.service.penalties.jail(
            case, duration_ms, bail, bank.owners, noticed(context, beside, found.name)
        ),
        lambda jailed: _set(context, jailed, found.name),
    )


def _duration(words: Sequence[Word]) -> tuple[int, list[Word]]:
    if not words:
        raise Refused("duration_missing")
    seconds = read_duration(words[0].text)
    if seconds is None:
        raise Refused("duration_unreadable", typed=words[0].text[:32])
    return seconds * 1000, list(words[1:])


def _set(context: Context, jailed: Jail, who: str) -> Answer:
    if context.ephemeral:
        return Answer("jail.set", {**facts_of(jailed), "who": who})
    subject = card_subject(jailed.id)
    choices = bail_choices(jailed, jailed.from_at)
    return Answer(
        "jail.noticed",
        {**facts_of(jailed), "who": who},
        choices=choices,
        question=bail_question(jailed),
        track=subject,
    )


def card(bank: Bank, facts: Mapping[str, Any]) -> Answer | None:
    """Return the notice of a jail as it is now."""
    found = find_jail(bank.service.reader, int(facts["jail"]))
    if found is None:
        return None
    told = {**facts_of(found), "who": bank.names.shown(found.person)}
    if found.state == "serving":
        # Its button was opened with the notice; only its label is shown anew.
        choices = bail_choices(found, found.from_at)
        return Answer("jail.noticed", told, choices=choices, question=bail_question(found))
    if found.state == "superseded":
        return Answer("jail.replaced", told)
    by = bank.names.shown(found.ended_by) if found.ended_by else ""
    return Answer("jail.closed", {**told, "by": by})


async def unjail(context: Context) -> Result:
    """Let somebody go. Raises Refused with the codes of `bot.penal` and ``jail_none``."""
    found, words = whom(context, UNJAIL)
    case = case_of(context, found.id, read_reason(words) or NO_REASON)
    return Effect(
        lambda beside: context.bank.service.penalties.release(case, beside),
        lambda freed: Answer("jail.lifted", {**facts_of(freed), "who": found.name}),
    )


async def jails(context: Context) -> Result:
    """List who serves in this group; in private where the asker serves."""
    reader = context.bank.service.reader
    own = context.chat.private
    found = (
        serving_anywhere(reader, context.account, LISTED)
        if own
        else serving_in(reader, context.chat.id, LISTED)
    )
    lines = [{**facts_of(each), "who": context.bank.names.shown(each.person)} for each in found]
    return Answer("jails.own" if own else "jails.listed", {"jails": lines})


JAIL = Command(
    "jail",
    "silence somebody for a time, with bail",
    jail,
    "<who> <duration> [bail] [reason]",
    role=Role.ADMIN,
    in_private=False,
    moves_money=True,
    examples=("/jail @name 2h", "/jail @name 1d 20 flooding", "/jail 30m flooding"),
    cards={CHANGED: card},
)
UNJAIL = Command(
    "unjail",
    "let somebody out of jail",
    unjail,
    "<who> [reason]",
    role=Role.ADMIN,
    in_private=False,
    asks_when_old=True,
    examples=("/unjail @name", "/unjail @name it was not them"),
)
JAILS = Command("jails", "who is in jail here, until when, and at what bail", jails)
COMMANDS = (JAIL, UNJAIL, JAILS)
