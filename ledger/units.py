"""The words in which a book tells the journal what to do.

A book passes the journal a `Unit`: a key, and a pure decision over the writer's `View` that answers with a
`Decision` (entries to post, rows to write beside them, the outcome for the caller) or raises `Refused`. The
journal alone moves value and alone commits (ledger.md, Write path).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.money import Amount, Denom
from ledger.ports import Millis

T = TypeVar("T")


class Posting(NamedTuple):
    """One move of ``amount`` > 0 base units from ``source`` to ``destination``; None is the chain.

    ``reference`` is the id of the transaction that this posting resolves; each can be resolved once per kind
    and destination (UNIQUE in the database).
    """

    source: AccountId | None
    destination: AccountId | None
    amount: Amount
    denom: Denom
    reference: int | None = None


class Entry(NamedTuple):
    """An atomic group of postings with one key, one kind and the digest of the inputs behind it.

    ``actor`` is who asked: a user id, or 0 for the program itself.
    """

    key: str
    digest: bytes
    kind: str
    postings: tuple[Posting, ...]
    actor: int = 0
    note: str = ""


class Row(NamedTuple):
    """A statement of a book's own tables, written in the same transaction, after the postings.

    ``changes`` is how many rows it must change, None for any: another number is a BrokenInvariant.
    """

    sql: str
    parameters: tuple[Any, ...] | dict[str, Any] = ()
    changes: int | None = None


AS_POSTED: Final[Any] = object()
"""An outcome that the journal fills in, because it alone knows ids and balances: what the unit's ``recall`` makes of the
receipt of its first entry, just as for a key that stands already."""


class Decision(NamedTuple, Generic[T]):
    """What a unit does: the answer for its caller (or AS_POSTED), the entries to post, the rows to write after them."""

    outcome: T
    entries: tuple[Entry, ...] = ()
    rows: tuple[Row, ...] = ()


class Receipt(NamedTuple):
    """What became of one entry: its id is the id of its first posting.

    ``amount`` is what the first posting moved, ``source_after`` and ``destination_after`` the balances behind it (None: the chain).
    ``replayed`` tells that the key had been used before, with the same inputs, and nothing was posted now.
    """

    entry_id: int
    amount: Amount
    source_after: Amount | None
    destination_after: Amount | None
    at: Millis
    replayed: bool = False


class View(Protocol):
    """The books as the writer sees them inside its open transaction: all earlier decisions of the batch included."""

    @property
    def now(self) -> Millis:
        """The clock's time, which rows of this batch bear; postings never bear an earlier one than those before."""
        ...

    @property
    def next_transaction_id(self) -> int:
        """The id that the first posting of this decision will get; the others follow in order."""
        ...

    def exists(self, account: AccountId) -> bool:
        """Tell whether ``account`` is registered in ``users``."""
        ...

    def balance(self, account: AccountId, denom: Denom) -> Amount:
        """Return what ``account`` owns; 0 for an account without a row."""
        ...

    def total(self, denom: Denom) -> Amount:
        """Return the sum of all balances: what the treasury address must hold."""
        ...

    def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run a SELECT of a book's own tables; rows allow access by column name."""
        ...


class Unit(NamedTuple, Generic[T]):
    """One transaction's worth of work.

    ``key`` and ``digest``: when an entry with this key stands, ``decide`` is not asked; ``recall`` gives the first
    outcome when the digest is the same, Conflict is raised otherwise. ``key`` None: ``decide`` guards itself.

    ``beside`` gives rows that are committed with whatever came out (outcome, replayed outcome, or the refusal), such
    as "inbox done" and the reply: so a refused command stays refused when its update comes again. It gets the View
    as it was before the decision; a LedgerError that it raises undoes the unit and is its answer.
    """

    decide: Callable[[View], "Decision[T]"]
    key: str | None = None
    digest: bytes = b""
    recall: Callable[[View, Receipt], T] | None = None
    beside: "Beside | None" = None


Beside = Callable[[View, "Any | Refused"], Sequence[Row]]
