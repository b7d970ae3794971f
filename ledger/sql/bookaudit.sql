-- name: withdrawal_without_hold
-- Withdrawals whose posting into WITHDRAWALS is missing or another than they say.
SELECT withdrawals.id FROM withdrawals LEFT JOIN transactions AS hold ON hold.id = withdrawals.id
WHERE hold.kind IS NOT 'withdrawal' OR hold.to_id IS NOT -4 OR hold.from_id IS NOT withdrawals.account
    OR hold.denom IS NOT withdrawals.denom OR hold.amount IS NOT withdrawals.amount + withdrawals.fee

-- name: hold_without_withdrawal
-- Money that entered WITHDRAWALS and belongs to no withdrawal.
SELECT id FROM transactions WHERE to_id = -4 AND id NOT IN (SELECT id FROM withdrawals)

-- name: withdrawal_not_as_the_log
-- Withdrawals that say to be open while their hold was resolved, or ended by another entry, or otherwise, than they name.
SELECT DISTINCT withdrawals.id
FROM withdrawals LEFT JOIN transactions AS ended ON ended.reference = withdrawals.id AND ended.from_id = -4
WHERE withdrawals.resolution IS NOT ended.entry_id
    OR ended.kind IS NOT CASE state
        WHEN 'confirmed' THEN 'withdrawal_settled' WHEN 'returned' THEN 'withdrawal_returned'
        WHEN 'cancelled' THEN 'withdrawal_cancelled' WHEN 'manual' THEN 'withdrawal_manual'
    END

-- name: signed_without_bytes
-- Withdrawals in signed bytes that are nowhere, or that are not locked.
SELECT id FROM withdrawals
WHERE state = 'signed' AND (
    NOT EXISTS (
        SELECT 1 FROM payouts JOIN signed_transactions USING (hash)
        WHERE payouts.withdrawal = withdrawals.id AND signed_transactions.state IN ('signed', 'broadcast')
    )
    OR NOT EXISTS (SELECT 1 FROM transaction_locks WHERE role = 'withdrawal:' || withdrawals.id)
)

-- name: lock_without_reason
-- Locks of withdrawals that are not being signed.
SELECT role FROM transaction_locks
WHERE expires_at IS NULL AND role NOT IN (SELECT 'withdrawal:' || id FROM withdrawals WHERE state = 'signed')

-- name: deposit_not_as_posted
-- Deposits whose posting is missing or another than they say.
SELECT tx_hash || ' ' || msg_path || ' ' || output_index || ' ' || processed_deposits.denom
FROM processed_deposits LEFT JOIN transactions AS posted ON posted.id = transaction_id
WHERE transaction_id IS NOT NULL AND (
    posted.kind IS NOT 'deposit' OR posted.to_id IS NOT account OR posted.denom IS NOT processed_deposits.denom
    OR CAST(posted.amount AS TEXT) IS NOT processed_deposits.amount
)

-- name: posting_without_deposit
-- Deposits in the log that no transaction of the chain stands behind.
SELECT id FROM transactions
WHERE kind = 'deposit' AND id NOT IN (SELECT transaction_id FROM processed_deposits WHERE transaction_id IS NOT NULL)

-- name: unknown_payment_not_as_posted
-- Unknown payments whose posting is missing or another than they say.
SELECT unknown_payments.id FROM unknown_payments LEFT JOIN transactions AS posted ON posted.id = unknown_payments.id
WHERE posted.kind IS NOT 'unknown_payment' OR posted.denom IS NOT unknown_payments.denom
    OR posted.amount IS NOT unknown_payments.amount

-- name: posting_without_unknown_payment
-- Postings out of the reserve for payments that nobody wrote down.
SELECT id FROM transactions WHERE kind = 'unknown_payment' AND id NOT IN (SELECT id FROM unknown_payments)

-- name: unknown_payment_not_as_attributed
-- Unknown payments whose rest is not what the attributed postings leave of them.
SELECT unknown_payments.id FROM unknown_payments
WHERE remaining <> amount - ifnull((
    SELECT sum(posted.amount) FROM attributions JOIN transactions AS posted ON posted.id = attributions.posting
    WHERE attributions.payment = unknown_payments.id
), 0)

-- name: consequence_missing
-- Violations that say to be a fine or a jail, of which there is none.
SELECT id FROM violations
WHERE (kind = 'fine' AND id NOT IN (SELECT id FROM fines)) OR (kind = 'jail' AND id NOT IN (SELECT id FROM jails))

-- name: fine_not_as_posted
-- Paid fines whose posting is missing or another than they say.
SELECT fines.id FROM fines LEFT JOIN transactions AS posted ON posted.id = fines.posting
WHERE fines.state = 'paid' AND (
    posted.kind IS NOT 'fine' OR posted.from_id IS NOT fines.person OR posted.to_id IS NOT -1
    OR posted.denom IS NOT fines.denom OR posted.amount IS NOT fines.amount
)

-- name: posting_without_fine
-- Payments of fines that no fine stands behind.
SELECT id FROM transactions
WHERE kind = 'fine' AND id NOT IN (SELECT posting FROM fines WHERE state = 'paid')

-- name: bail_not_as_posted
-- Jails ended by bail whose posting is missing or another than they say.
SELECT jails.id FROM jails LEFT JOIN transactions AS posted ON posted.id = jails.posting
WHERE jails.state = 'bailed' AND (
    posted.kind IS NOT 'bail' OR posted.from_id IS NOT jails.ended_by OR posted.to_id IS NOT -1
    OR posted.denom IS NOT jails.denom OR posted.amount IS NOT jails.bail
)

-- name: posting_without_bail
-- Payments of bail that freed nobody.
SELECT id FROM transactions
WHERE kind = 'bail' AND id NOT IN (SELECT posting FROM jails WHERE state = 'bailed')

-- name: rule_without_penalty
-- Penalties of rules of a chat that the record does not bear out.
SELECT id FROM rule_violations AS broken
WHERE penalty <> 'none' AND NOT EXISTS (
    SELECT 1 FROM violations
    WHERE person = broken.person AND chat = broken.chat AND message = broken.message AND kind = broken.penalty
        AND rule = broken.rule || '.' || broken.version
)

-- name: penalty_without_rule
-- Violations that a rule is said to have found, of which no rule knows.
SELECT id FROM violations
WHERE rule IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM rule_violations AS broken
    WHERE violations.person = broken.person AND violations.chat = broken.chat AND violations.message = broken.message
        AND violations.kind = broken.penalty AND violations.rule = broken.rule || '.' || broken.version
)

-- name: unclaimed_not_as_booked
-- Denoms of which UNCLAIMED owns another sum than its rows say.
SELECT denom FROM (
    SELECT denom, balance FROM user_balances WHERE user_id = -3
    UNION ALL SELECT denom, -remaining FROM unclaimed
)
GROUP BY denom HAVING sum(balance) <> 0

-- name: unclaimed_not_as_assigned
-- Rows of UNCLAIMED whose rest is not what their assignments leave.
SELECT unclaimed.id FROM unclaimed
WHERE remaining <> amount - ifnull((SELECT sum(amount) FROM assignments WHERE unclaimed = unclaimed.id), 0)

-- name: assignment_not_as_posted
-- Assignments whose posting is missing or another than they say.
SELECT assignments.id FROM assignments
    LEFT JOIN transactions AS posted ON posted.id = assignments.id
    LEFT JOIN unclaimed ON unclaimed.id = assignments.unclaimed
WHERE posted.kind IS NOT 'assignment' OR posted.to_id IS NOT assignments.account
    OR posted.amount IS NOT assignments.amount OR posted.reference IS NOT assignments.unclaimed
    OR posted.denom IS NOT unclaimed.denom OR posted.actor IS NOT assignments.actor

-- name: posting_without_assignment
-- Money that left UNCLAIMED and nobody said why.
SELECT id FROM transactions WHERE kind = 'assignment' AND id NOT IN (SELECT id FROM assignments)

-- name: assignment_without_proof
-- What a signature gave to somebody who was not asked for it, or is not said to have answered then.
SELECT assignments.id FROM assignments LEFT JOIN wallet_challenges ON nonce = challenge
WHERE how = 'signature'
    AND (wallet_challenges.account IS NOT assignments.account OR wallet_challenges.used_at IS NOT assignments.at)

-- name: giveaway_not_as_funded
-- Giveaways whose posting into the escrow is missing or another than they say.
SELECT giveaways.id FROM giveaways LEFT JOIN transactions AS funding ON funding.id = giveaways.funding
WHERE funding.kind IS NOT 'giveaway' OR funding.from_id IS NOT funder OR funding.to_id IS NOT -1000 - giveaways.id
    OR funding.denom IS NOT giveaways.denom OR funding.amount IS NOT total

-- name: escrow_without_giveaway
-- Escrows, registered or paid into, that belong to no giveaway.
SELECT id FROM users WHERE role = 'escrow' AND -1000 - id NOT IN (SELECT id FROM giveaways)
UNION SELECT user_id FROM user_balances WHERE user_id <= -1001 AND -1000 - user_id NOT IN (SELECT id FROM giveaways)

-- name: escrow_not_as_owed
-- Giveaways whose escrow holds another sum than the total less what was claimed; nothing when it is over.
SELECT giveaways.id
FROM giveaways
LEFT JOIN user_balances ON user_id = -1000 - giveaways.id AND user_balances.denom = giveaways.denom
WHERE ifnull(balance, 0) <> iif(state = 'active', total - ifnull((
    SELECT sum(amount) FROM giveaway_claims JOIN transactions ON transactions.id = posting
    WHERE giveaway = giveaways.id
), 0), 0)

-- name: claim_not_as_posted
-- Claims whose posting is missing or another than they say; in mode equal there is one at the end alone.
SELECT giveaway || '.' || number
FROM giveaway_claims
JOIN giveaways ON giveaways.id = giveaway
LEFT JOIN transactions AS paid ON paid.id = posting
WHERE iif(mode = 'equal', posting IS NOT NULL,
    paid.kind IS NOT 'giveaway_claim' OR paid.from_id IS NOT -1000 - giveaway OR paid.to_id IS NOT claimant
        OR paid.denom IS NOT giveaways.denom)

-- name: claim_of_another_share
-- Claims of equal shares that were paid another amount.
SELECT giveaway || '.' || number
FROM giveaway_claims JOIN giveaways ON giveaways.id = giveaway JOIN transactions AS paid ON paid.id = posting
WHERE mode = 'first' AND amount <> total / slots

-- name: packets_paid
-- What each claim of random packets was paid, and what it follows from.
SELECT giveaway, number, seed, total, slots, paid.amount
FROM giveaway_claims JOIN giveaways ON giveaways.id = giveaway JOIN transactions AS paid ON paid.id = posting
WHERE mode = 'random' AND number <= slots ORDER BY giveaway, number

-- name: posting_without_claim
-- Payments out of an escrow to people who did not claim, or were paid before.
SELECT max(paid.id)
FROM transactions AS paid
LEFT JOIN giveaway_claims ON giveaway = -1000 - from_id AND claimant = to_id
WHERE kind = 'giveaway_claim'
GROUP BY from_id, to_id HAVING claimant IS NULL OR count(*) > 1

-- name: joined_not_as_posted
-- Giveaways in equal shares that ended, and did not pay everybody who joined their part.
WITH
    joined AS (SELECT giveaway, count(*) AS people FROM giveaway_claims GROUP BY giveaway),
    paid AS MATERIALIZED (
        SELECT from_id, count(*) AS payments, min(amount) AS least, max(amount) AS most
        FROM transactions WHERE kind = 'giveaway_claim' GROUP BY from_id
    )
SELECT giveaways.id
FROM giveaways JOIN joined ON giveaway = giveaways.id LEFT JOIN paid ON from_id = -1000 - giveaways.id
WHERE mode = 'equal' AND iif(
    state = 'ended',
    payments IS NOT people OR least <> total / people OR most <> total / people,
    payments IS NOT NULL
)

-- name: return_not_as_due
-- What went back of a giveaway that is not over, to another than its funder, or a second time.
SELECT max(back.id)
FROM transactions AS back LEFT JOIN giveaways ON giveaways.id = -1000 - from_id
WHERE kind = 'giveaway_returned'
GROUP BY from_id HAVING state IS NULL OR state = 'active' OR to_id <> funder OR count(*) > 1

-- name: shared_without_registry
-- Shared accounts that the registry does not know, or by another name.
SELECT shared_accounts.id FROM shared_accounts LEFT JOIN users USING (id)
WHERE users.role IS NOT 'shared' OR users.name IS NOT shared_accounts.name

-- name: registry_without_shared
-- Registered shared accounts that nobody created.
SELECT id FROM users WHERE role = 'shared' AND id NOT IN (SELECT id FROM shared_accounts)

-- name: shared_without_admin
-- Open shared accounts without anybody who may invite, or close them.
SELECT id FROM shared_accounts
WHERE state = 'open' AND NOT EXISTS (
    SELECT 1 FROM shared_members WHERE account = shared_accounts.id AND state = 'joined' AND role = 'admin'
)

-- name: closed_shared_with_members
-- Closed shared accounts in which somebody still has a part.
SELECT DISTINCT shared_accounts.id
FROM shared_accounts JOIN shared_members ON shared_members.account = shared_accounts.id
WHERE shared_accounts.state = 'closed' AND shared_members.state IN ('invited', 'joined')

-- name: closed_shared_with_coins
-- Closed shared accounts that are not empty.
SELECT DISTINCT shared_accounts.id FROM shared_accounts JOIN user_balances ON user_id = shared_accounts.id
WHERE shared_accounts.state = 'closed' AND balance <> 0

-- name: membership_not_as_noted
-- Memberships that are not what the newest note about them says.
SELECT shared_members.id
FROM shared_members LEFT JOIN shared_changes AS noted
    ON noted.id = (SELECT max(id) FROM shared_changes WHERE membership = shared_members.id)
WHERE (shared_members.role, shared_members.limit_denom, shared_members.per_transaction, shared_members.per_day)
    IS NOT (noted.role, noted.limit_denom, noted.per_transaction, noted.per_day)
    OR (shared_members.state, shared_members.changed_by) IS NOT (noted.state, noted.actor)

-- name: spend_not_as_posted
-- Spends out of shared accounts whose posting is missing or another than they say.
SELECT spent.id FROM shared_spends AS spent LEFT JOIN transactions AS posted USING (id)
WHERE posted.kind IS NULL OR posted.kind NOT IN ('shared_spend', 'withdrawal')
    OR (posted.from_id, posted.actor, posted.denom, posted.amount)
        IS NOT (spent.account, spent.person, spent.denom, spent.amount)

-- name: posting_without_spend
-- Postings out of shared accounts that count against nobody's limits; those of an owner's attributions aside.
SELECT id FROM transactions
WHERE from_id BETWEEN -999 AND -100 AND kind IN ('shared_spend', 'withdrawal')
    AND id NOT IN (SELECT id FROM shared_spends)

-- name: total_not_as_settled
-- Denoms whose books hold another sum than the balance that was proved at the cursor.
SELECT settled.denom
FROM settled JOIN cursor USING (chain_id) JOIN assets ON assets.denom = settled.denom
WHERE settled.height = cursor.height AND settled.balance <> assets.total

-- name: refill_without_order
-- Coins of BOT_TREASURY that went to SYSTEM_RESERVE without an owner's order.
SELECT id FROM transactions
WHERE kind = 'refill' AND NOT EXISTS (
    SELECT 1 FROM admin_audit
    WHERE action = 'reserve.refilled' AND admin_audit.actor = transactions.actor AND reason = note
        AND json_extract(before, '$.owed') - json_extract(after, '$.owed') = amount
        AND json_extract(after, '$.denom') = denom
)

-- name: adjustment_without_evidence
-- What SYSTEM_RESERVE was made to bear in a block of which no shortfall is on record.
SELECT transactions.id FROM transactions JOIN entries ON entries.id = entry_id
WHERE transactions.kind = 'adjustment' AND from_id = -2 AND to_id IS NULL AND NOT EXISTS (
    SELECT 1 FROM evidence
    WHERE about = 'shortfall' AND evidence.denom = transactions.denom
        AND key = 'rec:' || chain_id || ':' || height || ':' || evidence.denom
)

-- name: grant_without_order
-- Payments out of BOT_TREASURY that no owner's order stands behind.
SELECT id FROM transactions
WHERE kind = 'grant' AND NOT EXISTS (
    SELECT 1 FROM admin_audit
    WHERE action = 'treasury.sent' AND target = to_id AND admin_audit.actor = transactions.actor AND reason = note
        AND json_extract(after, '$.amount') = amount AND json_extract(after, '$.denom') = denom
)
