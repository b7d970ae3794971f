-- name: insert
-- Open the books: the first cursor, proved at its own height.
INSERT INTO cursor (
    chain_id, opened_at_height, height, header, block_time, proved_height, sequence, account_number, proved_sequence
) VALUES (:chain_id, :height, :height, :header, :block_time, :height, :sequence, :account_number, :proved_sequence)

-- name: advance
-- Move the cursor by one block, from exactly the block before.
UPDATE cursor SET height = :height, header = :header, block_time = :block_time, proved_height = :proved_height,
    sequence = :sequence, account_number = :account_number, proved_sequence = :proved_sequence
WHERE chain_id = :chain_id AND height = :height - 1
