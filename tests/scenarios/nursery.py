"""Processes by the hundred: one that has everything imported forks each life of the program.

What is forked has begun no thread and no loop yet, so it is what ``moneta run`` is after its imports. Orders come as
lines of JSON, and each life's number (its process id) and its end are told the same way.
"""

import asyncio
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from bot import commands, registry
from tests.scenarios import killable

_LOOK_SECONDS: Final = 0.01


class Life:
    """One process of the program. Its exit code is negative for a signal, as in `subprocess`."""

    def __init__(self, number: int, ended: asyncio.Future[int]) -> None:
        self.number = number
        self._ended = ended

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it lives."""
        return self._ended.result() if self._ended.done() else None

    async def ended(self, limit_seconds: float) -> int:
        """Wait until it ended. Raises TimeoutError."""
        return await asyncio.wait_for(asyncio.shield(self._ended), limit_seconds)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if not self._ended.done():
            os.kill(self.number, number)


class Nursery:
    """Where lives begin; made by `nursery`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._listening = asyncio.create_task(self._listen())

    async def start(
        self, settings: Mapping[str, str], log: Path, *arguments: str, point: str = "", passes: int = 0
    ) -> Life:
        """Begin a life of ``moneta`` with ``arguments``.

        It dies when it passes ``point`` after ``passes`` times; empty: it lives until it ends or is ended.
        """
        order = {
            "settings": dict(settings),
            "log": str(log),
            "arguments": arguments,
            "point": point,
            "passes": passes,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()
        number = await self._born.get()
        return Life(number, self._ends[number])

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            if "born" in told:
                self._ends[told["born"]] = asyncio.get_running_loop().create_future()
                self._born.put_nowait(told["born"])
            else:
                self._ends.pop(told["ended"]).set_result(told["code"])

    async def close(self) -> None:
        """End all lives and the nursery."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._listening


@contextlib.asynccontextmanager
async def nursery(root: Path) -> AsyncIterator[Nursery]:
    """Open a nursery for the program whose source is under ``root``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.scenarios.nursery",
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    opened = Nursery(process)
    try:
        yield opened
    finally:
        await opened.close()


def _tell(**what: int) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _fork(order: Mapping[str, Any]) -> int:
    number = os.fork()
    if number:
        return number
    code = 70
    try:
        _settle_in(Path(order["log"]))
        os.environ.update(killable.as_environment(order["settings"]))
        killable.hurry()
        empty = Path(order["log"]).with_name("empty.env")
        empty.touch()
        code = killable.run(order["arguments"], order["point"], order["passes"], empty)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _settle_in(log: Path) -> None:
    """Take input from nowhere and write to the log."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nowhere, 0), (file, 1), (file, 2)):
        os.dup2(source, target)
    os.close(nowhere)
    os.close(file)


def _bury(living: set[int], *, wait: bool = False) -> None:
    """Tell of those that ended."""
    for number in sorted(living):
        found, status = os.waitpid(number, 0 if wait else os.WNOHANG)
        if found:
            living.discard(number)
            with contextlib.suppress(BrokenPipeError):
                _tell(ended=number, code=os.waitstatus_to_exitcode(status))


def _warm_up() -> None:
    """Import and make, once for all lives, what each would import and make at its start."""
    registry.discover(commands)
    for name in ("httpcore", "anyio._backends._asyncio"):
        importlib.import_module(name)
    # Telegram and the node are plain HTTP here, but each client reads the certificates of the world at its birth.
    setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))  # noqa: B010
    httpx.AsyncHTTPTransport()
    gc.collect()
    gc.freeze()


def _orders() -> None:
    _warm_up()
    living: set[int] = set()
    waiting = b""
    while True:
        ready, _, _ = select.select([0], [], [], _LOOK_SECONDS if living else None)
        _bury(living)
        if not ready:
            continue
        read = os.read(0, 65_536)
        if not read:
            break
        *lines, waiting = (waiting + read).split(b"\n")
        for line in lines:
            number = _fork(json.loads(line))
            living.add(number)
            _tell(born=number)
    for number in living:
        os.kill(number, signal.SIGKILL)
    _bury(living, wait=True)


if __name__ == "__main__":
    _orders()
