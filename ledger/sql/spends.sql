-- name: insert
-- A transaction of the lost books, in a block whose state nobody proved. The same bytes may stand twice in a block.
INSERT INTO lost_spends (chain_id, height, shown, tx, code, sequence, fees)
VALUES (:chain_id, :height, :shown, :tx, :code, :sequence, :fees)
ON CONFLICT DO NOTHING

-- name: since
-- Those above a height, as blocks held them.
SELECT tx, shown, code, sequence, fees FROM lost_spends WHERE chain_id = ? AND height > ? ORDER BY height, shown

-- name: used_by_ours
-- Sequences of ours that blocks above a height are known to have used.
SELECT sequence FROM signed_transactions WHERE chain_id = ? AND ended_height > ? AND state = 'confirmed'
