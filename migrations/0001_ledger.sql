-- The books: who owns what, and why. Only an INSERT into transactions moves value; triggers do the rest (ledger.md).

CREATE TABLE users (
    -- The account registry: positive ids are people, negative ids are the system's own (accounts.py).
    id INTEGER PRIMARY KEY CHECK (id > 0 OR id BETWEEN -99 AND -1 OR id BETWEEN -999 AND -100 OR id <= -1001),
    role TEXT NOT NULL CHECK (
        CASE
            WHEN id > 0 THEN role IN ('owner', 'admin', 'elevated', 'member')
            WHEN id >= -99 THEN role = 'system'
            WHEN id >= -999 THEN role = 'shared'
            ELSE role = 'escrow'
        END
    ),
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

INSERT INTO users (id, role, name, created_at) VALUES
    (-1, 'system', 'BOT_TREASURY', 0),
    (-2, 'system', 'SYSTEM_RESERVE', 0),
    (-3, 'system', 'UNCLAIMED', 0),
    (-4, 'system', 'WITHDRAWALS', 0),
    (-5, 'system', 'REWARDS_POOL', 0);

-- A later system account is a migration's business: it lifts this trigger and sets it again.
CREATE TRIGGER users_system_fixed BEFORE INSERT ON users WHEN NEW.id BETWEEN -99 AND -1
BEGIN
    SELECT RAISE(ABORT, 'system accounts come with migrations');
END;

CREATE TRIGGER users_kept BEFORE DELETE ON users
BEGIN
    SELECT RAISE(ABORT, 'accounts are never deleted');
END;

CREATE TRIGGER users_same_id BEFORE UPDATE OF id ON users WHEN NEW.id <> OLD.id
BEGIN
    SELECT RAISE(ABORT, 'an account keeps its id');
END;

CREATE TABLE assets (
    -- Listed denoms. total is the sum of all balances: what the treasury address must hold.
    denom TEXT PRIMARY KEY CHECK (denom <> ''),
    symbol TEXT NOT NULL CHECK (symbol <> ''),
    decimals INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 18),
    total INTEGER NOT NULL DEFAULT 0 CHECK (total >= 0)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER assets_kept BEFORE DELETE ON assets
BEGIN
    SELECT RAISE(ABORT, 'a listed denom stays listed');
END;

CREATE TRIGGER assets_begin_empty BEFORE INSERT ON assets WHEN NEW.total <> 0
BEGIN
    SELECT RAISE(ABORT, 'a denom is listed with nothing in the books');
END;

CREATE TABLE user_balances (
    -- last_tx is the newest row of transactions that moved this balance: the tail of its chain of links.
    -- The account may be registered later in the same transaction (an escrow with its first coins).
    user_id INTEGER NOT NULL REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
    denom TEXT NOT NULL REFERENCES assets (denom),
    balance INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0 OR user_id = -2),
    last_tx INTEGER NOT NULL DEFAULT 0 CHECK (last_tx >= 0),
    PRIMARY KEY (user_id, denom)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER user_balances_kept BEFORE DELETE ON user_balances
BEGIN
    SELECT RAISE(ABORT, 'balances are never deleted');
END;

CREATE TRIGGER user_balances_begin_empty BEFORE INSERT ON user_balances WHEN NEW.balance <> 0 OR NEW.last_tx <> 0
BEGIN
    SELECT RAISE(ABORT, 'a balance begins at zero');
END;

CREATE TABLE kinds (
    -- Which postings may be: the seed's table of operations. A book's migration adds its own rows.
    kind TEXT NOT NULL,
    from_class TEXT NOT NULL,
    to_class TEXT NOT NULL,
    may_overdraw INTEGER NOT NULL DEFAULT 0 CHECK (may_overdraw IN (0, 1)),
    PRIMARY KEY (kind, from_class, to_class),
    CHECK (from_class IN
        ('chain', 'user', 'treasury', 'reserve', 'unclaimed', 'withdrawals', 'rewards', 'shared', 'escrow')),
    CHECK (to_class IN
        ('chain', 'user', 'treasury', 'reserve', 'unclaimed', 'withdrawals', 'rewards', 'shared', 'escrow')),
    -- Only the reserve ever owes, and only to the chain: coins that are gone.
    CHECK (may_overdraw = 0 OR (from_class = 'reserve' AND to_class = 'chain'))
) STRICT, WITHOUT ROWID;

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    ('transfer', 'user', 'user', 0),
    -- Reconciliation alone: surplus in, shortfall out, and what an owner attributes afterwards.
    ('adjustment', 'chain', 'reserve', 0),
    ('adjustment', 'reserve', 'chain', 1),
    ('adjustment', 'reserve', 'user', 0),
    ('adjustment', 'reserve', 'treasury', 0),
    ('adjustment', 'reserve', 'unclaimed', 0),
    ('adjustment', 'reserve', 'rewards', 0),
    ('adjustment', 'reserve', 'shared', 0),
    ('adjustment', 'reserve', 'escrow', 0);

CREATE TABLE entries (
    -- An atomic group of postings under one idempotency key; id is the id of its first posting.
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE CHECK (key <> ''),
    digest BLOB NOT NULL,
    postings INTEGER NOT NULL CHECK (postings >= 1)
) STRICT;

CREATE TABLE transactions (
    -- One posting: amount from from_id to to_id, NULL is the chain. For both parties the row bears the id of
    -- their previous row in this denom (0: none) and the balance after it, so a stale writer can only fail, and
    -- history is a walk of links without an index.
    id INTEGER PRIMARY KEY,
    entry_id INTEGER NOT NULL REFERENCES entries (id),
    kind TEXT NOT NULL,
    denom TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0 AND amount < 4611686018427387904),
    from_id INTEGER,
    to_id INTEGER,
    from_prev INTEGER,
    from_after INTEGER,
    to_prev INTEGER,
    to_after INTEGER,
    reference INTEGER,
    actor INTEGER NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL,
    CHECK (from_id IS NOT to_id),
    CHECK ((from_id IS NULL) = (from_prev IS NULL) AND (from_id IS NULL) = (from_after IS NULL)),
    CHECK ((to_id IS NULL) = (to_prev IS NULL) AND (to_id IS NULL) = (to_after IS NULL)),
    CHECK (entry_id <= id)
) STRICT;

-- What waits in WITHDRAWALS is resolved once: each destination at most once, and (trigger) by one entry only.
CREATE UNIQUE INDEX transactions_resolved ON transactions (reference, ifnull(to_id, 0)) WHERE from_id = -4;
CREATE INDEX transactions_reference ON transactions (reference) WHERE reference IS NOT NULL;

CREATE TRIGGER transactions_no_update BEFORE UPDATE ON transactions
BEGIN
    SELECT RAISE(ABORT, 'transactions is append-only');
END;

CREATE TRIGGER transactions_no_delete BEFORE DELETE ON transactions
BEGIN
    SELECT RAISE(ABORT, 'transactions is append-only');
END;

CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries is append-only');
END;

CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries is append-only');
END;

CREATE TRIGGER transactions_checked BEFORE INSERT ON transactions
BEGIN
    -- Without gaps: a replaced or skipped id cannot pass, whatever the pragmas of the connection.
    SELECT RAISE(ABORT, 'transactions are numbered without gaps')
    WHERE NEW.id IS NOT 1 + ifnull((SELECT max(id) FROM transactions), 0);
    SELECT RAISE(ABORT, 'no such kind between these accounts')
    WHERE NOT EXISTS (
        SELECT 1 FROM kinds
        WHERE kind = NEW.kind
            AND from_class = CASE
                WHEN NEW.from_id > 0 THEN 'user' WHEN NEW.from_id IS NULL THEN 'chain'
                WHEN NEW.from_id = -1 THEN 'treasury' WHEN NEW.from_id = -2 THEN 'reserve'
                WHEN NEW.from_id = -3 THEN 'unclaimed' WHEN NEW.from_id = -4 THEN 'withdrawals'
                WHEN NEW.from_id = -5 THEN 'rewards' WHEN NEW.from_id BETWEEN -999 AND -100 THEN 'shared'
                WHEN NEW.from_id <= -1001 THEN 'escrow' END
            AND to_class = CASE
                WHEN NEW.to_id > 0 THEN 'user' WHEN NEW.to_id IS NULL THEN 'chain'
                WHEN NEW.to_id = -1 THEN 'treasury' WHEN NEW.to_id = -2 THEN 'reserve'
                WHEN NEW.to_id = -3 THEN 'unclaimed' WHEN NEW.to_id = -4 THEN 'withdrawals'
                WHEN NEW.to_id = -5 THEN 'rewards' WHEN NEW.to_id BETWEEN -999 AND -100 THEN 'shared'
                WHEN NEW.to_id <= -1001 THEN 'escrow' END
            AND (may_overdraw = 1 OR NEW.from_after IS NULL OR NEW.from_after >= 0)
    );
END;

CREATE TRIGGER transactions_open_balances BEFORE INSERT ON transactions WHEN NEW.from_prev = 0 OR NEW.to_prev = 0
BEGIN
    -- INSERT first and UPDATE after: CHECK (balance >= 0) looks at the row that an upsert proposes.
    INSERT OR IGNORE INTO user_balances (user_id, denom)
    SELECT NEW.from_id, NEW.denom WHERE NEW.from_prev = 0
    UNION ALL SELECT NEW.to_id, NEW.denom WHERE NEW.to_prev = 0;
END;

CREATE TRIGGER transactions_resolve BEFORE INSERT ON transactions WHEN NEW.reference IS NOT NULL OR NEW.from_id = -4
BEGIN
    SELECT RAISE(ABORT, 'money waits in WITHDRAWALS for a reason: name it')
    WHERE NEW.reference IS NULL;
    SELECT RAISE(ABORT, 'a reference names an earlier posting into the account that pays now')
    WHERE NOT EXISTS (
        SELECT 1 FROM transactions
        WHERE id = NEW.reference AND id < NEW.id AND denom = NEW.denom AND to_id = NEW.from_id
    );
    SELECT RAISE(ABORT, 'a hold is resolved by one entry')
    WHERE NEW.from_id = -4 AND EXISTS (
        SELECT 1 FROM transactions WHERE reference = NEW.reference AND entry_id <> NEW.entry_id
    );
    SELECT RAISE(ABORT, 'more leaves than was held')
    WHERE (SELECT amount FROM transactions WHERE id = NEW.reference)
        < NEW.amount + (SELECT ifnull(sum(amount), 0) FROM transactions WHERE reference = NEW.reference);
END;

CREATE TRIGGER transactions_apply AFTER INSERT ON transactions
BEGIN
    UPDATE user_balances SET balance = NEW.from_after, last_tx = NEW.id
    WHERE user_id = NEW.from_id AND denom = NEW.denom
        AND last_tx = NEW.from_prev AND balance - NEW.amount = NEW.from_after;
    SELECT RAISE(ABORT, 'the source is not what the writer believed')
    WHERE changes() = 0 AND NEW.from_id IS NOT NULL;
    UPDATE user_balances SET balance = NEW.to_after, last_tx = NEW.id
    WHERE user_id = NEW.to_id AND denom = NEW.denom
        AND last_tx = NEW.to_prev AND balance + NEW.amount = NEW.to_after;
    SELECT RAISE(ABORT, 'the destination is not what the writer believed')
    WHERE changes() = 0 AND NEW.to_id IS NOT NULL;
END;

CREATE TRIGGER transactions_total AFTER INSERT ON transactions WHEN NEW.from_id IS NULL OR NEW.to_id IS NULL
BEGIN
    UPDATE assets SET total = total + CASE WHEN NEW.from_id IS NULL THEN NEW.amount ELSE -NEW.amount END
    WHERE denom = NEW.denom;
END;

CREATE TABLE links (
    -- The hash chain: one link per commit over its rows and the link before (audit.py tells the canonical form).
    id INTEGER PRIMARY KEY,
    first_tx INTEGER NOT NULL,
    last_tx INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK (last_tx >= first_tx)
) STRICT;

CREATE TRIGGER links_join BEFORE INSERT ON links
BEGIN
    SELECT RAISE(ABORT, 'links are numbered without gaps and cover every posting once')
    WHERE NEW.id IS NOT 1 + ifnull((SELECT max(id) FROM links), 0)
        OR NEW.first_tx IS NOT 1 + ifnull((SELECT last_tx FROM links ORDER BY id DESC LIMIT 1), 0)
        OR NEW.last_tx IS NOT (SELECT max(id) FROM transactions);
END;

CREATE TRIGGER links_no_update BEFORE UPDATE ON links
BEGIN
    SELECT RAISE(ABORT, 'links is append-only');
END;

CREATE TRIGGER links_no_delete BEFORE DELETE ON links
BEGIN
    SELECT RAISE(ABORT, 'links is append-only');
END;

CREATE TABLE transaction_locks (
    -- A singleton role (poller, scanner, signer) has an expiry; a withdrawal being signed (withdrawal:<id>) has
    -- none, its lock ends with the state change that ends its reason. fence grows with every new holder.
    role TEXT PRIMARY KEY CHECK (role <> ''),
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL CHECK (fence >= 1),
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TRIGGER transaction_locks_fence BEFORE UPDATE ON transaction_locks
WHEN NEW.role <> OLD.role OR NEW.fence < OLD.fence OR (NEW.fence = OLD.fence AND NEW.holder <> OLD.holder)
BEGIN
    SELECT RAISE(ABORT, 'a fencing token only grows');
END;

-- A role's row outlives its holders, or its token would start again.
CREATE TRIGGER transaction_locks_kept BEFORE DELETE ON transaction_locks WHEN OLD.expires_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a role keeps its fencing token');
END;

CREATE TABLE outbox (
    -- News for people, committed with the act that made it; only the bot's notifier sends it (outbox.py).
    id INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    recipient INTEGER NOT NULL,
    facts TEXT NOT NULL CHECK (facts GLOB '{*}'),
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'undeliverable', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    sent TEXT
) STRICT;

CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state = 'pending';

CREATE TABLE identity (
    -- What this database belongs to: chain, treasury address, bot. Bound once, refuses others (identity.py).
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER identity_no_update BEFORE UPDATE ON identity
BEGIN
    SELECT RAISE(ABORT, 'identity is bound once');
END;

CREATE TRIGGER identity_no_delete BEFORE DELETE ON identity
BEGIN
    SELECT RAISE(ABORT, 'identity is bound once');
END;
