"""Fines, jails and bail: what a bank of a group must not get wrong when somebody is to pay for being free."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

_BAIL: Final = """    if standing.state != "serving":
        raise Refused("jail_ended", jail=number, state=standing.state)
    if view.now >= standing.until_at:
        raise Refused("jail_over", jail=number)
"""
_ONCE: Final = """WHEN OLD.state <> 'serving' OR (OLD.id, OLD.person, OLD.from_at"""

MISTAKES: Final = (
    Mistake(
        "bail charged after the end",
        6,
        (
            Edit(
                "ledger/jails.py",
                '    if view.now >= standing.until_at:\n        raise Refused("jail_over", jail=number)\n',
                "",
            ),
            Edit(
                "ledger/jails.py",
                'books.select(SQL["due"], (now, limit))',
                'books.select(SQL["due"], (now - 20_000, limit))',
            ),
            Edit(
                "migrations/0007_penalties.sql",
                "    CHECK (state <> 'served' OR ended_at >= until_at),\n    CHECK (state <> 'bailed' OR ended_at < until_at)\n",
                "    CHECK (state <> 'served' OR ended_at >= until_at)\n",
            ),
        ),
        "the database keeps the rule, too; and a ticker that is late leaves a moment for it",
    ),
    Mistake(
        "freed without a charge",
        4,
        (
            Edit(
                "ledger/jails.py",
                'draft.write(_ended(view, standing, "bailed", payer, posting=first), *_freeing(view, jail, told))\n'
                "    return Decision(jail, tuple(draft.entries), tuple(draft.rows))",
                'draft.write(_ended(view, standing, "released", payer), *_freeing(view, jail, told))\n'
                "    return Decision(jail, (), tuple(draft.rows))",
            ),
        ),
    ),
    Mistake(
        "a jail ended by a clock outside of the writer",
        4,
        (
            Edit(
                "ledger/jails.py",
                '    if view.now < standing.until_at:\n        raise Refused("jail_not_over", jail=number)\n',
                "",
            ),
            Edit(
                "ledger/jails.py",
                'books.select(SQL["due"], (now, limit))',
                'books.select(SQL["due"], (now + 20_000, limit))',
            ),
            Edit(
                "migrations/0007_penalties.sql",
                "    CHECK (state <> 'served' OR ended_at >= until_at),\n",
                "",
            ),
        ),
        "the reader's clock is ahead of the writer's",
    ),
    Mistake(
        "two friends charged",
        4,
        (
            Edit("ledger/jails.py", _BAIL, ""),
            Edit("migrations/0007_penalties.sql", _ONCE, "WHEN (OLD.id, OLD.person, OLD.from_at"),
            Edit(
                "ledger/sql/penalties.sql",
                "ended_by = :by, ended_at = :at\nWHERE id = :id AND state = 'serving'",
                "ended_by = :by, ended_at = :at\nWHERE id = :id",
            ),
        ),
        "the database ends a jail once, too",
    ),
    Mistake(
        "a shorter jail in the place of a longer",
        4,
        (
            Edit(
                "ledger/jails.py",
                "    if standing is not None and standing.until_at >= until:\n",
                "    if False:\n",
            ),
            Edit(
                "migrations/0007_penalties.sql",
                "successor = NEW.id AND until_at > NEW.until_at\n",
                "successor = NEW.id AND 0\n",
            ),
        ),
        "the database keeps the rule, too",
    ),
    Mistake(
        "rights tried once",
        6,
        (
            Edit(
                "bot/rights.py",
                'return Verdict("pending", why=str(error), wait_ms=wait_ms, rows=rows)',
                'return Verdict("sent", rows=rows[1:])',
            ),
        ),
    ),
    Mistake(
        "anybody jails",
        6,
        (
            Edit(
                "ledger/violations.py",
                "    role = Role.MEMBER if case.rule is not None else require_role(view, case.by, Role.ADMIN)\n",
                "    role = Role.MEMBER\n",
            ),
            Edit(
                "bot/commands/jail.py",
                '    "<who> <duration> [bail] [reason]",\n    role=Role.ADMIN,\n',
                '    "<who> <duration> [bail] [reason]",\n',
            ),
        ),
        "the book looks at the role, too",
    ),
    Mistake(
        "who fines is told instead of who is fined",
        4,
        (
            Edit(
                "ledger/fines.py",
                'news("person.fined", case.person,',
                'news("person.fined", case.by.account,',
            ),
        ),
    ),
    Mistake(
        "who jails is told instead of who is jailed",
        4,
        (
            Edit(
                "ledger/jails.py",
                'news("person.jailed", case.person,',
                'news("person.jailed", case.by.account,',
            ),
        ),
    ),
    Mistake(
        "who is freed by a friend is not told",
        4,
        (
            Edit(
                "ledger/jails.py",
                "    if jail.ended_by != jail.person:\n",
                "    if jail.ended_by == jail.person:\n",
            ),
        ),
    ),
    Mistake(
        "a notice asks for bail after the end",
        4,
        (
            Edit(
                "ledger/jails.py",
                "    rows = [_card(view, jail), *rights_rows(jail.chat, jail.person, view.now)]\n",
                "    rows = [*rights_rows(jail.chat, jail.person, view.now)]\n",
            ),
        ),
    ),
    Mistake(
        "a penalty without its line in the log",
        4,
        (
            Edit(
                "ledger/violations.py",
                "        rows.append(logged(case.by, role, order, view.now))\n",
                "",
            ),
            Edit(
                "ledger/violations.py",
                "from ledger.adminaudit import Order, checked_reason, logged\n",
                "from ledger.adminaudit import Order, checked_reason\n",
            ),
        ),
    ),
)
