"""What is set for a group."""

from typing import Final

from bot.html import Html
from bot.words import Composed, Facts, Words

ANSWERS: Final = {
    "settings.shown": "<b>Giveaways in this group</b>\n\n• {creator}\n• {jailed}\n• {newcomers}",
    "settings.creator.yes": "Whoever gives may claim too.",
    "settings.creator.no": "Whoever gives leaves it to the others.",
    "settings.jailed.yes": "Whoever is jailed may claim.",
    "settings.jailed.no": "Whoever is jailed waits until it is over.",
    "settings.newcomers.yes": "New accounts may claim at once.",
    "settings.newcomers.no": "New accounts may claim after {giveaway_newcomer_hours} h.",
}

LABELS: Final = {
    "settings.allow_creator": "Let givers claim too",
    "settings.forbid_creator": "Leave it to the others",
    "settings.allow_jailed": "Let the jailed claim",
    "settings.forbid_jailed": "Keep the jailed out",
    "settings.newcomers": "New accounts: after {hours} h",
}


def _shown(words: Words, facts: Facts) -> Html:
    def said(name: str, *, yes: object) -> Html:
        return words.fill(ANSWERS[f"settings.{name}.{'yes' if yes else 'no'}"], facts)

    return words.fill(
        ANSWERS["settings.shown"],
        facts,
        creator=said("creator", yes=facts.get("giveaway_creator")),
        jailed=said("jailed", yes=facts.get("giveaway_jailed")),
        newcomers=said("newcomers", yes=not facts.get("giveaway_newcomer_hours")),
    )


COMPOSED: Final[Composed] = {"settings.shown": _shown}
