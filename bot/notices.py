"""What a group reads of a penalty: the notice of a jail with its button for friends, kept up to date as a card.

Whoever sets a penalty by a rule of the chat adds these rows to the unit that sets it.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot import buttons
from bot.replies import shown_choices
from bot.results import Choice
from ledger.fines import Fine
from ledger.fines import facts_of as fine_facts
from ledger.jails import Jail, card_subject, moved_rows
from ledger.jails import facts_of as jail_facts
from ledger.outbox import news
from ledger.ports import Millis
from ledger.units import Row, View
from ledger.violations import Violation

PAY_BAIL: Final = "bail.pay"
_UNTRACK: Final = "DELETE FROM tracked_messages WHERE subject = ?"


def notice_rows(outcome: Violation | Fine | Jail, who: str, at: Millis) -> list[Row]:
    """Return the rows that tell a group of a penalty just set; ``who`` is what its person is called."""
    chat = outcome.chat
    match outcome:
        case Violation():
            facts: Mapping[str, Any] = {"person": outcome.person, "who": who, "reason": outcome.reason}
            return [news("warning.noticed", chat, facts, at)]
        case Fine():
            return [news("fine.noticed", chat, {**fine_facts(outcome), "who": who}, at)]
        case Jail():
            rows = buttons.open_rows(bail_choices(outcome, at), outcome.person, bail_question(outcome), at)
            return [*rows, _jail_notice(outcome, who, at)]


def bail_question(jail: Jail) -> str:
    """Name the buttons of a notice, with its time: restored books may give the number to another jail, and it still stands."""
    return f"{card_subject(jail.id)}:{jail.from_at}"


def bail_choices(jail: Jail, now: Millis) -> tuple[Choice, ...]:
    """Return the button under the notice, for anyone, while there is somebody to free; its label names the amount."""
    if jail.state != "serving":
        return ()
    arguments = {"jail": jail.id, "bail": jail.bail, "denom": jail.denom, "notice": True}
    seconds = max((jail.until_at - now) // 1000, 1)
    return (Choice(PAY_BAIL, arguments, seconds=seconds, anyone=True),)


def moved(view: View, old: int, new: int) -> list[Row]:
    """Return the rows that take those who serve in group ``old`` to the supergroup ``new``, with new notices."""
    jails, rows = moved_rows(view, old, new)
    for jail in jails:
        names = view.select("SELECT name FROM people WHERE id = ?", (jail.person,))
        who = names[0]["name"] if names else f"member {jail.person}"
        rows += [Row(_UNTRACK, (card_subject(jail.id),)), _jail_notice(jail, who, view.now)]
    return rows


def _jail_notice(jail: Jail, who: str, at: Millis) -> Row:
    choices = shown_choices(bail_choices(jail, at), bail_question(jail))
    return news("jail.noticed", jail.chat, {**jail_facts(jail), "who": who, "choices": choices}, at)
