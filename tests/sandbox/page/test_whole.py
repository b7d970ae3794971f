"""``moneta sandbox`` as people run it: one program, real sockets, the bot as it is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.page.running import Sandbox

ANA, BEN = 5_550_002, 5_550_003


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path / "kept")
    yield sandbox
    sandbox.kill()


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
        again.close()
