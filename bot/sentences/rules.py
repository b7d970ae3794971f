"""What people read of the rules of a group: which there are, what follows, and what a wrong form should have been."""

from collections.abc import Mapping
from typing import Any, Final

from bot.durations import spelled
from bot.html import Html, escape, join
from bot.words import Composed, Facts, Words

ANSWERS: Final = {
    "rules.listed": "<b>The rules of this group</b>\n{lines}",
    "rules.menu": "<b>The rules of this group</b>\n{lines}\n\n{sight}{forms}",
    "rules.set": "<b>Rule {rule}</b> · {state}\n{rule_line}{sight}",
    "rules.removed": "Rule {rule} is removed.",
    "rules.allowed": "Links may lead to {list} and nowhere else, where a rule is about links.",
}

_FORMS: Final = (
    "By words it can be more: <code>/rules words add spam</code>, <code>/rules pattern [0-9]{{16}} delete</code>, "
    "<code>/rules links delete warn then jail 1h bail 2 after 3 in 1d</code>. /help rules has the rest."
)

_NONE: Final = "There are none."
_BLIND: Final = (
    "⚠️ I don't see what people write here, so no rule can work: my privacy mode is on. Make me an administrator of "
    "this group, or have my owner send /setprivacy to @BotFather, choose Disable, and add me to the group again."
)
_UNABLE: Final = "⚠️ I can't delete here. Make me an administrator with the right to delete messages."
_UNKNOWN: Final = "⚠️ Telegram does not say right now whether I see what people write here. /rules asks again."

_LINE: Final = "<b>{rule}.</b> {what}{whom}: {follows}{off}"
_WHAT: Final[Mapping[str, str]] = {
    "links": "no links",
    "media": "no {list}",
    "stickers": "no stickers",
    "forwards": "no forwarded messages",
    "words": "none of {quantity} words",
    "pattern": "nothing like <code>{list}</code>",
    "flood": "no {count} messages in {span}",
}
_BROKEN: Final[Mapping[str, str]] = {
    "links": "links are not wanted here",
    "media": "that kind of message is not wanted here",
    "stickers": "stickers are not wanted here",
    "forwards": "forwarded messages are not wanted here",
    "words": "that word is not wanted here",
    "pattern": "that text is not wanted here",
    "flood": "that is a lot of messages at once",
}
_STEPS: Final[Mapping[str, str]] = {
    "none": "nothing",
    "warn": "a warning",
    "fine": "a fine of {amount}",
    "jail": "jail for {span}, bail {amount}",
}

NEWS: Final = {
    "rule.broken": "{who}: {why} (rule {rule}).{deleted}{penalty}",
}
_DELETED: Final = " I removed the message."
_PUNISHED: Final[Mapping[str, str]] = {
    "none": "",
    "warn": " This is a warning.",
    "fine": " That is a fine of {amount}: /payfine settles it.",
    "jail": " That is jail for {span}; bail is {amount}.",
}

REFUSALS: Final = {
    "rules_unclear": (
        "I don't understand <code>{typed}</code> there. A rule begins with links, media, stickers, forwards, words, "
        "pattern or flood, or a rule's number, and then says what follows, such as <code>/rules links delete</code>. "
        "/help rules has more."
    ),
    "rules_unknown": "There is no rule {rule} here. /rules lists them.",
    "rules_none": "There is no rule about {kind} here. /rules lists those that there are.",
    "rules_which": (
        "There are several rules about {kind}. Please name it by its number, such as <code>/rules {rule} off</code>."
    ),
    "rules_state": "What of that rule? <code>on</code>, <code>off</code> or <code>remove</code>.",
    "rules_too_many": "A group can have {limit} rules. Please remove one first.",
    "rules_list_full": "That list has room for {limit} entries.",
    "rules_not_listed": "<code>{typed}</code> is not on the list.",
    "rules_media": "Which media? Of these, one or more: {kinds}; or all.",
    "rules_word": (
        "I need single words, with spaces between them, such as <code>/rules words add spam scam</code>. A phrase is "
        "for <code>/rules pattern</code>."
    ),
    "rules_domain": "I need a domain, such as <code>/rules allow example.org</code> or <code>t.me/name</code>.",
    "rules_pattern_missing": (
        "Which pattern? It is a regular expression without spaces, such as "
        "<code>/rules pattern free\\s+money delete</code>."
    ),
    "rules_pattern": (
        "I can't use that pattern: {why}. It is RE2 syntax, without look-around and back-references; "
        "<code>\\s</code> stands for a space."
    ),
    "rules_pattern_long": "That pattern is too long: {limit} characters at most.",
    "rules_flood": "How many messages in what time? <code>/rules flood 5 in 10s delete</code>.",
    "rules_count": "I need a number from {least} to {limit} there.",
    "rules_time": (
        "I need a time there, such as <code>10s</code>, <code>5m</code>, <code>2h</code> or <code>1d</code>; "
        "floods look back an hour at most, steps 90 days, a jail lasts a year at most."
    ),
    "rules_action": (
        "What follows? <code>delete</code>, <code>warn</code>, <code>fine 1</code> or <code>jail 10m</code>; "
        "delete can stand beside another."
    ),
    "rules_two_penalties": (
        "One penalty for each step, please: <code>warn then fine 1 after 3 in 1d</code>. Only delete can stand beside it."
    ),
    "rules_after": "After how many, in what time? <code>then fine 1 after 3 in 1d</code>.",
    "rules_steps": "Each step comes after more violations than the one before it.",
    "rules_steps_many": "A rule can have {limit} steps.",
    "rules_who": "{name} has changed names lately, so I don't guess whom you mean. Please mention them from the list.",
}

LABELS: Final = {
    "rules.add": "Add: {kind}",
    "rules.open": "{rule}: {kind}",
    "rules.back": "All rules",
    "rules.on": "Turn on",
    "rules.off": "Turn off",
    "rules.remove": "Remove",
    "rules.delete": "Delete messages",
    "rules.keep": "Don't delete",
    "rules.warn": "Warn",
    "rules.spare": "No penalty",
}

TOASTS: Final = {
    "rules.done": "Done.",
}


def _listed(words: Words, facts: Facts) -> Html:
    lines = [_line(words, each) for each in facts.get("rules", ())]
    if allowed := facts.get("allowed"):
        lines.append(words.fill("Links may lead to {list}.", {"list": ", ".join(allowed)}))
    return join("\n", lines) if lines else Html(_NONE)


def _menu(words: Words, facts: Facts) -> Html:
    sight = _sight(facts)
    told = {"lines": _listed(words, facts), "forms": words.fill(_FORMS, {})}
    return words.fill(ANSWERS["rules.menu"], {}, **told, sight=Html(f"{sight}\n\n") if sight else Html(""))


def _set(words: Words, facts: Facts) -> Html:
    sight = _sight(facts) if facts.get("state") == "on" else Html("")
    line = _line(words, facts)
    return words.fill(
        ANSWERS["rules.set"], facts, rule_line=line, sight=Html(f"\n\n{sight}") if sight else Html("")
    )


def _sight(facts: Facts) -> Html:
    """Return what keeps the rules from working, nothing when nothing does."""
    if "reads" not in facts:
        return Html(_UNKNOWN)
    told = [] if facts["reads"] else [Html(_BLIND)]
    return join("\n", told if facts["may_delete"] else [*told, Html(_UNABLE)])


def _line(words: Words, facts: Facts) -> Html:
    items = ", ".join(facts.get("items", ()))
    known = {**facts, "list": items, "quantity": len(facts.get("items", ()))}
    what = words.fill(_WHAT.get(str(facts.get("kind")), "{kind}"), known, span=_span(facts.get("seconds", 0)))
    whom = words.fill(" (only {whom})", facts) if facts.get("whom") else Html("")
    off = Html(" · <i>off</i>") if facts.get("state") == "off" else Html("")
    return words.fill(_LINE, facts, what=what, whom=whom, follows=_follows(words, facts), off=off)


def _follows(words: Words, facts: Facts) -> Html:
    steps = [_step(words, each) for each in facts.get("steps", ())]
    parts = [Html("the message goes")] if facts.get("deletes") else []
    return join(", ", [*parts, *steps]) if parts or steps else Html("nothing follows")


def _step(words: Words, step: Mapping[str, Any]) -> Html:
    amount = step.get("bail") if step.get("penalty") == "jail" else step.get("amount")
    told = {"amount": amount, **({"denom": step["denom"]} if step.get("denom") else {})}
    span = _span(60 * int(step.get("minutes", 0)))
    what = words.fill(_STEPS.get(str(step.get("penalty")), ""), told, span=span)
    if int(step.get("after", 1)) < 2:
        return what
    times = escape(step["after"])
    return words.fill(
        "{what} after {times} in {within}", {}, what=what, times=times, within=_span(step["seconds"])
    )


def _span(seconds: int) -> Html:
    return escape(spelled(seconds))


def _broken(words: Words, facts: Facts) -> Html:
    penalty = words.fill(
        _PUNISHED.get(str(facts.get("penalty")), ""), facts, span=_span(60 * int(facts.get("minutes", 0)))
    )
    return words.fill(
        NEWS["rule.broken"],
        facts,
        why=escape(_BROKEN.get(str(facts.get("kind")), "that is not wanted here")),
        deleted=Html(_DELETED) if facts.get("deleted") else Html(""),
        penalty=penalty,
    )


def _allowed(words: Words, facts: Facts) -> Html:
    items = facts.get("items", ())
    if not items:
        return Html("No link is allowed now, where a rule is about links.")
    return words.fill(ANSWERS["rules.allowed"], {"list": ", ".join(items)})


COMPOSED: Final[Composed] = {
    "rules.listed": lambda words, facts: words.fill(ANSWERS["rules.listed"], {}, lines=_listed(words, facts)),
    "rules.menu": _menu,
    "rules.set": _set,
    "rules.allowed": _allowed,
    "rule.broken": _broken,
}
