-- name: reached
-- How far books had read the chain, and for how many blocks bytes of theirs may have lived at most.
SELECT ifnull(max(height), 0), ifnull(max(block_time), 0),
    (SELECT ifnull(max(timeout_height - signed_height), 0) FROM signed_transactions)
FROM cursor

-- name: newest
-- The newest moment that books know of.
SELECT max(
    ifnull((SELECT max(block_time) FROM cursor), 0),
    ifnull((SELECT at FROM transactions ORDER BY id DESC LIMIT 1), 0)
)

-- name: mark
-- These books were put back from a backup: nothing is signed before the replay is over.
INSERT INTO restores (restored_at, reach_height, quiet_blocks, last_tx)
VALUES (:at, :reach_height, :quiet_blocks, (SELECT ifnull(max(id), 0) FROM transactions))

-- name: show_giveaways
-- What runs may have been over for the books that are lost, and its card says so, without a button.
INSERT INTO outbox (event, recipient, facts, subject, created_at, due_at)
SELECT 'giveaway.changed', chat, json_object('giveaway', id), 'giveaway:' || id, :now, :now
FROM giveaways WHERE state = 'active'
ON CONFLICT (subject) WHERE subject IS NOT NULL AND state = 'pending' DO NOTHING
