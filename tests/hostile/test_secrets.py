"""The real program with everything that can go wrong, and then no secret in anything that it wrote or would show."""

import asyncio
import base64
import contextlib
import gc
import json
import pickle
import sqlite3
import sys
import traceback
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from bip_utils import Bip39SeedGenerator

from bot.settings import Settings, SettingsError, load
from bot.transport import Telegram
from chain.client import NodeClient
from chain.wallet import Wallet
from sandbox.node.node import SANDBOX_PARAMETERS
from sandbox.node.people import Output, SpelledCoin
from sandbox.telegram import Chat, Fault, User
from tests.hostile.leaks import Secrets
from tests.scenarios.killable import as_environment
from tests.scenarios.killmatrix import ROOT
from tests.scenarios.nursery import Life, Nursery, nursery
from tests.scenarios.town import DEADLINE_SECONDS, DENOM, JUNO, Town, served, town

MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow"
WRONG_MNEMONIC = "zebra abandon zone ability zoo able yard about year above young absent"
WRONG_TOKEN = "7000000009:AAF-nobody_gave-this-token-0000000000"
NODE_KEY = "nodekey-5f3a9c1e77d24b08"
WALLET = Wallet.from_mnemonic(MNEMONIC, SANDBOX_PARAMETERS)
SEED = bytes(Bip39SeedGenerator(MNEMONIC).Generate())
LEAKY = """
import sys, structlog
from bot import cli
from chain.wallet import Wallet
honest = Wallet.from_mnemonic.__func__
def leaky(kind, mnemonic, parameters):
    structlog.get_logger().error("wallet.made", words=mnemonic.split()[3:6])
    return honest(kind, mnemonic, parameters)
Wallet.from_mnemonic = classmethod(leaky)
sys.exit(cli.main(sys.argv[1:]))
"""
"""The program with a mistake: it logs three words, too few for the redactor to know them."""


def secrets_of(token: str) -> Secrets:
    return Secrets((MNEMONIC, WRONG_MNEMONIC), (WALLET._private_key, SEED), (token, WRONG_TOKEN, NODE_KEY))


@dataclass
class Desk:
    """A directory in which lives of the program leave what they write, and the town around it."""

    place: Town
    url: str
    directory: Path
    lives: Nursery
    secrets: Secrets
    logs: int = 0

    def settings(self, **changed: str) -> dict[str, str]:
        node = f"{self.url}/node?key={NODE_KEY}"
        loud = {"log_level": "DEBUG", "log_format": "json", "mnemonic": MNEMONIC, "nodes": node}
        return {**self.place.settings(self.url), **loud, **changed}

    async def start(self, *arguments: str, **changed: str) -> Life:
        """Start ``moneta`` with ``arguments``; what it writes goes to a log of its own."""
        log = self.directory / f"log-{self.logs}"
        self.logs += 1
        return await self.lives.start(self.settings(**changed), log, *arguments)

    async def run(self, *arguments: str, **changed: str) -> int:
        """Run ``moneta`` until it ends, and return its exit code."""
        life = await self.start(*arguments, **changed)
        return await life.ended(DEADLINE_SECONDS)

    def log(self, number: int = -1) -> str:
        return (self.directory / f"log-{range(self.logs)[number]}").read_text()

    def found(self) -> list[str]:
        """Return every secret in every file that the program wrote."""
        return self.secrets.found_under(self.directory)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with town(tmp_path) as place, served(place) as url, nursery(ROOT) as lives:
        yield Desk(place, url, tmp_path, lives, secrets_of(place.account.token))


async def deposit(place: Town, who: User, amount: int, memo: str) -> None:
    await place.node.wait_height(place.node.height + 1)
    coins = (SpelledCoin(DENOM, str(amount)),)
    place.node.send(place.node.purse(str(who.id)), [Output(WALLET.address, coins)], memo=memo.encode())


async def live(desk: Desk) -> tuple[User, Chat]:
    """Let members and peers do what they do: deposits, payouts, nonsense, and every kind of failure around it."""
    place = desk.place
    ana, chat = place.person("Ana")
    ben, other = place.person("Ben")
    for who, where in ((ana, chat), (ben, other)):
        place.telegram.say(who, where, "/start")
        await place.heard(who, where, "Welcome")
    await deposit(place, ana, 10 * JUNO, str(ana.id))
    await deposit(place, ana, JUNO, "no memo of ours")
    await place.until(lambda: place.balance(ana) == 10 * JUNO)
    for words in (
        "/deposit",
        "/send 1e9 @nobody",
        "/withdraw 5 nowhere",
        "/withdraw 5 " + "x" * 900,
        "/history",
    ):
        place.telegram.say(ana, chat, words)
    await place.quiet()
    await withdraw(place, ana, chat)
    await trouble(place, ana, chat)
    return ana, chat


async def withdraw(place: Town, ana: User, chat: Chat) -> None:
    abroad = place.node.purse("abroad").address
    place.telegram.say(ana, chat, f"/withdraw 3 {abroad} a memo")
    question = await place.heard(ana, chat, abroad)
    place.telegram.tap(ana, question, row=0)
    await place.until(lambda: place.on_chain(abroad) == 3 * JUNO)


REFUSED = (
    Fault("refuse", "sendMessage", code=401, description="Unauthorized"),
    Fault("refuse", "sendMessage", code=500),
    Fault("garbage", "sendMessage"),
    Fault("refuse", "getUpdates", code=401, description="Unauthorized"),
    Fault("garbage", "getUpdates"),
    Fault("lost_reply", "getUpdates"),
    Fault("refuse", "getUpdates", code=409, description="Conflict: terminated by other getUpdates request"),
)
TROUBLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"status": 500}, "chain.unavailable"),
    ({"garbage": True}, "chain.unavailable"),
    ({"lose_reply": True}, "chain.unavailable"),
    ({"flip_codes": True}, "node.lied"),
    ({"chain_id": "other-1"}, "chain.halted"),
)
"""What a node does, and the alert by which the program shows that it met it.

The other chain comes last: its blocks may be met as lies, and a node's lies are told once.
"""


async def trouble(place: Town, ana: User, chat: Chat) -> None:
    """Each fault of Telegram while something is said, each fault of the node while blocks come."""
    for fault in REFUSED:
        place.telegram.faults.add(replace(fault))
        place.telegram.say(ana, chat, "/balance")
        await place.until(lambda: not place.telegram.faults.waiting)
    for faults, alert in TROUBLES:
        await meet(place, ana, faults, alert)
    await place.quiet()


async def meet(place: Town, ana: User, faults: Mapping[str, Any], alert: str) -> None:
    """Let the node do what it should not until the program says so, and then until it has gone on."""
    before = alerts(place, alert)
    place.node.faults["main"].switch(**faults)
    await deposit(place, ana, JUNO, str(ana.id))
    await place.until(lambda: alerts(place, alert) > before)
    place.node.faults["main"].clear()
    height = place.node.height
    await place.until(lambda: (place.scanned() or 0) >= height)


def alerts(place: Town, alert: str) -> int:
    sql = "SELECT count(*) FROM outbox WHERE event = 'alert.raised' AND facts ->> 'alert' = ?"
    return int(place.books.select(sql, (alert,))[0][0])


def falsify(database: Path) -> None:
    """Change balances behind the program's back, and forget that members may pay each other."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE user_balances SET balance = balance + 1 WHERE user_id > 0")
        guards = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'kinds'"
        for (guard,) in connection.execute(guards).fetchall():
            connection.execute(f'DROP TRIGGER "{guard}"')
        connection.execute("DELETE FROM kinds WHERE kind = 'transfer'")


@pytest.mark.slow
async def test_nothing_that_the_program_writes_shows_a_secret(desk: Desk) -> None:
    running = await desk.start("run")
    await desk.place.opened()
    ana, chat = await live(desk)
    assert await desk.run("backup", str(desk.directory / "copy.sqlite3")) == 0, desk.log()
    assert await desk.run("check") == 0, desk.log()
    assert desk.found() == [], "while it runs, the -wal among the files"
    falsify(desk.place.database)
    desk.place.telegram.say(ana, chat, "/send 1 @ben")
    assert await running.ended(DEADLINE_SECONDS) == 4, desk.log(0)[-2000:]
    assert await desk.run("audit") == 4
    assert "Traceback" in desk.log(0), "errors were told in full"
    assert desk.found() == []


@pytest.mark.slow
async def test_no_start_that_fails_shows_a_secret(desk: Desk) -> None:
    """A token that nobody gave, words that are no mnemonic, a node that is none, and settings that are wrong."""
    assert await desk.run("run", telegram_token=WRONG_TOKEN) == 5, desk.log()
    assert (
        await desk.run("check", telegram_token=WRONG_TOKEN, nodes=f"http://127.0.0.1:9/?key={NODE_KEY}") == 5
    )
    assert await desk.run("run", mnemonic=WRONG_MNEMONIC) == 2, desk.log()
    assert await desk.run("run", telegram_token=WRONG_TOKEN + "!") == 2, desk.log()
    assert await desk.run("run", nodes=f"ftp://{NODE_KEY}@host/") == 2, desk.log()
    assert desk.found() == []


@pytest.mark.slow
async def test_a_leak_of_the_program_is_found(tmp_path: Path) -> None:
    """What the scan is worth: three words in one line of the log, of a program that did not even start."""
    async with town(tmp_path) as place, served(place) as url:
        settings = {**place.settings(url), "telegram_token": WRONG_TOKEN, "mnemonic": MNEMONIC}
        empty = tmp_path / "empty.env"
        empty.touch()
        with (tmp_path / "log-0").open("wb") as log:
            command = (sys.executable, "-c", LEAKY, "run", "--env-file", str(empty))
            leaking = await asyncio.create_subprocess_exec(
                *command, env=as_environment(settings), stdout=log, stderr=log
            )
            assert await asyncio.wait_for(leaking.wait(), DEADLINE_SECONDS) == 5
        assert "log-0: mnemonic 0, word 4" in secrets_of(place.account.token).found_under(tmp_path)


KEY = WALLET._private_key
TOKEN = "7000000001:AAH-secret-part_of-the-token-000000"


@pytest.mark.parametrize(
    "leak",
    [
        pytest.param(b"... wave sausage worth ...", id="three words"),
        pytest.param(b'["Useful", "legal", "WINNER"]', id="three words of a list"),
        pytest.param(b"thank%20year%0Awave", id="three words of an address"),
        pytest.param(b"\x00" + KEY + b"\x00", id="the key as bytes"),
        pytest.param(KEY.hex().upper().encode(), id="the key in hexadecimal"),
        pytest.param(repr(b"x" + KEY).encode(), id="the key as Python shows it"),
        pytest.param(base64.b64encode(KEY), id="the key in base64"),
        pytest.param(base64.b64encode(b"k" + KEY + b"z"), id="the key within base64"),
        pytest.param(base64.urlsafe_b64encode(b"ke" + SEED), id="the seed within base64 of addresses"),
        pytest.param(str(int.from_bytes(KEY, "big")).encode(), id="the key as a number"),
        pytest.param(f"https://host/bot{TOKEN}/getMe".encode(), id="the token in an address"),
        pytest.param(quote(TOKEN, safe="").encode(), id="the token percent-encoded"),
        pytest.param(TOKEN.partition(":")[2].encode(), id="the secret part of the token"),
        pytest.param(f"/node?key={NODE_KEY}".encode(), id="the key of a node"),
        pytest.param(bytes(1_000_000) + KEY + bytes(1_000_000), id="the key between millions of zeros"),
    ],
)
def test_a_planted_leak_is_found(tmp_path: Path, leak: bytes) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file-wal").write_bytes(b"innocent\n" + leak + b"\ninnocent")
    assert secrets_of(TOKEN).found_under(tmp_path)


def test_other_text_is_no_leak() -> None:
    assert (
        secrets_of(TOKEN).found_in("legal winner thanks you; the wave of the year is worth a sausage") == []
    )


# What the program would show of itself


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(Settings, None, **given(tmp_path))


def given(directory: Path) -> Mapping[str, Any]:
    return {
        "telegram_token": TOKEN,
        "owners": "77",
        "chain_id": "uni-7",
        "nodes": f"https://node.example/?key={NODE_KEY}",
        "mnemonic": MNEMONIC,
        "database": str(directory / "books.sqlite3"),
    }


def test_no_object_shows_a_secret(settings: Settings) -> None:
    wallet = settings.wallet
    node = NodeClient("node 1", settings.nodes[0])
    telegram = Telegram(TOKEN)
    library = telegram._bot  # the library's own repr begins with the token
    shown = [
        form(each)
        for each in (wallet, node, telegram, library)
        for form in (repr, str, "{}".format, "{!r:>9}".format)
    ]
    # A dump is for writing settings down, and addresses of nodes are settings; only what is shown must hide their keys.
    dumped = settings.model_copy(update={"nodes": ()})
    shown += [
        repr(settings),
        str(settings),
        dumped.model_dump_json(),
        str(dumped.model_dump()),
        str(settings.parameters),
    ]
    assert secrets_of(TOKEN).found_in("\n".join(shown)) == []


def test_a_wallet_and_its_parts_cannot_be_written_out(settings: Settings) -> None:
    wallet = settings.wallet
    for write in (pickle.dumps, json.dumps, vars):
        with pytest.raises(TypeError):
            write(wallet)


async def test_no_object_of_a_running_program_shows_a_secret(tmp_path: Path) -> None:
    """Everything of ours that is alive while the program runs, as a debugger or a log line would show it."""
    async with town(tmp_path) as place:
        await place.start()
        secrets = Secrets((place.settings()["mnemonic"],), (), (place.account.token,))
        ours = [
            each
            for each in gc.get_objects()
            if type(each).__module__.startswith(("bot.", "chain.", "ledger."))
        ]
        kinds = {type(each).__name__ for each in ours}
        assert {"Settings", "World", "Wallet", "Sender", "Telegram", "NodeClient", "Bank"} <= kinds
        assert [type(each).__name__ for each in ours if secrets.found_in(repr(each))] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mnemonic", WRONG_MNEMONIC),
        ("mnemonic", MNEMONIC + " " + MNEMONIC),
        ("telegram_token", WRONG_TOKEN + " "),
        ("telegram_token", 'x"' + WRONG_TOKEN),
        ("hd_path", "no path"),
        ("owners", "nobody"),
        ("nodes", f"ftp://{NODE_KEY}/"),
        ("nodes", f"https://{NODE_KEY}@node.example/"),
    ],
)
def test_no_refusal_of_settings_shows_a_secret(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(Settings, None, **{**given(tmp_path), name: value})
    told = "".join(traceback.format_exception(caught.value))
    assert secrets_of(TOKEN).found_in(told) == []
