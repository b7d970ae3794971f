-- When money commands of members rest, because a person ordered it (product.md, Commands).

CREATE TABLE pauses (
    -- Standing while lifted_at is NULL; one at a time. reason is what members read meanwhile.
    id INTEGER PRIMARY KEY,
    actor INTEGER NOT NULL CHECK (actor >= 0),
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    paused_at INTEGER NOT NULL,
    lifted_at INTEGER,
    lifted_by INTEGER,
    lifted_note TEXT,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_note IS NULL))
) STRICT;
CREATE UNIQUE INDEX pauses_standing ON pauses (lifted_at IS NULL) WHERE lifted_at IS NULL;

CREATE TRIGGER pauses_kept BEFORE DELETE ON pauses
BEGIN
    SELECT RAISE(ABORT, 'pauses are lifted, not deleted');
END;

CREATE TRIGGER pauses_fixed BEFORE UPDATE ON pauses
WHEN (OLD.id, OLD.actor, OLD.reason, OLD.paused_at) IS NOT (NEW.id, NEW.actor, NEW.reason, NEW.paused_at)
    OR OLD.lifted_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a pause is lifted once, and says for ever why it was');
END;
