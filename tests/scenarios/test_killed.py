"""kill -9 where it matters most: the kill matrix with the points of the money, once each, by the code of scripts/killmatrix."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bot
from tests.scenarios.killable import POINTS
from tests.scenarios.killmatrix import kill, table

HERE = Path(bot.__file__).parents[1]
COPIED = ("bot", "chain", "ledger", "migrations", "sandbox", "tests", "pyproject.toml")
IMPORTANT = (
    "getUpdates/ANSWERED",
    "updates are kept/COMMITTED",
    "a transfer is made/BEGIN",
    "a transfer is made/POSTED",
    "a transfer is made/COMMITTED",
    "a deposit is credited/POSTED",
    "a deposit is credited/COMMITTED",
    "a deposit is unclaimed/COMMITTED",
    "a withdrawal is requested/POSTED",
    "a withdrawal is requested/COMMITTED",
    "a withdrawal is cancelled/COMMITTED",
    "a payment is stored/POSTED",
    "a payment is stored/COMMITTED",
    "broadcast_tx_sync/ASKED",
    "broadcast_tx_sync/ANSWERED",
    "a payment is confirmed/POSTED",
    "a payment is confirmed/COMMITTED",
    "a payment has failed/COMMITTED",
    "sendMessage/ANSWERED",
    "a role is taken over/COMMITTED",
    "a role is given up/POSTED",
)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_killed_where_it_matters_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    counted = await kill(tmp_path, [POINTS[name] for name in IMPORTANT], "suite")
    assert counted.findings == [], counted.log.read_text()[-5_000:]
    assert sum(counted.kills.values()) == len(IMPORTANT)
    assert f"| {len(IMPORTANT)} | 0 | 0 |" in table(counted)


MISTAKES = {
    "an update is done before its effect, in another transaction": (
        "bot/dispatch.py",
        (
            (
                "        rows = [inbox.close(self.item, code, view.now)]\n",
                "        rows: list[Row] = []\n",
            ),
            (
                (
                    "        if not inbox.is_new(view, self.item):\n"
                    '            raise AnsweredElsewhere(f"inbox {self.item.id}")\n'
                ),
                "",
            ),
            (
                "            await self._by_deed(item)\n",
                (
                    "            done = inbox.close(item, None, self._clock.now())\n"
                    "            await self._bank.service.journal.submit(Unit(lambda _: Decision(None, rows=(done,))))\n"
                    "            await self._by_deed(item)\n"
                ),
            ),
        ),
        "a transfer is made/BEGIN",
        "lost: '/send",
    ),
    "a payment is broadcast before it is stored": (
        "chain/sender.py",
        (
            (
                "        await self._payments.store(fence, signed,",
                (
                    "        await self._broadcaster.broadcast(signed.bytes)\n"
                    "        await self._payments.store(fence, signed,"
                ),
            ),
        ),
        "a payment is stored/BEGIN",
        "doubled: what juno1",
    ),
}


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_caught(tmp_path: Path, mistake: str) -> None:
    file, patches, point, finding = MISTAKES[mistake]
    for name in COPIED:
        source = HERE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    text = (tmp_path / file).read_text()
    for old, new in patches:
        assert text.count(old) == 1, f"the mistake does not fit {file} any more: {old}"
        text = text.replace(old, new)
    (tmp_path / file).write_text(text)
    command = [
        sys.executable,
        "-m",
        "tests.scenarios.killmatrix",
        "--kills",
        "1",
        "--limit",
        "20",
        "--only",
        point,
    ]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    # A kill may come before the mistake has had its chance; five times in a row it does not.
    for _ in range(5):
        ended = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
        )
        if ended.returncode:
            break
    assert ended.returncode == 1, ended.stderr
    assert finding in ended.stdout
