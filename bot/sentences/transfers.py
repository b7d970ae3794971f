"""Coins from one member to another."""

from typing import Final

from bot.html import Html
from bot.words import Compose, Composed, Facts, Words, mention, note_line

ANSWERS: Final = {
    "send.private": "Sent <b>{amount}</b> to {to}.{note_line}\nYou have {left} left. Receipt {receipt}.",
    "send.group": "{who} sent <b>{amount}</b> to {to}.{note_line}\n<i>Receipt {receipt}</i>",
    "send.asks.moved": (
        "{typed} belonged to somebody else not long ago and is <b>{to}</b> (id {recipient}) now. Send {amount} there?"
    ),
    "send.asks.renamed": (
        "<b>{to}</b> (id {recipient}) was {typed} when I last saw them, and goes by another name now. "
        "Send {amount} there?"
    ),
    "send.asks.stale": (
        "I have not seen {typed} for long; it was <b>{to}</b> (id {recipient}). Names change hands. Send {amount} there?"
    ),
    "send.dropped": "All right, nothing was sent.",
}

NEWS: Final = {
    "transfer.received": "{from_name} sent you <b>{amount}</b>.{note_line}\n/balance\n<i>Receipt {receipt}</i>",
}

REFUSALS: Final = {
    "recipient_missing": "To whom? Reply to one of their messages, or write their @name: <code>/send 5 @name</code>.",
    "recipient_without_at": (
        "I don't know who “{typed}” is. Reply to one of their messages, or write their name with an @: "
        "<code>/send 5 @name</code>."
    ),
    "recipient_two": (
        "Did you mean {typed}, or the person whose message you answered? To pay {typed}, write that name right after "
        "the amount; to pay the other, leave it out."
    ),
    "recipient_unknown": (
        "I have never met {name}, so I can't tell who that is. Reply to one of their messages instead, or ask them to "
        "say something here or to send me /start."
    ),
    "recipient_bot": "{name} is a bot, and bots have no account here.",
    "recipient_nobody": (
        "That was written by a channel or an anonymous admin, so I can't tell who would get it. "
        "Write the person's @name, or reply to a message under their own name."
    ),
    "recipient_self": "That would go from you to yourself. Whom did you mean?",
    "same_account": "That would go from you to yourself. Whom did you mean?",
    "not_a_user": "That account belongs to no person, so nothing can be sent there.",
    "unknown_account": "They have no account yet. Ask them to send me /start, then try again.",
    "note_too_long": "The note is too long: {limit} characters at most.",
}

LABELS: Final = {
    "send.confirm": "Yes, send",
    "send.drop": "Don't",
}

TOASTS: Final = {
    "send.sent": "Sent.",
}

MOVES: Final = {
    ("transfer", True): "from {name}",
    ("transfer", False): "to {name}",
}


def _sent(say: str) -> Compose:
    def compose(words: Words, facts: Facts) -> Html:
        return words.fill(
            ANSWERS[say],
            facts,
            to=mention(facts, "recipient", "to"),
            who=mention(facts, "sender", "who"),
            note_line=note_line(words, facts),
        )

    return compose


def _received(words: Words, facts: Facts) -> Html:
    sender = mention(facts, "sender", "who")
    return words.fill(NEWS["transfer.received"], facts, from_name=sender, note_line=note_line(words, facts))


COMPOSED: Final[Composed] = {
    "send.private": _sent("send.private"),
    "send.group": _sent("send.group"),
    "transfer.received": _received,
}
