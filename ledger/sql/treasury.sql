-- name: holdings
-- What the accounts that are nobody's hold, by denom; escrows and shared accounts in sum.
SELECT denom,
    ifnull(sum(balance) FILTER (WHERE user_id = -1), 0) AS treasury,
    ifnull(sum(balance) FILTER (WHERE user_id = -2), 0) AS reserve,
    ifnull(sum(balance) FILTER (WHERE user_id = -3), 0) AS unclaimed,
    ifnull(sum(balance) FILTER (WHERE user_id = -4), 0) AS withdrawals,
    ifnull(sum(balance) FILTER (WHERE user_id = -5), 0) AS rewards,
    ifnull(sum(balance) FILTER (WHERE user_id <= -1001), 0) AS escrows,
    ifnull(sum(balance) FILTER (WHERE user_id BETWEEN -999 AND -100), 0) AS shared,
    (SELECT total FROM assets WHERE assets.denom = user_balances.denom) - sum(balance) AS members
FROM user_balances WHERE user_id < 0 GROUP BY denom ORDER BY denom
