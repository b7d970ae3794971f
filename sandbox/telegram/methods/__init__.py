"""The methods of the Bot API that this server knows; names are not case-sensitive, as on the real one."""

from typing import Final

from sandbox.telegram.methods import chats, editing, members, sending, settings
from sandbox.telegram.methods.call import Call, Method

METHODS: Final[dict[str, Method]] = {
    name.lower(): method
    for table in (chats.METHODS, editing.METHODS, members.METHODS, sending.METHODS, settings.METHODS)
    for name, method in table.items()
}

__all__ = ["METHODS", "Call", "Method"]
