-- name: standing
-- The pause of members' money commands that stands.
SELECT reason, paused_at FROM pauses WHERE lifted_at IS NULL

-- name: insert
-- Let money commands rest.
INSERT INTO pauses (actor, reason, paused_at) VALUES (?, ?, ?)

-- name: lift
-- Money commands go on; the row stays.
UPDATE pauses SET lifted_at = ?, lifted_by = ?, lifted_note = ? WHERE lifted_at IS NULL
