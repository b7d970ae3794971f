-- name: insert
-- A request whose hold is posted: queued at once, unless a second admin has to approve it.
INSERT INTO withdrawals (id, account, denom, amount, fee, address, memo, state, requested_at, changed_at)
VALUES (:id, :account, :denom, :amount, :fee, :address, :memo, :state, :at, :at)

-- name: end
-- The one end of a withdrawal, from the state that the decision saw.
UPDATE withdrawals SET state = :state, resolution = :resolution, evidence = :evidence, changed_at = :at
WHERE id = :id AND state = :before

-- name: still_executable
-- Whether some signed transaction of a withdrawal can still execute: its sequence is not used yet.
SELECT 1 FROM payouts JOIN signed_transactions AS signed USING (hash) LEFT JOIN cursor USING (chain_id)
WHERE payouts.withdrawal = ? AND signed.state IN ('signed', 'broadcast')
    AND ifnull(cursor.sequence, 0) <= signed.sequence

-- name: end_abandoned
-- End signed transactions that can execute no more once none of their withdrawals waits for them.
UPDATE signed_transactions
SET state = 'expired', ended_height = (SELECT height FROM cursor WHERE cursor.chain_id = signed_transactions.chain_id)
WHERE state IN ('signed', 'broadcast')
    AND hash IN (SELECT hash FROM payouts WHERE withdrawal = :id)
    AND NOT EXISTS (
        SELECT 1 FROM payouts JOIN withdrawals ON withdrawals.id = payouts.withdrawal
        WHERE payouts.hash = signed_transactions.hash AND withdrawals.state = 'signed'
    )

-- name: queued
-- What waits to be signed. Accounts take turns, whoever was served last comes last, so nobody waits for all that another
-- one asked for. What is frozen would only hide the others behind the limit.
WITH waiting AS (
    SELECT withdrawals.*, row_number() OVER (PARTITION BY account ORDER BY id) AS turn FROM withdrawals
    WHERE state = 'queued'
        AND account NOT IN (SELECT account FROM freezes WHERE lifted_at IS NULL AND account IS NOT NULL)
),
served AS (
    SELECT account, (
        SELECT signed_height FROM withdrawals
        JOIN payouts ON payouts.withdrawal = withdrawals.id JOIN signed_transactions USING (hash)
        WHERE withdrawals.account = asking.account ORDER BY withdrawals.id DESC LIMIT 1
    ) AS height
    FROM (SELECT DISTINCT account FROM waiting) AS asking
)
SELECT waiting.* FROM waiting JOIN served USING (account) ORDER BY turn, height, id LIMIT ?
