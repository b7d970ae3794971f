-- name: waiting
-- What waits for a second admin, oldest first.
SELECT * FROM withdrawals WHERE state = 'awaiting_approval' ORDER BY id LIMIT ?

-- name: waiting_count
-- How many wait for a second admin; the states are those of the index, which is used for these words alone.
SELECT count(*) AS waiting FROM withdrawals
WHERE state IN ('requested', 'awaiting_approval', 'queued', 'signed') AND state = 'awaiting_approval'

-- name: asker
-- Who asked for a withdrawal: of a shared account or the treasury it is a person too.
SELECT transactions.actor FROM transactions WHERE transactions.id = ?

-- name: insert
-- What a second admin said.
INSERT INTO approvals (withdrawal, verdict, actor, role, at) VALUES (:withdrawal, :verdict, :actor, :role, :at)

-- name: queue
-- An approved withdrawal waits to be signed.
UPDATE withdrawals SET state = 'queued', changed_at = ? WHERE id = ? AND state = 'awaiting_approval'
