-- name: standing
-- Restores whose replay is not over.
SELECT id, restored_at, reach_height, quiet_blocks, tip_height FROM restores WHERE replayed_height IS NULL ORDER BY id

-- name: tip
-- The first block that was made after a restore.
UPDATE restores SET tip_height = ? WHERE id = ? AND tip_height IS NULL

-- name: over
-- The replay has met everything that the lost books may have signed.
UPDATE restores SET replayed_height = ? WHERE id = ? AND replayed_height IS NULL

-- name: waiting
-- Withdrawals that an unknown payment may have paid, oldest first.
SELECT * FROM withdrawals
WHERE state IN ('requested', 'awaiting_approval', 'queued', 'signed')
    AND address = ? AND amount = ? AND denom = ? AND memo = ?
ORDER BY id

-- name: was_included
-- Whether a block held one of ours in a way that may have used its sequence.
SELECT 1 FROM inclusions WHERE hash = ? AND code NOT IN (13, 30, 32)

-- name: unknown
-- What the treasury paid and these books do not know why.
INSERT INTO unknown_payments (
    id, chain_id, height, tx, shown, address, memo, denom, amount, remaining, created_at
) VALUES (:id, :chain_id, :height, :tx, :shown, :address, :memo, :denom, :amount, :amount, :at)

-- name: open
-- Unknown payments that nobody has explained yet.
SELECT id, height, shown, address, memo, denom, amount, remaining, accepted FROM unknown_payments
WHERE remaining > 0 AND accepted = 0 ORDER BY id LIMIT ?

-- name: find
-- One unknown payment.
SELECT id, height, shown, address, memo, denom, amount, remaining, accepted FROM unknown_payments WHERE id = ?

-- name: attribute
-- A part of an unknown payment has found whose it was.
UPDATE unknown_payments SET remaining = remaining - ? WHERE id = ? AND remaining = ? AND accepted = 0

-- name: accept
-- An owner bears what is left of an unknown payment.
UPDATE unknown_payments SET accepted = 1 WHERE id = ? AND accepted = 0

-- name: said
-- What an owner said of an unknown payment, and why.
INSERT INTO attributions (payment, posting, actor, reason, at) VALUES (?, ?, ?, ?, ?)
