"""What can go wrong, by what the caller does about it.

Raise ``Refused`` when a person asked for what cannot be: it names a code and the facts, the sentence is made
where the person is answered. ``Conflict`` when a key comes again with other inputs: a bug of the caller.
``Unavailable`` when the same call with the same key may be tried later. ``BrokenInvariant`` is outside that
family on purpose: nothing may catch it and go on, the process stops.
"""

from typing import Any


class LedgerError(Exception):
    """Anything that a caller of the ledger may meet and answer."""


class Refused(LedgerError):  # noqa: N818 - the field's word
    """The act cannot be done as asked; nothing moved.

    ``code`` is stable and lower-case (``insufficient_balance``); ``facts`` are what the sentence needs.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code


class Conflict(LedgerError):  # noqa: N818
    """A key was used before with other inputs; nothing moved."""


class Unavailable(LedgerError):  # noqa: N818
    """Not now; the same call with the same key is safe to repeat."""


class Busy(Unavailable):
    """The queue is full; nothing was begun."""


class OutcomeUnknown(Unavailable):
    """The disk failed while committing: the act may stand. Ask again with the same key."""


class LeaseLost(Unavailable):
    """Another holder has the role: this one must stop acting in it."""


class BrokenInvariant(Exception):  # noqa: N818
    """The books contradict themselves; the process must stop and a person must look."""


class WrongDatabase(Exception):  # noqa: N818
    """This file is not for this program: newer, other migrations, or bound to another chain, address or bot."""
