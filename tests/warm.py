"""Processes that begin at once: forked from a server that has imported the program, and run nothing yet."""

import multiprocessing
from collections.abc import Callable
from typing import Any, Final

_FOREVER_SECONDS: Final = 60
_IMPORTED: Final = ("pytest", "bot.cli", "ledger.backup", "tests.ledger.desk")

_server: Final = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([*_IMPORTED])


def ended(act: Callable[..., None], *arguments: Any) -> int:
    """Do ``act`` in a process of its own; return its exit code, negative for the signal that ended it."""
    process = _server.Process(target=act, args=arguments)
    process.start()
    process.join(_FOREVER_SECONDS)
    code = process.exitcode
    process.kill()
    process.join()
    process.close()
    assert code is not None, f"no end after {_FOREVER_SECONDS} s"
    return code
