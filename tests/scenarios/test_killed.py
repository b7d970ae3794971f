"""kill -9 where it matters most: the kill matrix with the points of the money, once each, by the code of scripts/killmatrix."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.scenarios.killable import POINTS
from tests.scenarios.killmatrix import ROOT, kill, table

PACKAGES = ("bot", "chain", "ledger", "migrations", "tests")
IMPORTANT = (
    "getUpdates/ANSWERED",
    "updates are kept/COMMITTED",
    "a transfer is made/POSTED",
    "a transfer is made/COMMITTED",
    "a deposit is credited/COMMITTED",
    "a deposit is unclaimed/COMMITTED",
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
        (
            (
                "bot/slips.py",
                "        rows = [inbox.close(self.item, code, view.now)]\n",
                "        rows: list[Row] = []\n",
            ),
            (
                "bot/slips.py",
                (
                    "        if not inbox.is_new(view, self.item):\n"
                    '            raise AnsweredElsewhere(f"inbox {self.item.id}")\n'
                ),
                "",
            ),
            (
                "bot/dispatch.py",
                "            await self._by_deed(item)\n",
                (
                    "            done = inbox.close(item, None, self._clock.now())\n"
                    "            await self._bank.service.journal.submit(Unit(lambda _: Decision(None, rows=(done,))))\n"
                    "            await self._by_deed(item)\n"
                ),
            ),
        ),
        "a transfer is made/BEGIN",
        "Finding(lost=True, text=\"'/send",
    ),
    "a payment is broadcast before it is stored, and never signed alike twice": (
        (
            (
                "chain/sender.py",
                "        await self._payments.store(fence, signed,",
                (
                    "        await self._broadcaster.broadcast(signed.bytes)\n"
                    "        await self._payments.store(fence, signed,"
                ),
            ),
            (
                "chain/sender.py",
                "cursor.height + self._parameters.timeout_blocks,\n            memo",
                "cursor.height + self._parameters.timeout_blocks + self._clock.now() % 1000,\n            memo",
            ),
        ),
        "a payment is stored/BEGIN",
        "Finding(lost=False, text='what juno1",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_planted_mistake_is_caught(tmp_path: Path, mistake: str) -> None:
    patches, point, finding = MISTAKES[mistake]
    counted = await kill(
        tmp_path, [POINTS[point]], "suite", limit_seconds=20, root=copied(tmp_path / "copy", patches)
    )
    assert counted.kills == {POINTS[point]: 1}, counted.findings
    assert any(finding in str(each) for each in counted.findings), counted.findings


def copied(root: Path, patches: Sequence[tuple[str, str, str]]) -> Path:
    """Return ``root`` as another tree of the program, in which ``patches`` change files of one package."""
    root.mkdir()
    patched = patches[0][0].partition("/")[0]
    shutil.copytree(ROOT / patched, root / patched)
    for name in PACKAGES:
        if name != patched:
            (root / name).symlink_to(ROOT / name)
    for file, old, new in patches:
        text = (root / file).read_text()
        assert text.count(old) == 1, f"the mistake does not fit {file} any more: {old}"
        (root / file).write_text(text.replace(old, new))
    return root
