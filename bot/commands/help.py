"""/help: made from the registry, so it lists what this person may use in this chat, and nothing else."""

from bot.context import Context
from bot.registry import Command
from bot.results import Answer, Result
from ledger.errors import Refused
from ledger.pauses import standing_pause


async def show_help(context: Context) -> Result:
    """List the commands, or tell more of one. Raises Refused ``command_unknown``."""
    allowed = context.bank.commands.allowed(context.role, context.chat)
    if not context.args:
        listed = [{"usage": c.usage, "summary": c.summary} for c in allowed]
        pause = standing_pause(context.bank.service.reader)
        return Answer("help.listed", {"commands": listed, "paused": pause.reason if pause else ""})
    name = context.args.split()[0].lstrip("/").partition("@")[0].lower()
    command = context.bank.commands.named(name)
    if command not in allowed:
        raise Refused("command_unknown", command=name[:32])
    assert command is not None, "None is not among the allowed"
    facts = {
        "usage": command.usage,
        "summary": command.summary,
        "examples": list(command.examples),
        "aliases": list(command.aliases),
    }
    return Answer("help.command", facts)


COMMAND = Command("help", "what I can do", show_help, "[command]", examples=("/help send",))
