-- name: lately
-- What withdrawals took out between two moments, together and for one account; what came back does not count.
SELECT ifnull(sum(amount), 0) AS everyone, ifnull(sum(iif(account = :account, amount, 0)), 0) AS own
FROM withdrawals INDEXED BY withdrawals_lately
WHERE denom = :denom AND requested_at BETWEEN :since AND :until AND state NOT IN ('returned', 'cancelled')
    AND (state <> 'manual' OR json_extract(evidence, '$.outcome') IS NOT 'returned')
