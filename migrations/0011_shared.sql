-- Shared accounts: several people over one balance, each with a role and limits of their own (product.md).

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    ('shared_deposit', 'user', 'shared', 0),
    ('shared_spend', 'shared', 'user', 0);

CREATE TABLE shared_accounts (
    -- Number n of people is account -n: 100, then 101, up to 999, none of them twice. folded is the name as it is
    -- compared: no two open ones have it.
    id INTEGER PRIMARY KEY REFERENCES users (id) CHECK (id BETWEEN -999 AND -100),
    name TEXT NOT NULL CHECK (name <> ''),
    folded TEXT NOT NULL CHECK (folded <> ''),
    created_by INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    closed_by INTEGER,
    closed_at INTEGER,
    CHECK ((closed_by IS NOT NULL) = (state = 'closed') AND (closed_at IS NOT NULL) = (state = 'closed'))
) STRICT;
CREATE UNIQUE INDEX shared_accounts_name ON shared_accounts (folded) WHERE state = 'open';
CREATE INDEX shared_accounts_creator ON shared_accounts (created_by);

CREATE TRIGGER shared_accounts_in_order BEFORE INSERT ON shared_accounts
WHEN NEW.id IS NOT ifnull((SELECT min(id) FROM shared_accounts), -99) - 1 OR NEW.state <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'the next shared account is the one below the lowest there ever was, and begins open');
END;

CREATE TRIGGER shared_accounts_kept BEFORE DELETE ON shared_accounts
BEGIN
    SELECT RAISE(ABORT, 'shared accounts are closed, not deleted');
END;

CREATE TRIGGER shared_accounts_fixed BEFORE UPDATE ON shared_accounts
WHEN (OLD.id, OLD.created_by, OLD.created_at) IS NOT (NEW.id, NEW.created_by, NEW.created_at) OR OLD.state = 'closed'
BEGIN
    SELECT RAISE(ABORT, 'of a shared account only the name changes, and once it is closed nothing');
END;

CREATE TRIGGER shared_accounts_closed_empty BEFORE UPDATE OF state ON shared_accounts
WHEN NEW.state = 'closed' AND (
    EXISTS (SELECT 1 FROM user_balances WHERE user_id = OLD.id AND balance <> 0)
    OR EXISTS (
        SELECT 1 FROM withdrawals
        WHERE account = OLD.id AND state IN ('requested', 'awaiting_approval', 'queued', 'signed')
    )
)
BEGIN
    SELECT RAISE(ABORT, 'a shared account is closed when nothing is left in it, and nothing may come back');
END;

CREATE TRIGGER transactions_shared_open BEFORE INSERT ON transactions WHEN NEW.to_id BETWEEN -999 AND -100
BEGIN
    SELECT RAISE(ABORT, 'a shared account takes coins while it is open')
    WHERE NOT EXISTS (SELECT 1 FROM shared_accounts WHERE id = NEW.to_id AND state = 'open');
END;

CREATE TABLE shared_members (
    -- A membership, from the invitation to its end; whoever comes again has another row. Limits are base units of
    -- limit_denom, NULL: none; who has any spends that denom alone. changed_by did the last change.
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES shared_accounts (id),
    person INTEGER NOT NULL REFERENCES users (id) CHECK (person > 0),
    role TEXT NOT NULL CHECK (role IN ('view', 'spend', 'admin')),
    limit_denom TEXT,
    per_transaction INTEGER CHECK (per_transaction > 0),
    per_day INTEGER CHECK (per_day > 0),
    invited_by INTEGER NOT NULL,
    invited_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('invited', 'joined', 'declined', 'revoked', 'left', 'closed')),
    changed_by INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK ((limit_denom IS NULL) = (per_transaction IS NULL AND per_day IS NULL)),
    CHECK (role <> 'view' OR limit_denom IS NULL)
) STRICT;
CREATE UNIQUE INDEX shared_members_live ON shared_members (account, person) WHERE state IN ('invited', 'joined');
CREATE INDEX shared_members_account ON shared_members (account, person, invited_at);
CREATE INDEX shared_members_person ON shared_members (person, id);

CREATE TRIGGER shared_members_invited BEFORE INSERT ON shared_members
WHEN NEW.state <> 'invited' AND NOT (
    NEW.state = 'joined' AND NEW.role = 'admin'
    AND NEW.person = (SELECT created_by FROM shared_accounts WHERE id = NEW.account)
    AND NOT EXISTS (SELECT 1 FROM shared_members WHERE account = NEW.account)
)
BEGIN
    SELECT RAISE(ABORT, 'a membership begins with an invitation; only the founder needs none');
END;

CREATE TRIGGER shared_members_kept BEFORE DELETE ON shared_members
BEGIN
    SELECT RAISE(ABORT, 'memberships end, they are not deleted');
END;

CREATE TRIGGER shared_members_fixed BEFORE UPDATE ON shared_members
WHEN (OLD.id, OLD.account, OLD.person, OLD.invited_by, OLD.invited_at)
    IS NOT (NEW.id, NEW.account, NEW.person, NEW.invited_by, NEW.invited_at)
    OR ((OLD.role, OLD.limit_denom, OLD.per_transaction, OLD.per_day)
        IS NOT (NEW.role, NEW.limit_denom, NEW.per_transaction, NEW.per_day)
        AND NOT (OLD.state = 'joined' AND NEW.state = 'joined'))
BEGIN
    SELECT RAISE(ABORT, 'who was invited by whom does not change; role and limits do while somebody is a member');
END;

CREATE TRIGGER shared_members_states BEFORE UPDATE ON shared_members
WHEN (OLD.state, NEW.state) NOT IN (VALUES
    ('invited', 'joined'), ('invited', 'declined'), ('invited', 'revoked'),
    ('joined', 'joined'), ('joined', 'left'), ('joined', 'revoked'), ('joined', 'closed')
)
OR (NEW.state <> OLD.state AND NEW.state IN ('joined', 'declined', 'left') AND NEW.changed_by <> OLD.person)
BEGIN
    SELECT RAISE(ABORT, 'no such step in the life of a membership, or not by this person');
END;

CREATE TRIGGER shared_members_keep_an_admin BEFORE UPDATE ON shared_members
WHEN OLD.state = 'joined' AND OLD.role = 'admin' AND NOT (NEW.state = 'joined' AND NEW.role = 'admin')
    AND EXISTS (SELECT 1 FROM shared_accounts WHERE id = OLD.account AND state = 'open')
    AND NOT EXISTS (
        SELECT 1 FROM shared_members
        WHERE account = OLD.account AND state = 'joined' AND role = 'admin' AND id <> OLD.id
    )
BEGIN
    SELECT RAISE(ABORT, 'an open shared account keeps an admin');
END;

CREATE TABLE shared_changes (
    -- What a membership was after each change of it, written by triggers alone.
    id INTEGER PRIMARY KEY,
    membership INTEGER NOT NULL REFERENCES shared_members (id),
    role TEXT NOT NULL,
    limit_denom TEXT,
    per_transaction INTEGER,
    per_day INTEGER,
    state TEXT NOT NULL,
    actor INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX shared_changes_membership ON shared_changes (membership, id);

CREATE TRIGGER shared_members_noted AFTER INSERT ON shared_members
BEGIN
    INSERT INTO shared_changes (membership, role, limit_denom, per_transaction, per_day, state, actor, at)
    VALUES (NEW.id, NEW.role, NEW.limit_denom, NEW.per_transaction, NEW.per_day, NEW.state, NEW.changed_by, NEW.changed_at);
END;

CREATE TRIGGER shared_members_change_noted AFTER UPDATE ON shared_members
BEGIN
    INSERT INTO shared_changes (membership, role, limit_denom, per_transaction, per_day, state, actor, at)
    VALUES (NEW.id, NEW.role, NEW.limit_denom, NEW.per_transaction, NEW.per_day, NEW.state, NEW.changed_by, NEW.changed_at);
END;

CREATE TRIGGER shared_changes_no_update BEFORE UPDATE ON shared_changes
BEGIN
    SELECT RAISE(ABORT, 'shared_changes is append-only');
END;

CREATE TRIGGER shared_changes_no_delete BEFORE DELETE ON shared_changes
BEGIN
    SELECT RAISE(ABORT, 'shared_changes is append-only');
END;

CREATE TABLE shared_spends (
    -- What a person took out of a shared account: id is the posting, at the moment that limits of a day count from.
    id INTEGER PRIMARY KEY REFERENCES transactions (id),
    account INTEGER NOT NULL REFERENCES shared_accounts (id),
    person INTEGER NOT NULL,
    denom TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX shared_spends_lately ON shared_spends (account, person, denom, at);

CREATE TRIGGER shared_spends_as_posted BEFORE INSERT ON shared_spends
WHEN NOT EXISTS (
    SELECT 1 FROM transactions
    WHERE id = NEW.id AND kind IN ('shared_spend', 'withdrawal') AND from_id = NEW.account AND actor = NEW.person
        AND denom = NEW.denom AND amount = NEW.amount
)
BEGIN
    SELECT RAISE(ABORT, 'a spend is what was posted, by whom it was posted');
END;

CREATE TRIGGER shared_spends_by_members BEFORE INSERT ON shared_spends
WHEN NOT EXISTS (
    SELECT 1 FROM shared_members
    WHERE account = NEW.account AND person = NEW.person AND state = 'joined' AND role IN ('spend', 'admin')
)
BEGIN
    SELECT RAISE(ABORT, 'only who may spend takes something out of a shared account');
END;

CREATE TRIGGER shared_spends_no_update BEFORE UPDATE ON shared_spends
BEGIN
    SELECT RAISE(ABORT, 'shared_spends is append-only');
END;

CREATE TRIGGER shared_spends_no_delete BEFORE DELETE ON shared_spends
BEGIN
    SELECT RAISE(ABORT, 'shared_spends is append-only');
END;
