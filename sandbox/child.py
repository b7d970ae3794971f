"""The bot as a process of its own, started again whenever it dies: ``kill -9`` is part of the game."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel

_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 10.0
_STEADY_SECONDS: Final = 5.0
_GRACE_SECONDS: Final = 15.0
_SET_DEATH_SIGNAL: Final = 1
"""Linux' prctl: the signal that a process gets when its parent dies."""


class BotView(BaseModel):
    """How the bot's process is."""

    running: bool
    pid: int | None
    starts: int
    last_exit: int | None


class Child:
    """Runs a program until ``stop``; its output goes to the end of a file."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
    ) -> None:
        self._command = command
        self._environment = environment
        self._directory = directory
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self.starts = 0
        self.last_exit: int | None = None

    @property
    def pid(self) -> int | None:
        """The process's number, None while none runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else None

    async def run(self) -> None:
        """Start the program, again and again with growing pauses when it dies young; return after ``stop``."""
        pause = _PAUSE_SECONDS
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            await self._once()
            steady = asyncio.get_running_loop().time() - began > _STEADY_SECONDS
            pause = _PAUSE_SECONDS if steady else min(2 * pause, _LONGEST_PAUSE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    async def stop(self) -> None:
        """Ask the program to end, insist after a while, and start it no more."""
        self._stopping.set()
        if self.pid is None or self._process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def kill(self) -> bool:
        """Kill the program as a power cut would; tell whether it ran."""
        return self._signal(signal.SIGKILL)

    def last_words(self, lines: int = 20) -> str:
        """Return the end of what the program wrote."""
        with contextlib.suppress(OSError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    async def _once(self) -> None:
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=dict(self._environment),
                cwd=self._directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # the terminal's Ctrl-C is for the sandbox, which then asks this one to end
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self.starts += 1
        self.last_exit = await self._process.wait()

    def _signal(self, number: signal.Signals) -> bool:
        if self.pid is None or self._process is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        return True


def _die_with_parent() -> None:
    """End with SIGTERM when the sandbox itself is killed, so that no bot is left behind."""
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)


def bare_environment() -> dict[str, str]:
    """Return this process's environment without any setting of the bot: the sandbox's bot gets its own."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("MONETA_")}


def router(child: Child) -> APIRouter:
    """Return the endpoints that look at the bot's process and kill it."""
    api = APIRouter(tags=["faults"])

    async def bot() -> BotView:
        """Tell whether the bot runs."""
        return BotView(
            running=child.pid is not None, pid=child.pid, starts=child.starts, last_exit=child.last_exit
        )

    async def kill() -> BotView:
        """Kill the bot with SIGKILL; it starts again by itself."""
        child.kill()
        return await bot()

    api.add_api_route("", bot, methods=["GET"], operation_id="bot_state")
    api.add_api_route("/kills", kill, methods=["POST"], operation_id="kill_bot")
    return api
