"""Users, chats and messages in the JSON of the Bot API."""

from typing import Any, Final

from sandbox.telegram.model import Chat, Member, Message, State, User

ALL_PERMISSIONS: Final = dict.fromkeys(
    [
        "can_send_messages",
        "can_send_audios",
        "can_send_documents",
        "can_send_photos",
        "can_send_videos",
        "can_send_video_notes",
        "can_send_voice_notes",
        "can_send_polls",
        "can_send_other_messages",
        "can_add_web_page_previews",
        "can_react_to_messages",
        "can_edit_tag",
        "can_change_info",
        "can_invite_users",
        "can_pin_messages",
        "can_manage_topics",
    ],
    True,
)
ADMIN_RIGHTS: Final = dict.fromkeys(
    [
        "can_manage_chat",
        "can_delete_messages",
        "can_manage_video_chats",
        "can_restrict_members",
        "can_promote_members",
        "can_change_info",
        "can_invite_users",
        "can_post_stories",
        "can_edit_stories",
        "can_delete_stories",
        "can_pin_messages",
        "can_manage_topics",
    ],
    True,
)

_SHOWN: Final = ("id", "first_name", "last_name", "username")


def user_json(user: User) -> dict[str, Any]:
    """Return a User object."""
    fields = {
        "id": user.id,
        "is_bot": user.is_bot,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "username": user.username,
        "language_code": None if user.is_bot else user.language_code,
    }
    return {name: value for name, value in fields.items() if value is not None}


def chat_json(state: State, chat: Chat) -> dict[str, Any]:
    """Return a Chat object as the bot of a private chat, or anybody in another chat, sees it."""
    if chat.type == "private":
        assert chat.person is not None
        person = user_json(state.users[chat.person])
        return {name: person[name] for name in _SHOWN if name in person} | {"type": "private"}
    fields = {"id": chat.id, "type": chat.type, "title": chat.title, "username": chat.username}
    if chat.is_forum:
        fields["is_forum"] = True
    return {name: value for name, value in fields.items() if value is not None}


def message_json(state: State, message: Message, *, with_reply: bool = True) -> dict[str, Any]:
    """Return a Message object; the message that it replies to comes without its own reply."""
    chat = state.chats[message.chat]
    fields: dict[str, Any] = {"message_id": message.id, "date": message.at, "chat": chat_json(state, chat)}
    if chat.type != "channel":
        fields["from"] = user_json(state.users[message.sender])
    if message.sender_chat is not None:
        fields["sender_chat"] = chat_json(state, state.chats[f"g:{message.sender_chat}"])
    if message.thread is not None:
        fields |= {"message_thread_id": message.thread, "is_topic_message": True}
    if message.edited_at is not None:
        fields["edit_date"] = message.edited_at
    if message.receiver is not None:
        fields["ephemeral_message_id"] = message.ephemeral_id
        fields["receiver_user"] = user_json(state.users[message.receiver])
    original = chat.messages.get(message.reply_to or 0) if with_reply else None
    if original is not None:
        fields["reply_to_message"] = message_json(state, original, with_reply=False)
    return fields | message.content


def member_json(state: State, user: int, member: Member) -> dict[str, Any]:
    """Return a ChatMember object of the kind that its status asks for."""
    fields: dict[str, Any] = {"user": user_json(state.users[user]), "status": member.status}
    if member.status == "creator":
        fields["is_anonymous"] = member.anonymous
    elif member.status == "administrator":
        nothing = dict.fromkeys(ADMIN_RIGHTS, False)
        fields |= {"can_be_edited": False, "is_anonymous": member.anonymous, **nothing, **member.rights}
    elif member.status == "restricted":
        nothing = dict.fromkeys(ALL_PERMISSIONS, False)
        fields |= {"is_member": True, "until_date": member.until, **nothing, **member.rights}
    elif member.status == "kicked":
        fields["until_date"] = member.until
    if member.title and member.status in {"creator", "administrator"}:
        fields["custom_title"] = member.title
    return fields
