"""What arrived for nobody: how much of it goes, to whom, and on whose word."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
    Mistake(
        "an assignment exceeds its row",
        24,
        (Edit("ledger/unclaimed.py", "    if part > row.remaining:\n", "    if False:\n"),),
        "the database refuses it, and the program stops",
    ),
    Mistake(
        "what was assigned is not counted down",
        4,
        (
            Edit(
                "ledger/unclaimed.py",
                '        draft.write(Row(_SQL["assign"], _row_of(part, number, draft.view.now), changes=1))\n',
                "        _row_of(part, number, draft.view.now)\n",
            ),
        ),
        "the row that says why is what the database counts down by",
    ),
    Mistake(
        "a signature serves twice",
        24,
        (Edit("ledger/challenges.py", "    if challenge.used_at is not None:\n", "    if False:\n"),),
        "a claim leaves nothing to take a second time; what shows is that nobody is told so",
    ),
    Mistake(
        "a signature serves whoever sends it",
        24,
        (
            Edit(
                "ledger/challenges.py",
                "    if challenge is None or challenge.account != claim.account:\n",
                "    if challenge is None:\n",
            ),
            Edit(
                "ledger/sql/unclaimed.sql",
                "WHERE account = ? AND purpose = 'deposit'",
                "WHERE ? > 0 AND purpose = 'deposit'",
            ),
            Edit(
                "ledger/sql/unclaimed.sql",
                "WHERE nonce = :nonce AND account = :account AND",
                "WHERE nonce = :nonce AND :account > 0 AND",
            ),
        ),
        "command, book and statement each ask for the person; without them the database refuses, and the program stops",
    ),
    Mistake(
        "any key signs for any address",
        128,
        (
            Edit(
                "chain/adr36.py",
                "    if encode(prefix, key_address(key)) != address:\n",
                "    if False:\n",
            ),
        ),
    ),
    Mistake(
        "members assign",
        12,
        (
            Edit(
                "bot/commands/assign.py",
                "    role=Role.ADMIN,\n",
                "",
            ),
            Edit(
                "bot/commands/assign.py",
                "from ledger.roles import Role\n",
                "",
            ),
            Edit(
                "ledger/unclaimed.py",
                "    role = require_role(view, by, Role.ADMIN)\n",
                "    role = require_role(view, by, Role.MEMBER)\n",
            ),
        ),
        "the registry and the book both ask for the role",
    ),
)
