-- name: next_violation
-- The number that the next violation gets.
SELECT ifnull(max(id), 0) + 1 AS id FROM violations

-- name: record
-- What is held against somebody.
INSERT INTO violations (id, person, chat, kind, reason, actor, rule, message, at)
VALUES (:id, :person, :chat, :kind, :reason, :actor, :rule, :message, :at)

-- name: violations_of
-- What was held against a person lately, newest first.
SELECT id, person, chat, kind, reason, actor, rule, message, at FROM violations
WHERE person = ? ORDER BY id DESC LIMIT ?

-- name: insert_fine
-- A fine, owed from now on.
INSERT INTO fines (id, person, denom, amount, usd_cents) VALUES (:id, :person, :denom, :amount, :usd_cents)

-- name: fine
-- One fine, with what it is for.
SELECT fines.id, fines.person, chat, amount, denom, usd_cents, state, reason, at
FROM fines JOIN violations USING (id) WHERE fines.id = ?

-- name: owed
-- What a person owes, the oldest first.
SELECT fines.id, fines.person, chat, amount, denom, usd_cents, state, reason, at
FROM fines JOIN violations USING (id) WHERE fines.person = ? AND state = 'owed' ORDER BY fines.id LIMIT ?

-- name: owed_count
-- How many fines a person owes.
SELECT count(*) AS owed FROM fines WHERE person = ? AND state = 'owed'

-- name: paid_by_entry
-- The fines that one payment settled.
SELECT fines.id, fines.person, chat, fines.amount, fines.denom, usd_cents, state, reason, violations.at
FROM entries AS payment
    JOIN fines ON fines.posting BETWEEN payment.id AND payment.id + payment.postings - 1
    JOIN violations ON violations.id = fines.id
WHERE payment.id = ? ORDER BY fines.id

-- name: settle_fine
-- A fine is paid, or forgiven.
UPDATE fines SET state = :state, posting = :posting, settled_by = :by, settled_at = :at WHERE id = :id AND state = 'owed'

-- name: insert_jail
-- Somebody is in jail from now on.
INSERT INTO jails (id, person, chat, from_at, until_at, denom, bail, usd_cents)
VALUES (:id, :person, :chat, :from_at, :until_at, :denom, :bail, :usd_cents)

-- name: jail
-- One jail, with what it is for.
SELECT jails.id, jails.person, jails.chat, from_at, until_at, bail, denom, usd_cents, state, reason, ended_by, ended_at
FROM jails JOIN violations USING (id) WHERE jails.id = ?

-- name: serving
-- The jail that a person serves in a chat.
SELECT jails.id, jails.person, jails.chat, from_at, until_at, bail, denom, usd_cents, state, reason, ended_by, ended_at
FROM jails JOIN violations USING (id) WHERE jails.chat = ? AND jails.person = ? AND state = 'serving'

-- name: newest_here
-- The newest jail of a person in a chat, over or not.
SELECT jails.id, jails.person, jails.chat, from_at, until_at, bail, denom, usd_cents, state, reason, ended_by, ended_at
FROM jails JOIN violations USING (id) WHERE jails.chat = ? AND jails.person = ? ORDER BY jails.id DESC LIMIT 1

-- name: serving_in
-- Who serves in a chat, the next to be free first.
SELECT jails.id, jails.person, jails.chat, from_at, until_at, bail, denom, usd_cents, state, reason, ended_by, ended_at
FROM jails JOIN violations USING (id) WHERE jails.chat = ? AND state = 'serving' ORDER BY until_at, jails.id LIMIT ?

-- name: serving_anywhere
-- Where a person serves, the oldest first.
SELECT jails.id, jails.person, jails.chat, from_at, until_at, bail, denom, usd_cents, state, reason, ended_by, ended_at
FROM jails JOIN violations USING (id) WHERE jails.person = ? AND state = 'serving' ORDER BY jails.id LIMIT ?

-- name: bailed_by_entry
-- The jail that a payment of bail ended; the one posting of an entry bears its number.
SELECT jails.id, jails.person, jails.chat, from_at, until_at, bail, denom, usd_cents, state, reason, ended_by, ended_at
FROM jails JOIN violations USING (id) WHERE jails.posting = ?

-- name: end_jail
-- The one end of a jail.
UPDATE jails SET state = :state, posting = :posting, successor = :successor, ended_by = :by, ended_at = :at
WHERE id = :id AND state = 'serving'

-- name: move_jail
-- A group became a supergroup, and somebody serves in it.
UPDATE jails SET chat = :new WHERE id = :id AND state = 'serving'

-- name: due
-- Jails whose end had come, the longest overdue first.
SELECT id FROM jails WHERE state = 'serving' AND until_at <= ? ORDER BY until_at, id LIMIT ?

-- name: next_due
-- When the next jail ends.
SELECT min(until_at) AS at FROM jails WHERE state = 'serving'

-- name: moved_to
-- The supergroup that a group became.
SELECT migrated_to FROM chats WHERE id = ? AND migrated_to IS NOT NULL
