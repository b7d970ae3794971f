"""Signed transactions: bytes of ours that may execute, committed before anybody else sees them (chain.md).

A signed transaction pays one or several withdrawals. It is resolved by blocks alone (inclusions.py); at most one
sequence is unresolved at a time, which the database checks too.
"""

import json
from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY
from ledger.drafts import Draft
from ledger.errors import Refused, Unavailable
from ledger.freezes import freeze_of
from ledger.journal import Journal, Lane
from ledger.leases import Fence, lock_withdrawal, require
from ledger.money import Amount, Denom
from ledger.queries import queries
from ledger.reader import Reader
from ledger.units import Decision, Row, Unit, View
from ledger.withdrawals import Withdrawal, WithdrawalState, tell, withdrawal_of

_OPEN: Final = (
    "SELECT * FROM signed_transactions WHERE state IN ('signed', 'broadcast') ORDER BY signed_height, hash"
)
_CURSOR: Final = "SELECT height, proved_height, sequence, account_number FROM cursor WHERE chain_id = ?"
_SQL: Final = queries("payments")
_PAID_BY: Final = _SQL["paid_by"]
_AMONG: Final = "SELECT * FROM withdrawals WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
_INSERT: Final = _SQL["insert"]
_INSERT_PAYOUT: Final = "INSERT INTO payouts (hash, withdrawal) VALUES (?, ?)"
_SIGN: Final = _SQL["sign"]
_BROADCAST: Final = _SQL["broadcast"]


class SignedTransaction(NamedTuple):
    """Bytes of ours and what they promise; ``hash`` is the canonical one, upper-case hex."""

    hash: str
    chain_id: str
    bytes: bytes
    account_number: int
    sequence: int
    fee: Amount
    fee_denom: Denom
    gas_limit: int
    signed_height: int
    timeout_height: int


class OpenTransaction(NamedTuple):
    """A signed transaction of which the chain has not decided yet; ``broadcast``: some node accepted it."""

    signed: SignedTransaction
    broadcast: bool


class StalePlan(Unavailable):
    """The books moved on since this transaction was planned: plan again."""


def open_of(row: Any) -> OpenTransaction:
    """Return a row of ``signed_transactions`` that is not resolved."""
    fields = {name: row[name] for name in SignedTransaction._fields}
    return OpenTransaction(SignedTransaction(**fields), row["state"] == "broadcast")


def unresolved(view: View) -> list[OpenTransaction]:
    """Return the signed transactions that may still execute: attempts at one sequence, or none."""
    return [open_of(row) for row in view.select(_OPEN)]


def paid_by(view: View, transaction: str) -> list[Withdrawal]:
    """Return the withdrawals that the signed ``transaction`` pays, by id."""
    return [withdrawal_of(row) for row in view.select(_PAID_BY, (transaction,))]


def covers(treasury: int, fee: int, fee_denom: Denom, withdrawals: list[Withdrawal]) -> bool:
    """Tell whether ``fee`` can be booked whatever becomes of the transaction (chain.md, Withdrawals).

    ``treasury`` is what BOT_TREASURY holds of ``fee_denom``, in base units as ``fee``.
    Success brings the withdrawal fees to BOT_TREASURY. A batch that fails brings nothing, so BOT_TREASURY must cover
    it alone; one that is alone pays for its failure out of what it holds.
    """
    if len(withdrawals) > 1:
        return treasury >= fee
    brought = sum(each.fee for each in withdrawals if each.denom == fee_denom)
    return treasury + brought >= fee


def spendable(view: View, denom: Denom) -> Amount:
    """Return what BOT_TREASURY may give away: the network fee that open bytes may still cost stays.

    Else an order between signing and the block would leave that fee to SYSTEM_RESERVE (chain.md, Withdrawals).
    """
    fees = [each.signed.fee for each in unresolved(view) if each.signed.fee_denom == denom]
    return Amount(max(0, view.balance(BOT_TREASURY, denom) - max(fees, default=0)))


def require_spendable(view: View, amount: int, denom: Denom) -> None:
    """Refuse what BOT_TREASURY cannot give away. Raises Refused ``treasury_too_low``."""
    balance = spendable(view, denom)
    if balance < amount:
        raise Refused("treasury_too_low", balance=balance, needed=amount, denom=denom)


def decide_store(
    view: View, fence: Fence, signed: SignedTransaction, withdrawals: tuple[int, ...]
) -> Decision[None]:
    """Commit ``signed`` and lock the ``withdrawals`` that it pays, before any node sees the bytes.

    Raises LeaseLost, and StalePlan when anything that the plan stood on has changed: another transaction is
    unresolved, the proved sequence is another, a withdrawal was cancelled or frozen, the fee is not covered.
    """
    require(view, fence)
    paid = [withdrawal_of(row) for row in view.select(_AMONG, (json.dumps(withdrawals),))]
    _check_plan(view, signed, paid, withdrawals)
    draft = Draft(view)
    _write_signed(draft, signed, paid)
    for each in paid:
        draft.write(lock_withdrawal(each.id, signed.hash), Row(_SIGN, (view.now, each.id), changes=1))
        tell(draft, "withdrawal.signed", each, tx=signed.hash)
    return Decision(None, rows=tuple(draft.rows))


def decide_replace(
    view: View, fence: Fence, signed: SignedTransaction, replaced: frozenset[str]
) -> Decision[None]:
    """Commit ``signed`` as a further attempt at the sequence of the ``replaced`` (hashes), at a higher fee.

    It pays the same withdrawals, which stay locked; members are told nothing new. All attempts may still execute, one
    of them at most does (chain.md, Withdrawals).
    Raises LeaseLost, and StalePlan when the attempts are others, the sequence is not proved to be unused, a withdrawal
    was frozen, or the fee is not covered.
    """
    require(view, fence)
    attempts = unresolved(view)
    if not attempts or {each.signed.hash for each in attempts} != replaced:
        raise StalePlan("other attempts are unresolved")
    if any(_slot(each.signed) != _slot(signed) for each in attempts):
        raise StalePlan("a replacement is of the same sequence")
    if any(each.signed.fee >= signed.fee for each in attempts):
        raise StalePlan("a replacement pays more")
    paid = paid_by(view, attempts[0].signed.hash)
    if not paid or any(each.state is not WithdrawalState.SIGNED for each in paid):
        raise StalePlan("a withdrawal is not signed any more")
    _check_account(view, signed)
    _check_payable(view, signed, paid)
    draft = Draft(view)
    _write_signed(draft, signed, paid)
    return Decision(None, rows=tuple(draft.rows))


def _slot(signed: SignedTransaction) -> tuple[str, int, int, Denom]:
    """Return what attempts that exclude each other have in common."""
    return (signed.chain_id, signed.account_number, signed.sequence, signed.fee_denom)


def _write_signed(draft: Draft, signed: SignedTransaction, paid: list[Withdrawal]) -> None:
    draft.write(Row(_INSERT, {**signed._asdict(), "signed_at": draft.view.now}, changes=1))
    draft.write(*(Row(_INSERT_PAYOUT, (signed.hash, each.id), changes=1) for each in paid))


def _check_plan(
    view: View, signed: SignedTransaction, paid: list[Withdrawal], asked: tuple[int, ...]
) -> None:
    if unresolved(view):
        raise StalePlan("another transaction is unresolved")
    _check_account(view, signed)
    if not paid or len(paid) != len(asked) or any(each.state is not WithdrawalState.QUEUED for each in paid):
        raise StalePlan("a withdrawal is not queued any more")
    _check_payable(view, signed, paid)


def _check_account(view: View, signed: SignedTransaction) -> None:
    cursor = view.select(_CURSOR, (signed.chain_id,))
    proved = (signed.account_number, signed.sequence, signed.signed_height, signed.signed_height)
    if not cursor or proved != (
        cursor[0]["account_number"],
        cursor[0]["sequence"],
        cursor[0]["height"],
        cursor[0]["proved_height"],
    ):
        raise StalePlan("the account is not proved to be in this state at the cursor")


def _check_payable(view: View, signed: SignedTransaction, paid: list[Withdrawal]) -> None:
    if any(freeze_of(view, each.account) for each in paid):
        raise StalePlan("withdrawals are frozen")
    treasury = view.balance(BOT_TREASURY, signed.fee_denom)
    if not covers(treasury, signed.fee, signed.fee_denom, paid):
        raise StalePlan("BOT_TREASURY cannot cover the network fee")


def decide_mark_broadcast(view: View, fence: Fence, transaction: str) -> Decision[None]:
    """Write down that a node accepted ``transaction``; it proves nothing. Raises LeaseLost."""
    require(view, fence)
    return Decision(None, rows=(Row(_BROADCAST, (transaction,)),))


class Payments:
    """The book of signed transactions."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    async def store(self, fence: Fence, signed: SignedTransaction, withdrawals: tuple[int, ...]) -> None:
        """Commit a signed transaction; raises what `decide_store` raises."""
        await self._journal.submit(
            Unit(lambda view: decide_store(view, fence, signed, withdrawals)), Lane.SYSTEM
        )

    async def replace(self, fence: Fence, signed: SignedTransaction, replaced: frozenset[str]) -> None:
        """Commit a further attempt at a higher fee; raises what `decide_replace` raises."""
        await self._journal.submit(
            Unit(lambda view: decide_replace(view, fence, signed, replaced)), Lane.SYSTEM
        )

    async def mark_broadcast(self, fence: Fence, transaction: str) -> None:
        """Write down that a node accepted ``transaction``."""
        await self._journal.submit(
            Unit(lambda view: decide_mark_broadcast(view, fence, transaction)), Lane.SYSTEM
        )

    def unresolved(self) -> list[OpenTransaction]:
        """Return what may still execute, as committed."""
        return [open_of(row) for row in self._reader.select(_OPEN)]

    def paid_by(self, transaction: str) -> list[Withdrawal]:
        """Return the withdrawals that ``transaction`` pays, as committed."""
        return [withdrawal_of(row) for row in self._reader.select(_PAID_BY, (transaction,))]
