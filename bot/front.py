"""The bot's side that faces Telegram, assembled: what comes in, what answers, what goes out, as loops."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import structlog

from bot.context import Bank
from bot.delivery import Delivery
from bot.dispatch import Dispatch, Toast
from bot.fetch import POLL_SECONDS, Fetch
from bot.lanes import WORKERS, Lanes
from bot.notifier import Notifier
from bot.outbox import Desk
from bot.outgoing import Speech
from bot.pacing import Pacer
from bot.registry import Registry
from bot.rights import Rights
from bot.rules.court import Court
from bot.rules.judge import Judge
from bot.rules.strikes import STRUCK, Strikes
from bot.statement import Statements
from bot.supervisor import Loop
from bot.taps import TapAnswers
from bot.ticker import Ticker
from bot.transport import Telegram, read_update
from chain.tenure import Tenure
from ledger.errors import LedgerError
from ledger.ports import Clock
from ledger.rights import RIGHTS
from ledger.service import LedgerService

CARRIERS: Final = 8
"""Messages on their way at once: a slow one keeps seven others from nothing."""
TAP_ANSWERERS: Final = 4

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Front:
    """The parts that the process starts and stops."""

    fetch: Fetch
    lanes: Lanes
    notifier: Notifier
    taps: TapAnswers
    ticker: Ticker

    def loops(self) -> list[tuple[str, Loop]]:
        """Return every loop with its name."""
        return [
            ("fetch", self.fetch),
            ("ticker", self.ticker),
            *[(f"lane-{number}", self.lanes) for number in range(WORKERS)],
            *[(f"carrier-{number}", self.notifier) for number in range(CARRIERS)],
            *[(f"tap-{number}", self.taps) for number in range(TAP_ANSWERERS)],
        ]


def assemble(
    telegram: Telegram,
    bank: Bank,
    registry: Registry,
    speech: Speech,
    *,
    clock: Clock,
    random: Random,
    polling: Tenure,
    telling: Tenure,
    ticking: Tenure,
    operators: tuple[int, ...],
    ephemeral: bool = False,
    poll_seconds: int = POLL_SECONDS,
) -> Front:
    """Wire the front of ``bank``.

    ``polling``, ``telling`` and ``ticking`` are of the roles poller, notifier and ticker; ``operators`` are the chats that
    alerts go to.
    """
    service = bank.service
    desk = Desk(service.reader, clock, Pacer())
    delivery = Delivery(
        telegram,
        bank,
        speech,
        desk.pacer,
        clock,
        random,
        operators,
        Statements(service.long_reads, bank.names, bank.assets),
        ephemeral,
        registry.cards,
        {
            STRUCK: Strikes(telegram, service.reader, clock, bank.me.id),
            RIGHTS: Rights(telegram, service.reader, bank.names, clock),
        },
    )
    notifier = Notifier(delivery, desk, service, clock, telling)
    taps = TapAnswers(telegram, speech.toast)

    def toast(answer: Toast) -> None:
        taps.add(answer.query, answer.say, answer.facts)

    dispatch = Dispatch(
        bank,
        registry,
        clock,
        read=read_update,
        new_question=lambda: f"{random.getrandbits(96):024x}",
        toast=toast,
        committed=notifier.wake,
        judged=Court(bank),
    )

    async def alarm(code: str, inbox: int) -> None:
        await alert(service, code, {"inbox": inbox})

    lanes = Lanes(dispatch, random, alarm)
    fetch = Fetch(
        telegram,
        service,
        lanes,
        bank.me,
        read=read_update,
        tenure=polling,
        toast=toast,
        judge=Judge(service.reader, bank.owners),
        poll_seconds=poll_seconds,
    )
    ticker = Ticker(service.timed, service.journal, ticking, clock, notifier.wake)
    return Front(fetch, lanes, notifier, taps, ticker)


async def alert(service: LedgerService, code: str, facts: Mapping[str, Any]) -> None:
    """Tell the operators; when even that cannot be written, the log is what is left."""
    try:
        await service.alerts.tell(code, facts)
    except LedgerError:
        log.exception("alert.unwritten", alert=code)
