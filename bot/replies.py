"""Where an answer goes: the facts of a ``reply`` row of the outbox, written by the one path, read by the notifier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from bot.buttons import token
from bot.intents import Said, Tapped
from bot.results import Answer, Choice
from ledger.accounts import AccountId
from ledger.outbox import news
from ledger.ports import Millis
from ledger.units import Row

REPLY: Final = "reply"
"""The outbox event of a command's answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and where it belongs.

    ``private`` in a group: the group must not see it. ``edit``: the message that it replaces. ``reference`` is the
    number that people may name when they ask about it.
    """

    chat: int
    say: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    group: bool = False
    private: bool = False
    reply_to: int | None = None
    thread: int | None = None
    ephemeral: bool = False
    edit: int | None = None
    photo: bool = False
    track: str | None = None
    reference: int = 0

    def row(self, recipient: int, at: Millis) -> Row:
        """Return the outbox row that has it sent."""
        wanted = {name: getattr(self, name) for name in self.__slots__}
        return news(
            REPLY,
            AccountId(recipient),
            {name: value for name, value in wanted.items() if value or name == "chat"},
            at,
        )

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Self:
        """Return what `row` wrote."""
        return cls(**{name: value for name, value in facts.items() if name in cls.__slots__})


def place(deed: Said | Tapped) -> Reply:
    """Return an empty answer at the place where ``deed`` was done."""
    chat = deed.chat
    if chat is None:
        # A button under an inline message: only the person's own chat is left to answer in.
        return Reply(deed.sender.id if deed.sender else 0, "")
    group = not chat.private
    if isinstance(deed, Said):
        reply_to = deed.message or None if group else None
        return Reply(
            chat.id,
            "",
            group=group,
            reply_to=reply_to,
            thread=deed.thread,
            ephemeral=deed.ephemeral is not None,
        )
    ephemeral = deed.ephemeral is not None
    # Whoever owns a button could have any message of the bot replaced otherwise.
    edit = deed.message or None if deed.stands and not ephemeral else None
    return Reply(
        chat.id, "", group=group, thread=deed.thread, ephemeral=ephemeral, edit=edit, photo=deed.photo
    )


def fill(place: Reply, answer: Answer, question: str, reference: int) -> Reply:
    """Return ``answer`` at ``place``, with the tokens of its choices."""
    facts = dict(answer.facts)
    if answer.choices:
        facts["choices"] = shown_choices(answer.choices, question)
    return Reply(
        place.chat,
        answer.say,
        facts,
        group=place.group,
        private=answer.private,
        reply_to=place.reply_to,
        thread=place.thread,
        ephemeral=place.ephemeral,
        edit=place.edit if answer.replace else None,
        photo=place.photo,
        track=answer.track,
        reference=reference,
    )


def shown_choices(choices: Sequence[Choice], question: str) -> Sequence[Mapping[str, Any]]:
    """Return ``choices`` as the renderer finds them in ``facts["choices"]``, with the tokens of their rows."""
    return [
        {
            "action": choice.action,
            "token": token(question, number),
            "arguments": dict(choice.arguments),
            **({"row": choice.row} if choice.row else {}),
        }
        for number, choice in enumerate(choices)
    ]
