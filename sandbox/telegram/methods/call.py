"""One Bot API call and what its methods share."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sandbox.telegram.entities import Entity, found_in, parse_html, trimmed
from sandbox.telegram.keyboards import checked_markup
from sandbox.telegram.model import BotAccount, Chat, Message
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.refusals import bad_request, forbidden
from sandbox.telegram.world import World

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024


class Call(NamedTuple):
    """Who calls, with what."""

    world: World
    bot: BotAccount
    parameters: Parameters

    @property
    def me(self) -> int:
        """The bot's user id."""
        return self.bot.user.id

    def chat(self) -> Chat:
        """Return the chat that ``chat_id`` names. Raises ApiError 400 or 403."""
        if not self.parameters.has("chat_id"):
            raise bad_request("chat_id is empty")
        return self.world.chat_for(self.bot, self.parameters.text("chat_id"))

    def chat_within(self) -> Chat:
        """Return the chat, in which the bot must take part. Raises ApiError 400 or 403."""
        chat = self.chat()
        check_presence(chat, self.me)
        return chat

    def message(self, verb: str) -> Message:
        """Return the message of ``chat_id`` and ``message_id``. Raises ApiError 400 "message to <verb> not found"."""
        chat = self.chat_within()
        message = chat.messages.get(self.parameters.integer("message_id", 0))
        if message is None:
            raise bad_request(f"message to {verb} not found")
        return message

    def markup(self) -> dict[str, Any]:
        """Return the field ``reply_markup`` of a message, empty when it has no inline keyboard."""
        markup = checked_markup(self.parameters.json("reply_markup"))
        return {"reply_markup": markup} if markup else {}

    def worded(self, name: str) -> dict[str, Any]:
        """Return the formatted text of parameter ``name`` (``text`` or ``caption``) as fields of a message.

        Raises ApiError 400 for text that cannot be parsed, is empty (a caption may be) or too long.
        """
        text, entities = self._parsed(name)
        text, entities = trimmed(text, entities)
        if len(text) > (LONGEST_TEXT if name == "text" else LONGEST_CAPTION):
            raise bad_request("message is too long" if name == "text" else "message caption is too long")
        if not text:
            if name == "text":
                raise bad_request("message text is empty")
            return {}
        entities = found_in(text, entities)
        return {name: text, f"{_prefix(name)}entities": entities} if entities else {name: text}

    def _parsed(self, name: str) -> tuple[str, list[Entity]]:
        text = self.parameters.text(name)
        mode = self.parameters.text("parse_mode")
        if mode.lower() == "html":
            return parse_html(text, self.world.user)
        if mode:
            raise bad_request(f"unsupported parse_mode: this server reads HTML, not {mode}")
        given = self.parameters.json(f"{_prefix(name)}entities" if name == "caption" else "entities")
        return text, list(given or [])


Method = Callable[[Call], Any]
"""Acts and returns the ``result`` of the answer; raises ApiError."""


def check_presence(chat: Chat, bot: int) -> None:
    """Raise ApiError 403 unless ``bot`` can reach ``chat``."""
    if chat.type == "private":
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        return
    member = chat.members.get(bot)
    place = f"{chat.type} chat"
    if member is None or member.status == "left":
        raise forbidden(f"bot is not a member of the {place}")
    if member.status == "kicked":
        raise forbidden(f"bot was kicked from the {place}")


def _prefix(name: str) -> str:
    return "caption_" if name == "caption" else ""
