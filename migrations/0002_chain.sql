-- Coins in, coins out, and the comparison of the books with the chain (chain.md).

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    -- What a block's transactions carried to the treasury, by body.
    ('deposit', 'chain', 'user', 0),
    ('deposit', 'chain', 'shared', 0),
    ('deposit', 'chain', 'unclaimed', 0),
    ('deposit', 'chain', 'treasury', 0),
    ('deposit', 'chain', 'rewards', 0),
    -- What the address held when the books were opened.
    ('opening', 'chain', 'treasury', 0),
    -- What the proved balance holds beyond everything that is known by body.
    ('residue', 'chain', 'unclaimed', 0),
    -- A withdrawal waits in WITHDRAWALS, amount and fee together, until one entry resolves it.
    ('withdrawal', 'user', 'withdrawals', 0),
    ('withdrawal', 'shared', 'withdrawals', 0),
    ('withdrawal', 'treasury', 'withdrawals', 0),
    ('withdrawal_settled', 'withdrawals', 'chain', 0),
    ('withdrawal_settled', 'withdrawals', 'treasury', 0),
    -- Failed or expired on chain: everything back but the network fee that was really paid.
    ('withdrawal_returned', 'withdrawals', 'user', 0),
    ('withdrawal_returned', 'withdrawals', 'shared', 0),
    ('withdrawal_returned', 'withdrawals', 'treasury', 0),
    ('withdrawal_returned', 'withdrawals', 'chain', 0),
    ('withdrawal_cancelled', 'withdrawals', 'user', 0),
    ('withdrawal_cancelled', 'withdrawals', 'shared', 0),
    ('withdrawal_cancelled', 'withdrawals', 'treasury', 0),
    -- An owner's word with evidence. Paid outside our own transactions: the reserve had booked it as a shortfall.
    ('withdrawal_manual', 'withdrawals', 'user', 0),
    ('withdrawal_manual', 'withdrawals', 'shared', 0),
    ('withdrawal_manual', 'withdrawals', 'treasury', 0),
    ('withdrawal_manual', 'withdrawals', 'reserve', 0),
    ('network_fee', 'treasury', 'chain', 0);

CREATE TABLE cursor (
    -- The last block that the books hold. header is what the light client trusts from there on (opaque JSON).
    -- sequence and account_number are the treasury's as proved after block proved_height; NULL: never proved.
    chain_id TEXT PRIMARY KEY,
    opened_at_height INTEGER NOT NULL,
    height INTEGER NOT NULL CHECK (height >= opened_at_height),
    header TEXT NOT NULL CHECK (header GLOB '{*}'),
    block_time INTEGER NOT NULL,
    proved_height INTEGER NOT NULL CHECK (proved_height <= height),
    sequence INTEGER,
    account_number INTEGER,
    CHECK ((sequence IS NULL) = (account_number IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER cursor_forward BEFORE UPDATE ON cursor
WHEN NEW.height <> OLD.height + 1 OR NEW.proved_height < OLD.proved_height OR NEW.opened_at_height <> OLD.opened_at_height
BEGIN
    SELECT RAISE(ABORT, 'the cursor moves one block at a time, and never back');
END;

CREATE TRIGGER cursor_kept BEFORE DELETE ON cursor
BEGIN
    SELECT RAISE(ABORT, 'the cursor is never deleted');
END;

CREATE TABLE settled (
    -- The newest height at which a denom's proved balance was compared with the books, and that balance.
    chain_id TEXT NOT NULL,
    denom TEXT NOT NULL,
    height INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK (balance >= 0),
    PRIMARY KEY (chain_id, denom)
) STRICT, WITHOUT ROWID;

CREATE TABLE processed_deposits (
    -- Every coin that a transaction's body carried to the treasury, once. amount stays as it was spelled: unlisted
    -- denoms exceed int64, odd spellings are no number. transaction_id: the posting, NULL when nothing was posted.
    chain_id TEXT NOT NULL,
    tx_hash TEXT NOT NULL,
    msg_path TEXT NOT NULL,
    output_index INTEGER NOT NULL CHECK (output_index >= 0),
    denom TEXT NOT NULL,
    height INTEGER NOT NULL,
    amount TEXT NOT NULL,
    memo TEXT NOT NULL,
    sender TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('credited', 'unclaimed', 'odd', 'unlisted')),
    account INTEGER,
    transaction_id INTEGER UNIQUE REFERENCES transactions (id),
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (chain_id, tx_hash, msg_path, output_index, denom),
    CHECK ((transaction_id IS NOT NULL) = (state IN ('credited', 'unclaimed'))),
    CHECK ((account IS NOT NULL) = (state IN ('credited', 'unclaimed')))
) STRICT, WITHOUT ROWID;
CREATE INDEX processed_deposits_odd ON processed_deposits (chain_id, denom, height) WHERE state = 'odd';

CREATE TRIGGER processed_deposits_no_update BEFORE UPDATE ON processed_deposits
BEGIN
    SELECT RAISE(ABORT, 'a deposit is written once');
END;

CREATE TRIGGER processed_deposits_no_delete BEFORE DELETE ON processed_deposits
BEGIN
    SELECT RAISE(ABORT, 'a deposit is written once');
END;

CREATE TABLE unclaimed (
    -- What waits in UNCLAIMED and why; id is the posting that brought it. Assignable in parts: remaining counts down.
    -- A residue has no transaction to name: evidence holds what may explain it, unproved.
    id INTEGER PRIMARY KEY REFERENCES transactions (id),
    chain_id TEXT NOT NULL,
    height INTEGER NOT NULL,
    denom TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    remaining INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND amount),
    reason TEXT NOT NULL
        CHECK (reason IN (
            'no_memo', 'unusable_memo', 'unknown_user', 'unknown_shared_account', 'closed_shared_account', 'residue'
        )),
    tx_hash TEXT,
    sender TEXT NOT NULL,
    memo TEXT NOT NULL,
    evidence TEXT NOT NULL CHECK (evidence GLOB '{*}'),
    created_at INTEGER NOT NULL,
    CHECK ((tx_hash IS NULL) = (reason = 'residue'))
) STRICT;
CREATE INDEX unclaimed_open ON unclaimed (id) WHERE remaining > 0;
CREATE UNIQUE INDEX unclaimed_residue ON unclaimed (chain_id, height, denom) WHERE reason = 'residue';

CREATE TABLE evidence (
    -- Why the program posted or froze something that no member asked for; facts are JSON.
    id INTEGER PRIMARY KEY,
    chain_id TEXT NOT NULL,
    height INTEGER NOT NULL,
    about TEXT NOT NULL CHECK (about IN ('residue', 'shortfall', 'stranger', 'contradiction')),
    denom TEXT,
    facts TEXT NOT NULL CHECK (facts GLOB '{*}'),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE withdrawals (
    -- id is the posting into WITHDRAWALS: amount and fee together. resolution is the first posting of the entry
    -- that ended the wait. alone 1: a batch with it failed, so it is paid by itself.
    id INTEGER PRIMARY KEY REFERENCES transactions (id),
    account INTEGER NOT NULL,
    denom TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    fee INTEGER NOT NULL CHECK (fee >= 0),
    address TEXT NOT NULL CHECK (address <> ''),
    memo TEXT NOT NULL CHECK (length(CAST(memo AS BLOB)) <= 256),
    state TEXT NOT NULL CHECK (state IN (
        'requested', 'awaiting_approval', 'queued', 'signed', 'confirmed', 'returned', 'cancelled', 'manual'
    )),
    alone INTEGER NOT NULL DEFAULT 0 CHECK (alone IN (0, 1)),
    resolution INTEGER UNIQUE REFERENCES transactions (id),
    evidence TEXT NOT NULL DEFAULT '{}' CHECK (evidence GLOB '{*}'),
    requested_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK ((resolution IS NOT NULL) = (state IN ('confirmed', 'returned', 'cancelled', 'manual')))
) STRICT;
CREATE INDEX withdrawals_open ON withdrawals (state, id) WHERE state IN ('requested', 'awaiting_approval', 'queued', 'signed');
CREATE INDEX withdrawals_account ON withdrawals (account, id);

CREATE TRIGGER withdrawals_states BEFORE UPDATE OF state ON withdrawals
WHEN (OLD.state, NEW.state) NOT IN (VALUES
    ('requested', 'awaiting_approval'), ('requested', 'queued'), ('requested', 'cancelled'),
    ('awaiting_approval', 'queued'), ('awaiting_approval', 'cancelled'),
    ('queued', 'signed'), ('queued', 'cancelled'), ('queued', 'manual'),
    ('signed', 'confirmed'), ('signed', 'returned'), ('signed', 'queued'), ('signed', 'manual')
)
BEGIN
    SELECT RAISE(ABORT, 'no such step in the life of a withdrawal');
END;

CREATE TRIGGER withdrawals_fixed BEFORE UPDATE ON withdrawals
WHEN (OLD.id, OLD.account, OLD.denom, OLD.amount, OLD.fee, OLD.address, OLD.memo)
    IS NOT (NEW.id, NEW.account, NEW.denom, NEW.amount, NEW.fee, NEW.address, NEW.memo)
    OR OLD.resolution IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'what was asked for does not change, nor what was resolved');
END;

CREATE TRIGGER withdrawals_kept BEFORE DELETE ON withdrawals
BEGIN
    SELECT RAISE(ABORT, 'withdrawals are never deleted');
END;

CREATE TABLE signed_transactions (
    -- Bytes of ours that may execute: committed before the first broadcast. hash is the canonical one (a stranger
    -- can change the other). One row an attempt; attempts of one sequence exclude each other on chain.
    hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
    chain_id TEXT NOT NULL,
    bytes BLOB NOT NULL,
    account_number INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    fee INTEGER NOT NULL CHECK (fee >= 0),
    fee_denom TEXT NOT NULL,
    gas_limit INTEGER NOT NULL CHECK (gas_limit > 0),
    signed_height INTEGER NOT NULL,
    timeout_height INTEGER NOT NULL CHECK (timeout_height > signed_height),
    state TEXT NOT NULL CHECK (state IN ('signed', 'broadcast', 'confirmed', 'failed', 'expired')),
    signed_at INTEGER NOT NULL,
    ended_height INTEGER,
    ended_code INTEGER,
    CHECK ((ended_height IS NULL) = (state IN ('signed', 'broadcast')))
) STRICT, WITHOUT ROWID;
CREATE INDEX signed_transactions_open ON signed_transactions (sequence) WHERE state IN ('signed', 'broadcast');

CREATE TRIGGER signed_transactions_one_sequence BEFORE INSERT ON signed_transactions
WHEN EXISTS (
    SELECT 1 FROM signed_transactions
    WHERE state IN ('signed', 'broadcast') AND (chain_id, sequence) IS NOT (NEW.chain_id, NEW.sequence)
)
BEGIN
    SELECT RAISE(ABORT, 'another sequence is not resolved yet');
END;

CREATE TRIGGER signed_transactions_states BEFORE UPDATE OF state ON signed_transactions
WHEN (OLD.state, NEW.state) NOT IN (VALUES
    ('signed', 'broadcast'), ('signed', 'confirmed'), ('signed', 'failed'), ('signed', 'expired'),
    ('broadcast', 'confirmed'), ('broadcast', 'failed'), ('broadcast', 'expired')
)
BEGIN
    SELECT RAISE(ABORT, 'no such step in the life of a signed transaction');
END;

CREATE TRIGGER signed_transactions_fixed BEFORE UPDATE ON signed_transactions
WHEN (OLD.hash, OLD.chain_id, OLD.bytes, OLD.account_number, OLD.sequence, OLD.fee, OLD.fee_denom, OLD.timeout_height)
    IS NOT (NEW.hash, NEW.chain_id, NEW.bytes, NEW.account_number, NEW.sequence, NEW.fee, NEW.fee_denom, NEW.timeout_height)
BEGIN
    SELECT RAISE(ABORT, 'signed bytes do not change');
END;

CREATE TRIGGER signed_transactions_kept BEFORE DELETE ON signed_transactions
BEGIN
    SELECT RAISE(ABORT, 'signed transactions are never deleted');
END;

CREATE TABLE payouts (
    -- Which withdrawals a signed transaction pays; several may share one, and one may take several attempts.
    hash TEXT NOT NULL REFERENCES signed_transactions (hash),
    withdrawal INTEGER NOT NULL REFERENCES withdrawals (id),
    PRIMARY KEY (hash, withdrawal)
) STRICT, WITHOUT ROWID;
CREATE INDEX payouts_withdrawal ON payouts (withdrawal);

CREATE TABLE inclusions (
    -- Each time a block held one of ours, whatever came of it. shown is the hash that explorers know it by.
    hash TEXT NOT NULL REFERENCES signed_transactions (hash),
    height INTEGER NOT NULL,
    position INTEGER NOT NULL,
    shown TEXT NOT NULL,
    code INTEGER NOT NULL,
    PRIMARY KEY (hash, height, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE freezes (
    -- Why nothing is signed. account NULL: nobody's withdrawals; else only that account's. Standing while lifted_at
    -- is NULL.
    id INTEGER PRIMARY KEY,
    reason TEXT NOT NULL CHECK (reason IN ('shortfall', 'stranger', 'contradiction', 'ordered')),
    account INTEGER,
    actor INTEGER NOT NULL,
    note TEXT NOT NULL,
    frozen_at INTEGER NOT NULL,
    lifted_at INTEGER,
    lifted_by INTEGER,
    lifted_note TEXT,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_note IS NULL))
) STRICT;
CREATE UNIQUE INDEX freezes_standing ON freezes (reason, ifnull(account, 0)) WHERE lifted_at IS NULL;

CREATE TRIGGER freezes_kept BEFORE DELETE ON freezes
BEGIN
    SELECT RAISE(ABORT, 'freezes are lifted, not deleted');
END;
