-- name: insert_seen
-- Write down one coin that arrived, whatever becomes of it.
INSERT INTO processed_deposits (
    chain_id, tx_hash, msg_path, output_index, denom, height, amount, memo, sender, state, account, transaction_id,
    seen_at
) VALUES (
    :chain_id, :tx_hash, :msg_path, :output_index, :denom, :height, :amount, :memo, :sender, :state, :account,
    :transaction_id, :seen_at
)

-- name: insert_unclaimed
-- Say why money waits in UNCLAIMED.
INSERT INTO unclaimed (
    id, chain_id, height, denom, amount, remaining, reason, tx_hash, sender, memo, evidence, created_at
) VALUES (
    :id, :chain_id, :height, :denom, :amount, :amount, :reason, :tx_hash, :sender, :memo, :evidence, :created_at
)

-- name: select_seen
-- Which coins of these transactions (a JSON list of hashes) are written down already.
SELECT tx_hash, msg_path, output_index, denom FROM processed_deposits
WHERE chain_id = ? AND tx_hash IN (SELECT value FROM json_each(?))
