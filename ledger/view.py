"""The books as the writer sees them inside its transaction, kept in memory between transactions.

For each (account, denom) that was touched the view keeps the tail of its chain: balance and newest posting. The
database checks every tail at each INSERT, so a stale view can only fail, never post (ledger.md, Write path).
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from ledger.accounts import SYSTEM_RESERVE, AccountId
from ledger.errors import Refused
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.ports import Millis
from ledger.store import EntryRow, Head, Link, Standing, Store, Tail, TransactionRow
from ledger.units import Entry, Row

MAX_REMEMBERED: Final = 200_000
"""Tails kept between batches, about 30 MB; beyond it the view starts over."""

_canonical: Final = json.JSONEncoder(separators=(",", ":"), default=bytes.hex, check_circular=False).encode


def link_hash(before: bytes, entries: Sequence[EntryRow], transactions: Sequence[TransactionRow]) -> bytes:
    """Return the hash of a link: SHA-256 over the link before and the canonical JSON of the commit's rows.

    Canonical: ``[entries,transactions]``, each row a list of its columns in their order, without spaces, bytes as
    lower-case hex, everything beyond ASCII escaped.
    """
    return sha256(before + _canonical([entries, transactions]).encode()).digest()


Plan = tuple[dict[tuple[AccountId, Denom], Any], list[EntryRow], list[TransactionRow]]
"""What entries would do, worked out before any of it is believed: new tails, rows of both tables."""

NEVER_MOVED: Final[Tail] = (Amount(0), 0)

NOTHING: Final[Plan] = ({}, [], [])
"""The plan of a refusal."""


class WriterView:
    """The `View` of a decision (units.py), and the writer's memory behind it. Used inside a transaction only."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.now = Millis(0)
        self._at = Millis(0)
        self.standing: dict[str, Standing] = {}
        self.forget()

    def forget(self) -> None:
        """Drop everything remembered: the transaction failed, or another process wrote."""
        self._tails: dict[tuple[AccountId, Denom], Tail] = {}
        self._known: set[AccountId] = set()
        self._head: Head | None = None
        self._clear()

    def _clear(self) -> None:
        self._entries: list[EntryRow] = []
        self._transactions: list[TransactionRow] = []
        self._rows: list[Row] = []
        self._flushed = 0
        self.wrote = False

    def begin(self, now: Millis, keys: Sequence[str]) -> None:
        """Start a batch at ``now`` in a transaction just begun; ``keys`` are those its units bear.

        A clock that was set back does not put the log out of order: postings bear the time of the newest until it has
        caught up. What else is written follows the clock: else leases, limits and questions would stand still for as
        long as it was once ahead.
        """
        if self._store.changed_elsewhere() or len(self._tails) > MAX_REMEMBERED or self._head is None:
            self.forget()
            self._head = self._store.head()
        self._clear()
        assert self._head is not None
        self.now = now
        self._at = Millis(max(now, self._head.at))
        self.next_transaction_id = self._head.last_tx + 1
        self.standing = self._store.standing(_canonical(keys)) if keys else {}
        self._keys_repeat = len(set(keys)) < len(keys)

    def exists(self, account: AccountId) -> bool:
        """See `View.exists`; accounts are never deleted, so a yes is remembered."""
        if account in self._known:
            return True
        if not (found := self._store.has_account(account)) and self._rows:
            self.flush()
            found = self._store.has_account(account)
        if found:
            self._known.add(account)
        return found

    def balance(self, account: AccountId, denom: Denom) -> Amount:
        """See `View.balance`."""
        place = (account, denom)
        return (self._tails.get(place) or self._load(place))[0]

    def total(self, denom: Denom) -> Amount:
        """See `View.total`."""
        self.flush()
        return Amount(self._store.total(denom))

    def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """See `View.select`: earlier decisions of the batch are written first."""
        self.flush()
        return self._store.select(sql, parameters)

    def _load(self, place: tuple[AccountId, Denom]) -> Tail:
        found = self._store.tail(*place)
        if found is None:
            return NEVER_MOVED
        self._tails[place] = found
        return found

    def plan(self, entries: Sequence[Entry]) -> Plan:
        """Work out the rows of ``entries`` in order, without believing them yet.

        The hottest loop of the ledger, so it is written out instead of called for.

        Raises:
            Refused: ``insufficient_balance``; a group is all or nothing.
            ValueError: an amount or balance that cannot be, a bug of the book.
        """
        changed: dict[tuple[AccountId, Denom], Any] = {}
        entry_rows: list[EntryRow] = []
        rows: list[TransactionRow] = []
        tails, number, at = self._tails, self.next_transaction_id, self._at
        for key, digest, kind, postings, actor, note in entries:
            first = number
            entry_rows.append((first, key, digest, len(postings)))
            for source, destination, amount, denom, reference in postings:
                if amount.__class__ is not int or not 0 < amount <= MAX_AMOUNT:
                    raise ValueError(f"{amount!r} of {key} is no amount of a posting")
                from_prev = from_after = to_prev = to_after = None
                if source is not None:
                    place = (source, denom)
                    balance, from_prev = changed.get(place) or tails.get(place) or self._load(place)
                    from_after = balance - amount
                    # The reserve alone may owe: it bears what is missing, never a member.
                    if from_after < 0 and source != SYSTEM_RESERVE:
                        raise _insufficient(place, balance, amount)
                    changed[place] = (from_after, number)
                if destination is not None:
                    place = (destination, denom)
                    balance, to_prev = changed.get(place) or tails.get(place) or self._load(place)
                    to_after = balance + amount
                    changed[place] = (to_after, number)
                rows.append((
                    number, first, kind, denom, amount, source, destination,
                    from_prev, from_after, to_prev, to_after, reference, actor, note, at,
                ))  # fmt: skip
                number += 1
            if number == first:
                raise ValueError(f"entry {key} moves nothing")
        return changed, entry_rows, rows

    def adopt(self, plan: Plan, rows: Sequence[Row]) -> None:
        """Believe ``plan`` and keep it, with ``rows`` after it, for the next flush."""
        tails, entries, transactions = plan
        if entries:
            start = self.next_transaction_id
            self._tails.update(tails)
            self._entries += entries
            self._transactions += transactions
            self.next_transaction_id = start + len(transactions)
            if self._keys_repeat:
                # Without a repeated key nobody asks; a key posted under another unit's name the database finds.
                for first, key, digest, _ in entries:
                    row = transactions[first - start]
                    self.standing[key] = (first, digest, row[4], row[8], row[10], self._at)
        if rows:
            self._rows += rows

    def flush(self) -> None:
        """Write what is pending: postings first, since rows refer to them."""
        if len(self._transactions) > self._flushed:
            start, self._flushed = self._flushed, len(self._transactions)
            fresh = self._transactions[start:]
            self._store.append([entry for entry in self._entries if entry[0] >= fresh[0][0]], fresh)
            self.wrote = True
        if self._rows:
            rows, self._rows = self._rows, []
            self._store.write(rows)
            self.wrote = True

    def seal(self) -> Link | None:
        """Flush, and append the batch's link to the hash chain; None when the batch posted nothing."""
        self.flush()
        if not self._transactions:
            return None
        assert self._head is not None
        first, last = self._transactions[0][0], self._transactions[-1][0]
        digest = link_hash(self._head.link_hash, self._entries, self._transactions)
        link = Link(self._head.link_id + 1, first, last, digest)
        self._store.add_link(link)
        self._head = Head(last, link.id, digest, self._at)
        return link


def _insufficient(place: tuple[AccountId, Denom], balance: int, amount: int) -> Refused:
    account, denom = place
    return Refused("insufficient_balance", account=account, denom=denom, balance=balance, amount=amount)
