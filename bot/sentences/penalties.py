"""Warnings, fines and jails: what was set, what it costs to be free, and how it ended.

Amounts of fines and bail are public, as they are set in public; what anybody owns is not.
"""

from typing import Final

from bot.html import Html
from bot.words import Compose, Composed, Facts, Words, moment

NEWS: Final = {
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
    "bailed": "{by} paid your bail of {bail}",
    "released": "an admin let you go",
    "served": "your time is over",
}

REFUSALS: Final = {
    "penalty_immune": "Owners and admins are neither warned, fined nor jailed here.",
    "fine_unknown": "You have no fine {fine}. /fines lists yours.",
    "fine_settled": "Fine {fine} is settled already ({state}).",
    "fines_none": "You owe no fines.",
    "jail_none": "They are not in jail here.",
    "jail_unknown": "There is no jail {jail}. /jails lists who serves.",
    "jail_ended": "That jail is over already, so nobody was charged.",
    "jail_over": "That jail has just ended by itself, so nobody was charged.",
    "jail_not_over": "That jail has not ended yet.",
    "jail_stands": "They are in jail already, and not for less time than that. /unjail first would change it.",
    "duration_too_short": "A jail lasts {minutes} minute at least, like <code>10m</code>.",
    "duration_too_long": "A jail lasts {days} days at most, like <code>3d</code>.",
}

MOVES: Final = {
    ("fine", False): "fine paid",
    ("bail", False): "bail paid",
    ("fine", True): "fine of {name}",
    ("bail", True): "bail from {name}",
}

AMOUNTS: Final = frozenset({"bail"})


def usd_part(words: Words, facts: Facts) -> Html:
    """Return the dollars that were typed, in parentheses, where it was dollars."""
    cents = facts.get("usd_cents")
    return words.fill(" (${usd})", {"usd": f"{cents // 100}.{cents % 100:02}"}) if cents else Html("")


def where_part(words: Words, facts: Facts) -> Html:
    """Return which chat is meant, where that is known."""
    return words.fill(" in {where}", facts) if facts.get("where") else Html("")


def _composed(say: str) -> Compose:
    def compose(words: Words, facts: Facts) -> Html:
        how = words.fill(FREED.get(str(facts.get("state")), "{state}"), {"by": "Somebody", **facts})
        return words.fill(
            NEWS[say],
            facts,
            how=how,
            until=moment(int(facts.get("until_at", 0))),
            usd=usd_part(words, facts),
            where_part=where_part(words, facts),
        )

    return compose


COMPOSED: Final[Composed] = {say: _composed(say) for say in NEWS}
