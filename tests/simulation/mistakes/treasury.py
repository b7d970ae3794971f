"""What people with a rank order: when the rank is looked up, what rests, whose withdrawals are frozen."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
    Mistake(
        "role checked when the button was made",
        16,
        (
            Edit(
                "bot/calls.py",
                "        needs = command.role_of(button.action)\n",
                "        needs = Role.MEMBER\n",
            ),
            Edit(
                "ledger/treasury.py",
                "    role = require_role(view, by, Role.OWNER)\n",
                "    role = require_role(view, by, Role.MEMBER)\n",
            ),
        ),
        "the book of the treasury looks again",
    ),
    Mistake(
        "role not looked up at the commit",
        16,
        (
            Edit("bot/slips.py", "            require_role(view, self.actor, self.needs)\n", ""),
            Edit(
                "ledger/freezes.py",
                "    role = require_role(view, by, Role.ADMIN)\n",
                "    role = require_role(view, by, Role.MEMBER)\n",
            ),
        ),
        "the book of freezes looks again",
    ),
    Mistake(
        "pause not checked at the commit",
        128,
        (Edit("bot/slips.py", "            if self.rests:\n                require_running(view)\n", ""),),
    ),
    Mistake(
        "a freeze of one freezes everybody",
        8,
        (
            Edit(
                "ledger/freezes.py",
                "freeze for freeze in standing(books) if freeze.account in (None, account)",
                "freeze for freeze in standing(books)",
            ),
        ),
    ),
    Mistake(
        "a freeze of one freezes nobody",
        40,
        (
            Edit(
                "ledger/freezes.py",
                "freeze for freeze in standing(books) if freeze.account in (None, account)",
                "freeze for freeze in standing(books) if freeze.account is None",
            ),
        ),
    ),
    Mistake(
        "an order without its line in the log",
        8,
        (
            Edit(
                "ledger/treasury.py",
                '        logged(by, role, Order("treasury.sent", reason, account, after=paid), view.now),\n',
                "",
            ),
        ),
    ),
)
