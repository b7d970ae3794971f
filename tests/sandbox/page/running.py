"""``moneta sandbox`` as people run it: one program, real sockets, the bot as it is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[3]
START = "import sys; from sandbox.cli import command; raise SystemExit(command(sys.argv[1:]))"


class Sandbox:
    """A running sandbox and what a person at its page does."""

    def __init__(self, directory: Path, *options: str) -> None:
        given = ("--port", "0", "--block-seconds", "0.3", "--directory", str(directory), *options)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            (sys.executable, "-c", START, *given), stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def get(self, path: str) -> Any:
        return self.http.get(f"/api/{path}").raise_for_status().json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.http.post(f"/api/{path}", json=body or {}).raise_for_status().json()

    def chat(self, person: int, number: int) -> str:
        """Return the path of a chat: 0 is the group, 1 the private one."""
        key = self.get(f"people/{person}/chats")[number]["key"]
        return f"people/{person}/chats/{key}/messages"

    def until(self, look: Callable[[], T]) -> T:
        """Wait for something to come true, looking again after every change."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            version = self.get("changes")["version"]
            self.get(f"changes?after={version}&timeout_seconds=0.3")
        raise TimeoutError(self.get("ledger"))

    def reads(self, chat: str, words: str) -> dict[str, Any]:
        """Wait until the bot says ``words``; return the message."""

        def look() -> list[dict[str, Any]]:
            return [m for m in self.get(chat) if m["sender"]["is_bot"] and words in m["text"]]

        return self.until(look)[0]

    def owned(self, person: int) -> int:
        return sum(row["amount"] for row in self.get("ledger")["balances"] if row["account"] == person)

    def stop(self) -> int:
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """End it, however it stands."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(30)
        self.close()

    def close(self) -> None:
        """Let go of what it printed."""
        assert self.process.stdout is not None
        self.process.stdout.close()
