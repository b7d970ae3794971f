"""Methods about the bot itself: who it is, its menu, its webhook and its files."""

import json
import re
from typing import Any, Final

from sandbox.telegram.methods.call import Call, Method
from sandbox.telegram.refusals import bad_request
from sandbox.telegram.render import user_json

_MOST_COMMANDS: Final = 100


def get_me(call: Call) -> dict[str, Any]:
    """Describe the bot."""
    abilities = {
        "can_join_groups": True,
        "can_read_all_group_messages": not call.bot.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
    return user_json(call.bot.user) | abilities


def set_commands(call: Call) -> bool:
    """Replace the menu of a scope."""
    commands = call.parameters.json("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands JSON object")
    if len(commands) > _MOST_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", "")).removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.commands[_scope(call)] = commands
    call.world.touched()
    return True


def get_commands(call: Call) -> list[dict[str, Any]]:
    """Return the menu of a scope, nothing when none was set for exactly it."""
    return call.bot.commands.get(_scope(call), [])


def delete_commands(call: Call) -> bool:
    """Remove the menu of a scope."""
    call.bot.commands.pop(_scope(call), None)
    call.world.touched()
    return True


def _scope(call: Call) -> str:
    scope = call.parameters.json("scope") or {"type": "default"}
    return scope_key(scope, call.parameters.text("language_code"))


def scope_key(scope: dict[str, Any], language: str = "") -> str:
    """Return the name under which a scope's menu is kept."""
    return f"{json.dumps(scope, sort_keys=True)} {language}".rstrip()


def set_webhook(call: Call) -> bool:
    """Note a webhook; this server never calls it, but getUpdates is refused meanwhile, as on the real one."""
    url = call.parameters.text("url")
    if url and not url.startswith("https://"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    call.bot.webhook = url
    queue = call.world.queues[call.me]
    if call.parameters.flag("drop_pending_updates"):
        queue.clear()
    if url:
        queue.end_poll()
    return True


def delete_webhook(call: Call) -> bool:
    """Remove the webhook."""
    call.bot.webhook = ""
    if call.parameters.flag("drop_pending_updates"):
        call.world.queues[call.me].clear()
    return True


def webhook_info(call: Call) -> dict[str, Any]:
    """Describe the webhook and how many updates wait."""
    queue = call.world.queues[call.me]
    info = {
        "url": call.bot.webhook,
        "has_custom_certificate": False,
        "pending_update_count": len(queue.waiting),
    }
    return info | ({"allowed_updates": queue.allowed} if queue.allowed else {})


def get_file(call: Call) -> dict[str, Any]:
    """Tell where a file can be fetched."""
    file = call.world.state.files.get(call.parameters.text("file_id"))
    if file is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    size = {"file_size": len(file.content)}
    return {"file_id": file.id, "file_unique_id": file.unique_id, **size, "file_path": f"files/{file.id}"}


def nothing(_: Call) -> bool:
    """Accept what has no effect here (names, descriptions, close, log out)."""
    return True


METHODS: Final[dict[str, Method]] = {
    "getMe": get_me,
    "setMyCommands": set_commands,
    "getMyCommands": get_commands,
    "deleteMyCommands": delete_commands,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": webhook_info,
    "getFile": get_file,
    "setMyName": nothing,
    "setMyDescription": nothing,
    "setMyShortDescription": nothing,
    "setChatMenuButton": nothing,
    "close": nothing,
    "logOut": nothing,
}
