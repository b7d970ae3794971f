"""Telegram's rights follow the books: whoever is in jail says nothing there, everybody else what the chat allows.

Each round looks, changes what differs, and looks again: only Telegram's own word that it holds ends it.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bot.delivery import Verdict, retry_ms
from bot.names import NameBook
from bot.outbox import Pending
from bot.transport import (
    BadToken,
    Membership,
    Moved,
    Offline,
    SecondPoller,
    Telegram,
    Throttled,
    TransportError,
)
from ledger.accounts import AccountId
from ledger.alerts import alert
from ledger.jails import Jail, jail_of, newest_jail
from ledger.ports import Clock, Selects
from ledger.rights import told_row
from ledger.units import Row

SHORTEST_SECONDS: Final = 60
"""Telegram takes less than 30 seconds for "never ends". The end in the books lifts it before."""
RESTRICTED: Final = "restricted"


class Wanted(NamedTuple):
    """What the books say: silent until then (Unix time), or (None) free."""

    until_seconds: int | None

    def holds(self, found: Membership) -> bool:
        """Tell whether ``found`` is what is wanted; whoever is not there says nothing."""
        if self.until_seconds is None:
            return found.status != RESTRICTED or found.may_speak
        if found.status == RESTRICTED:
            ends_in_time = found.until_seconds == 0 or found.until_seconds >= self.until_seconds
            return not found.may_speak and ends_in_time
        return not found.may_speak


@dataclass(frozen=True, slots=True)
class Rights:
    """Brings Telegram to what the books say of one person in one chat: a deed of the notifier."""

    telegram: Telegram
    reader: Selects
    names: NameBook
    clock: Clock

    async def __call__(self, pending: Pending) -> Verdict:
        """Change what differs; a refusal is told to the operators once. Raises Throttled, Offline and BadToken: later."""
        chat, person = int(pending.facts["chat"]), int(pending.facts["person"])
        wait_ms = retry_ms(pending.attempts)
        try:
            agreed = await self.agree(chat, person)
        except (Throttled, Offline, SecondPoller, BadToken):
            raise
        except TransportError as error:
            rows = () if pending.facts.get("told") else self._alarm(pending, str(error))
            return Verdict("pending", why=str(error), wait_ms=wait_ms, rows=rows)
        return Verdict("sent") if agreed else Verdict("pending", why="not as the books say", wait_ms=wait_ms)

    def _alarm(self, pending: Pending, why: str) -> tuple[Row, ...]:
        """Return the rows that tell the operators how the books stand, and that they were told."""
        stated = self._stated(int(pending.facts["chat"]), int(pending.facts["person"]))
        told = told_row(pending.id, pending.revision)
        return told, alert("rights.refused", {**stated, "why": why}, self.clock.now())

    async def agree(self, chat: int, person: int) -> bool:
        """Return whether Telegram agrees with the books now, after changing what did not; a group that moved is followed.

        Raises what `bot.transport.Telegram` raises.
        """
        try:
            return await self._agree(chat, chat, person)
        except Moved as moved:
            return await self._agree(moved.chat, chat, person)

    async def _agree(self, there: int, chat: int, person: int) -> bool:
        wanted = self._wanted(there, person) or self._wanted(chat, person) or Wanted(None)
        if wanted.holds(await self.telegram.membership(there, person)):
            return True
        if wanted.until_seconds is None:
            await self.telegram.let_speak(there, person)
        else:
            soonest = self.clock.now() // 1000 + SHORTEST_SECONDS
            await self.telegram.silence(there, person, max(wanted.until_seconds, soonest))
        return wanted.holds(await self.telegram.membership(there, person))

    def _wanted(self, chat: int, person: int) -> Wanted | None:
        jail = jail_of(self.reader, chat, AccountId(person))
        if jail is None or jail.until_at <= self.clock.now():
            return None
        return Wanted(-(-jail.until_at // 1000))

    def _stated(self, chat: int, person: int) -> dict[str, Any]:
        """Return what operators must know of a person whose rights cannot be changed: the money is settled as it says."""
        jail = newest_jail(self.reader, chat, AccountId(person))
        facts = {"chat": chat, "person": person, "name": self.names.shown(person)}
        return facts | (_books(jail) if jail else {})


def _books(jail: Jail) -> dict[str, Any]:
    wanted = "to be silent" if jail.state == "serving" else "to be free"
    return {"jail": jail.id, "books": jail.state, "wanted": wanted, "bail": jail.bail, "denom": jail.denom}
