"""Much at once: limits of a day, and the second admin's word."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
    Mistake(
        "limits are checked before the commit, not at it",
        32,
        (
            Edit(
                "ledger/withdrawals.py",
                "    require_within(view, view.now, Wish(request.account, request.denom, request.amount), terms.limits)\n",
                "",
            ),
        ),
        "the question was asked within the limit, and answered when another had used it up",
    ),
    Mistake(
        "what came back counts as taken",
        32,
        (
            Edit(
                "ledger/sql/limits.sql",
                "WHERE denom = :denom AND requested_at BETWEEN :since AND :until AND state NOT IN ('returned', 'cancelled')\n",
                "WHERE denom = :denom AND requested_at BETWEEN :since AND :until\n",
            ),
        ),
    ),
    Mistake(
        "one's own withdrawal can be approved",
        24,
        (
            Edit(
                "ledger/approvals.py",
                '    if by.account in (asked.account, *(row["actor"] for row in view.select(_ASKER, (withdrawal,)))):\n',
                "    if False:\n",
            ),
            Edit(
                "migrations/0005_approvals.sql",
                "    WHERE withdrawals.id = NEW.withdrawal AND NEW.actor IN (withdrawals.account, transactions.actor)\n",
                "    WHERE FALSE\n",
            ),
        ),
        "book and database both forbid it",
    ),
    Mistake(
        "whoever sits in the office may approve",
        24,
        (
            Edit(
                "ledger/approvals.py",
                "    role = require_role(view, by, Role.ADMIN)\n",
                "    role = Role.ADMIN\n",
            ),
            Edit("bot/calls.py", "    if call.context.role < call.needs:\n", "    if False:\n"),
            Edit(
                "bot/slips.py",
                "            require_role(view, self.actor, self.needs)\n",
                "            pass\n",
            ),
        ),
        "the role is looked up at the press and twice when it commits",
    ),
    Mistake(
        "nothing waits for approval",
        12,
        (
            Edit(
                "ledger/limits.py",
                "    return limits.approval_above is not None and amount > limits.approval_above\n",
                "    return False\n",
            ),
        ),
    ),
    Mistake(
        "a rejected withdrawal is paid",
        24,
        (
            Edit(
                "ledger/approvals.py",
                "    outcome = _approve(draft, asked, told) if verdict is Verdict.APPROVED else _reject(draft, asked, by)\n",
                "    outcome = _approve(draft, asked, told)\n",
            ),
            Edit(
                "migrations/0005_approvals.sql",
                "    AND NOT EXISTS (SELECT 1 FROM approvals WHERE withdrawal = OLD.id AND verdict = 'approved')\n",
                "    AND NOT EXISTS (SELECT 1 FROM approvals WHERE withdrawal = OLD.id)\n",
            ),
        ),
        "the database lets nothing out without an approval",
    ),
    Mistake(
        "a verdict without its line in the log",
        12,
        (
            Edit(
                "ledger/approvals.py",
                "    draft.write(logged(by, role, order, view.now))\n",
                "    del order\n",
            ),
        ),
    ),
    Mistake(
        "the office is asked about the amount with the fee",
        12,
        (
            Edit(
                "bot/commands/approvals.py",
                'facts = {**facts_of(asked), "who": who, "choices"',
                'facts = {**facts_of(asked), "amount": asked.held, "who": who, "choices"',
            ),
        ),
    ),
)
