-- name: reached
-- How far books had read the chain, and for how many blocks bytes of theirs may have lived at most. Books that were
-- restored themselves, and had not caught up, answer for those before them.
SELECT max(ifnull(max(height), 0), (SELECT ifnull(max(reach_height), 0) FROM restores WHERE replayed_height IS NULL)),
    ifnull(max(block_time), 0),
    max(
        (SELECT ifnull(max(timeout_height - signed_height), 0) FROM signed_transactions),
        (SELECT ifnull(max(quiet_blocks), 0) FROM restores WHERE replayed_height IS NULL)
    ),
    (SELECT ifnull(max(restored_at), 0) FROM restores WHERE replayed_height IS NULL)
FROM cursor

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
