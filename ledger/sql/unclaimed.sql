-- name: page
-- What waits in UNCLAIMED, newest first, before row :before.
SELECT * FROM unclaimed WHERE remaining > 0 AND id < :before ORDER BY id DESC LIMIT :limit

-- name: waiting
-- How much waits of each denom, in how many rows.
SELECT denom, sum(remaining) AS amount, count(*) AS rows FROM unclaimed WHERE remaining > 0 GROUP BY denom ORDER BY denom

-- name: find
-- One row of UNCLAIMED.
SELECT * FROM unclaimed WHERE id = ?

-- name: of_transaction
-- What one transaction of the chain brought, oldest first.
SELECT * FROM unclaimed WHERE tx_hash = ? ORDER BY id LIMIT ?

-- name: claimable
-- What waits still of what the transaction of a deposit brought from the same address, oldest first.
SELECT rest.* FROM unclaimed AS named
    JOIN unclaimed AS rest
        ON (rest.chain_id, rest.tx_hash, rest.sender) = (named.chain_id, named.tx_hash, named.sender)
WHERE named.id = :deposit AND rest.remaining > 0 ORDER BY rest.id LIMIT :limit

-- name: assign
-- A part of a row goes to somebody; a trigger counts the row down.
INSERT INTO assignments (id, unclaimed, account, amount, how, actor, reason, challenge, at)
VALUES (:id, :unclaimed, :account, :amount, :how, :actor, :reason, :challenge, :at)

-- name: assigned
-- The assignments of one entry.
SELECT assignments.*
FROM entries JOIN assignments ON assignments.id BETWEEN entries.id AND entries.id + entries.postings - 1
WHERE entries.id = ? ORDER BY assignments.id

-- name: challenge
-- Ask for a signature.
INSERT INTO wallet_challenges (nonce, account, purpose, deposit, address, document, created_at, expires_at)
VALUES (:nonce, :account, 'deposit', :deposit, :address, :document, :at, :expires_at)

-- name: find_challenge
-- One challenge.
SELECT * FROM wallet_challenges WHERE nonce = ?

-- name: open_challenge
-- A challenge for this deposit that its person can still answer for a while; one from the future cannot be answered yet.
SELECT * FROM wallet_challenges
WHERE account = :account AND deposit = :deposit AND used_at IS NULL AND created_at <= :now AND expires_at >= :until
ORDER BY created_at DESC LIMIT 1

-- name: challenges
-- What this person was asked to sign for deposits, newest first.
SELECT * FROM wallet_challenges WHERE account = ? AND purpose = 'deposit' ORDER BY created_at DESC LIMIT ?

-- name: answer
-- A challenge is answered, once.
UPDATE wallet_challenges SET used_at = :at, proof = :proof
WHERE nonce = :nonce AND account = :account AND used_at IS NULL AND expires_at > :at
