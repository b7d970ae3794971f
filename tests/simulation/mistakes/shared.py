"""Shared accounts: whose word counts, until when, and up to how much."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

UNGUARDED: Final = Edit(
    "migrations/0011_shared.sql",
    "    WHERE account = NEW.account AND person = NEW.person AND state = 'joined' AND role IN ('spend', 'admin')\n",
    "    WHERE account = NEW.account\n",
)
"""Takes away that the database looks who spends."""

MISTAKES: Final = (
    Mistake(
        "a shared spend above the limit of a payment",
        8,
        (
            Edit(
                "ledger/sharedmoney.py",
                "    if limits.per_transaction is not None and amount > limits.per_transaction:\n",
                "    if False:\n",
            ),
        ),
    ),
    Mistake(
        "the limit of a day forgets what was spent before",
        8,
        (
            Edit(
                "ledger/sharedmoney.py",
                "        left = max(0, limits.per_day - spent_lately(books, now, member, denom))\n",
                "        left = limits.per_day\n",
            ),
        ),
    ),
    Mistake(
        "a day of limits begins anew with each minute",
        16,
        (
            Edit(
                "ledger/sharedmoney.py",
                '"denom": denom, **day_around(now)}',
                '"denom": denom, **day_around(now), "since": now - now % 60_000}',
            ),
        ),
        "the calendar's day, in a run that lasts minutes",
    ),
    Mistake(
        "whoever was revoked spends on",
        16,
        (
            UNGUARDED,
            Edit(
                "ledger/sql/shared.sql",
                "WHERE account = ? AND person = ? AND state IN ('invited', 'joined', 'closed')",
                "WHERE account = ? AND person = ? AND state IN ('invited', 'joined', 'closed', 'revoked') ORDER BY id DESC",
            ),
            Edit(
                "ledger/sql/shared.sql",
                "WHERE shared_members.person = ? AND shared_members.state IN ('invited', 'joined', 'closed')",
                "WHERE shared_members.person = ? AND shared_members.state IN ('invited', 'joined', 'closed', 'revoked')",
            ),
            Edit(
                "ledger/shared.py",
                "return self.state in (MembershipState.JOINED, MembershipState.CLOSED)",
                "return self.state is not MembershipState.INVITED",
            ),
        ),
        "book and database both look",
    ),
    Mistake(
        "role and limits are looked at before the commit, not at it",
        32,
        (
            UNGUARDED,
            Edit(
                "ledger/sharedmoney.py",
                "        share = require_member(view, spend.account, spend.by, MemberRole.SPEND)\n",
                "        share = before(view)\n",
            ),
            Edit(
                "ledger/sharedmoney.py",
                '    digest = digest_of({"act": "shared_spend", **spend._asdict()})\n',
                '    digest = digest_of({"act": "shared_spend", **spend._asdict()})\n'
                '    seen = told.get("seen")\n\n'
                "    def before(view: View) -> Share:\n"
                "        return seen or require_member(view, spend.account, spend.by, MemberRole.SPEND)\n",
            ),
            Edit(
                "ledger/sharedmoney.py",
                "    facts = {\n        **told,\n        **facts_of(share.account),\n",
                '    facts = {\n        **{name: told[name] for name in told if name != "seen"},\n        **facts_of(share.account),\n',
            ),
            Edit(
                "bot/commands/shared_money.py",
                "        lambda beside: context.bank.service.shared.spend(context.key, spend, beside, told),\n",
                "        lambda beside: context.bank.service.shared.spend(\n"
                '            context.key, spend, beside, {**told, "seen": require_share(context.bank.service.reader, account.id, context.account)}\n'
                "        ),\n",
            ),
        ),
        "what a reader saw is believed: a part that is ended in the same moment is spent from",
    ),
    Mistake(
        "an invitation is accepted by another",
        16,
        (
            Edit(
                "bot/buttons.py",
                '    if button.owner not in (None, presser):\n        raise Refused("button_not_yours")\n',
                "",
            ),
            Edit(
                "ledger/memberships.py",
                "    if standing is None or standing.person != person or standing.state is not MembershipState.INVITED:\n",
                "    if standing is None or standing.state is not MembershipState.INVITED:\n",
            ),
            Edit(
                "migrations/0011_shared.sql",
                "OR (NEW.state <> OLD.state AND NEW.state IN ('joined', 'declined', 'left') AND NEW.changed_by <> OLD.person)\n",
                "",
            ),
        ),
        "button, book and database all look whose it is",
    ),
    Mistake(
        "the limit of a day counts what all members spent",
        4,
        (
            Edit(
                "ledger/sql/shared.sql",
                "WHERE spent.account = :account AND spent.person = :person AND",
                "WHERE spent.account = :account AND :person > 0 AND",
            ),
        ),
    ),
    Mistake(
        "who ends a part is told instead of who had it",
        4,
        (
            Edit(
                "ledger/memberships.py",
                'news("shared.revoked", person,',
                'news("shared.revoked", by,',
            ),
        ),
    ),
    Mistake(
        "who spends is told instead of who is paid",
        4,
        (
            Edit(
                "ledger/sharedmoney.py",
                'news("shared.received", spend.to,',
                'news("shared.received", spend.by,',
            ),
        ),
    ),
    Mistake(
        "new limits are told, and the old ones hold",
        24,
        (
            Edit(
                "ledger/memberships.py",
                '"id": standing.id, **_values(terms), "by"',
                '"id": standing.id, **_values(Terms(terms.role, standing.limits)), "by"',
            ),
        ),
    ),
    Mistake(
        "a member changes their own limits",
        24,
        (
            Edit(
                "ledger/memberships.py",
                "require_member(view, account, by, MemberRole.ADMIN)\n"
                "    standing = find_membership(view, account, change.person)",
                "require_member(view, account, by, MemberRole.SPEND)\n"
                "    standing = find_membership(view, account, change.person)",
            ),
        ),
    ),
)
