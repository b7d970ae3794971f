-- What owners order of the treasury, and of what may leave (product.md, Who may do what).

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    -- An owner pays somebody from BOT_TREASURY.
    ('grant', 'treasury', 'user', 0);

CREATE TABLE terms_changes (
    -- What owners changed of the terms of withdrawals; the newest row of a denom and a name stands over the settings.
    -- amount NULL: there is none (of a limit alone), or, where back is 1, the settings count again.
    id INTEGER PRIMARY KEY,
    denom TEXT NOT NULL REFERENCES assets (denom),
    name TEXT NOT NULL CHECK (name IN ('minimum', 'fee', 'user_per_day', 'instance_per_day', 'approval_above')),
    amount INTEGER CHECK (amount >= 0 AND amount < 4611686018427387904),
    back INTEGER NOT NULL CHECK (back IN (0, 1)),
    actor INTEGER NOT NULL CHECK (actor >= 0),
    at INTEGER NOT NULL,
    CHECK (back = 0 OR amount IS NULL),
    CHECK (amount IS NOT NULL OR back = 1 OR name NOT IN ('minimum', 'fee'))
) STRICT;
CREATE INDEX terms_changes_newest ON terms_changes (denom, name, id);

CREATE TRIGGER terms_changes_no_update BEFORE UPDATE ON terms_changes
BEGIN
    SELECT RAISE(ABORT, 'terms_changes is append-only');
END;

CREATE TRIGGER terms_changes_no_delete BEFORE DELETE ON terms_changes
BEGIN
    SELECT RAISE(ABORT, 'terms_changes is append-only');
END;

CREATE TRIGGER terms_changes_in_order BEFORE INSERT ON terms_changes
WHEN NEW.id IS NOT 1 + ifnull((SELECT max(id) FROM terms_changes), 0)
BEGIN
    SELECT RAISE(ABORT, 'terms_changes only grows');
END;
