"""``moneta check`` looks before anybody leaps."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli import main
from bot.exits import Exit
from ledger.connect import open_writer
from ledger.migrate import migrate
from ledger.ports import Millis
from tests.scenarios.town import served, town


@pytest.mark.parametrize("found", [True, False])
async def test_what_is_fit_to_run_is_told_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, found: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    async with town(tmp_path) as place, served(place) as url:
        migrate(place.database, Millis(0))
        nodes = f"{url}/node" if found else f"{url}/node,{url}/nowhere"
        for name, value in {**place.settings(url), "nodes": nodes}.items():
            monkeypatch.setenv(f"MONETA_{name.upper()}", value)
        code = await asyncio.to_thread(main, ["check"])
    told = capsys.readouterr().out
    assert code == (Exit.DONE if found else Exit.UNREACHABLE)
    assert [line.split(":")[0] for line in told.splitlines()][:4] == [
        "Settings",
        "Database",
        "Telegram",
        "Node 1",
    ]
    assert "@moneta_town_bot" in told
    assert "sandbox-1 at height" in told


async def test_a_node_of_another_chain_is_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    async with town(tmp_path) as place, served(place) as url:
        for name, value in {**place.settings(url), "chain_id": "sandbox-2"}.items():
            monkeypatch.setenv(f"MONETA_{name.upper()}", value)
        code = await asyncio.to_thread(main, ["check"])
    assert code == Exit.UNREACHABLE
    assert "Node 1: it is of the chain sandbox-1, not sandbox-2." in capsys.readouterr().out


async def test_books_of_another_bot_are_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    async with town(tmp_path) as place, served(place) as url:
        migrate(place.database, Millis(0))
        with closing(open_writer(place.database)) as books:
            books.execute("INSERT INTO identity VALUES ('bot_id', '5')")
        for name, value in place.settings(url).items():
            monkeypatch.setenv(f"MONETA_{name.upper()}", value)
        code = await asyncio.to_thread(main, ["check"])
    assert code == Exit.WRONG_DATABASE
    assert "not for this program" in capsys.readouterr().err
