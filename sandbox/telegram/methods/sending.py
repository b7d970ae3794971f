"""Methods that put messages into chats."""

import struct
from typing import Any, Final

from sandbox.telegram.methods.call import Call, Method
from sandbox.telegram.model import Chat, Message
from sandbox.telegram.parameters import Upload
from sandbox.telegram.refusals import bad_request
from sandbox.telegram.render import message_json
from sandbox.telegram.world import CALLBACK_SECONDS

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_LARGEST_PHOTO: Final = 10 * 1024 * 1024


def send_message(call: Call) -> Any:
    """Send a text."""
    return _send(call, call.worded("text"), "can_send_messages")


def send_photo(call: Call) -> Any:
    """Send a picture, uploaded now or known by its file id."""
    return _send(
        call,
        {"photo": photo_of(call, call.parameters.upload("photo"))} | call.worded("caption"),
        "can_send_photos",
    )


def send_document(call: Call) -> Any:
    """Send any file."""
    content = {"document": document_of(call, call.parameters.upload("document"))}
    return _send(call, content | call.worded("caption"), "can_send_documents")


def photo_of(call: Call, given: Upload | str | None) -> list[dict[str, Any]]:
    """Return the PhotoSize array of an upload or a file id. Raises ApiError 400."""
    if isinstance(given, Upload):
        if not given.content.startswith((_PNG, _JPEG)) or len(given.content) > _LARGEST_PHOTO:
            raise bad_request("IMAGE_PROCESS_FAILED")
        mime = "image/png" if given.content.startswith(_PNG) else "image/jpeg"
        given = call.world.keep_file(given.name, mime, given.content).id
    file = _known(call, given, "photo")
    width, height = _size(file.content)
    sized = {"width": width, "height": height, "file_size": len(file.content)}
    return [{"file_id": file.id, "file_unique_id": file.unique_id, **sized}]


def document_of(call: Call, given: Upload | str | None) -> dict[str, Any]:
    """Return the Document of an upload or a file id. Raises ApiError 400."""
    if isinstance(given, Upload):
        if not given.content:
            raise bad_request("file must be non-empty")
        given = call.world.keep_file(given.name, given.mime, given.content).id
    file = _known(call, given, "document")
    return {
        "file_id": file.id,
        "file_unique_id": file.unique_id,
        "file_name": file.name,
        "mime_type": file.mime,
        "file_size": len(file.content),
    }


def _known(call: Call, file_id: str | None, kind: str) -> Any:
    if not file_id:
        raise bad_request(f"there is no {kind} in the request")
    file = call.world.state.files.get(file_id)
    if file is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return file


def _size(content: bytes) -> tuple[int, int]:
    """Return width and height of a PNG; a JPEG's are not worth reading here."""
    if content.startswith(_PNG) and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    return 800, 800


def _send(call: Call, content: dict[str, Any], right: str) -> dict[str, Any]:
    world, chat = call.world, call.chat_within()
    _check_right(call, chat, right)
    thread = _thread(call, chat)
    receiver = _receiver(call, chat)
    reply_to = _reply_to(call, chat)
    content = content | call.markup()
    world.flood.passes(call.me, chat.key, is_group=chat.type in {"group", "supergroup"})
    chat.actions.pop(call.me, None)
    if receiver is not None:
        message = world.post_ephemeral(chat, call.me, receiver, content, thread=thread)
    else:
        message = world.post(chat, call.me, content, reply_to=reply_to, thread=thread)
    return message_json(world.state, message)


def _check_right(call: Call, chat: Chat, right: str) -> None:
    if chat.type == "channel" and not chat.is_admin(call.me):
        raise bad_request("need administrator rights in the channel chat")
    if not call.world.may(chat, call.me, right):
        what = {"can_send_messages": "text messages", "can_send_photos": "photos"}.get(right, "documents")
        raise bad_request(f"not enough rights to send {what} to the chat")


def _thread(call: Call, chat: Chat) -> int | None:
    if not call.parameters.has("message_thread_id"):
        return None
    thread = call.parameters.integer("message_thread_id")
    if chat.type != "private" and thread not in chat.topics:
        raise bad_request("message thread not found")
    return thread


def _reply_to(call: Call, chat: Chat) -> int | None:
    given = call.parameters.json("reply_parameters") or {}
    original = given.get("message_id") or call.parameters.integer("reply_to_message_id", 0)
    if not original:
        return None
    if int(original) in chat.messages:
        return int(original)
    lenient = given.get("allow_sending_without_reply") or call.parameters.flag("allow_sending_without_reply")
    if lenient:
        return None
    raise bad_request("message to be replied not found")


def _receiver(call: Call, chat: Chat) -> int | None:
    """Return who alone shall see the message, None for everybody.

    An administrator may send such a message at any time; another bot only as answer to a tap of that person within
    15 seconds, or to an ephemeral command of theirs.
    """
    asked: dict[str, Any] = call.parameters.json("ephemeral_message_parameters") or {}
    if call.parameters.has("receiver_user_id"):
        asked = {"receiver_user_id": call.parameters.integer("receiver_user_id")} | asked
        asked.setdefault("callback_query_id", call.parameters.text("callback_query_id"))
    if "receiver_user_id" not in asked or call.world.ignores_ephemeral:
        return None
    receiver = int(asked["receiver_user_id"])
    if chat.type not in {"group", "supergroup"}:
        raise bad_request("ephemeral messages can be sent only to groups and supergroups")
    if not chat.has(receiver) or call.world.state.users[receiver].is_bot:
        raise bad_request("PARTICIPANT_ID_INVALID")
    if not (
        chat.is_admin(call.me) or _was_asked(call, chat, receiver, str(asked.get("callback_query_id") or ""))
    ):
        raise bad_request("not enough rights to send ephemeral messages to the chat")
    return receiver


def _was_asked(call: Call, chat: Chat, receiver: int, query_id: str) -> bool:
    query = call.world.state.queries.get(query_id)
    if query is not None and query.person == receiver and query.bot == call.me:
        return call.world.now() - query.at <= CALLBACK_SECONDS
    number = (call.parameters.json("reply_parameters") or {}).get("ephemeral_message_id")
    command: Message | None = chat.ephemeral.get(number) if isinstance(number, int) else None
    return command is not None and command.sender == receiver


METHODS: Final[dict[str, Method]] = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
}
