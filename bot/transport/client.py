"""One bot account over the library's client: updates raw, messages out, errors translated."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import httpx
import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberRestricted,
    ChatPermissions,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.error import BadRequest, EndPointNotFound, TelegramError
from telegram.request import HTTPXRequest

from bot.context import Me
from bot.groups import Sight, Standing
from bot.intents import Unreadable
from bot.outgoing import Address, Copy, Key, Keyboard, Link, Message, Press, plain
from bot.transport.errors import CannotParse, MessageGone, ShownToAll, TransportError, Unchanged, translated

# The library's switch for durations as such; its older form warns at every refusal.
os.environ["PTB_TIMEDELTA"] = "true"

CALL_TIMEOUT_SECONDS: Final = 10.0
POLL_MARGIN_SECONDS: Final = 10.0
"""How much longer than the long poll itself the reading of its answer may take."""
BATCH_LIMIT: Final = 100
TOAST_LIMIT: Final = 200
WANTED: Final = ("message", "edited_message", "callback_query", "my_chat_member", "chat_member")

_NOBODY: Final = "participant_id_invalid"
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)

log = structlog.get_logger()


class Sent(NamedTuple):
    """Where a message went. ``message`` is 0 for an ephemeral one, which then has ``ephemeral``."""

    chat: int
    message: int
    photo: bool = False
    ephemeral: int | None = None


class Membership(NamedTuple):
    """What somebody is in a group and may do there, as Telegram has it."""

    status: str
    """Telegram's word: creator, administrator, member, restricted, left or kicked."""
    present: bool
    may_speak: bool
    until_seconds: int = 0
    """When a restriction ends by itself, Unix time; 0: never."""


class _RawBot(Bot):
    """The library's bot, with the answer of getUpdates left as it came, and without the token in its repr."""

    def __repr__(self) -> str:
        return "Bot()"

    async def raw_updates(self, offset: int | None, seconds: int) -> Any:
        wanted = {"timeout": seconds, "limit": BATCH_LIMIT, "allowed_updates": list(WANTED), "offset": offset}
        parameters = {name: value for name, value in wanted.items() if value is not None}
        return await self._post("getUpdates", parameters, read_timeout=seconds + POLL_MARGIN_SECONDS)


@dataclass
class Telegram:
    """One bot account. Call `open` first and `close` last; every call has a time-out.

    ``http`` replaces the network (tests, simulation). Every method may raise a `TransportError`.
    """

    token: str
    base_url: str = "https://api.telegram.org/bot"
    http: httpx.AsyncBaseTransport | None = None

    def __post_init__(self) -> None:
        self._bot = _RawBot(
            self.token,
            base_url=self.base_url,
            request=_request(self.http, connections=32),
            get_updates_request=_request(self.http, connections=1),
        )

    def __repr__(self) -> str:
        return f"Telegram({self.base_url})"

    async def open(self) -> Me:
        """Connect and return who the bot is."""
        try:
            await self._bot.initialize()
        except TelegramError as error:
            raise translated(error) from error
        return Me(self._bot.id, self._bot.username)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._bot.shutdown()

    async def updates(self, offset: int | None, seconds: int) -> list[Any]:
        """Return raw updates from ``offset`` on, waiting up to ``seconds`` for the first; this confirms all before it.

        Raises SecondPoller when another process polls, and Unreadable when the answer is no list.
        """
        try:
            batch = await self._bot.raw_updates(offset, seconds)
        except TelegramError as error:
            raise translated(error) from error
        if not isinstance(batch, list):
            raise Unreadable("getUpdates answered with something that is no list")
        return batch

    async def send(self, to: Address, message: Message) -> Sent:
        """Send ``message``; as plain text when Telegram refuses its markup: a receipt is never lost.

        Raises ShownToAll when the server ignored that one person alone was to see it.
        """
        try:
            return await self._send(to, message, "HTML")
        except CannotParse:
            return await self._send(to, message, None)

    async def _send(self, to: Address, message: Message, parse_mode: str | None) -> Sent:
        more: dict[str, Any] = {"parse_mode": parse_mode, "reply_markup": _markup(message.keyboard)}
        more |= _place(to)
        text = message.html if parse_mode else plain(message.html)
        try:
            if message.photo is not None:
                sent = await self._bot.send_photo(to.chat, message.photo, caption=text, **more)
            elif message.document is not None:
                name, content = message.document
                sent = await self._bot.send_document(
                    to.chat, content, filename=name, caption=text, disable_content_type_detection=True, **more
                )
            else:
                sent = await self._bot.send_message(to.chat, text, link_preview_options=_NO_PREVIEW, **more)
        except TelegramError as error:
            raise translated(error) from error
        ephemeral = sent.api_kwargs.get("ephemeral_message_id")
        if to.ephemeral_to is not None and ephemeral is None:
            await self._take_back(sent.chat.id, sent.message_id)
            raise ShownToAll("the server does not know how to show it to one person alone")
        return Sent(sent.chat.id, sent.message_id, message.photo is not None, ephemeral)

    async def _take_back(self, chat: int, message: int) -> None:
        """Delete what should not be seen; where that fails, whoever reads the log must do it."""
        try:
            await self.delete(chat, [message])
        except TransportError:
            log.exception("message.exposed", chat=chat, message=message)

    async def edit(self, at: Sent, message: Message) -> None:
        """Make the message ``at`` say ``message``; that it says so already is success. Raises MessageGone."""
        with suppress(Unchanged):
            try:
                await self._edit(at, message, "HTML")
            except CannotParse:
                await self._edit(at, message, None)

    async def _edit(self, at: Sent, message: Message, parse_mode: str | None) -> None:
        more: dict[str, Any] = {"parse_mode": parse_mode, "reply_markup": _markup(message.keyboard)}
        more |= {"chat_id": at.chat, "message_id": at.message}
        text = message.html if parse_mode else plain(message.html)
        try:
            if at.photo:
                await self._bot.edit_message_caption(caption=text, **more)
            else:
                await self._bot.edit_message_text(text, link_preview_options=_NO_PREVIEW, **more)
        except TelegramError as error:
            raise translated(error) from error

    async def delete(self, chat: int, messages: Sequence[int]) -> None:
        """Delete up to 100 ``messages`` of ``chat``; those that are gone already are success. Raises Rejected."""
        try:
            if len(messages) == 1:
                await self._bot.delete_message(chat, messages[0])
            else:
                await self._bot.delete_messages(chat, messages)
        except TelegramError as error:
            failed = translated(error)
            if not isinstance(failed, MessageGone):
                raise failed from error

    async def standing(self, chat: int, person: int) -> Standing:
        """Return the place of ``person`` in ``chat``."""
        member = await self._member(chat, person)
        if member is None:
            return Standing(leads=False)
        if isinstance(member, ChatMemberAdministrator):
            return Standing(leads=True, deletes=bool(member.can_delete_messages))
        owns = member.status == ChatMember.OWNER
        return Standing(leads=owns, deletes=owns)

    async def sight(self, chat: int) -> Sight:
        """Return what the bot can do in ``chat``: privacy mode hides talk from whoever is no administrator."""
        mine = await self.standing(chat, self._bot.id)
        try:
            me = await self._bot.get_me()
        except TelegramError as error:
            raise translated(error) from error
        return Sight(mine.leads or bool(me.can_read_all_group_messages), mine.deletes)

    async def answer_tap(self, query: str, text: str = "") -> None:
        """End the waiting mark of a pressed button, with ``text`` over the chat if there is any."""
        try:
            await self._bot.answer_callback_query(query, text[:TOAST_LIMIT] or None)
        except TelegramError as error:
            raise translated(error) from error

    async def membership(self, chat: int, person: int) -> Membership:
        """Return what ``person`` is in ``chat``; Unreachable or Rejected when Telegram does not say."""
        member = await self._member(chat, person)
        if member is None:
            return Membership(ChatMember.LEFT, present=False, may_speak=False)
        if isinstance(member, ChatMemberRestricted):
            until = int(member.until_date.timestamp())
            return Membership(member.status, bool(member.is_member), bool(member.can_send_messages), until)
        present = member.status not in (ChatMember.LEFT, ChatMember.BANNED)
        return Membership(member.status, present, may_speak=present)

    async def _member(self, chat: int, person: int) -> ChatMember | None:
        """Return what Telegram has of ``person`` in ``chat``; None: they were never seen there, or are gone for good."""
        try:
            return await self._bot.get_chat_member(chat, person)
        except TelegramError as error:
            if _NOBODY in str(error).lower():
                return None
            raise translated(error) from error

    async def silence(self, chat: int, person: int, until_seconds: int) -> None:
        """Let ``person`` write nothing in ``chat`` until then (Unix time)."""
        await self._permit(chat, person, ChatPermissions.no_permissions(), until_seconds)

    async def let_speak(self, chat: int, person: int) -> None:
        """Give ``person`` back whatever ``chat`` allows its members."""
        await self._permit(chat, person, ChatPermissions.all_permissions(), 0)

    async def _permit(self, chat: int, person: int, permissions: ChatPermissions, until_seconds: int) -> None:
        try:
            await self._bot.restrict_chat_member(chat, person, permissions, until_date=until_seconds or None)
        except TelegramError as error:
            raise translated(error) from error

    async def knows_ephemeral(self) -> bool:
        """Tell whether this server can show a message to one person alone; to be asked after `open`.

        One that cannot would ignore the parameter and show it to everybody, so it is asked before, with a call of that
        family which is wrong on purpose: a server that knows the method answers that it is wrong. It may still not know
        the parameter, which is younger: see `send`.
        """
        try:
            await self._bot.do_api_request("deleteEphemeralMessage", {"chat_id": 0})
        except EndPointNotFound:
            return False
        except BadRequest:
            return True
        except TelegramError as error:
            raise translated(error) from error
        return False

    async def set_menu(self, commands: Iterable[tuple[str, str]], *, private: bool) -> None:
        """Show ``commands`` (name, summary) in the menu of private chats, or of groups."""
        scope: BotCommandScope = (
            BotCommandScopeAllPrivateChats() if private else BotCommandScopeAllGroupChats()
        )
        try:
            await self._bot.set_my_commands([BotCommand(*command) for command in commands], scope=scope)
        except TelegramError as error:
            raise translated(error) from error


def _request(http: httpx.AsyncBaseTransport | None, *, connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        read_timeout=CALL_TIMEOUT_SECONDS,
        write_timeout=CALL_TIMEOUT_SECONDS,
        connect_timeout=CALL_TIMEOUT_SECONDS,
        pool_timeout=CALL_TIMEOUT_SECONDS,
        httpx_kwargs={"transport": http} if http else None,
    )


def _markup(keyboard: Keyboard) -> InlineKeyboardMarkup | None:
    return InlineKeyboardMarkup([[_button(key) for key in row] for row in keyboard]) if keyboard else None


def _button(key: Key) -> InlineKeyboardButton:
    match key:
        case Press():
            return InlineKeyboardButton(key.label, callback_data=key.token)
        case Link():
            return InlineKeyboardButton(key.label, url=key.url)
        case Copy():
            return InlineKeyboardButton(key.label, copy_text=CopyTextButton(key.text))


def _place(to: Address) -> dict[str, Any]:
    """Return the parameters that say where in a chat a message goes, and whether one person alone sees it."""
    place: dict[str, Any] = {}
    if to.thread is not None:
        place["message_thread_id"] = to.thread
    if to.ephemeral_to is not None:
        # Newer than the library: sent by name.
        place["api_kwargs"] = {"ephemeral_message_parameters": {"receiver_user_id": to.ephemeral_to}}
    elif to.reply_to:
        place["reply_parameters"] = ReplyParameters(to.reply_to, allow_sending_without_reply=True)
    return place
