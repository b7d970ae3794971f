-- name: sooner
-- What waits for its next try is tried now: the books have changed.
UPDATE outbox SET due_at = min(due_at, :at), attempts = 0 WHERE subject = :subject AND state = 'pending'

-- name: forget
-- What was still to be done about a subject that is gone.
UPDATE outbox SET state = 'dropped' WHERE subject = ? AND state = 'pending'

-- name: told
-- The operators know that this one is refused, until the books change or it is no more.
UPDATE outbox SET facts = json_set(facts, '$.told', json('true')) WHERE id = :id AND revision = :revision AND state = 'pending'

-- name: unseen
-- Who serves and was not looked at since a moment, nor is about to be.
SELECT chat, person FROM jails
WHERE state = 'serving' AND ifnull((
    SELECT iif(sum(state = 'pending'), NULL, max(due_at)) FROM outbox WHERE subject = 'rights:' || chat || ':' || person
), :before + 1) <= :before
ORDER BY until_at, id LIMIT :limit

-- name: longest_unseen
-- When whoever was not looked at for longest was looked at.
SELECT min(seen) AS at FROM (
    SELECT (
        SELECT iif(sum(state = 'pending'), NULL, max(due_at)) FROM outbox
        WHERE subject = 'rights:' || chat || ':' || person
    ) AS seen
    FROM jails WHERE state = 'serving'
)
