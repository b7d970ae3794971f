-- name: find
-- One shared account.
SELECT id, name, state FROM shared_accounts WHERE id = ?

-- name: next
-- The id that comes next, and how many a person has created, closed ones too.
SELECT ifnull(min(id), -99) - 1 AS id, ifnull(sum(created_by = ?), 0) AS created FROM shared_accounts

-- name: is_taken
-- Whether another open account has this name.
SELECT 1 FROM shared_accounts WHERE folded = ? AND state = 'open' AND id <> ?

-- name: register
-- The account itself, before its first row.
INSERT INTO users (id, role, name, created_at) VALUES (:account, 'shared', :name, :at)

-- name: create
-- A shared account begins.
INSERT INTO shared_accounts (id, name, folded, created_by, created_at, state)
VALUES (:account, :name, :folded, :person, :at, 'open')

-- name: rename
-- An open account is called otherwise.
UPDATE shared_accounts SET name = :name, folded = :folded WHERE id = :account AND state = 'open'

-- name: rename_user
-- The same in the registry of accounts.
UPDATE users SET name = :name WHERE id = :account

-- name: left_over
-- What keeps an account from being closed: coins in it, and withdrawals that may come back.
SELECT denom, balance, 0 AS withdrawal FROM user_balances WHERE user_id = :account AND balance <> 0
UNION ALL
SELECT denom, amount, id FROM withdrawals
WHERE account = :account AND state IN ('requested', 'awaiting_approval', 'queued', 'signed')
ORDER BY withdrawal, denom

-- name: close
-- An account ends.
UPDATE shared_accounts SET state = 'closed', closed_by = :person, closed_at = :at WHERE id = :account AND state = 'open'

-- name: close_memberships
-- With it everybody's part in it; whoever was only invited never had one.
UPDATE shared_members SET state = iif(state = 'joined', 'closed', 'revoked'), changed_by = :person, changed_at = :at
WHERE account = :account AND state IN ('invited', 'joined')

-- name: membership
-- What somebody is in an account: a member, invited, or a member until it was closed.
SELECT * FROM shared_members WHERE account = ? AND person = ? AND state IN ('invited', 'joined', 'closed')

-- name: membership_by_id
-- One membership.
SELECT * FROM shared_members WHERE id = ?

-- name: members
-- Who has a part in an account, and who is invited; admins first, then as they came.
SELECT * FROM shared_members WHERE account = ? AND state IN ('invited', 'joined')
ORDER BY state = 'invited', role <> 'admin', id

-- name: of_person
-- Somebody's accounts, and those that they are invited to; the open ones first.
SELECT shared_members.*, shared_accounts.name, shared_accounts.state AS account_state
FROM shared_members JOIN shared_accounts ON shared_accounts.id = shared_members.account
WHERE shared_members.person = ? AND shared_members.state IN ('invited', 'joined', 'closed')
ORDER BY shared_accounts.state = 'closed', shared_members.state = 'invited', shared_accounts.id DESC

-- name: next_membership
-- The number of the next membership, and how many an account has now.
SELECT ifnull(max(id), 0) + 1 AS id,
    (SELECT count(*) FROM shared_members WHERE account = ? AND state IN ('invited', 'joined')) AS live
FROM shared_members

-- name: invited_lately
-- How often an account invited somebody between two moments.
SELECT count(*) AS times FROM shared_members
WHERE account = :account AND person = :person AND invited_at BETWEEN :since AND :until

-- name: join
-- A membership begins: by an invitation, or with the account itself.
INSERT INTO shared_members (
    id, account, person, role, limit_denom, per_transaction, per_day, invited_by, invited_at, state, changed_by,
    changed_at
) VALUES (
    :id, :account, :person, :role, :limit_denom, :per_transaction, :per_day, :by, :at, :state, :by, :at
)

-- name: step
-- The next step of a membership.
UPDATE shared_members SET state = :state, changed_by = :by, changed_at = :at WHERE id = :id AND state = :before

-- name: change
-- Another role, other limits.
UPDATE shared_members
SET role = :role, limit_denom = :limit_denom, per_transaction = :per_transaction, per_day = :per_day, changed_by = :by,
    changed_at = :at
WHERE id = :id AND state = 'joined'

-- name: spent_lately
-- What a person took out of an account between two moments; withdrawals that came back do not count.
SELECT ifnull(sum(spent.amount), 0) AS amount
FROM shared_spends AS spent LEFT JOIN withdrawals USING (id)
WHERE spent.account = :account AND spent.person = :person AND spent.denom = :denom AND spent.at BETWEEN :since AND :until
    AND ifnull(withdrawals.state, '') NOT IN ('returned', 'cancelled')
    AND (ifnull(withdrawals.state, '') <> 'manual' OR json_extract(withdrawals.evidence, '$.outcome') IS NOT 'returned')

-- name: spent
-- Something was taken out.
INSERT INTO shared_spends (id, account, person, denom, amount, at) VALUES (:id, :account, :person, :denom, :amount, :at)
