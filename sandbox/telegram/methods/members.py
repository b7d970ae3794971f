"""Methods about who is in a chat, and with what rights."""

from typing import Any, Final

from sandbox.telegram.methods.call import Call, Method
from sandbox.telegram.model import Chat, Member
from sandbox.telegram.refusals import bad_request
from sandbox.telegram.render import ALL_PERMISSIONS, member_json, user_json

_SHORTEST_SECONDS: Final = 30
_LONGEST_SECONDS: Final = 366 * 86_400


def get_member(call: Call) -> Any:
    """Tell somebody's standing in a chat."""
    chat, user = call.chat_within(), _user(call)
    return member_json(call.world.state, user, call.world.standing(chat, user))


def get_administrators(call: Call) -> Any:
    """List creator and administrators; of bots only the calling one."""
    chat = call.chat_within()
    if chat.type == "private":
        raise bad_request("there are no administrators in the private chat")
    users = call.world.state.users
    return [
        member_json(call.world.state, user, member)
        for user, member in chat.members.items()
        if chat.is_admin(user) and (not users[user].is_bot or user == call.me)
    ]


def count_members(call: Call) -> int:
    """Count who takes part."""
    chat = call.chat_within()
    return 2 if chat.type == "private" else sum(chat.has(user) for user in chat.members)


def restrict(call: Call) -> bool:
    """Take permissions from a member of a supergroup, or give all of them back."""
    chat, user = _governed(
        call, "can_restrict_members", "not enough rights to restrict/unrestrict chat member"
    )
    if chat.type != "supergroup":
        raise bad_request("method is available only for supergroups")
    if chat.is_admin(user):
        raise bad_request("user is an administrator of the chat")
    permissions = _permissions(call)
    standing = call.world.standing(chat, user)
    if standing.status in {"left", "kicked"}:
        raise bad_request("PARTICIPANT_ID_INVALID")
    free = all(permissions.values())
    member = Member("member") if free else Member("restricted", permissions, _until(call))
    call.world.change_member(chat, user, member, call.me)
    return True


def ban(call: Call) -> bool:
    """Remove somebody and keep them out."""
    chat, user = _governed(
        call, "can_restrict_members", "not enough rights to restrict/unrestrict chat member"
    )
    if chat.is_admin(user):
        raise bad_request(
            "can't remove chat owner" if _owns(chat, user) else "user is an administrator of the chat"
        )
    call.world.change_member(chat, user, Member("kicked", until=_until(call)), call.me)
    return True


def unban(call: Call) -> bool:
    """End a ban; unless ``only_if_banned``, a member is removed by this, as in Telegram."""
    chat, user = _governed(
        call, "can_restrict_members", "not enough rights to restrict/unrestrict chat member"
    )
    banned = call.world.standing(chat, user).status == "kicked"
    if banned or not call.parameters.flag("only_if_banned"):
        call.world.change_member(chat, user, Member("left"), call.me)
    return True


def leave(call: Call) -> bool:
    """Let the bot leave."""
    chat = call.chat_within()
    if chat.type == "private":
        raise bad_request("chat can't be left")
    call.world.post(chat, call.me, {"left_chat_member": user_json(call.bot.user)})
    call.world.change_member(chat, call.me, Member("left"), call.me)
    return True


def _user(call: Call) -> int:
    user = call.parameters.integer("user_id")
    if user not in call.world.state.users:
        raise bad_request("PARTICIPANT_ID_INVALID")
    return user


def _governed(call: Call, right: str, otherwise: str) -> tuple[Chat, int]:
    """Return the chat and the user of a call that needs the administrator's ``right``."""
    chat, user = call.chat_within(), _user(call)
    if chat.type == "private" or not (chat.is_admin(call.me) and chat.member(call.me).rights.get(right)):
        raise bad_request(otherwise)
    if user == call.me:
        raise bad_request("can't restrict self")
    return chat, user


def _owns(chat: Chat, user: int) -> bool:
    return chat.member(user).status == "creator"


def _permissions(call: Call) -> dict[str, bool]:
    given = call.parameters.json("permissions")
    if not isinstance(given, dict):
        raise bad_request("can't parse chat permissions: expected an Object")
    own = {name: bool(given.get(name, False)) for name in ALL_PERMISSIONS}
    if "can_react_to_messages" not in given:
        own["can_react_to_messages"] = own["can_send_messages"]
    if "can_edit_tag" not in given:
        own["can_edit_tag"] = own["can_send_messages"]
    if "can_manage_topics" not in given:
        own["can_manage_topics"] = own["can_pin_messages"]
    return own


def _until(call: Call) -> int:
    """Return when a restriction ends; under 30 seconds or over 366 days means never (0)."""
    until = call.parameters.integer("until_date", 0)
    ahead = until - call.world.now()
    return until if _SHORTEST_SECONDS <= ahead <= _LONGEST_SECONDS else 0


METHODS: Final[dict[str, Method]] = {
    "getChatMember": get_member,
    "getChatAdministrators": get_administrators,
    "getChatMemberCount": count_members,
    "restrictChatMember": restrict,
    "banChatMember": ban,
    "unbanChatMember": unban,
    "leaveChat": leave,
}
