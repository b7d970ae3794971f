"""Chats and messages as a person's app shows them; the shapes of the HTTP API's answers."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from sandbox.telegram.media import KINDS
from sandbox.telegram.model import Chat, Message, User
from sandbox.telegram.people import Telegram

ButtonKind = Literal["callback", "copy", "url", "other"]


class PersonView(BaseModel):
    """Somebody who can be played, or a bot."""

    id: int
    name: str
    username: str | None = None
    is_bot: bool = False


class ButtonView(BaseModel):
    """An inline button; ``value`` is what is copied or opened."""

    text: str
    kind: ButtonKind
    value: str | None = None


class ReactionView(BaseModel):
    """An emoji under a message, and how many gave it."""

    emoji: str
    count: int


class QuoteView(BaseModel):
    """The message that another one answers."""

    ref: str
    name: str
    text: str


class FileView(BaseModel):
    """A file of a message."""

    name: str
    url: str
    size: int


class MessageView(BaseModel):
    """A message. ``ref`` names it in this API: its number, or ``e`` and a number if only one person sees it."""

    ref: str
    message_id: int
    sender: PersonView
    at: int = Field(description="Unix time in seconds")
    edited_at: int | None = None
    changed: int = Field(description="grows whenever the message looks different")
    text: str = ""
    entities: list[dict[str, Any]] = Field(
        default_factory=list, description="as in the Bot API, in UTF-16 units"
    )
    service: bool = Field(default=False, description="Telegram wrote this by itself")
    photo: str | None = None
    document: FileView | None = None
    media: str | None = Field(default=None, description="what it shows that is neither a photo nor a file")
    reply_to: QuoteView | None = None
    forwarded_from: str | None = None
    via_bot: str | None = None
    buttons: list[list[ButtonView]] = Field(default_factory=list)
    reactions: list[ReactionView] = Field(default_factory=list)
    only_you: bool = Field(default=False, description="nobody else in the chat sees it")
    thread: int | None = None


class ChatView(BaseModel):
    """A chat in the list of a person."""

    key: str
    id: int
    type: str
    title: str
    members: list[PersonView] = Field(default_factory=list)
    topics: dict[int, str] = Field(default_factory=dict)
    last: str = ""
    last_at: int = 0
    count: int = 0
    blocked: bool = False
    status: str = Field(default="member", description="of the person in this chat")
    acting: list[str] = Field(default_factory=list, description="names of bots that are typing")


def person_view(user: User) -> PersonView:
    """Return ``user`` as shown."""
    return PersonView(id=user.id, name=user.name, username=user.username, is_bot=user.is_bot)


def chat_view(telegram: Telegram, chat: Chat, viewer: int) -> ChatView:
    """Return ``chat`` as ``viewer`` has it in the list."""
    users = telegram.state.users
    seen = telegram.messages(chat, viewer)
    last = seen[-1] if seen else None
    present = [chat.bot, chat.person] if chat.type == "private" else [u for u in chat.members if chat.has(u)]
    return ChatView(
        key=chat.key,
        id=chat.id,
        type=chat.type,
        title=chat.title or users[chat.bot or 0].name,
        members=[person_view(users[user]) for user in present if user is not None],
        topics=chat.topics,
        last=_line(telegram, last) if last else "",
        last_at=last.at if last else 0,
        count=len(seen),
        blocked=chat.blocked,
        status=telegram.standing(chat, viewer).status if chat.type != "private" else "member",
        acting=[users[bot].name for bot in chat.actions],
    )


def message_view(telegram: Telegram, message: Message) -> MessageView:
    """Return ``message`` as shown."""
    content, chat = message.content, telegram.state.chats[message.chat]
    prefix = "caption_" if "caption" in content else ""
    return MessageView(
        ref=ref_of(message),
        message_id=message.id,
        sender=_sender(telegram, message),
        at=message.at,
        edited_at=message.edited_at,
        changed=message.changed,
        text=service_text(telegram, message) if message.is_service else message.text,
        entities=content.get(f"{prefix}entities", []),
        service=message.is_service,
        photo=f"api/files/{content['photo'][-1]['file_id']}" if "photo" in content else None,
        document=_document(content.get("document")),
        media=_media(content),
        reply_to=_quote(telegram, chat, message),
        forwarded_from=_origin(content.get("forward_origin")),
        via_bot=content.get("via_bot", {}).get("first_name"),
        buttons=[[_button(button) for button in row] for row in message.buttons],
        reactions=_reactions(message),
        only_you=message.receiver is not None,
        thread=message.thread,
    )


def ref_of(message: Message) -> str:
    """Return the name of ``message`` in this API."""
    return str(message.id) if message.ephemeral_id is None else f"e{message.ephemeral_id}"


def message_at(chat: Chat, ref: str) -> Message | None:
    """Return the message of ``chat`` that ``ref`` names, None if there is none."""
    digits = ref.removeprefix("e")
    if not digits.isdecimal() or len(digits) > 15:
        return None
    return (chat.ephemeral if ref.startswith("e") else chat.messages).get(int(digits))


def service_text(telegram: Telegram, message: Message) -> str:
    """Return in words what Telegram wrote by itself."""
    content, users = message.content, telegram.state.users
    actor = users[message.sender].name
    if "new_chat_members" in content:
        names = ", ".join(user["first_name"] for user in content["new_chat_members"])
        return f"{actor} joined" if names == actor else f"{actor} added {names}"
    if "left_chat_member" in content:
        return f"{content['left_chat_member']['first_name']} left"
    if "pinned_message" in content:
        return f"{actor} pinned a message"
    if "forum_topic_created" in content:
        return f"{actor} opened the topic {content['forum_topic_created']['name']}"
    if "migrate_to_chat_id" in content or "migrate_from_chat_id" in content:
        return "This group became a supergroup"
    return "Something happened"


def _sender(telegram: Telegram, message: Message) -> PersonView:
    users = telegram.state.users
    if message.sender_chat is None:
        return person_view(users[message.sender])
    chat = telegram.state.chats[f"g:{message.sender_chat}"]
    return PersonView(id=message.sender_chat, name=chat.title or "Anonymous")


def _line(telegram: Telegram, message: Message) -> str:
    if message.is_service:
        return service_text(telegram, message)
    other = "Photo" if "photo" in message.content else _media(message.content) or "File"
    return message.text.replace("\n", " ")[:80] or other


def _quote(telegram: Telegram, chat: Chat, message: Message) -> QuoteView | None:
    original = chat.messages.get(message.reply_to or 0)
    if original is None or original.id == message.thread:
        return None
    sender = _sender(telegram, original)
    return QuoteView(ref=ref_of(original), name=sender.name, text=_line(telegram, original))


def _origin(origin: dict[str, Any] | None) -> str | None:
    if origin is None:
        return None
    return str(origin.get("sender_user", {}).get("first_name", "somebody"))


def _media(content: dict[str, Any]) -> str | None:
    """Return what a message shows in words, None for words, photos and files."""
    found = next((kind for kind in KINDS if kind in content and kind not in {"photo", "document"}), None)
    return found and found.replace("_", " ").capitalize()


def _document(document: dict[str, Any] | None) -> FileView | None:
    if document is None:
        return None
    url = f"api/files/{document['file_id']}"
    return FileView(name=document["file_name"], url=url, size=document["file_size"])


def _button(button: dict[str, Any]) -> ButtonView:
    if "callback_data" in button:
        return ButtonView(text=button["text"], kind="callback")
    if "copy_text" in button:
        return ButtonView(text=button["text"], kind="copy", value=button["copy_text"]["text"])
    if "url" in button:
        return ButtonView(text=button["text"], kind="url", value=button["url"])
    return ButtonView(text=button["text"], kind="other")


def _reactions(message: Message) -> list[ReactionView]:
    counts: dict[str, int] = {}
    for given in message.reactions.values():
        for reaction in given:
            counts[reaction["emoji"]] = counts.get(reaction["emoji"], 0) + 1
    return [ReactionView(emoji=emoji, count=count) for emoji, count in counts.items()]
