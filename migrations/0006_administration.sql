-- Who ordered what, and news that is shown anew instead of told again (product.md, Who may do what; telegram.md).

CREATE TABLE admin_audit (
    -- Every act of an admin or owner, in the transaction of the act itself. actor 0 is the console; role is what it was
    -- at that moment; before and after are what the act changed, as JSON.
    id INTEGER PRIMARY KEY,
    actor INTEGER NOT NULL CHECK (actor >= 0),
    role TEXT NOT NULL CHECK (role IN ('member', 'elevated', 'admin', 'owner', 'console')),
    action TEXT NOT NULL CHECK (action <> ''),
    target INTEGER,
    chat INTEGER,
    before TEXT NOT NULL CHECK (before GLOB '{*}'),
    after TEXT NOT NULL CHECK (after GLOB '{*}'),
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at INTEGER NOT NULL,
    CHECK ((actor = 0) = (role = 'console'))
) STRICT;
CREATE INDEX admin_audit_actor ON admin_audit (actor, id);
CREATE INDEX admin_audit_target ON admin_audit (target, id) WHERE target IS NOT NULL;

CREATE TRIGGER admin_audit_in_order BEFORE INSERT ON admin_audit
WHEN NEW.id IS NOT 1 + ifnull((SELECT max(id) FROM admin_audit), 0)
BEGIN
    SELECT RAISE(ABORT, 'the admin audit only grows');
END;

CREATE TRIGGER admin_audit_no_update BEFORE UPDATE ON admin_audit
BEGIN
    SELECT RAISE(ABORT, 'the admin audit is append-only');
END;

CREATE TRIGGER admin_audit_no_delete BEFORE DELETE ON admin_audit
BEGIN
    SELECT RAISE(ABORT, 'the admin audit is append-only');
END;

-- A live row is about a subject (giveaway:12) whose newest state is looked up when it is sent: one waits at a time, and
-- what changes meanwhile only raises its revision.
ALTER TABLE outbox ADD COLUMN subject TEXT;
ALTER TABLE outbox ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX outbox_live ON outbox (subject) WHERE subject IS NOT NULL AND state = 'pending';
CREATE INDEX outbox_subject ON outbox (subject, due_at) WHERE subject IS NOT NULL;
