"""What somebody owns, and how it came and went."""

from datetime import UTC, datetime
from typing import Final

from bot.html import ELLIPSIS, Html, escape, join, render
from bot.words import Compose, Composed, Facts, Words, note_line
from ledger.money import format_amount

ANSWERS: Final = {
    "balance.shown": "You have <b>{balances}</b>.{waiting}",
    "balance.empty": "Nothing here yet.{waiting} /deposit shows how to put {symbol} in.",
    "balance.waiting": "\nOn its way out: {amount} (withdrawal {withdrawal}).",
    "history.page": "<b>Your {symbol}</b>\n\n{lines}",
    "history.empty": "Nothing has happened yet. /deposit shows how to put {symbol} in.",
    "history.end": "Nothing older than that.",
    "history.cut": "\nOlder ones are left out: one statement has no more.",
    "history.day": "<b>{day}</b>",
    "history.by": "{what}, by {by}",
    "history.line": "{change} {what}{note_line}\n<i>{time} UTC · then {after}</i>",
}

NEWS: Final = {
    "statement.asked": "<b>Your {symbol} statement</b>\nLines: {lines}, newest first, times in UTC.{cut_line}",
}

REFUSALS: Final = {
    "insufficient_balance": "That takes {needed}, and you have {balance}. /deposit shows how to add some.",
    "nothing_to_send": "There is nothing to send yet. /deposit shows how to put {symbol} in.",
}

LABELS: Final = {
    "history.older": "Older",
    "history.newer": "Newer",
    "history.statement": "Statement (CSV)",
}

TOASTS: Final = {
    "history.statement": "It comes to our private chat.",
}


def _statement(words: Words, facts: Facts) -> Html:
    cut_line = words.fill(ANSWERS["history.cut"], facts) if facts.get("cut") else Html("")
    return words.fill(NEWS["statement.asked"], facts, cut_line=cut_line)


def _balance(words: Words, facts: Facts) -> Html:
    owned = [words.amount(each["amount"], each) for each in facts.get("balances", ())]
    waiting = [words.fill(ANSWERS["balance.waiting"], each) for each in facts.get("waiting", ())]
    template = ANSWERS["balance.shown" if owned else "balance.empty"]
    return words.fill(template, facts, balances=join(", ", owned), waiting=join("", waiting))


def history_page(template: str) -> Compose:
    """Return what writes a page with the heading of ``template``: newest first, with a heading for each day."""

    def compose(words: Words, facts: Facts) -> Html:
        lines = _history_lines(words, facts)
        if not lines:
            return words.fill(ANSWERS["history.end" if facts.get("paged") else "history.empty"], facts)
        return words.fill(template, facts, lines=join("\n", lines))

    return compose


def _history_lines(words: Words, facts: Facts) -> list[Html]:
    parts: list[Html] = []
    day = ""
    for line in facts.get("lines", ()):
        moment = datetime.fromtimestamp(line["at"] / 1000, UTC)
        if (heading := f"{moment.day} {moment:%B %Y}") != day:
            day = heading
            parts.append(words.fill(ANSWERS["history.day"], {"day": day}))
        parts.append(_history_line(words, {**line, "denom": facts.get("denom")}, f"{moment:%H:%M}"))
    return parts


def _history_line(words: Words, line: Facts, time: str) -> Html:
    came_in = line["change"] > 0
    amount = format_amount(line["change"], words.asset(line))
    what = words.move(line["kind"], line.get("name", ELLIPSIS), came_in=came_in)
    if line.get("by"):
        what = words.fill(ANSWERS["history.by"], line, what=what)
    return words.fill(
        ANSWERS["history.line"],
        line,
        change=render("<b>{amount}</b>", {"amount": escape(f"+{amount}" if came_in else amount)}),
        what=what,
        note_line=note_line(words, line),
        time=escape(time),
    )


AMOUNTS: Final = frozenset(
    {"amount", "fee", "balance", "needed", "minimum", "returned", "network_fee", "total", "left", "after"}
    | {"most", "threshold", "owed"}
)

COMPOSED: Final[Composed] = {
    "balance.shown": _balance,
    "history.page": history_page(ANSWERS["history.page"]),
    "statement.asked": _statement,
}
