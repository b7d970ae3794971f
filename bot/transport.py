"""Telegram as the rest of the bot sees it; alone in knowing python-telegram-bot.

Updates are fetched raw, so one that does not parse stops nothing. Errors are told apart by what the caller does next:
in the library ``TimedOut`` and ``BadRequest`` are both ``NetworkError``, so they are translated once, here, in order.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

import httpx
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyParameters,
    Update,
    User,
)
from telegram import Chat as TelegramChat
from telegram import Message as TelegramMessage
from telegram import MessageEntity as TelegramEntity
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from bot.context import Me
from bot.intents import (
    Chat,
    ChatKind,
    Deed,
    Entity,
    Ignored,
    Intent,
    Migrated,
    Person,
    ReplyTarget,
    Said,
    Tapped,
    Unreadable,
)
from bot.outgoing import Address, Copy, Key, Keyboard, Link, Message, Press, plain
from ledger.ports import Millis

# The library's switch for durations as such; its older form warns at every refusal.
os.environ["PTB_TIMEDELTA"] = "true"

CALL_TIMEOUT_SECONDS: Final = 10.0
POLL_MARGIN_SECONDS: Final = 10.0
"""How much longer than the long poll itself the reading of its answer may take."""
BATCH_LIMIT: Final = 100
TOAST_LIMIT: Final = 200
WANTED: Final = ("message", "edited_message", "callback_query", "my_chat_member", "chat_member")


class TransportError(Exception):
    """Anything that may go wrong between the bot and Telegram; a subclass tells what to do."""


class Unreachable(TransportError):  # noqa: N818 - the field's word
    """This chat cannot be written to: blocked, never begun, kicked, gone."""


class Throttled(TransportError):  # noqa: N818
    """Wait ``seconds`` before this chat is written to again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


class Rejected(TransportError):  # noqa: N818
    """Telegram will never take this call as it is."""


class MessageGone(Rejected):
    """The message to edit was deleted or is too old."""


class Moved(TransportError):  # noqa: N818
    """The group became a supergroup with id ``chat``."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"moved to {chat}")
        self.chat = chat


class Offline(TransportError):  # noqa: N818
    """No answer came; the call may have been carried out."""


class SecondPoller(TransportError):  # noqa: N818
    """Somebody else polls with this token."""


class BadToken(TransportError):  # noqa: N818
    """Telegram does not know this token."""


class Sent(NamedTuple):
    """Where a message went. ``message`` is 0 for an ephemeral one, which then has ``ephemeral``."""

    chat: int
    message: int
    photo: bool = False
    ephemeral: int | None = None


class _RawBot(Bot):
    """The library's bot, with the answer of getUpdates left as it came."""

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
            raise _translated(error) from error
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
            raise _translated(error) from error
        if not isinstance(batch, list):
            raise Unreadable("getUpdates answered with something that is no list")
        return batch

    async def send(self, to: Address, message: Message) -> Sent:
        """Send ``message``; as plain text when Telegram refuses its markup: a receipt is never lost."""
        try:
            return await self._send(to, message, "HTML")
        except _CannotParse:
            return await self._send(to, message, None)

    async def _send(self, to: Address, message: Message, parse_mode: str | None) -> Sent:
        more: dict[str, Any] = {"parse_mode": parse_mode, "reply_markup": _markup(message.keyboard)}
        more |= _place(to)
        text = message.html if parse_mode else plain(message.html)
        try:
            if message.photo is not None:
                sent = await self._bot.send_photo(to.chat, message.photo, caption=text, **more)
            else:
                sent = await self._bot.send_message(to.chat, text, link_preview_options=_NO_PREVIEW, **more)
        except TelegramError as error:
            raise _translated(error) from error
        ephemeral = sent.api_kwargs.get("ephemeral_message_id")
        return Sent(sent.chat.id, sent.message_id, message.photo is not None, ephemeral)

    async def edit(self, at: Sent, message: Message) -> None:
        """Make the message ``at`` say ``message``; that it says so already is success. Raises MessageGone."""
        try:
            await self._edit(at, message, "HTML")
        except _CannotParse:
            await self._edit(at, message, None)
        except _Unchanged:
            return

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
            raise _translated(error) from error

    async def answer_tap(self, query: str, text: str = "") -> None:
        """End the waiting mark of a pressed button, with ``text`` over the chat if there is any."""
        try:
            await self._bot.answer_callback_query(query, text[:TOAST_LIMIT] or None)
        except TelegramError as error:
            raise _translated(error) from error

    async def knows_ephemeral(self) -> bool:
        """Tell whether this server can show a message to one person alone; to be asked after `open`.

        One that cannot would ignore the parameter and show it to everybody, so it is asked before, with a call of that
        family which is wrong on purpose: a server that knows the method answers that it is wrong.
        """
        try:
            await self._bot.do_api_request("deleteEphemeralMessage", {"chat_id": 0})
        except EndPointNotFound:
            return False
        except BadRequest:
            return True
        except TelegramError as error:
            raise _translated(error) from error
        return False

    async def set_menu(self, commands: Iterable[tuple[str, str]], *, private: bool) -> None:
        """Show ``commands`` (name, summary) in the menu of private chats, or of groups."""
        scope: BotCommandScope = (
            BotCommandScopeAllPrivateChats() if private else BotCommandScopeAllGroupChats()
        )
        try:
            await self._bot.set_my_commands([BotCommand(*command) for command in commands], scope=scope)
        except TelegramError as error:
            raise _translated(error) from error


class _CannotParse(Rejected):
    """Telegram does not accept the markup."""


class _Unchanged(Rejected):
    """The message says so already."""


_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
_SAYINGS: Final[Sequence[tuple[str, type[TransportError]]]] = (
    # BadRequest differs by its words alone; the first that is found tells.
    ("can't parse entities", _CannotParse),
    ("message is not modified", _Unchanged),
    ("message to edit not found", MessageGone),
    ("message can't be edited", MessageGone),
    ("message_id_invalid", MessageGone),
    ("chat not found", Unreachable),
    ("user not found", Unreachable),
    ("not enough rights", Unreachable),
)


def _request(http: httpx.AsyncBaseTransport | None, *, connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        read_timeout=CALL_TIMEOUT_SECONDS,
        write_timeout=CALL_TIMEOUT_SECONDS,
        connect_timeout=CALL_TIMEOUT_SECONDS,
        pool_timeout=CALL_TIMEOUT_SECONDS,
        httpx_kwargs={"transport": http} if http else None,
    )


def _throttled(error: Any) -> Throttled:
    wait: timedelta = error.retry_after
    return Throttled(wait.total_seconds())


def _rejected(error: Any) -> TransportError:
    words = str(error).lower()
    return next((kind for saying, kind in _SAYINGS if saying in words), Rejected)(str(error))


_TRANSLATIONS: Final[Sequence[tuple[type[TelegramError], Callable[[Any], TransportError]]]] = (
    # In this order: BadRequest is a NetworkError, and all are TelegramErrors.
    (RetryAfter, _throttled),
    (Forbidden, lambda error: Unreachable(str(error))),
    (ChatMigrated, lambda error: Moved(error.new_chat_id)),
    (Conflict, lambda error: SecondPoller(str(error))),
    (InvalidToken, lambda _: BadToken("Telegram does not know this token")),
    (BadRequest, _rejected),
    (NetworkError, lambda error: Offline(str(error))),
    (EndPointNotFound, _rejected),
    # An answer that is no JSON: the call may have been carried out.
    (TelegramError, lambda error: Offline(str(error))),
)


def _translated(error: TelegramError) -> TransportError:
    return next(word(error) for kind, word in _TRANSLATIONS if isinstance(error, kind))


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


def read_update(raw: Mapping[str, Any]) -> Intent:
    """Return what ``raw`` says; raises Unreadable for what cannot be understood.

    Ids beyond 64 bits are not Telegram's and would not fit the database either.
    """
    try:
        update = Update.de_json(dict(raw), None)
        intent = Intent(update.update_id, _deed(update), tuple(_people(update)))
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error
    if not _plausible(intent):
        raise Unreadable("an id is out of range")
    return intent


def _plausible(intent: Intent) -> bool:
    ids: list[Any] = [intent.update, *(person.id for person in intent.people)]
    match intent.deed:
        case Said() as said:
            ids += [said.message, said.chat.id, said.at]
        case Tapped() as tapped:
            ids += [tapped.message, tapped.sender.id]
    return all(isinstance(number, int) and abs(number) < 2**63 for number in ids)


def _deed(update: Update) -> Deed:
    if update.callback_query is not None:
        return _tapped(update)
    message = update.message or update.edited_message
    if message is None:
        return Ignored(next(iter(update.to_dict().keys() - {"update_id"}), "nothing"))
    if message.migrate_to_chat_id is not None:
        return Migrated(message.chat.id, message.migrate_to_chat_id)
    if message.text is None:
        return Ignored("message")
    return _said(message, edited=update.edited_message is not None)


def _said(message: TelegramMessage, *, edited: bool) -> Said:
    sender = _person(message.from_user) if message.from_user and not message.sender_chat else None
    return Said(
        chat=_chat(message.chat),
        message=message.message_id,
        sender=sender,
        text=message.text or "",
        at=Millis(
            int((message.edit_date if edited and message.edit_date else message.date).timestamp() * 1000)
        ),
        entities=tuple(_entity(entity) for entity in message.entities),
        reply=_reply(message.reply_to_message),
        thread=message.message_thread_id if message.is_topic_message else None,
        forwarded=message.forward_origin is not None,
        edited=edited,
        via_bot=message.via_bot is not None,
        ephemeral=message.api_kwargs.get("ephemeral_message_id"),
    )


def _tapped(update: Update) -> Tapped:
    query = update.callback_query
    if query is None:
        raise ValueError("no tap")
    message = query.message
    whole = message if isinstance(message, TelegramMessage) else None
    return Tapped(
        query=query.id,
        sender=_person(query.from_user),
        token=query.data or "",
        chat=_chat(message.chat) if message else None,
        message=message.message_id if message else 0,
        photo=bool(whole and whole.photo),
        thread=whole.message_thread_id if whole and whole.is_topic_message else None,
        ephemeral=whole.api_kwargs.get("ephemeral_message_id") if whole else None,
    )


def _reply(message: TelegramMessage | None) -> ReplyTarget | None:
    if message is None:
        return None
    sender = _person(message.from_user) if message.from_user and not message.sender_chat else None
    return ReplyTarget(message.message_id, sender, message.forum_topic_created is not None)


def _person(user: User) -> Person:
    return Person(user.id, user.full_name, user.username, user.is_bot)


def _chat(chat: TelegramChat) -> Chat:
    return Chat(chat.id, ChatKind(chat.type), chat.title or "")


def _entity(entity: TelegramEntity) -> Entity:
    return Entity(
        str(entity.type), entity.offset, entity.length, _person(entity.user) if entity.user else None
    )


def _people(update: Update) -> Iterable[Person]:
    """Yield everyone named in ``update``, each once."""
    return dict.fromkeys(_person(user) for user in _users(update))


def _users(update: Update) -> Iterable[User]:
    if update.effective_user:
        yield update.effective_user
    for member in (update.my_chat_member, update.chat_member):
        if member:
            yield member.new_chat_member.user
    message = update.message or update.edited_message
    if message is None:
        return
    yield from (entity.user for entity in message.entities if entity.user)
    yield from message.new_chat_members
    if message.reply_to_message and message.reply_to_message.from_user:
        yield message.reply_to_message.from_user
