"""Warnings, fines and jails: what was set, what it costs to be free, and how it ended.

Amounts of fines and bail are public, as they are set in public; what anybody owns is not.
"""

from typing import Final

from bot.html import Html, join
from bot.words import Compose, Composed, Facts, Words, mention, moment

ANSWERS: Final = {
    "fine.taken_back": "Fine {fine} of {amount} is forgiven: {who} owes nothing for it.",
    "jail.set": "{person_name} is in jail until {until}, bail {bail}. The group was told.",
    "jail.closed": "🔓 {person_name} is out of jail: {how}.",
    "jail.replaced": "🔒 {person_name} stays in jail: a longer one took its place.",
    "jail.lifted": "🔓 {person_name} is out of jail: {how}.",
    "jails.listed": "<b>In jail here</b>\n\n{lines}\n\n<code>/bail @name</code> frees a friend.",
    "jails.own": "<b>Where you are in jail</b>\n\n{lines}\n\n/paybail frees you.",
    "bail.which": "{who} is in jail in more than one chat. Which bail?\n\n{lines}",
    "bail.paid": "🔓 {by} paid <b>{bail}</b> of bail, and {person_name} is free.",
    "bail.paid_own": "🔓 {person_name} paid <b>{bail}</b> of bail and is free.",
    "fines.own": "<b>Fines you owe</b>\n\n{lines}\n\n<code>/payfine all</code> pays them together.",
    "fines.theirs": "<b>Fines of {who}</b>\n\n{lines}\n\n<code>/forgive 12 reason</code> takes one back.",
    "fines.paid": "Paid:\n{lines}",
    "status.own": "<b>How you stand</b>\n{jailed}\nOpen fines: {fines}{record}",
    "status.theirs": "<b>How {who} stands</b>\n{jailed}\nOpen fines: {fines}{record}",
    "status.jailed": "{person_name} is in jail here until {until}. Bail: {bail}.",
    "status.free": "{who} is not in jail here.",
}

NEWS: Final = {
    "warning.noticed": "{person_name} was warned: “{reason}”",
    "fine.noticed": (
        "{person_name} is fined <b>{amount}</b>{usd}: “{reason}”\n<i>Fine {fine}</i> · <code>/payfine {fine}</code>"
    ),
    "jail.noticed": (
        "🔒 {person_name} is in jail until {until}: “{reason}”\n"
        "Bail is <b>{bail}</b>{usd}. Anyone may pay it, from their own balance."
    ),
    "person.warned": "You were warned{where_part}: “{reason}”",
    "person.fined": (
        "You were fined <b>{amount}</b>{usd}{where_part}: “{reason}”\n"
        "<code>/payfine {fine}</code> pays it; /fines lists what is open."
    ),
    "fine.forgiven": "Your fine {fine} of {amount}{where_part} was forgiven. You owe nothing for it.",
    "person.jailed": (
        "You are in jail{where_part} until {until}: “{reason}”\n"
        "Bail is <b>{bail}</b>{usd}: /paybail frees you at once. All your commands work here meanwhile."
    ),
    "person.freed": "You are out of jail{where_part}: {how}.",
}

FREED: Final = {
    "bailed": "{by} paid the bail of {bail}",
    "released": "an admin said so",
    "served": "the time is over",
}

PARTS: Final = {
    "jails.listed": "{who}: until {until}, bail {bail}",
    "jails.own": "Jail {jail}: until {until}, bail {bail}",
    "bail.which": "Jail {jail}: until {until}, bail {bail}",
    "fines.own": "{fine} · <b>{amount}</b>{usd} · {reason}",
    "fines.theirs": "{fine} · <b>{amount}</b>{usd} · {reason}",
    "fines.paid": "{fine} · <b>{amount}</b>{usd} · {reason}",
}

EMPTY: Final = {
    "jails.listed": "Nobody is in jail here.",
    "jails.own": "You are not in jail anywhere.",
    "fines.own": "You owe no fines.",
    "fines.theirs": "{who} owes no fines.",
}

KINDS: Final = {"warn": "warned", "fine": "fined", "jail": "jailed"}

REFUSALS: Final = {
    "penalty_immune": "Owners and admins are neither warned, fined nor jailed here.",
    "fine_unknown": "There is no fine {fine} of yours. /fines lists them.",
    "fine_settled": "Fine {fine} is settled already ({state}).",
    "fine_number": "I can't read <code>{typed}</code> as the number of a fine. /fines lists them: <code>/payfine 12</code>.",
    "fines_none": "You owe no fines.",
    "jail_none": "They are not in jail here.",
    "jail_none_own": "You are not in jail here. /status shows where you are.",
    "jail_unknown": "There is no jail {jail}. /jails lists who serves.",
    "jail_ended": "That jail is over already, so nobody was charged.",
    "jail_over": "That jail has just ended by itself, so nobody was charged.",
    "jail_not_over": "That jail has not ended yet.",
    "jail_stands": "They are in jail already, and not for less time than that. /unjail first would change it.",
    "duration_missing": "For how long? Minutes, hours or days: <code>/jail @name 2h</code>.",
    "duration_unreadable": (
        "I can't read <code>{typed}</code> as a time. Minutes, hours or days, like <code>10m</code>, <code>2h</code> or "
        "<code>3d</code>."
    ),
    "duration_too_short": "A jail lasts {minutes} minute at least, like <code>10m</code>.",
    "duration_too_long": "A jail lasts {days} days at most, like <code>3d</code>.",
    "price_no_source": "I know no price in dollars here. Please write the amount in {symbol}.",
    "price_unavailable": (
        "Nobody tells me the price in dollars at the moment. Try again in a while, or write the amount in {symbol}."
    ),
    "price_unreadable": (
        "I can't read <code>{typed}</code> as dollars. Like <code>$5</code> or <code>5.50 USD</code>, with two decimals "
        "at most."
    ),
}

ALERTS: Final = {
    "rights.refused": (
        "Telegram doesn't let me change what a member may write. The books stand as below, money included, and I keep "
        "trying. I have to be an administrator of that group who may restrict members."
    ),
}

LABELS: Final = {
    "bail.pay": "Pay bail: {bail}",
    "fine.pay": "Pay fine {fine}: {amount}",
}

TOASTS: Final = {
    "bail.paid": "You paid {bail} of bail.",
    "fines.paid": "Paid.",
}

MOVES: Final = {
    ("fine", False): "fine paid",
    ("bail", False): "bail paid",
    ("fine", True): "fine of {name}",
    ("bail", True): "bail from {name}",
}

AMOUNTS: Final = frozenset({"bail"})


def _parts(words: Words, facts: Facts) -> dict[str, Html]:
    """Return what sentences about one penalty are made of, beside their plain facts."""
    cents = facts.get("usd_cents")
    how = FREED.get(str(facts.get("state")), "{state}")
    return {
        "person_name": mention(facts, "person", "who"),
        "how": words.fill(how, {**facts, "by": facts.get("by") or "somebody"}),
        "until": moment(int(facts.get("until_at", 0))),
        "usd": words.fill(" (${dollars})", {"dollars": f"{cents // 100}.{cents % 100:02}"})
        if cents
        else Html(""),
        "where_part": words.fill(" in {where}", facts) if facts.get("where") else Html(""),
    }


def _one(template: str) -> Compose:
    return lambda words, facts: words.fill(template, facts, **_parts(words, facts))


def _list(say: str, of: str) -> Compose:
    def compose(words: Words, facts: Facts) -> Html:
        lines = [words.fill(PARTS[say], each, **_parts(words, each)) for each in facts.get(of, ())]
        if not lines and say in EMPTY:
            return words.fill(EMPTY[say], facts)
        return words.fill(ANSWERS[say], facts, lines=join("\n", lines))

    return compose


def _status(say: str) -> Compose:
    def compose(words: Words, facts: Facts) -> Html:
        jails = [
            words.fill("In jail until {until}, bail {bail}.", each, **_parts(words, each))
            for each in facts.get("jails", ())
        ]
        record = [
            words.fill(
                "\n{moment}: {done}, “{reason}”",
                each,
                moment=moment(each["at"]),
                done=Html(KINDS[each["kind"]]),
            )
            for each in facts.get("violations", ())
        ]
        jailed = join("\n", jails) if jails else Html("Not in jail.")
        return words.fill(ANSWERS[say], facts, jailed=jailed, record=join("", record))

    return compose


COMPOSED: Final[Composed] = {
    **{say: _one(template) for say, template in {**ANSWERS, **NEWS}.items()},
    **{say: _list(say, "jails") for say in ("jails.listed", "jails.own", "bail.which")},
    **{say: _list(say, "fines") for say in ("fines.own", "fines.theirs", "fines.paid")},
    **{say: _status(say) for say in ("status.own", "status.theirs")},
}
