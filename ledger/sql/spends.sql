-- name: insert
-- A transaction that these books did not sign, in a block whose state nobody proved. The same bytes may stand twice in it.
INSERT INTO foreign_spends (chain_id, height, shown, tx, code, sequence, fees)
VALUES (:chain_id, :height, :shown, :tx, :code, :sequence, :fees)
ON CONFLICT DO NOTHING

-- name: since
-- Those above a height, as blocks held them.
SELECT tx, shown, code, sequence, fees FROM foreign_spends WHERE chain_id = ? AND height > ? ORDER BY height, shown

-- name: used_by_ours
-- Sequences of ours that blocks above a height are known to have used.
SELECT sequence FROM signed_transactions WHERE chain_id = ? AND ended_height > ? AND state = 'confirmed'
