"""What every command may say: welcome, help, questions, and what cannot be done."""

from typing import Final

from bot.html import Html, join
from bot.outgoing import Key, Link
from bot.words import Composed, Facts, Keys, Words

ANSWERS: Final = {
    "start.private": (
        "<b>Welcome, {name}.</b> Your account is open.\n\n"
        "I keep {symbol} for you and move it inside Telegram: instantly, and for free.\n\n"
        "• /deposit: put {symbol} in\n"
        "• /send: pay somebody, such as <code>/send 5 @name</code>\n"
        "• /withdraw: take it out, to any address\n"
        "• /balance and /history: what you have, and why\n\n"
        "/help lists everything."
    ),
    "start.group": (
        "Hello. I keep {symbol} for the people here. Reply to somebody with <code>/tip 1</code> and it is theirs at "
        "once. What concerns only you, I tell you in private."
    ),
    "help.listed": "<b>What I can do</b>\n\n{commands}\n\n/help and a command's name tells more of it.{pause_line}",
    "help.paused": "\n\n⏸ Money commands rest: “{paused}”",
    "help.command": "<code>{usage}</code>\n{summary}{examples}{aliases}",
    "command.old": (
        "You sent <code>{typed}</code> some time ago, while I was away. I have not done it. Do you still want it?"
    ),
    "command.dismissed": "All right, nothing was done.",
    "command.done": "Done. /history shows it.",
    "private.elsewhere": "The answer is for you alone, and waits in our private chat.",
}

NEWS: Final = {
    "messages.left_out": (
        "While I could not reach you, more was told than the {most} messages that I keep. "
        "/history shows all that moved your balance."
    ),
}

REFUSALS: Final = {
    "command_missing": "I only understand commands. /help lists them.",
    "command_unknown": "I don't know /{command}. /help lists what I know.",
    "command_incomplete": "That needs a little more: <code>{usage}</code>\nFor example <code>{example}</code>",
    "command_edited": "I don't act on edited messages. Please send /{command} again, as a new message.",
    "command_elsewhere": "/{command} works in {elsewhere}.",
    "command_not_for_bots": "Only people have an account here.",
    "role_too_low": "That takes the role {needed} here.",
    "too_many": (
        "You were faster than I am, so I left out what came after the first {limit}: none of that was done. "
        "Please wait for the answers, then send the rest again."
    ),
    "button_unknown": "That button does nothing any more. Please send the command again.",
    "button_not_yours": "That button is somebody else's.",
    "button_used": "That is settled already.",
    "button_expired": "That question is too old. Please send the command again.",
    "internal_error": (
        "Something went wrong on my side, and the people who run this were told. "
        "Look at /history before you try again: if it is not there, nothing moved."
    ),
}

LABELS: Final = {
    "command.again": "Yes, do it",
    "command.dismiss": "No",
    "link.private": "Open our private chat",
}


MAY_HAVE_MOVED: Final = frozenset({"internal_error", "too_many"})
"""Refusals that may not promise that nothing moved."""

NOTHING_MOVED: Final = "Nothing moved."
REFERENCE: Final = "Reference {reference}."
UNKNOWN_REFUSAL: Final = "That cannot be done ({code})."


def _private_chat(words: Words, facts: Facts) -> list[Key]:
    return [Link(words.label("link.private", facts), str(facts["link"]))] if facts.get("link") else []


def _help(words: Words, facts: Facts) -> Html:
    lines = [words.fill("<code>{usage}</code> · {summary}", each) for each in facts.get("commands", ())]
    pause_line = words.fill(ANSWERS["help.paused"], facts) if facts.get("paused") else Html("")
    return words.fill(ANSWERS["help.listed"], {}, commands=join("\n", lines), pause_line=pause_line)


def _help_command(words: Words, facts: Facts) -> Html:
    examples = [
        words.fill("\n<code>{example}</code>", {"example": each}) for each in facts.get("examples", ())
    ]
    aliases = [words.fill("\nAlso /{alias}.", {"alias": each}) for each in facts.get("aliases", ())]
    template = ANSWERS["help.command"]
    return words.fill(template, facts, examples=join("", examples), aliases=join("", aliases))


COMPOSED: Final[Composed] = {"help.listed": _help, "help.command": _help_command}
KEYS: Final[Keys] = {"private.elsewhere": _private_chat, "start.group": _private_chat}
