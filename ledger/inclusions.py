"""What became of our signed transactions, told from verified blocks alone (chain.md, Withdrawals).

The code in a block does not say whether the fee and the sequence were used: the same code can mean a failed ante
(the bytes may still succeed later) or a failed message. The proved account sequence decides.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY
from ledger.alerts import alert
from ledger.codes import ANTE_ONLY_CODES, FUNDS_CODE
from ledger.deposits import Place
from ledger.drafts import Draft, digest_of
from ledger.freezes import FreezeReason, freeze_everyone, is_replaying
from ledger.leases import unlock_withdrawal
from ledger.money import Amount, Denom
from ledger.payments import OpenTransaction, paid_by, unresolved
from ledger.queries import queries
from ledger.reconciliation import admit_unseen
from ledger.spends import SequenceProof, Spend, Unproved, read_unproved
from ledger.units import Entry, Posting, Row
from ledger.withdrawals import Withdrawal, WithdrawalState, end, hold_posting, tell

_KNOWN: Final = "SELECT hash, state FROM signed_transactions WHERE hash IN (SELECT value FROM json_each(?))"
_INSERT: Final = "INSERT INTO inclusions (hash, height, position, shown, code) VALUES (?, ?, ?, ?, ?)"
_SQL: Final = queries("inclusions")
_SINCE: Final = _SQL["since"]
END: Final = _SQL["end"]
"""Ends a signed transaction: state, height, code, hash."""
REQUEUE: Final = _SQL["requeue"]
"""Lets a signed withdrawal wait again, to be paid by itself: time, id."""


class Inclusion(NamedTuple):
    """A transaction in a block: its canonical hash, the hash it is shown by, and its proved result code."""

    position: int
    canonical: str
    shown: str
    code: int


class Ours(NamedTuple):
    """What a block did to our transactions: all that were ever signed and met here, and sequences used by us.

    ``past_ante`` are those known ones that may have used their sequence here. ``undecided`` are not ended by it.
    ``requeued`` are the withdrawals of a batch that failed, ``ended`` those that are over. ``sequences`` are what ours used.
    ``foreign`` are those with the treasury's signature that these books did not sign, ``unproved`` what came before them.
    """

    known: frozenset[str]
    past_ante: frozenset[str]
    foreign: tuple[Spend, ...]
    unproved: Unproved
    undecided: tuple[OpenTransaction, ...] = ()
    sequences: frozenset[int] = frozenset()
    requeued: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()


def resolve_ours(
    draft: Draft,
    place: Place,
    inclusions: Sequence[Inclusion],
    spends: Sequence[Spend],
    proof: SequenceProof,
) -> Ours:
    """Settle, requeue or return what this block, or a proof at its height, decides of our transactions.

    Without a proved sequence only success is certain; the rest waits for the next proof. ``spends`` are all transactions
    of the block that spend from the treasury.
    """
    known = _known(draft, inclusions)
    ours = [each for each in inclusions if each.canonical in known]
    draft.write(*(Row(_INSERT, (each.canonical, place.height, *_mark(each)), changes=1) for each in ours))
    _contradictions(draft, place, ours, known)
    attempts = unresolved(draft.view)
    met = Ours(
        frozenset(known),
        frozenset(each.canonical for each in ours if each.code not in ANTE_ONLY_CODES),
        tuple(each for each in spends if each.signed and each.canonical not in known),
        read_unproved(draft, place, proof),
    )
    others = (*met.unproved.foreign, *met.foreign)
    decided = _decisive(draft, attempts, ours, height=place.height, proof=proof, others=others)
    if decided is None:
        return met._replace(undecided=tuple(attempts))
    return _apply_decisive(draft, place, attempts, decided, met)


def _mark(each: Inclusion) -> tuple[int, str, int]:
    return (each.position, each.shown, each.code)


def _known(draft: Draft, inclusions: Sequence[Inclusion]) -> dict[str, str]:
    hashes = json.dumps(sorted({each.canonical for each in inclusions}))
    return {row["hash"]: row["state"] for row in draft.view.select(_KNOWN, (hashes,))} if inclusions else {}


def _contradictions(draft: Draft, place: Place, ours: list[Inclusion], known: dict[str, str]) -> None:
    """Freeze when one that the books had ended otherwise, or had paid already, executes now."""
    for each in ours:
        if each.code == 0 and known[each.canonical] in ("confirmed", "failed", "expired"):
            facts = {"height": place.height, "tx": each.canonical}
            freeze_everyone(draft, FreezeReason.CONTRADICTION, f"{each.canonical} executed at {place.height}")
            draft.write(alert("chain.contradiction", facts, draft.view.now))


class _Fate(NamedTuple):
    state: str
    inclusion: Inclusion | None

    @property
    def code(self) -> int | None:
        return self.inclusion.code if self.inclusion else None


class _Candidate(NamedTuple):
    """An attempt that may have used the sequence, and where it did if so."""

    inclusion: Inclusion
    attempt: OpenTransaction


def _decisive(
    draft: Draft,
    attempts: list[OpenTransaction],
    ours: list[Inclusion],
    *,
    height: int,
    proof: SequenceProof,
    others: Sequence[Spend],
) -> tuple[_Fate, OpenTransaction] | None:
    """Return the attempt that decides, and how it ended; None while nothing is decided.

    Attempts at one sequence exclude each other: one that used it ends the others, and none is expired before all are,
    those of lost books included. What ``others`` certainly did with their sequence says that none of ours used it.
    """
    # Success needs no state proof: the next header's validators signed the results.
    for attempt in attempts:
        executed = next(
            (each for each in ours if each.canonical == attempt.signed.hash and not each.code), None
        )
        if executed:
            return _Fate("confirmed", executed), attempt
    if not attempts or proof.proved is None or _is_taken(attempts[0], proof, others):
        return None
    # The sequence is used and nothing executed with it, so one of ours failed: which one is told by its inclusion.
    if proof.proved > attempts[0].signed.sequence:
        failed = _failed(draft, attempts, ours, proof, others)
        return (_Fate("failed", failed.inclusion), failed.attempt) if failed else None
    timeout = max(attempt.signed.timeout_height for attempt in attempts)
    passed = height > timeout and proof.proved == attempts[0].signed.sequence
    # Lost books may have signed later bytes for the same sequence: a refund now, and those pay it as well.
    if passed and not is_replaying(draft.view):
        return _Fate("expired", None), attempts[0]
    return None


def _is_taken(attempt: OpenTransaction, proof: SequenceProof, others: Sequence[Spend]) -> bool:
    """Tell whether somebody else executed with the sequence of ``attempt``: before the last proof, or since."""
    sequence = attempt.signed.sequence
    return sequence < proof.proved_before or any(
        each.code == 0 and each.sequence == sequence for each in others
    )


def _has_rival(draft: Draft, attempt: OpenTransaction, others: Sequence[Spend]) -> bool:
    """Tell whether lost bytes failed with the sequence of ``attempt`` in a way that comes after the ante."""
    same = [each.code for each in others if each.sequence == attempt.signed.sequence]
    certain = any(code not in (0, FUNDS_CODE, *ANTE_ONLY_CODES) for code in same)
    return certain and is_replaying(draft.view)


def _failed(
    draft: Draft,
    attempts: list[OpenTransaction],
    ours: list[Inclusion],
    proof: SequenceProof,
    others: Sequence[Spend],
) -> _Candidate | None:
    """Return which attempt used the sequence without executing, None when no block held one that can have.

    Code 5 is a fee that could not be paid, before or after the sequence was used, or a failed payment, which used it.
    Any other code that comes after the ante tells: no second attempt gets that far. Of codes 5 alone the balance tells.
    """
    candidates = [
        _Candidate(each, attempt)
        for attempt in attempts
        # Inclusions up to the last proof are known to have left the sequence alone.
        for each in (*_since(draft, attempt.signed.hash, proof.proved_height), *ours)
        if each.canonical == attempt.signed.hash and each.code not in ANTE_ONLY_CODES
    ]
    certain = [each for each in candidates if each.inclusion.code != FUNDS_CODE]
    if not certain and _has_rival(draft, attempts[0], others):
        return None
    likely = certain or candidates
    return _that_explains(likely, _missing(draft, likely[0].attempt, proof)) if likely else None


def _missing(draft: Draft, attempt: OpenTransaction, proof: SequenceProof) -> int:
    """Return how much more of the fee's denom the books hold than the chain, as long as no fee is booked."""
    denom = attempt.signed.fee_denom
    return draft.total(denom) - proof.balances[denom] if denom in proof.balances else 0


def _that_explains(candidates: list[_Candidate], missing: int) -> _Candidate:
    """Return the first with the lowest fee that explains all that is missing, else with the highest fee.

    So no shortfall shows, and freezes, that a fee of ours explains, and no member pays more than that takes.
    """
    enough = [each for each in candidates if each.attempt.signed.fee >= missing]
    if enough:
        return min(enough, key=lambda each: each.attempt.signed.fee)
    return max(candidates, key=lambda each: each.attempt.signed.fee)


def _since(draft: Draft, transaction: str, height: int) -> list[Inclusion]:
    rows = draft.view.select(_SINCE, (transaction, height))
    return [Inclusion(row["position"], row["canonical"], row["shown"], row["code"]) for row in rows]


def _apply_decisive(
    draft: Draft,
    place: Place,
    attempts: list[OpenTransaction],
    decided: tuple[_Fate, OpenTransaction],
    met: Ours,
) -> Ours:
    """Post what the decisive attempt's fate means, and add to what was ``met`` what it used, and who waits again."""
    fate, decisive = decided
    for attempt in attempts:
        state, code = ("expired", None) if attempt != decisive else (fate.state, fate.code)
        draft.write(Row(END, (state, place.height, code, attempt.signed.hash), changes=1))
    met = met._replace(sequences=frozenset({decisive.signed.sequence} if fate.inclusion else ()))
    paid = paid_by(draft.view, decisive.signed.hash)
    if fate.state == "confirmed":
        return met._replace(ended=_settle(draft, place, decisive, paid, fate))
    if len(paid) == 1:
        return met._replace(ended=_return(draft, place, decisive, paid, fate))
    spend_fee(
        draft,
        place,
        decisive.signed.hash,
        decisive.signed.fee_denom,
        decisive.signed.fee if fate.inclusion else 0,
    )
    return met._replace(requeued=_requeue(draft, paid))


def _settle(
    draft: Draft, place: Place, attempt: OpenTransaction, paid: list[Withdrawal], fate: _Fate
) -> frozenset[int]:
    assert fate.inclusion is not None, "only an inclusion confirms"
    pending = [each for each in paid if each.state is WithdrawalState.SIGNED]
    for each in pending:
        admit_unseen(draft, place, each.denom, each.amount, f"withdrawal {each.id}")
        postings = hold_posting(each, None, each.amount) + _fee_posting(each)
        end(draft, each, WithdrawalState.CONFIRMED, postings, evidence=_evidence(place, attempt, fate))
        tell(draft, "withdrawal.confirmed", each, tx=fate.inclusion.shown, height=place.height)
    spend_fee(draft, place, attempt.signed.hash, attempt.signed.fee_denom, attempt.signed.fee)
    return frozenset(each.id for each in pending)


def _fee_posting(each: Withdrawal) -> tuple[Posting, ...]:
    return hold_posting(each, BOT_TREASURY, each.fee)


def _return(
    draft: Draft, place: Place, attempt: OpenTransaction, paid: list[Withdrawal], fate: _Fate
) -> frozenset[int]:
    """Give back all but the network fee that was really paid; BOT_TREASURY pays what the hold cannot.

    During a replay it may wait again already, since a later sequence was used: no other bytes pay it.
    """
    fee = attempt.signed.fee if fate.inclusion else 0
    pending = [each for each in paid if each.state in (WithdrawalState.SIGNED, WithdrawalState.QUEUED)]
    for each in pending:
        share = min(fee, each.held) if each.denom == attempt.signed.fee_denom else 0
        fee -= share
        admit_unseen(draft, place, each.denom, share, f"withdrawal {each.id}")
        postings = hold_posting(each, each.account, each.held - share) + hold_posting(each, None, share)
        end(draft, each, WithdrawalState.RETURNED, postings, evidence=_evidence(place, attempt, fate))
        facts = {
            "height": place.height,
            "network_fee": share,
            "reason": fate.state,
            "returned": each.held - share,
        }
        tell(draft, "withdrawal.returned", each, **facts, code=fate.code)
    spend_fee(draft, place, attempt.signed.hash, attempt.signed.fee_denom, fee)
    return frozenset(each.id for each in pending)


def _requeue(draft: Draft, paid: list[Withdrawal]) -> frozenset[int]:
    """Let each be paid by itself: one bad address must not stop the others again."""
    pending = [each for each in paid if each.state is WithdrawalState.SIGNED]
    for each in pending:
        draft.write(Row(REQUEUE, (draft.view.now, each.id), changes=1), unlock_withdrawal(each.id))
    return frozenset(each.id for each in pending)


def spend_fee(draft: Draft, place: Place, transaction: str, denom: Denom, fee: int) -> None:
    """Book a network fee of ``transaction`` (canonical hash), in base units, as BOT_TREASURY's expense.

    Signing made sure that it is covered; what was spent since then shows as a shortfall of the proved balance.
    """
    amount = Amount(min(fee, draft.balance(BOT_TREASURY, denom)))
    if amount > 0:
        admit_unseen(draft, place, denom, amount, transaction)
        posting = Posting(BOT_TREASURY, None, amount, denom)
        inputs = {"tx": transaction, "amount": amount}
        draft.post(Entry(f"net:{transaction}:{denom}", digest_of(inputs), "network_fee", (posting,)))


def _evidence(place: Place, attempt: OpenTransaction, fate: _Fate) -> dict[str, Any]:
    shown = {"shown": fate.inclusion.shown, "code": fate.inclusion.code} if fate.inclusion else {}
    return {"tx": attempt.signed.hash, "height": place.height, "sequence": attempt.signed.sequence, **shown}
