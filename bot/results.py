"""What a command answers with. It acts on nothing itself: the one path (bot.dispatch) does, in one unit.

A command returns an `Answer` (words only), an `Effect` (one act of the books, and the words for its outcome) or
None (silence), or raises `ledger.errors.Refused` (a code and facts; the sentence is found by the code).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from ledger.roles import Role
from ledger.units import Beside

T = TypeVar("T")

CONFIRM_SECONDS: Final = 600
"""How long a question waits for its tap unless the command says otherwise."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of an answer. The row behind it is written in the unit of the answer itself.

    ``action`` is one of the command's ``actions`` and also names the label in bot.sentences. ``arguments`` (JSON) are
    given back to the action when it is pressed; they never leave the database. Only the person answered may press,
    unless ``anyone``: then each person's press is an act of its own, and the button stays open till it expires.
    """

    action: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    seconds: int = CONFIRM_SECONDS
    anyone: bool = False
    row: int = 0
    """Buttons of one number stand beside each other, rows in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Words for the person who asked.

    ``say`` names the sentence, ``facts`` (JSON; amounts as base units) are what it needs. At send time the renderer
    finds the choices in ``facts["choices"]`` as ``{"action", "token", "arguments"}``, in the order given here.
    """

    say: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    private: bool = False
    """True: balances, deposits, refusals about money. Never shown to a group (telegram.md, What people see)."""
    replace: bool = True
    """After a tap: edit the message with the button instead of answering below it."""
    track: str | None = None
    """A subject such as ``withdrawal:12``: later news of that subject edits this message."""
    question: str | None = None
    """Names its buttons for good (``giveaway:12``), so that a card shows them anew; None: a name of this answer's own."""
    toast: str | None = None
    """The sentence shown over the chat when a button was pressed; None shows nothing."""
    silent: bool = False
    """True: nothing is written in the chat; see `toasted`."""


def toasted(say: str, facts: Mapping[str, Any] | None = None) -> Answer:
    """Return an answer to a press that is shown over the chat alone: what it changed stands in a card."""
    return Answer(say, facts or {}, toast=say, silent=True)


@dataclass(frozen=True, slots=True)
class Effect(Generic[T]):
    """One act of the books and what to say of it.

    ``perform`` gets the rows that must be committed with the act and passes them on as its ``beside``: so effect,
    inbox row, button and reply are one unit. It must submit exactly one unit, with the context's key, and let its
    refusals through. ``answer`` is
    pure (it runs inside the writer) and tells the outcome; a refusal of the books is told by its code.
    """

    perform: Callable[[Beside], Awaitable[T]]
    answer: Callable[[T], Answer]
    needs: Role = Role.MEMBER
    """The role that this act takes where it is more than its command or button does; looked up when it commits."""


Result = Answer | Effect[Any] | None
