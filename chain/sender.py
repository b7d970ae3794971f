"""Coins out: sign, store, then broadcast, and the same bytes again until a block decides (chain.md, Withdrawals).

Nothing here makes a state final, and no answer of a node refunds anything: only the scanner's verified blocks do.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from chain.alarms import Alarms
from chain.bumps import FEE_TOO_LOW, BumpRules, floor_of, higher_price, newest
from chain.coins import ChainCoin
from chain.endpoints import Broadcast
from chain.errors import Halted
from chain.fees import Quote, quote
from chain.parameters import ChainParameters
from chain.tenure import Tenure
from chain.wallet import Payment, SigningFacts, Wallet
from ledger.accounts import BOT_TREASURY
from ledger.alerts import Alerts
from ledger.blocks import Blocks, Cursor
from ledger.errors import LeaseLost
from ledger.freezes import freeze_of
from ledger.money import Amount, Denom
from ledger.payments import OpenTransaction, Payments, SignedTransaction, StalePlan, covers
from ledger.ports import Clock
from ledger.reader import Reader
from ledger.withdrawals import Withdrawal, Withdrawals

MAX_BATCH: Final = 50
"""Withdrawals in one transaction: a failed one costs the whole fee, and is paid again one by one."""

_QUEUE_LOOKED_AT: Final = 200

HALTING_CODES: Final = {
    2: "the bytes are no transaction to the nodes",
    4: "chain id, account number or signature are wrong",
    11: "the gas limit is below what the ante costs",
    12: "the memo is too long for the nodes",
    FEE_TOO_LOW: "the fee is below the nodes' floor",
}
"""Codes of the ante (codespace sdk) that the next transaction would meet too: signing more helps nobody."""

HALTED_TIMEOUTS: Final = 2
"""Lifetimes of a transaction after its last refusal in which no other is signed."""

WAITING_CODES: Final = frozenset({30, 32})
"""Past the timeout, sequence used or not reached: blocks will tell, nothing to alert."""


class Broadcaster(Protocol):
    """Offers bytes to every node."""

    async def broadcast(self, raw: bytes) -> Broadcast:
        """Return what each node said; raises nothing of the chain's."""
        ...


class SenderRules(NamedTuple):
    """How often to look, and when the cursor is recent enough to sign on."""

    poll_seconds: float = 1.0
    standby_seconds: float = 5.0
    rebroadcast_blocks: int = 3
    fresh_ms: int = 60_000
    """A cursor whose block is older is still catching up: what is signed there may be past its timeout."""
    bumps: BumpRules = BumpRules()


class Plan(NamedTuple):
    """Withdrawals to pay with one transaction, and its price."""

    withdrawals: tuple[Withdrawal, ...]
    quote: Quote


def make_plan(
    queued: Sequence[Withdrawal], treasury: int, parameters: ChainParameters, *, max_batch: int = MAX_BATCH
) -> Plan | None:
    """Return what to sign next of ``queued`` (oldest first), None when its fee is not covered.

    Those without a memo go together as long as BOT_TREASURY, which owns ``treasury``, covers a failure of the batch;
    one with a memo, or whose batch failed before, goes alone. One whose price is not covered (another asset brings no
    fee to a treasury that is short) keeps none behind it waiting.
    """
    if not queued:
        return None
    batch = _batch(queued, max_batch)
    for withdrawals in (batch, *((each,) for each in queued)):
        price = quote(parameters, len(withdrawals))
        if covers(treasury, price.fee.amount, price.fee.denom, list(withdrawals)):
            return Plan(withdrawals, price)
    return None


def _batch(queued: Sequence[Withdrawal], limit: int) -> tuple[Withdrawal, ...]:
    if _goes_alone(queued[0]):
        return (queued[0],)
    return tuple(each for each in queued if not _goes_alone(each))[:limit]


def _goes_alone(withdrawal: Withdrawal) -> bool:
    return withdrawal.alone or bool(withdrawal.memo)


class Concern(NamedTuple):
    """What a person must know of a broadcast; ``halts``: the next transaction would meet the same."""

    why: str
    codes: tuple[int, ...]
    halts: bool


def concern_of(broadcast: Broadcast) -> Concern | None:
    """Judge the answers of all nodes to the same bytes: one that took them outweighs any refusal.

    A refusal proves nothing about the money: unknown is never failed. Without one verdict from every node there is
    nothing to judge.
    """
    if broadcast.taken or not broadcast.rejected:
        return None
    codes = tuple(sorted({answer.code for answer in broadcast.rejections}))
    if WAITING_CODES.intersection(codes):
        return None
    halting = [HALTING_CODES[code] for code in codes if code in HALTING_CODES]
    why = "; ".join(halting) or "; ".join(sorted({answer.log[:200] for answer in broadcast.rejections}))
    return Concern(why, codes, halts=len(halting) == len(codes))


class _Halt(NamedTuple):
    """Why nothing more is signed, and the height at which it is tried again."""

    why: str
    until: int


class Sender:
    """One signer of one treasury. ``step`` is called again and again by whoever supervises it."""

    def __init__(
        self,
        wallet: Wallet,
        broadcaster: Broadcaster,
        tenure: Tenure,
        *,
        alerts: Alerts,
        blocks: Blocks,
        payments: Payments,
        withdrawals: Withdrawals,
        reader: Reader,
        parameters: ChainParameters,
        clock: Clock,
        rules: SenderRules = SenderRules(),  # noqa: B008 - immutable
    ) -> None:
        self._wallet = wallet
        self._broadcaster = broadcaster
        self._tenure = tenure
        self._blocks = blocks
        self._payments = payments
        self._withdrawals = withdrawals
        self._reader = reader
        self._parameters = parameters
        self._clock = clock
        self._rules = rules
        self._offered_at: dict[str, int] = {}
        self._floors: dict[str, int | None] = {}
        """What nodes want for transactions that they refuse for their fee; None: they did not say."""
        self._alarms = Alarms(alerts, clock)
        self._halted: _Halt | None = None

    async def step(self) -> float:
        """Offer what is unresolved again, or sign and store the next; return the seconds to wait before the next step.

        Raises Halted while nodes refuse whatever is signed, and what the journal raises. A node that takes something
        ends that; so does time: then one more is signed to find out, at no cost if it is refused.
        """
        try:
            cursor = self._blocks.cursor(self._parameters.chain_id)
            if cursor is not None:
                await self._send(cursor)
        except LeaseLost:
            self._tenure.forget()
            return self._rules.standby_seconds
        except StalePlan:
            return 0.0
        return self._rules.poll_seconds

    async def _send(self, cursor: Cursor) -> None:
        attempts = self._payments.unresolved()
        self._forget_resolved(attempts)
        if not attempts:
            await self._sign_next(cursor)
            return
        if self._is_used_by_others(newest(attempts).signed, cursor):
            await self._tell_of_blocked(attempts)
            return
        # The highest fee first: a node that has one attempt refuses the others for their sequence.
        for each in sorted(attempts, key=lambda each: each.signed.fee, reverse=True):
            await self._offer_again(each, cursor, judged=each == newest(attempts))
        await self._replace_overdue(attempts, cursor)

    async def _sign_next(self, cursor: Cursor) -> None:
        queued = self._queued()
        if not queued or not self._is_fresh(cursor):
            return
        if self._halted is not None and cursor.height < self._halted.until:
            raise Halted(self._halted.why)
        plan = make_plan(queued, self._reader.balance(BOT_TREASURY, self._fee_denom), self._parameters)
        if plan is None:
            await self._alarms.tell("treasury.short", {"denom": self._fee_denom, "waiting": len(queued)})
            return
        signed = self._signed(plan, cursor)
        # Committed before any node sees it. A crash before this line has signed nothing that counts; after it, the same
        # bytes are found and offered again.
        fence = await self._tenure.fence()
        await self._payments.store(fence, signed, tuple(each.id for each in plan.withdrawals))
        await self._offer(signed, cursor, broadcast_before=False)

    async def _replace_overdue(self, attempts: Sequence[OpenTransaction], cursor: Cursor) -> None:
        """Sign a further attempt at the same sequence for a higher fee, when the newest waits for it."""
        last = newest(attempts).signed
        overdue = cursor.height - last.signed_height >= self._rules.bumps.after_blocks
        if not (overdue or last.hash in self._floors) or not self._is_unused(last, cursor):
            return
        price = higher_price(attempts, self._floors.get(last.hash), self._parameters, self._rules.bumps)
        paid = self._payments.paid_by(last.hash)
        if price is None or any(freeze_of(self._reader, each.account) for each in paid):
            return
        treasury = self._reader.balance(BOT_TREASURY, self._fee_denom)
        if not covers(treasury, price.fee.amount, self._fee_denom, paid):
            await self._alarms.tell("treasury.short", {"denom": self._fee_denom, "waiting": len(paid)})
            return
        signed = self._signed(Plan(tuple(paid), price), cursor)
        replaced = frozenset(each.signed.hash for each in attempts)
        await self._payments.replace(await self._tenure.fence(), signed, replaced)
        await self._offer(signed, cursor, broadcast_before=False)

    def _is_unused(self, signed: SignedTransaction, cursor: Cursor) -> bool:
        """Tell whether the sequence of ``signed`` is proved to be the next one still, at a recent height."""
        return (
            self._is_fresh(cursor)
            and cursor.account is not None
            and cursor.account.sequence == signed.sequence
        )

    def _is_used_by_others(self, signed: SignedTransaction, cursor: Cursor) -> bool:
        """Tell whether a proof has passed the sequence of ``signed``, which is open: then none of ours used it."""
        return cursor.is_proved and cursor.account is not None and cursor.account.sequence > signed.sequence

    async def _tell_of_blocked(self, attempts: Sequence[OpenTransaction]) -> None:
        """Say that only an owner can end what these were to pay: whoever used the key may have paid it by hand."""
        paid = [each.id for each in self._payments.paid_by(newest(attempts).signed.hash)]
        await self._alarms.tell("payout.blocked", {"withdrawals": paid, "tx": newest(attempts).signed.hash})

    @property
    def _fee_denom(self) -> Denom:
        return self._parameters.fee_denom

    def _queued(self) -> list[Withdrawal]:
        queued = self._withdrawals.queued(_QUEUE_LOOKED_AT)
        return [each for each in queued if freeze_of(self._reader, each.account) is None]

    def _is_fresh(self, cursor: Cursor) -> bool:
        """Tell whether sequence and height may be signed on: proved at the cursor, and the cursor is at the tip."""
        recent = self._clock.now() - cursor.block_time <= self._rules.fresh_ms
        return cursor.is_proved and cursor.account is not None and recent

    def _signed(self, plan: Plan, cursor: Cursor) -> SignedTransaction:
        assert cursor.account is not None, "a fresh cursor has a proved account"
        payments = [Payment(each.address, (ChainCoin(each.denom, each.amount),)) for each in plan.withdrawals]
        facts = SigningFacts(
            account_number=cursor.account.account_number,
            sequence=cursor.account.sequence,
            gas_limit=plan.quote.gas_limit,
            fee=plan.quote.fee,
            timeout_height=cursor.height + self._parameters.timeout_blocks,
            memo=plan.withdrawals[0].memo,
        )
        signed = self._wallet.sign_sends(payments, facts)
        return SignedTransaction(
            hash=signed.canonical_hash,
            chain_id=self._parameters.chain_id,
            bytes=signed.raw,
            account_number=facts.account_number,
            sequence=facts.sequence,
            fee=Amount(facts.fee.amount),
            fee_denom=facts.fee.denom,
            gas_limit=facts.gas_limit,
            signed_height=cursor.height,
            timeout_height=facts.timeout_height,
        )

    async def _offer_again(self, transaction: OpenTransaction, cursor: Cursor, *, judged: bool) -> None:
        """Offer the same bytes every few blocks: a restarted node has forgotten its mempool."""
        signed = transaction.signed
        offered = self._offered_at.get(signed.hash)
        due = offered is None or cursor.height - offered >= self._rules.rebroadcast_blocks
        if due and cursor.height < signed.timeout_height:
            await self._offer(signed, cursor, broadcast_before=transaction.broadcast, judged=judged)

    async def _offer(
        self, signed: SignedTransaction, cursor: Cursor, *, broadcast_before: bool, judged: bool = True
    ) -> None:
        """Broadcast; refusals of an attempt that was replaced already (not ``judged``) concern nobody."""
        fence = await self._tenure.fence()
        # Before the answers: nodes that hang are asked again blocks later, not at once.
        self._offered_at[signed.hash] = cursor.height
        answers = await self._broadcaster.broadcast(signed.bytes)
        if answers.taken and not broadcast_before:
            await self._payments.mark_broadcast(fence, signed.hash)
        if answers.taken:
            self._halted = None
        concern = concern_of(answers) if judged else None
        if concern is not None and not self._can_pay_more(signed, concern, answers):
            await self._alarms.tell(
                "broadcast.rejected", {"tx": signed.hash, "codes": concern.codes, "why": concern.why}
            )
            if concern.halts:
                until = cursor.height + HALTED_TIMEOUTS * self._parameters.timeout_blocks
                self._halted = _Halt(concern.why, until)

    def _can_pay_more(self, signed: SignedTransaction, concern: Concern, answers: Broadcast) -> bool:
        """Tell whether a replacement is the answer to ``concern``, and let it be signed with the next step."""
        if concern.codes != (FEE_TOO_LOW,):
            return False
        floor = floor_of(answers, self._fee_denom)
        if higher_price(self._payments.unresolved(), floor, self._parameters, self._rules.bumps) is None:
            return False
        self._floors[signed.hash] = floor
        return True

    def _forget_resolved(self, unresolved: Sequence[OpenTransaction]) -> None:
        open_hashes = {each.signed.hash for each in unresolved}
        self._offered_at = {key: at for key, at in self._offered_at.items() if key in open_hashes}
        self._floors = {key: floor for key, floor in self._floors.items() if key in open_hashes}
