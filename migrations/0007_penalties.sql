-- What somebody did in a chat, and what follows: a warning, a fine, or a jail with bail (product.md, Penalties).

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    ('fine', 'user', 'treasury', 0),
    -- Of whoever pays: the jailed person or a friend.
    ('bail', 'user', 'treasury', 0);

CREATE TABLE violations (
    -- What was held against whom. actor is the admin who said so, 0 for a rule of the chat (rule names it) or the
    -- console; message is where in the chat it happened.
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL CHECK (person > 0),
    chat INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('warn', 'fine', 'jail')),
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    actor INTEGER NOT NULL CHECK (actor >= 0),
    rule TEXT CHECK (rule <> ''),
    message INTEGER,
    at INTEGER NOT NULL,
    CHECK (rule IS NULL OR actor = 0)
) STRICT;
CREATE INDEX violations_person ON violations (person, id);

CREATE TRIGGER violations_in_order BEFORE INSERT ON violations
WHEN NEW.id IS NOT 1 + ifnull((SELECT max(id) FROM violations), 0)
BEGIN
    SELECT RAISE(ABORT, 'violations are numbered without gaps');
END;

CREATE TRIGGER violations_no_update BEFORE UPDATE ON violations
BEGIN
    SELECT RAISE(ABORT, 'violations is append-only');
END;

CREATE TRIGGER violations_no_delete BEFORE DELETE ON violations
BEGIN
    SELECT RAISE(ABORT, 'violations is append-only');
END;

CREATE TABLE fines (
    -- id is the violation's. The amount is fixed when it is set; usd_cents is what was typed where that was dollars.
    -- settled_by is who paid or forgave it; posting is the payment.
    id INTEGER PRIMARY KEY REFERENCES violations (id),
    person INTEGER NOT NULL,
    denom TEXT NOT NULL REFERENCES assets (denom),
    amount INTEGER NOT NULL CHECK (amount > 0),
    usd_cents INTEGER CHECK (usd_cents > 0),
    state TEXT NOT NULL DEFAULT 'owed' CHECK (state IN ('owed', 'paid', 'forgiven')),
    posting INTEGER UNIQUE REFERENCES transactions (id),
    settled_by INTEGER,
    settled_at INTEGER,
    CHECK ((state = 'paid') = (posting IS NOT NULL)),
    CHECK ((state = 'owed') = (settled_at IS NULL) AND (state = 'owed') = (settled_by IS NULL))
) STRICT;
CREATE INDEX fines_owed ON fines (person, id) WHERE state = 'owed';

CREATE TRIGGER fines_of_a_violation BEFORE INSERT ON fines
WHEN NEW.state <> 'owed'
    OR NOT EXISTS (SELECT 1 FROM violations WHERE id = NEW.id AND person = NEW.person AND kind = 'fine')
BEGIN
    SELECT RAISE(ABORT, 'a fine begins owed, for a violation of the same person');
END;

CREATE TRIGGER fines_once BEFORE UPDATE ON fines
WHEN OLD.state <> 'owed' OR (OLD.id, OLD.person, OLD.denom, OLD.amount, OLD.usd_cents)
    IS NOT (NEW.id, NEW.person, NEW.denom, NEW.amount, NEW.usd_cents)
BEGIN
    SELECT RAISE(ABORT, 'a fine does not change, and is settled once');
END;

CREATE TRIGGER fines_paid BEFORE UPDATE ON fines
WHEN NEW.state = 'paid' AND NOT EXISTS (
    SELECT 1 FROM transactions
    WHERE id = NEW.posting AND kind = 'fine' AND from_id = NEW.person AND to_id = -1 AND denom = NEW.denom
        AND amount = NEW.amount
)
BEGIN
    SELECT RAISE(ABORT, 'a fine is paid by a posting of its amount');
END;

CREATE TRIGGER fines_kept BEFORE DELETE ON fines
BEGIN
    SELECT RAISE(ABORT, 'fines are never deleted');
END;

CREATE TABLE jails (
    -- id is the violation's. Bail and end are fixed when it is set; a group that becomes a supergroup takes those who
    -- serve with it. successor is the longer jail that took its place; posting is the bail; ended_by is who paid or
    -- let them go, 0 for the clock.
    id INTEGER PRIMARY KEY REFERENCES violations (id),
    person INTEGER NOT NULL,
    chat INTEGER NOT NULL,
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL CHECK (until_at > from_at),
    denom TEXT NOT NULL REFERENCES assets (denom),
    bail INTEGER NOT NULL CHECK (bail > 0),
    usd_cents INTEGER CHECK (usd_cents > 0),
    state TEXT NOT NULL DEFAULT 'serving' CHECK (state IN ('serving', 'served', 'bailed', 'released', 'superseded')),
    posting INTEGER UNIQUE REFERENCES transactions (id),
    successor INTEGER REFERENCES jails (id) DEFERRABLE INITIALLY DEFERRED,
    ended_by INTEGER,
    ended_at INTEGER,
    CHECK ((state = 'bailed') = (posting IS NOT NULL)),
    CHECK ((state = 'superseded') = (successor IS NOT NULL)),
    CHECK ((state = 'serving') = (ended_at IS NULL) AND (state = 'serving') = (ended_by IS NULL)),
    CHECK (state <> 'served' OR ended_at >= until_at),
    CHECK (state <> 'bailed' OR ended_at < until_at)
) STRICT;
CREATE UNIQUE INDEX jails_serving ON jails (chat, person) WHERE state = 'serving';
CREATE INDEX jails_person ON jails (person, id);
CREATE INDEX jails_due ON jails (until_at, id) WHERE state = 'serving';

CREATE TRIGGER jails_of_a_violation BEFORE INSERT ON jails
WHEN NEW.state <> 'serving'
    OR NOT EXISTS (SELECT 1 FROM violations WHERE id = NEW.id AND person = NEW.person AND chat = NEW.chat AND kind = 'jail')
BEGIN
    SELECT RAISE(ABORT, 'a jail begins with a violation of the same person in the same chat');
END;

CREATE TRIGGER jails_once BEFORE UPDATE ON jails
WHEN OLD.state <> 'serving' OR (OLD.id, OLD.person, OLD.from_at, OLD.until_at, OLD.denom, OLD.bail, OLD.usd_cents)
    IS NOT (NEW.id, NEW.person, NEW.from_at, NEW.until_at, NEW.denom, NEW.bail, NEW.usd_cents)
BEGIN
    SELECT RAISE(ABORT, 'a jail does not change, and ends once');
END;

CREATE TRIGGER jails_move BEFORE UPDATE ON jails
WHEN NEW.chat <> OLD.chat AND NOT EXISTS (SELECT 1 FROM chats WHERE id = OLD.chat AND migrated_to = NEW.chat)
BEGIN
    SELECT RAISE(ABORT, 'a jail moves with its group alone');
END;

CREATE TRIGGER jails_bailed BEFORE UPDATE ON jails
WHEN NEW.state = 'bailed' AND NOT EXISTS (
    SELECT 1 FROM transactions
    WHERE id = NEW.posting AND kind = 'bail' AND to_id = -1 AND denom = NEW.denom AND amount = NEW.bail
)
BEGIN
    SELECT RAISE(ABORT, 'bail is paid by a posting of its amount');
END;

-- A jail never shortens a longer one, whichever of the two is written first.
CREATE TRIGGER jails_longer BEFORE INSERT ON jails
WHEN EXISTS (
    SELECT 1 FROM jails WHERE person = NEW.person AND successor = NEW.id AND until_at > NEW.until_at
)
BEGIN
    SELECT RAISE(ABORT, 'a jail never shortens a longer one');
END;

CREATE TRIGGER jails_superseded BEFORE UPDATE ON jails
WHEN NEW.state = 'superseded'
    AND EXISTS (SELECT 1 FROM jails WHERE id = NEW.successor AND (until_at < NEW.until_at OR person <> NEW.person))
BEGIN
    SELECT RAISE(ABORT, 'a jail never shortens a longer one');
END;

CREATE TRIGGER jails_kept BEFORE DELETE ON jails
BEGIN
    SELECT RAISE(ABORT, 'jails are never deleted');
END;
