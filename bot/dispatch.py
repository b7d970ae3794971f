"""The one path of everything that people ask: who, role, scope, key, act, refusal, answer, log.

A command decides nothing about these. Whatever comes out (an act of the books, words, a refusal) is committed in one
unit with the end of its inbox row, the button that was pressed and the reply: so it happens once, and is told.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import structlog

from bot import buttons, inbox, replies
from bot.calls import Call, Calls, allow, ask
from bot.chats import member_changed_rows, migrated_rows
from bot.context import Bank
from bot.inbox import AnsweredElsewhere, Item
from bot.intents import Intent, MemberChanged, Migrated, Said, Tapped
from bot.registry import Registry
from bot.replies import Reply
from bot.results import Answer, Effect, Result
from bot.slips import BUTTON_USED, Slip
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.pauses import require_running
from ledger.ports import Clock
from ledger.roles import Actor, Role
from ledger.units import Decision, Row, Unit, View

log = structlog.get_logger()


class Toast(NamedTuple):
    """What a tap is answered with over the chat; ``say`` empty: nothing but the end of the waiting mark."""

    query: str
    say: str = ""
    facts: Mapping[str, Any] = {}


class Dispatch:
    """Answers items. ``toast`` is called once for each tap, ``committed`` after each unit (to wake the notifier).

    ``judged`` decides what becomes of a message that breaks a rule of its chat.
    """

    def __init__(
        self,
        bank: Bank,
        registry: Registry,
        clock: Clock,
        *,
        read: Callable[[Mapping[str, Any]], Intent],
        new_question: Callable[[], str],
        toast: Callable[[Toast], None],
        committed: Callable[[], None],
        judged: Callable[[Item], Awaitable[None]],
    ) -> None:
        self._bank = bank
        self._calls = Calls(bank, registry, clock, read)
        self._clock = clock
        self._new_question = new_question
        self._toast = toast
        self._committed = committed
        self._judged = judged

    async def __call__(self, item: Item) -> None:
        """Answer ``item``: one unit, and once for ever.

        Raises what the journal raises: Unavailable may be tried again with the same item, Conflict is a bug.
        """
        if not inbox.is_new(self._bank.service.reader, item):
            return
        try:
            await self._by_deed(item)
        except AnsweredElsewhere:
            self._left(item)

    def _left(self, item: Item) -> None:
        """Leave ``item`` to the process that answered it; whether that one still lived to end a mark is unknown."""
        log.warning("command.answered_elsewhere", inbox=item.id)
        if isinstance(item.intent.deed, Tapped):
            self._toast(Toast(item.intent.deed.query))

    async def _by_deed(self, item: Item) -> None:
        if item.broken:
            await self._judged(item)
            self._committed()
            return
        match item.intent.deed:
            case Said() as said:
                await self._said(item, said)
            case Tapped() as tapped:
                await self._tapped(item, tapped)
            case Migrated() | MemberChanged() as changed:
                await self._group_changed(item, changed)
            case _:
                await self._commit(self._slip(item, None), None)

    async def broken(self, item: Item) -> None:
        """End ``item`` whose answer failed by a mistake of ours: its sender is told, nothing is tried again."""
        deed = item.intent.deed
        # Told below a button that was pressed, whose message may go on telling something.
        place = None
        if isinstance(deed, Said | Tapped) and not item.broken:
            place = replace(replies.place(deed), edit=None)
        try:
            await self._commit(self._slip(item, place), Refused("internal_error"))
        except AnsweredElsewhere:
            self._left(item)
            return
        if isinstance(deed, Tapped):
            self._toast(Toast(deed.query, "refused.internal_error"))

    async def _said(self, item: Item, said: Said) -> None:
        slip = self._slip(item, replies.place(said))
        try:
            call = self._calls.said(item, said, old_asks=True)
            result = await self._run(call) if call else None
        except Refused as refusal:
            await self._commit(slip, refusal)
        else:
            await self._finish(_needing(slip, call, result), result)

    async def _tapped(self, item: Item, tapped: Tapped) -> None:
        slip = self._slip(item, replies.place(tapped))
        button = buttons.find(self._bank.service.reader, tapped.token)
        try:
            buttons.pressed_by(button, tapped.sender.id, self._clock.now())
            call = self._calls.pressed(button, tapped) if button else None
        except Refused as refusal:
            await self._commit(replace(slip, silent=True), refusal)
            self._toast(Toast(tapped.query, f"refused.{refusal.code}", refusal.facts))
            return
        slip = replace(slip, button=button, lasting=call is not None and call.lasting)
        try:
            told = await self._press(slip, call)
        except Refused as refusal:
            # Another tap of the same question was faster; this one changed nothing.
            await self._commit(replace(slip, silent=True), refusal)
            told = (f"refused.{refusal.code}", refusal.facts)
        self._toast(Toast(tapped.query, *told))

    async def _press(self, slip: Slip, call: Call | None) -> tuple[str, Mapping[str, Any]]:
        """Do what the button asks; return the toast."""
        try:
            result = await self._run(call) if call else None
        except Refused as refusal:
            await self._commit(slip, refusal)
            return f"refused.{refusal.code}", refusal.facts
        outcome = await self._finish(_needing(slip, call, result), result)
        if isinstance(outcome, Refused):
            return f"refused.{outcome.code}", outcome.facts
        return (outcome.toast or "", outcome.facts) if outcome else ("", {})

    async def _group_changed(self, item: Item, changed: Migrated | MemberChanged) -> None:
        def decide(view: View) -> Decision[None]:
            if isinstance(changed, Migrated):
                rows = migrated_rows(view, self._bank, changed)
            else:
                rows = member_changed_rows(view, changed, self._bank.me.id)
            return Decision(None, rows=(*rows, inbox.close(item, None, view.now)))

        await self._bank.service.journal.submit(Unit(decide))
        self._committed()

    def _slip(self, item: Item, place: Reply | None) -> Slip:
        actor = Actor(AccountId(item.sender), owner=item.sender in self._bank.owners)
        return Slip(item, place, self._new_question(), actor)

    async def _run(self, call: Call) -> Result:
        allow(call)
        if call.typed:
            self._let_run(call)
        if call.asks_first and call.command is not None:
            return ask(call.context, call.command)
        result = await call.act(call.context)
        if isinstance(result, Effect):
            # Before that a press moves nothing: turning a page or saying no goes on.
            self._let_run(call)
        return result

    def _let_run(self, call: Call) -> None:
        if call.rests:
            require_running(self._bank.service.reader)

    async def _finish(self, slip: Slip, result: Result) -> Answer | Refused | None:
        """Commit ``result`` with its rows; return what was told."""
        if not isinstance(result, Effect):
            await self._commit(slip, result)
            return result
        # A batch that failed is decided again: the last answer is the one that stands.
        told: list[Answer | Refused] = []

        def beside(view: View, outcome: Any) -> list[Row]:
            told.clear()
            answer = outcome if isinstance(outcome, Refused) else result.answer(outcome)
            rows = slip.rows(view, answer)
            told.append(answer)
            return rows

        try:
            await result.perform(beside)
        except Refused as refusal:
            if refusal.code == BUTTON_USED:
                raise
            if not told:
                # Refused before the journal was asked: nothing was written yet.
                await self._commit(slip, refusal)
            else:
                self._settled(slip, refusal)
            return refusal
        self._settled(slip, None)
        return told[-1]

    async def _commit(self, slip: Slip, outcome: Answer | Refused | None) -> None:
        def decide(view: View) -> Decision[None]:
            return Decision(None, rows=tuple(slip.rows(view, outcome)))

        await self._bank.service.journal.submit(Unit(decide))
        self._settled(slip, outcome)

    def _settled(self, slip: Slip, outcome: Answer | Refused | None) -> None:
        code = outcome.code if isinstance(outcome, Refused) else None
        log.info("command.answered", inbox=slip.item.id, sender=slip.item.sender, code=code)
        self._committed()


def _needing(slip: Slip, call: Call | None, result: Result) -> Slip:
    """Return ``slip`` for an act that takes the role of its command, of its button or its own, whichever is highest.

    What moves nothing does not rest at its commit: a word was asked for, and is given.
    """
    if not isinstance(result, Effect) or call is None:
        return replace(slip, needs=call.needs if call else Role.MEMBER)
    return replace(slip, needs=max(result.needs, call.needs), rests=call.rests)
