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
        48,
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
        24,
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
    Mistake(
        "what is frozen is signed",
        12,
        (
            Edit(
                "chain/sender.py",
                "        return [each for each in queued if freeze_of(self._reader, each.account) is None]\n",
                "        return list(queued)\n",
            ),
            Edit(
                "ledger/payments.py",
                "    if any(freeze_of(view, each.account) for each in paid):\n",
                "    if any(freeze_of(view, each.account) for each in paid if each.account <= 0):\n",
            ),
        ),
        "sender and book both look",
    ),
    Mistake(
        "withdrawals go on while money commands rest",
        8,
        (
            Edit(
                "bot/commands/withdraw.py",
                "    moves_money=True,\n",
                "    asks_when_old=True,\n",
            ),
        ),
    ),
    Mistake(
        "coins leave the treasury and nobody is alerted",
        4,
        (
            Edit(
                "ledger/treasury.py",
                '        alert("treasury.sent", facts, view.now),\n',
                "",
            ),
            Edit(
                "ledger/treasury.py",
                "from ledger.alerts import alert\n",
                "",
            ),
        ),
    ),
)
