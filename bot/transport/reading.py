"""Updates of Telegram, read into intents without trust: what cannot be understood is poison, never an exception."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from telegram import Chat as TelegramChat
from telegram import Message as TelegramMessage
from telegram import MessageEntity as TelegramEntity
from telegram import Update, User

from bot.intents import (
    Chat,
    ChatKind,
    Deed,
    Entity,
    Ignored,
    Intent,
    Media,
    MemberChanged,
    Migrated,
    Person,
    ReplyTarget,
    Said,
    Tapped,
    Unreadable,
)
from bot.transport.forms import form_of
from ledger.ports import Millis

_FORM: Final = form_of(Intent)


def read_update(raw: Mapping[str, Any]) -> Intent:
    """Return what ``raw`` says; raises Unreadable for what cannot be understood.

    The library builds its objects from whatever stands in the JSON, so every value is checked here: nobody behind this
    function meets a text that is a number, an id beyond 64 bits, or half of a surrogate pair.
    """
    try:
        update = Update.de_json(dict(raw), None)
        intent = Intent(update.update_id, _deed(update), tuple(_people(update)))
    except (
        TypeError,
        ValueError,
        KeyError,
        AttributeError,
        OverflowError,
        OSError,  # what the C library says of a date beyond its calendar
        RecursionError,
    ) as error:
        raise Unreadable(type(error).__name__) from error
    if not _FORM(intent):
        raise Unreadable("a value is not of its form")
    return intent


def _deed(update: Update) -> Deed:
    if update.callback_query is not None:
        return _tapped(update)
    if update.chat_member is not None:
        changed = update.chat_member
        return MemberChanged(changed.chat.id, changed.new_chat_member.user.id, changed.from_user.id)
    message = update.message or update.edited_message
    if message is None:
        return Ignored(next(iter(update.to_dict().keys() - {"update_id"}), "nothing"))
    if message.migrate_to_chat_id is not None:
        return Migrated(message.chat.id, message.migrate_to_chat_id)
    media = _media(message)
    if message.text is None and media is None:
        return Ignored("message")
    return _said(message, media, edited=update.edited_message is not None)


def _said(message: TelegramMessage, media: Media | None, *, edited: bool) -> Said:
    sender = _person(message.from_user) if message.from_user and not message.sender_chat else None
    entities = message.entities or message.caption_entities
    return Said(
        chat=_chat(message.chat),
        message=message.message_id,
        sender=sender,
        text=message.text or message.caption or _asked(message),
        at=Millis(
            int((message.edit_date if edited and message.edit_date else message.date).timestamp() * 1000)
        ),
        entities=tuple(_entity(entity) for entity in entities),
        reply=_reply(message.reply_to_message),
        thread=message.message_thread_id if message.is_topic_message else None,
        forwarded=message.forward_origin is not None,
        edited=edited,
        via_bot=message.via_bot is not None,
        ephemeral=message.api_kwargs.get("ephemeral_message_id"),
        media=media,
        album=message.media_group_id or "",
        links=tuple(_links(message, entities)),
        channel=_is_foreign(message),
    )


def _media(message: TelegramMessage) -> Media | None:
    """Return what ``message`` shows; an animation is a document too, and counts as the former."""
    return next((kind for kind in Media if getattr(message, kind)), None)


def _asked(message: TelegramMessage) -> str:
    """Return the words of a poll."""
    poll = message.poll
    return "\n".join((poll.question, *(option.text for option in poll.options))) if poll else ""


def _links(message: TelegramMessage, entities: Iterable[TelegramEntity]) -> Iterable[str]:
    """Yield the addresses behind words and buttons."""
    yield from (entity.url for entity in entities if entity.url)
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    yield from (button.url for row in rows for button in row if button.url)


def _is_foreign(message: TelegramMessage) -> bool:
    """Tell whether a channel speaks here that is not the group's own."""
    speaker = message.sender_chat
    return bool(speaker and speaker.id != message.chat.id and not message.is_automatic_forward)


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
        stands=bool(whole and _bears(whole, query.data)),
    )


def _bears(message: TelegramMessage, token: str | None) -> bool:
    """Tell whether a button of ``message`` carries ``token``: which message a tap names is up to the app that sends it."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    return any(button.callback_data == token for row in rows for button in row if button.callback_data)


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
    marked = (*message.entities, *message.caption_entities)
    yield from (entity.user for entity in marked if entity.user)
    yield from message.new_chat_members
    if message.reply_to_message and message.reply_to_message.from_user:
        yield message.reply_to_message.from_user
