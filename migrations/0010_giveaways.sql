-- Giveaways: somebody's coins wait in an escrow of their own until they are claimed or given back (product.md).

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    ('giveaway', 'user', 'escrow', 0),
    ('giveaway', 'treasury', 'escrow', 0),
    ('giveaway_claim', 'escrow', 'user', 0),
    -- What nobody claimed goes back to whom it came from.
    ('giveaway_returned', 'escrow', 'user', 0),
    ('giveaway_returned', 'escrow', 'treasury', 0);

CREATE TABLE giveaways (
    -- Its escrow is account -1000 - id; funding is the posting that filled it. creator asked for it, funder paid: they,
    -- or BOT_TREASURY. seed is secret as long as the giveaway is active; the packets of mode random follow from it.
    -- A group that becomes a supergroup takes its active giveaways with it: chat alone may change.
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    funding INTEGER NOT NULL UNIQUE REFERENCES transactions (id),
    creator INTEGER NOT NULL CHECK (creator > 0),
    funder INTEGER NOT NULL CHECK (funder = creator OR funder = -1),
    chat INTEGER NOT NULL,
    denom TEXT NOT NULL REFERENCES assets (denom),
    total INTEGER NOT NULL CHECK (total >= slots),
    slots INTEGER NOT NULL CHECK (slots BETWEEN 1 AND 10000),
    mode TEXT NOT NULL CHECK (mode IN ('first', 'equal', 'random')),
    seed TEXT CHECK (length(seed) = 64),
    state TEXT NOT NULL CHECK (state IN ('active', 'ended', 'cancelled')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > created_at),
    ended_at INTEGER,
    CHECK ((seed IS NOT NULL) = (mode = 'random')),
    CHECK ((ended_at IS NULL) = (state = 'active'))
) STRICT;
CREATE INDEX giveaways_due ON giveaways (expires_at) WHERE state = 'active';
CREATE INDEX giveaways_creator ON giveaways (creator, id);

CREATE TRIGGER giveaways_begin BEFORE INSERT ON giveaways
BEGIN
    SELECT RAISE(ABORT, 'giveaways are numbered without gaps, and begin active')
    WHERE NEW.id IS NOT 1 + ifnull((SELECT max(id) FROM giveaways), 0) OR NEW.state <> 'active';
    SELECT RAISE(ABORT, 'a giveaway is what was posted into its escrow')
    WHERE NOT EXISTS (
        SELECT 1 FROM transactions
        WHERE id = NEW.funding AND kind = 'giveaway' AND from_id = NEW.funder AND to_id = -1000 - NEW.id
            AND denom = NEW.denom AND amount = NEW.total
    );
END;

CREATE TRIGGER giveaways_end_empty BEFORE UPDATE OF state ON giveaways
WHEN EXISTS (SELECT 1 FROM user_balances WHERE user_id = -1000 - OLD.id AND balance <> 0)
BEGIN
    SELECT RAISE(ABORT, 'the escrow of a giveaway that is over holds nothing');
END;

-- So states only go forward: from active to one of the others.
CREATE TRIGGER giveaways_fixed BEFORE UPDATE ON giveaways
WHEN (
        OLD.id, OLD.funding, OLD.creator, OLD.funder, OLD.denom, OLD.total, OLD.slots, OLD.mode, OLD.seed,
        OLD.created_at, OLD.expires_at
    ) IS NOT (
        NEW.id, NEW.funding, NEW.creator, NEW.funder, NEW.denom, NEW.total, NEW.slots, NEW.mode, NEW.seed,
        NEW.created_at, NEW.expires_at
    )
    OR OLD.state <> 'active'
BEGIN
    SELECT RAISE(ABORT, 'what was promised does not change, nor what is over');
END;

CREATE TRIGGER giveaways_kept BEFORE DELETE ON giveaways
BEGIN
    SELECT RAISE(ABORT, 'giveaways are never deleted');
END;

CREATE TABLE giveaway_claims (
    -- Who claimed, in order. posting is what it paid; NULL in mode equal, where everybody is paid at the end.
    giveaway INTEGER NOT NULL REFERENCES giveaways (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    claimant INTEGER NOT NULL CHECK (claimant > 0),
    posting INTEGER UNIQUE REFERENCES transactions (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (giveaway, number),
    UNIQUE (giveaway, claimant)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER giveaway_claims_begin BEFORE INSERT ON giveaway_claims
BEGIN
    SELECT RAISE(ABORT, 'claims are numbered without gaps, up to the slots of a giveaway that is active and not expired')
    WHERE NEW.number IS NOT 1 + ifnull((SELECT max(number) FROM giveaway_claims WHERE giveaway = NEW.giveaway), 0)
        OR NOT EXISTS (
            SELECT 1 FROM giveaways
            WHERE id = NEW.giveaway AND state = 'active' AND NEW.number <= slots AND NEW.at < expires_at
                AND (NEW.posting IS NULL) = (mode = 'equal')
        );
    SELECT RAISE(ABORT, 'a claim is what was posted out of its escrow')
    WHERE NEW.posting IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM transactions
        WHERE id = NEW.posting AND kind = 'giveaway_claim' AND from_id = -1000 - NEW.giveaway
            AND to_id = NEW.claimant
    );
END;

CREATE TRIGGER giveaway_claims_no_update BEFORE UPDATE ON giveaway_claims
BEGIN
    SELECT RAISE(ABORT, 'giveaway_claims is append-only');
END;

CREATE TRIGGER giveaway_claims_no_delete BEFORE DELETE ON giveaway_claims
BEGIN
    SELECT RAISE(ABORT, 'giveaway_claims is append-only');
END;
