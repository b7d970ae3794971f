-- What waits in UNCLAIMED finds whose it is: by an admin's word, or by a signature of the address that sent it.

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    -- The seed's Claim Unclaimed. It refers to the posting that brought the money, so parts never exceed it.
    ('assignment', 'unclaimed', 'user', 0);

-- A claim names the transaction that its sender knows.
CREATE INDEX unclaimed_transaction ON unclaimed (tx_hash) WHERE tx_hash IS NOT NULL;

CREATE TABLE wallet_challenges (
    -- A text that only the key of address can sign, made for one person and one purpose. It is answered once, before it
    -- expires; proof is the public key and the signature that did. deposit names what is claimed: all that its
    -- transaction brought from this address.
    nonce TEXT PRIMARY KEY CHECK (length(nonce) = 24),
    account INTEGER NOT NULL CHECK (account > 0),
    purpose TEXT NOT NULL CHECK (purpose IN ('deposit', 'wallet')),
    deposit INTEGER REFERENCES unclaimed (id),
    address TEXT NOT NULL CHECK (address <> '' AND address = lower(address)),
    document TEXT NOT NULL CHECK (instr(document, nonce) > 0 AND instr(document, account) > 0 AND instr(document, address) > 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > created_at),
    used_at INTEGER CHECK (used_at >= created_at AND used_at < expires_at),
    proof TEXT CHECK (proof GLOB '{*}'),
    CHECK ((purpose = 'deposit') = (deposit IS NOT NULL)),
    CHECK ((used_at IS NULL) = (proof IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX wallet_challenges_account ON wallet_challenges (account, created_at);
CREATE INDEX wallet_challenges_unanswered ON wallet_challenges (expires_at) WHERE used_at IS NULL;

CREATE TRIGGER wallet_challenges_fixed BEFORE UPDATE ON wallet_challenges
WHEN (OLD.nonce, OLD.account, OLD.purpose, OLD.deposit, OLD.address, OLD.document, OLD.created_at, OLD.expires_at)
    IS NOT (NEW.nonce, NEW.account, NEW.purpose, NEW.deposit, NEW.address, NEW.document, NEW.created_at, NEW.expires_at)
    OR OLD.used_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a challenge stays what was shown, and is answered once');
END;

CREATE TRIGGER wallet_challenges_kept BEFORE DELETE ON wallet_challenges WHEN OLD.used_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'what proved an ownership is never deleted');
END;

CREATE TABLE assignments (
    -- What left UNCLAIMED, for whom and on whose word; id is the posting. An admin gives a reason, a signature answers
    -- a challenge of the very person who gets it.
    id INTEGER PRIMARY KEY REFERENCES transactions (id),
    unclaimed INTEGER NOT NULL REFERENCES unclaimed (id),
    account INTEGER NOT NULL CHECK (account > 0),
    amount INTEGER NOT NULL CHECK (amount > 0),
    how TEXT NOT NULL CHECK (how IN ('admin', 'signature')),
    actor INTEGER NOT NULL CHECK (actor > 0),
    reason TEXT NOT NULL,
    challenge TEXT REFERENCES wallet_challenges (nonce),
    at INTEGER NOT NULL,
    CHECK ((how = 'admin') = (trim(reason) <> '')),
    CHECK ((how = 'signature') = (challenge IS NOT NULL)),
    CHECK (how = 'admin' OR actor = account)
) STRICT;
CREATE INDEX assignments_unclaimed ON assignments (unclaimed);

CREATE TRIGGER assignments_as_posted BEFORE INSERT ON assignments
WHEN NOT EXISTS (
    SELECT 1 FROM transactions AS posted
    WHERE posted.id = NEW.id AND posted.kind = 'assignment' AND posted.reference = NEW.unclaimed
        AND posted.to_id = NEW.account AND posted.amount = NEW.amount AND posted.actor = NEW.actor
)
BEGIN
    SELECT RAISE(ABORT, 'an assignment is what was posted for it');
END;

CREATE TRIGGER assignments_proved BEFORE INSERT ON assignments
WHEN NEW.how = 'signature' AND NOT EXISTS (
    SELECT 1 FROM wallet_challenges AS answered
        JOIN unclaimed AS asked ON asked.id = answered.deposit
        JOIN unclaimed AS taken ON taken.id = NEW.unclaimed
    WHERE answered.nonce = NEW.challenge AND answered.account = NEW.account AND answered.used_at = NEW.at
        AND (taken.chain_id, taken.tx_hash, taken.sender) = (asked.chain_id, asked.tx_hash, asked.sender)
)
BEGIN
    SELECT RAISE(ABORT, 'a signature gives its signer what they sent, and nothing else');
END;

-- The count is the database's own: nothing leaves UNCLAIMED uncounted, nothing is counted that did not leave.
CREATE TRIGGER assignments_counted AFTER INSERT ON assignments
BEGIN
    UPDATE unclaimed SET remaining = remaining - NEW.amount WHERE id = NEW.unclaimed;
END;

CREATE TRIGGER unclaimed_counted BEFORE UPDATE OF remaining ON unclaimed
WHEN NEW.remaining <> NEW.amount - (SELECT ifnull(sum(amount), 0) FROM assignments WHERE unclaimed = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'what remains is what was assigned to nobody');
END;

CREATE TRIGGER assignments_no_update BEFORE UPDATE ON assignments
BEGIN
    SELECT RAISE(ABORT, 'assignments is append-only');
END;

CREATE TRIGGER assignments_no_delete BEFORE DELETE ON assignments
BEGIN
    SELECT RAISE(ABORT, 'assignments is append-only');
END;
