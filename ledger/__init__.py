"""Who owns what. `LedgerService` is the face; the words of its callers are here, everything else in its own file."""

from ledger.accounts import AccountId
from ledger.errors import (
    BrokenInvariant,
    Busy,
    Conflict,
    LeaseLost,
    LedgerError,
    OutcomeUnknown,
    Refused,
    Unavailable,
    WrongDatabase,
)
from ledger.journal import Journal, Lane
from ledger.money import Amount, Asset, Denom
from ledger.service import LedgerService
from ledger.units import Decision, Entry, Posting, Receipt, Row, Unit, View

__all__ = [
    "AccountId",
    "Amount",
    "Asset",
    "BrokenInvariant",
    "Busy",
    "Conflict",
    "Decision",
    "Denom",
    "Entry",
    "Journal",
    "Lane",
    "LeaseLost",
    "LedgerError",
    "LedgerService",
    "OutcomeUnknown",
    "Posting",
    "Receipt",
    "Refused",
    "Row",
    "Unavailable",
    "Unit",
    "View",
    "WrongDatabase",
]
