-- name: odd
-- Odd amounts that arrived since a denom was last settled: they may explain a difference.
SELECT tx_hash, msg_path, output_index, amount, memo, sender, height FROM processed_deposits
WHERE chain_id = ? AND denom = ? AND state = 'odd'
    AND height > ifnull((SELECT height FROM settled WHERE chain_id = ? AND denom = ?), -1)
ORDER BY height, tx_hash LIMIT ?

-- name: settle
-- A proved balance that the books agree with.
INSERT INTO settled (chain_id, denom, height, balance) VALUES (?, ?, ?, ?)
ON CONFLICT (chain_id, denom) DO UPDATE SET height = excluded.height, balance = excluded.balance

-- name: evidence
-- Why something was posted or frozen that no member asked for.
INSERT INTO evidence (chain_id, height, about, denom, facts, created_at) VALUES (?, ?, ?, ?, ?, ?)
