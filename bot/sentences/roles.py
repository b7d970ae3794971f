"""Who may do what, what was ordered, and money commands that rest."""

from datetime import UTC, datetime
from typing import Any, Final

from bot.html import Html, escape, join
from bot.words import Composed, Facts, Words, mention

ANSWERS: Final = {
    "role.listed": "<b>Who may do what</b>\n\n{lines}\n\nOwners stand in the settings; an owner appoints with /role.",
    "role.line": "{role}: {who} (<code>{account}</code>)",
    "role.appointed": "{to} is {role} now, and was {before}.",
    "audit.page": "<b>What was ordered{about}</b>\n\n{lines}",
    "audit.about": ", by or about {who}",
    "audit.empty": "Nothing was ordered yet{about}.",
    "audit.end": "Nothing older than that.",
    "audit.line": "<b>{number}</b> {time} UTC · {by}\n{action}{target_part}{changes}\n“{reason}”",
    "audit.by": "{by} ({role})",
    "audit.console": "the console",
    "audit.target": ": {target}",
    "audit.changed": "\n{name}: {before} → {after}",
    "audit.value": "\n{name}: {after}",
    "audit.was": "\n{name}: was {before}",
    "pause.begun": "Money commands rest. Whoever tries one reads: “{reason}”\n/resume lets them go on.",
    "pause.ended": "Money commands go on.",
}

NEWS: Final = {
    "role.changed": "Your role here is <b>{role}</b> now; it was {before}. /help lists what you may use.",
}

ALERTS: Final = {
    "role.changed": "Somebody has another role.",
    "commands.paused": "Money commands of members were paused.",
    "commands.resumed": "Money commands go on.",
}

REFUSALS: Final = {
    "role_by_settings": "Owners are named in the settings of the bot, by whoever runs it; no command changes that.",
    "role_unknown": "I know no role <code>{typed}</code>, only {listed}.",
    "role_same": "That is their role already: {role}.",
    "recipient_unnamed": (
        "Who is meant? Reply to one of their messages, or write their @name or number right after the command."
    ),
    "recipient_doubtful": (
        "{typed} changed hands, or I have not seen it for long, so I can't tell who is meant. "
        "Reply to one of their messages, or write their number."
    ),
    "command_paused": (
        "The people who run this have paused it: “{reason}”\nWhat you have is safe, and /balance shows it. "
        "Please try again later."
    ),
    "already_paused": "Money commands rest already. /resume lets them go on.",
    "not_paused": "Nothing is paused.",
}

LABELS: Final = {
    "audit.older": "Older",
    "audit.newer": "Newer",
}


def _roles(words: Words, facts: Facts) -> Html:
    lines = [words.fill(ANSWERS["role.line"], each) for each in facts.get("people", ())]
    return words.fill(ANSWERS["role.listed"], facts, lines=join("\n", lines))


def _appointed(words: Words, facts: Facts) -> Html:
    return words.fill(ANSWERS["role.appointed"], facts, to=mention(facts, "recipient", "to"))


def _audit(words: Words, facts: Facts) -> Html:
    about = words.fill(ANSWERS["audit.about"], facts) if facts.get("who") else Html("")
    lines = [_audit_line(words, line) for line in facts.get("lines", ())]
    if not lines:
        return words.fill(ANSWERS["audit.end" if facts.get("paged") else "audit.empty"], facts, about=about)
    return words.fill(ANSWERS["audit.page"], facts, about=about, lines=join("\n\n", lines))


def _audit_line(words: Words, line: Facts) -> Html:
    moment = datetime.fromtimestamp(line["at"] / 1000, UTC)
    return words.fill(
        ANSWERS["audit.line"],
        line,
        time=escape(f"{moment.day} {moment:%b %Y %H:%M}"),
        by=words.fill(ANSWERS["audit.by" if line["by"] else "audit.console"], line),
        target_part=words.fill(ANSWERS["audit.target"], line) if line["target"] else Html(""),
        changes=_changes(words, line["before"], line["after"]),
    )


def _changes(words: Words, before: Facts, after: Facts) -> Html:
    """Return a line for each thing that an order changed; amounts are of the denom that is named among them."""
    denom = after.get("denom", before.get("denom"))
    asset: dict[str, Any] = {} if denom is None else {"denom": denom}
    lines: list[Html] = []
    for name in sorted((before.keys() | after.keys()) - {"denom"}):
        what = "changed" if name in before and name in after else "value" if name in after else "was"
        shown = {
            side: words.shown(name, "none" if values[name] is None else values[name], asset)
            for side, values in (("before", before), ("after", after))
            if name in values
        }
        plain_name = {"name": name.replace("_", " ")}
        lines.append(words.fill(ANSWERS[f"audit.{what}"], plain_name, **shown))
    return join("", lines)


COMPOSED: Final[Composed] = {
    "role.listed": _roles,
    "role.appointed": _appointed,
    "audit.page": _audit,
}
