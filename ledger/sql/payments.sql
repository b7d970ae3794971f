-- name: paid_by
-- The withdrawals that a signed transaction pays.
SELECT withdrawals.* FROM payouts JOIN withdrawals ON withdrawals.id = payouts.withdrawal
WHERE payouts.hash = ? ORDER BY withdrawals.id

-- name: insert
-- Bytes of ours, before any node sees them.
INSERT INTO signed_transactions (
    hash, chain_id, bytes, account_number, sequence, fee, fee_denom, gas_limit, signed_height, timeout_height, state,
    signed_at
) VALUES (
    :hash, :chain_id, :bytes, :account_number, :sequence, :fee, :fee_denom, :gas_limit, :signed_height,
    :timeout_height, 'signed', :signed_at
)

-- name: sign
-- A queued withdrawal is in signed bytes now.
UPDATE withdrawals SET state = 'signed', changed_at = ? WHERE id = ? AND state = 'queued'

-- name: broadcast
-- Some node accepted the bytes; it proves nothing.
UPDATE signed_transactions SET state = 'broadcast' WHERE hash = ? AND state = 'signed'
