"""Books from a backup: what they must wait for, and what they must recognise in the blocks."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
    Mistake(
        "a replay does not block signing",
        24,
        (
            Edit(
                "ledger/sql/freezes.sql",
                "    UNION ALL SELECT 0, 'restored', NULL FROM restores WHERE replayed_height IS NULL\n",
                "",
            ),
        ),
    ),
    Mistake(
        "a restore leaves no mark",
        16,
        (
            Edit(
                "ledger/backup.py",
                "        _mark(draft, clock.now(), reached, quiet_blocks)\n",
                "",
            ),
        ),
    ),
    Mistake(
        "a replay ends at the tip",
        128,
        (
            Edit(
                "ledger/replay.py",
                "if tip is None or not explained or place.height < max(tip, each.reach_height) + each.quiet_blocks:",
                "if tip is None or not explained or place.height < max(tip, each.reach_height):",
            ),
            Edit(
                "migrations/0004_restores.sql",
                "        AND replayed_height >= max(tip_height, reach_height) + quiet_blocks))\n",
                "        AND replayed_height >= max(tip_height, reach_height)))\n",
            ),
        ),
        "code and database both count the blocks in which lost bytes may execute",
    ),
    Mistake(
        "payments of lost books are a stranger's",
        16,
        (
            Edit(
                "ledger/replay.py",
                "    if not standing_restores(draft.view):\n        return ours\n    used =",
                "    if True:\n        return ours\n    used =",
            ),
        ),
    ),
    Mistake(
        "a lost payment settles nothing that waits",
        24,
        (
            Edit(
                "ledger/replay.py",
                "        paid = _waiting_for(draft, spend, payment, waiting)\n",
                "        paid = None\n",
            ),
        ),
    ),
    Mistake(
        "a lost payment costs no fee",
        16,
        (Edit("ledger/replay.py", "    _spend_fees(draft, place, spend, listed)\n", ""),),
    ),
    Mistake(
        "bytes whose sequence lost books used live on",
        32,
        (
            Edit(
                "ledger/replay.py",
                "    if spend.code == 0 and spend.sequence == attempt.signed.sequence:\n        return True\n",
                "    return False\n",
            ),
            Edit(
                "ledger/replay.py",
                "        passed = [each for each in undecided if each.signed.sequence < proof.proved]\n",
                "        passed: list[OpenTransaction] = []\n",
            ),
        ),
        "a proved sequence that is higher would end them as well",
    ),
    Mistake(
        "what expired during a replay is returned",
        32,
        (
            Edit(
                "ledger/inclusions.py",
                "    if passed and not is_replaying(draft.view):\n",
                "    if passed:\n",
            ),
        ),
        "as it was until a seed found it: the lost books may have signed later bytes for the same sequence",
    ),
)
