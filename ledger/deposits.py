"""Coins in: who gets what a block's transactions carried to the treasury (chain.md, Deposits 3 to 6).

The chain layer says what arrived, as it was written in the transaction's body; here it is decided whose it is.
"""

import json
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY, REWARDS_POOL, UNCLAIMED, AccountClass, AccountId, account_class
from ledger.drafts import Draft, digest_of
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.outbox import OPERATORS, news
from ledger.queries import queries
from ledger.shared import facts_of, find_account, joined_of
from ledger.units import Entry, Posting, Row, View

_SPELLED: Final = re.compile(r"[1-9][0-9]{0,77}", re.ASCII)
_USER: Final = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_SHARED: Final = re.compile(r"shared:([1-9][0-9]{2})", re.ASCII)
_MEMO_BLANKS: Final = " \r\n\t"
_WORDS: Final = {"topup": BOT_TREASURY, "donate": REWARDS_POOL}

_SQL: Final = queries("deposits")
_INSERT_SEEN: Final = _SQL["insert_seen"]
_INSERT_UNCLAIMED: Final = _SQL["insert_unclaimed"]
_SELECT_SEEN: Final = _SQL["select_seen"]


class Arrival(NamedTuple):
    """One coin that an executed transaction's body carried to the treasury.

    ``path`` tells the message: ``0``, or ``0.2`` inside an authz exec. ``amount`` stays as it was spelled: the chain
    reads ``010`` as 8. ``memo`` is the transaction's, ``sender`` the address that paid, both as written.
    """

    tx_hash: str
    path: str
    output: int
    denom: Denom
    amount: str
    memo: str
    sender: str

    @property
    def identity(self) -> tuple[str, str, int, str]:
        """What makes this coin unique within its chain (chain.md, Deposits 5)."""
        return (self.tx_hash, self.path, self.output, self.denom)


class Reason(StrEnum):
    """Why money waits in UNCLAIMED."""

    NO_MEMO = "no_memo"
    UNUSABLE_MEMO = "unusable_memo"
    UNKNOWN_USER = "unknown_user"
    UNKNOWN_SHARED_ACCOUNT = "unknown_shared_account"
    CLOSED_SHARED_ACCOUNT = "closed_shared_account"
    RESIDUE = "residue"


class Destination(NamedTuple):
    """Whose an arrival is; ``reason`` is set when that is UNCLAIMED."""

    account: AccountId
    reason: Reason | None = None


def spelled_amount(text: str) -> Amount | None:
    """Return the amount that ``text`` spells beyond doubt, or None.

    The chain parses base 0, Python's int() accepts signs, underscores and other scripts: only plain decimal digits
    without a leading zero mean the same to both (chain.md, Deposits 3). More than one posting can move is no amount.
    """
    if _SPELLED.fullmatch(text) is None:
        return None
    amount = int(text)
    return Amount(amount) if amount <= MAX_AMOUNT else None


def addressee(memo: str) -> AccountId | Reason:
    """Return the account that ``memo`` names, known or not, or why it names none (chain.md, Deposits 4).

    Digits within a longer text are never searched for. ``shared:<n>`` names the shared account -n.
    """
    word = memo.strip(_MEMO_BLANKS)
    if not word:
        return Reason.NO_MEMO
    if word in _WORDS:
        return _WORDS[word]
    if _USER.fullmatch(word):
        return AccountId(int(word))
    shared = _SHARED.fullmatch(word)
    if shared:
        return AccountId(-int(shared[1]))
    return Reason.UNUSABLE_MEMO


def destination(view: View, memo: str) -> Destination:
    """Return whose money with this ``memo`` is, as the accounts stand now."""
    named = addressee(memo)
    if isinstance(named, Reason):
        return Destination(UNCLAIMED, named)
    if account_class(named) is AccountClass.SHARED:
        return _shared(view, named)
    return Destination(named) if view.exists(named) else Destination(UNCLAIMED, Reason.UNKNOWN_USER)


def _shared(view: View, named: AccountId) -> Destination:
    account = find_account(view, named)
    if account is None:
        return Destination(UNCLAIMED, Reason.UNKNOWN_SHARED_ACCOUNT)
    return Destination(named) if account.is_open else Destination(UNCLAIMED, Reason.CLOSED_SHARED_ACCOUNT)


class Place(NamedTuple):
    """Where in which chain something was seen."""

    chain_id: str
    height: int


def post_arrivals(draft: Draft, place: Place, arrivals: Iterable[Arrival], listed: frozenset[Denom]) -> None:
    """Post each arrival that is not in the books yet; odd and unlisted ones are written down only.

    Odd amounts are left to the residue, unlisted denoms to the day when they are listed.
    """
    arrivals = list(arrivals)
    seen = _already_seen(draft.view, place, arrivals)
    credited: list[_Credit] = []
    for arrival in arrivals:
        if arrival.identity not in seen:
            seen.add(arrival.identity)
            posted = _post_arrival(draft, place, arrival, listed)
            credited += [posted] if posted else []
    _tell(draft, place, credited)


def _already_seen(view: View, place: Place, arrivals: list[Arrival]) -> set[tuple[str, str, int, str]]:
    if not arrivals:
        return set()
    hashes = json.dumps(sorted({arrival.tx_hash for arrival in arrivals}))
    return {
        (row["tx_hash"], row["msg_path"], row["output_index"], row["denom"])
        for row in view.select(_SELECT_SEEN, (place.chain_id, hashes))
    }


class _Credit(NamedTuple):
    """An arrival that was posted: whose it is, and its posting."""

    arrival: Arrival
    amount: Amount
    whose: Destination
    transaction: int


def _post_arrival(draft: Draft, place: Place, arrival: Arrival, listed: frozenset[Denom]) -> _Credit | None:
    amount = spelled_amount(arrival.amount)
    if arrival.denom not in listed:
        draft.write(_seen_row(draft, place, arrival, "unlisted"))
    elif amount is None:
        draft.write(_seen_row(draft, place, arrival, "odd"))
    else:
        return _credit(draft, place, arrival, amount)
    return None


def _credit(draft: Draft, place: Place, arrival: Arrival, amount: Amount) -> _Credit:
    account, reason = whose = destination(draft.view, arrival.memo)
    posting = Posting(None, account, amount, arrival.denom)
    inputs = {**arrival._asdict(), "height": place.height}
    first = draft.post(Entry(deposit_key(place, arrival), digest_of(inputs), "deposit", (posting,)))
    state = "credited" if reason is None else "unclaimed"
    draft.write(_seen_row(draft, place, arrival, state, account=account, transaction=first))
    if reason is not None:
        draft.write(waiting_row(draft, place, Waiting(first, arrival.denom, amount, reason, arrival)))
    return _Credit(arrival, amount, whose, first)


def _tell(draft: Draft, place: Place, credited: Iterable[_Credit]) -> None:
    """Tell the sum of each denom once for each transaction: it has one memo, and may have thousands of outputs."""
    together: dict[tuple[str, Denom], list[_Credit]] = {}
    for each in credited:
        together.setdefault((each.arrival.tx_hash, each.arrival.denom), []).append(each)
    for parts in together.values():
        draft.write(*_news_of(draft, place, parts))


def _news_of(draft: Draft, place: Place, parts: list[_Credit]) -> list[Row]:
    arrival, _, (account, reason), first = parts[0]
    facts = {
        "amount": sum(each.amount for each in parts),
        "denom": arrival.denom,
        "height": place.height,
        "parts": len(parts),
        "sender": arrival.sender,
        "transaction": first,
        "tx": arrival.tx_hash,
    }
    if reason is not None:
        facts |= {"reason": reason, "memo": arrival.memo}
        return [news("deposit.unclaimed", OPERATORS, facts, draft.view.now)]
    if account_class(account) is AccountClass.SHARED:
        return _shared_news(draft, account, facts)
    recipient = account if account > 0 else OPERATORS
    return [news("deposit.credited", recipient, {**facts, "account": account}, draft.view.now)]


def _shared_news(draft: Draft, account: AccountId, facts: Mapping[str, Any]) -> list[Row]:
    """Tell every member."""
    found = find_account(draft.view, account)
    assert found is not None, "coins are credited to accounts that stand"
    told = {**facts, **facts_of(found)}
    members = joined_of(draft.view, account)
    return [news("shared.arrived", each.person, told, draft.view.now) for each in members]


def deposit_key(place: Place, arrival: Arrival) -> str:
    """Return the key of a deposit: time-ordered, unique for ever (ledger.md, Model)."""
    tx_hash, path, output, denom = arrival.identity
    return f"dep:{place.chain_id}:{place.height}:{tx_hash}:{path}:{output}:{denom}"


def _seen_row(
    draft: Draft,
    place: Place,
    arrival: Arrival,
    state: str,
    *,
    account: AccountId | None = None,
    transaction: int | None = None,
) -> Row:
    parameters = {
        "chain_id": place.chain_id,
        "tx_hash": arrival.tx_hash,
        "msg_path": arrival.path,
        "output_index": arrival.output,
        "denom": arrival.denom,
        "height": place.height,
        "amount": arrival.amount,
        "memo": arrival.memo,
        "sender": arrival.sender,
        "state": state,
        "account": account,
        "transaction_id": transaction,
        "seen_at": draft.view.now,
    }
    return Row(_INSERT_SEEN, parameters, changes=1)


class Waiting(NamedTuple):
    """Money that nobody's name is on: which posting brought it, and what is known of it."""

    transaction: int
    denom: Denom
    amount: Amount
    reason: Reason
    arrival: Arrival | None = None
    evidence: str = "{}"


def waiting_row(draft: Draft, place: Place, waiting: Waiting) -> Row:
    """Return the row of UNCLAIMED that says why this money waits there."""
    arrival = waiting.arrival
    parameters = {
        "id": waiting.transaction,
        "chain_id": place.chain_id,
        "height": place.height,
        "denom": waiting.denom,
        "amount": waiting.amount,
        "reason": waiting.reason.value,
        "tx_hash": arrival.tx_hash if arrival else None,
        "sender": arrival.sender if arrival else "",
        "memo": arrival.memo if arrival else "",
        "evidence": waiting.evidence,
        "created_at": draft.view.now,
    }
    return Row(_INSERT_UNCLAIMED, parameters, changes=1)
