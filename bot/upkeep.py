"""What the operator does at the console beside running the bot: refill the reserve, lift freezes, explain payments."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import SystemRandom
from typing import Final, NamedTuple

from bot.settings import Books
from ledger.accounts import SYSTEM_RESERVE, AccountId
from ledger.attributions import (
    UnknownPayment,
    acceptance_unit,
    attribution_unit,
    find_open,
    unknown_payments,
)
from ledger.audit import AuditReport
from ledger.backup import Restored, in_use
from ledger.connect import open_reader
from ledger.freezes import Freeze, FreezeReason, lift_unit, standing
from ledger.journal import Lane
from ledger.money import Amount, Asset, AssetsByDenom, Denom, format_amount
from ledger.ports import BlockingRunner, Clock, Millis
from ledger.presence import fresh_name
from ledger.reader import Reader
from ledger.reconciliation import Comparison, compared
from ledger.reserve import Refill
from ledger.roles import CONSOLE
from ledger.service import LedgerService
from ledger.withdrawals import ManualOutcome, Withdrawal

_RESERVE: Final = "SELECT denom, balance, last_tx FROM user_balances WHERE user_id = ? ORDER BY denom"
_POSTINGS: Final = """
SELECT transactions.*, entries.key FROM transactions JOIN entries ON entries.id = entry_id ORDER BY transactions.id
"""


class Explanation(NamedTuple):
    """What the operator says of an unknown payment; ``account`` None accepts it, ``amount`` None is all of it."""

    payment: int
    account: AccountId | None
    amount: Amount | None
    reason: str


class Ending(NamedTuple):
    """How the operator ends a withdrawal, and by which evidence."""

    withdrawal: int
    outcome: ManualOutcome
    evidence: str


class Lifting(NamedTuple):
    """A freeze that the operator lifts; ``account`` None is everyone's."""

    why: FreezeReason
    account: AccountId | None
    reason: str


async def explain(
    settings: Books, explanation: Explanation | None, clock: Clock, blocking: BlockingRunner
) -> list[str]:
    """Write ``explanation`` down, if there is one, and return what is unexplained afterwards, for people.

    The bot may run meanwhile. Raises Refused with what is wrong, and what `LedgerService.open` raises.
    """
    async with _books(settings, clock, blocking) as service:
        if explanation is not None:
            await _write(service, explanation)
        return payment_lines(unknown_payments(service.reader), settings.assets)


async def unfreeze(
    settings: Books, lifting: Lifting | None, clock: Clock, blocking: BlockingRunner
) -> list[str]:
    """Lift a freeze, if one is named, and return what stands afterwards, for people.

    The bot may run meanwhile. Raises Refused with what is wrong, and what `LedgerService.open` raises.
    """
    async with _books(settings, clock, blocking) as service:
        if lifting is not None:
            freeze = Freeze(lifting.why, lifting.account)
            await service.journal.submit(lift_unit(CONSOLE, freeze, lifting.reason), Lane.SYSTEM)
        return freeze_lines(standing(service.reader))


async def refill(settings: Books, order: Refill | None, clock: Clock, blocking: BlockingRunner) -> list[str]:
    """Move coins from BOT_TREASURY to SYSTEM_RESERVE, if ``order`` says so, and return what is owed afterwards.

    The bot may run meanwhile. Raises Refused with what is wrong, and what `LedgerService.open` raises.
    """
    async with _books(settings, clock, blocking) as service:
        if order is not None:
            # The newest posting of the reserve: an order that is given twice in one situation is one order.
            tails = {
                row["denom"]: row["last_tx"] for row in service.reader.select(_RESERVE, (SYSTEM_RESERVE,))
            }
            await service.reserve.refill(f"refill:{order.denom}:{tails.get(order.denom, 0)}", order)
        rows = service.reader.select(_RESERVE, (SYSTEM_RESERVE,))
        return reserve_lines({row["denom"]: row["balance"] for row in rows}, settings.assets)


async def resolve(
    settings: Books, ending: Ending | None, clock: Clock, blocking: BlockingRunner
) -> list[str]:
    """End a withdrawal by an owner's word, if one is named, and return what waits afterwards, for people.

    The bot may run meanwhile. Raises Refused with what is wrong, and what `LedgerService.open` raises.
    """
    async with _books(settings, clock, blocking) as service:
        if ending is not None:
            await service.withdrawals.resolve_manually(CONSOLE, *ending)
        return withdrawal_lines(service.withdrawals.unpaid(), settings.assets)


def comparison_lines(database: Path, settings: Books, now: Millis) -> tuple[list[str], bool | None]:
    """Return the books against the chain as the bot last proved it, for people; and whether all of it agrees.

    What no node proved is unknown, and then whether it agrees is None, unless something else differs.
    """
    with closing(Reader(database)) as reader:
        found = compared(reader, settings.chain_id)
    known = AssetsByDenom(settings.assets)
    lines = [_comparison_line(each, known[each.denom]) for each in found]
    height, read_at = (found[0].height, found[0].block_time) if found else (None, None)
    if height is None or read_at is None:
        return ["No block was read yet: what the chain holds is unknown.", *lines], None
    reach = f"Height {height}, read {max(0, now - read_at) // 1000} seconds ago."
    differences = {each.difference for each in found if each.denom in known}
    return [reach, *lines], _agree(differences)


def _agree(differences: AbstractSet[int | None]) -> bool | None:
    if differences - {0, None}:
        return False
    return None if None in differences else True


def _comparison_line(comparison: Comparison, asset: Asset) -> str:
    books = f"{asset.symbol}: the books say {format_amount(comparison.books, asset)}"
    owed = (
        ""
        if comparison.reserve >= 0
        else f" SYSTEM_RESERVE owes {format_amount(-comparison.reserve, asset)}."
    )
    if comparison.chain is None or comparison.difference is None:
        last = (
            ""
            if comparison.chain is None
            else f"; it was {format_amount(comparison.chain, asset)} at height {comparison.proved_height}"
        )
        return f"{books}, what the chain holds is unknown{last}.{owed}"
    chain = f"{books}, the chain holds {format_amount(comparison.chain, asset)}"
    apart = (
        "they agree" if comparison.difference == 0 else f"{format_amount(comparison.difference, asset)} apart"
    )
    return f"{chain}: {apart}.{owed}"


def export_lines(database: Path) -> Iterator[str]:
    """Yield every posting in order, with the key of its entry, as one JSON object a line: amounts in base units."""
    with closing(open_reader(database)) as connection:
        rows = connection.execute(_POSTINGS)
        names = [column[0] for column in rows.description]
        for row in rows:
            yield json.dumps(dict(zip(names, row, strict=True)), separators=(",", ":"))


def reserve_lines(balances: Mapping[Denom, int], assets: Sequence[Asset]) -> list[str]:
    """Return what SYSTEM_RESERVE owes, for people."""
    known = AssetsByDenom(assets)
    owed = {denom: -balance for denom, balance in balances.items() if balance < 0}
    return [
        f"SYSTEM_RESERVE owes {format_amount(amount, known[denom])} ({denom})."
        for denom, amount in owed.items()
    ] or ["SYSTEM_RESERVE owes nothing."]


@asynccontextmanager
async def _books(settings: Books, clock: Clock, blocking: BlockingRunner) -> AsyncIterator[LedgerService]:
    with in_use(settings.database, fresh_name(SystemRandom())):
        service = await LedgerService.open(
            settings.database, clock=clock, blocking=blocking, assets=settings.assets
        )
        try:
            yield service
        finally:
            await service.close()


def freeze_lines(freezes: Sequence[Freeze]) -> list[str]:
    """Return what keeps withdrawals from being signed, for people."""
    if not freezes:
        return ["Nothing is frozen."]
    return [
        f"{each.reason}: {'everyone' if each.account is None else f'account {each.account}'}"
        for each in freezes
    ]


async def _write(service: LedgerService, explanation: Explanation) -> None:
    payment, account, amount, reason = explanation
    if account is None:
        await service.journal.submit(acceptance_unit(CONSOLE, payment, reason), Lane.SYSTEM)
        return
    # What remains now: an order that is given twice in one situation is one order.
    key = f"attr:{payment}:{find_open(service.reader, payment).remaining}"
    unit = attribution_unit(key, CONSOLE, payment, account=account, amount=amount, reason=reason)
    await service.journal.submit(unit, Lane.SYSTEM)


def withdrawal_lines(withdrawals: Sequence[Withdrawal], assets: Sequence[Asset]) -> list[str]:
    """Return the withdrawals that wait for the chain, for people."""
    known = AssetsByDenom(assets)
    return [
        f"{each.id}: {each.state}, {format_amount(each.amount, known[each.denom])} "
        f"of account {each.account} to {each.address}"
        for each in withdrawals
    ] or ["No withdrawal waits."]


def payment_lines(payments: Sequence[UnknownPayment], assets: Sequence[Asset]) -> list[str]:
    """Return the payments that nobody has explained, for people."""
    known = AssetsByDenom(assets)
    if not payments:
        return ["No payment is unexplained."]
    return [_line(each, known[each.denom]) for each in payments]


def _line(payment: UnknownPayment, asset: Asset) -> str:
    rest = "" if payment.remaining == payment.amount else f", {format_amount(payment.remaining, asset)} left"
    memo = f" with memo {payment.memo!r}" if payment.memo else ""
    paid = format_amount(payment.amount, asset)
    return f"{payment.id}: {paid} to {payment.address}{memo} in block {payment.height}, {payment.shown}{rest}"


def restored_lines(restored: Restored, settings: Books, quiet_blocks: int) -> list[str]:
    """Return what whoever restored must know."""
    kept = (
        f"What was there is kept as {restored.replaced}."
        if restored.replaced
        else "Nothing was there before."
    )
    return [
        f"{settings.database}: restored, {restored.report.transactions} postings, audited. {kept}",
        (
            "Deposits since the backup come back from the chain by themselves. Transfers and other acts in the chat "
            "since then are lost: Telegram does not send again what the bot had confirmed. News that waited at the "
            "time of the backup may be told twice."
        ),
        (
            f"Nothing is signed, cancelled or asked for until {quiet_blocks} blocks after now are read. Payments found "
            "on the way that these books do not know are borne by SYSTEM_RESERVE; `moneta attribute` lists them."
        ),
    ]


def audit_lines(report: AuditReport, settings: Books) -> list[str]:
    """Return what an audit found, for people."""
    assets = AssetsByDenom(settings.assets)

    def shown(amount: int, denom: str) -> str:
        return format_amount(amount, assets[Denom(denom)])

    return [
        f"{settings.database}: {report.transactions} postings in {report.entries} entries, {report.accounts} balances.",
        f"Hash chain: {report.links} links, the newest is {report.head.hex()}.",
        *[f"All balances together: {shown(total, denom)}." for denom, total in sorted(report.totals.items())],
        *[f"Waiting to leave: {shown(held, denom)}." for denom, held in sorted(report.held.items())],
        *[f"PROBLEM: {problem}" for problem in report.problems],
        "The books explain every balance." if report.clean else f"{len(report.problems)} problems found.",
    ]
