-- name: standing
-- What keeps withdrawals from being signed: freezes, the replay of books that were restored, and a reserve (-2) that
-- owes while no freeze tells so.
SELECT reason, account FROM (
    SELECT id, reason, account FROM freezes WHERE lifted_at IS NULL
    UNION ALL SELECT 0, 'restored', NULL FROM restores WHERE replayed_height IS NULL
    UNION ALL SELECT 0, 'shortfall', NULL
    WHERE EXISTS (SELECT 1 FROM user_balances WHERE user_id = -2 AND balance < 0)
        AND NOT EXISTS (
            SELECT 1 FROM freezes WHERE reason = 'shortfall' AND account IS NULL AND lifted_at IS NULL
        )
)
ORDER BY id

-- name: is_written
-- Whether a freeze of everyone's withdrawals for this reason stands.
SELECT 1 FROM freezes WHERE reason = ? AND account IS NULL AND lifted_at IS NULL

-- name: owed
-- What an account lacks, of all denoms that were ever listed.
SELECT denom, -balance AS owed FROM user_balances WHERE user_id = ? AND balance < 0 ORDER BY denom

-- name: insert
-- Freeze one account's withdrawals, or everyone's.
INSERT INTO freezes (reason, account, actor, note, frozen_at) VALUES (?, ?, ?, ?, ?)

-- name: lift
-- End a standing freeze; its row stays.
UPDATE freezes SET lifted_at = ?, lifted_by = ?, lifted_note = ?
WHERE reason = ? AND account IS ? AND lifted_at IS NULL
