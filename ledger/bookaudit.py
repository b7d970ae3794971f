"""The other books against the log: every coin that came, left, waits or was given has its posting, and back.

The log itself is checked in audit.py; a row here that it does not bear out is a finding of the same audit.
"""

import sqlite3
from typing import Final

from ledger.packets import packets_of
from ledger.queries import queries

_SENTENCES: Final = {
    "withdrawal_without_hold": "withdrawal {} is not what was posted into WITHDRAWALS for it",
    "hold_without_withdrawal": "transaction {} waits in WITHDRAWALS for no withdrawal",
    "withdrawal_not_as_the_log": "withdrawal {} did not end as the log says",
    "signed_without_bytes": "withdrawal {} is signed, but its bytes or its lock are missing",
    "lock_without_reason": "the lock {} outlived its reason",
    "deposit_not_as_posted": "deposit {} is not what was posted for it",
    "posting_without_deposit": "transaction {} is a deposit of no transaction on chain",
    "unknown_payment_not_as_posted": "unknown payment {} is not what was posted for it",
    "posting_without_unknown_payment": "transaction {} is an unknown payment of which nothing is known",
    "unknown_payment_not_as_attributed": "unknown payment {} has another rest than its attributions leave",
    "consequence_missing": "violation {} was to be a fine or a jail, and is neither",
    "fine_not_as_posted": "fine {} is not what was posted for it",
    "posting_without_fine": "transaction {} pays no fine",
    "bail_not_as_posted": "jail {} is not what was posted for its bail",
    "posting_without_bail": "transaction {} is bail for nobody",
    "rule_without_penalty": "the broken rule {} brought a penalty that is not on record",
    "penalty_without_rule": "violation {} was found by a rule that knows nothing of it",
    "unclaimed_not_as_booked": "UNCLAIMED owns another sum of {} than its rows say",
    "unclaimed_not_as_assigned": "unclaimed deposit {} has another rest than its assignments leave",
    "assignment_not_as_posted": "assignment {} is not what was posted for it",
    "posting_without_assignment": "transaction {} left UNCLAIMED, and nobody said why",
    "assignment_without_proof": "assignment {} names a signature that its person did not give for it",
    "giveaway_not_as_funded": "giveaway {} is not what was posted into its escrow",
    "escrow_without_giveaway": "account {} is the escrow of no giveaway",
    "escrow_not_as_owed": "the escrow of giveaway {} holds another sum than it owes",
    "claim_not_as_posted": "claim {} is not what was posted out of the escrow",
    "claim_of_another_share": "claim {} was paid another share than was promised",
    "posting_without_claim": "transaction {} pays a giveaway out to somebody who did not claim",
    "joined_not_as_posted": "giveaway {} was not shared out equally among those who joined",
    "return_not_as_due": "transaction {} gives a giveaway back that is not over, or to somebody else",
    "shared_without_registry": "shared account {} is not registered under its name",
    "registry_without_shared": "account {} is registered as shared, but is no shared account",
    "shared_without_admin": "the open shared account {} has no admin",
    "closed_shared_with_members": "somebody has a part in the closed shared account {}",
    "closed_shared_with_coins": "the closed shared account {} owns something",
    "membership_not_as_noted": "membership {} is not what was noted last",
    "spend_not_as_posted": "the shared spend {} is not what was posted for it",
    "posting_without_spend": "transaction {} left a shared account, and nobody spent it",
    "refill_without_order": "transaction {} refilled SYSTEM_RESERVE without an order in the admin audit",
    "adjustment_without_evidence": "transaction {} is a shortfall that no block is on record for",
    "grant_without_order": "transaction {} left BOT_TREASURY without an order in the admin audit",
    "total_not_as_settled": "the books hold another sum of {} than was proved at the cursor",
}
_SQL: Final = queries("bookaudit")


def book_problems(connection: sqlite3.Connection) -> list[str]:
    """Return what the other books and the log do not agree on, in sentences; an empty list is a clean audit."""
    problems = [
        sentence.format(row[0])
        for name, sentence in _SENTENCES.items()
        for row in connection.execute(_SQL[name])
    ]
    return problems + _packet_problems(connection)


def _packet_problems(connection: sqlite3.Connection) -> list[str]:
    """Return the claims of random packets that were paid another one than the seed says, as anybody can work out."""
    return [
        f"claim {giveaway}.{number} was paid another packet than its seed says"
        for giveaway, number, seed, total, slots, amount in connection.execute(_SQL["packets_paid"])
        if packets_of(seed, total, slots)[number - 1] != amount
    ]
