-- name: standing
-- What keeps withdrawals from being signed: freezes, and the replay of books that were restored.
SELECT reason, account FROM (
    SELECT id, reason, account FROM freezes WHERE lifted_at IS NULL
    UNION ALL SELECT 0, 'restored', NULL FROM restores WHERE replayed_height IS NULL
)
ORDER BY id

-- name: insert
-- Freeze one account's withdrawals, or everyone's.
INSERT INTO freezes (reason, account, actor, note, frozen_at) VALUES (?, ?, ?, ?, ?)

-- name: lift
-- End a standing freeze; its row stays.
UPDATE freezes SET lifted_at = ?, lifted_by = ?, lifted_note = ?
WHERE reason = ? AND account IS ? AND lifted_at IS NULL
