-- Limits on what leaves, a second admin's word above a threshold, and the refill of the reserve (chain.md, product.md).

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    -- An owner makes good what the chain lacked: a shortfall freezes withdrawals until the reserve owes nothing.
    ('refill', 'treasury', 'reserve', 0);

CREATE TABLE approvals (
    -- Who said what of a withdrawal above the threshold; once, and never by the one who asked for it.
    withdrawal INTEGER PRIMARY KEY REFERENCES withdrawals (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('approved', 'rejected')),
    actor INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'owner')),
    at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER approvals_of_another BEFORE INSERT ON approvals
WHEN EXISTS (
    SELECT 1 FROM withdrawals JOIN transactions USING (id)
    WHERE withdrawals.id = NEW.withdrawal AND NEW.actor IN (withdrawals.account, transactions.actor)
)
BEGIN
    SELECT RAISE(ABORT, 'nobody approves what they asked for');
END;

CREATE TRIGGER approvals_no_update BEFORE UPDATE ON approvals
BEGIN
    SELECT RAISE(ABORT, 'approvals is append-only');
END;

CREATE TRIGGER approvals_no_delete BEFORE DELETE ON approvals
BEGIN
    SELECT RAISE(ABORT, 'approvals is append-only');
END;

-- What waited for a second admin leaves only with their word.
CREATE TRIGGER withdrawals_approved BEFORE UPDATE OF state ON withdrawals
WHEN OLD.state = 'awaiting_approval' AND NEW.state = 'queued'
    AND NOT EXISTS (SELECT 1 FROM approvals WHERE withdrawal = OLD.id AND verdict = 'approved')
BEGIN
    SELECT RAISE(ABORT, 'nobody has approved this withdrawal');
END;

-- What left in the last 24 hours is summed up at each request.
CREATE INDEX withdrawals_lately ON withdrawals (denom, requested_at);
