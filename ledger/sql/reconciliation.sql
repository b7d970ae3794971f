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

-- name: compared
-- The books of each denom, and what was last proved of it.
SELECT assets.denom, assets.total, ifnull(reserve.balance, 0), settled.balance, settled.height, cursor.height, cursor.block_time
FROM assets
LEFT JOIN user_balances AS reserve ON reserve.user_id = -2 AND reserve.denom = assets.denom
LEFT JOIN settled ON settled.denom = assets.denom AND settled.chain_id = :chain
LEFT JOIN cursor ON cursor.chain_id = :chain
ORDER BY assets.denom
