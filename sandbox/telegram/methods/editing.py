"""Methods that change or remove messages, and that answer taps."""

from typing import Any, Final

from sandbox.telegram.methods.call import Call, Method
from sandbox.telegram.methods.sending import document_of, photo_of
from sandbox.telegram.model import Chat, Message
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.refusals import bad_request
from sandbox.telegram.render import message_json
from sandbox.telegram.world import CALLBACK_SECONDS

_LONGEST_ANSWER: Final = 200
_DELETABLE_SECONDS: Final = 48 * 3600
_REACTIONS: Final = {
    "👍", "👎", "❤", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢", "🎉", "🤩", "🤮", "💩", "🙏", "👌",
    "🕊", "🤡", "🥱", "🥴", "😍", "🐳", "❤\u200d🔥", "🌚", "🌭", "💯", "🤣", "⚡", "🍌", "🏆", "💔", "🤨", "😐", "🍓",
    "🍾", "💋", "🖕", "😈", "😴", "😭", "🤓", "👻", "👨\u200d💻", "👀", "🎃", "🙈", "😇", "😨", "🤝", "✍", "🤗", "🫡",
    "🎅", "🎄", "☃", "💅", "🤪", "🗿", "🆒", "💘", "🙉", "🦄", "😘", "💊", "🙊", "😎", "👾", "🤷\u200d♂", "🤷", "🤷\u200d♀",
    "😡",
}  # fmt: skip


def edit_text(call: Call) -> Any:
    """Replace the text of one of the bot's messages."""
    message = _own(call)
    if "text" not in message.content:
        raise bad_request("there is no text in the message to edit")
    return _replace(call, message, call.worded("text") | call.markup(), ("text", "entities", "reply_markup"))


def edit_caption(call: Call) -> Any:
    """Replace the caption under one of the bot's pictures or files."""
    message = _own(call)
    if "text" in message.content:
        raise bad_request("there is no caption in the message to edit")
    fields = ("caption", "caption_entities", "reply_markup")
    return _replace(call, message, call.worded("caption") | call.markup(), fields)


def edit_markup(call: Call) -> Any:
    """Replace the buttons under one of the bot's messages."""
    return _replace(call, _own(call), call.markup(), ("reply_markup",))


def edit_media(call: Call) -> Any:
    """Replace the picture or file of one of the bot's messages, with its caption and buttons."""
    message = _own(call)
    media = call.parameters.json("media") or {}
    described = Parameters({**media, "chat_id": message.chat})
    worded = Call(call.world, call.bot, described).worded("caption")
    given = str(media.get("media", ""))
    source = call.parameters.upload(given.removeprefix("attach://")) or given
    content = (
        {"photo": photo_of(call, source)}
        if media.get("type") == "photo"
        else {"document": document_of(call, source)}
    )
    fields = ("text", "entities", "photo", "document", "caption", "caption_entities", "reply_markup")
    return _replace(call, message, content | worded | call.markup(), fields)


def edit_ephemeral_text(call: Call) -> bool:
    """Replace the text of a message that one person alone sees."""
    _replace(
        call, _ephemeral(call), call.worded("text") | call.markup(), ("text", "entities", "reply_markup")
    )
    return True


def edit_ephemeral_markup(call: Call) -> bool:
    """Replace the buttons of a message that one person alone sees."""
    _replace(call, _ephemeral(call), call.markup(), ("reply_markup",))
    return True


def delete_ephemeral(call: Call) -> bool:
    """Remove a message that one person alone sees."""
    message = _ephemeral(call)
    assert message.ephemeral_id is not None
    del call.world.state.chats[message.chat].ephemeral[message.ephemeral_id]
    call.world.touched()
    return True


def _ephemeral(call: Call) -> Message:
    chat = call.chat_within()
    message = chat.ephemeral.get(call.parameters.integer("ephemeral_message_id"))
    if message is None or message.sender != call.me:
        raise bad_request("message to edit not found")
    if message.receiver != call.parameters.integer("receiver_user_id"):
        raise bad_request("message to edit not found")
    return message


def _own(call: Call) -> Message:
    message = call.message("edit")
    if message.sender != call.me or message.is_service:
        raise bad_request("message can't be edited")
    return message


def _replace(
    call: Call, message: Message, content: dict[str, Any], fields: tuple[str, ...]
) -> dict[str, Any]:
    """Put ``content`` in place of the ``fields`` of ``message``; what stays the same is refused as Telegram does."""
    kept = {name: value for name, value in message.content.items() if name not in fields}
    if kept | content == message.content:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message",
        )
    chat = call.world.state.chats[message.chat]
    call.world.flood.passes(call.me, chat.key, is_group=chat.type in {"group", "supergroup"})
    only_buttons = fields == ("reply_markup",)
    message.content = kept | content
    message.edited_at = message.edited_at if only_buttons else call.world.now()
    call.world.touched(message)
    return message_json(call.world.state, message)


def delete_message(call: Call) -> bool:
    """Remove a message: the bot's own, any in a private chat, or any where the bot may delete."""
    message = call.message("delete")
    _delete(call, call.world.state.chats[message.chat], message)
    return True


def delete_messages(call: Call) -> bool:
    """Remove up to 100 messages; those that are gone already are skipped."""
    chat, numbers = call.chat_within(), call.parameters.json("message_ids") or []
    if not 1 <= len(numbers) <= 100:
        raise bad_request("message identifiers must be 1-100")
    for number in numbers:
        if number in chat.messages:
            _delete(call, chat, chat.messages[number])
    return True


def _delete(call: Call, chat: Chat, message: Message) -> None:
    too_old = call.world.now() - message.at > _DELETABLE_SECONDS
    foreign = chat.type != "private" and message.sender != call.me
    allowed = not foreign or chat.member(call.me).rights.get("can_delete_messages", False)
    if too_old or not allowed:
        raise bad_request("message can't be deleted")
    del chat.messages[message.id]
    call.world.touched()


def answer_callback(call: Call) -> bool:
    """Answer a tap, once and soon."""
    query = call.world.state.queries.get(call.parameters.text("callback_query_id"))
    late = query is not None and call.world.now() - query.at > CALLBACK_SECONDS
    if query is None or query.bot != call.me or query.answered or late:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = call.parameters.text("text")
    if len(text) > _LONGEST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answered = True
    query.answer = {"text": text, "show_alert": call.parameters.flag("show_alert")}
    call.world.touched()
    return True


def set_reaction(call: Call) -> bool:
    """React to a message with one emoji of Telegram's list, or take the reaction back."""
    message = call.message("react")
    given = call.parameters.json("reaction") or []
    if len(given) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if any(one.get("type") != "emoji" or one.get("emoji") not in _REACTIONS for one in given):
        raise bad_request("REACTION_INVALID")
    message.reactions[call.me] = given
    call.world.touched(message)
    return True


METHODS: Final[dict[str, Method]] = {
    "editMessageText": edit_text,
    "editMessageCaption": edit_caption,
    "editMessageReplyMarkup": edit_markup,
    "editMessageMedia": edit_media,
    "editEphemeralMessageText": edit_ephemeral_text,
    "editEphemeralMessageReplyMarkup": edit_ephemeral_markup,
    "deleteEphemeralMessage": delete_ephemeral,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "answerCallbackQuery": answer_callback,
    "setMessageReaction": set_reaction,
}
