"""What the operator does at the console beside running the bot: say whose a lost payment was, read what a restore means."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.settings import Books
from ledger.accounts import AccountId
from ledger.attributions import UnknownPayment, acceptance_unit, attribution_unit, unknown_payments
from ledger.backup import Restored
from ledger.journal import Lane
from ledger.money import Amount, Asset, format_amount
from ledger.ports import BlockingRunner, Clock
from ledger.service import LedgerService

CONSOLE: Final = AccountId(0)
"""Who acts at the console: nobody of the chat. The reason given says who and why."""


class Explanation(NamedTuple):
    """What the operator says of an unknown payment; ``account`` None accepts it, ``amount`` None is all of it."""

    payment: int
    account: AccountId | None
    amount: Amount | None
    reason: str


async def explain(
    settings: Books, explanation: Explanation | None, clock: Clock, blocking: BlockingRunner
) -> list[str]:
    """Write ``explanation`` down, if there is one, and return what is unexplained afterwards, for people.

    The bot may run meanwhile. Raises Refused with what is wrong, and what `LedgerService.open` raises.
    """
    service = await LedgerService.open(
        settings.database, clock=clock, blocking=blocking, assets=settings.assets
    )
    try:
        if explanation is not None:
            await _write(service, explanation)
        return payment_lines(unknown_payments(service.reader), settings.assets)
    finally:
        await service.close()


async def _write(service: LedgerService, explanation: Explanation) -> None:
    payment, account, amount, reason = explanation
    if account is None:
        await service.journal.submit(acceptance_unit(CONSOLE, payment, reason), Lane.SYSTEM)
        return
    remaining = {each.id: each.remaining for each in unknown_payments(service.reader)}
    key = f"attr:{payment}:{remaining.get(payment, 0)}"
    unit = attribution_unit(key, CONSOLE, payment, account=account, amount=amount, reason=reason)
    await service.journal.submit(unit, Lane.SYSTEM)


def payment_lines(payments: Sequence[UnknownPayment], assets: Sequence[Asset]) -> list[str]:
    """Return the payments that nobody has explained, for people."""
    known = {asset.denom: asset for asset in assets}
    if not payments:
        return ["No payment is unexplained."]
    return [_line(each, known.get(each.denom, Asset(each.denom, each.denom, 0))) for each in payments]


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
