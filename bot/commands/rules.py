"""/rules: what a group does not want, and what follows. Everyone may read them; admins change them, by words or buttons."""

from collections.abc import Awaitable, Sequence
from dataclasses import asdict
from typing import Any, Final

from bot.context import Context
from bot.html import clean_name
from bot.intents import Person
from bot.recipients import Word, find_recipient, split_words
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from bot.rules import changes
from bot.rules.book import decide_rule, rules_of
from bot.rules.changes import Wish
from bot.rules.grammar import Terms, read_order
from bot.rules.model import Kind, Parameters, Penalty, Rule, State
from bot.rules.shapes import NAMES
from bot.transport import TransportError
from ledger.errors import Refused
from ledger.roles import Role
from ledger.units import Beside, Unit

BUTTON_SECONDS: Final = 3600
LISTED: Final = 10
"""Rules with a button of their own; all others are changed by their number."""
PRESETS: Final = {
    Kind.LINKS: None,
    Kind.STICKERS: None,
    Kind.FORWARDS: None,
    Kind.MEDIA: Parameters(tuple(NAMES)),
    Kind.FLOOD: Parameters(count=5, seconds=10),
}
"""What a button adds; words and patterns have to be typed."""
PRESSED: Final = "a button of /rules"
"""The reason of an order that was pressed, not typed."""


async def rules(context: Context) -> Result:
    """Show the rules of this group, or carry out what an admin typed.

    Raises Refused ``role_too_low``, and what the reader of the words raises (``rules_...``).
    """
    if not context.args:
        return await _menu(context, rules_of(context.bank.service.reader, context.chat.id))
    if context.role < Role.ADMIN:
        raise Refused("role_too_low", needed=Role.ADMIN.word)
    words = split_words(context.args, context.entities)
    terms = Terms(context.bank.assets, context.bank.bail)
    order = read_order(words, terms, lambda word: _person(context, word))
    return await _changed(context, order.wish, order.reason)


async def add(context: Context) -> Result:
    """Have a rule hold that a button offers."""
    kind = Kind(context.arguments["kind"])
    return await _changed(context, changes.stated(kind, None, PRESETS[kind]), PRESSED)


async def opened(context: Context) -> Result:
    """Show one rule and what can be done about it. Raises Refused ``rules_unknown``."""
    number = context.arguments["rule"]
    standing = rules_of(context.bank.service.reader, context.chat.id)
    found = next((rule for rule in standing if rule.number == number), None)
    if found is None:
        raise Refused("rules_unknown", rule=number)
    return await _card(context, found)


async def listed(context: Context) -> Result:
    """Go back to the list."""
    return await _menu(context, rules_of(context.bank.service.reader, context.chat.id))


async def turn_on(context: Context) -> Result:
    """Have a rule hold again."""
    return await _changed(context, changes.turned(context.arguments["rule"], State.ON), PRESSED)


async def turn_off(context: Context) -> Result:
    """Keep a rule, and have nobody judged by it."""
    return await _changed(context, changes.turned(context.arguments["rule"], State.OFF), PRESSED)


async def remove(context: Context) -> Result:
    """Remove a rule."""
    return await _changed(context, changes.turned(context.arguments["rule"], State.REMOVED), PRESSED)


async def delete(context: Context) -> Result:
    """Have what breaks a rule deleted."""
    return await _changed(context, changes.tuned(context.arguments["rule"], deletes=True), PRESSED)


async def keep(context: Context) -> Result:
    """Leave what breaks a rule where it is."""
    return await _changed(context, changes.tuned(context.arguments["rule"], deletes=False), PRESSED)


async def warn(context: Context) -> Result:
    """Have whoever breaks a rule warned, and nothing else."""
    return await _changed(context, changes.tuned(context.arguments["rule"], penalty=Penalty.WARN), PRESSED)


async def spare(context: Context) -> Result:
    """Have nobody punished by a rule."""
    return await _changed(context, changes.tuned(context.arguments["rule"], penalty=Penalty.NONE), PRESSED)


async def _changed(context: Context, wish: Wish, reason: str) -> Result:
    sight = await _sight(context)

    def perform(beside: Beside) -> Awaitable[Rule]:
        unit = Unit(
            lambda view: decide_rule(view, context.actor, context.chat.id, wish, reason), beside=beside
        )
        return context.bank.service.journal.submit(unit)

    return Effect(perform, lambda rule: _told(context, rule, sight), needs=Role.ADMIN)


async def _card(context: Context, rule: Rule) -> Answer:
    return _told(context, rule, await _sight(context))


def _told(context: Context, rule: Rule, sight: dict[str, bool]) -> Answer:
    """Return one rule as it is now, with what an admin can press."""
    facts = {**_facts(context, rule), **sight}
    if rule.kind is Kind.ALLOWED:
        return Answer("rules.allowed", facts, toast="rules.done")
    if rule.state is State.REMOVED:
        return Answer(
            "rules.removed", facts, choices=(Choice("rules.back", {}, BUTTON_SECONDS),), toast="rules.done"
        )
    return Answer("rules.set", facts, choices=_choices(rule), toast="rules.done")


def _choices(rule: Rule) -> tuple[Choice, ...]:
    which = {"rule": rule.number}
    punishes = bool(rule.consequence.steps)
    return (
        Choice("rules.off", which, BUTTON_SECONDS)
        if rule.holds
        else Choice("rules.on", which, BUTTON_SECONDS),
        Choice("rules.remove", which, BUTTON_SECONDS),
        Choice("rules.keep", which, BUTTON_SECONDS, row=1)
        if rule.consequence.deletes
        else Choice("rules.delete", which, BUTTON_SECONDS, row=1),
        Choice("rules.spare", which, BUTTON_SECONDS, row=1)
        if punishes
        else Choice("rules.warn", which, BUTTON_SECONDS, row=1),
        Choice("rules.back", {}, BUTTON_SECONDS, row=2),
    )


async def _menu(context: Context, standing: Sequence[Rule]) -> Answer:
    """Return the rules in words, and for admins the buttons."""
    shown = [rule for rule in standing if rule.kind is not Kind.ALLOWED]
    allowed = [entry for rule in standing if rule.kind is Kind.ALLOWED for entry in rule.parameters.items]
    rules = [_facts(context, rule) for rule in shown if rule.holds or context.role >= Role.ADMIN]
    facts: dict[str, Any] = {"rules": rules, "allowed": allowed}
    if context.role < Role.ADMIN:
        return Answer("rules.listed", facts)
    opening = [
        Choice("rules.open", {"rule": rule.number, "kind": rule.kind.value}, BUTTON_SECONDS, row=place // 2)
        for place, rule in enumerate(shown[:LISTED])
    ]
    missing = [
        kind for kind in PRESETS if not any(rule.kind is kind and rule.person is None for rule in shown)
    ]
    adding = [
        Choice("rules.add", {"kind": kind.value}, BUTTON_SECONDS, row=LISTED + place // 2)
        for place, kind in enumerate(missing)
    ]
    return Answer("rules.menu", {**facts, **await _sight(context)}, choices=(*opening, *adding))


async def _sight(context: Context) -> dict[str, bool]:
    """Return what the bot can do here, as facts; nothing when Telegram does not say."""
    try:
        sight = await context.bank.groups.sight(context.chat.id)
    except TransportError:
        return {}
    return {"reads": sight.reads, "may_delete": sight.deletes}


def _facts(context: Context, rule: Rule) -> dict[str, Any]:
    steps = [{**asdict(step), "penalty": step.penalty.value} for step in rule.consequence.steps]
    return {
        "rule": rule.number,
        "kind": rule.kind.value,
        "state": rule.state.value,
        "items": list(rule.parameters.items),
        "count": rule.parameters.count,
        "seconds": rule.parameters.seconds,
        "whom": context.bank.names.shown(rule.person) if rule.person else "",
        "deletes": rule.consequence.deletes,
        "steps": steps,
    }


def _person(context: Context, word: Word) -> int:
    found = find_recipient(word, None, Person(0, ""), context.bank.names, context.now)
    if found.doubt is not None:
        raise Refused("rules_who", name=clean_name(found.name))
    return found.id


COMMAND = Command(
    "rules",
    "what this group does not want, and what follows",
    rules,
    "[what] [what follows]",
    in_private=False,
    examples=(
        "/rules links delete",
        "/rules allow example.org",
        "/rules words add spam scam",
        "/rules pattern fr[e3]{2}\\s+money delete warn",
        "/rules flood 5 in 10s delete warn then jail 10m after 3 in 1d",
        "/rules links off",
    ),
    actions={
        "rules.add": add,
        "rules.open": opened,
        "rules.back": listed,
        "rules.on": turn_on,
        "rules.off": turn_off,
        "rules.remove": remove,
        "rules.delete": delete,
        "rules.keep": keep,
        "rules.warn": warn,
        "rules.spare": spare,
    },
    action_roles=dict.fromkeys(
        (
            "rules.add",
            "rules.open",
            "rules.on",
            "rules.off",
            "rules.remove",
            "rules.delete",
            "rules.keep",
            "rules.warn",
            "rules.spare",
        ),
        Role.ADMIN,
    ),
)
