"""Books that were restored meet what the lost ones did: nothing is signed before (chain.md, Withdrawals).

A replay is over when the cursor has passed a block made after the restore, and every height that the replaced books
had reached, by as many blocks as signed bytes may live: then no transaction of the lost books can execute any more.
Until then a transaction of the treasury's that these books do not know is theirs: it pays a withdrawal that waits
here, or SYSTEM_RESERVE bears it until an owner says whose it was (attributions.py).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE
from ledger.alerts import alert
from ledger.deposits import Place, spelled_amount
from ledger.drafts import Draft, digest_of
from ledger.freezes import FreezeReason, freeze_everyone
from ledger.inclusions import END, REQUEUE, Ours, spend_fee
from ledger.leases import unlock_withdrawal
from ledger.money import Amount, Denom
from ledger.payments import OpenTransaction, paid_by
from ledger.ports import Millis, Selects
from ledger.queries import queries
from ledger.spends import SequenceProof, Spend, that_used_one
from ledger.units import Entry, Posting, Row
from ledger.withdrawals import Withdrawal, WithdrawalState, end, hold_posting, tell, withdrawal_of

_SQL: Final = queries("replay")


class Restore(NamedTuple):
    """A restore whose replay is not over; ``tip_height`` is the first block met that was made after it."""

    id: int
    restored_at: Millis
    reach_height: int
    quiet_blocks: int
    tip_height: int | None


class _Payment(NamedTuple):
    """A listed coin that an unknown transaction paid, with where it stands in it."""

    number: int
    address: str
    denom: Denom
    amount: Amount


def standing_restores(books: Selects) -> list[Restore]:
    """Return the restores whose replay is not over."""
    return [Restore(*row) for row in books.select(_SQL["standing"])]


def meet_lost(draft: Draft, place: Place, ours: Ours, proof: SequenceProof, listed: frozenset[Denom]) -> Ours:
    """Book what foreign transactions, which the lost books signed, paid in this block, and count the sequences they used.

    Without a replay nothing is lost, and an unknown transaction stays a stranger's.
    """
    if not standing_restores(draft.view):
        return ours
    used = that_used_one(ours.foreign, ours.unproved, ours.sequences, proof)
    waiting = _Waiting(set(ours.ended), set(ours.requeued))
    # What a stranger had made impossible before is for an owner to end: it may be paid.
    undecided = [each for each in ours.undecided if each.signed.sequence >= proof.proved_before]
    if proof.proved is not None:
        # None of ours used it, or that would be decided: lost bytes did, perhaps in a block that nobody proved.
        passed = [each for each in undecided if each.signed.sequence < proof.proved]
        undecided = _give_up_all(draft, place, undecided, passed, waiting)
    for spend in used:
        dead = [each for each in undecided if _is_dead(draft, each, spend, ours)]
        undecided = _give_up_all(draft, place, undecided, dead, waiting)
        _let_wait(draft, [each for each in undecided if each.signed.sequence < spend.sequence], waiting)
        _book(draft, place, spend, listed, waiting)
    return ours._replace(
        known=ours.known | {each.canonical for each in ours.foreign},
        sequences=ours.sequences | {each.sequence for each in used},
    )


class _Waiting(NamedTuple):
    """Which withdrawals this block has ended, and which wait again because of it."""

    ended: set[int]
    requeued: set[int]


def _is_dead(draft: Draft, attempt: OpenTransaction, spend: Spend, ours: Ours) -> bool:
    """Tell whether another transaction than ``attempt`` used its sequence: ``spend`` itself, or one before it."""
    if spend.code == 0 and spend.sequence == attempt.signed.sequence:
        return True
    may_have_used = attempt.signed.hash in ours.past_ante or draft.view.select(
        _SQL["was_included"], (attempt.signed.hash,)
    )
    return spend.sequence >= attempt.signed.sequence and not may_have_used


def _give_up_all(
    draft: Draft,
    place: Place,
    undecided: list[OpenTransaction],
    dead: list[OpenTransaction],
    waiting: _Waiting,
) -> list[OpenTransaction]:
    """Give up those that are ``dead``; return the others."""
    for attempt in dead:
        _give_up(draft, place, attempt, waiting)
    return [each for each in undecided if each not in dead]


def _give_up(draft: Draft, place: Place, attempt: OpenTransaction, waiting: _Waiting) -> None:
    """End bytes that cannot execute any more; what they were to pay waits again, also when other bytes pay it too."""
    draft.write(Row(END, ("expired", place.height, None, attempt.signed.hash), changes=1))
    _let_wait(draft, [attempt], waiting)


def _let_wait(draft: Draft, attempts: Sequence[OpenTransaction], waiting: _Waiting) -> None:
    """Let what attempts were to pay wait again: a later sequence is used, so they cannot execute any more.

    They stay open while a proof has to tell whether they failed, and cost a fee.
    """
    paid = [each for attempt in attempts for each in paid_by(draft.view, attempt.signed.hash)]
    for each in paid:
        if each.state is WithdrawalState.SIGNED and each.id not in waiting.requeued:
            waiting.requeued.add(each.id)
            draft.write(Row(REQUEUE, (draft.view.now, each.id), changes=1), unlock_withdrawal(each.id))


def _book(draft: Draft, place: Place, spend: Spend, listed: frozenset[Denom], waiting: _Waiting) -> None:
    for payment in _payments(spend, listed) if spend.code == 0 else ():
        if draft.total(payment.denom) < payment.amount:
            _alarm(draft, place, spend, payment)
            continue
        paid = _waiting_for(draft, spend, payment, waiting)
        if paid is None:
            _bear(draft, place, spend, payment)
        else:
            waiting.ended.add(paid.id)
            _settle(draft, place, spend, paid)
    # Afterwards: what members paid for their withdrawals covers it.
    _spend_fees(draft, place, spend, listed)


def _payments(spend: Spend, listed: frozenset[Denom]) -> list[_Payment]:
    """Return what was paid in listed denoms; an odd spelling is left to the proved balance."""
    spelled = [(coin, spelled_amount(coin.amount)) for coin in spend.payments]
    return [
        _Payment(number, coin.address.lower(), coin.denom, amount)
        for number, (coin, amount) in enumerate(spelled)
        if coin.denom in listed and amount is not None
    ]


def _spend_fees(draft: Draft, place: Place, spend: Spend, listed: frozenset[Denom]) -> None:
    fees: Counter[Denom] = Counter()
    for coin in spend.fees:
        fees[coin.denom] += spelled_amount(coin.amount) or 0
    for denom in sorted(listed.intersection(fees)):
        spend_fee(draft, place, spend.canonical, denom, fees[denom])


def _waiting_for(draft: Draft, spend: Spend, payment: _Payment, waiting: _Waiting) -> Withdrawal | None:
    """Return the oldest withdrawal that asked for exactly this payment and still waits."""
    wanted = (payment.address, payment.amount, payment.denom, spend.memo)
    for row in draft.view.select(_SQL["waiting"], wanted):
        found = withdrawal_of(row)
        if found.id in waiting.ended:
            continue
        if found.id in waiting.requeued:
            return found._replace(state=WithdrawalState.QUEUED)
        if found.state is not WithdrawalState.SIGNED:
            return found
    return None


def _settle(draft: Draft, place: Place, spend: Spend, paid: Withdrawal) -> None:
    """End a withdrawal that the lost books had paid; it must not be paid again."""
    postings = hold_posting(paid, None, paid.amount) + hold_posting(paid, BOT_TREASURY, paid.fee)
    evidence = {"tx": spend.canonical, "shown": spend.shown, "height": place.height, "replayed": True}
    end(draft, paid, WithdrawalState.CONFIRMED, postings, evidence=evidence)
    tell(draft, "withdrawal.confirmed", paid, tx=spend.shown, height=place.height)


def _bear(draft: Draft, place: Place, spend: Spend, payment: _Payment) -> None:
    """Let the reserve bear a payment that nobody here asked for, and keep what is known of it."""
    inputs = {"tx": spend.canonical, "address": payment.address, "amount": payment.amount}
    key = f"lost:{place.chain_id}:{spend.canonical}:{payment.number}"
    posting = Posting(SYSTEM_RESERVE, None, payment.amount, payment.denom)
    first = draft.post(Entry(key, digest_of(inputs), "unknown_payment", (posting,)))
    known = {
        **payment._asdict(),
        "id": first,
        "tx": spend.canonical,
        "shown": spend.shown,
        "memo": spend.memo,
    }
    draft.write(Row(_SQL["unknown"], {**place._asdict(), **known, "at": draft.view.now}, changes=1))
    if draft.balance(SYSTEM_RESERVE, payment.denom) < 0:
        freeze_everyone(draft, FreezeReason.SHORTFALL, f"unknown payment {first} at {place.height}")
    _tell_operators(draft, place, spend, payment, first)


def _alarm(draft: Draft, place: Place, spend: Spend, payment: _Payment) -> None:
    """Freeze when more was paid than the books hold: coins that came unseen are not proved yet."""
    note = f"{payment.amount} {payment.denom} paid by {spend.shown} at {place.height}"
    freeze_everyone(draft, FreezeReason.CONTRADICTION, note)
    _tell_operators(draft, place, spend, payment, None)


def _tell_operators(draft: Draft, place: Place, spend: Spend, payment: _Payment, number: int | None) -> None:
    facts: dict[str, Any] = {
        "payment": number,
        "amount": payment.amount,
        "denom": payment.denom,
        "address": payment.address,
        "memo": spend.memo,
        "tx": spend.shown,
        "height": place.height,
    }
    draft.write(alert("restore.unknown_payment", facts, draft.view.now))


def advance_replay(draft: Draft, place: Place, block_time: Millis, *, explained: bool) -> None:
    """Note that a block made after the restore is reached, and end the replay once nothing lost can come any more.

    ``explained``: balances and sequence are proved at this height, and the books know what moved them.
    """
    for each in standing_restores(draft.view):
        tip = each.tip_height
        if tip is None and block_time > each.restored_at:
            tip = place.height
            draft.write(Row(_SQL["tip"], (tip, each.id), changes=1))
        if tip is None or not explained or place.height < max(tip, each.reach_height) + each.quiet_blocks:
            continue
        draft.write(Row(_SQL["over"], (place.height, each.id), changes=1))
        draft.write(alert("restore.replayed", {"height": place.height}, draft.view.now))
