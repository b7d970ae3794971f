-- Some of one account's postings in one denom, newest first, from row :newest (itself included) on: the walk of links
-- of history.sql. `previous` is where the next part begins, 0 at the end.
WITH RECURSIVE walk (id, step) AS (
    SELECT :newest, 1
    UNION ALL
    SELECT CASE WHEN row.from_id = :account THEN row.from_prev ELSE row.to_prev END, walk.step + 1
    FROM walk JOIN transactions AS row ON row.id = walk.id
    WHERE walk.step < :limit AND row.denom = :denom AND :account IN (row.from_id, row.to_id)
)
SELECT
    row.entry_id,
    row.kind,
    CASE WHEN row.from_id = :account THEN -row.amount ELSE row.amount END AS change,
    CASE WHEN row.from_id = :account THEN row.to_id ELSE row.from_id END AS counterparty,
    CASE WHEN row.from_id = :account THEN row.from_after ELSE row.to_after END AS balance_after,
    row.note,
    row.at,
    CASE WHEN row.from_id = :account THEN row.from_prev ELSE row.to_prev END AS previous
FROM walk JOIN transactions AS row ON row.id = walk.id
WHERE row.denom = :denom AND :account IN (row.from_id, row.to_id)
ORDER BY walk.step
