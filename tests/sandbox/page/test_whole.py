"""``moneta sandbox`` as people run it: one program, real sockets, the bot as it is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[3]
ANA, BEN = 5_550_002, 5_550_003
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
        greeting = self.process.stdout.readline()
        self.http = httpx.Client(base_url=greeting.split()[-1], timeout=30)

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


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path / "kept")
    yield sandbox
    with suppress(ProcessLookupError):
        sandbox.process.kill()
    sandbox.process.wait(30)
    assert sandbox.process.stdout is not None
    sandbox.process.stdout.close()


@pytest.mark.slow
def test_coins_go_in_around_and_out(sandbox: Sandbox, tmp_path: Path) -> None:
    """A deposit, a transfer in the group, a kill, a withdrawal; then it ends cleanly and stands again with its chats."""
    group, ana, ben = sandbox.chat(ANA, 0), sandbox.chat(ANA, 1), sandbox.chat(BEN, 1)
    for private in (ana, ben):
        sandbox.post(private, {"text": "/start"})
        sandbox.reads(private, "Welcome")

    sandbox.post(f"people/{ANA}/wallet/deposits", {"amount": 20_000_000, "memo": str(ANA)})
    sandbox.until(lambda: sandbox.owned(ANA) == 20_000_000)

    hello = sandbox.post(sandbox.chat(BEN, 0), {"text": "hello"})
    sandbox.post(group, {"text": "/send 2.5", "reply_to": hello["message_id"]})
    sandbox.until(lambda: sandbox.owned(BEN) == 2_500_000)

    killed = sandbox.get("bot")["pid"]
    sandbox.post("bot/kills")
    sandbox.until(lambda: sandbox.get("bot")["pid"] not in (None, killed))

    before = sandbox.get(f"people/{BEN}/wallet")
    sandbox.post(ben, {"text": f"/withdraw 1 {before['address']}"})
    asked = sandbox.reads(ben, "Withdraw 1 JUNO")
    sandbox.post(f"{ben}/{asked['ref']}/taps")
    sandbox.until(lambda: sandbox.get(f"people/{BEN}/wallet")["amount"] == before["amount"] + 1_000_000)
    sandbox.until(lambda: sandbox.get("chain")["agrees"])
    assert sandbox.owned(BEN) < 1_500_000

    bot = sandbox.get("bot")["pid"]
    assert sandbox.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(bot, 0)

    again = Sandbox(tmp_path / "kept", "--no-bot")
    try:
        assert any("Welcome" in message["text"] for message in again.get(again.chat(ANA, 1)))
        assert again.get("chain")["agrees"]
    finally:
        assert again.stop() == 0
        assert again.process.stdout is not None
        again.process.stdout.close()
