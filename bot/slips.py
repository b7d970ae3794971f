"""What is written whatever comes out of an item: its end, the button that was pressed, the answer."""

from dataclasses import dataclass
from typing import Final

from bot import buttons, inbox, replies
from bot.buttons import Button
from bot.inbox import AnsweredElsewhere, Item
from bot.replies import Reply
from bot.results import Answer
from ledger.errors import Refused
from ledger.outbox import OPERATORS
from ledger.pauses import require_running
from ledger.roles import Actor, Role, require_role
from ledger.units import Row, View

BUTTON_USED: Final = "button_used"

# Refusals that tell nothing about anybody's money. All others stay out of groups: deny by default.
OPEN_CODES: Final = (
    "amount_",
    "recipient_",
    "address_",
    "command_",
    "note_",
    "role_",
    "reason_",
    "giveaway_",
    "rules_",
    "penalty_",
    "jail_",
    "duration_",
    "price_",
    "same_account",
    "not_a_user",
)

REDELIVER: Final = """
UPDATE outbox SET state = 'pending', attempts = 0, due_at = :at
WHERE state = 'undeliverable' AND recipient IN (:sender, :operators) AND subject IS NULL
"""


@dataclass(frozen=True, slots=True)
class Slip:
    """What has to be written whatever comes out of one item."""

    item: Item
    place: Reply | None
    question: str
    actor: Actor
    needs: Role = Role.MEMBER
    """What it takes to do this, when it commits."""
    rests: bool = False
    """A pause of money commands stops this, also one that came meanwhile."""
    button: Button | None = None
    lasting: bool = False
    """The message with the button goes on telling something, whatever becomes of the tap."""
    silent: bool = False
    """A refusal of the tap itself: told over the chat, not in it."""

    def rows(self, view: View, outcome: Answer | Refused | None) -> list[Row]:
        """Return the rows of ``outcome``.

        Raises, and thereby undoes the whole unit, AnsweredElsewhere when another process was faster, and Refused
        ``button_used`` when another tap was, ``role_too_low`` when the role was lost, or ``command_paused``: what was
        looked at before the writer's turn may have changed.
        """
        if not inbox.is_new(view, self.item):
            raise AnsweredElsewhere(f"inbox {self.item.id}")
        question = self._closes
        if question is not None and not buttons.is_open(view, question):
            raise Refused(BUTTON_USED)
        code = outcome.code if isinstance(outcome, Refused) else None
        if code is None:
            require_role(view, self.actor, self.needs)
            if self.rests:
                require_running(view)
        rows = [inbox.close(self.item, code, view.now)]
        if question is not None and not self._is_toast(outcome):
            rows.append(buttons.close(question))
        answer = _told(outcome, self.item.id) if isinstance(outcome, Refused) else outcome
        if answer is None or self.place is None or self._is_toast(outcome):
            return rows
        recipient = self.item.sender
        name = answer.question or self.question
        rows += buttons.open_rows(answer.choices, recipient, name, view.now)
        reply = replies.fill(self.place, answer, name, self.item.id)
        return [*rows, reply.row(recipient, view.now), *self._reached(view)]

    @property
    def _closes(self) -> Button | None:
        """The button whose question this answers; one for everyone stays open."""
        owned = self.button is not None and self.button.owner is not None
        return self.button if owned and not self.silent else None

    def _is_toast(self, outcome: Answer | Refused | None) -> bool:
        """Tell whether ``outcome`` is told over the chat alone: a refusal must not wipe what is shown to all, or for long."""
        shared = self.button is not None and self.button.owner is None
        if isinstance(outcome, Answer):
            return outcome.silent
        return self.silent or ((shared or self.lasting) and isinstance(outcome, Refused))

    def _reached(self, view: View) -> list[Row]:
        """Whoever writes to the bot can be written to: what could not be delivered goes out now."""
        if self.place is None or self.place.group:
            return []
        sender = self.item.sender
        # Alerts that reached nobody go out when an owner writes.
        operators = OPERATORS if self.actor.owner else sender
        return [Row(REDELIVER, {"at": view.now, "sender": sender, "operators": operators})]


def _told(refusal: Refused, reference: int) -> Answer:
    private = not refusal.code.startswith(OPEN_CODES)
    return Answer(f"refused.{refusal.code}", {**refusal.facts, "reference": reference}, private=private)
