"""The one path of everything that people ask: who, role, scope, key, act, refusal, answer, log.

A command decides nothing about these. Whatever comes out (an act of the books, words, a refusal) is committed in one
unit with the end of its inbox row, the button that was pressed and the reply: so it happens once, and is told.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import structlog

from bot import buttons, inbox, replies
from bot.buttons import Button
from bot.chats import member_changed_rows, migrated_rows
from bot.context import Bank, Context
from bot.inbox import AnsweredElsewhere, Item
from bot.intents import Called, Chat, ChatKind, Intent, MemberChanged, Migrated, Person, Said, Tapped, called
from bot.registry import Act, Command, Registry
from bot.replies import Reply
from bot.results import Answer, Choice, Effect, Result
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.outbox import OPERATORS
from ledger.pauses import require_running
from ledger.ports import Clock
from ledger.roles import Actor, Role, require_role, role_of
from ledger.units import Decision, Row, Unit, View

OLD_MS: Final = 3 * 60 * 1000
"""A command older than this may ask before it acts: its sender may have given up on it (telegram.md)."""
BUTTON_USED: Final = "button_used"
AGAIN: Final = "command.again"
DISMISS: Final = "command.dismiss"

# Refusals that tell nothing about anybody's money. All others stay out of groups: deny by default.
_OPEN_CODES: Final = (
    "amount_",
    "recipient_",
    "address_",
    "command_",
    "note_",
    "role_",
    "reason_",
    "giveaway_",
    "rules_",
    "penalty_",
    "jail_",
    "duration_",
    "price_",
    "same_account",
    "not_a_user",
)

REDELIVER: Final = """
UPDATE outbox SET state = 'pending', attempts = 0, due_at = :at
WHERE state = 'undeliverable' AND recipient IN (:sender, :operators) AND subject IS NULL
"""

log = structlog.get_logger()


class Toast(NamedTuple):
    """What a tap is answered with over the chat; ``say`` empty: nothing but the end of the waiting mark."""

    query: str
    say: str = ""
    facts: Mapping[str, Any] = {}


class _Call(NamedTuple):
    """A command or a button's action, understood and allowed to nobody yet."""

    command: Command | None
    act: Act
    context: Context
    needs: Role = Role.MEMBER
    asks_first: bool = False
    lasting: bool = False
    """It was pressed below a message that goes on telling something."""
    typed: bool = False
    rests: bool = False
    """A pause of money commands stops it."""


@dataclass(frozen=True, slots=True)
class _Slip:
    """What has to be written whatever comes out of one item."""

    item: Item
    place: Reply | None
    question: str
    actor: Actor
    needs: Role = Role.MEMBER
    """What it takes to do this, when it commits."""
    rests: bool = False
    """A pause of money commands stops this, also one that came meanwhile."""
    button: Button | None = None
    lasting: bool = False
    """The message with the button goes on telling something, whatever becomes of the tap."""
    silent: bool = False
    """A refusal of the tap itself: told over the chat, not in it."""

    def rows(self, view: View, outcome: Answer | Refused | None) -> list[Row]:
        """Return the rows of ``outcome``.

        Raises, and thereby undoes the whole unit, AnsweredElsewhere when another process was faster, and Refused
        ``button_used`` when another tap was, ``role_too_low`` when the role was lost, or ``command_paused``: what was
        looked at before the writer's turn may have changed.
        """
        if not inbox.is_new(view, self.item):
            raise AnsweredElsewhere(f"inbox {self.item.id}")
        question = self._closes
        if question is not None and not buttons.is_open(view, question):
            raise Refused(BUTTON_USED)
        code = outcome.code if isinstance(outcome, Refused) else None
        if code is None:
            require_role(view, self.actor, self.needs)
            if self.rests:
                require_running(view)
        rows = [inbox.close(self.item, code, view.now)]
        if question is not None and not self._is_toast(outcome):
            rows.append(buttons.close(question))
        answer = _told(outcome, self.item.id) if isinstance(outcome, Refused) else outcome
        if answer is None or self.place is None or self._is_toast(outcome):
            return rows
        recipient = self.item.sender
        name = answer.question or self.question
        rows += buttons.open_rows(answer.choices, recipient, name, view.now)
        reply = replies.fill(self.place, answer, name, self.item.id)
        return [*rows, reply.row(recipient, view.now), *self._reached(view)]

    @property
    def _closes(self) -> Button | None:
        """The button whose question this answers; one for everyone stays open."""
        owned = self.button is not None and self.button.owner is not None
        return self.button if owned and not self.silent else None

    def _is_toast(self, outcome: Answer | Refused | None) -> bool:
        """Tell whether ``outcome`` is told over the chat alone: a refusal must not wipe what is shown to all, or for long."""
        shared = self.button is not None and self.button.owner is None
        if isinstance(outcome, Answer):
            return outcome.silent
        return self.silent or ((shared or self.lasting) and isinstance(outcome, Refused))

    def _reached(self, view: View) -> list[Row]:
        """Whoever writes to the bot can be written to: what could not be delivered goes out now."""
        if self.place is None or self.place.group:
            return []
        sender = self.item.sender
        # Alerts that reached nobody go out when an owner writes.
        operators = OPERATORS if self.actor.owner else sender
        return [Row(REDELIVER, {"at": view.now, "sender": sender, "operators": operators})]


def _told(refusal: Refused, reference: int) -> Answer:
    private = not refusal.code.startswith(_OPEN_CODES)
    return Answer(f"refused.{refusal.code}", {**refusal.facts, "reference": reference}, private=private)


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
        self._registry = registry
        self._clock = clock
        self._read = read
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
            call = self._called(item, said, old_asks=True)
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
            call = self._pressed(button, tapped) if button else None
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

    async def _press(self, slip: _Slip, call: _Call | None) -> tuple[str, Mapping[str, Any]]:
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

    def _slip(self, item: Item, place: Reply | None) -> _Slip:
        actor = Actor(AccountId(item.sender), owner=item.sender in self._bank.owners)
        return _Slip(item, place, self._new_question(), actor)

    # Who, role, scope, key

    def _called(self, item: Item, said: Said, *, old_asks: bool) -> _Call | None:
        """Return what ``said`` asks for, None when it asks for nothing; raises Refused."""
        if said.sender is None or not said.sender.can_own or said.forwarded or said.via_bot:
            return None
        typed = called(said)
        if said.edited:
            self._edited(typed)
            return None
        typed = typed or self._heard(said)
        if typed is None:
            self._talk(said.chat)
            return None
        command = self._registry.named(typed.name)
        if command is None:
            self._unknown(typed, said.chat)
            return None
        context = self._context(said.sender, said.chat, item.key)
        context = replace(
            context,
            args=typed.args,
            entities=typed.entities,
            reply=said.reply,
            ephemeral=said.ephemeral is not None,
        )
        context = replace(context, arguments={"inbox": item.id, "typed": typed.name})
        old = old_asks and command.waits_when_old and self._clock.now() - said.at > OLD_MS
        rests = command.rests(None, command.role)
        return _Call(command, command.act, context, command.role, asks_first=old, typed=True, rests=rests)

    def _heard(self, said: Said) -> Called | None:
        """Return the command that understands what was said in private without naming it."""
        command = self._registry.heard(said.text) if said.chat.private else None
        return Called(command.name, None, said.text, said.entities) if command else None

    def _talk(self, chat: Chat) -> None:
        """Talk is the group's own; in private somebody waits for an answer."""
        if chat.private:
            raise Refused("command_missing")

    def _edited(self, typed: Called | None) -> None:
        """Edited messages never act; whoever edited a command expects a word about it."""
        if typed is not None and self._registry.named(typed.name):
            raise Refused("command_edited", command=typed.name)

    def _unknown(self, typed: Called, chat: Chat) -> None:
        """In a group an unknown command is another bot's, unless it names this one."""
        if chat.private or typed.bot is not None:
            raise Refused("command_unknown", command=typed.name)

    def _pressed(self, button: Button, tapped: Tapped) -> _Call:
        chat = tapped.chat or Chat(tapped.sender.id, ChatKind.PRIVATE)
        context = self._context(tapped.sender, chat, button.key(tapped.sender.id))
        context = replace(context, arguments=button.arguments, ephemeral=tapped.ephemeral is not None)
        if button.action == AGAIN:
            return self._again(button, tapped)
        if button.action == DISMISS:
            return _Call(None, _dismissed, context)
        found = self._registry.action(button.action)
        if found is None:
            raise Refused("button_unknown")
        command, act = found
        needs = command.role_of(button.action)
        lasting = button.action in command.lasting
        rests = command.rests(button.action, needs)
        return _Call(command, act, context, needs, lasting=lasting, rests=rests)

    def _again(self, button: Button, tapped: Tapped) -> _Call:
        """Return the old command that its sender wants after all, under the key of its message.

        Where the question was asked apart from the group, nobody there sees the answer either.
        """
        item = inbox.find(self._bank.service.reader, self._read, int(button.arguments["inbox"]))
        deed = item.intent.deed if item else None
        if item is None or not isinstance(deed, Said) or deed.sender is None:
            raise Refused("button_unknown")
        call = self._called(item, deed, old_asks=False) if deed.sender.id == tapped.sender.id else None
        if call is None:
            raise Refused("button_unknown")
        apart = tapped.ephemeral is not None or tapped.chat is None or tapped.chat.id != deed.chat.id
        return call._replace(context=replace(call.context, ephemeral=call.context.ephemeral or apart))

    def _context(self, who: Person, chat: Chat, key: str) -> Context:
        if not who.can_own:
            raise Refused("command_not_for_bots")
        actor = Actor(AccountId(who.id), owner=who.id in self._bank.owners)
        role = role_of(self._bank.service.reader, actor)
        return Context(self._bank, who, role, chat, key, self._clock.now())

    # Act

    async def _run(self, call: _Call) -> Result:
        _allow(call)
        if call.typed:
            self._let_run(call)
        if call.asks_first and call.command is not None:
            return _ask(call.context, call.command)
        result = await call.act(call.context)
        if isinstance(result, Effect):
            # Before that a press moves nothing: turning a page or saying no goes on.
            self._let_run(call)
        return result

    def _let_run(self, call: _Call) -> None:
        if call.rests:
            require_running(self._bank.service.reader)

    async def _finish(self, slip: _Slip, result: Result) -> Answer | Refused | None:
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

    async def _commit(self, slip: _Slip, outcome: Answer | Refused | None) -> None:
        def decide(view: View) -> Decision[None]:
            return Decision(None, rows=tuple(slip.rows(view, outcome)))

        await self._bank.service.journal.submit(Unit(decide))
        self._settled(slip, outcome)

    def _settled(self, slip: _Slip, outcome: Answer | Refused | None) -> None:
        code = outcome.code if isinstance(outcome, Refused) else None
        log.info("command.answered", inbox=slip.item.id, sender=slip.item.sender, code=code)
        self._committed()


def _needing(slip: _Slip, call: _Call | None, result: Result) -> _Slip:
    """Return ``slip`` for an act that takes the role of its command, of its button or its own, whichever is highest.

    What moves nothing does not rest at its commit: a word was asked for, and is given.
    """
    if not isinstance(result, Effect) or call is None:
        return replace(slip, needs=call.needs if call else Role.MEMBER)
    return replace(slip, needs=max(result.needs, call.needs), rests=call.rests)


def _allow(call: _Call) -> None:
    """Check role and scope, at the moment of the act (telegram.md, Who is who)."""
    if call.command is None:
        return
    if call.context.role < call.needs:
        raise Refused("role_too_low", needed=call.needs.word)
    if not call.command.fits(call.context.chat):
        raise Refused("command_elsewhere", command=call.command.name, private=call.command.in_private)


def _ask(context: Context, command: Command) -> Answer:
    """Return the question whether an old command is still meant."""
    facts = {"command": command.name, "typed": f"/{command.name} {context.args}".rstrip()}
    inbox_id = {"inbox": context.arguments["inbox"]}
    return Answer("command.old", facts, choices=(Choice(AGAIN, inbox_id), Choice(DISMISS)), private=True)


async def _dismissed(_context: Context) -> Answer:
    return Answer("command.dismissed")
