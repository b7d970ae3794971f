-- name: next
-- The number of the next giveaway.
SELECT 1 + ifnull(max(id), 0) AS id FROM giveaways

-- name: escrow
-- An escrow is an account like others, registered with its first coins.
INSERT INTO users (id, role, name, created_at) VALUES (:id, 'escrow', :name, :at)

-- name: insert
-- What was promised.
INSERT INTO giveaways
    (id, funding, creator, funder, chat, denom, total, slots, mode, seed, state, created_at, expires_at)
VALUES (:id, :funding, :creator, :funder, :chat, :denom, :total, :slots, :mode, :seed, 'active', :at, :expires_at)

-- name: find
-- A giveaway, and how far it has come.
SELECT giveaways.*, ifnull((SELECT max(number) FROM giveaway_claims WHERE giveaway = giveaways.id), 0) AS claimed
FROM giveaways WHERE id = ?

-- name: by_funding
-- The giveaway that a posting began.
SELECT id FROM giveaways WHERE funding = ?

-- name: claim_of
-- What somebody claimed of a giveaway, and was paid for it.
SELECT number, paid.amount
FROM giveaway_claims LEFT JOIN transactions AS paid ON paid.id = posting WHERE giveaway = ? AND claimant = ?

-- name: claims
-- The first who claimed, and what each was paid for it.
SELECT number, claimant, paid.amount
FROM giveaway_claims LEFT JOIN transactions AS paid ON paid.id = posting
WHERE giveaway = :giveaway ORDER BY number LIMIT :limit

-- name: claimants
-- Everybody who joined, in order.
SELECT claimant FROM giveaway_claims WHERE giveaway = ? ORDER BY number

-- name: claim
-- Somebody claimed.
INSERT INTO giveaway_claims (giveaway, number, claimant, posting, at) VALUES (:giveaway, :number, :claimant, :posting, :at)

-- name: end
-- It is over; once.
UPDATE giveaways SET state = :state, ended_at = :at WHERE id = :id AND state = 'active'

-- name: due
-- What has expired and nobody ended, the longest overdue first.
SELECT id FROM giveaways WHERE state = 'active' AND expires_at <= ? ORDER BY expires_at, id LIMIT ?

-- name: next_due
-- When the next one expires.
SELECT min(expires_at) AS at FROM giveaways WHERE state = 'active'

-- name: active_of
-- What somebody has under way, the newest first.
SELECT id FROM giveaways WHERE state = 'active' AND creator = ? ORDER BY id DESC LIMIT ?

-- name: active_in
-- What is under way in a group.
SELECT id FROM giveaways WHERE state = 'active' AND chat = ? ORDER BY id

-- name: move
-- A group became a supergroup: what is under way there goes with it.
UPDATE giveaways SET chat = :new WHERE chat = :old AND state = 'active'

-- name: returned
-- What went back when it was over.
SELECT amount FROM entries JOIN transactions USING (id) WHERE key = ?

-- name: account_since
-- Since when an account is registered.
SELECT created_at FROM users WHERE id = ?
