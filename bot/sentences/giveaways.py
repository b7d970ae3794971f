"""Coins for whoever is quick: the card of a giveaway, and what can be said about it."""

from typing import Final

from bot.html import Html, join
from bot.words import Composed, Facts, Words, moment

ANSWERS: Final = {
    "giveaway.asks": (
        "Give away {total} ({mode}): for how many people? Or write it behind the total, any number up to {limit}: "
        "<code>/giveaway 10 7</code>"
    ),
    "giveaway.card": "🎁 <b>Giveaway {giveaway}</b> by {by}{source}\n\n{terms}\n\n{progress}{proof}",
    "giveaway.card.first": "<b>{total}</b> for the first {slots} who claim: {share} each.{rest}",
    "giveaway.card.single": "<b>{total}</b> for whoever claims first.",
    "giveaway.card.equal": (
        "<b>{total}</b> in equal shares among all who join, {slots} at most. It is paid at the end, and what cannot be "
        "shared evenly goes back."
    ),
    "giveaway.card.random": "<b>{total}</b> in {slots} packets of random size, in the order of claims.",
    "giveaway.card.rest": " {remainder} cannot be shared evenly and goes back at the end.",
    "giveaway.card.treasury": ", from the treasury",
    "giveaway.card.active": "{claimed} of {slots} taken · until {until}",
    "giveaway.card.ended": "It is over: {claimed} of {slots} taken.{names}{back}",
    "giveaway.card.cancelled": "It was cancelled: {claimed} of {slots} had been taken.{names}{back}",
    "giveaway.card.name": "{name} {amount}",
    "giveaway.card.names": "\n{listed}",
    "giveaway.card.others": "\nand {others} more",
    "giveaway.card.back": "\n{returned} went back.",
    "giveaway.card.commitment": (
        "\n\n<i>The packets are fixed already, by a seed with the SHA-256</i> <code>{commitment}</code>"
    ),
    "giveaway.card.seed": "\n\n<i>Seed</i> <code>{seed}</code> <i>SHA-256</i> <code>{commitment}</code>",
    "giveaway.which": "Which one?\n\n{lines}\n\n<code>/cancelgiveaway {example}</code> cancels that one.",
    "giveaway.line": "<b>{giveaway}</b>: {total}",
    "giveaway.cancelled": (
        "Giveaway {giveaway} is cancelled: {returned} went back. {claimed} of {slots} had been taken."
    ),
}

NEWS: Final = {
    "giveaway.ended": (
        "Your giveaway {giveaway} is over: {claimed} of {slots} were taken, and {returned} came back{source_back}."
    ),
    "giveaway.ended.treasury": " to the treasury",
    "giveaway.moved": ANSWERS["giveaway.card"],
}

REFUSALS: Final = {
    "giveaway_total": "How much in all? Write the total too, like <code>/giveaway 10 25</code>.",
    "giveaway_slots": (
        "<code>{typed}</code> is no number of people. A whole one from 1 to {limit}, like <code>/giveaway 10 25</code>."
    ),
    "giveaway_small": (
        "{amount} cannot be cut into {slots} parts: each takes at least the smallest unit. Fewer people, or a larger total."
    ),
    "giveaway_lasts": (
        "A giveaway lasts from 1m to 30d: a number with m, h or d behind, like <code>/giveaway 10 25 2h</code>."
    ),
    "giveaway_word": (
        "I don't know what “{typed}” means here. After the total come the number of people, then first, equal or "
        "random, then how long: <code>/giveaway 10 25 random 2h</code>"
    ),
    "giveaway_treasury": (
        "From the treasury I need the number of people and why, too: "
        "<code>/giveaway treasury 100 50 for the helpers</code>"
    ),
    "giveaway_hidden": "Nobody else would see the card. Please write it as an ordinary message.",
    "giveaway_unknown": "There is no giveaway {giveaway}.",
    "giveaway_elsewhere": "That giveaway is in another chat.",
    "giveaway_claimed": "You have your part of this one already.",
    "giveaway_over": "Giveaway {giveaway} is over.",
    "giveaway_early": "Giveaway {giveaway} still runs.",
    "giveaway_own": "This one is yours to give, and for the others to take.",
    "giveaway_jailed": "This group's giveaways are not for those who are jailed. /paybail",
    "giveaway_newcomer": "This group's giveaways are for those who have been here for {hours} h.",
    "giveaway_not_yours": "Giveaway {giveaway} can be cancelled by whoever gives it, and by admins.",
    "giveaway_none": "You have no giveaway under way.",
    "giveaway_number": (
        "Which giveaway? Its number stands on its card: <code>/cancelgiveaway 12</code>, not “{typed}”."
    ),
}

LABELS: Final = {
    "giveaway.slots": "{slots}",
    "giveaway.claim": "🎁 Claim",
    "giveaway.join": "🎁 Join",
    "giveaway.cancel": "Cancel {giveaway}",
}

TOASTS: Final = {
    "giveaway.claimed": "{amount} is yours.",
    "giveaway.joined": "You are in. It is shared out at the end.",
}

MOVES: Final = {
    ("giveaway", False): "into your giveaway",
    ("giveaway_claim", True): "from a giveaway",
    ("giveaway_returned", True): "back from your giveaway",
}

AMOUNTS: Final = frozenset({"share", "remainder"})

TREASURY_ID: Final = -1


def _part(words: Words, name: str, facts: Facts, wanted: object) -> Html:
    """Return a part of the card, nothing unless it is ``wanted``."""
    return words.fill(ANSWERS[f"giveaway.card.{name}"], facts) if wanted else Html("")


def _names(words: Words, facts: Facts) -> Html:
    """Return who got how much: the first ones by name, the others by their number."""
    paid = facts.get("paid") or ()
    denom = facts.get("denom")
    each = [words.fill(ANSWERS["giveaway.card.name"], {**one, "denom": denom}) for one in paid]
    if not each:
        return Html("")
    listed = words.fill(ANSWERS["giveaway.card.names"], {}, listed=join(", ", each))
    others = int(facts.get("claimed", 0)) - len(paid)
    return join("", [listed, _part(words, "others", {"others": others}, others > 0)])


def _card(words: Words, facts: Facts) -> Html:
    state, mode = facts.get("state", "active"), facts.get("mode", "first")
    terms = "single" if facts.get("slots") == 1 and mode != "equal" else mode
    rest = _part(words, "rest", facts, facts.get("remainder"))
    progress = words.fill(
        ANSWERS[f"giveaway.card.{state}"],
        facts,
        until=moment(int(facts.get("expires_at", 0))),
        names=_names(words, facts),
        back=_part(words, "back", facts, facts.get("returned")),
    )
    proof = "seed" if facts.get("seed") else "commitment"
    return words.fill(
        ANSWERS["giveaway.card"],
        facts,
        source=_part(words, "treasury", facts, facts.get("funder") == TREASURY_ID),
        terms=words.fill(ANSWERS[f"giveaway.card.{terms}"], facts, rest=rest),
        progress=progress,
        proof=_part(words, proof, facts, facts.get("commitment")),
    )


def _which(words: Words, facts: Facts) -> Html:
    running = facts.get("giveaways") or ()
    lines = [words.fill(ANSWERS["giveaway.line"], each) for each in running]
    example = running[0]["giveaway"] if running else 1
    return words.fill(ANSWERS["giveaway.which"], {"example": example}, lines=join("\n", lines))


def _ended(words: Words, facts: Facts) -> Html:
    template = NEWS["giveaway.ended.treasury"] if facts.get("funder") == TREASURY_ID else ""
    return words.fill(NEWS["giveaway.ended"], facts, source_back=words.fill(template, facts))


COMPOSED: Final[Composed] = {
    "giveaway.card": _card,
    "giveaway.moved": _card,
    "giveaway.which": _which,
    "giveaway.ended": _ended,
}
