"""What follows when a message broke rules: decided inside the writer, in the unit that ends its inbox row.

A message breaks a version of a rule once. Of several penalties for one message the severest is given, by the rules'
own steps; everything else is only written down. Whoever is immune by then is left alone.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bot.notices import notice_rows
from bot.rules.book import holding
from bot.rules.model import Broken, Consequence, Kind, Penalty, Rule, Step
from bot.rules.strikes import strike_rows
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.fines import Price, decide_fine
from ledger.jails import MINUTE_MS, Jail, decide_jail
from ledger.money import Amount, Denom
from ledger.outbox import news
from ledger.ports import Millis, Selects
from ledger.units import Decision, Row, View
from ledger.violations import RULE, Case, decide_warning, is_immune

NOTICE_MS: Final = 60_000
"""A deletion alone is told in the group once in this time to whoever goes on."""

_WHAT: Final = {
    Kind.LINKS: "a link",
    Kind.MEDIA: "media that are not wanted",
    Kind.STICKERS: "a sticker",
    Kind.FORWARDS: "a forwarded message",
    Kind.WORDS: "a word that is not wanted",
    Kind.PATTERN: "a text that is not wanted",
    Kind.FLOOD: "many messages at once",
}
"""The reason that stands in the books."""

_KNOWN: Final = "SELECT 1 FROM rule_violations WHERE rule = ? AND chat = ? AND message = ?"
_LATELY: Final = """
SELECT said_at FROM rule_violations WHERE rule = :rule AND person = :person AND counts = 1 AND said_at > :since
"""
_INSERT: Final = """
INSERT INTO rule_violations (rule, version, chat, message, person, said_at, counts, penalty, at)
VALUES (:rule, :version, :chat, :message, :person, :said_at, :counts, :penalty, :at)
"""


class Offence(NamedTuple):
    """A message that broke rules. ``person`` is 0 where a channel wrote it: nobody is punished then."""

    chat: int
    message: int
    person: int
    said_at: Millis
    told: Mapping[str, Any] = {}
    """Facts for the news: what the person and the chat are called."""


class _Count(NamedTuple):
    """A rule that is newly broken, and what its steps say."""

    rule: Rule
    counts: bool
    step: Step
    number: int
    """Which violation this is, counted within the time of that step."""
    again: bool
    """It was broken a moment ago, too."""


def decide_verdict(
    view: View, offence: Offence, broken: Sequence[Broken], owners: Collection[int]
) -> Decision[Penalty | None]:
    """Punish ``offence`` for what it broke and was not yet punished for; return the penalty, None: nothing was broken."""
    if offence.person and is_immune(view, AccountId(offence.person), owners):
        return Decision(None)
    counted = [
        _count(view, offence, rule) for rule in holding(view, broken) if not _known(view, offence, rule)
    ]
    if not counted:
        return Decision(None)
    worst = max(counted, key=lambda each: each.step.severity)
    penalty, punished = _punished(view, offence, worst, owners)
    rows = [_row(view, offence, each, penalty if each is worst else Penalty.NONE) for each in counted]
    rows += punished
    deletes = any(each.rule.consequence.deletes for each in counted)
    if deletes:
        rows += strike_rows(offence.chat, offence.message, view.now)
    if penalty is not Penalty.NONE or (deletes and worst.counts and not worst.again):
        facts = _told(offence, worst, penalty, deleted=deletes)
        rows.append(news("rule.broken", offence.chat, facts, view.now))
    return Decision(penalty, rows=tuple(rows))


def step_of(consequence: Consequence, before: Sequence[int], at: int) -> tuple[Step, int]:
    """Return the step that a violation at ``at`` brings, and its number: the last step whose count is reached.

    ``before`` are the times of those that count; each step counts within its own span of time, this one included.
    """
    reached, number = Step(), 1
    for step in consequence.steps:
        within = 1 + sum(at - 1000 * step.seconds < each <= at for each in before)
        if within >= step.after:
            reached, number = step, within
    return reached, number


def _count(view: View, offence: Offence, rule: Rule) -> _Count:
    longest = max((step.seconds for step in rule.consequence.steps), default=0)
    span = max(1000 * longest, 1000 * rule.parameters.seconds, NOTICE_MS)
    facts = {"rule": rule.number, "person": offence.person, "since": offence.said_at - span}
    before = [row["said_at"] for row in view.select(_LATELY, facts)]
    run_on = rule.kind is Kind.FLOOD and any(
        offence.said_at - 1000 * rule.parameters.seconds < each for each in before
    )
    again = any(offence.said_at - NOTICE_MS < each for each in before)
    if run_on or not offence.person:
        return _Count(rule, not run_on, Step(), 1, again)
    step, number = step_of(rule.consequence, before, offence.said_at)
    return _Count(rule, counts=True, step=step, number=number, again=again)


def _known(books: Selects, offence: Offence, rule: Rule) -> bool:
    return bool(books.select(_KNOWN, (rule.number, offence.chat, offence.message)))


def _row(view: View, offence: Offence, count: _Count, penalty: Penalty) -> Row:
    facts = {
        "rule": count.rule.number,
        "version": count.rule.version,
        "chat": offence.chat,
        "message": offence.message,
        "person": offence.person,
        "said_at": offence.said_at,
        "counts": int(count.counts),
        "penalty": penalty.value,
        "at": view.now,
    }
    return Row(_INSERT, facts, changes=1)


def _punished(
    view: View, offence: Offence, count: _Count, owners: Collection[int]
) -> tuple[Penalty, Sequence[Row]]:
    """Return the penalty that is given, and its rows; none for whoever is in jail for as long already."""
    try:
        decision = _penalty(view, offence, count, owners)
    except Refused as refusal:
        if refusal.code != "jail_stands":
            raise
        return Penalty.NONE, ()
    if decision is None:
        return Penalty.NONE, ()
    rows = list(decision.rows)
    if isinstance(decision.outcome, Jail):
        # Friends pay from the button under it; that a rule was broken is told beside.
        rows += notice_rows(decision.outcome, str(offence.told.get("who", "")), view.now)
    return count.step.penalty, rows


def _penalty(view: View, offence: Offence, count: _Count, owners: Collection[int]) -> Decision[Any] | None:
    step = count.step
    case = Case(
        AccountId(offence.person),
        offence.chat,
        f"{_WHAT[count.rule.kind]} (rule {count.rule.number})",
        RULE,
        rule=f"{count.rule.number}.{count.rule.version}",
        message=offence.message,
        told=offence.told,
    )
    match step.penalty:
        case Penalty.NONE:
            return None
        case Penalty.WARN:
            return decide_warning(view, case, owners)
        case Penalty.FINE:
            return decide_fine(view, case, Price(Amount(step.amount), Denom(step.denom)), owners)
        case Penalty.JAIL:
            bail = Price(Amount(step.bail), Denom(step.denom))
            return decide_jail(view, case, step.minutes * MINUTE_MS, bail, owners)


def _told(offence: Offence, count: _Count, penalty: Penalty, *, deleted: bool) -> dict[str, Any]:
    step = count.step
    facts = {
        **offence.told,
        "person": offence.person,
        "rule": count.rule.number,
        "kind": count.rule.kind.value,
        "penalty": penalty.value,
        "deleted": deleted,
        "number": count.number,
    }
    if penalty is Penalty.FINE:
        facts |= {"amount": step.amount, "denom": step.denom}
    if penalty is Penalty.JAIL:
        facts |= {"minutes": step.minutes, "amount": step.bail, "denom": step.denom}
    return facts
