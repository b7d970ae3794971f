"""Items of the inbox that break rules, decided one by one: who is free by Telegram's own word, then the books."""

from typing import Final

import structlog

from bot import inbox
from bot.context import Bank
from bot.html import clean_name
from bot.inbox import Item
from bot.intents import Said
from bot.rules.model import Penalty
from bot.rules.verdict import Offence, decide_verdict
from bot.transport import Moved, Offline, Rejected, SecondPoller, Throttled, Unreachable
from ledger.errors import Unavailable
from ledger.units import Decision, Row, Unit, View

FREE: Final = "rules_exempt"
"""The code of an item whose sender leads the group, or of whom that cannot be told any more."""

log = structlog.get_logger()


class Court:
    """Decides what becomes of messages that break rules."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def __call__(self, item: Item) -> None:
        """Decide ``item`` in one unit.

        Raises Unavailable when Telegram does not say now whether the sender leads the group: nobody is punished before.
        AnsweredElsewhere: another process decided it.
        """
        said = item.intent.deed
        assert isinstance(said, Said), "only messages are judged"
        free = await self._leads(said)

        def decide(view: View) -> Decision[Penalty | None]:
            inbox.require_new(view, item)
            if free:
                return Decision(None, rows=(inbox.close(item, FREE, view.now),))
            decided = decide_verdict(view, self._offence(said), item.broken, self._bank.owners)
            rows: tuple[Row, ...] = (*decided.rows, inbox.close(item, None, view.now))
            return decided._replace(rows=rows)

        penalty = await self._bank.service.journal.submit(Unit(decide))
        log.info("message.judged", inbox=item.id, chat=said.chat.id, penalty=penalty, free=free)

    async def _leads(self, said: Said) -> bool:
        if said.sender is None:
            return False
        try:
            return (await self._bank.groups.standing(said.chat.id, said.sender.id)).leads
        except (Offline, Throttled, SecondPoller) as error:
            raise Unavailable(f"Telegram does not say who leads {said.chat.id}: {error}") from error
        except (Rejected, Unreachable, Moved):
            # The bot is out of that group: whatever the person is there, nothing can be done to them.
            return True

    def _offence(self, said: Said) -> Offence:
        name = clean_name(said.sender.name) if said.sender else clean_name("")
        told = {"who": name, "where": clean_name(said.chat.title, "the group")}
        return Offence(said.chat.id, said.message, said.sender.id if said.sender else 0, said.at, told)
