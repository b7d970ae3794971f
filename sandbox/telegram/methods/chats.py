"""Methods about chats as such."""

from typing import Any, Final

from sandbox.telegram.methods.call import Call, Method, check_presence
from sandbox.telegram.model import Chat
from sandbox.telegram.refusals import bad_request
from sandbox.telegram.render import ALL_PERMISSIONS, chat_json, message_json

_ACTIONS: Final = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip


def get_chat(call: Call) -> dict[str, Any]:
    """Describe a chat in full."""
    chat = call.chat()
    if chat.type != "private":
        check_presence(chat, call.me)
    full: dict[str, Any] = {
        **chat_json(call.world.state, chat),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            (
                "unlimited_gifts",
                "limited_gifts",
                "unique_gifts",
                "premium_subscription",
                "gifts_from_channels",
            ),
            False,
        ),
    }
    if chat.type != "private":
        full["permissions"] = chat.permissions or ALL_PERMISSIONS
    pinned = chat.messages.get(chat.pinned or 0)
    if pinned is not None:
        full["pinned_message"] = message_json(call.world.state, pinned, with_reply=False)
    return full


def send_action(call: Call) -> bool:
    """Show that the bot is typing."""
    chat, action = call.chat_within(), call.parameters.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat.actions[call.me] = action
    call.world.touched()
    return True


def pin(call: Call) -> bool:
    """Pin a message."""
    chat = _pinning(call)
    message = call.message("pin")
    chat.pinned = message.id
    quoted = message_json(call.world.state, message, with_reply=False)
    call.world.post(chat, call.me, {"pinned_message": quoted})
    return True


def unpin(call: Call) -> bool:
    """Unpin the pinned message."""
    chat = _pinning(call)
    chat.pinned = None
    call.world.touched()
    return True


def _pinning(call: Call) -> Chat:
    chat = call.chat_within()
    if chat.type != "private" and not chat.member(call.me).rights.get("can_pin_messages"):
        raise bad_request("not enough rights to manage pinned messages in the chat")
    return chat


METHODS: Final[dict[str, Method]] = {
    "getChat": get_chat,
    "sendChatAction": send_action,
    "pinChatMessage": pin,
    "unpinChatMessage": unpin,
}
