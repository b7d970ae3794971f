"""What is believed of a node, and who may write it into the books."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
    Mistake(
        "lease without fencing token",
        40,
        (
            Edit(
                "ledger/leases.py",
                '    if not rows or rows[0]["fence"] != fence.token or rows[0]["holder"] != fence.holder:\n',
                "    if not rows:\n",
            ),
            Edit(
                "ledger/blocks.py",
                "    if cursor is not None and facts.height <= cursor.height:\n        return Decision(outcome=False)\n"
                "    if cursor is None or facts.height != cursor.height + 1:\n",
                "    if cursor is None:\n",
            ),
        ),
        "the cursor alone would keep a second scanner away",
    ),
    Mistake(
        "cursor in another transaction",
        16,
        (
            Edit(
                "ledger/blocks.py",
                "        unit = Unit(lambda view: decide_block(view, fence, facts, self.listed))\n"
                "        return await self._journal.submit(unit, Lane.SYSTEM)\n",
                "        def posted(view: View) -> Decision[bool]:\n"
                "            done = decide_block(view, fence, facts, self.listed)\n"
                "            kept.extend(done.rows[-1:])\n"
                "            return Decision(done.outcome, done.entries, done.rows[:-1])\n"
                "        kept: list[Row] = []\n"
                "        await self._journal.submit(Unit(posted), Lane.SYSTEM)\n"
                "        return await self._journal.submit(Unit(lambda view: Decision(True, (), tuple(kept[-1:]))), Lane.SYSTEM)\n",
            ),
            Edit("ledger/deposits.py", "        if arrival.identity not in seen:\n", "        if True:\n"),
        ),
        "what was credited before is passed over as well; without that the key of the entry stops the program",
    ),
    Mistake(
        "results believed without their hash",
        12,
        (
            Edit(
                "chain/lightclient.py",
                "    if results_hash(outcomes) != successor.last_results_hash:\n",
                "    if False:\n",
            ),
        ),
    ),
    Mistake(
        "transactions believed without their hash",
        24,
        (
            Edit(
                "chain/lightclient.py", "    if data_hash(body.txs) != header.data_hash:\n", "    if False:\n"
            ),
            Edit(
                "chain/lightclient.py",
                "    if results_hash(outcomes) != successor.last_results_hash:\n",
                "    if False:\n",
            ),
        ),
        "a transaction too many has a result too many",
    ),
    Mistake(
        "proofs of balances go unchecked",
        12,
        (
            Edit(
                "chain/provedstates.py",
                "    if answer.value:\n        verify_membership",
                "    if answer.value:\n        return _Proved(block.app_hash, answer.value)\n        verify_membership",
            ),
        ),
    ),
    Mistake(
        "signatures of blocks go unchecked",
        16,
        (
            Edit(
                "chain/light/commit.py",
                "    power = 0\n    for validator, slot in votes:\n",
                "    return\n    for validator, slot in votes:\n",
            ),
        ),
    ),
)
