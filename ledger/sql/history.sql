-- A page of one account's postings in one denom, newest first. Each row names the previous one of its parties, so
-- this is a walk from the tail (or from :before) without any index on accounts.
WITH RECURSIVE walk (id, step) AS (
    SELECT last_tx, 1 FROM user_balances WHERE user_id = :account AND denom = :denom AND :before IS NULL
    UNION ALL
    SELECT CASE WHEN from_id = :account THEN from_prev ELSE to_prev END, 1
    FROM transactions
    WHERE id = :before AND denom = :denom AND :account IN (from_id, to_id)
    UNION ALL
    SELECT CASE WHEN row.from_id = :account THEN row.from_prev ELSE row.to_prev END, walk.step + 1
    FROM walk JOIN transactions AS row ON row.id = walk.id
    WHERE walk.step < :limit
)
SELECT
    row.id,
    row.entry_id,
    row.kind,
    CASE WHEN row.from_id = :account THEN -row.amount ELSE row.amount END,
    CASE WHEN row.from_id = :account THEN row.to_id ELSE row.from_id END,
    CASE WHEN row.from_id = :account THEN row.from_after ELSE row.to_after END,
    row.actor,
    row.note,
    row.at
FROM walk JOIN transactions AS row ON row.id = walk.id
ORDER BY walk.step
