"""The face of the ledger: opens the database, and hands out its books."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

from ledger.alerts import Alerts
from ledger.approvals import Approvals
from ledger.blocks import Blocks
from ledger.challenges import Challenges
from ledger.deadlines import Timed
from ledger.errors import Unavailable
from ledger.giveaways import Giveaways
from ledger.identity import Identity
from ledger.journal import Journal, Lane
from ledger.leases import Leases, nobody_is_dead
from ledger.migrate import migrate
from ledger.money import Asset
from ledger.payments import Payments
from ledger.penalties import Penalties
from ledger.pool import InlineReads, LongReads
from ledger.ports import BlockingRunner, Clock
from ledger.reader import Reader
from ledger.reserve import Reserve
from ledger.rights import RightsLook
from ledger.sharedbook import SharedAccounts
from ledger.store import Fault, Store, fault_of
from ledger.terms import Terms
from ledger.transfers import Transfers
from ledger.treasury import Treasury
from ledger.unclaimed import UnclaimedDeposits
from ledger.units import Decision, Row, Unit, View
from ledger.users import Users
from ledger.withdrawals import Withdrawals
from ledger.writer import Writer

_MIGRATION_ATTEMPTS: Final = 100
_MIGRATION_PAUSE_SECONDS: Final = 0.1

_LIST: Final = """
INSERT INTO assets (denom, symbol, decimals) VALUES (:denom, :symbol, :decimals)
ON CONFLICT (denom) DO UPDATE SET symbol = excluded.symbol, decimals = excluded.decimals
"""


class LedgerService:
    """Who owns what. Made by ``open``; its books share one journal and one reader.

    ``journal`` commits what other layers decide; ``reader`` shows, on the loop's own thread; ``long_reads`` is for what
    takes longer.
    """

    def __init__(
        self,
        journal: Journal,
        reader: Reader,
        long_reads: LongReads,
        *,
        assets: Sequence[Asset],
        terms: Sequence[Terms],
        is_dead: Callable[[str], bool],
    ) -> None:
        self.journal = journal
        self.reader = reader
        self.long_reads = long_reads
        self.users = Users(journal, reader)
        self.transfers = Transfers(journal)
        self.transfer_between_users = self.transfers.between_users
        self.withdrawals = Withdrawals(journal, reader, terms)
        self.approvals = Approvals(journal, reader)
        self.giveaways = Giveaways(journal, reader)
        self.reserve = Reserve(journal, reader)
        self.unclaimed = UnclaimedDeposits(journal, reader)
        self.shared = SharedAccounts(journal)
        self.challenges = Challenges(journal, reader)
        self.treasury = Treasury(journal)
        self.payments = Payments(journal, reader)
        self.penalties = Penalties(journal, reader)
        self.blocks = Blocks(journal, reader, assets)
        self.alerts = Alerts(journal)
        self.leases = Leases(journal, reader, is_dead)
        self.identity = Identity(journal)
        self.timed: tuple[Timed, ...] = (self.penalties, RightsLook(reader), self.giveaways)
        """Books some of whose rows end by themselves, when their time has come."""

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        blocking: BlockingRunner,
        assets: Sequence[Asset],
        terms: Sequence[Terms] = (),
        store: Callable[[Path], Store] = Store,
        is_dead: Callable[[str], bool] = nobody_is_dead,
        long_reads: Callable[[Path], LongReads] = InlineReads,
    ) -> "LedgerService":
        """Open the database at ``path``, made when absent, bring it to this schema and list ``assets``.

        ``store`` makes the journal's door to SQLite; tests plant faults there. ``is_dead`` is for the leases.
        ``long_reads`` makes the port of exports: production gives ReaderPool, which has threads.

        Raises:
            WrongDatabase: the file is from a newer program.
            Unavailable: another process holds it.
        """
        await _migrate(path, clock, blocking)
        journal = Journal(Writer(store(path), clock), blocking)
        try:
            await journal.submit(_listing(assets), Lane.SYSTEM)
            reader = Reader(path)
            long = long_reads(path)
            await long.open()
        except BaseException:
            await journal.close()
            raise
        return cls(journal, reader, long, assets=assets, terms=terms, is_dead=is_dead)

    async def close(self) -> None:
        """Commit what waits and close the database.

        What waits may look something up for its answer, so nothing is closed before it; the writer is closed last, for
        only it can fold the log into the file.
        """
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.journal.close)
            closing.push_async_callback(self.long_reads.close)
            closing.callback(self.reader.close)
            await self.journal.rest()


async def _migrate(path: Path, clock: Clock, blocking: BlockingRunner) -> None:
    for _ in range(_MIGRATION_ATTEMPTS):
        try:
            await blocking(partial(migrate, path, clock.now()))
        except sqlite3.OperationalError as error:
            if fault_of(error) is not Fault.LOCKED:
                raise
            await asyncio.sleep(_MIGRATION_PAUSE_SECONDS)
        else:
            return
    raise Unavailable("another process holds the database")


def _listing(assets: Sequence[Asset]) -> Unit[None]:
    rows = tuple(Row(_LIST, asset._asdict()) for asset in assets)

    def decide(_view: View) -> Decision[None]:
        return Decision(None, rows=rows)

    return Unit(decide)
