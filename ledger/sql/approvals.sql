-- name: waiting
-- What waits for a second admin, oldest first.
SELECT * FROM withdrawals WHERE state = 'awaiting_approval' ORDER BY id LIMIT ?

-- name: asker
-- Who asked for a withdrawal: of a shared account or the treasury it is a person too.
SELECT transactions.actor FROM transactions WHERE transactions.id = ?

-- name: insert
-- What a second admin said.
INSERT INTO approvals (withdrawal, verdict, actor, role, at) VALUES (:withdrawal, :verdict, :actor, :role, :at)

-- name: queue
-- An approved withdrawal waits to be signed.
UPDATE withdrawals SET state = 'queued', changed_at = ? WHERE id = ? AND state = 'awaiting_approval'
