"""``moneta run`` that kills itself (SIGKILL) when it first passes the point named by its first argument.

The second is its file of settings.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from bot import cli, dispatch, fetch, notifier
from bot.transport import Telegram
from chain.lightclient import LightClient
from chain.scanner import Scanner
from ledger.payments import Payments


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, *, when: Callable[[Any], bool] = bool) -> None:
    """Die when ``owner.name`` is about to be called with arguments of which ``when`` holds."""
    original = getattr(owner, name)

    async def dying(*arguments: Any, **more: Any) -> Any:
        if when(arguments):
            die()
        return await original(*arguments, **more)

    setattr(owner, name, dying)


def after(owner: Any, name: str, *, when: Callable[[Any], bool] = lambda _: True) -> None:
    """Die when ``owner.name`` has done its work and gave something of which ``when`` holds."""
    original = getattr(owner, name)

    async def dying(*arguments: Any, **more: Any) -> Any:
        result = await original(*arguments, **more)
        if when(result):
            die()
        return result

    setattr(owner, name, dying)


def _withdraws(arguments: Any) -> bool:
    """Tell whether a block is posted while a payment is on its way."""
    scanner: Scanner = arguments[0]
    reader = scanner._blocks._reader
    return bool(
        reader.select("SELECT 1 FROM withdrawals WHERE state NOT IN ('confirmed', 'returned', 'cancelled')")
    )


POINTS: Final[dict[str, Callable[[], None]]] = {
    "fetched": lambda: after(Telegram, "updates", when=bool),
    "stored": lambda: after(fetch.Fetch, "_keep"),
    "understood": lambda: before(dispatch.Dispatch, "_finish"),
    "answered": lambda: after(dispatch.Dispatch, "_finish"),
    "told": lambda: after(notifier.Notifier, "_deliver"),
    "signed": lambda: before(Payments, "store"),
    "kept": lambda: after(Payments, "store"),
    "broadcast": lambda: after(LightClient, "broadcast"),
    "confirming": lambda: before(Scanner, "_post", when=_withdraws),
}
"""From an update to its effect, and from a withdrawal to its end."""

if __name__ == "__main__":
    point, env_file = sys.argv[1:]
    if point:
        POINTS[point]()
    sys.exit(cli.main(["run", "--env-file", env_file]))
