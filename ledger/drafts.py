"""A decision in the making: what one unit posts so far, and what the books would hold with it.

A block brings many acts in one unit; each must see the balances that the ones before it leave behind.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ledger.accounts import SYSTEM_RESERVE, AccountId
from ledger.errors import BrokenInvariant
from ledger.money import Amount, Denom
from ledger.units import Entry, Posting, Row, View


def digest_of(inputs: Mapping[str, Any]) -> bytes:
    """Return the digest of an act's ``inputs`` (JSON values): the same inputs give the same digest."""
    text = json.dumps(inputs, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


class Draft:
    """Collects entries and rows over a `View`; balances and totals include what was posted into the draft."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.entries: list[Entry] = []
        self.rows: list[Row] = []
        self._next_id = view.next_transaction_id
        self._moved: dict[tuple[AccountId, Denom], int] = {}

    def post(self, entry: Entry) -> int:
        """Add ``entry`` and return the id that its first posting gets.

        Raises BrokenInvariant when a source does not own what it pays: whoever drafts has looked before.
        """
        first = self._next_id
        self._next_id += len(entry.postings)
        self.entries.append(entry)
        for posting in entry.postings:
            self._require_covered(posting)
            self._move(posting.source, posting, -posting.amount)
            self._move(posting.destination, posting, posting.amount)
        return first

    def _require_covered(self, posting: Posting) -> None:
        source, denom = posting.source, posting.denom
        if source not in (None, SYSTEM_RESERVE) and self.balance(source, denom) < posting.amount:
            raise BrokenInvariant(
                f"{source} owns {self.balance(source, denom)} {denom}, not {posting.amount}"
            )

    def _move(self, account: AccountId | None, posting: Posting, amount: int) -> None:
        if account is not None:
            key = (account, posting.denom)
            self._moved[key] = self._moved.get(key, 0) + amount

    def write(self, *rows: Row) -> None:
        """Add rows of a book's own tables, written after all postings, in the order given."""
        self.rows.extend(rows)

    def balance(self, account: AccountId, denom: Denom) -> Amount:
        """Return what ``account`` owns once the draft is posted."""
        return Amount(self.view.balance(account, denom) + self._moved.get((account, denom), 0))

    def total(self, denom: Denom) -> Amount:
        """Return the sum of all balances once the draft is posted: what the treasury address must hold then."""
        moved = sum(amount for (_, moved), amount in self._moved.items() if moved == denom)
        return Amount(self.view.total(denom) + moved)
