-- Books that were put back from a backup, and payments on chain that they do not know (chain.md, Withdrawals).

INSERT INTO kinds (kind, from_class, to_class, may_overdraw) VALUES
    -- The treasury signed it, the books that knew why are lost: the reserve bears it until an owner says whose it was.
    ('unknown_payment', 'reserve', 'chain', 1),
    ('attribution', 'user', 'reserve', 0),
    ('attribution', 'shared', 'reserve', 0),
    ('attribution', 'treasury', 'reserve', 0);

CREATE TABLE restores (
    -- While replayed_height is NULL nothing is signed, cancelled or ended by hand. tip_height is the first block made
    -- after the restore; reach_height how far the replaced books had come. Bytes that the lost books signed may still
    -- execute for quiet_blocks after both.
    id INTEGER PRIMARY KEY,
    restored_at INTEGER NOT NULL,
    last_tx INTEGER NOT NULL,
    reach_height INTEGER NOT NULL CHECK (reach_height >= 0),
    quiet_blocks INTEGER NOT NULL CHECK (quiet_blocks >= 1),
    tip_height INTEGER,
    replayed_height INTEGER,
    CHECK (replayed_height IS NULL OR (tip_height IS NOT NULL
        AND replayed_height >= max(tip_height, reach_height) + quiet_blocks))
) STRICT;

CREATE TRIGGER restores_kept BEFORE DELETE ON restores
BEGIN
    SELECT RAISE(ABORT, 'that books were restored is never forgotten');
END;

CREATE TRIGGER restores_fixed BEFORE UPDATE ON restores
WHEN (OLD.id, OLD.restored_at, OLD.last_tx, OLD.reach_height, OLD.quiet_blocks)
    IS NOT (NEW.id, NEW.restored_at, NEW.last_tx, NEW.reach_height, NEW.quiet_blocks)
    OR (OLD.tip_height IS NOT NULL AND NEW.tip_height IS NOT OLD.tip_height)
    OR OLD.replayed_height IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a replay only goes forward');
END;

CREATE TABLE unknown_payments (
    -- What the treasury paid in a transaction that restored books do not know; id is the posting out of the reserve.
    -- remaining counts down as an owner attributes it; accepted: an owner bears the rest.
    id INTEGER PRIMARY KEY REFERENCES transactions (id),
    chain_id TEXT NOT NULL,
    height INTEGER NOT NULL,
    tx TEXT NOT NULL CHECK (length(tx) = 64),
    shown TEXT NOT NULL,
    address TEXT NOT NULL,
    memo TEXT NOT NULL,
    denom TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    remaining INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND amount),
    accepted INTEGER NOT NULL DEFAULT 0 CHECK (accepted IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX unknown_payments_open ON unknown_payments (id) WHERE remaining > 0 AND accepted = 0;

CREATE TRIGGER unknown_payments_kept BEFORE DELETE ON unknown_payments
BEGIN
    SELECT RAISE(ABORT, 'what the treasury paid is never forgotten');
END;

CREATE TRIGGER unknown_payments_fixed BEFORE UPDATE ON unknown_payments
WHEN (OLD.id, OLD.chain_id, OLD.height, OLD.tx, OLD.shown, OLD.address, OLD.memo, OLD.denom, OLD.amount, OLD.created_at)
    IS NOT (NEW.id, NEW.chain_id, NEW.height, NEW.tx, NEW.shown, NEW.address, NEW.memo, NEW.denom, NEW.amount, NEW.created_at)
    OR NEW.remaining > OLD.remaining OR NEW.accepted < OLD.accepted
BEGIN
    SELECT RAISE(ABORT, 'an unknown payment stays what it was');
END;

CREATE TABLE attributions (
    -- What an owner said of an unknown payment: whose it was (id is the posting that takes it from there), or that
    -- it is accepted (posting NULL). Reasons are demanded.
    id INTEGER PRIMARY KEY,
    payment INTEGER NOT NULL REFERENCES unknown_payments (id),
    posting INTEGER UNIQUE REFERENCES transactions (id),
    actor INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason <> ''),
    at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER attributions_no_update BEFORE UPDATE ON attributions
BEGIN
    SELECT RAISE(ABORT, 'attributions is append-only');
END;

CREATE TRIGGER attributions_no_delete BEFORE DELETE ON attributions
BEGIN
    SELECT RAISE(ABORT, 'attributions is append-only');
END;

-- While a replay goes on, a withdrawal that waits may turn out to be paid: by bytes that the lost books signed.
DROP TRIGGER withdrawals_states;
CREATE TRIGGER withdrawals_states BEFORE UPDATE OF state ON withdrawals
WHEN (OLD.state, NEW.state) NOT IN (VALUES
    ('requested', 'awaiting_approval'), ('requested', 'queued'), ('requested', 'cancelled'),
    ('awaiting_approval', 'queued'), ('awaiting_approval', 'cancelled'),
    ('queued', 'signed'), ('queued', 'cancelled'), ('queued', 'manual'),
    ('signed', 'confirmed'), ('signed', 'returned'), ('signed', 'queued'), ('signed', 'manual')
)
AND NOT (
    OLD.state IN ('requested', 'awaiting_approval', 'queued') AND NEW.state = 'confirmed'
    AND EXISTS (SELECT 1 FROM restores WHERE replayed_height IS NULL)
)
BEGIN
    SELECT RAISE(ABORT, 'no such step in the life of a withdrawal');
END;

-- What the books of the chain say does not change afterwards: who reads them decides about money by them.
CREATE TRIGGER settled_kept BEFORE DELETE ON settled
BEGIN
    SELECT RAISE(ABORT, 'a proved balance is never deleted');
END;

CREATE TRIGGER unclaimed_kept BEFORE DELETE ON unclaimed
BEGIN
    SELECT RAISE(ABORT, 'what waits in UNCLAIMED is never deleted');
END;

CREATE TRIGGER unclaimed_fixed BEFORE UPDATE ON unclaimed
WHEN (OLD.id, OLD.chain_id, OLD.height, OLD.denom, OLD.amount, OLD.reason, OLD.tx_hash, OLD.sender, OLD.memo, OLD.evidence, OLD.created_at)
    IS NOT (NEW.id, NEW.chain_id, NEW.height, NEW.denom, NEW.amount, NEW.reason, NEW.tx_hash, NEW.sender, NEW.memo, NEW.evidence, NEW.created_at)
    OR NEW.remaining > OLD.remaining
BEGIN
    SELECT RAISE(ABORT, 'what waits in UNCLAIMED only becomes less');
END;

CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence
BEGIN
    SELECT RAISE(ABORT, 'evidence is append-only');
END;

CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence
BEGIN
    SELECT RAISE(ABORT, 'evidence is append-only');
END;

CREATE TRIGGER payouts_no_update BEFORE UPDATE ON payouts
BEGIN
    SELECT RAISE(ABORT, 'what signed bytes pay does not change');
END;

CREATE TRIGGER payouts_no_delete BEFORE DELETE ON payouts
BEGIN
    SELECT RAISE(ABORT, 'what signed bytes pay does not change');
END;

CREATE TRIGGER inclusions_no_update BEFORE UPDATE ON inclusions
BEGIN
    SELECT RAISE(ABORT, 'inclusions is append-only');
END;

CREATE TRIGGER inclusions_no_delete BEFORE DELETE ON inclusions
BEGIN
    SELECT RAISE(ABORT, 'inclusions is append-only');
END;

CREATE TRIGGER freezes_fixed BEFORE UPDATE ON freezes
WHEN (OLD.id, OLD.reason, OLD.account, OLD.actor, OLD.note, OLD.frozen_at)
    IS NOT (NEW.id, NEW.reason, NEW.account, NEW.actor, NEW.note, NEW.frozen_at)
    OR OLD.lifted_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a freeze is lifted once, and says for ever why it was');
END;
