-- name: since
-- Where blocks held one of ours above a height.
SELECT position, hash AS canonical, shown, code, height FROM inclusions WHERE hash = ? AND height > ?
ORDER BY height, position

-- name: end
-- What a signed transaction came to.
UPDATE signed_transactions SET state = ?, ended_height = ?, ended_code = ?
WHERE hash = ? AND state IN ('signed', 'broadcast')

-- name: requeue
-- A withdrawal of a failed batch waits again, to be paid by itself.
UPDATE withdrawals SET state = 'queued', alone = 1, changed_at = ? WHERE id = ? AND state = 'signed'
